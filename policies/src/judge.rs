//! The judge: what happens to a mail, recipient by recipient, and why. Pure: the same facts give the same judgement,
//! and everything that decided is named (rule and signal), so that a decision can be explained later.

mod nature;

use jiff::Timestamp;
use mail::{ContactType, GroupId, Message, ProcessId, Tag, TagKind};

use crate::{
    Asked, Calendars, Catalogue, Class, ClassificationRules, DueDate, Facts, FileKind, Judged, NamedCase,
    Opaque, Passing, Place, Placed, PolicyError, Recipient, Refused, RuleFiles, RulesHash, Signal, TagRules,
    Verdict,
    classification::Mail,
    detect::{Detectors, Finding, Findings, Inspected},
    due,
    examples::{self, Example},
    subject::{self, Named},
    verdicts::{Circumstances, Content, Decision, Has, Kind, Naming, Rule, RuleId, VerdictRules},
    working_days,
};

use nature::{attachment_names, effect, is_opaque, is_unread, recall};

/// Everything the judge goes by. Immutable: new files make a new ruleset.
#[derive(Debug)]
pub struct Ruleset {
    files: RuleFiles,
    hash: RulesHash,
    catalogue: Catalogue,
    calendars: Calendars,
    tags: TagRules,
    detectors: Detectors,
    classification: ClassificationRules,
    verdicts: VerdictRules,
    examples: Vec<Example>,
}

