//! What the next page says of what was just done: a word in the address that it leads to, sealed for
//! the session, so that no link from elsewhere makes a page of ours say it.

use axum::response::{IntoResponse, Redirect, Response};
use store::{CaseReference, Stage};

use crate::access::Visitor;
use crate::forms::{Asked, hex, same};
use crate::portal::Portal;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Relayed,
    /// Into this case, and so many others.
    Secured(CaseReference, usize),
    /// Destroyed; whether its sender hears of it.
    Returned {
        told: bool,
    },
    DecidedBefore,
    PasswordRevoked,
    PasswordChanged,
    SecondStepRemoved,
    SessionsEnded,
    SignInRulesSet,
    AlertsSet,
    NoticeStyleSet,
    TokenRevoked,
    PasskeyAdded,
    PasskeyRemoved,
    TaskClosed,
    DraftSaved,
    DraftDiscarded,
    /// What was written waits for the compliance role.
    WrittenHeld,
    TextSaved,
    TextRemoved,
    /// Something about people: a key of the family of texts `people_told`.
    People(&'static str),
    /// Something about the market: a key of the family of texts `market_told`.
    Market(&'static str),
    /// Promoted, demoted, or taken back.
    StageSet(Option<Stage>),
    /// Something with a case.
    Case(CaseDeed),
}

/// What was done with a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CaseDeed {
    Given,
    Escalated,
    EscalatedUnmapped,
    Closed,
    Reopened,
    Noted,
    Tagged,
    TaggedBefore,
    Untagged,
}

impl CaseDeed {
    const ALL: [Self; 9] = [
        Self::Given,
        Self::Escalated,
        Self::EscalatedUnmapped,
        Self::Closed,
        Self::Reopened,
        Self::Noted,
        Self::Tagged,
        Self::TaggedBefore,
        Self::Untagged,
    ];

    /// The name of its words.
    fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Escalated => "escalated",
            Self::EscalatedUnmapped => "escalated_unmapped",
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Noted => "noted",
            Self::Tagged => "tagged",
            Self::TaggedBefore => "tagged_before",
            Self::Untagged => "untagged",
        }
    }
}

/// What there is to be said about the market.
const MARKET: [&str; 10] = [
    "brought-in",
    "saved",
    "stale",
    "refused",
    "invited",
    "taken-back",
    "participant-saved",
    "participant-removed",
    "move-arranged",
    "move-cancelled",
];

/// What there is to be said about people.
const PEOPLE: [&str; 19] = [
    "import-done",
    "import-gone",
    "import-stale",
    "import-refused",
    "mapped",
    "unmapped",
    "certificate-removed",
    "connector-off",
    "connector-on",
    "invited",
    "link-sent",
    "factors-reset",
    "suspended",
    "resumed",
    "removed",
    "saved",
    "unchanged",
    "stale",
    "last-mau",
];

impl Told {
    /// Leads to a page of ours that will say so.
    pub(crate) fn at(self, portal: &Portal, visitor: &Visitor, path: &str) -> Response {
        let word = self.word();
        let and = if path.contains('?') { '&' } else { '?' };
        Redirect::to(&format!("{path}{and}told={word}.{}", seal(portal, visitor, &word))).into_response()
    }

    /// What the address of this page says, if it is ours.
    pub(crate) fn in_words(portal: &Portal, visitor: &Visitor, asked: &Asked) -> Option<String> {
        let (word, sealed) = asked.value("told")?.rsplit_once('.')?;
        if !same(sealed, &seal(portal, visitor, word)) {
            return None;
        }
        Self::read(word).map(|told| told.says(portal))
    }

