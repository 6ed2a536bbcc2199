//! The judge: what happens to a mail, recipient by recipient, and why. Pure: the same facts give the same judgement,
//! and everything that decided is named (rule and signal), so that a decision can be explained later.

use jiff::Timestamp;
use mail::{ContactType, Defect, GroupId, Message, PartRole, ProcessId, ReversePath, Tag, TagKind};

use crate::{
    Calendar, Catalogue, Class, DueDate, Effect, Facts, Judged, NamedCase, Opaque, Passing, Place, Placed,
    PolicyError, Recall, Recipient, Refused, Signal, TagRules, Verdict, due,
    subject::{self, Named},
    verdicts::{Circumstances, Decision, Kind, Rule, RuleId, Subject, VerdictRules, contents},
};

/// Everything the judge goes by. Immutable: new files make a new ruleset.
#[derive(Debug)]
pub struct Ruleset {
    catalogue: Catalogue,
    calendar: Calendar,
    tags: TagRules,
    verdicts: VerdictRules,
}

impl Ruleset {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::new(Catalogue::shipped()?, Calendar::shipped()?, TagRules::shipped()?, VerdictRules::shipped()?)
    }

    /// Rules from files that the caller has read and parsed. The error is one of the verdict rules that do not fit the
    /// catalogue.
    pub fn new(
        catalogue: Catalogue,
        calendar: Calendar,
        tags: TagRules,
        verdicts: VerdictRules,
    ) -> Result<Self, PolicyError> {
        verdicts.check(&catalogue)?;
        Ok(Self { catalogue, calendar, tags, verdicts })
    }

    /// Whether the rule of this name holds mail back: then whatever bears its name was let go by a person.
    pub fn holds(&self, rule: &str) -> bool {
        self.verdicts.holds(rule)
    }

    /// The processes.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// What counts as a search tag.
    pub fn tags(&self) -> &TagRules {
        &self.tags
    }

    /// When a message of this process and rung must be answered; `None` where the catalogue has no such rung.
    pub fn due(
        &self,
        process: &ProcessId,
        contact_type: &ContactType,
        received: Timestamp,
    ) -> Option<DueDate> {
        let rung = self.catalogue.process(process)?.rung(contact_type)?;
        Some(due(received, rung.working_days, &self.calendar))
    }

    /// The class of a recipient, from what is known at `RCPT`. Who would be refused whatever the mail says is refused
    /// here, in the words that a plain mail would get.
    pub fn class(&self, sender: &GroupId, recipient: &Recipient, passing: Passing) -> Result<Class, Refused> {
        let Some(kind) = kind(sender, recipient, passing) else { return Ok(Class::Return) };
        let mut refused = None;
        for circumstances in self.ahead(kind, recipient).into_iter().flat_map(contents) {
            match self.decide(&circumstances) {
                Ok(rule) => match &rule.decision {
                    Decision::Secure | Decision::Relay | Decision::Hold { .. } => return Ok(class(kind)),
                    Decision::Refuse { public } => {
                        refused
                            .get_or_insert_with(|| Refused { rule: rule.id.clone(), public: public.clone() });
                    }
                },
                Err(none) => refused = Some(none),
            }
        }
        Err(refused.unwrap_or_else(no_rule))
    }

    /// Judges a whole mail. A mail to nobody but [`Recipient::Return`] needs no sender's group: it is
    /// [`Verdict::Return`] whatever the facts.
    pub fn judge(&self, facts: &Facts<'_>) -> Judged {
        let names = attachment_names(facts.message);
        let headline = &facts.message.headline;
        let named = subject::named(&self.catalogue, &headline.subject);
        let tags = self.tags_of(facts.message, named, &names);
        let seen = Seen {
            facts,
            named,
            personal_data: self.findings(facts.message, &tags, &names),
            opaque: headline.defects.iter().any(|defect| is_opaque(*defect)),
        };
        let effect = effect(facts.message.class, facts.reverse_path);
        let verdicts = facts.recipients.iter().map(|recipient| self.verdict(&seen, recipient)).collect();
        Judged { verdicts, effect, tags, recall: recall(facts) }
    }

    fn verdict(&self, seen: &Seen<'_>, recipient: &Recipient) -> Verdict {
        let Facts { sender, passing, scan, .. } = *seen.facts;
        let Some(kind) = kind(sender, recipient, passing) else { return Verdict::Return };
        let (subject, mailbox) = match recipient {
            Recipient::Counterparty { mailboxes, .. } => self.subject(seen.named, mailboxes),
            _ => (Subject::None, None),
        };
        let circumstances = Circumstances {
            kind,
            process: self.process(recipient, seen.named.filter(|_| subject != Subject::None)),
            subject,
            personal_data: seen.personal_data,
            opaque: seen.opaque,
            scan,
        };
        let place = place(sender, recipient, mailbox, seen.facts.referenced);
        match self.decide(&circumstances) {
            Ok(rule) => spoken(rule, &circumstances, place),
            Err(Refused { rule, public }) => Verdict::Refuse { rule, public },
        }
    }

    /// What the code in the subject means for a group with these mailboxes.
    fn subject<'a>(&self, named: Option<Named<'_>>, mailboxes: &'a [Place]) -> (Subject, Option<&'a Place>) {
        let Some(named) = named else { return (Subject::None, None) };
        let rung =
            |place: &Place| named.process.rungs.iter().position(|r| r.contact_type == place.contact_type);
        let lowest = mailboxes
            .iter()
            .filter(|place| place.process == named.process.id)
            .filter_map(|place| Some((rung(place)?, &place.participant, place.address.key(), place)))
            .min_by(|one, other| (one.0, one.1, &one.2).cmp(&(other.0, other.1, &other.2)));
        match lowest {
            Some((.., place)) => (Subject::Mailbox, Some(place)),
            None => (Subject::NoMailbox, None),
        }
    }

    /// The process that a mail to there belongs to, and what it wants done with closed content.
    fn process<'a>(
        &self,
        recipient: &'a Recipient,
        named: Option<Named<'a>>,
    ) -> Option<(&'a ProcessId, Opaque)> {
        let id = match recipient {
            Recipient::Mailbox(place) => &place.process,
            Recipient::ReplyAddress(case) => &case.process,
            Recipient::Counterparty { .. } => &named?.process.id,
            Recipient::Return | Recipient::OwnDomain | Recipient::Outside | Recipient::Unknown => {
                return None;
            }
        };
        Some((id, self.opaque(id)))
    }

    fn opaque(&self, process: &ProcessId) -> Opaque {
        self.catalogue.process(process).map_or_else(Opaque::default, |process| process.opaque)
    }

    /// Everything that can still turn out about a recipient at `RCPT`, but for the content; no subject first.
    fn ahead<'a>(&'a self, kind: Kind, recipient: &'a Recipient) -> Vec<Circumstances<'a>> {
        let plain = |subject, process| Circumstances::plain(kind, subject, process);
        let mut ahead = vec![plain(Subject::None, self.process(recipient, None))];
        if kind == Kind::Counterparty
            && let Recipient::Counterparty { mailboxes, .. } = recipient
        {
            ahead.extend(self.catalogue.processes().filter(|process| process.code.is_some()).map(
                |process| {
                    let (subject, _) = self.subject(Some(Named { process, rest: "" }), mailboxes);
                    plain(subject, Some((&process.id, process.opaque)))
                },
            ));
        }
        ahead
    }

    /// The rules are proved to answer when they are read; if they did not, nothing would be let through.
    fn decide(&self, circumstances: &Circumstances<'_>) -> Result<&Rule, Refused> {
        self.verdicts.decide(circumstances).ok_or_else(no_rule)
    }

    /// Whether the mail has personal data of consumers: today, whether it has meter point numbers. A company's own
    /// reference is a tag, but no personal data; every business letter has one.
    fn findings(&self, message: &Message, tags: &[Tag], attachment_names: &[&str]) -> bool {
        let full = tags.len() >= TagRules::MOST;
        let headline = &message.headline;
        tags.iter().any(|tag| tag.kind() != TagKind::Reference)
            || full && self.tags.any_meter_point(&headline.subject, &message.text, attachment_names)
    }

    /// What stands behind a code comes first: it is what the sender says that the mail is about.
    fn tags_of(&self, message: &Message, named: Option<Named<'_>>, attachment_names: &[&str]) -> Vec<Tag> {
        let mut tags = self.tags.find(&message.headline.subject, &message.text, attachment_names);
        if let Some(tag) = named.and_then(|named| self.tags.behind_code(named.rest)) {
            tags.retain(|other| *other != tag);
            tags.insert(0, tag);
            tags.truncate(TagRules::MOST);
        }
        tags
    }
}

