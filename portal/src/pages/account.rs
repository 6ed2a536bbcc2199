//! The visitor's own account: app passwords, and how a mail program is set up with one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use policies::access::Role;
use store::AppPassword;
use templates::pages::{self, Account, FreshPassword, MailProgram, Port};

use super::mail_words;
use crate::access::Visitor;
use crate::access::passwords::{self, MOST, OwnPasswords, Unmade};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal, Submission};
use crate::told::Told;

/// Longest name of a password, in characters.
const LONGEST_NAME: usize = 60;

/// What is on the page beside what is always there.
#[derive(Default)]
struct News {
    told: Option<String>,
    problem: Option<&'static str>,
    fresh: Option<FreshPassword>,
    wanted: String,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let own = passwords::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &own, News { told, ..News::default() }).map(Html)
}

/// The password is on this answer and nowhere else, so the answer is the page itself and no redirect.
pub(crate) async fn make(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let own = passwords::own(&form.visitor)?;
    let typed = form.fields.value("name");
    let Some(name) = name(typed) else {
        let says = "Give it a name of up to 60 characters.";
        return refused(&portal, &own, StatusCode::UNPROCESSABLE_ENTITY, typed, says);
    };
    match own.make(&portal, &name).await? {
        Ok(password) => {
            let fresh = Some(FreshPassword { name, password });
            let page = render(&portal, &own, News { fresh, ..News::default() })?;
            Ok(Html(page).into_response())
        }
        Err(Unmade::NameTaken) => {
            let says = "You have an app password of that name already. Its password cannot be shown again: \
                        choose another name, or revoke it first.";
            refused(&portal, &own, StatusCode::CONFLICT, &name, says)
        }
        Err(Unmade::Full) => {
            let says = "No password was made, because you have as many as one person may have.";
            refused(&portal, &own, StatusCode::CONFLICT, &name, says)
        }
    }
}

pub(crate) async fn revoke(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    passwords::own(&form.visitor)?.revoke(&portal, &id).await?;
    Ok(Told::PasswordRevoked.at(&portal, &form.visitor, "/account"))
}

/// A name as it is kept: one line, nothing invisible, white space runs made one space.
pub(crate) fn name(typed: &str) -> Option<String> {
    let name = mail_words::line(typed).split_whitespace().collect::<Vec<_>>().join(" ");
    (1..=LONGEST_NAME).contains(&name.chars().count()).then_some(name)
}

fn refused(
    portal: &Portal,
    own: &OwnPasswords,
    status: StatusCode,
    wanted: &str,
    problem: &'static str,
) -> Result<Response, Problem> {
    let wanted = wanted.chars().take(LONGEST_NAME).collect();
    let page = render(portal, own, News { problem: Some(problem), wanted, ..News::default() })?;
    Ok((status, Html(page)).into_response())
}

fn render(portal: &Portal, own: &OwnPasswords, news: News) -> Result<String, Problem> {
    let visitor = own.visitor();
    let all = own.all(portal);
    Ok(portal.words.page(&Account {
        frame: portal.frame("Your account", Some(visitor), Place::Account),
        name: visitor.name().to_owned(),
        email: visitor.email().to_string(),
        company: visitor.company(),
        role: role(visitor.role()),
        told: news.told,
        problem: news.problem.map(str::to_owned),
        fresh: news.fresh,
        full: (all.len() >= MOST).then_some(MOST),
        passwords: all.iter().map(entry).collect(),
        token: visitor.form_token().to_owned(),
        wanted: news.wanted,
        program: portal.mail_side.as_ref().and_then(|side| side.submission.as_ref()).and_then(program),
    })?)
}

fn entry(password: &AppPassword) -> pages::AppPassword {
    pages::AppPassword {
        name: mail_words::line(&password.name),
        made: dates::when(password.created_at),
        revoke: format!("/account/app-passwords/{}/revoke", password.id),
    }
}

fn program(submission: &Submission) -> Option<MailProgram> {
    let port = |number: Option<u16>, outlook, thunderbird| {
        number.map(|number| Port { number, outlook, thunderbird })
    };
    // TLS from the first byte is the better one (RFC 8314 §3).
    let ports = [
        port(submission.implicit_tls, "SSL/TLS", "SSL/TLS"),
        port(submission.starttls, "STARTTLS", "STARTTLS"),
    ];
    let ports: Vec<_> = ports.into_iter().flatten().collect();
    (!ports.is_empty()).then(|| MailProgram { host: submission.host.clone(), ports })
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Mau => "master administration user (MAU)",
        Role::Compliance => "compliance officer",
        Role::Operator => "operator",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_short_line() {
        assert_eq!(name(" Outlook \u{202e} at\u{a0}work\r\n").as_deref(), Some("Outlook at work"));
        assert_eq!(name(&"é".repeat(60)).map(|name| name.len()), Some(120));
        for none in ["", " \t", "\u{200b}", &"x".repeat(61), &"x ".repeat(400)] {
            assert_eq!(name(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_host_without_a_port_is_no_setting() {
        let host = || "mail.postern.example".to_owned();
        let both = Submission { host: host(), implicit_tls: Some(465), starttls: Some(587) };
        let ports: Vec<u16> = program(&both).unwrap().ports.iter().map(|port| port.number).collect();
        assert_eq!(ports, [465, 587]);
        assert!(program(&Submission { host: host(), implicit_tls: None, starttls: None }).is_none());
    }
}