impl Ruleset {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::read(RuleFiles::shipped())
    }

    /// Reads the files and sees that they go with each other.
    pub fn read(files: RuleFiles) -> Result<Self, PolicyError> {
        let (verdicts, catalogue, calendars) = (files.verdicts()?, files.catalogue()?, files.calendars()?);
        let mut classification = files.classification()?;
        catalogue.check(&calendars)?;
        match files.is_shipped(FileKind::Classification) {
            // Another market's catalogue does not have all the processes that the shipped rules know.
            true => classification.retain(&catalogue),
            false => classification.check(&catalogue)?,
        }
        verdicts.check(&catalogue)?;
        let mut examples = Vec::new();
        for (file, text) in files.named() {
            examples.extend(examples::read(file, text)?);
        }
        Ok(Self {
            examples,
            hash: files.hash(),
            tags: files.tags()?,
            detectors: files.detectors()?,
            files,
            catalogue,
            calendars,
            classification,
            verdicts,
        })
    }

    /// The name of these rules.
    pub fn hash(&self) -> RulesHash {
        self.hash
    }

    /// The files that they were read from.
    pub fn files(&self) -> &RuleFiles {
        &self.files
    }

    pub(crate) fn classification(&self) -> &ClassificationRules {
        &self.classification
    }

    pub(crate) fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Whether the rules want [`Facts::fields`]: most do not, and the header need not be looked at again.
    pub fn asks_for_header(&self) -> bool {
        self.classification.asks_for_header()
    }

    /// How personal data are found.
    pub fn detectors(&self) -> &Detectors {
        &self.detectors
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
        self.due_within(process, rung.working_days, received)
    }

    /// The same with a response time that was promised earlier; `None` where the catalogue has no such process.
    pub fn due_within(&self, process: &ProcessId, working_days: u32, received: Timestamp) -> Option<DueDate> {
        let calendar = self.calendars.calendar(&self.catalogue.process(process)?.calendar)?;
        Some(due(received, working_days, calendar))
    }

    /// How many working days an answer of this process took, counted to `most`; `None` where the catalogue has no such process.
    pub fn working_days(
        &self,
        process: &ProcessId,
        (received, answered): (Timestamp, Timestamp),
        most: u32,
    ) -> Option<u32> {
        let calendar = self.calendars.calendar(&self.catalogue.process(process)?.calendar)?;
        Some(working_days(received, answered, most, calendar))
    }

    /// The calendars by which deadlines are reckoned.
    pub fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// When the side that owes an answer by `due` is warned; `None` where nobody is.
    pub fn warns_at(&self, process: &ProcessId, due: Timestamp) -> Option<Timestamp> {
        let process = self.catalogue.process(process)?;
        let days = Some(process.warn_working_days).filter(|days| *days > 0)?;
        Some(self.calendars.calendar(&process.calendar)?.earlier(due, days))
    }

    /// Tells apart the calendars that deadlines were reckoned by: another edition, and open deadlines may move.
    pub fn clock_edition(&self) -> String {
        self.calendars.edition(&self.catalogue)
    }

    /// The class of a recipient, from what is known at `RCPT`. Who would be refused whatever the mail says is refused
    /// here, in the words that a plain mail would get.
    pub fn class(&self, sender: &GroupId, recipient: &Recipient, passing: Passing) -> Result<Class, Refused> {
        let Some(kind) = kind(sender, recipient, passing) else { return Ok(Class::Return) };
        let mut refused = None;
        for circumstances in self.ahead(sender, kind, recipient) {
            match self.decide(&circumstances, passing) {
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
        let found = self.found(facts);
        let tags = self.tags_of(facts, &found, named, &names);
        let findings = self.detectors.findings(&found);
        let classification = self.classification.classify(&seen_by_rules(facts, &tags));
        let content = self.content(facts, &findings, self.meter_points(facts.message, &tags, &names));
        let seen = Seen { facts, named, classified: classification.process.as_ref(), content };
        let effect = effect(facts.message.class, facts.reverse_path);
        let verdicts = facts.recipients.iter().map(|recipient| self.verdict(&seen, recipient)).collect();
        Judged { verdicts, effect, tags, recall: recall(facts), findings, classification, rules: self.hash }
    }

    /// What is the case for a recipient, and each rule that is tried with its first key that does not fit; none for what
    /// comes back.
    pub(crate) fn tried(
        &self,
        facts: &Facts<'_>,
        judged: &Judged,
        recipient: &Recipient,
    ) -> Option<Asked<'_>> {
        let kind = kind(facts.sender, recipient, facts.passing)?;
        let names = attachment_names(facts.message);
        let meter_points = self.meter_points(facts.message, &judged.tags, &names);
        let seen = Seen {
            facts,
            named: subject::named(&self.catalogue, &facts.message.headline.subject),
            classified: judged.classification.process.as_ref(),
            content: self.content(facts, &judged.findings, meter_points),
        };
        let (circumstances, _) = self.circumstances(&seen, kind, recipient);
        let asked = self.asked(&circumstances, facts.passing);
        Some(Asked {
            circumstances: Some(asked.to_string()),
            tried: self.verdicts.outcomes(&asked).collect(),
        })
    }

    fn content(&self, facts: &Facts<'_>, findings: &Findings, meter_points: bool) -> Content {
        let found = self.verdicts.found(findings, &self.detectors);
        Content {
            personal_data: found.personal_data || meter_points,
            opaque: facts.message.headline.defects.iter().any(|defect| is_opaque(*defect)),
            unread: is_unread(facts),
            scan: facts.scan,
            class: facts.message.class,
            protection: facts.protection,
            ..found
        }
    }

    fn verdict(&self, seen: &Seen<'_>, recipient: &Recipient) -> Verdict {
        let Facts { sender, passing, .. } = *seen.facts;
        let Some(kind) = kind(sender, recipient, passing) else { return Verdict::Return };
        let (circumstances, mailbox) = self.circumstances(seen, kind, recipient);
        let place = place(sender, recipient, mailbox, seen.facts.referenced);
        match self.decide(&circumstances, passing) {
            Ok(rule) => spoken(rule, &circumstances, place),
            Err(Refused { rule, public }) => Verdict::Refuse { rule, public },
        }
    }

    /// What is the case for a recipient, and the place that is named for one who has none.
    fn circumstances<'a>(
        &'a self,
        seen: &Seen<'a>,
        kind: Kind,
        recipient: &'a Recipient,
    ) -> (Circumstances<'a>, Option<Signal>) {
        let (naming, named, signal) = match recipient {
            Recipient::Counterparty { mailboxes, .. } => self.naming(seen, mailboxes),
            _ => (Naming::Nothing, None, None),
        };
        let process = self.process(recipient, named);
        let sender = Some(seen.facts.sender);
        (Circumstances { kind, process, naming, content: seen.content, sender }, signal)
    }

    /// What names a process for a group with these mailboxes: the code in the subject, else the rules.
    fn naming<'a>(
        &self,
        seen: &Seen<'a>,
        mailboxes: &[Place],
    ) -> (Naming, Option<&'a ProcessId>, Option<Signal>) {
        let has = |place: &Option<&Place>| if place.is_some() { Has::Mailbox } else { Has::NoMailbox };
        if let Some(Named { process, .. }) = seen.named {
            let place = self.lowest(&process.id, mailboxes);
            let signal = place.cloned().map(Signal::SubjectCode);
            return (Naming::Code(has(&place)), Some(&process.id), signal);
        }
        let Some(process) = seen.classified else { return (Naming::Nothing, None, None) };
        let place = self.lowest(process, mailboxes);
        (Naming::Rules(has(&place)), Some(process), place.cloned().map(Signal::Rules))
    }

    /// The mailbox for the process on the lowest rung: whoever writes to a person begins there.
    fn lowest<'a>(&self, process: &ProcessId, mailboxes: &'a [Place]) -> Option<&'a Place> {
        let rungs = &self.catalogue.process(process)?.rungs;
        let rung = |place: &Place| rungs.iter().position(|rung| rung.contact_type == place.contact_type);
        mailboxes
            .iter()
            .filter(|place| place.process == *process)
            .filter_map(|place| Some((rung(place)?, place)))
            .min_by(|(low, one), (high, other)| {
                let by_name = || one.participant.cmp(&other.participant);
                // An address has to be made comparable; mostly the rest decides.
                low.cmp(high).then_with(by_name).then_with(|| one.address.key().cmp(&other.address.key()))
            })
            .map(|(_, place)| place)
    }

    /// The process that a mail to there belongs to, and what it wants done with closed content.
    fn process<'a>(
        &self,
        recipient: &'a Recipient,
        named: Option<&'a ProcessId>,
    ) -> Option<(&'a ProcessId, Opaque)> {
        let id = match recipient {
            Recipient::Mailbox(place) | Recipient::PlusAddress { mailbox: place, .. } => &place.process,
            Recipient::ReplyAddress(case) => &case.process,
            Recipient::Counterparty { .. } => named?,
            Recipient::Return | Recipient::OwnDomain | Recipient::Outside | Recipient::Unknown => {
                return None;
            }
        };
        Some((id, self.opaque(id)))
    }

    fn opaque(&self, process: &ProcessId) -> Opaque {
        self.catalogue.process(process).map_or_else(Opaque::default, |process| process.opaque)
    }

    /// Everything that can still turn out about a recipient at `RCPT`; the plainest mail first.
    fn ahead<'a>(
        &'a self,
        sender: &'a GroupId,
        kind: Kind,
        recipient: &'a Recipient,
    ) -> impl Iterator<Item = Circumstances<'a>> {
        let mut namings = vec![(Naming::Nothing, None)];
        if let Recipient::Counterparty { mailboxes, .. } = recipient
            && kind == Kind::Counterparty
        {
            for process in self.catalogue.processes() {
                let place = self.lowest(&process.id, mailboxes);
                let has = if place.is_some() { Has::Mailbox } else { Has::NoMailbox };
                let code = process.code.is_some().then_some((Naming::Code(has), Some(&process.id)));
                namings.extend(code.into_iter().chain([(Naming::Rules(has), Some(&process.id))]));
            }
        }
        let contents = self.verdicts.contents(kind);
        namings.into_iter().flat_map(move |(naming, named)| {
            let process = self.process(recipient, named);
            let with = move |content| Circumstances { kind, process, naming, content, sender: Some(sender) };
            contents.clone().into_iter().map(with)
        })
    }

    /// The rules are proved to answer when they are read; if they did not, nothing would be let through.
    fn decide(&self, circumstances: &Circumstances<'_>, passing: Passing) -> Result<&Rule, Refused> {
        let asked = self.asked(circumstances, passing);
        self.verdicts.decide(&asked).ok_or_else(no_rule)
    }

    /// Where mail does not pass on, another company's address is one that nobody knows, unless the mail goes into a case of
    /// that company.
    fn asked<'a>(&self, circumstances: &Circumstances<'a>, passing: Passing) -> Circumstances<'a> {
        if circumstances.kind != Kind::Counterparty || passing == Passing::On {
            return *circumstances;
        }
        let decision = self.verdicts.decide(circumstances).map(|rule| &rule.decision);
        let into_case = match circumstances.naming {
            Naming::Code(Has::Mailbox) => !matches!(decision, None | Some(Decision::Relay)),
            Naming::Rules(Has::Mailbox) => decision == Some(&Decision::Secure),
            _ => false,
        };
        match into_case {
            true => *circumstances,
            false => Circumstances {
                kind: Kind::Unmapped,
                process: None,
                naming: Naming::Nothing,
                ..*circumstances
            },
        }
    }

    /// Every place that looks like personal data, for an explanation; the judgement has the counts.
    pub fn found(&self, facts: &Facts<'_>) -> Vec<Finding> {
        self.detectors.find(&Inspected {
            subject: &facts.message.headline.subject,
            text: &facts.message.text,
            attachments: facts.documents,
            business: facts.business,
        })
    }

    /// Whether the mail has meter point numbers. A company's own
    /// reference is a tag, but no personal data; every business letter has one.
    fn meter_points(&self, message: &Message, tags: &[Tag], attachment_names: &[&str]) -> bool {
        let full = tags.len() >= TagRules::MOST;
        let headline = &message.headline;
        tags.iter().any(|tag| tag.kind() != TagKind::Reference)
            || full && self.tags.any_meter_point(&headline.subject, &message.text, attachment_names)
    }

    /// What stands behind a code or the plus of an address comes first: it is what the sender says that the mail is about.
    fn tags_of(
        &self,
        facts: &Facts<'_>,
        found: &[Finding],
        named: Option<Named<'_>>,
        attachment_names: &[&str],
    ) -> Vec<Tag> {
        let headline = &facts.message.headline;
        let tags = self.tags.find(&headline.subject, &facts.message.text, attachment_names);
        let counting = found.iter().filter(|finding| self.detectors.counts(finding));
        let mut tags = self.tags.with_files(tags, facts.documents, counting);
        let details = facts.recipients.iter().filter_map(|recipient| match recipient {
            Recipient::PlusAddress { detail, .. } => self.tags.behind_code(detail),
            _ => None,
        });
        let said: Vec<Tag> =
            named.and_then(|named| self.tags.behind_code(named.rest)).into_iter().chain(details).collect();
        for tag in said.into_iter().rev() {
            tags.retain(|other| *other != tag);
            tags.insert(0, tag);
        }
        tags.truncate(TagRules::MOST);
        tags
    }
}

