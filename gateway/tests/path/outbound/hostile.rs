//! The hostile server scripts of the corpus against the worker: each try ends, nothing is given away in clear, and what is
//! not delivered is tried again.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use gateway::TlsPolicy;

use super::notation::Value;
use super::papers::{Flaw, Papers};
use super::server::{Heard, Script, Server};
use super::{PATIENT, Way};
use crate::market::Market;

/// Commands that give something away.
const SECRETS: [&str; 4] = ["AUTH", "MAIL", "RCPT", "DATA"];

#[tokio::test]
async fn nothing_is_given_away_and_nobody_is_waited_for_without_end() {
    let scripts = scripts();
    assert!(scripts.len() >= 60, "{} scripts", scripts.len());
    let papers = Papers::new();
    let mut delivered = Vec::new();
    for (name, text) in &scripts {
        let value = Value::parse(text).unwrap_or_else(|| panic!("{name} cannot be read"));
        for policy in [TlsPolicy::Require, TlsPolicy::Prefer] {
            let (script, flaw) = script(&value, &papers);
            // A server that understands no EHLO shows nobody what it offers.
            let understands =
                !script.replies.contains_key("EHLO") && !script.hidden.contains(&"EHLO".to_owned());
            let offers_tls = understands && script.offers.iter().any(|offer| offer == "STARTTLS");
            let (heard, taken) = attempt(script, policy, &papers).await;
            let said = |verb: &str, encrypted: bool| {
                heard.iter().any(|heard| heard.encrypted == encrypted && heard.line.starts_with(verb))
            };
            assert!(!said("AUTH", false), "{name} {policy:?}: a login in clear");
            if policy == TlsPolicy::Require || offers_tls {
                let clear = SECRETS.iter().find(|verb| said(verb, false));
                assert_eq!(clear, None, "{name} {policy:?}: in clear");
            }
            if flaw != Flaw::None {
                assert!(!heard.iter().any(|heard| heard.encrypted), "{name}: something said to {flaw:?}");
            }
            if taken && policy == TlsPolicy::Require {
                delivered.push(name.as_str());
            }
        }
    }
    // Those that behave get the mail: the client is not merely afraid of everybody.
    let tame =
        ["setup", "setup_opportunistic_encryption", "Buffering__B_1", "greeting__220", "starttls__220"];
    for end in tame {
        assert!(delivered.iter().any(|name| name.ends_with(&format!("{end}.ron"))), "{end} in {delivered:?}");
    }
}

/// One try of one notice against a server; what the server heard, and whether it has the mail. A try that fails leaves
/// the job where it was, to be tried again.
async fn attempt(script: Script, policy: TlsPolicy, papers: &Papers) -> (Vec<Heard>, bool) {
    let market = Market::sending().await;
    market.write(&["et@beta.example"], "From: ann@alpha.example\nSubject: s\n\nhello\n").await.unwrap();
    let server = Server::open(script).await;
    let way = Way {
        tls: policy,
        roots: papers.trusting.clone(),
        step: Duration::from_secs(2),
        ..Way::to(server.port)
    };
    way.work(&market, server.was_called()).await;
    let (waiting, taken) = (market.jobs("notice").await, server.mails().len());
    assert_eq!(waiting.len() + taken.min(1), 1, "{waiting:?}");
    for job in &waiting {
        assert!(job.attempts >= 1 && job.last_error.is_some(), "{job:?}");
    }
    (server.heard(), taken > 0)
}

fn scripts() -> Vec<(String, String)> {
    let folder =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus/protocol/hostile-servers"));
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("the corpus is not at ../shared/corpus beside the repository ({error}); this test needs it")
    });
    let mut scripts: Vec<(String, String)> = entries
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            name.contains("__smtp__").then(|| (name, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    scripts.sort();
    scripts
}

fn script(value: &Value, papers: &Papers) -> (Script, Flaw) {
    let offers = |field: &str| value.field(field).map(capabilities).unwrap_or_default();
    let certificate = value.field("cert").and_then(|cert| match cert {
        Value::Name(_, inner) => inner.first()?.field("crt_path")?.text(),
        other => other.field("crt_path")?.text(),
    });
    let flaw = Flaw::of(certificate.unwrap_or_default());
    let mut script = Script {
        greeting: value.field("greeting").and_then(Value::text).map(str::to_owned),
        offers: offers("capabilities"),
        encrypted_offers: offers("capabilities_tls"),
        tls: Some(papers.server(flaw)),
        hidden: upper(value.field("hide_commands").map(Value::list).unwrap_or_default()),
        ..Script::default()
    };
    if let Some(Value::Fields(replies)) = value.field("override_response") {
        let reply = |(verb, reply): (&String, &Value)| Some((verb.to_uppercase(), reply.text()?.to_owned()));
        script.replies = replies.iter().filter_map(reply).collect();
    }
    if let Some(reply) = value.field("stls_response").and_then(Value::text) {
        script.replies.insert("STARTTLS".to_owned(), reply.to_owned());
    }
    (script, flaw)
}

fn upper(list: &[Value]) -> Vec<String> {
    list.iter().filter_map(Value::text).map(str::to_uppercase).collect()
}

/// `[StartTLS, Auth([Plain, Other("X")])]` as lines of EHLO.
fn capabilities(value: &Value) -> Vec<String> {
    let line = |value: &Value| match value {
        Value::Name(name, inner) if name == "Auth" => {
            let methods = inner.first().map(Value::list).unwrap_or_default();
            let method = |value: &Value| value.text().map(str::to_uppercase);
            format!("AUTH {}", methods.iter().filter_map(method).collect::<Vec<_>>().join(" "))
        }
        other => other.name().unwrap_or_default().to_uppercase(),
    };
    value.list().iter().map(line).collect()
}

#[tokio::test]
async fn a_try_that_takes_too_long_is_not_the_last() {
    let market = Market::sending().await;
    market.write(&["et@beta.example"], "From: ann@alpha.example\nSubject: s\n\nhello\n").await.unwrap();
    let server = Server::open(Script { greeting: Some(String::new()), ..Script::default() }).await;
    let way = Way { step: Duration::from_millis(100), ..Way::to(server.port) };
    assert!(way.step < PATIENT);
    way.work(&market, server.was_called()).await;
    let [job] = market.jobs("notice").await.try_into().unwrap();
    assert_eq!((job.attempts, job.standing), (1, store::Standing::Waiting));
    assert!(job.last_error.unwrap().contains("did not answer in time"));
}
