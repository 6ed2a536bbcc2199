//! The way of a written message, with the steps of a mail's: composed and sealed piece by piece, scanned, judged by the
//! standing rules, and accepted with the one commit that a mail gets. It is proved by its author's session.

use jiff::tz::TimeZone;
use mail::{Address, Budget, Composer, Envelope, Message, ReversePath, Scan, Tag, Written};
use policies::detect::Business;
use policies::{Effect, Facts, Judged, NamedCase, Passing, Protection, Recipient, Verdict};
use store::{
    Acceptance, Accepted, Addressed, CaseBound, CaseId, ContentWriter, Deadline, Decision, Entry, Joining,
    Onward, Opening, Party, Passage, Place, Proof, SealedContent,
};

use super::reach::Reach;
use super::{Writing, source_of};
use crate::access::PermittedCase;
use crate::access::drafts::OwnDraft;
use crate::error::Problem;
use crate::file_names;
use crate::portal::Portal;

/// What became of it. Every one of these but the last is durable.
pub(crate) enum Sent {
    /// It is a message of this case.
    InCase(CaseId),
    /// It waits for the compliance role.
    Held,
    /// The rules do not let it; the sentence for its author.
    Refused(String),
}

/// Where a message goes, everything about it checked.
pub(crate) enum Destination<'a> {
    Answer(&'a PermittedCase),
    NewCase { opening: Box<Opening>, to: Reach },
}

/// All that is sent beside the files.
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
    /// What the author gave as a tag, beside what the text says.
    pub(crate) tags: Vec<Tag>,
}

struct Composed {
    content: SealedContent,
    message: Message,
    scan: Scan,
}

/// Sends a draft. A second try is the same message.
pub(crate) async fn send(
    portal: &Portal,
    own: &OwnDraft,
    to: Destination<'_>,
    letter: Letter,
) -> Result<Sent, Problem> {
    let writing = portal.writing()?;
    let mut composed = composed(portal, writing, own, &to, &letter).await?;
    if let Some(scanner) = &writing.scanner {
        let parts = composed.message.headline.parts.clone();
        composed.scan = scanner(composed.content.open(&portal.ledger), parts).await;
    }
    let judged = judged(portal, own, &to, &composed)?;
    let sent = match judged.strictest().cloned() {
        Some(Verdict::Secure { rule, .. }) => {
            let entry = entry(portal, own, &to, &judged, &letter, rule.as_str());
            let accepted = portal.ledger.accept(acceptance(own, &judged, composed, entry)).await?;
            Sent::InCase(first(&accepted)?)
        }
        Some(Verdict::Hold { rule, reason, .. }) => {
            let entry = entry(portal, own, &to, &judged, &letter, rule.as_str());
            let (passage, onward) = held(portal, writing, own, &to, composed, entry, rule.as_str());
            portal.ledger.hold(passage, reason, onward).await?;
            Sent::Held
        }
        Some(Verdict::Refuse { public, .. }) => Sent::Refused(public),
        // No rule passes on what is written for a case.
        Some(Verdict::Relay { .. } | Verdict::Return) | None => {
            Sent::Refused("The rules of this installation have no place for this message.".to_owned())
        }
    };
    match &sent {
        Sent::InCase(case) => portal.ledger.draft_sent(own.draft(), Some(*case)).await.or_else(gone)?,
        Sent::Held => portal.ledger.draft_sent(own.draft(), None).await.or_else(gone)?,
        Sent::Refused(_) => {}
    }
    Ok(sent)
}

/// The message is durable. A draft that a second click, or a script, changed at this moment is cleared away when somebody
/// comes to it, or with time.
fn gone(error: store::StoreError) -> Result<(), store::StoreError> {
    if error == store::StoreError::Conflict { Ok(()) } else { Err(error) }
}

pub(crate) fn first(accepted: &Accepted) -> Result<CaseId, Problem> {
    accepted.cases.first().map(|case| case.id).ok_or(Problem::Interrupted)
}

