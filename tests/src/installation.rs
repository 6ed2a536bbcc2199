//! One installation in a folder of its own: configuration, keys, certificates, directory, data. Servers may be
//! started on it again and again.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::letter::assert_same;
use crate::market::Market;
use crate::postern::{self, Server};
use crate::process::Output;

/// The domain of notices and reply addresses, and the name that the server's certificate has.
pub const NAME: &str = "post.example.org";

/// What may differ from test to test.
#[derive(Debug, Clone)]
pub struct Settings {
    pub market: Market,
    /// Host and port that notices go to.
    pub smarthost: String,
    /// `none` or `require`; the latter trusts the installation's own authority.
    pub smarthost_tls: &'static str,
    pub portal_tls: bool,
    pub level: &'static str,
    /// Lines of `[limits]`.
    pub limits: &'static str,
    /// Where the ledger lies, when not in the installation's folder.
    pub data: Option<PathBuf>,
    /// Further sections.
    pub sections: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            market: Market::default(),
            // Discard: nothing listens there, so notices wait.
            smarthost: "127.0.0.1:9".to_owned(),
            smarthost_tls: "none",
            portal_tls: false,
            level: "info",
            limits: "connections_per_peer = 5000",
            data: None,
            sections: "",
        }
    }
}

pub struct Installation {
    folder: TempDir,
    data: PathBuf,
}

impl Installation {
    /// `postern init`, a configuration on free ports, `postern directory import`.
    pub fn new(settings: &Settings) -> Self {
        let folder = tempfile::Builder::new().prefix("postern-").tempdir().expect("a folder");
        // Peers that run as other users have folders of theirs in it.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("its mode");
        let home = folder.path().join("home");
        let data = settings.data.clone().unwrap_or_else(|| home.join("data"));
        let installation = Self { folder, data };
        let mut init = vec!["init".as_ref(), home.as_os_str(), "--name".as_ref(), NAME.as_ref()];
        if let Some(data) = &settings.data {
            init.extend(["--data".as_ref(), data.as_os_str()]);
        }
        postern::run(init).good("postern init");
        fs::write(installation.config(), installation.written(settings)).expect("the configuration");
        let market = installation.folder().join("market.toml");
        fs::write(&market, settings.market.to_toml()).expect("the directory file");
        installation.tool(["directory", "import", &market.to_string_lossy()]).good("directory import");
        installation
    }

    /// The same installation with another configuration.
    pub fn reconfigured(self, settings: &Settings) -> Self {
        fs::write(self.config(), self.written(settings)).expect("the configuration");
        self
    }

    fn written(&self, settings: &Settings) -> String {
        let Settings { smarthost, smarthost_tls, portal_tls, level, limits, sections, .. } = settings;
        let data = &self.data;
        format!(
            "[server]\nname = \"{NAME}\"\ndata = {data:?}\n\
             [keys]\nroot = \"root.key\"\n\
             [tls]\ncertificate = \"tls/server.pem\"\nkey = \"tls/server.key\"\nclient_ca = \"ca/ca.pem\"\n\
             [smtp]\nlisten = [\"127.0.0.1:0\"]\nlogin_without_tls = true\n\
             [submission]\nlisten = [\"127.0.0.1:0\"]\nlogin_without_tls = true\n\
             [limits]\n{limits}\n\
             [portal]\nlisten = \"127.0.0.1:0\"\ntls = {portal_tls}\n\
             [notices]\nfrom = \"notices@{NAME}\"\nreply_domain = \"{NAME}\"\nsmarthost = \"{smarthost}\"\n\
             tls = \"{smarthost_tls}\"\nca = \"ca/ca.pem\"\n\
             [log]\nlevel = \"{level}\"\n{sections}"
        )
    }

    /// The folder of the test; the installation itself is in `home`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn home(&self) -> PathBuf {
        self.folder().join("home")
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn config(&self) -> PathBuf {
        self.home().join("postern.toml")
    }

    /// The private authority's certificate.
    pub fn ca(&self) -> PathBuf {
        self.home().join("ca/ca.pem")
    }

    /// Where every server's stderr goes, one behind the other.
    pub fn stderr_file(&self) -> PathBuf {
        self.folder().join("stderr.log")
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.stderr_file()).unwrap_or_default()).into_owned()
    }

    pub fn serve(&self) -> Server {
        Server::start(self.serving(), &self.stderr_file())
    }

    /// The command that [`serve`](Self::serve) runs.
    pub fn serving(&self) -> Command {
        let mut command = Command::new(postern::binary());
        command.arg("serve").arg("-c").arg(self.config());
        command
    }

    /// Runs a tool on this installation, whether a server runs on it or not.
    pub fn tool<const N: usize>(&self, arguments: [&str; N]) -> Output {
        let config = self.config();
        let mut all: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.extend(["-c".as_ref(), config.as_os_str()]);
        postern::run(all)
    }

    /// What a tool prints with `--json`.
    pub fn json<const N: usize>(&self, arguments: [&str; N]) -> Value {
        let config = self.config();
        let mut all: Vec<&std::ffi::OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.extend(["--json".as_ref(), "-c".as_ref(), config.as_os_str()]);
        let output = postern::run(all).good(&arguments.join(" "));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.text()))
    }

    /// Puts further sections at the end of the configuration.
    pub fn configure(&self, sections: &str) {
        let mut file = File::options().append(true).open(self.config()).expect("the configuration");
        file.write_all(sections.as_bytes()).expect("further sections");
    }

    /// Adds to the directory, or changes what is there.
    pub fn import(&self, directory: &str) {
        let file = self.folder().join("further.toml");
        fs::write(&file, directory).expect("a directory file");
        self.tool(["directory", "import", &file.to_string_lossy()]).good("directory import");
    }

    /// The references of all cases.
    pub fn cases(&self) -> Vec<String> {
        let cases = self.json(["case", "list", "--limit", "1000"]);
        let rows = cases.as_array().expect("a list of cases").iter();
        rows.map(|case| case["reference"].as_str().expect("a reference").to_owned()).collect()
    }

    /// Gives a user a new password.
    pub fn password(&self, email: &str) -> String {
        let new = self.json(["user", "reset", email]);
        new["password"].as_str().expect("a password").to_owned()
    }

    /// The originals of a case, in the order of the case, as the export tool writes them.
    pub fn originals(&self, reference: &str) -> Vec<Vec<u8>> {
        let folder = TempDir::new_in(self.folder()).expect("a folder");
        let to = folder.path().join("case");
        self.tool(["case", "export", reference, "--to", &to.to_string_lossy()]).good("case export");
        let mut files: Vec<_> =
            fs::read_dir(&to).expect("the exported case").flatten().map(|file| file.path()).collect();
        files.sort();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "eml"));
        files.iter().map(|file| fs::read(file).expect("an exported mail")).collect()
    }

    /// The case holds these mails and no others, in this order, byte for byte.
    pub fn holds(&self, reference: &str, mails: &[Vec<u8>]) {
        let originals = self.originals(reference);
        assert_eq!(originals.len(), mails.len(), "mails in case {reference}");
        for (found, sent) in originals.iter().zip(mails) {
            assert_same(found, sent, reference);
        }
    }

    /// The whole chain of events is sound.
    pub fn audit_is_whole(&self) -> u64 {
        let trail = self.json(["audit", "verify"]);
        assert!(trail["bad"].is_null(), "{trail}");
        trail["events"].as_u64().expect("a number of events")
    }
}
