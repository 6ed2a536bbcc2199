//! Typed, ordered keys: a table byte, then parts that sort as their values do.
//!
//! The bytes of a key are a format that old data keep: a table's number is never used again.

use jiff::Timestamp;

use crate::{engine::Range, ids::Locator};

/// One row kind each. Numbers below 0x10 belong to the engine (`chain.rs`).
#[derive(Debug, Clone, Copy)]
#[repr(u8)]
pub(crate) enum Table {
    /// User: when signed in last.
    Presence = 0xa4,
    /// User: a file of people that is looked at and not applied yet.
    Import = 0xa5,
    /// One row: format, key fingerprint.
    Ledger = 0x10,
    /// One row: moves with every change of the directory.
    DirectoryVersion = 0x11,
    Group = 0x12,
    Participant = 0x13,
    User = 0x14,
    Mailbox = 0x15,
    Certificate = 0x16,
    /// Provider connectors by name.
    Connector = 0x17,
    /// User, app password.
    AppPassword = 0x18,
    /// Group or none, process or none: how far Postern is let.
    Stage = 0x19,
    /// User, app password: when it was last used.
    AppPasswordUse = 0x1a,
    Session = 0x20,
    Case = 0x30,
    /// Case reference → case.
    Reference = 0x31,
    /// Group, process, last activity (newest first), case: as earlier releases wrote it, until [`crate::Ledger::make_lists`].
    CaseList = 0x32,
    Message = 0x33,
    /// The message key wrapped for each party; deleting the row shreds the message.
    Wrap = 0x34,
    /// Case, message or job: who was away.
    Away = 0x35,
    /// Held mail: what its release takes back, until that is done.
    PendingRecall = 0x36,
    /// One row: by which calendars open deadlines were reckoned, and how far that is.
    Reckoned = 0x38,
    /// Case, newest first → the event, as the audit trail has it.
    CaseEvent = 0x39,
    /// Case, group, note: sealed for the group.
    CaseNote = 0x3a,
    /// Case, group, digest of a tag: the tag, sealed for the group.
    CaseTag = 0x3b,
    /// What becomes due in a case: kind, process or none, when, case.
    CaseTimer = 0x3c,
    /// Sealed chunks of an original.
    Content = 0x40,
    /// Content that arrives and that no message names yet.
    Arriving = 0x41,
    /// Blind index of Message-IDs → case.
    Thread = 0x50,
    /// Blind index of search tags → case.
    Tag = 0x51,
    /// Blind index of authors and subjects → case, number: what a recall means.
    Recall = 0x52,
    /// What was accepted already, by source key.
    Source = 0x53,
    /// What was relayed already, by source key → passage.
    RelaySource = 0x54,
    /// What was held already, by source key → held mail.
    HeldSource = 0x55,
    /// Jobs by due time, as releases before 0.2 wrote them; moved to `Queue` when a ledger is opened.
    Job = 0x60,
    /// Jobs that were given up.
    Abandoned = 0x61,
    /// Notices that left, by case.
    Notice = 0x62,
    /// Jobs that wait or are leased: domain, due time, job.
    Queue = 0x63,
    /// Jobs that an administrator put on hold one by one.
    OnHold = 0x64,
    /// Domains that are on hold; the empty one means all.
    DomainHold = 0x65,
    /// Mail of our own that left, by job: what a bounce is about.
    Sent = 0x66,
    /// Mailbox → the digest that collects for it.
    DigestDue = 0x67,
    /// Digest job, case: what it is to tell.
    DigestEntry = 0x68,
    // 0x70: counts by month of releases before 0.3, which nothing reads any more.
    /// Group, day, what shadow mode counts.
    ShadowCount = 0x71,
    /// What shadow mode counted already, by source key.
    ShadowSource = 0x72,
    /// Mail that passes through and has not reached everybody.
    Passage = 0x80,
    /// Group, held mail.
    Held = 0x81,
    /// Group, what it is about.
    Task = 0x82,
    /// Polled mailboxes by name.
    Poll = 0x83,
    /// Rules that judged mail, by their hash.
    Rules = 0x8b,
    /// User, draft: what somebody is writing.
    Draft = 0x9c,
    /// Draft, content: a file of it.
    DraftFile = 0x9d,
    /// Content of a draft's file: how far it has come.
    DraftContent = 0x9e,
    /// Case, group, user: who is answering.
    Answering = 0x9f,
    /// Group, text: what the group keeps to write with.
    TextTemplate = 0xa0,
    /// Group, acts or balance, month, what is counted.
    Report = 0xb8,
    /// One row: since when reports are counted.
    ReportSince = 0xb9,
    /// Hour: in which minutes a node ran.
    Uptime = 0xba,
    /// Group, time (newest first), chance: an event of the group.
    Trail = 0xbb,
    /// One row: how far events of an earlier release stand in the trails of groups.
    TrailProgress = 0xbc,
    /// MTA-STS policies by domain.
    MailPolicy = 0x8a,
    /// What was found in mail that was stopped at the door: category, how often.
    Alarm = 0x8c,
    /// Digest of a token → the link by which somebody chooses a password.
    Link = 0xac,
    /// User → the links that are open.
    LinksOf = 0xad,
    /// User → what is needed beside the password.
    Factors = 0xae,
    /// Group, participant, process, contact type, shelf, last message (newest first), case: what a list knows of it.
    CasesByMessage = 0x94,
    /// The same four, owner, whether ended, last message (newest first), case: the same.
    CasesByOwner = 0x95,
    /// The same four, who owes, deadline, case: the same.
    CasesByDue = 0x96,
    /// The same four, opening (newest first), case.
    CasesByOpening = 0x97,
    /// The same four, counterparty, opening (newest first), case.
    CasesByCounterparty = 0x98,
    /// The same four, what is counted → counter.
    CaseCount = 0x99,
    /// One row: how far cases of earlier releases have been put into the lists.
    ListsMade = 0x9a,
    /// User: how the user likes lists.
    ListWishes = 0x9b,
    /// Digest of a token → somebody between password and second step.
    Entry = 0xaf,
    /// User, digest of a token: a session of the user's.
    SessionOf = 0xb0,
    /// Group → how its people sign in.
    SignInRules = 0xb1,
    /// Digest of an API token → whose it is, what for, until when.
    ApiToken = 0xb2,
    /// User, digest of an API token.
    ApiTokenOf = 0xb3,
    /// Digest of a place → the WebAuthn ceremony that has begun there.
    Ceremony = 0xb4,
    /// User → the digest that collects for the user.
    AlertDigestDue = 0xc0,
    /// User, time (newest first), job: a mail of ours to the user.
    SentNotice = 0xc1,
}

/// A key under construction.
#[derive(Debug, Clone)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    pub(crate) fn of(table: Table) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(table as u8);
        Self(bytes)
    }

    pub(crate) fn id<K>(self, id: &Locator<K>) -> Self {
        self.raw(id.as_bytes())
    }

    /// Bytes of a length that is fixed for the table.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// The first half of a keyed digest: 128 bits find one thing among all, in half the index.
    pub(crate) fn digest(self, digest: &[u8; 32]) -> Self {
        self.raw(&digest[..16])
    }

    /// Text, ended by a zero byte so that no text is the beginning of another.
    pub(crate) fn text(mut self, text: &str) -> Self {
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(0);
        self
    }

    pub(crate) fn number(self, number: u32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    pub(crate) fn time(self, at: Timestamp) -> Self {
        self.raw(&millis(at).to_be_bytes())
    }

    /// A time that sorts the newest first.
    pub(crate) fn time_descending(self, at: Timestamp) -> Self {
        self.raw(&(!millis(at)).to_be_bytes())
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }

    /// Every key that begins like this one.
    pub(crate) fn range(self) -> Range {
        Range::prefix(&self.0)
    }
}

/// Times before 1970 do not occur; one that does is taken for 1970.
fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}
