//! How a company's mail comes and goes, and what of it needs its master administration user. Shows no
//! mail, and no secret of a connector.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Response};
use certs::expiry::{self, Warning};
use jiff::Timestamp;
use policies::access::Action;
use store::{ClientCertificate, Connector, Mailbox, MailboxAlerts, PollReport, PollStanding, Task, TaskKind};
use templates::pages::{self, MailWays, Mark};

use super::mail_words;
use crate::access::mail_ways::{self as access_ways, OwnWays};
use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;
use crate::{dates, forms};

const TASKS_ON_A_PAGE: usize = 50;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let ways = access_ways::own(&visitor)?;
    let (now, group) = (portal.ledger.now(), ways.group());
    let after = asked.value("after");
    let found = ways.tasks(&portal, after, TASKS_ON_A_PAGE + 1).await?;
    let shown = &found[..found.len().min(TASKS_ON_A_PAGE)];
    let mut tasks = Vec::new();
    for one in shown {
        tasks.push(task(&portal, &ways, one).await?);
    }
    let mut mailboxes: Vec<_> = ways.mailboxes().map(|one| mailbox_row(&portal, one)).collect();
    mailboxes.sort_by(|one, other| one.address.cmp(&other.address));
    Ok(Html(portal.words.page(&MailWays {
        frame: portal.frame("Mail", Some(&visitor), Place::MailWays),
        company: visitor.company(),
        told: Told::in_words(&portal, &visitor, &asked),
        token: visitor.form_token().to_owned(),
        oldest: after.map(|_| "/mail".to_owned()),
        newer:
            shown.last().filter(|_| found.len() > shown.len()).map(|last| format!("/mail?after={}", last.id)),
        tasks,
        mailboxes,
        polled: ways.polled(&portal).await?.iter().map(polled).collect(),
        certificate_name: group.and_then(|group| group.certificate_name.clone()),
        certificates: ways.certificates().map(|one| certificate(one, now)).collect(),
        connectors: ways.connectors().map(connector).collect(),
        networks:
            group.map(|group| group.networks.iter().map(ToString::to_string).collect()).unwrap_or_default(),
    })?))
}

pub(crate) async fn done(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    access_ways::own(&form.visitor)?.close(&portal, &id).await?;
    Ok(Told::TaskClosed.at(&portal, &form.visitor, "/mail"))
}

async fn task(portal: &Portal, ways: &OwnWays, task: &Task) -> Result<pages::Task, Problem> {
    let case = match task.case {
        // A link that leads nowhere for this visitor is none.
        Some(case) => match access::case(portal, ways.visitor(), &case.to_string(), Action::ReadCase).await {
            Ok(_) => Some(format!("/case/{case}")),
            Err(Problem::NotFound) => None,
            Err(problem) => return Err(problem),
        },
        None => None,
    };
    let (says, advice) = in_words(&task.kind, ways.visitor());
    Ok(pages::Task {
        says,
        advice,
        since: dates::when(task.since),
        again: (task.count > 1)
            .then(|| format!("{} times, the last on {}", task.count, dates::when(task.last).text)),
        case,
        done: format!("/mail/task/{}/done", task.id),
    })
}

