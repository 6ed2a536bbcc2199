//! The files that a configuration names: read once by `config check` and at the start, so that a wrong one is
//! said before the first mail. Changes nothing.

use std::path::Path;

use anyhow::{Context, bail};
use certs::{RootKey, ServerIdentity};
use policies::{Calendar, Catalogue, PolicyError, Ruleset, TagRules, VerdictRules};

use super::Config;

impl Config {
    /// Reads root key, certificates and the smarthost's password.
    pub(crate) fn check_files(&self) -> anyhow::Result<()> {
        if !self.keys.root.is_descriptor() {
            self.root_key()?;
        }
        self.identity(self.tls.client_ca.as_deref())?;
        self.rules()?;
        if let Some(ca) = &self.notices.ca {
            certs::client_config(Some(ca)).context("notices.ca")?;
        }
        match &self.notices.password {
            Some(place) if !place.is_descriptor() => {
                place.password().context("notices.password")?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(crate) fn root_key(&self) -> anyhow::Result<RootKey> {
        let path = self.keys.root.path().context("keys.root")?;
        RootKey::read(&path).context("keys.root")
    }

    /// The certificate of the listeners; none when the configuration names none. Only peers of a listener with
    /// `client_ca` are asked for a certificate of their own.
    pub(crate) fn identity(&self, client_ca: Option<&Path>) -> anyhow::Result<Option<ServerIdentity>> {
        let (Some(certificate), Some(key)) = (&self.tls.certificate, &self.tls.key) else {
            return Ok(None);
        };
        exists("tls.certificate", certificate)?;
        exists("tls.key", key)?;
        if let Some(file) = client_ca {
            exists("tls.client_ca", file)?;
        }
        let identity = ServerIdentity::load(certificate, key, client_ca).context("[tls]")?;
        Ok(Some(identity))
    }

    /// The policies: the shipped ones, and the files that stand in for some.
    pub(crate) fn rules(&self) -> anyhow::Result<Ruleset> {
        let policy = &self.policy;
        Ok(Ruleset::new(
            rule_file(policy.catalogue.as_deref(), Catalogue::shipped, Catalogue::parse)?,
            rule_file(policy.calendar.as_deref(), Calendar::shipped, Calendar::parse)?,
            rule_file(policy.tags.as_deref(), TagRules::shipped, TagRules::parse)?,
            rule_file(policy.verdicts.as_deref(), VerdictRules::shipped, VerdictRules::parse)?,
        ))
    }
}

fn rule_file<T>(
    file: Option<&Path>,
    shipped: fn() -> Result<T, PolicyError>,
    parse: fn(&str, &str) -> Result<T, PolicyError>,
) -> anyhow::Result<T> {
    let Some(file) = file else {
        return Ok(shipped()?);
    };
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("[policy]: cannot read {name}"))?;
    Ok(parse(&name, &text)?)
}

fn exists(key: &str, file: &Path) -> anyhow::Result<()> {
    if !file.is_file() {
        bail!("{key}: there is no file {}; `postern init` makes one, or name the right one", file.display());
    }
    Ok(())
}
