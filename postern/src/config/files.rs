//! What a configuration names: read once by `config check` and at the start, so that a wrong file is said before the
//! first mail, with the line that names it. Changes nothing.

use std::fs;
use std::path::Path;

use certs::breached::Breached;
use certs::dkim::DkimKey;
use certs::smime::Authorities;
use certs::{PublicRoots, RootKey, ServerFiles, ServerIdentity, TlsError};
use policies::{RuleFiles, Ruleset};

use super::document::Problems;
use super::key::Wrong;
use super::{Config, EngineChoice, Market, Poll, PollLogin};

impl Config {
    /// Looks at everything that the configuration names, and says all that is wrong with it.
    pub(crate) fn check_files(&self) -> Result<(), Problems> {
        let root = match self.keys.root.is_descriptor() {
            true => self.keys.root.check().map_err(|wrong| self.places.wrong("keys.root", wrong)),
            false => self.root_key().map(drop),
        };
        let password = match self.notices.password.as_ref().filter(|place| place.is_descriptor()) {
            Some(place) => place.check().map_err(|wrong| self.places.wrong("notices.password", wrong)),
            None => self.password().map(drop),
        };
        let fixed = [
            self.check_data(),
            root,
            self.identity(self.tls.client_ca.as_deref()).map(drop),
            // What is wrong in both is said once.
            self.rules().and_then(|_| self.tried_rules()).map(drop),
            self.check_ca(),
            self.authorities().map(drop),
            password,
            self.breached().map(drop),
        ];
        let polls = self.polls.iter().map(|poll| self.check_poll(poll));
        self.places.all(fixed.into_iter().chain(polls).chain(self.check_dkim()))
    }

    /// The secret that a polled mailbox is opened with, and whom its server is trusted by.
    fn check_poll(&self, poll: &Poll) -> Result<(), Problems> {
        let wrong = |key: &str, wrong| self.places.in_entry(poll.line, &format!("poll.{key}"), wrong);
        match &poll.login {
            PollLogin::Password(place) if place.is_descriptor() => place.check(),
            PollLogin::Password(place) => place.password().map(drop),
            PollLogin::Token(place) => place.check_file(),
        }
        .map_err(|found| wrong("password", found))?;
        match &poll.ca {
            Some(ca) => certs::client_config(Some(ca)).map(drop).map_err(|error| {
                wrong("ca", Wrong::new(error.to_string(), "name the right file, or remove the line"))
            }),
            None => Ok(()),
        }
    }

    /// The list of passwords that nobody may choose; looked into once, so that a wrong one is found at the start.
    pub(crate) fn breached(&self) -> Result<Breached, Problems> {
        let Some(file) = &self.portal.breached_passwords else { return Ok(Breached::default()) };
        let key = "portal.breached_passwords";
        Breached::in_file(file).map_err(|error| self.places.told(key, error))
    }

    fn check_dkim(&self) -> impl Iterator<Item = Result<(), Problems>> {
        self.delivery.dkim.iter().map(|signing| {
            let loaded = DkimKey::load(&signing.key).map(drop);
            loaded.map_err(|error| self.places.told("delivery.dkim", error))
        })
    }

    /// An empty folder is refused: where a ledger was, it is a disk that is not mounted, and a new ledger in its place
    /// would know no company and refuse all mail for good.
    pub(crate) fn check_data(&self) -> Result<(), Problems> {
        let data = &self.server.data;
        if fs::metadata(data).is_ok_and(|found| !found.is_dir()) {
            let what = format!("{} is not a folder", data.display());
            return Err(self.places.problem("server.data", what, "name the folder that holds the ledger"));
        }
        match crate::engine::exists(self.server.engine, data) {
            true => Ok(()),
            false => Err(self.no_ledger()),
        }
    }

    pub(crate) fn no_ledger(&self) -> Problems {
        let data = self.server.data.display();
        self.places.problem(
            "server.data",
            format!("there is no ledger in {data}; is the disk mounted? `postern init` makes one"),
            "mount the disk, or name the folder that holds the ledger",
        )
    }

    /// Whether the ledger can be looked at while a server has it, with a root key that can be read twice.
    pub(crate) fn allows_a_look(&self) -> bool {
        self.server.engine == EngineChoice::Sqlite && !self.keys.root.is_descriptor()
    }

    pub(crate) fn root_key(&self) -> Result<RootKey, Problems> {
        let path = self.keys.root.path().map_err(|wrong| self.places.wrong("keys.root", wrong))?;
        RootKey::read(&path).map_err(|error| self.places.told("keys.root", error))
    }

    /// The smarthost's password, when it wants one.
    pub(crate) fn password(&self) -> Result<Option<String>, Problems> {
        let read = self.notices.password.as_ref().map(|place| place.password()).transpose();
        read.map_err(|wrong| self.places.wrong("notices.password", wrong))
    }