/// What happened and what to do about it.
fn in_words(kind: &TaskKind, visitor: &Visitor) -> (String, &'static str) {
    let line = mail_words::line;
    match kind {
        TaskKind::MailboxBounces { address, status } => (
            format!("Mail to {} comes back{}.", line(&address.to_string()), status_words(status)),
            "Put the mailbox right with your mail administrator, or ask your Postern operator to map another one.",
        ),
        TaskKind::NoticeGivenUp { address } => (
            format!("Notices to {} could not be delivered.", line(&address.to_string())),
            "Look into the portal for what waits, and see that the mailbox takes mail again.",
        ),
        TaskKind::MailGivenUp { kind, address } => (
            format!("Mail to {} could not be delivered ({}).", line(&address.to_string()), line(kind)),
            "See that the mailbox takes mail; tell the people who wrote, if the mail was theirs.",
        ),
        TaskKind::PollingStopped { mailbox } => (
            format!("The mailbox {} is not polled any more.", line(mailbox)),
            "Mail stays in it unread. What stopped it stands under \u{201c}Polled mailboxes\u{201d}; your Postern \
             operator starts it again.",
        ),
        TaskKind::DomainGivenUp { kind, domain } => (
            format!("Mail to addresses at {} could not be delivered ({}).", line(domain), line(kind)),
            "Its senders were told, unless they wanted not to be. Ask the other company whether its mail system takes \
             mail, and tell the people who wrote.",
        ),
        TaskKind::StoppedAtDoor { kind, found } => (
            match found.as_str() {
                "" => {
                    format!("A mail was stopped before it left ({}): the rules do not allow it.", line(kind))
                }
                found => format!(
                    "A mail was stopped before it left ({}): it held what looks like personal data ({}).",
                    line(kind),
                    line(found)
                ),
            },
            "Nothing left. Your Postern operator mends the template or the name that did it and sends the mail again.",
        ),
        TaskKind::MailHeld => (
            "Mail of your company waits for a decision.".to_owned(),
            "Your compliance officer decides on it under \u{201c}Held mail\u{201d}.",
        ),
        TaskKind::UserIdle { user } => (
            format!("{} has not signed in for more than ten weeks.", line(&visitor.user_name(user))),
            "After 90 days without signing in a user is suspended. Ask whether the account is still needed.",
        ),
        TaskKind::UserSuspended { user } => (
            format!("{} was suspended: no sign-in for 90 days.", line(&visitor.user_name(user))),
            "Reinstate or remove the user under \u{201c}People\u{201d}.",
        ),
        TaskKind::LastMauIdle { group } => (
            format!("Nobody who administers {} signs in any more.", line(&visitor.group_name(group))),
            "Ask the company who is to administer its users.",
        ),
        TaskKind::ParticipantMoves { mpid, from } => (
            format!("The participant {mpid} belongs to another company from {} on.", dates::when(*from).text),
            "Cases that are there then stay where they are; new ones go to the other company, and so do the mailboxes. \
             If this is not meant to be, tell your market\u{2019}s operator at once.",
        ),
        TaskKind::RungUnmapped { participant, process, contact_type } => (
            format!(
                "A case of {participant} was escalated to {contact_type} of {process}, which has no mailbox."
            ),
            "Map a mailbox to that contact type, or see that somebody with the permission looks into the portal.",
        ),
        TaskKind::CertificateExpires { name } => (
            format!("The certificate {} ends soon.", line(name)),
            "Get a new one from your Postern operator and install it in your mail system before the old one ends.",
        ),
    }
}

/// A status code of RFC 3463, and what the commonest ones mean.
fn status_words(status: &str) -> String {
    let meaning = match status {
        "" => return String::new(),
        "5.1.1" | "5.1.10" => ": there is no such mailbox",
        "5.2.1" => ": the mailbox is switched off",
        "4.2.2" | "5.2.2" => ": the mailbox is full",
        "5.1.2" | "5.4.4" => ": its domain takes no mail",
        "4.4.7" | "5.4.7" => ": its mail system could not be reached for days",
        status if status.starts_with("5.7.") => ": its mail system refuses the mail",
        _ => "",
    };
    format!("{meaning} (status {})", mail_words::line(status))
}

pub(super) fn mailbox_row(portal: &Portal, mailbox: &Mailbox) -> pages::Mailbox {
    let catalogue = portal.catalogue();
    let process = catalogue.process(&mailbox.process);
    let rung = process.and_then(|process| process.rung(&mailbox.contact_type));
    pages::Mailbox {
        address: mail_words::line(&mailbox.address.to_string()),
        participant: mailbox.participant.to_string(),
        process: process.map_or_else(|| mailbox.process.to_string(), |process| process.name.clone()),
        rung: rung.map_or_else(|| mailbox.contact_type.to_string(), |rung| rung.name.clone()),
        alerts: alerts(&mailbox.alerts),
    }
}

fn alerts(alerts: &MailboxAlerts) -> String {
    let times = match alerts {
        MailboxAlerts::AtOnce => return "at once".to_owned(),
        MailboxAlerts::Digest(times) if times.is_empty() => return "at once".to_owned(),
        MailboxAlerts::Digest(times) => times,
    };
    let times: Vec<_> = times.iter().map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60)).collect();
    match times.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("daily at {} and {last}", first.join(", ")),
        times => format!("daily at {}", times.concat()),
    }
}

