//! The last steps of the path, once everything about a mail is decided: what is sealed for whom, and the one commit that
//! keeps it. A second delivery gets the answer of the first.

use mail::ReversePath;
use policies::{Effect, Passing, Verdict};
use store::{Acceptance, Actor, Earlier, Observation, Passage, SourceKey, Stage};

use crate::{
    gateway::{Gateway, refused},
    pipeline::{Authored, Decided, Parsed, Taken},
    placement, recall,
    sender::{FOREIGN_REVERSE_PATH, NO_LONGER},
    shadow::{self, Watched},
    smtp::Refusal,
};

/// What stands in the place of a rule where none is done.
const SHADOW: &str = "shadow";

/// Times that this installation sends the same mail on: to a colleague, and once more where that one's rule points.
const MOST_ROUNDS: usize = 2;

impl Decided {
    /// One transaction, one answer: the strictest verdict is that of all its recipients.
    pub(crate) async fn kept(self, gateway: &Gateway) -> Result<Taken, Refusal> {
        let ledger = gateway.ledger();
        let failed = |error| refused(&error);
        if let Some(taken) = self.taken_before(gateway).await? {
            return Ok(taken);
        }
        // It may have been taken back while the mail came.
        if !self.authored.parsed.sender.stands(&ledger.directory()) {
            return Err(Refusal::NotProved(NO_LONGER.to_owned()));
        }
        if self.stage(gateway)? == Stage::Shadow {
            return self.watched(gateway).await;
        }
        if self.is_mixed() {
            return Err(Refusal::NotPermitted(
                "some of these addresses lead to cases here and some do not; send the mail to them apart"
                    .to_owned(),
            ));
        }
        self.compared(gateway).await?;
        match self.judged.strictest().cloned() {
            Some(Verdict::Secure { .. }) => {
                let recalled = recall::recalled(&self);
                let group = self.authored.parsed.sender.group.clone();
                let accepted = ledger.accept(self.sealed(gateway).await?).await.map_err(failed)?;
                if let Some(recalled) = recalled {
                    // Before the request is acknowledged: a crash in between brings the request again.
                    let done = ledger.carry_out(&Actor::Gateway, &group, &recalled, &accepted).await;
                    done.map_err(failed)?;
                }
                Ok(Taken::Secured(accepted))
            }
            Some(Verdict::Relay { rule }) => {
                self.stop_loops(gateway)?;
                ledger.relay(self.passage(gateway, rule.as_str(), None)?).await.map_err(failed)?;
                Ok(Taken::Relayed)
            }
            Some(Verdict::Hold { rule, reason, public, .. }) => {
                let onward = placement::onward(gateway, &self).await?;
                let passage = self.passage(gateway, rule.as_str(), None)?;
                ledger.hold(passage, reason, onward).await.map_err(failed)?;
                Ok(Taken::Held(public))
            }
            Some(Verdict::Refuse { public, .. }) => Err(Refusal::NotPermitted(public)),
            // What comes back has a way of its own, and a transaction has a recipient.
            Some(Verdict::Return) | None => Err(Refusal::StoreBroken),
        }
    }

    /// Only counts what would happen; one that came here itself has been seen already.
    pub(crate) async fn counted(&self, gateway: &Gateway) -> Result<(), Refusal> {
        match self.taken_before(gateway).await? {
            Some(_) => Ok(()),
            None => self.observed(gateway, &self.observation(gateway)).await,
        }
    }

    /// How far Postern is let with this mail. The classes of `RCPT` keep the stages apart, unless somebody has just set
    /// another, or the mail came from another company than it had seemed.
    fn stage(&self, gateway: &Gateway) -> Result<Stage, Refusal> {
        let (directory, default) = (gateway.ledger().directory(), gateway.settings().stage);
        let sender = &self.authored.parsed.sender.group;
        let mut stages = self.recipients.iter().map(|to| shadow::stage(&directory, default, sender, to));
        let first = stages.next().unwrap_or(Stage::Live);
        match stages.all(|stage| stage == first) {
            true => Ok(first),
            false => Err(Refusal::NotPermitted(
                "mail to some of these addresses is only watched here yet; send it to them apart".to_owned(),
            )),
        }
    }

    /// In shadow the mail goes on untouched, or stays where it is, and what would have happened is counted.
    async fn watched(self, gateway: &Gateway) -> Result<Taken, Refusal> {
        let parsed = &self.authored.parsed;
        let Parsed { sender, original, .. } = parsed;
        let observation = self.observation(gateway);
        if parsed.passing(gateway) == Passing::On {
            // RCPT has asked this already, unless the stage has changed since.
            if let ReversePath::Address(address) = &original.envelope.reverse_path
                && gateway.ledger().directory().group_of(address) != Some(&sender.group)
            {
                return Err(Refusal::NotPermitted(FOREIGN_REVERSE_PATH.to_owned()));
            }
            self.stop_loops(gateway)?;
            let passage = self.passage(gateway, SHADOW, Some(observation))?;
            gateway.ledger().relay(passage).await.map_err(|error| refused(&error))?;
            return Ok(Taken::Relayed);
        }
        self.observed(gateway, &observation).await?;
        Err(Refusal::OnlyWatched)
    }

    /// What the mail adds to the counts of shadow mode.
    fn observation(&self, gateway: &Gateway) -> Observation {
        self.for_counting().observation(|address| gateway.ledger().unmapped_id(address))
    }

