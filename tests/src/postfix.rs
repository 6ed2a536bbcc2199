//! A real Postfix, as the smarthost or as a company's mail system: its own configuration, queue and port, mail
//! delivered into Maildirs. Needs root, as Postfix does; touches nothing of a Postfix that the machine may have.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::process::{Output, Running, program, run};
use crate::wait;

/// The user `nobody`, to whom the mailboxes belong.
const NOBODY: u32 = 65534;

/// The services that receiving, delivering and sending need.
const SERVICES: &str = "\
pickup    unix  n  -  n  60   1  pickup
cleanup   unix  n  -  n  -    0  cleanup
qmgr      unix  n  -  n  300  1  qmgr
rewrite   unix  -  -  n  -    -  trivial-rewrite
bounce    unix  -  -  n  -    0  bounce
defer     unix  -  -  n  -    0  bounce
trace     unix  -  -  n  -    0  bounce
tlsmgr    unix  -  -  n  300  1  tlsmgr
proxymap  unix  -  -  n  -    -  proxymap
error     unix  -  -  n  -    -  error
retry     unix  -  -  n  -    -  error
smtp      unix  -  -  n  -    -  smtp
relay     unix  -  -  n  -    -  smtp
virtual   unix  -  n  n  -    -  virtual
anvil     unix  -  -  n  -    1  anvil
postlog   unix-dgram n - n  -  1  postlogd
";

pub struct Postfix {
    folder: PathBuf,
    port: u16,
    _master: Running,
}

impl Postfix {
    /// Starts it in `folder`, which others must be able to pass, with mailboxes for `addresses` and the certificate
    /// for `localhost`.
    pub fn start(folder: &Path, addresses: &[&str], certificate: &Path, key: &Path) -> Self {
        Self::start_as(&folder.join("postfix"), addresses, certificate, key, "")
    }

    /// The same with further lines of main.cf, in a folder of its own.
    pub fn start_as(folder: &Path, addresses: &[&str], certificate: &Path, key: &Path, lines: &str) -> Self {
        let folder = folder.to_owned();
        let port = free_port();
        let conf = folder.join("conf");
        for (name, owner) in [("conf", 0), ("queue", 0), ("data", postfix_user()), ("mail", NOBODY)] {
            let place = folder.join(name);
            fs::create_dir_all(&place).expect("a folder for Postfix");
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("its mode");
            chown(&place, Some(owner), None).expect("Postfix needs root: run the tests as root");
        }
        for (name, from) in [("server.pem", certificate), ("server.key", key)] {
            fs::copy(from, conf.join(name)).expect("the certificate");
        }
        let map: Vec<_> =
            addresses.iter().map(|address| format!("{address} {}\n", maildir(address))).collect();
        fs::write(conf.join("mailboxes"), map.concat()).expect("the map of mailboxes");
        fs::write(conf.join("main.cf"), main_cf(&folder, addresses) + lines).expect("main.cf");
        let smtpd = format!("127.0.0.1:{port} inet n - n - - smtpd\n");
        fs::write(conf.join("master.cf"), smtpd + SERVICES).expect("master.cf");
        run(program("postfix").arg("-c").arg(&conf).arg("check")).good("postfix check");
        let mut command = std::process::Command::new("/usr/lib/postfix/sbin/master");
        command.arg("-c").arg(&conf).arg("-d");
        let master = Running::start("Postfix", command, &folder.join("stderr.log"));
        let postfix = Self { folder, port, _master: master };
        wait::until_true("Postfix to listen", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        postfix
    }

    /// `localhost:PORT`, the name that its certificate has.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Where it listens.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// Runs one of its own programs on its configuration.
    pub fn tool<const N: usize>(&self, name: &str, arguments: [&str; N]) -> Output {
        run(program(name).arg("-c").arg(self.folder.join("conf")).args(arguments)).good(name)
    }

    /// Tries everything that waits, now.
    pub fn flush(&self) {
        self.tool("postqueue", ["-f"]);
    }

    /// The lines of the log that tell how a delivery ended, once there are `count` of that kind, such as `sent`.
    pub fn ended(&self, kind: &str, count: usize) -> Vec<String> {
        let sign = format!(" status={kind} ");
        wait::until(&format!("{count} mails {kind}"), || {
            let log = self.log();
            let lines: Vec<_> = log.lines().filter(|line| line.contains(&sign)).map(str::to_owned).collect();
            Some(lines).filter(|lines| lines.len() >= count)
        })
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("mail.log")).unwrap_or_default()
    }

    /// The mails in a mailbox, oldest first, as they were delivered.
    pub fn mails(&self, address: &str) -> Vec<Vec<u8>> {
        let new = self.folder.join("mail").join(maildir(address)).join("new");
        let mut files: Vec<_> = fs::read_dir(new).into_iter().flatten().flatten().collect();
        files.sort_by_key(|file| file.metadata().and_then(|data| data.modified()).expect("a time"));
        files.iter().map(|file| fs::read(file.path()).expect("a delivered mail")).collect()
    }

    /// Waits until a mailbox holds `count` mails, and gives them.
    pub fn arrived(&self, address: &str, count: usize) -> Vec<Vec<u8>> {
        let what = format!("{count} mails for {address}");
        wait::until(&what, || Some(self.mails(address)).filter(|mails| mails.len() >= count))
    }
}

/// A port that nobody else is given by chance: below the range that the kernel draws from.
fn free_port() -> u16 {
    // Several tests of one process start at the same time, where there is no runner with a process for each.
    static STARTED: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 10_000).expect("below 10,000");
    let first = 20_000 + process + STARTED.fetch_add(10, Ordering::SeqCst) % 1_000;
    (first..first + 10)
        .find(|port| TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], *port))).is_ok())
        .expect("a free port for Postfix")
}

fn postfix_user() -> u32 {
    let id = run(program("id").args(["-u", "postfix"])).good("id -u postfix: Postfix is not installed");
    id.text().trim().parse().expect("a number")
}

fn maildir(address: &str) -> String {
    let (local, domain) = address.split_once('@').expect("an address");
    format!("{domain}/{local}/")
}

/// What waits is tried again within seconds: a flush passes over a mail that is just being put off.
fn main_cf(folder: &Path, addresses: &[&str]) -> String {
    let mut domains: Vec<_> = addresses.iter().filter_map(|address| address.split('@').nth(1)).collect();
    domains.sort_unstable();
    domains.dedup();
    let here = folder.display();
    format!(
        "compatibility_level = 3.6\nqueue_directory = {here}/queue\ndata_directory = {here}/data\n\
         maillog_file_prefixes = {here}\nmaillog_file = {here}/mail.log\nmyhostname = relay.example\n\
         mydestination =\nmynetworks = 127.0.0.0/8\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         alias_maps =\nalias_database =\nlocal_recipient_maps =\nvirtual_mailbox_domains = {}\n\
         virtual_mailbox_base = {here}/mail\nvirtual_mailbox_maps = texthash:{here}/conf/mailboxes\n\
         virtual_uid_maps = static:{NOBODY}\nvirtual_gid_maps = static:{NOBODY}\n\
         smtpd_tls_security_level = may\nsmtpd_tls_cert_file = {here}/conf/server.pem\n\
         smtpd_tls_key_file = {here}/conf/server.key\nsmtpd_tls_loglevel = 1\nbiff = no\n\
         queue_run_delay = 1s\nminimal_backoff_time = 1s\nmaximal_backoff_time = 3s\n",
        domains.join(" ")
    )
}
