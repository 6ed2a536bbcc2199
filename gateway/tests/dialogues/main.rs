//! The SMTP server from outside: dialogues from files, against a session in memory and against a real port; attacks;
//! clocks and limits.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod chunks;
mod client;
mod floods;
mod limits;
mod log;
mod sample;
mod scram;
mod script;

use std::sync::Arc;

use client::{Memory, Peer, Server, Socket, starttls};
use gateway::smtp::{Nonces, Options};
use sample::{Papers, Sample, options, root};
use script::{Part, Script, Splitting, Step, fits};

/// The server's half of every nonce, in base64 `bm9uY2VzIGFyZSBmaXhlZCAh`, so that a script can hold a login.
const NONCE: [u8; 18] = *b"nonces are fixed !";

#[tokio::test]
async fn dialogues_in_memory() {
    let papers = Papers::new();
    let mut faults = Vec::new();
    for script in scripts() {
        let pieces: &[usize] = match script.splitting {
            Splitting::Anywhere => &[usize::MAX, 1, 7],
            Splitting::Whole => &[usize::MAX],
        };
        for piece in pieces {
            let sample = script.sample();
            let mut memory =
                Memory::new(sample.clone(), Arc::new(listen(&script, &papers)), script.client, *piece);
            if let Err(fault) = run(&script, &mut memory, &sample, &papers).await {
                faults.push(format!("in pieces of {piece}: {fault}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dialogues_on_a_port() {
    let papers = Papers::new();
    let mut faults = Vec::new();
    for script in scripts() {
        let server = Server::start_with(script.sample(), listen(&script, &papers)).await;
        let mut socket = Socket::connect_from(script.client, server.address).await;
        if let Err(fault) = run(&script, &mut socket, &server.sample, &papers).await {
            faults.push(fault);
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn scripts() -> Vec<Script> {
    let scripts = script::all(&root().join("tests/dialogues"));
    assert!(scripts.len() >= 80, "only {} dialogues found", scripts.len());
    scripts
}

fn listen(script: &Script, papers: &Papers) -> Options {
    let (identities, nonces) = (script.identities, Nonces::Fixed(NONCE));
    Options { identities, nonces, ..options(starttls(papers), script.plain_auth, script.limits.clone()) }
}

async fn run<P: Peer>(script: &Script, peer: &mut P, sample: &Sample, papers: &Papers) -> Result<(), String> {
    for (number, step) in &script.steps {
        let outcome = take(step, peer, sample, papers).await;
        outcome.map_err(|fault| format!("{}.txt:{number}: {fault}", script.name))?;
    }
    Ok(())
}

async fn take<P: Peer>(step: &Step, peer: &mut P, sample: &Sample, papers: &Papers) -> Result<(), String> {
    match step {
        Step::Send(octets) => peer.send(octets).await,
        Step::Line(pattern) => {
            let line = peer.line().await.ok_or("the server closed")?;
            expect(fits(&line, pattern), &line)?;
        }
        Step::Reply(code) => loop {
            let line = peer.line().await.ok_or("the server closed")?;
            expect(line.starts_with(code), &line)?;
            if line.as_bytes().get(3) == Some(&b' ') {
                break;
            }
        },
        Step::Tls(show) => peer.secure(*show, papers).await,
        Step::Closed => {
            if let Some(line) = peer.line().await {
                return Err(format!("it is not closed: {line}"));
            }
        }
        Step::Stored(count) => {
            let stored = sample.stored().len();
            expect(stored == *count, &format!("{stored} stored"))?;
        }
        Step::Last(part, wanted) => {
            let stored = sample.stored();
            let last = stored.last().ok_or("nothing stored")?;
            let found = match part {
                Part::Body => last.body.clone(),
                Part::Identity => last.identity.clone().unwrap_or_default().into_bytes(),
                Part::From => last.from.clone().into_bytes(),
                Part::To => last.to.join(" ").into_bytes(),
                Part::Class => last.class.clone().into_bytes(),
                Part::Circumstance => last.circumstance.clone().into_bytes(),
                Part::Wishes => last.wishes.clone().into_bytes(),
            };
            expect(found == *wanted, &String::from_utf8_lossy(&found))?;
        }
    }
    Ok(())
}

fn expect(holds: bool, found: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("got: {found}")) }
}
