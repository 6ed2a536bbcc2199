//! Mail that waits for the compliance role of the sender's company: the list, one mail opened, and the
//! decision. Looking decides nothing.

mod findings;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Response};
use mail::{Class, HoldReason};
use store::{HeldMail, OpenHeld, Release, Released, Task};
use templates::pages::{Decision, HeldList, HeldPage, HeldRow, HeldTask, Mail};

use super::mail_card::{self, Facts};
use super::mail_words;
use crate::access::Visitor;
use crate::access::held::{self, PermittedHeld};
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::text::Extent;
use crate::told::Told;
use crate::{dates, file_names};

/// What the original of a held mail is called when it is downloaded.
pub(super) const FILE_NAME: &str = "held-mail.eml";

/// Mails on one page of the list.
const ON_A_PAGE: usize = 40;

/// Recipients that are named.
const MOST_RECIPIENTS: usize = 50;

pub(crate) async fn list(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let after = asked.value("after");
    let page = held::list(&portal, &visitor, after, ON_A_PAGE).await?;
    let task = held::task(&portal, &visitor).await?;
    Ok(Html(portal.words.page(&HeldList {
        frame: portal.frame("Held mail", Some(&visitor), Place::Held),
        company: visitor.company(),
        told: Told::in_words(&portal, &visitor, &asked),
        task: task.map(|task| in_words(&task)),
        rows: page.mails.iter().map(|mail| row(mail, &visitor)).collect(),
        oldest: after.map(|_| "/held".to_owned()),
        newer: page.next.map(|next| format!("/held?after={next}")),
    })?))
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let held = held::one(&portal, &visitor, &id).await?;
    let open = held.open(&portal).await?;
    let (card, cut) = card(&held, &open).await;
    let recipients = &open.envelope.recipients;
    let named = recipients.iter().take(MOST_RECIPIENTS);
    Ok(Html(portal.words.page(&HeldPage {
        frame: portal.frame("A held mail", Some(&visitor), Place::Held),
        because: because(open.mail.reason),
        rule: mail_words::line(&open.mail.decided_by),
        size: file_names::size(open.mail.size),
        recipients: named.map(|one| mail_words::line(&one.address.to_string())).collect(),
        more: recipients.len().saturating_sub(MOST_RECIPIENTS),
        findings: findings::of(&portal, &open).await?,
        locked: (!held.gives_files()).then_some(
            "Its files and the original are not given away, because the virus scanner found something in them.",
        ),
        token: visitor.form_token().to_owned(),
        release: releasing(&open.mail),
        destroy: returning(&open),
        mail: card,
        cut,
    })?))
}

pub(crate) async fn release(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let held = held::one(&portal, &form.visitor, &id).await?;
    let told = match held.release(&portal).await? {
        Some(Released::Relayed(_)) => Told::Relayed,
        Some(Released::Secured(accepted)) => match accepted.cases.as_slice() {
            [first, others @ ..] => Told::Secured(first.reference, others.len()),
            // A release always leads somewhere; were it not so, there is nothing more to say.
            [] => Told::DecidedBefore,
        },
        None => Told::DecidedBefore,
    };
    Ok(told.at(&portal, &form.visitor, "/held"))
}

pub(crate) async fn send_back(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let held = held::one(&portal, &form.visitor, &id).await?;
    let told = match held.send_back(&portal).await? {
        true => Told::Returned { told: held.mail().class == Class::Human },
        false => Told::DecidedBefore,
    };
    Ok(told.at(&portal, &form.visitor, "/held"))
}

/// What the compliance role is asked for.
fn in_words(task: &Task) -> HeldTask {
    let mails = match task.count {
        1 => "A mail needs your decision.".to_owned(),
        count => format!("{count} mails came here for your decision since the list was last empty."),
    };
    HeldTask { says: mails, since: dates::when(task.since) }
}

fn row(mail: &HeldMail, visitor: &Visitor) -> HeldRow {
    HeldRow {
        href: format!("/held/{}", mail.id),
        from: mail.author.map(|author| mail_words::line(&visitor.user_name(&author))),
        proof: mail_words::proof(&mail.proof, visitor),
        received: dates::when(mail.received_at),
        reason: reason(mail.reason),
        rule: mail_words::line(&mail.decided_by),
        size: file_names::size(mail.size),
        onward: match (mail.release, mail.recipients) {
            (Release::Case, _) => "secures it in its case".to_owned(),
            (Release::Relay, 1) => "passes it on to its recipient".to_owned(),
            (Release::Relay, recipients) => format!("passes it on to {recipients} recipients"),
        },
    }
}

async fn card(held: &PermittedHeld, open: &OpenHeld) -> (Mail, bool) {
    let (mail, visitor) = (&open.mail, held.visitor());
    let facts = Facts {
        visitor,
        anchor: "held".to_owned(),
        label: "this mail".to_owned(),
        company: visitor.group_name(&mail.from_group),
        received: mail.received_at,
        proof: &mail.proof,
        authentication: open.authentication.as_ref(),
        class: Some(mail.class),
        automatic: false,
        scan: mail.scan,
        place: held.gives_files().then(|| format!("/held/{}", mail.id)),
        file_name: FILE_NAME.to_owned(),
        has_page: false,
    };
    mail_card::mail(facts, &open.headline, &open.content, Extent::Whole).await
}

fn releasing(mail: &HeldMail) -> Decision {
    let action = format!("/held/{}/release", mail.id);
    let virus = "The virus scanner found something in it: be sure that it is a false alarm.";
    let mut says = match mail.reason {
        HoldReason::Virus => vec![virus.to_owned()],
        HoldReason::PersonalData | HoldReason::Opaque | HoldReason::Rule => Vec::new(),
    };
    match mail.release {
        Release::Case => {
            says.push(
                "It is sealed into its case, where only permitted people of both companies read it. The time \
                 to answer counts from now."
                    .to_owned(),
            );
            Decision { action, label: "Release into its case …", says, button: "Release it" }
        }
        Release::Relay => {
            let whom = match mail.recipients {
                1 => "to its recipient".to_owned(),
                recipients => format!("to all {recipients} recipients"),
            };
            says.push(format!(
                "It leaves as ordinary mail {whom}, with everything that is in it. Nobody can call it back."
            ));
            Decision { action, label: "Pass it on …", says, button: "Pass it on" }
        }
    }
}

fn returning(open: &OpenHeld) -> Decision {
    let told = match open.mail.class {
        Class::Human => "Its sender is told that it was not let through, and why.",
        _ => "Nobody is told, because a machine wrote it.",
    };
    Decision {
        action: format!("/held/{}/return", open.mail.id),
        label: "Return it to the sender …",
        says: vec![format!("It is destroyed here and reaches nobody. {told} This cannot be undone.")],
        button: "Return and destroy it",
    }
}

fn reason(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::PersonalData => "Personal data",
        HoldReason::Virus => "Virus found",
        HoldReason::Opaque => "Locked content",
        HoldReason::Rule => "A rule asks for it",
    }
}

fn because(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::PersonalData => "It waits because it would carry personal data to where they may not go.",
        HoldReason::Virus => "It waits because the virus scanner found something in it.",
        HoldReason::Opaque => "It waits because it has content that nobody can look into.",
        HoldReason::Rule => "It waits because a rule asks for your decision.",
    }
}
