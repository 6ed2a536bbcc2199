//! A real Dovecot as the mail server of a company: its own configuration, folders and port, mail delivered into
//! Maildirs. Needs root, as Dovecot does; touches nothing of a Dovecot that the machine may have.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

use crate::market::MAILBOX;
use crate::process::{Output, Running, program, run};
use crate::wait;

/// The user `nobody`, to whom the mailboxes belong.
const NOBODY: u32 = 65534;

pub const PASSWORD: &str = "swordfish-behind-glass";

/// An access token (RFC 6750 §2.1) that is good for every mailbox whose user Dovecot is told.
pub const TOKEN: &str = "ya29.a0Af_By-C4x~1/2+3==";

pub struct Dovecot {
    folder: PathBuf,
    port: u16,
    delivered: u64,
    _master: Running,
}

impl Dovecot {
    /// Starts it in `folder`, which others must be able to pass, with the certificate for `localhost`.
    pub fn start(folder: &Path, certificate: &Path, key: &Path) -> Self {
        let folder = folder.join("dovecot");
        let port = free_port();
        for (name, owner) in [("conf", 0), ("run", 0), ("mail", NOBODY)] {
            let place = folder.join(name);
            fs::create_dir_all(&place).expect("a folder for Dovecot");
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("its mode");
            chown(&place, Some(owner), Some(owner)).expect("Dovecot needs root: run the tests as root");
        }
        for (name, from) in [("server.pem", certificate), ("server.key", key)] {
            fs::copy(from, folder.join("conf").join(name)).expect("the certificate");
        }
        fs::write(folder.join("conf/dovecot.conf"), conf(&folder, port)).expect("dovecot.conf");
        let asked = format!(
            "introspection_mode = post\nintrospection_url = http://{}/\nactive_attribute = active\nactive_value = true\n\
             username_attribute = username\n",
            issuer()
        );
        fs::write(folder.join("conf/oauth2.conf"), asked).expect("oauth2.conf");
        let mut command = program("dovecot");
        command.arg("-F").arg("-c").arg(folder.join("conf/dovecot.conf"));
        let master = Running::start("Dovecot", command, &folder.join("stderr.log"));
        let dovecot = Self { folder, port, delivered: 0, _master: master };
        wait::until_true("Dovecot to listen", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        dovecot
    }

    /// `localhost:PORT`, the name that its certificate has.
    pub fn address(&self) -> String {
        format!("localhost:{}", self.port)
    }

    /// Delivers a mail into a user's INBOX, as Dovecot's own delivery agent leaves it.
    pub fn deliver(&mut self, user: &str, mail: &[u8]) {
        let place = self.maildir(user);
        for name in ["", "cur", "new", "tmp"] {
            let folder = place.join(name);
            fs::create_dir_all(&folder).expect("a Maildir");
            chown(&folder, Some(NOBODY), Some(NOBODY)).expect("its owner");
        }
        self.delivered += 1;
        let name =
            format!("{}.M{:08}.relay,S={}", 1_700_000_000 + self.delivered, self.delivered, mail.len());
        let file = place.join("tmp").join(&name);
        fs::write(&file, mail).expect("a mail");
        chown(&file, Some(NOBODY), Some(NOBODY)).expect("its owner");
        fs::rename(&file, place.join("new").join(&name)).expect("the mail to appear");
    }

    /// What `doveadm` says, for another client of the mailbox.
    pub fn doveadm(&self, arguments: &[&str]) -> Output {
        run(self.doveadm_command().args(arguments))
    }

    /// How many mails lie in a user's folder.
    pub fn count(&self, user: &str, folder: &str) -> usize {
        self.files(user, folder).count()
    }

    /// The same question, for folders that hold many.
    pub fn is_empty(&self, user: &str, folder: &str) -> bool {
        self.files(user, folder).next().is_none()
    }

    fn files(&self, user: &str, folder: &str) -> impl Iterator<Item = fs::DirEntry> + use<> {
        let place = match folder {
            "INBOX" => self.maildir(user),
            other => self.maildir(user).join(format!(".{other}")),
        };
        ["new", "cur"]
            .into_iter()
            .filter_map(move |name| fs::read_dir(place.join(name)).ok())
            .flatten()
            .flatten()
    }

    /// Numbers a user's INBOX anew: another UIDVALIDITY, and other UIDs from 1 on.
    pub fn renumber(&self, user: &str) {
        let place = self.maildir(user);
        // Dovecot makes the list of UIDs again, with the time of now as its name.
        for entry in fs::read_dir(&place).expect("the Maildir").flatten() {
            if entry.file_name().to_string_lossy().starts_with("dovecot") {
                let _gone = fs::remove_file(entry.path());
            }
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("dovecot.log")).unwrap_or_default()
    }

    fn doveadm_command(&self) -> Command {
        let mut command = program("doveadm");
        command.arg("-c").arg(self.folder.join("conf/dovecot.conf"));
        command
    }

    fn maildir(&self, user: &str) -> PathBuf {
        self.folder.join("mail").join(user).join("Maildir")
    }
}

/// A port that nobody else is given by chance: below the range that the kernel draws from.
fn free_port() -> u16 {
    // Several tests of one process start at the same time, where there is no runner with a process for each.
    static STARTED: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 1_000).expect("below 1,000");
    let first = 31_000 + process + STARTED.fetch_add(10, Ordering::SeqCst) % 500;
    (first..first + 10)
        .find(|port| TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], *port))).is_ok())
        .expect("a free port for Dovecot")
}

/// Who tells Dovecot whose a token is (RFC 7662), for as long as the process lasts: the token above is the mailbox's of Beta,
/// and no other is good.
fn issuer() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _gone = answer(stream);
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line)? > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        line.clear();
    }
    let mut asked = vec![0; length];
    reader.read_exact(&mut asked)?;
    let good =
        String::from_utf8_lossy(&asked).split('&').any(|field| unescaped(field) == format!("token={TOKEN}"));
    let said = match good {
        true => format!("{{\"active\":true,\"username\":\"{MAILBOX}\"}}"),
        false => "{\"active\":false}".to_owned(),
    };
    let head =
        format!("Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close", said.len());
    write!(stream, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n{said}")
}

/// What a form means by it.
fn unescaped(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut plain = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(piece.len().min(2));
        plain.extend(u8::from_str_radix(code, 16));
        plain.extend(rest.as_bytes());
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn conf(folder: &Path, port: u16) -> String {
    let here = folder.display();
    format!(
        "base_dir = {here}/run\nlog_path = {here}/dovecot.log\nprotocols = imap\nlisten = 127.0.0.1\n\
         ssl = required\nssl_cert = <{here}/conf/server.pem\nssl_key = <{here}/conf/server.key\n\
         mail_location = maildir:~/Maildir\nmail_fsync = never\nmaildir_very_dirty_syncs = yes\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n\
         auth_mechanisms = plain xoauth2\nmail_max_userip_connections = 100\ndefault_client_limit = 200\n\
         default_process_limit = 20\nstats_writer_socket_path =\n\
         passdb {{\n  driver = oauth2\n  mechanisms = xoauth2\n  args = {here}/conf/oauth2.conf\n}}\n\
         passdb {{\n  driver = static\n  mechanisms = plain\n  args = password={{PLAIN}}{PASSWORD}\n}}\n\
         userdb {{\n  driver = static\n  args = uid={NOBODY} gid={NOBODY} home={here}/mail/%u\n}}\n\
         service imap-login {{\n  inet_listener imap {{\n    port = 0\n  }}\n\
         \x20 inet_listener imaps {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n"
    )
}
