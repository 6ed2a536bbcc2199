//! What the shipped rules say about a mail, recipient by recipient.

mod unread;

use mail::{Address, Budget, HoldReason, ReversePath, Scan, Scanner};

use crate::{Effect, Protection, Recall, detect::Business};

use super::*;

struct Case {
    rules: Ruleset,
    passing: Passing,
    scan: Scan,
    message: Message,
}

impl Case {
    fn of(mail: &str) -> Self {
        let rules = Ruleset::shipped().unwrap();
        Self { rules, passing: Passing::On, scan: Scan::Off, message: scanned(mail) }
    }

    fn plain() -> Self {
        Self::of("From: jo@alpha.example\nSubject: hello\n\nhello\n")
    }

    fn judge(&self, recipients: &[Recipient], referenced: &[NamedCase]) -> Judged {
        self.rules.judge(&Facts {
            sender: &group("alpha"),
            passing: self.passing,
            reverse_path: &person(),
            message: &self.message,
            recipients,
            referenced,
            scan: self.scan,
            protection: Protection::Tls,
            documents: &[],
            business: &Business::new(&is_staff, &self.message.headline),
            fields: &[],
        })
    }

    /// The verdict for one recipient as (rule, word): `secure`, `relay`, a reason to hold, `refuse`.
    fn rule(&self, recipient: &Recipient) -> (String, &'static str) {
        let judged = self.judge(std::slice::from_ref(recipient), &[]);
        let verdict = judged.strictest().unwrap();
        let word = match verdict {
            Verdict::Secure { .. } => "secure",
            Verdict::Relay { .. } => "relay",
            Verdict::Hold { reason, .. } => reason.as_str(),
            Verdict::Return => "return",
            Verdict::Refuse { .. } => "refuse",
        };
        (verdict.rule().map(RuleId::to_string).unwrap_or_default(), word)
    }
}

/// The shipped rules, but with a process that has another mind about closed content.
fn strict(opaque: &str) -> Ruleset {
    let text = include_str!("../../shipped/processes.toml");
    let text = text.replacen("code = \"ET\"", &format!("code = \"ET\"\nopaque = \"{opaque}\""), 1);
    with(FileKind::Catalogue, &text)
}

/// The shipped rules with one file of others.
fn with(kind: FileKind, text: &str) -> Ruleset {
    let mut files = RuleFiles::shipped();
    files.replace(kind, "test.toml", text);
    Ruleset::read(files).unwrap()
}

fn is_staff(domain: &str) -> bool {
    matches!(domain, "alpha.example" | "beta.example" | "gamma.example")
}

fn group(name: &str) -> GroupId {
    name.parse().unwrap()
}

fn person() -> ReversePath {
    ReversePath::Address(Address::parse("ann@alpha.example").unwrap())
}

fn place_of(owner: &str, process: &str, contact_type: &str) -> Place {
    Place {
        address: Address::parse(&format!("{process}.{contact_type}@{owner}.example")).unwrap(),
        group: group(owner),
        participant: owner[..4].to_uppercase().parse().unwrap(),
        process: process.parse().unwrap(),
        contact_type: contact_type.parse().unwrap(),
    }
}

fn mailbox(owner: &str) -> Recipient {
    Recipient::Mailbox(place_of(owner, "erroneous-transfers", "initial-request"))
}

/// An unmapped address of `owner`, who has mailboxes for these processes and rungs.
fn counterparty(owner: &str, mailboxes: &[(&str, &str)]) -> Recipient {
    let mailboxes = mailboxes.iter().map(|(process, rung)| place_of(owner, process, rung)).collect();
    Recipient::Counterparty { group: group(owner), mailboxes }
}

fn with_et(owner: &str) -> Recipient {
    counterparty(owner, &[("erroneous-transfers", "initial-request")])
}

fn case(process: &str, sides: &[&str]) -> NamedCase {
    NamedCase {
        id: "case-1".into(),
        process: process.parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
        sides: sides.iter().map(|side| (group(side), side[..4].to_uppercase().parse().unwrap())).collect(),
    }
}

