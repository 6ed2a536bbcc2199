//! What a company's own mail system journals: a report about a mail that went another way, with that mail attached. What
//! would have become of the mail is counted, and nothing else is done: no case, no notice, nothing kept, nothing sent on.
//!
//! A report that cannot be counted is taken all the same and counted as such. The mail itself went its own way, so nothing
//! is lost; a refusal would come back to the mail system as a failure, with the report and all that is in it attached, and
//! some mail systems journal that again.

use std::sync::Arc;

use mail::{Envelope, Journal, Message, NotAJournal};
use store::{Observation, SourceKey, Tally};

use crate::{
    gateway::{Gateway, refused},
    incoming::{Incoming, Original, Received},
    pipeline::{Identified, Parsed},
    sender::{NO_LONGER, Proved, Vouching},
    smtp::{Delivery, Refusal},
};

/// Why a report is not counted, as the report of shadow mode says it.
#[derive(Debug, Clone, Copy)]
enum LeftOut {
    Unreadable(NotAJournal),
    /// The attached mail is somebody else's, such as one that the company got: its sender's own mail system tells of it.
    Foreign,
}

impl LeftOut {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable(NotAJournal::NoMail) => "no mail attached",
            Self::Unreadable(NotAJournal::NoRecipient) => "no recipient named",
            Self::Foreign => "written by nobody of the company",
        }
    }
}

/// Counts what a report of this company is about; the counts are durable when it returns.
pub(crate) async fn take(
    gateway: &Arc<Gateway>,
    sender: Proved,
    original: Original,
    report: Message,
) -> Result<(), Refusal> {
    if !sender.stands(&gateway.ledger().directory()) {
        return Err(Refusal::NotProved(NO_LONGER.to_owned()));
    }
    let left_out = match Journal::read(&report) {
        Ok(journal) => counted(gateway, &sender, &original, &report, journal).await?,
        Err(error) => Some(LeftOut::Unreadable(error)),
    };
    match left_out {
        Some(why) => leave_out(gateway, &sender, &original, &report, why).await,
        None => Ok(()),
    }
}

/// The attached mail walks the steps of every mail, as far as its verdicts.
async fn counted(
    gateway: &Arc<Gateway>,
    sender: &Proved,
    original: &Original,
    report: &Message,
    journal: Journal,
) -> Result<Option<LeftOut>, Refusal> {
    let received = attached(gateway, sender, original, report, journal).await?;
    let parsed = Parsed::from(Identified { sender: sender.clone(), received });
    let Ok(author) = parsed.author(gateway) else { return Ok(Some(LeftOut::Foreign)) };
    let decided = parsed.written_by(author).judged(gateway).await?;
    decided.counted(gateway).await?;
    Ok(None)
}

/// The attached mail as it came out of its own client, to those whom the report names.
async fn attached(
    gateway: &Arc<Gateway>,
    sender: &Proved,
    original: &Original,
    report: &Message,
    journal: Journal,
) -> Result<Received, Refusal> {
    let envelope = Envelope::plain(journal.sender, journal.recipients);
    let mut copy =
        Incoming::open(gateway, Vouching::Proved(sender.clone()), original.arrival.clone(), envelope)?;
    if let Some(part) = report.headline.parts.get(journal.mail) {
        let whole = original.content.open(gateway.ledger());
        let (mut reader, mut decoder) = (whole.read(part.offset, part.length), part.decoder());
        let mut ready = Vec::new();
        while let Some(piece) = reader.next().await.map_err(|error| refused(&error))? {
            decoder.feed(&piece, &mut ready);
            copy.chunk(&std::mem::take(&mut ready)).await?;
        }
        decoder.finish(&mut ready);
        copy.chunk(&ready).await?;
    }
    Ok(copy.received().await?.1)
}

async fn leave_out(
    gateway: &Gateway,
    sender: &Proved,
    original: &Original,
    report: &Message,
    why: LeftOut,
) -> Result<(), Refusal> {
    if let LeftOut::Unreadable(error) = why {
        tracing::warn!(group = %sender.group, %error, "a journal report was taken that cannot be counted");
    }
    let tallies = vec![Tally::LeftOut { why: why.as_str().to_owned() }];
    let observation = Observation { group: sender.group.clone(), tallies };
    let Some(source) = source(gateway, sender, original, report) else { return Ok(()) };
    gateway.ledger().observe(&observation, &source).await.map(drop).map_err(|error| refused(&error))
}

/// What makes a second delivery of a report the same report.
fn source(gateway: &Gateway, sender: &Proved, original: &Original, report: &Message) -> Option<SourceKey> {
    let to = original.envelope.recipients.first()?;
    Some(original.source(gateway.ledger(), &sender.group, report, &to.address))
}