    /// The certificate of the listeners; none when the configuration names none. Only peers of a listener with
    /// `client_ca` are asked for a certificate of their own.
    pub(crate) fn identity(&self, client_ca: Option<&Path>) -> Result<Option<ServerIdentity>, Problems> {
        let (Some(certificate), Some(key)) = (&self.tls.certificate, &self.tls.key) else {
            return Ok(None);
        };
        let revoked = client_ca.and(self.tls.revoked.as_deref());
        let named = [
            ("certificate", Some(certificate.as_path())),
            ("key", Some(key)),
            ("client_ca", client_ca),
            ("revoked", revoked),
        ];
        let absent = |(name, file): (&str, Option<&Path>)| match file {
            Some(file) if !file.is_file() => Err(self.places.problem(
                &format!("tls.{name}"),
                format!("there is no file {}", file.display()),
                "`postern init` makes one, or name the right one",
            )),
            _ => Ok(()),
        };
        self.places.all(named.map(absent))?;
        let public = self.providers.iter().any(|provider| !provider.certificate_names.is_empty());
        let loaded = ServerIdentity::open(ServerFiles {
            certificate: certificate.clone(),
            key: key.clone(),
            client_ca: client_ca.map(Path::to_owned),
            revoked: revoked.map(Path::to_owned),
            // Browsers are asked for no certificate, whatever the configuration says of providers.
            public: (public && client_ca.is_some()).then_some(PublicRoots::System),
        });
        loaded.map(Some).map_err(|error| self.places.told(self.tls_key(&error), error))
    }

    /// The key that names the file at fault.
    fn tls_key(&self, error: &TlsError) -> &'static str {
        let path = match error {
            TlsError::Read { path, .. }
            | TlsError::Pem { path, .. }
            | TlsError::NoCertificate { path }
            | TlsError::NoKey { path }
            | TlsError::Exposed { path, .. }
            | TlsError::Root { path, .. } => Some(path),
            _ => None,
        };
        match path {
            Some(path) if self.tls.key.as_ref() == Some(path) => "tls.key",
            Some(path) if self.tls.client_ca.as_ref() == Some(path) => "tls.client_ca",
            Some(path) if self.tls.revoked.as_ref() == Some(path) => "tls.revoked",
            _ => "tls.certificate",
        }
    }

    fn check_ca(&self) -> Result<(), Problems> {
        match &self.notices.ca {
            Some(ca) => certs::client_config(Some(ca))
                .map(drop)
                .map_err(|error| self.places.told("notices.ca", error)),
            None => Ok(()),
        }
    }

    /// Who is trusted to say whose an S/MIME certificate is: by default nobody.
    pub(crate) fn authorities(&self) -> Result<Authorities, Problems> {
        let loaded = self.signatures.authorities.as_deref().map(Authorities::load).transpose();
        loaded
            .map(Option::unwrap_or_default)
            .map_err(|error| self.places.told("signatures.authorities", error))
    }

    /// The policies: the shipped ones, and the files that stand in for some.
    pub(crate) fn rules(&self) -> Result<Ruleset, Problems> {
        let files = self.rule_files()?;
        Ruleset::read(files).map_err(|error| self.places.told(self.policy_key(&error.file), error))
    }

    /// The same as texts, which may be wrong in themselves.
    pub(crate) fn rule_files(&self) -> Result<RuleFiles, Problems> {
        let policy = &self.policy;
        let mut files = match policy.market {
            Market::Energy => RuleFiles::shipped(),
            Market::Casework => RuleFiles::casework(),
        };
        for (key, kind, file) in policy.files() {
            if let Some(file) = file {
                files.replace(kind, file.display().to_string(), self.rule_text(key, file)?);
            }
        }
        for file in &policy.calendars {
            let text = self.rule_text("policy.calendar", file)?;
            files
                .calendar(&file.display().to_string(), text)
                .map_err(|error| self.places.told("policy.calendar", error))?;
        }
        Ok(files)
    }

    /// The key that names the file at fault.
    fn policy_key(&self, at_fault: &str) -> &'static str {
        let is_at_fault = |file: &Path| file.display().to_string() == at_fault;
        let mut files = self.policy.files().into_iter();
        let key = files.find(|(_, _, file)| file.is_some_and(is_at_fault)).map(|(key, ..)| key);
        key.unwrap_or("policy.calendar")
    }

    pub(super) fn rule_text(&self, key: &str, file: &Path) -> Result<String, Problems> {
        fs::read_to_string(file).map_err(|error| {
            let remedy = "name the right file, or remove the line for the shipped policy";
            self.places.problem(key, format!("cannot read {}: {error}", file.display()), remedy)
        })
    }
}