    fn word(self) -> String {
        match self {
            Self::Relayed => "relayed".to_owned(),
            Self::Secured(reference, more) => format!("secured_{reference}_{more}"),
            Self::Returned { told: true } => "returned".to_owned(),
            Self::Returned { told: false } => "destroyed".to_owned(),
            Self::DecidedBefore => "decided-before".to_owned(),
            Self::PasswordRevoked => "password-revoked".to_owned(),
            Self::PasswordChanged => "password-changed".to_owned(),
            Self::SecondStepRemoved => "second-removed".to_owned(),
            Self::SessionsEnded => "sessions-ended".to_owned(),
            Self::SignInRulesSet => "sign-in-rules".to_owned(),
            Self::AlertsSet => "alerts-set".to_owned(),
            Self::NoticeStyleSet => "notice-style".to_owned(),
            Self::TokenRevoked => "token-revoked".to_owned(),
            Self::PasskeyAdded => "passkey-added".to_owned(),
            Self::PasskeyRemoved => "passkey-removed".to_owned(),
            Self::TaskClosed => "task-closed".to_owned(),
            Self::DraftSaved => "draft-saved".to_owned(),
            Self::DraftDiscarded => "draft-discarded".to_owned(),
            Self::WrittenHeld => "written-held".to_owned(),
            Self::TextSaved => "text-saved".to_owned(),
            Self::TextRemoved => "text-removed".to_owned(),
            Self::People(what) => format!("people_{what}"),
            Self::Market(what) => format!("market_{what}"),
            Self::StageSet(Some(stage)) => format!("stage-{stage}"),
            Self::StageSet(None) => "stage-unset".to_owned(),
            Self::Case(deed) => format!("case-{}", deed.as_str()),
        }
    }

    fn read(word: &str) -> Option<Self> {
        Some(match word {
            "relayed" => Self::Relayed,
            "returned" => Self::Returned { told: true },
            "destroyed" => Self::Returned { told: false },
            "decided-before" => Self::DecidedBefore,
            "password-revoked" => Self::PasswordRevoked,
            "password-changed" => Self::PasswordChanged,
            "second-removed" => Self::SecondStepRemoved,
            "sessions-ended" => Self::SessionsEnded,
            "sign-in-rules" => Self::SignInRulesSet,
            "alerts-set" => Self::AlertsSet,
            "notice-style" => Self::NoticeStyleSet,
            "token-revoked" => Self::TokenRevoked,
            "passkey-added" => Self::PasskeyAdded,
            "passkey-removed" => Self::PasskeyRemoved,
            "task-closed" => Self::TaskClosed,
            "draft-saved" => Self::DraftSaved,
            "draft-discarded" => Self::DraftDiscarded,
            "written-held" => Self::WrittenHeld,
            "text-saved" => Self::TextSaved,
            "text-removed" => Self::TextRemoved,
            "stage-live" => Self::StageSet(Some(Stage::Live)),
            "stage-shadow" => Self::StageSet(Some(Stage::Shadow)),
            "stage-unset" => Self::StageSet(None),
            market if market.starts_with("market_") => {
                let what = market.strip_prefix("market_")?;
                Self::Market(MARKET.into_iter().find(|known| *known == what)?)
            }
            people if people.starts_with("people_") => {
                let what = people.strip_prefix("people_")?;
                Self::People(PEOPLE.into_iter().find(|known| *known == what)?)
            }
            case if case.starts_with("case-") => {
                let named = case.strip_prefix("case-")?;
                Self::Case(CaseDeed::ALL.into_iter().find(|deed| deed.as_str() == named)?)
            }
            secured => {
                let (reference, more) = secured.strip_prefix("secured_")?.split_once('_')?;
                Self::Secured(reference.parse().ok()?, more.parse().ok()?)
            }
        })
    }

