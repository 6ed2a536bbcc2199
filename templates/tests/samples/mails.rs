//! Sample mails: of a case, taken back, damaged, held.

use templates::pages::*;

use super::{frame, when};

fn file(name: &str, kind: &str, size: &str) -> FileLink {
    FileLink {
        href: Some("/case/0/message/0/part/1".into()),
        name: name.into(),
        kind: kind.into(),
        size: size.into(),
    }
}

pub(crate) fn mark(label: &str, state: &'static str) -> Mark {
    Mark { label: label.into(), state }
}

fn check(name: &'static str, result: &str) -> Check {
    Check { name, result: result.into() }
}

pub(crate) fn mail(anchor: &str, ours: bool) -> Mail {
    Mail {
        anchor: anchor.into(),
        label: format!("message {anchor}"),
        author: if ours { "Sam Taylor".into() } else { "Morgan Reid".into() },
        address: Some(if ours { "sam@beta.example".into() } else { "morgan.reid@alpha.example".into() }),
        sender: None,
        company: if ours { "Beta Power".into() } else { "Alpha Energy".into() },
        received: when(),
        proof: if ours {
            Proof { says: "Sender proved by login of Sam Taylor".into(), strong: true, checks: Vec::new() }
        } else {
            Proof {
                says: "Taken from the mailbox erroneous-transfers; its server vouched".into(),
                strong: false,
                checks: vec![
                    check("SPF", "passed"),
                    check("DKIM", "passed, for alpha.example"),
                    check("DMARC", "passed"),
                    check("ARC", "not there"),
                ],
            }
        },
        marks: if ours {
            vec![mark("No virus found", "good")]
        } else {
            vec![mark("Not checked for viruses", "soon"), mark("S/MIME signature, not checked here", "plain")]
        },
        subject: "Erroneous transfer at 14 Example Row".into(),
        to: "et@beta.example".into(),
        cc: (!ours).then(|| "team@alpha.example".into()),
        text: "Dear colleagues,\n\nour customer tells us that their supply was taken over by you on 4 May without their\nagreement. Please find the signed statement attached and confirm by the due date\nthat you return the supply.\n\n  1. Meter point: see the attachment\n  2. Start date of the wrong supply: 4 May 2026\n\nKind regards\nMorgan Reid".into(),
        quoted: ours.then(|| "> Dear colleagues,\n> our customer tells us".into()),
        whole: (!ours).then(|| "/case/0/message/0".into()),
        broken: None,
        formatted: if ours { Vec::new() } else { vec!["about:blank".into()] },
        files: if ours {
            Vec::new()
        } else {
            vec![
                file("statement-signed.pdf", "PDF document", "about 214 KB"),
                file("readings a rather long name with spaces 2026-05-04 final final.xlsx", "Excel workbook", "about 18 KB"),
            ]
        },
        pictures: if ours { Vec::new() } else { vec![file("logo.png", "PNG picture", "about 3 KB")] },
        original: Some(file("K7Q-4M2X-1.eml", "mail", "316 KB")),
        remarks: if ours {
            Vec::new()
        } else {
            vec!["Part of this mail is encrypted or locked with a password: nobody here could look inside, and nothing in it was searched.".into()]
        },
    }
}

pub(crate) fn card(number: u32, ours: bool) -> MessageCard {
    MessageCard {
        number,
        company: if ours { "Beta Power".into() } else { "Alpha Energy".into() },
        ours,
        received: when(),
        withdrawn: ours.then(|| "Your company took this message back on Fri 22 May 2026, 15:02 BST. It had been read by Alpha Energy before.".into()),
        unreadable: None,
        mail: Some(mail(&number.to_string(), ours)),
    }
}

pub(crate) fn taken_back(number: u32) -> MessageCard {
    MessageCard {
        withdrawn: Some("Alpha Energy took this message back before your company had read it.".into()),
        mail: None,
        ..card(number, false)
    }
}

pub(crate) fn damaged(number: u32) -> MessageCard {
    MessageCard {
        unreadable: Some(
            "The other messages of this case are not affected. Tell your Postern operator.".into(),
        ),
        mail: None,
        ..card(number, false)
    }
}

pub(crate) fn held_list(empty: bool) -> HeldList {
    let row = |from: Option<&str>, reason, rule: &str, onward: &str| HeldRow {
        href: "/held/0".into(),
        from: from.map(Into::into),
        proof: "Sender proved by its client certificate".into(),
        received: when(),
        reason,
        rule: rule.into(),
        size: "316 KB".into(),
        onward: onward.into(),
    };
    HeldList {
        frame: frame("Held mail", true),
        company: "Beta Power".into(),
        told: Some("Released: the mail is in case K7Q-4M2X now.".into()),
        task: (!empty).then(|| HeldTask {
            says: "3 mails came here for your decision since the list was last empty.".into(),
            since: when(),
        }),
        rows: if empty {
            Vec::new()
        } else {
            vec![
                row(
                    Some("Sam Taylor"),
                    "Personal data",
                    "hold-personal-data",
                    "passes it on to 2 recipients",
                ),
                row(None, "Virus found", "hold-virus", "secures it in its case"),
                row(
                    Some("Priya Anand-Fitzgerald"),
                    "Locked content",
                    "hold-opaque",
                    "secures it in its case",
                ),
            ]
        },
        oldest: (!empty).then(|| "/held".into()),
        newer: (!empty).then(|| "/held?after=0".into()),
    }
}

pub(crate) fn held() -> HeldPage {
    let finding =
        |category, reason: &str| Finding { category: String::from(category), reason: reason.into() };
    HeldPage {
        frame: frame("A held mail", true),
        because: "It waits because it would carry personal data to where they may not go.",
        rule: "hold-personal-data".into(),
        size: "316 KB".into(),
        recipients: vec!["jo.okafor@gamma.example".into(), "planning-and-connections@gamma.example".into()],
        more: 3,
        findings: vec![
            finding("Electricity meter point (MPAN)", "1200023305967: the check digits are right, and the words around it speak of a meter point"),
            finding("Closed content", "a part is encrypted or locked with a password"),
        ],
        locked: Some("Its files and the original are not given away, because the virus scanner found something in them."),
        token: "token".into(),
        release: Decision {
            action: "/held/0/release".into(),
            label: "Pass it on …",
            says: vec!["It leaves as ordinary mail to all 5 recipients, with everything that is in it. Nobody can call it back.".into()],
            button: "Pass it on",
        },
        destroy: Decision {
            action: "/held/0/return".into(),
            label: "Return it to the sender …",
            says: vec!["It is destroyed here and reaches nobody. Its sender is told that it was not let through, and why. This cannot be undone.".into()],
            button: "Return and destroy it",
        },
        mail: Mail {
            files: vec![FileLink { href: None, ..file("statement-signed.pdf", "PDF document", "about 214 KB") }],
            pictures: Vec::new(),
            original: None,
            formatted: Vec::new(),
            whole: None,
            ..mail("held", false)
        },
        cut: true,
    }
}