fn seen_by_rules<'a>(facts: &Facts<'a>, tags: &'a [Tag]) -> Mail<'a> {
    let Facts { sender, message, documents, fields, .. } = *facts;
    Mail { sender, message, documents, fields, tags }
}

/// What was found out about a mail as a whole.
struct Seen<'a> {
    facts: &'a Facts<'a>,
    named: Option<Named<'a>>,
    classified: Option<&'a ProcessId>,
    content: Content,
}

/// What a recipient is to the sender; none for what comes back, about which no rule is asked.
fn kind(sender: &GroupId, recipient: &Recipient, passing: Passing) -> Option<Kind> {
    Some(match (recipient, passing) {
        (Recipient::Return, _) => return None,
        (Recipient::Mailbox(place) | Recipient::PlusAddress { mailbox: place, .. }, passing) => {
            match (place.group == *sender, passing) {
                (false, _) => Kind::Mailbox,
                (true, Passing::Off) => Kind::OwnMailbox,
                (true, Passing::On) => Kind::OwnDomain,
            }
        }
        (Recipient::ReplyAddress(case), _) if case.has(sender) => Kind::ReplyAddress,
        (Recipient::ReplyAddress(_), _) => Kind::ForeignReplyAddress,
        (Recipient::Counterparty { group, .. }, _) if group != sender => Kind::Counterparty,
        (Recipient::Unknown, _) | (_, Passing::Off) => Kind::Unmapped,
        (Recipient::OwnDomain | Recipient::Counterparty { .. }, Passing::On) => Kind::OwnDomain,
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
            // Who lets it go decides for the recipient that it had, unless the rule was one about its process.
            let place =
                place.filter(|place| rule.asks_for_class() || !matches!(place.signal, Signal::Rules(_)));
            Verdict::Hold { rule: id, reason: rule.reason(circumstances), public: public.clone(), place }
        }
        (Decision::Refuse { public }, _) => Verdict::Refuse { rule: id, public: public.clone() },
    }
}

