//! A real Exim as a company's mail system: its own configuration, spool and log, each mail sent on in the foreground.
//! Runs from where `tests/run` has unpacked it, because Debian installs Exim or Postfix and not both.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{Output, program, run, run_with};
use crate::target;

pub struct Exim {
    folder: PathBuf,
}

impl Exim {
    /// Sets it up in `folder`, to send everything to `localhost` at `port` over TLS that is verified with `ca`.
    /// `transport` are further lines of the transport, `authenticators` those of that section.
    /// Keys that lie in the folder become its own.
    pub fn new(folder: &Path, port: u16, ca: &Path, transport: &str, authenticators: &str) -> Self {
        let owner = number("-u");
        for name in ["spool", "log"] {
            let place = folder.join(name);
            fs::create_dir_all(&place).expect("a folder for Exim");
            fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).expect("its mode");
            chown(&place, Some(owner), Some(number("-g"))).expect("Exim needs root: run the tests as root");
        }
        fs::copy(ca, folder.join("ca.pem")).expect("the authority's certificate");
        for file in fs::read_dir(folder).expect("Exim's folder").flatten() {
            chown(file.path(), Some(owner), None).expect("a file of Exim's");
        }
        fs::write(folder.join("exim.conf"), configuration(folder, port, transport, authenticators))
            .expect("exim.conf");
        Self { folder: folder.to_owned() }
    }

    /// Hands a mail in and waits for what becomes of it.
    pub fn send(&self, from: &str, to: &[&str], mail: &[u8]) -> Output {
        let lines = String::from_utf8_lossy(mail).replace("\r\n", "\n");
        let mut exim = self.command();
        exim.args(["-odf", "-oi", "-f", from]).args(to);
        run_with(&mut exim, lines.as_bytes()).good("exim4")
    }

    /// Tries everything that waits, now.
    pub fn flush(&self) -> Output {
        run(self.command().arg("-qff"))
    }

    /// The lines about deliveries: `=>` for one that worked, `**` for a refusal, `==` for one that is put off.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log/mainlog")).unwrap_or_default()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command.arg("-C").arg(self.folder.join("exim.conf"));
        command
    }
}

fn binary() -> PathBuf {
    let folder = target().parent().expect("the folder of all builds").join("exim");
    let binary = folder.join("usr/sbin/exim4");
    assert!(binary.exists(), "there is no Exim in {}; tests/run unpacks it there", folder.display());
    binary
}

fn number(which: &str) -> u32 {
    let id = run(program("id").args([which, "Debian-exim"])).good("id: tests/run makes the user Debian-exim");
    id.text().trim().parse().expect("a number")
}

fn configuration(folder: &Path, port: u16, transport: &str, authenticators: &str) -> String {
    let here = folder.display();
    format!(
        "primary_hostname = mail.alpha.example\nexim_path = {}\nspool_directory = {here}/spool\n\
         log_file_path = {here}/log/%slog\nlog_selector = +pipelining +smtp_confirmation\nnever_users =\n\
         disable_ipv6 = true\nhost_lookup =\nrfc1413_query_timeout = 0s\ntls_advertise_hosts =\n\
         untrusted_set_sender = *\nlocal_from_check = false\n\
         begin routers\n\
         onward:\n  driver = manualroute\n  route_list = * localhost byname\n  self = send\n  transport = out\n\
         begin transports\n\
         out:\n  driver = smtp\n  port = {port}\n  hosts_require_tls = *\n  tls_verify_hosts = *\n\
         \x20 tls_verify_cert_hostnames = *\n  tls_verify_certificates = {here}/ca.pem\n{transport}\n\
         begin authenticators\n{authenticators}\n\
         begin retry\n* * F,1h,1m\n",
        binary().display()
    )
}
