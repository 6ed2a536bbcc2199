//! What a conversation leaves in the log: each refusal once, what was stored, and never an address.

use std::fmt::{Debug, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use gateway::smtp::{Limits, PlainAuth, Security};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::client::{Memory, Peer};
use crate::sample::{STORED, Sample, options};

/// Keeps every event as `name=value` pairs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

async fn logged(octets: &[u8], limits: Limits) -> Vec<String> {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let offer = Arc::new(options(Security::Plain, PlainAuth::Loopback, limits));
    let mut memory = Memory::new(Sample::default(), offer, peer, usize::MAX);
    for line in octets.split_inclusive(|&octet| octet == b'\n') {
        memory.send(line).await;
    }
    log.lines()
}

#[tokio::test]
async fn each_refusal_is_logged_once_and_names_no_address() {
    let lines = logged(
        b"EHLO c\r\nMAIL FROM:<proved@alpha.example>\r\nMAIL FROM:<a@alpha.example> SIZE=99999999999\r\n\
          MAIL FROM:<a@alpha.example>\r\nRCPT TO:<nobody@beta.example>\r\nRCPT TO:<et@beta.example>\r\n",
        Limits::default(),
    )
    .await;
    let wanted = [("MAIL", "not-proved"), ("MAIL", "too-large"), ("RCPT", "unknown-recipient")];
    assert_eq!(lines.len(), wanted.len(), "{lines:?}");
    for (line, (verb, refusal)) in lines.iter().zip(wanted) {
        assert!(line.contains(&format!("at=\"{verb}\"")), "{line}");
        assert!(line.contains(&format!("refusal=\"{refusal}\"")), "{line}");
        assert!(!line.contains('@') && !line.contains("example"), "{line}");
    }
}

#[tokio::test]
async fn a_list_beyond_the_limit_is_one_line() {
    let mut octets = b"EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\n".to_vec();
    octets.extend(b"RCPT TO:<mau@beta.example>\r\n".repeat(5));
    let lines = logged(&octets, Limits { recipients: 1, ..Limits::default() }).await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("refusal=\"too-many-recipients\""), "{lines:?}");
}

#[tokio::test]
async fn what_was_stored_is_named() {
    let lines = logged(
        b"EHLO c\r\nMAIL FROM:<a@alpha.example>\r\nRCPT TO:<et@beta.example>\r\nDATA\r\nx\r\n.\r\n",
        Limits::default(),
    )
    .await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("octets=3") && lines[0].contains(&format!("reply={STORED}")), "{lines:?}");
}
