//! The judge: what happens to a mail, recipient by recipient, and why. Pure: the same facts give the same judgement,
//! and everything that decided is named (rule and signal), so that a decision can be explained later.

use jiff::Timestamp;
use mail::{ContactType, GroupId, HoldReason, Message, PartRole, ProcessId, ReversePath, Scan, Tag};

use crate::{
    Calendar, Catalogue, Class, DueDate, NamedCase, Passing, Place, PolicyError, Recipient, Refused,
    TagRules, due,
    verdicts::{Decision, RuleId, Situation, VerdictRules},
};

/// All that is known about one mail.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The group that the transport has proved.
    pub sender: &'a GroupId,
    /// Whether mail of this sender may pass on.
    pub passing: Passing,
    /// Where the envelope wants failures to go.
    pub reverse_path: &'a ReversePath,
    /// The parsed mail.
    pub message: &'a Message,
    /// The recipients of the envelope.
    pub recipients: &'a [Recipient],
    /// The cases that `In-Reply-To` and `References` name, the nearest first.
    pub referenced: &'a [NamedCase],
    /// What the virus scanner said.
    pub scan: Scan,
}

/// The judgement of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// One verdict for each recipient, in the order of the facts.
    pub verdicts: Vec<Verdict>,
    /// What the mail does in its case.
    pub effect: Effect,
    /// The search tags, each once, at most [`TagRules::MOST`].
    pub tags: Vec<Tag>,
    /// What the mail asks to take back. It is [`Effect::EventOnly`] itself.
    pub recall: Option<Recall>,
}

/// A person's request to take a message back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The Message-IDs that the request refers to, the nearest first, without angle brackets.
    pub of: Vec<String>,
    /// The subject of the message to take back.
    pub subject: String,
}

/// What a mail does in its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A person wrote it: it opens cases, makes notices, stops clocks.
    Message,
    /// A machine wrote it, or nobody wrote anything: it is kept and seen, and nothing else happens.
    EventOnly,
}

/// What happens to the mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Sealed and kept.
    Secure {
        /// The rule that said so.
        rule: RuleId,
        /// What decided about the place.
        signal: Signal,
        /// The process it belongs to.
        process: ProcessId,
        /// The rung it belongs to.
        contact_type: ContactType,
    },
    /// Passed on as it is; nothing is kept.
    Relay {
        /// The rule that said so.
        rule: RuleId,
    },
    /// Kept sealed until the compliance role of the sender's group decides.
    Hold {
        /// The rule that said so.
        rule: RuleId,
        /// Why, in one word.
        reason: HoldReason,
        /// The sentence for the sender: ASCII, one line.
        public: String,
    },
    /// Taken note of and let go: a mail of ours has come back.
    Return,
    /// Not taken.
    Refuse {
        /// The rule that said so.
        rule: RuleId,
        /// The sentence for the peer: ASCII, one line.
        public: String,
    },
}

/// What decided where a secured mail belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The keyed reply address names this case ([`NamedCase::id`]).
    ReplyAddress(String),
    /// The mail's references name this case of the mailbox's process and group.
    References(String),
    /// The mailbox map; a new case.
    Mailbox,
    /// The code in the subject names the process for which the recipient's group has this mailbox; a new case.
    SubjectCode(Place),
}

/// Everything the judge goes by. Immutable: new files make a new ruleset.
#[derive(Debug)]
pub struct Ruleset {
    catalogue: Catalogue,
    calendar: Calendar,
    tags: TagRules,
    verdicts: VerdictRules,
}

impl Judged {
    /// The verdict that applies to the whole transaction; none where there was no recipient.
    pub fn strictest(&self) -> Option<&Verdict> {
        self.verdicts.first()
    }
}

impl Ruleset {
    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::new(Catalogue::shipped()?, Calendar::shipped()?, TagRules::shipped()?, VerdictRules::shipped()?)
    }

    /// Rules from files that the caller has read and parsed.
    pub fn new(
        catalogue: Catalogue,
        calendar: Calendar,
        tags: TagRules,
        verdicts: VerdictRules,
    ) -> Result<Self, PolicyError> {
        Ok(Self { catalogue, calendar, tags, verdicts })
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

    /// Judges a whole mail.
    pub fn judge(&self, facts: &Facts<'_>) -> Judged {
        let verdict = |recipient| self.verdict(facts, recipient);
        Judged {
            verdicts: facts.recipients.iter().map(verdict).collect(),
            effect: effect(facts.message.class, facts.reverse_path),
            tags: self.tags_of(facts.message),
            recall: None,
        }
    }

    /// The class of a recipient, from what is known at `RCPT`; a refusal here is the one the whole mail would get.
    pub fn class(&self, sender: &GroupId, recipient: &Recipient, _: Passing) -> Result<Class, Refused> {
        if *recipient == Recipient::Return {
            return Ok(Class::Return);
        }
        match self.verdicts.decide(situation(sender, recipient)) {
            (_, Decision::Secure) => Ok(Class::Case),
            (rule, Decision::Refuse { public }) => {
                Err(Refused { rule: rule.clone(), public: public.clone() })
            }
        }
    }

    fn verdict(&self, facts: &Facts<'_>, recipient: &Recipient) -> Verdict {
        let Facts { sender, referenced, .. } = facts;
        if *recipient == Recipient::Return {
            return Verdict::Return;
        }
        let (rule, decision) = self.verdicts.decide(situation(sender, recipient));
        let public = match decision {
            Decision::Refuse { public } => public.clone(),
            Decision::Secure => match place(sender, recipient, referenced) {
                Some((signal, process, contact_type)) => {
                    return Verdict::Secure { rule: rule.clone(), signal, process, contact_type };
                }
                // The rules are checked when they are loaded: none secures an address that names no process.
                None => "no process is known for this address".to_owned(),
            },
        };
        Verdict::Refuse { rule: rule.clone(), public }
    }

    fn tags_of(&self, message: &Message) -> Vec<Tag> {
        let names: Vec<&str> = message
            .headline
            .parts
            .iter()
            .filter(|part| part.role != PartRole::Body)
            .filter_map(|part| part.name.as_deref())
            .collect();
        self.tags.find(&message.headline.subject, &message.text, &names)
    }
}