/// What was found out about a mail as a whole.
struct Seen<'a> {
    facts: &'a Facts<'a>,
    named: Option<Named<'a>>,
    personal_data: bool,
    opaque: bool,
}

/// What a recipient is to the sender; none for what comes back, about which no rule is asked.
fn kind(sender: &GroupId, recipient: &Recipient, passing: Passing) -> Option<Kind> {
    Some(match (recipient, passing) {
        (Recipient::Return, _) => return None,
        (Recipient::Mailbox(place), Passing::Off) if place.group == *sender => Kind::OwnMailbox,
        (Recipient::Mailbox(place), Passing::On) if place.group == *sender => Kind::OwnDomain,
        (Recipient::Mailbox(_), _) => Kind::Mailbox,
        (Recipient::ReplyAddress(case), _) if case.has(sender) => Kind::ReplyAddress,
        (Recipient::ReplyAddress(_), _) => Kind::ForeignReplyAddress,
        (Recipient::Unknown, _) | (_, Passing::Off) => Kind::Unmapped,
        (Recipient::OwnDomain, Passing::On) => Kind::OwnDomain,
        (Recipient::Counterparty { group, .. }, Passing::On) if group == sender => Kind::OwnDomain,
        (Recipient::Counterparty { .. }, Passing::On) => Kind::Counterparty,
        (Recipient::Outside, Passing::On) => Kind::Outside,
    })
}