fn scanned(mail: &str) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail.replace('\n', "\r\n").as_bytes());
    scanner.finish()
}

/// (rule, signal, contact type) of a secure verdict on a plain mail.
fn secured(recipient: &Recipient, referenced: &[NamedCase]) -> (String, Signal, String) {
    match Case::plain().judge(std::slice::from_ref(recipient), referenced).verdicts.remove(0) {
        Verdict::Secure { rule, signal, contact_type, process } => {
            assert_eq!(process.as_str(), "erroneous-transfers");
            (rule.to_string(), signal, contact_type.to_string())
        }
        other => panic!("{other:?}"),
    }
}

/// What is refused at `RCPT` is refused with the whole mail, in the same words.
fn refused(recipient: &Recipient, passing: Passing) -> (String, String) {
    let case = Case { passing, ..Case::plain() };
    let early = case.rules.class(&group("alpha"), recipient, passing).unwrap_err();
    let Some(Verdict::Refuse { rule, public }) =
        case.judge(std::slice::from_ref(recipient), &[]).verdicts.pop()
    else {
        panic!("{recipient:?}")
    };
    assert_eq!((&early.rule, &early.public), (&rule, &public));
    (rule.to_string(), public)
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
    assert_eq!(effect(mail::Class::Human, &ReversePath::Null), Effect::EventOnly);
    assert_eq!(effect(mail::Class::Human, &person()), Effect::Message);
}

#[test]
fn what_is_not_mapped_is_refused_in_words_that_help() {
    let (rule, public) = refused(&Recipient::Unknown, Passing::On);
    assert_eq!(rule, "refuse-unmapped");
    assert!(public.contains("not mapped") && public.contains("check the address"), "{public}");
    let foreign = Recipient::ReplyAddress(case("erroneous-transfers", &["beta", "gamma"]));
    assert_eq!(refused(&foreign, Passing::On), (rule, public), "a foreign case looks like none");
}

#[test]
fn without_relaying_there_is_nowhere_to_pass_on_to() {
    let unknown = refused(&Recipient::Unknown, Passing::Off);
    for recipient in [Recipient::OwnDomain, with_et("alpha"), counterparty("beta", &[]), Recipient::Outside] {
        assert_eq!(refused(&recipient, Passing::Off), unknown, "{recipient:?}");
    }
    let (rule, public) = refused(&mailbox("alpha"), Passing::Off);
    assert_eq!(rule, "refuse-own-mailbox");
    assert!(public.contains("your own company"), "{public}");
}

#[test]
fn without_relaying_a_code_still_finds_the_mailbox_of_a_company() {
    let closed = |mail: &str| Case { passing: Passing::Off, ..Case::of(mail) };
    let rules = Ruleset::shipped().unwrap();
    let class = rules.class(&group("alpha"), &with_et("beta"), Passing::Off);
    assert_eq!(class, Ok(Class::Counterparty), "it shows with the subject");
    assert_eq!(closed(CODE).rule(&with_et("beta")), ("secure-subject-code".to_owned(), "secure"));
    let other = counterparty("beta", &[("crossed-meters", "initial-request")]);
    for (mail, to) in
        [(CODE, &other), (MPAN, &with_et("beta")), ("Subject: hello\n\nhello\n", &with_et("beta"))]
    {
        assert_eq!(closed(mail).rule(to), ("refuse-unmapped".to_owned(), "refuse"), "{mail}");
    }
    let unknown = refused(&Recipient::Unknown, Passing::Off);
    let case = closed("Subject: hello\n\nhello\n");
    let Some(Verdict::Refuse { public, .. }) = case.judge(&[with_et("beta")], &[]).verdicts.pop() else {
        panic!()
    };
    assert_eq!(public, unknown.1, "nobody learns whether the person exists");
}

