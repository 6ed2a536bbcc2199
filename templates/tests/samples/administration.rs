//! Sample account and the ways of a company's mail.

use templates::pages::*;

use super::mails::mark;
use super::{frame, when};

pub(crate) fn account(full: bool) -> Account {
    let password = |name: &str| AppPassword {
        name: name.into(),
        made: when(),
        revoke: "/account/app-passwords/0/revoke".into(),
    };
    Account {
        frame: frame("Your account", true),
        name: "Sam Taylor".into(),
        email: "sam@beta.example".into(),
        company: "Beta Power".into(),
        role: "user",
        told: full.then(|| "The app password is revoked: the program that has it can no longer send.".into()),
        problem: (!full).then(|| "Give it a name of up to 60 characters.".into()),
        fresh: full.then(|| FreshPassword {
            name: "Outlook at work".into(),
            password: "k3fe-9xqa-mmwt-2bcd-h7rs".into(),
        }),
        passwords: if full {
            vec![password("Outlook at work"), password("Thunderbird on the laptop"), password("Phone")]
        } else {
            Vec::new()
        },
        full: None,
        token: "token".into(),
        wanted: String::new(),
        program: full.then(|| MailProgram {
            host: "mail.postern.example".into(),
            ports: vec![
                Port { number: 465, outlook: "SSL/TLS", thunderbird: "SSL/TLS" },
                Port { number: 587, outlook: "STARTTLS", thunderbird: "STARTTLS" },
            ],
        }),
    }
}

pub(crate) fn mail_ways(empty: bool) -> MailWays {
    let ways = MailWays {
        frame: frame("Mail", true),
        company: "Beta Power".into(),
        told: Some("Done. Should it happen again, it comes back.".into()),
        token: "token".into(),
        tasks: Vec::new(),
        oldest: None,
        newer: None,
        mailboxes: Vec::new(),
        polled: Vec::new(),
        certificate_name: None,
        certificates: Vec::new(),
        connectors: Vec::new(),
        networks: Vec::new(),
    };
    if empty { MailWays { told: None, ..ways } } else { filled(ways) }
}

fn filled(ways: MailWays) -> MailWays {
    let task = |says: &str, advice, again: Option<&str>| Task {
        says: says.into(),
        advice,
        since: when(),
        again: again.map(Into::into),
        case: Some("/case/0".into()),
        done: "/mail/task/0/done".into(),
    };
    let mailbox = |address: &str, alerts: &str| Mailbox {
        address: address.into(),
        participant: "BETA".into(),
        process: "Erroneous Transfers".into(),
        rung: "Initial request".into(),
        alerts: alerts.into(),
    };
    let polled = |name: &str, standing, why: Option<&str>| Polled {
        name: name.into(),
        standing,
        since: when(),
        taken: 1_204,
        left: 2,
        last: why.is_none().then(when),
        why: why.map(Into::into),
    };
    MailWays {
        tasks: vec![
            task(
                "Mail to et@beta.example comes back: there is no such mailbox (status 5.1.1).",
                "Put the mailbox right with your mail administrator, or ask your Postern operator to map another one.",
                Some("4 times, the last on Fri 22 May 2026, 14:32 BST"),
            ),
            task(
                "The certificate mail.beta.example ends soon.",
                "Get a new one from your Postern operator and install it in your mail system before the old one ends.",
                None,
            ),
        ],
        oldest: Some("/mail".into()),
        newer: Some("/mail?after=0".into()),
        mailboxes: vec![
            mailbox("et@beta.example", "at once"),
            mailbox("escalations-and-contract-managers@beta.example", "daily at 09:00, 13:00 and 16:30"),
        ],
        polled: vec![
            polled("erroneous-transfers", mark("Running", "good"), None),
            polled(
                "disputes",
                mark("Stopped", "bad"),
                Some(
                    "imap.beta.example: the password was refused; put the right one into the file and reload",
                ),
            ),
        ],
        certificate_name: Some("mail.beta.example".into()),
        certificates: vec![
            certificate("mail.beta.example", Some(mark("Ends within 7 days", "bad"))),
            certificate("mail.beta.example (new)", None),
        ],
        connectors: vec![Connector {
            name: "beta-office".into(),
            plain: "beta-office".into(),
            active: true,
            provider: "exchange-online".into(),
            tenant: "7c1f0d5e-0000-4000-8000-3a5b0c9d1e2f".into(),
            standing: mark("Active", "good"),
        }],
        networks: vec!["192.0.2.16/28".into(), "2001:db8:17::/64".into()],
        ..ways
    }
}

fn certificate(name: &str, mark: Option<Mark>) -> Certificate {
    Certificate {
        name: name.into(),
        fingerprint: "0123456789abcdef".into(),
        whole: "0123456789abcdef".repeat(4),
        ends: when(),
        mark,
    }
}

pub(crate) fn mailboxes(empty: bool) -> MailboxMap {
    let choice =
        |value: &str, label: &str| Choice { value: value.into(), label: label.into(), chosen: false };
    let problem = |text: &str| Some(text.to_owned());
    let row = |address: &str| MappedMailbox {
        change: "/mailboxes?address=0".into(),
        plain: address.into(),
        shown: Mailbox {
            address: address.into(),
            participant: "BETA".into(),
            process: "Erroneous Transfers".into(),
            rung: "Initial Request".into(),
            alerts: "daily at 09:00 and 14:00".into(),
        },
    };
    let unmapped = |address: Option<&str>, mails| UnmappedAddress {
        id: "0011223344556677".into(),
        address: address.map(Into::into),
        map: address.map(|_| "/mailboxes?address=0".into()),
        mails,
        personal: mails / 2,
    };
    MailboxMap {
        frame: frame("Mailbox map", true),
        company: "Beta Power".into(),
        told: (!empty).then(|| "Mapped.".into()),
        token: "token".into(),
        domains: if empty { Vec::new() } else { vec!["beta.example".into(), "betapower.example".into()] },
        rows: if empty { Vec::new() } else { vec![row("et@beta.example"), row("readings@beta.example")] },
        first: (!empty).then(|| "/mailboxes".into()),
        next: (!empty).then(|| "/mailboxes?after=0".into()),
        form: MailboxForm {
            address: "nonsense".into(),
            whats: if empty {
                Vec::new()
            } else {
                vec![choice("0", "BETA · Erroneous Transfers · Initial Request")]
            },
            times: "25:00".into(),
            address_problem: problem("That is not an e-mail address."),
            what_problem: problem("Choose for what it is."),
            times_problem: problem("Write up to six times like 09:00 14:00, or nothing."),
        },
        seen: Some(12),
        unmapped: if empty {
            Vec::new()
        } else {
            vec![unmapped(Some("complaints@beta.example"), 812), unmapped(None, 40)]
        },
        hidden: 3,
    }
}
