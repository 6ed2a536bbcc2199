//! A new installation on disk: configuration, root key, private CA, server certificate, data folder.
//! Writes over nothing.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use certs::{Authority, RootKey};

use crate::config::{self, Given};

/// The files of an installation, all in one folder.
pub(crate) struct Installation {
    folder: PathBuf,
}

impl Installation {
    pub(crate) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("postern.toml")
    }

    pub(crate) fn exists(&self) -> bool {
        self.config().exists()
    }

    /// Where the data lies unless somebody wants it elsewhere.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Makes keys, certificates and the folder `data`, and leaves configuration and ledger to the caller.
    /// `names` are the host names and addresses of the server certificate.
    pub(crate) fn create(&self, names: &[String], data: &Path) -> anyhow::Result<()> {
        make_folder(&self.folder)?;
        if fs::read_dir(&self.folder)?.next().is_some() {
            bail!("{} is not empty; name a new folder, or remove what is in this one", self.folder.display());
        }
        let authority = Authority::create(&self.folder.join("ca"))?;
        let tls = self.folder.join("tls");
        make_folder(&tls)?;
        authority.issue_server(names)?.save(&tls.join("server.pem"), &tls.join("server.key"))?;
        RootKey::create(&self.folder.join("root.key"))?;
        make_folder(data)
    }

    /// The annotated configuration: the `given` values beside the certificates that [`create`] made.
    ///
    /// [`create`]: Installation::create
    pub(crate) fn describe(given: Vec<Given<'_>>) -> String {
        let mut all = vec![
            ("tls", "certificate", quoted("tls/server.pem")),
            ("tls", "key", quoted("tls/server.key")),
            ("tls", "client_ca", quoted("ca/ca.pem")),
            ("tls", "revoked", quoted("ca/crl.pem")),
        ];
        all.extend(given);
        config::describe(&all)
    }
}

/// A text as TOML writes it.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A folder for the server's user alone.
pub(crate) fn make_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))
}

/// Replaces a file of the server's user whole.
pub(crate) fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let fresh = file.with_extension("new");
    let context = || format!("cannot write {}", file.display());
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error).with_context(context),
        _ => {}
    }
    let opened = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh);
    std::io::Write::write_all(&mut opened.with_context(context)?, text.as_bytes()).with_context(context)?;
    fs::rename(&fresh, file).with_context(context)
}