#[test]
fn plus_address_is_its_mailbox_and_its_detail_a_tag() {
    let place = place_of("beta", "erroneous-transfers", "initial-request");
    let plus = |detail: &str| Recipient::PlusAddress { mailbox: place.clone(), detail: detail.to_owned() };
    for passing in [Passing::Off, Passing::On] {
        let case = Case { passing, ..Case::plain() };
        let judged = case.judge(&[plus("abc-123456")], &[]);
        let Verdict::Secure { signal, process, .. } = &judged.verdicts[0] else { panic!("{judged:?}") };
        assert_eq!((signal, signal.as_str()), (&Signal::PlusAddress, "plus-address"));
        assert_eq!(process.as_str(), "erroneous-transfers");
        assert_eq!(judged.tags, [Tag::reference("ABC-123456").unwrap()]);
    }
    let judged = Case::plain().judge(&[plus("1200023305967"), plus("anything")], &[]);
    assert_eq!(judged.tags, [Tag::mpan("1200023305967").unwrap()]);
    let case = self::case("erroneous-transfers", &["alpha", "beta"]);
    let judged = Case::plain().judge(&[plus("x")], &[case]);
    assert!(
        matches!(&judged.verdicts[0], Verdict::Secure { signal: Signal::References(_), .. }),
        "{judged:?}"
    );
}

#[test]
fn class_of_each_recipient() {
    let rules = Ruleset::shipped().unwrap();
    let reply = Recipient::ReplyAddress(case("erroneous-transfers", &["alpha", "beta"]));
    for (recipient, class) in [
        (mailbox("beta"), Class::Case),
        (reply, Class::Case),
        (mailbox("alpha"), Class::Own),
        (Recipient::OwnDomain, Class::Own),
        (with_et("alpha"), Class::Own),
        (with_et("beta"), Class::Counterparty),
        (counterparty("beta", &[]), Class::Counterparty),
        (Recipient::Outside, Class::Outside),
        (Recipient::Return, Class::Return),
    ] {
        assert_eq!(rules.class(&group("alpha"), &recipient, Passing::On), Ok(class), "{recipient:?}");
    }
    assert_eq!(rules.class(&group("alpha"), &Recipient::Return, Passing::Off), Ok(Class::Return));
}

const MPAN: &str = "From: jo@alpha.example\nSubject: Mrs Jones\n\nMPAN 1200023305967\n";
const CODE: &str = "From: jo@alpha.example\nSubject: Re: [et] 1200023305967 Mrs Jones\n\nhello\n";

#[test]
fn mail_passes_on_unless_it_has_personal_data() {
    let (plain, personal) = (Case::plain(), Case::of(MPAN));
    let rule = |rule: &str, word| (rule.to_owned(), word);
    assert_eq!(plain.rule(&Recipient::OwnDomain), rule("relay-own-company", "relay"));
    assert_eq!(personal.rule(&Recipient::OwnDomain), rule("relay-own-company", "relay"));
    assert_eq!(plain.rule(&with_et("beta")), rule("relay-counterparty", "relay"));
    assert_eq!(personal.rule(&with_et("beta")), rule("hold-personal-data", "personal-data"));
    assert_eq!(plain.rule(&Recipient::Outside), rule("relay-outside", "relay"));
    assert_eq!(personal.rule(&Recipient::Outside), rule("refuse-personal-data-outside", "refuse"));
    assert_eq!(personal.rule(&Recipient::Return), rule("", "return"));
    let reference = Case::of("From: jo@alpha.example\nSubject: invoice\n\nOur ref: ABC-123456\n");
    assert_eq!(reference.rule(&Recipient::Outside).1, "relay", "a reference is nobody's personal data");
}

#[test]
fn meter_point_behind_a_crowd_of_references_is_seen() {
    let crowd: String = (0..60).map(|n| format!("our ref AB-{n:05}\n")).collect();
    let case = Case::of(&format!("From: jo@alpha.example\n\n{crowd}MPAN 1200023305967\n"));
    assert_eq!(case.rule(&Recipient::Outside).0, "refuse-personal-data-outside");
}

