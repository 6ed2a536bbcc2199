//! The things that shadow mode counts, and how each is written into the key of its counter. Every text is a word of the
//! rules, of the catalogue or of the directory: no value of a mail has a place here.

use std::str;

use mail::{Address, GroupId, ProcessId};

/// One thing that is counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tally {
    /// A mail, of this class.
    Mail { class: String },
    /// A recipient for whom this rule would have decided so.
    Verdict { verdict: String, rule: String },
    /// A mapped mailbox that would have got it so.
    Mailbox { address: Address, verdict: String, process: Option<ProcessId> },
    /// A notice to this mailbox.
    Notice { address: Address },
    /// The process that came second, and how clearly the first won.
    RunnerUp { process: ProcessId, second: ProcessId, margin: Margin },
    /// An address of a counterparty that is no mailbox: whose, its keyed id, and whether the mail held personal data.
    Unmapped { group: GroupId, id: String, personal: bool },
    /// A mail in which this category of personal data was found, and what would have been decided.
    Finding { category: String, verdict: String },
    /// Where rules that are tried beside the standing ones decide otherwise.
    Otherwise { verdict: String, tried: String, process: Option<ProcessId> },
    /// Where they decide alike.
    Alike { verdict: String },
    /// A copy that was taken and not counted, and why.
    LeftOut { why: String },
}

/// How clearly a process won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Margin {
    Narrow,
    Fair,
    Wide,
}

impl Tally {
    /// The first part says which it is. None of the texts can hold the zero byte that ends a part of a key.
    pub(super) fn parts(&self) -> Vec<String> {
        let process = |id: &Option<ProcessId>| id.as_ref().map(ToString::to_string).unwrap_or_default();
        match self {
            Self::Mail { class } => vec!["mail".to_owned(), class.clone()],
            Self::Verdict { verdict, rule } => vec!["verdict".to_owned(), verdict.clone(), rule.clone()],
            Self::Mailbox { address, verdict, process: of } => {
                vec!["mailbox".to_owned(), address.to_string(), verdict.clone(), process(of)]
            }
            Self::Notice { address } => vec!["notice".to_owned(), address.to_string()],
            Self::RunnerUp { process, second, margin } => {
                vec![
                    "runner-up".to_owned(),
                    process.to_string(),
                    second.to_string(),
                    margin.as_str().to_owned(),
                ]
            }
            Self::Unmapped { group, id, personal } => {
                let personal = if *personal { "personal" } else { "plain" };
                vec!["unmapped".to_owned(), group.to_string(), id.clone(), personal.to_owned()]
            }
            Self::Finding { category, verdict } => {
                vec!["finding".to_owned(), category.clone(), verdict.clone()]
            }
            Self::Otherwise { verdict, tried, process: of } => {
                vec!["otherwise".to_owned(), verdict.clone(), tried.clone(), process(of)]
            }
            Self::Alike { verdict } => vec!["alike".to_owned(), verdict.clone()],
            Self::LeftOut { why } => vec!["left-out".to_owned(), why.clone()],
        }
    }

    /// Reads what [`Tally::parts`] wrote, each part ended by a zero byte. None for what a later release counts.
    pub(super) fn read(key: &[u8]) -> Option<Self> {
        let text = str::from_utf8(key.strip_suffix(&[0])?).ok()?;
        let parts: Vec<&str> = text.split('\0').collect();
        let process = |id: &str| match id {
            "" => Some(None),
            id => id.parse().ok().map(Some),
        };
        Some(match *parts.as_slice() {
            ["mail", class] => Self::Mail { class: class.to_owned() },
            ["verdict", verdict, rule] => {
                Self::Verdict { verdict: verdict.to_owned(), rule: rule.to_owned() }
            }
            ["mailbox", address, verdict, of] => Self::Mailbox {
                address: address.parse().ok()?,
                verdict: verdict.to_owned(),
                process: process(of)?,
            },
            ["notice", address] => Self::Notice { address: address.parse().ok()? },
            ["runner-up", first, second, margin] => Self::RunnerUp {
                process: first.parse().ok()?,
                second: second.parse().ok()?,
                margin: Margin::read(margin)?,
            },
            ["unmapped", group, id, personal] => Self::Unmapped {
                group: group.parse().ok()?,
                id: id.to_owned(),
                personal: personal == "personal",
            },
            ["finding", category, verdict] => {
                Self::Finding { category: category.to_owned(), verdict: verdict.to_owned() }
            }
            ["otherwise", verdict, tried, of] => Self::Otherwise {
                verdict: verdict.to_owned(),
                tried: tried.to_owned(),
                process: process(of)?,
            },
            ["left-out", why] => Self::LeftOut { why: why.to_owned() },
            ["alike", verdict] => Self::Alike { verdict: verdict.to_owned() },
            _ => return None,
        })
    }
}

impl Margin {
    /// `narrow`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Narrow => "narrow",
            Self::Fair => "fair",
            Self::Wide => "wide",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Narrow, Self::Fair, Self::Wide].into_iter().find(|margin| margin.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_reads_back() {
        let word = |text: &str| text.to_owned();
        let et = || "erroneous-transfers".parse().unwrap();
        let address: Address = "et@beta.example".parse().unwrap();
        let tallies = [
            Tally::Mail { class: word("human") },
            Tally::Verdict { verdict: word("hold"), rule: word("hold-counterparty") },
            Tally::Mailbox { address: address.clone(), verdict: word("secure"), process: Some(et()) },
            Tally::Mailbox { address: address.clone(), verdict: word("refuse"), process: None },
            Tally::Notice { address },
            Tally::RunnerUp { process: et(), second: et(), margin: Margin::Fair },
            Tally::Unmapped { group: "beta".parse().unwrap(), id: word("0011223344556677"), personal: true },
            Tally::Finding { category: word("mpan"), verdict: word("refuse") },
            Tally::Otherwise { verdict: word("relay"), tried: word("hold"), process: None },
            Tally::Alike { verdict: word("relay") },
            Tally::LeftOut { why: word("no mail attached") },
        ];
        for tally in tallies {
            let key: Vec<u8> =
                tally.parts().iter().flat_map(|part| [part.as_bytes(), &[0]].concat()).collect();
            assert_eq!(Tally::read(&key), Some(tally));
        }
        for unknown in [&b""[..], b"mail", b"mail\0", b"weather\0fair\0", b"notice\0nobody\0", b"\xff\0"] {
            assert_eq!(Tally::read(unknown), None, "{unknown:?}");
        }
    }
}