fn polled(report: &PollReport) -> pages::Polled {
    let (label, state) = match report.standing {
        PollStanding::Running => ("Running", "good"),
        PollStanding::Waiting => ("Waiting to connect", "soon"),
        PollStanding::Stopped => ("Stopped", "bad"),
    };
    // A mailbox that runs has got over its last error.
    let why = report.last_error.as_deref().filter(|_| report.standing != PollStanding::Running);
    pages::Polled {
        name: mail_words::line(&report.name),
        standing: Mark { label: label.to_owned(), state },
        since: dates::when(report.since),
        taken: report.taken,
        left: report.left,
        last: report.last_taken_at.map(dates::when),
        why: why.map(mail_words::line),
    }
}

fn certificate(certificate: &ClientCertificate, now: Timestamp) -> pages::Certificate {
    let mark = expiry::warning(certificate.not_after, now.as_second()).map(|warning| match warning {
        Warning::Expired => Mark { label: "Ended".to_owned(), state: "bad" },
        Warning::Days(1) => Mark { label: "Ends within a day".to_owned(), state: "bad" },
        Warning::Days(days @ ..=7) => Mark { label: format!("Ends within {days} days"), state: "bad" },
        Warning::Days(days) => Mark { label: format!("Ends within {days} days"), state: "soon" },
    });
    pages::Certificate {
        name: mail_words::line(&certificate.name),
        fingerprint: forms::hex(&certificate.fingerprint[..8]),
        whole: forms::hex(&certificate.fingerprint),
        ends: dates::when(Timestamp::from_second(certificate.not_after).unwrap_or(Timestamp::MAX)),
        mark,
    }
}

fn connector(connector: &Connector) -> pages::Connector {
    let (label, state) = if connector.active { ("Active", "good") } else { ("Switched off", "plain") };
    pages::Connector {
        name: mail_words::line(&connector.name),
        plain: connector.name.clone(),
        active: connector.active,
        provider: mail_words::line(&connector.provider),
        tenant: mail_words::line(&connector.tenant),
        standing: Mark { label: label.to_owned(), state },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_a_digest_are_read_out() {
        assert_eq!(alerts(&MailboxAlerts::AtOnce), "at once");
        assert_eq!(alerts(&MailboxAlerts::Digest(Vec::new())), "at once");
        assert_eq!(alerts(&MailboxAlerts::Digest(vec![540])), "daily at 09:00");
        assert_eq!(alerts(&MailboxAlerts::Digest(vec![540, 785, 1439])), "daily at 09:00, 13:05 and 23:59");
    }

    #[test]
    fn status_codes_are_explained_where_they_are_known() {
        assert_eq!(status_words("5.1.1"), ": there is no such mailbox (status 5.1.1)");
        assert_eq!(status_words("5.7.26"), ": its mail system refuses the mail (status 5.7.26)");
        assert_eq!(status_words("5.9.9"), " (status 5.9.9)");
        assert_eq!(status_words(""), "");
    }

    #[test]
    fn a_certificate_is_marked_before_it_ends() {
        let now = Timestamp::from_second(1_780_000_000).unwrap();
        let state = |days: i64| {
            let certificate = ClientCertificate {
                fingerprint: [0xab; 32],
                group: "alpha".parse().unwrap(),
                name: "mail.alpha.example".into(),
                not_after: now.as_second() + days * 86_400,
            };
            certificate_mark(&certificate, now)
        };
        assert_eq!(state(31), None);
        assert_eq!(state(30), Some(("Ends within 30 days".to_owned(), "soon")));
        assert_eq!(state(13), Some(("Ends within 14 days".to_owned(), "soon")));
        assert_eq!(state(7), Some(("Ends within 7 days".to_owned(), "bad")));
        assert_eq!(state(1), Some(("Ends within a day".to_owned(), "bad")));
        assert_eq!(state(-1), Some(("Ended".to_owned(), "bad")));
    }

    fn certificate_mark(one: &ClientCertificate, now: Timestamp) -> Option<(String, &'static str)> {
        let shown = certificate(one, now);
        assert_eq!(shown.fingerprint, "abababababababab");
        shown.mark.map(|mark| (mark.label, mark.state))
    }
}