#[test]
fn subject_code_secures_where_the_company_has_a_mailbox_on_the_lowest_rung() {
    let case = Case::of(CODE);
    let mailboxes = [
        ("crossed-meters", "initial-request"),
        ("erroneous-transfers", "escalation-1"),
        ("erroneous-transfers", "initial-request"),
        ("erroneous-transfers", "contract-manager"),
    ];
    let to = counterparty("beta", &mailboxes);
    let place = place_of("beta", "erroneous-transfers", "initial-request");
    let judged = case.judge(std::slice::from_ref(&to), &[]);
    assert_eq!(
        judged.verdicts,
        [Verdict::Secure {
            rule: judged.verdicts[0].rule().unwrap().clone(),
            signal: Signal::SubjectCode(place.clone()),
            process: place.process,
            contact_type: place.contact_type,
        }]
    );
    assert_eq!(case.rule(&to).0, "secure-subject-code");
    assert_eq!(judged.tags, [Tag::mpan("1200023305967").unwrap()]);
    assert_eq!(case.rule(&counterparty("beta", &mailboxes[..1])).1, "personal-data");
    let known = self::case("erroneous-transfers", &["alpha", "beta"]);
    let Verdict::Secure { signal, .. } = &case.judge(&[to], &[known]).verdicts[0] else { panic!() };
    assert_eq!(*signal, Signal::References("case-1".into()));
}

#[test]
fn subject_code_never_overrides_a_mailbox() {
    let case = Case::of("From: jo@alpha.example\nSubject: [CM] 9512345678908\n\nhello\n");
    let judged = case.judge(&[mailbox("beta")], &[]);
    let Verdict::Secure { signal: Signal::Mailbox, process, .. } = &judged.verdicts[0] else {
        panic!("{judged:?}")
    };
    assert_eq!(process.as_str(), "erroneous-transfers");
    assert_eq!(judged.tags, [Tag::mpan("9512345678908").unwrap()], "the code speaks for the number");
}

#[test]
fn code_without_a_mailbox_does_not_travel_in_the_clear() {
    let case = Case::of("From: jo@alpha.example\nSubject: [ET] who is in charge?\n\nhello\n");
    let to = [with_et("beta"), counterparty("gamma", &[])];
    let judged = case.judge(&to, &[]);
    assert!(matches!(judged.verdicts[0], Verdict::Secure { .. }));
    let Some(Verdict::Refuse { rule, .. }) = judged.strictest() else { panic!("{judged:?}") };
    assert_eq!(rule.as_str(), "refuse-code-without-mailbox");
}

#[test]
fn found_virus_is_held_wherever_it_goes() {
    let case = Case { scan: Scan::Found, ..Case::plain() };
    for to in [mailbox("beta"), mailbox("alpha"), with_et("beta"), Recipient::Outside] {
        assert_eq!(case.rule(&to), ("hold-virus".to_owned(), HoldReason::Virus.as_str()), "{to:?}");
    }
    let Verdict::Hold { place, .. } = &case.judge(&[mailbox("beta")], &[]).verdicts[0] else { panic!() };
    assert_eq!(place.as_ref().unwrap().signal, Signal::Mailbox, "where it goes when released");
    for scan in [Scan::Clean, Scan::NotChecked] {
        assert_eq!(Case { scan, ..Case::plain() }.rule(&mailbox("beta")).1, "secure");
    }
}

#[test]
fn whole_mail_gets_a_verdict_for_each_recipient_its_effect_and_its_tags() {
    let case = Case::of(
        "From: jo@alpha.example\nSubject: MPAN 1200023305967\n\nMPRN: 3938424403\nOur ref: ABC-123456\n",
    );
    let judged = case.judge(&[Recipient::Unknown, mailbox("beta")], &[]);
    assert_eq!((judged.effect, &judged.recall), (Effect::Message, &None));
    assert!(matches!(judged.verdicts.as_slice(), [Verdict::Refuse { .. }, Verdict::Secure { .. }]));
    assert_eq!(judged.strictest(), judged.verdicts.first());
    let kinds: Vec<TagKind> = judged.tags.iter().map(Tag::kind).collect();
    assert_eq!(kinds, [TagKind::Mpan, TagKind::Reference, TagKind::Mprn]);
    assert_eq!(case.judge(&[], &[]).strictest(), None);
}