fn situation(sender: &GroupId, recipient: &Recipient) -> Situation {
    match recipient {
        Recipient::Mailbox(place) if place.group == *sender => Situation::OwnMailbox,
        Recipient::Mailbox(_) => Situation::Mailbox,
        Recipient::ReplyAddress(case) if case.has(sender) => Situation::ReplyAddress,
        Recipient::ReplyAddress(_) => Situation::ForeignReplyAddress,
        _ => Situation::Unmapped,
    }
}

/// Where a secured mail belongs: the reply address names the case, then the references, then the mailbox; never the
/// subject.
fn place(
    sender: &GroupId,
    recipient: &Recipient,
    referenced: &[NamedCase],
) -> Option<(Signal, ProcessId, ContactType)> {
    let placed = |signal, process: &ProcessId, contact_type: &ContactType| {
        Some((signal, process.clone(), contact_type.clone()))
    };
    match recipient {
        Recipient::ReplyAddress(case) => {
            placed(Signal::ReplyAddress(case.id.clone()), &case.process, &case.contact_type)
        }
        Recipient::Mailbox(place) => match referenced.iter().find(|case| case.takes(sender, place)) {
            Some(case) => placed(Signal::References(case.id.clone()), &case.process, &case.contact_type),
            None => placed(Signal::Mailbox, &place.process, &place.contact_type),
        },
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use mail::{Address, Budget, Class, Scanner, TagKind};

    use super::*;

    fn group(name: &str) -> GroupId {
        name.parse().unwrap()
    }

    fn person() -> ReversePath {
        ReversePath::Address(Address::parse("ann@alpha.example").unwrap())
    }

    fn mailbox(owner: &str) -> Recipient {
        Recipient::Mailbox(Place {
            address: Address::parse(&format!("et@{owner}.example")).unwrap(),
            group: group(owner),
            participant: "BETA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
        })
    }

    fn case(process: &str, sides: &[&str]) -> NamedCase {
        NamedCase {
            id: "case-1".into(),
            process: process.parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            sides: sides
                .iter()
                .map(|side| (group(side), side[..4].to_uppercase().parse().unwrap()))
                .collect(),
        }
    }

    fn scanned(mail: &str) -> Message {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail.replace('\n', "\r\n").as_bytes());
        scanner.finish()
    }

    fn verdict(recipient: &Recipient, referenced: &[NamedCase]) -> Verdict {
        let message = scanned("From: jo@alpha.example\n\nhello\n");
        let judged = Ruleset::shipped().unwrap().judge(&Facts {
            sender: &group("alpha"),
            passing: Passing::Off,
            reverse_path: &person(),
            message: &message,
            recipients: std::slice::from_ref(recipient),
            referenced,
            scan: Scan::Off,
        });
        judged.verdicts.into_iter().next().unwrap()
    }

    /// (rule, signal, contact type) of a secure verdict.
    fn secured(recipient: &Recipient, referenced: &[NamedCase]) -> (String, Signal, String) {
        match verdict(recipient, referenced) {
            Verdict::Secure { rule, signal, contact_type, process } => {
                assert_eq!(process.as_str(), "erroneous-transfers");
                (rule.to_string(), signal, contact_type.to_string())
            }
            refused => panic!("{refused:?}"),
        }
    }

    fn refused(recipient: &Recipient) -> (String, String) {
        match verdict(recipient, &[]) {
            Verdict::Refuse { rule, public } => (rule.to_string(), public),
            secured => panic!("{secured:?}"),
        }
    }

    #[test]
    fn mapped_mailbox_is_secured() {
        let (rule, signal, rung) = secured(&mailbox("beta"), &[]);
        assert_eq!(
            (rule.as_str(), signal, rung.as_str()),
            ("secure-mapped-mailbox", Signal::Mailbox, "initial-request")
        );
    }

    #[test]
    fn reply_address_of_the_own_case_is_secured_there() {
        let reply = Recipient::ReplyAddress(case("erroneous-transfers", &["alpha", "beta"]));
        let other = NamedCase { id: "case-2".into(), ..case("erroneous-transfers", &["alpha", "beta"]) };
        let (rule, signal, rung) = secured(&reply, &[other]);
        assert_eq!(
            (rule.as_str(), signal, rung.as_str()),
            ("secure-answer", Signal::ReplyAddress("case-1".into()), "initial-request")
        );
    }

    #[test]
    fn references_name_the_case_only_between_its_parties_in_its_process_and_on_its_rung() {
        let ours = case("erroneous-transfers", &["beta", "alpha"]);
        let (rule, signal, rung) = secured(&mailbox("beta"), &[ours]);
        assert_eq!(
            (rule.as_str(), signal, rung.as_str()),
            ("secure-mapped-mailbox", Signal::References("case-1".into()), "initial-request")
        );
        for other in [
            case("crossed-meters", &["alpha", "beta"]),
            case("erroneous-transfers", &["beta", "gamma"]),
            case("erroneous-transfers", &["alpha", "gamma"]),
        ] {
            assert_eq!(secured(&mailbox("beta"), &[other]).1, Signal::Mailbox);
        }
        let mut rung = case("erroneous-transfers", &["alpha", "beta"]);
        rung.contact_type = "escalation-1".parse().unwrap();
        let mut participant = case("erroneous-transfers", &["alpha", "beta"]);
        participant.sides[1].1 = "BETG".parse().unwrap();
        for other in [rung, participant] {
            assert_eq!(secured(&mailbox("beta"), &[other]).1, Signal::Mailbox, "other people read it");
        }
    }

    #[test]
    fn nobody_who_wants_no_answer_is_a_person() {
        assert_eq!(effect(Class::Human, &ReversePath::Null), Effect::EventOnly);
        assert_eq!(effect(Class::Human, &person()), Effect::Message);
    }

    #[test]
    fn what_is_not_mapped_is_refused_in_words_that_help() {
        let (rule, public) = refused(&Recipient::Unknown);
        assert_eq!(rule, "refuse-unmapped");
        assert!(public.contains("not mapped") && public.contains("check the address"), "{public}");
        let foreign = Recipient::ReplyAddress(case("erroneous-transfers", &["beta", "gamma"]));
        assert_eq!(refused(&foreign), (rule, public), "a foreign case looks like none");
        let (rule, public) = refused(&mailbox("alpha"));
        assert_eq!(rule, "refuse-own-mailbox");
        assert!(public.contains("your own company"), "{public}");
    }

    #[test]
    fn whole_mail_gets_a_verdict_for_each_recipient_its_effect_and_its_tags() {
        let message = scanned(
            "From: jo@alpha.example\nSubject: MPAN 1200023305967\n\nMPRN: 3938424403\nOur ref: ABC-123456\n",
        );
        let judged = Ruleset::shipped().unwrap().judge(&Facts {
            reverse_path: &person(),
            sender: &group("alpha"),
            message: &message,
            recipients: &[Recipient::Unknown, mailbox("beta")],
            referenced: &[],
            passing: Passing::Off,
            scan: Scan::Off,
        });
        assert_eq!(judged.effect, Effect::Message);
        assert!(matches!(judged.verdicts.as_slice(), [Verdict::Refuse { .. }, Verdict::Secure { .. }]));
        let kinds: Vec<TagKind> = judged.tags.iter().map(Tag::kind).collect();
        assert_eq!(kinds, [TagKind::Mpan, TagKind::Reference, TagKind::Mprn]);
    }

    #[test]
    fn machines_make_events_only() {
        let reply =
            scanned("From: jo@alpha.example\nSubject: away\nAuto-Submitted: auto-replied\n\nI am away.\n");
        let judged = Ruleset::shipped().unwrap().judge(&Facts {
            reverse_path: &person(),
            sender: &group("alpha"),
            message: &reply,
            recipients: &[mailbox("beta")],
            referenced: &[],
            passing: Passing::Off,
            scan: Scan::Off,
        });
        assert_eq!(judged.effect, Effect::EventOnly);
        for class in
            [Class::Bounce, Class::Receipt, Class::Calendar, Class::Recall, Class::List, Class::Empty]
        {
            assert_eq!(effect(class, &person()), Effect::EventOnly);
        }
    }

    #[test]
    fn due_by_process_and_rung() {
        let rules = Ruleset::shipped().unwrap();
        let received = "2026-06-02T09:00:00Z".parse().unwrap();
        let date = |process: &str, rung: &str| {
            let due = rules.due(&process.parse().unwrap(), &rung.parse().unwrap(), received);
            due.map(|due| due.date.to_string())
        };
        assert_eq!(date("erroneous-transfers", "initial-request").unwrap(), "2026-06-16");
        assert_eq!(date("smart-prepayment", "initial-request").unwrap(), "2026-06-03");
        assert_eq!(date("smart-prepayment", "escalation-3"), None);
        assert_eq!(date("unheard-of", "initial-request"), None);
    }
}
