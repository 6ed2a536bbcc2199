//! The letters about held mail, to its sender and to those it was for. They know of the mail when it came, from which
//! company, and why it is held.

use mail::HoldReason;
use store::{HeldNews, HeldNotice, HeldSide};
use templates::{Held, HeldReader, HeldReason, HeldState, Moment, PortalAddress};

use super::{Draft, LetterError, Letters, market_time};
use crate::{guard::Printed, notice};

impl Letters {
    pub(super) fn held(&self, told: &HeldNotice) -> Result<Draft, LetterError> {
        let settings = self.gateway.settings();
        let held = Held {
            reader: match told.side {
                HeldSide::Sender => HeldReader::Sender,
                HeldSide::Recipient => HeldReader::Recipient,
            },
            state: match told.what {
                HeldNews::Held => HeldState::Waiting,
                HeldNews::Returned => HeldState::Returned,
                HeldNews::Expired => HeldState::Expired,
            },
            reason: match told.reason {
                HoldReason::PersonalData => HeldReason::PersonalData,
                HoldReason::Virus => HeldReason::Virus,
                HoldReason::Opaque => HeldReason::Opaque,
                HoldReason::Rule => HeldReason::Rule,
            },
            sender: self.company(&told.from_group)?,
            received: Moment::at(market_time(told.received_at)),
            portal: PortalAddress::parse(&settings.portal_url)?,
        };
        // It may go to either side.
        let directory = self.gateway.ledger().directory();
        let group = directory.group_of(&told.to);
        let mut printed = Printed::default();
        printed.value(&held.sender).value(&held.portal);
        Ok(Draft {
            text: self.templates_for(group)?.render_held(&held)?,
            printed,
            reply_to: settings.notice_sender.clone(),
            references: vec![notice::held_root(told.held, &settings.notice_domain)],
        })
    }
}