/// Where a mail belongs: the reply address names the case, then the references, then the mailbox. A subject or the rules
/// name a mailbox where there is none, and never override one.
fn place(
    sender: &GroupId,
    recipient: &Recipient,
    named: Option<Signal>,
    referenced: &[NamedCase],
) -> Option<Placed> {
    let placed = |signal, process: &ProcessId, contact_type: &ContactType| {
        Some(Placed { signal, process: process.clone(), contact_type: contact_type.clone() })
    };
    let (mailbox, signal) = match (recipient, named) {
        (Recipient::ReplyAddress(case), _) => {
            return placed(Signal::ReplyAddress(case.id.clone()), &case.process, &case.contact_type);
        }
        (Recipient::Mailbox(place), _) if place.group != *sender => (place.clone(), Signal::Mailbox),
        (Recipient::PlusAddress { mailbox, .. }, _) if mailbox.group != *sender => {
            (mailbox.clone(), Signal::PlusAddress)
        }
        (_, Some(Signal::SubjectCode(place))) => (place.clone(), Signal::SubjectCode(place)),
        (_, Some(Signal::Rules(place))) => (place.clone(), Signal::Rules(place)),
        _ => return None,
    };
    match referenced.iter().find(|case| case.takes(sender, &mailbox)) {
        Some(case) => placed(Signal::References(case.id.clone()), &case.process, &case.contact_type),
        None => placed(signal, &mailbox.process, &mailbox.contact_type),
    }
}

#[cfg(test)]
mod tests;
