//! What requests answer, as JSON on the socket and on stdout alike. Ids, addresses of staff and dates; never
//! anything of a mail.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Health {
    pub(crate) ready: bool,
    pub(crate) durable: bool,
    pub(crate) waiting: usize,
    pub(crate) abandoned: usize,
    /// Domains to which nothing is sent.
    pub(crate) holds: Vec<DomainHoldRow>,
    pub(crate) polls: Vec<PollRow>,
    pub(crate) tasks: Vec<TaskRow>,
    /// How often mail was stopped at the door, by what was found in it.
    #[serde(default)]
    pub(crate) alarms: BTreeMap<String, u64>,
    /// Client certificates with less than 30 days left.
    pub(crate) ending: Vec<EndingRow>,
    /// The hash of the rules that mail is judged by.
    pub(crate) rules: String,
    /// Why newer policy files were not taken.
    pub(crate) refused_rules: Option<String>,
    /// The hash of the rules that are tried beside them.
    #[serde(default)]
    pub(crate) tried_rules: Option<String>,
    /// Why newer ones to be tried were not taken.
    #[serde(default)]
    pub(crate) refused_tried_rules: Option<String>,
}

/// A password that is shown this once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NewPassword {
    pub(crate) email: String,
    pub(crate) password: String,
}

/// The secret of a connector, shown this once.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct NewSecret {
    pub(crate) name: String,
    /// The field that carries it.
    pub(crate) header: String,
    pub(crate) secret: String,
}

/// A customer of a mail service who is bound to a group.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConnectorRow {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) provider: String,
    pub(crate) tenant_header: String,
    pub(crate) tenant: String,
    pub(crate) secret_header: String,
    pub(crate) active: bool,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AppPasswordRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) created_at: String,
    /// To the hour; none: never.
    pub(crate) last_used_at: Option<String>,
}

/// A mailbox that is read over IMAP.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PollRow {
    pub(crate) name: String,
    pub(crate) group: String,
    pub(crate) standing: String,
    pub(crate) since: String,
    pub(crate) taken: u64,
    /// Could not be taken and stayed where it was.
    pub(crate) left: u64,
    pub(crate) last_taken_at: Option<String>,
    pub(crate) last_error: Option<String>,
}

/// Something that a person has to look at.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskRow {
    pub(crate) id: String,
    pub(crate) group: Option<String>,
    pub(crate) what: String,
    pub(crate) since: String,
    pub(crate) count: u32,
}

/// A certificate that ends soon, or has.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct EndingRow {
    pub(crate) name: String,
    pub(crate) group: Option<String>,
    pub(crate) until: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobRow {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) standing: String,
    pub(crate) group: String,
    pub(crate) to: String,
    /// Case reference.
    pub(crate) case: String,
    pub(crate) attempts: u32,
    pub(crate) created_at: String,
    pub(crate) due: String,
    pub(crate) last_error: Option<String>,
}

/// A domain to which nothing is sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DomainHoldRow {
    /// Empty: all of them.
    pub(crate) domain: String,
    pub(crate) since: String,
    pub(crate) by: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CaseRow {
    pub(crate) reference: String,
    pub(crate) process: String,
    pub(crate) contact_type: String,
    pub(crate) opened_at: String,
    pub(crate) last_message_at: String,
    pub(crate) messages: u32,
    /// As the side that opened it reads it.
    #[serde(default)]
    pub(crate) state: String,
    pub(crate) due: Option<DueRow>,
    pub(crate) sides: Vec<SideRow>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DueRow {
    pub(crate) at: String,
    /// The group that must answer.
    pub(crate) side: String,
    pub(crate) reason: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SideRow {
    pub(crate) group: String,
    pub(crate) participant: String,
    pub(crate) initiator: bool,
    pub(crate) contact: String,
    /// Address of the owner.
    pub(crate) owner: Option<String>,
    pub(crate) seen_at: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CaseDetail {
    #[serde(flatten)]
    pub(crate) case: CaseRow,
    pub(crate) items: Vec<MessageRow>,
    pub(crate) notices: Vec<JobRow>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MessageRow {
    pub(crate) id: String,
    pub(crate) from: String,
    pub(crate) received_at: String,
    pub(crate) size: u64,
    /// How the company was proved.
    pub(crate) proof: String,
    /// What the checks of the sender's domain said, where there were any.
    pub(crate) authentication: Option<AuthenticationRow>,
    /// `human`, `bounce`, …
    pub(crate) class: Option<String>,
    pub(crate) automatic: bool,
    /// The virus scanner's word: `clean`, `found`, `not-checked`, or `off`.
    pub(crate) scan: String,
    /// The rule that put it here.
    pub(crate) decided_by: String,
    /// What named its place, and the hash of the rules that judged it; none for what was written in the portal.
    pub(crate) signal: Option<String>,
    pub(crate) rules: Option<String>,
}

/// Results in the words of RFC 8601.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AuthenticationRow {
    pub(crate) spf: String,
    pub(crate) dkim: String,
    pub(crate) dmarc: String,
    pub(crate) arc: String,
    /// Whether To or Cc name the recipient: `named`, `unnamed`; none: an earlier release took the mail.
    pub(crate) recipient: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Exported {
    pub(crate) reference: String,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Trail {
    pub(crate) events: u64,
    /// Hash of the last event, in hexadecimal; empty when a record is bad.
    pub(crate) head: String,
    /// The first bad record and what is wrong with it.
    pub(crate) bad: Option<BadRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct BadRecord {
    pub(crate) sequence: u64,
    pub(crate) fault: String,
}