/// Written and sealed as it is composed, and seen by the parser as it passes; files are read from where they lie sealed.
async fn composed(
    portal: &Portal,
    writing: &Writing,
    own: &OwnDraft,
    to: &Destination<'_>,
    letter: &Letter,
) -> Result<Composed, Problem> {
    let visitor = own.visitor();
    let (composer, head) = Composer::begin(&Written {
        from: visitor.email(),
        from_name: visitor.name(),
        to: to.shown(),
        subject: &letter.subject,
        text: &letter.text,
        message_id: &message_id(writing, own),
        date: portal.ledger.now().as_second(),
    })
    .map_err(|_| Problem::BadForm)?;
    let content = ContentWriter::new(&portal.ledger)?;
    let mut press = Press { composer, content, scanner: mail::Scanner::new(Budget::default()) };
    press.print(&head).await?;
    for (number, file) in own.files(portal).await?.into_iter().enumerate() {
        let name = file_names::safe(Some(&file.name), &file.media_type, number + 1);
        let open = portal.ledger.open_file(own.draft(), file.id).await?;
        press.file(&name, &file.media_type, &open).await?;
    }
    let Press { composer, mut content, mut scanner } = press;
    let end = composer.finish();
    scanner.feed(&end);
    content.write(&end).await?;
    Ok(Composed { content: content.finish().await?, message: scanner.finish(), scan: Scan::Off })
}

struct Press {
    composer: Composer,
    content: ContentWriter,
    scanner: mail::Scanner,
}

impl Press {
    async fn print(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.scanner.feed(bytes);
        Ok(self.content.write(bytes).await?)
    }

    async fn file(&mut self, name: &str, media_type: &str, file: &store::OpenContent) -> Result<(), Problem> {
        let head = self.composer.file(name, media_type).map_err(|_| Problem::BadForm)?;
        self.print(&head).await?;
        let mut reader = file.read(0, file.size());
        while let Some(piece) = reader.next().await? {
            let encoded = self.composer.feed(&piece);
            self.print(&encoded).await?;
        }
        let end = self.composer.end_file();
        self.print(&end).await
    }
}

fn message_id(writing: &Writing, own: &OwnDraft) -> String {
    format!("portal.{}@{}", own.draft().id, writing.notice_domain)
}

/// Judged as a mail to the case's reply address, or to the mailbox, would be. The author's company is proved, and nothing
/// of a case passes on.
fn judged(
    portal: &Portal,
    own: &OwnDraft,
    to: &Destination<'_>,
    composed: &Composed,
) -> Result<Judged, Problem> {
    let rules = portal.rules().ok_or(Problem::NotFound)?;
    let directory = portal.ledger.directory();
    let staff = |domain: &str| directory.group_of_domain(domain).is_some();
    let headline = &composed.message.headline;
    Ok(rules.judge(&Facts {
        sender: own.visitor().group(),
        passing: Passing::Off,
        reverse_path: &ReversePath::Address(own.visitor().email().clone()),
        message: &composed.message,
        recipients: &[to.recipient()],
        referenced: &[],
        scan: composed.scan,
        protection: Protection::Verified,
        documents: &[],
        business: &Business::new(&staff, headline),
        fields: &[],
    }))
}

impl Destination<'_> {
    /// What a reader sees in `To`; a person's address is not shown.
    fn shown(&self) -> Option<&Address> {
        match self {
            Self::NewCase { to: Reach::Mailbox(address), .. } => Some(address),
            Self::NewCase { to: Reach::Person(_), .. } | Self::Answer(_) => None,
        }
    }

    /// Where the other side's notice goes.
    fn contact(&self) -> Vec<Address> {
        match self {
            Self::NewCase { to, .. } => vec![to.address().clone()],
            Self::Answer(case) => case.other_sides().map(|side| side.contact.clone()).collect(),
        }
    }

    fn recipient(&self) -> Recipient {
        match self {
            Self::Answer(permitted) => {
                let case = permitted.case();
                Recipient::ReplyAddress(NamedCase {
                    id: case.id.to_string(),
                    process: case.process.clone(),
                    contact_type: case.contact_type.clone(),
                    sides: case
                        .sides
                        .iter()
                        .map(|side| (side.group.clone(), side.participant.clone()))
                        .collect(),
                })
            }
            Self::NewCase { opening, to } => Recipient::Mailbox(policies::Place {
                address: to.address().clone(),
                group: opening.responder.group.clone(),
                participant: opening.responder.participant.clone(),
                process: opening.process.clone(),
                contact_type: opening.contact_type.clone(),
            }),
        }
    }

    fn place(&self, portal: &Portal) -> Place {
        match self {
            Self::NewCase { opening, .. } => Place::Open(Opening::clone(opening)),
            Self::Answer(permitted) => {
                let case = permitted.case();
                let deadline = portal.due(&case.process, &case.contact_type).unwrap_or_else(|| Deadline {
                    at: portal.ledger.now(),
                    reason: String::new(),
                    reckoning: None,
                    warn_at: None,
                });
                Place::Join(Joining { case: case.id, deadline })
            }
        }
    }
}