#[test]
fn machines_make_events_only() {
    let reply =
        Case::of("From: jo@alpha.example\nSubject: away\nAuto-Submitted: auto-replied\n\nI am away.\n");
    let judged = reply.judge(&[mailbox("beta")], &[]);
    assert_eq!((judged.effect, judged.recall), (Effect::EventOnly, None));
    for class in [
        mail::Class::Bounce,
        mail::Class::Receipt,
        mail::Class::Calendar,
        mail::Class::Recall,
        mail::Class::List,
        mail::Class::Empty,
    ] {
        assert_eq!(effect(class, &person()), Effect::EventOnly);
    }
}

#[test]
fn recall_says_what_it_takes_back() {
    let case = Case::of(
        "From: jo@alpha.example\nSubject: Recall: [ET] 1200023305967\nX-Message-Class: IPM.Outlook.Recall\n\
         In-Reply-To: <2@alpha.example>\nReferences: <1@alpha.example> <2@alpha.example>\n\nplease\n",
    );
    let judged = case.judge(&[mailbox("beta")], &[]);
    assert_eq!(judged.effect, Effect::EventOnly);
    let of = ["2@alpha.example", "1@alpha.example"].map(str::to_owned).to_vec();
    assert_eq!(judged.recall, Some(Recall { of, subject: "[ET] 1200023305967".to_owned() }));
    let machine = case.rules.judge(&Facts {
        reverse_path: &ReversePath::Null,
        sender: &group("alpha"),
        passing: Passing::Off,
        message: &case.message,
        recipients: &[],
        referenced: &[],
        scan: Scan::Off,
        protection: Protection::None,
        documents: &[],
        business: &Business::new(&is_staff, &case.message.headline),
        fields: &[],
    });
    assert_eq!(machine.recall, None, "only a person acts");
}

const BY_CODE_ONLY: &str = r#"
[[rule]]
id = "not-here"
recipient = ["mailbox"]
process = ["crossed-meters"]
verdict = "refuse"
public = "no crossed meters"

[[rule]]
id = "case"
recipient = ["mailbox", "reply-address"]
verdict = "secure"

[[rule]]
id = "by-code"
recipient = ["counterparty"]
subject_code = ["mailbox"]
verdict = "secure"

[[rule]]
id = "suspicious"
recipient = ["counterparty"]
personal_data = "found"
verdict = "refuse"
public = "personal data"

[[rule]]
id = "nowhere"
recipient = ["counterparty", "own-domain", "outside", "own-mailbox", "foreign-reply-address", "unmapped"]
verdict = "refuse"
public = "nowhere"
"#;

#[test]
fn who_would_be_refused_whatever_the_mail_says_is_refused_at_once() {
    let rules = with(FileKind::Verdicts, BY_CODE_ONLY);
    let class = |recipient: &Recipient| {
        rules.class(&group("alpha"), recipient, Passing::On).map_err(|refused| refused.public)
    };
    let crossed = Recipient::Mailbox(place_of("beta", "crossed-meters", "initial-request"));
    assert_eq!(class(&mailbox("beta")), Ok(Class::Case));
    assert_eq!(class(&crossed), Err("no crossed meters".to_owned()));
    assert_eq!(class(&with_et("beta")), Ok(Class::Counterparty), "the subject may name the mailbox");
    assert_eq!(class(&counterparty("beta", &[])), Err("nowhere".to_owned()), "in the words for a plain mail");
    assert_eq!(class(&Recipient::Outside), Err("nowhere".to_owned()));
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