fn class(kind: Kind) -> Class {
    match kind {
        // The last three are always refused.
        Kind::Mailbox
        | Kind::ReplyAddress
        | Kind::OwnMailbox
        | Kind::ForeignReplyAddress
        | Kind::Unmapped => Class::Case,
        Kind::OwnDomain => Class::Own,
        Kind::Counterparty => Class::Counterparty,
        Kind::Outside => Class::Outside,
    }
}

fn no_rule() -> Refused {
    let public =
        "no rule answers for this address, so the mail was not taken; tell your administrator".to_owned();
    Refused { rule: RuleId::none(), public }
}

/// The decision of a rule as a verdict. Where a rule secures there is a place: that is checked when rules are read.
fn spoken(rule: &Rule, circumstances: &Circumstances<'_>, place: Option<Placed>) -> Verdict {
    let id = rule.id.clone();
    match (&rule.decision, place) {
        (Decision::Secure, Some(Placed { signal, process, contact_type })) => {
            Verdict::Secure { rule: id, signal, process, contact_type }
        }
        (Decision::Secure, None) => {
            let Refused { rule, public } = no_rule();
            Verdict::Refuse { rule, public }
        }
        (Decision::Relay, _) => Verdict::Relay { rule: id },
        (Decision::Hold { public }, place) => {
            Verdict::Hold { rule: id, reason: rule.reason(circumstances), public: public.clone(), place }
        }
        (Decision::Refuse { public }, _) => Verdict::Refuse { rule: id, public: public.clone() },
    }
}

/// Where a mail belongs: the reply address names the case, then the references, then the mailbox. A subject names a
/// mailbox where there is none, and never overrides one.
fn place(
    sender: &GroupId,
    recipient: &Recipient,
    by_subject: Option<&Place>,
    referenced: &[NamedCase],
) -> Option<Placed> {
    let placed = |signal, process: &ProcessId, contact_type: &ContactType| {
        Some(Placed { signal, process: process.clone(), contact_type: contact_type.clone() })
    };
    let (mailbox, signal) = match recipient {
        Recipient::ReplyAddress(case) => {
            return placed(Signal::ReplyAddress(case.id.clone()), &case.process, &case.contact_type);
        }
        Recipient::Mailbox(place) if place.group != *sender => (place, Signal::Mailbox),
        _ => by_subject.map(|place| (place, Signal::SubjectCode(place.clone())))?,
    };
    match referenced.iter().find(|case| case.takes(sender, mailbox)) {
        Some(case) => placed(Signal::References(case.id.clone()), &case.process, &case.contact_type),
        None => placed(signal, &mailbox.process, &mailbox.contact_type),
    }
}

/// Nobody could look inside: it is closed, or it could not be opened.
fn is_opaque(defect: Defect) -> bool {
    matches!(defect, Defect::Opaque | Defect::ContainerUnreadable)
}

/// A file may be named in the text as well; the names of the text's own parts are nobody's business.
fn attachment_names(message: &Message) -> Vec<&str> {
    let files = message.headline.parts.iter().filter(|part| part.role != PartRole::Body);
    files.filter_map(|part| part.name.as_deref()).collect()
}

/// Only a person's mail acts (promise 9); configuration cannot change that. Who wants no answer to a failure is a
/// machine, even if nothing else shows it (RFC 5321 §4.5.5).
fn effect(class: mail::Class, reverse_path: &ReversePath) -> Effect {
    if *reverse_path == ReversePath::Null {
        return Effect::EventOnly;
    }
    match class {
        mail::Class::Human => Effect::Message,
        mail::Class::AutoReply
        | mail::Class::Bounce
        | mail::Class::Receipt
        | mail::Class::Calendar
        | mail::Class::Recall
        | mail::Class::List
        | mail::Class::Empty => Effect::EventOnly,
    }
}

/// A request to take something back acts too, so it must be a person's.
fn recall(facts: &Facts<'_>) -> Option<Recall> {
    let Facts { message, reverse_path, .. } = facts;
    if message.class != mail::Class::Recall || **reverse_path == ReversePath::Null {
        return None;
    }
    let mut of: Vec<String> = Vec::new();
    for id in message.in_reply_to.iter().chain(message.references.iter().rev()) {
        if !of.contains(id) {
            of.push(id.clone());
        }
    }
    let subject = &message.headline.subject;
    Some(Recall { of, subject: subject::behind_prefix(subject).unwrap_or(subject).to_owned() })
}

#[cfg(test)]
mod tests;