fn entry(
    portal: &Portal,
    own: &OwnDraft,
    to: &Destination<'_>,
    judged: &Judged,
    letter: &Letter,
    rule: &str,
) -> Entry {
    let mut tags = judged.tags.clone();
    tags.extend(letter.tags.iter().filter(|tag| !judged.tags.contains(tag)).cloned());
    let findings = judged.findings.counts();
    Entry {
        place: to.place(portal),
        sources: vec![source_of(portal, own)],
        tags,
        decided_by: rule.to_owned(),
        addressed: Some(Addressed::Named),
        decision: Some(Decision {
            rules: *judged.rules.as_bytes(),
            signal: "portal".to_owned(),
            findings: findings.map(|(category, count)| (category.as_str().to_owned(), count)).collect(),
        }),
    }
}

fn acceptance(own: &OwnDraft, judged: &Judged, composed: Composed, entry: Entry) -> Acceptance {
    let visitor = own.visitor();
    let automatic = judged.effect == Effect::EventOnly;
    let Composed { content, message, scan } = composed;
    Acceptance {
        from_group: visitor.group().clone(),
        proof: Proof::Session(visitor.id()),
        author: Some(visitor.id()),
        delegate: None,
        content,
        message_id: message.headline.message_id.clone(),
        headline: message.headline,
        automatic,
        class: message.class,
        scan,
        authentication: None,
        receipt: (!automatic).then(|| visitor.email().clone()),
        away: None,
        entries: vec![entry],
    }
}

/// The message as it waits, and where it goes when it is released.
fn held(
    portal: &Portal,
    writing: &Writing,
    own: &OwnDraft,
    to: &Destination<'_>,
    composed: Composed,
    entry: Entry,
    rule: &str,
) -> (Passage, Onward) {
    let visitor = own.visitor();
    let Composed { content, message, scan } = composed;
    let date = portal.ledger.now().to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
    let recipients = to.contact();
    let onward = Onward::Case(Box::new(CaseBound {
        message_id: message.headline.message_id.clone(),
        automatic: false,
        entries: vec![entry],
        receipt: Some(visitor.email().clone()),
        recall: None,
    }));
    let passage = Passage {
        from_group: visitor.group().clone(),
        proof: Proof::Session(visitor.id()),
        author: Some(visitor.id()),
        content,
        headline: message.headline,
        sources: recipients.iter().map(|_| source_of(portal, own)).collect(),
        envelope: Envelope::plain(ReversePath::Address(visitor.email().clone()), recipients),
        received_line: format!("Received: by {} with HTTPS; {date}\r\n", writing.notice_domain),
        decided_by: rule.to_owned(),
        class: message.class,
        scan,
        authentication: None,
        watched: None,
    };
    (passage, onward)
}

/// The two sides of a new case.
pub(crate) fn parties(
    own: &OwnDraft,
    participant: mail::Mpid,
    other: &store::Participant,
    to: &Reach,
) -> [Party; 2] {
    let visitor = own.visitor();
    let initiator = Party { group: visitor.group().clone(), participant, contact: visitor.email().clone() };
    let responder =
        Party { group: other.group.clone(), participant: other.mpid.clone(), contact: to.address().clone() };
    [initiator, responder]
}
