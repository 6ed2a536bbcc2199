//! Requests about the directory as a whole and about client certificates.

use store::Actor;

use super::Desk;
use crate::directory_file::{CertificateEntry, Difference, DirectoryFile, Hex, compare};

impl Desk {
    /// Applies the file, all of it or nothing, and says what changed. With `dry_run` only says.
    pub(crate) async fn import_directory(
        &self,
        file: &DirectoryFile,
        dry_run: bool,
    ) -> anyhow::Result<Vec<Difference>> {
        let steps = compare(file, &self.ledger.directory(), self.rules.now().catalogue(), self.ledger.now())?;
        let (differences, changes): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        if !dry_run && !changes.is_empty() {
            self.ledger.change_directory(&Actor::Tool, changes).await?;
        }
        Ok(differences)
    }

    pub(super) fn export_directory(&self) -> DirectoryFile {
        DirectoryFile::of(&self.ledger.directory())
    }

    /// A certificate that is not registered any more proves nothing from now on.
    pub(super) async fn remove_certificate(&self, fingerprint: Hex) -> anyhow::Result<()> {
        let change = store::DirectoryChange::RemoveCertificate(fingerprint.0);
        Ok(self.ledger.change_directory(&Actor::Tool, vec![change]).await?)
    }

    pub(super) async fn add_certificate(
        &self,
        certificate: CertificateEntry,
    ) -> anyhow::Result<CertificateEntry> {
        let change = store::DirectoryChange::Certificate(certificate.record());
        self.ledger.change_directory(&Actor::Tool, vec![change]).await?;
        Ok(certificate)
    }
}