    fn for_counting(&self) -> Watched<'_> {
        let Parsed { sender, original, message, .. } = &self.authored.parsed;
        let addresses = original.envelope.recipients.iter().map(|to| &to.address);
        Watched {
            group: &sender.group,
            class: message.class,
            recipients: addresses.zip(&self.recipients).collect(),
            judged: &self.judged,
            tried: self.tried.as_ref(),
        }
    }

    /// Where decisions are done, rules that are tried beside the standing ones are counted all the same, before the
    /// commit.
    async fn compared(&self, gateway: &Gateway) -> Result<(), Refusal> {
        let Some(comparison) = self.for_counting().comparison() else { return Ok(()) };
        self.observed(gateway, &comparison).await
    }

    /// Once, however often the mail comes.
    async fn observed(&self, gateway: &Gateway, observation: &Observation) -> Result<(), Refusal> {
        if let Some(source) = self.sources(gateway).first() {
            gateway.ledger().observe(observation, source).await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// The classes of `RCPT` keep these apart, unless the mail came from another company than it had seemed.
    fn is_mixed(&self) -> bool {
        let into_cases = |verdict: &Verdict| {
            matches!(verdict, Verdict::Secure { .. } | Verdict::Hold { place: Some(_), .. })
        };
        let verdicts = &self.judged.verdicts;
        verdicts.iter().any(into_cases)
            && verdicts.iter().any(|verdict| match verdict {
                Verdict::Relay { .. } | Verdict::Hold { place: None, .. } => true,
                Verdict::Secure { .. } | Verdict::Hold { .. } | Verdict::Return | Verdict::Refuse { .. } => {
                    false
                }
            })
    }

    /// A second delivery gets the answer of the first, whatever the rules or the scanner say by now. A request to take
    /// something back is gone through again: what it asks for may not have been done.
    async fn taken_before(&self, gateway: &Gateway) -> Result<Option<Taken>, Refusal> {
        if self.judged.recall.is_some() {
            return Ok(None);
        }
        let earlier =
            gateway.ledger().earlier(&self.sources(gateway)).await.map_err(|error| refused(&error))?;
        Ok(earlier.map(|earlier| match earlier {
            Earlier::Secured(accepted) => Taken::Secured(accepted),
            Earlier::Relayed => Taken::Relayed,
            Earlier::Held => Taken::Held(match self.judged.strictest() {
                Some(Verdict::Hold { public, .. }) => public.clone(),
                _ => "held for your compliance team".to_owned(),
            }),
        }))
    }

    /// For each recipient, what makes a second delivery the same mail.
    fn sources(&self, gateway: &Gateway) -> Vec<SourceKey> {
        let Parsed { sender, original, message, .. } = &self.authored.parsed;
        let recipients = original.envelope.recipients.iter();
        recipients.map(|to| original.source(gateway.ledger(), &sender.group, message, &to.address)).collect()
    }

    /// Puts the mail into its cases and takes what is to be sealed for their parties.
    async fn sealed(self, gateway: &Gateway) -> Result<Acceptance, Refusal> {
        let entries = placement::entries(gateway, &self).await?;
        let Self { authored: Authored { parsed, author }, judged, .. } = self;
        let Parsed { sender, original, scan, message } = parsed;
        let directory = gateway.ledger().directory();
        let user = |address| directory.user_by_email(address).map(|user| user.id);
        let automatic = judged.effect == Effect::EventOnly;
        Ok(Acceptance {
            from_group: sender.group,
            proof: sender.proof,
            author: user(&author.address),
            delegate: author.on_behalf.as_ref().and_then(user),
            content: original.content,
            message_id: message.headline.message_id.clone(),
            headline: message.headline,
            automatic,
            class: message.class,
            scan,
            authentication: sender.authentication,
            receipt: (!automatic).then_some(author.address),
            away: message.away,
            entries,
        })
    }

    /// Mail that comes round: by our own marks in it, or because the same one is handed in again and again.
    fn stop_loops(&self, gateway: &Gateway) -> Result<(), Refusal> {
        let Parsed { sender, original, message, .. } = &self.authored.parsed;
        if original.rounds >= MOST_ROUNDS {
            return Err(Refusal::Loop);
        }
        match gateway.fuse().admits(&sender.group, original.recurring(message), gateway.ledger().now()) {
            true => Ok(()),
            false => Err(Refusal::Unavailable(
                "this mail was handed in too often within the hour; look for a rule that sends it round"
                    .to_owned(),
            )),
        }
    }

    /// The mail as it goes on or waits: untouched, with one line of ours to go in front.
    fn passage(
        self,
        gateway: &Gateway,
        rule: &str,
        watched: Option<Observation>,
    ) -> Result<Passage, Refusal> {
        let sources = self.sources(gateway);
        let Self { authored: Authored { parsed, author }, .. } = self;
        let Parsed { sender, original, scan, message } = parsed;
        let ledger = gateway.ledger();
        let received_line = original.arrival.received_line(gateway, &sender.proof);
        Ok(Passage {
            author: ledger.directory().user_by_email(&author.address).map(|user| user.id),
            from_group: sender.group,
            proof: sender.proof,
            received_line: received_line.map_err(|error| refused(&error.into()))?,
            content: original.content,
            headline: message.headline,
            envelope: original.envelope,
            decided_by: rule.to_owned(),
            class: message.class,
            scan,
            authentication: sender.authentication,
            sources,
            watched,
        })
    }
}