    fn says(self, portal: &Portal) -> String {
        let says = match self {
            Self::Relayed => "Released: the mail goes on to its recipients.",
            Self::Secured(reference, 0) => return format!("Released: the mail is in case {reference} now."),
            Self::Secured(reference, more) => {
                return format!("Released: the mail is in case {reference} now, and in {more} more.");
            }
            Self::Returned { told: true } => "The mail was destroyed, and its sender is told.",
            Self::Returned { told: false } => "The mail was destroyed.",
            Self::DecidedBefore => "Somebody else decided on that mail first, so nothing was done.",
            Self::PasswordRevoked => {
                "The app password is revoked: the program that has it can no longer send."
            }
            Self::PasswordChanged => return portal.words.say("signing_in.told_password", &[]),
            Self::SecondStepRemoved => return portal.words.say("signing_in.told_removed", &[]),
            Self::SessionsEnded => return portal.words.say("signing_in.told_ended", &[]),
            Self::Market(what) => return portal.words.say_of("market_told", what, &[]).unwrap_or_default(),
            Self::People(what) => return portal.words.say_of("people_told", what, &[]).unwrap_or_default(),
            Self::SignInRulesSet => return portal.words.say("sign_in_rules.told", &[]),
            Self::AlertsSet => return portal.words.say("alerts.told", &[]),
            Self::NoticeStyleSet => return portal.words.say("notice_style.told", &[]),
            Self::TokenRevoked => return portal.words.say("tokens.told", &[]),
            Self::PasskeyAdded => return portal.words.say("passkey.told_added", &[]),
            Self::PasskeyRemoved => return portal.words.say("passkey.told_removed", &[]),
            Self::StageSet(Some(Stage::Live)) => return portal.words.say("shadow.told_promoted", &[]),
            Self::StageSet(Some(Stage::Shadow)) => return portal.words.say("shadow.told_demoted", &[]),
            Self::StageSet(None) => return portal.words.say("shadow.told_unset", &[]),
            Self::DraftSaved => return portal.words.say("writing.told_saved", &[]),
            Self::DraftDiscarded => return portal.words.say("writing.told_discarded", &[]),
            Self::WrittenHeld => return portal.words.say("writing.told_held", &[]),
            Self::TextSaved => return portal.words.say("writing.told_text_saved", &[]),
            Self::TextRemoved => return portal.words.say("writing.told_text_removed", &[]),
            Self::Case(deed) => {
                return portal.words.say_of("case_told", deed.as_str(), &[]).unwrap_or_default();
            }
            Self::TaskClosed => "Done. Should it happen again, it comes back.",
        };
        says.to_owned()
    }
}

fn seal(portal: &Portal, visitor: &Visitor, word: &str) -> String {
    let what = format!("{}\n{word}", visitor.form_token());
    hex(&portal.ledger.mac("portal told", what.as_bytes())[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        let reference = "K7Q-4M2X".parse().unwrap();
        for deed in CaseDeed::ALL {
            assert_eq!(Told::read(&Told::Case(deed).word()), Some(Told::Case(deed)));
        }
        for told in [
            Told::Relayed,
            Told::Secured(reference, 0),
            Told::Secured(reference, 12),
            Told::Returned { told: true },
            Told::Returned { told: false },
            Told::DecidedBefore,
            Told::PasswordRevoked,
            Told::PasswordChanged,
            Told::SecondStepRemoved,
            Told::SessionsEnded,
            Told::SignInRulesSet,
            Told::AlertsSet,
            Told::NoticeStyleSet,
            Told::TokenRevoked,
            Told::PasskeyAdded,
            Told::PasskeyRemoved,
            Told::TaskClosed,
            Told::DraftSaved,
            Told::DraftDiscarded,
            Told::WrittenHeld,
            Told::TextSaved,
            Told::TextRemoved,
            Told::StageSet(Some(Stage::Live)),
            Told::StageSet(Some(Stage::Shadow)),
            Told::StageSet(None),
        ]
        .into_iter()
        .chain(PEOPLE.map(Told::People))
        .chain(MARKET.map(Told::Market))
        {
            assert_eq!(Told::read(&told.word()), Some(told));
            assert!(told.word().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        }
        for strange in ["", "secured_", "secured_K7Q-4M2X", "secured_x_0", "Relayed"] {
            assert_eq!(Told::read(strange), None);
        }
    }
}
