//! The letters that bring one person the link to a password. The link's token is made here, from its id: no job and no
//! row holds it.

use store::{LinkKind, LinkLetter};
use templates::{Moment, PasswordLetter, PasswordLink, PortalAddress};

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
}
