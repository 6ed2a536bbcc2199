//! The letters that bring one person the link to a password, and the one before an account ends. The link's token is made here, from its id: no job and no
//! row holds it.

use store::{IdleNotice, LinkKind, LinkLetter};
use templates::{DueDate, IdleLetter, Moment, PasswordLetter, PasswordLink, PortalAddress};

use super::{Draft, LetterError, Letters, market_time};
use crate::guard::Printed;

impl Letters {
    /// `None` if the link opens nothing any more: it was used, replaced, or its time is over.
    pub(super) async fn link_letter(&self, told: &LinkLetter) -> Result<Option<Draft>, LetterError> {
        let (settings, ledger) = (self.gateway.settings(), self.gateway.ledger());
        let token = ledger.link_token(told.link);
        if ledger.link(&token).await?.is_none() {
            return Ok(None);
        }
        let link = match told.kind {
            LinkKind::Invitation => PasswordLink::invitation(&settings.portal_url, token.as_str())?,
            LinkKind::Reset => PasswordLink::reset(&settings.portal_url, token.as_str())?,
        };
        let letter = PasswordLetter {
            company: self.company(&told.group)?,
            link,
            until: Moment::at(market_time(told.until)),
            portal: PortalAddress::parse(&settings.portal_url)?,
        };
        let mut printed = Printed::default();
        printed.value(&letter.company).value(&letter.link).value(&letter.portal);
        Ok(Some(Draft {
            printed,
            text: self.templates_for(Some(&told.group))?.render_password_letter(&letter)?,
            reply_to: settings.notice_sender.clone(),
            references: Vec::new(),
        }))
    }

    /// `None` if the user came back.
    pub(super) async fn idle(&self, told: &IdleNotice) -> Result<Option<Draft>, LetterError> {
        let settings = self.gateway.settings();
        if !self.gateway.ledger().idle_notice_stands(told).await? {
            return Ok(None);
        }
        let letter = IdleLetter {
            company: self.company(&told.group)?,
            day: DueDate::on(market_time(told.until).date()),
            portal: PortalAddress::parse(&settings.portal_url)?,
        };
        let mut printed = Printed::default();
        printed.value(&letter.company).value(&letter.portal);
        Ok(Some(Draft {
            printed,
            text: self.templates_for(Some(&told.group))?.render_idle_letter(&letter)?,
            reply_to: settings.notice_sender.clone(),
            references: Vec::new(),
        }))
    }
}
