//! IMAP: what a server sends, through the gate, into the parser behind it.

use gateway::imap::{Allowance, Gate, Violation};
use imap_proto::{AttributeValue, Response};

use crate::pieces::pieces;

/// The longest literal that was asked for.
const LITERAL: usize = 600;

/// Whatever a server sends, in whatever pieces: the same responses pass; the parser takes each one whole, and without a
/// panic; none has a word of the server's in it, but what was fetched. Beyond its limits nothing passes.
/// The last byte chooses the pieces.
pub fn imap(data: &[u8]) {
    let Some((&seed, octets)) = data.split_last() else { return };
    let (passed, end) = through(std::iter::once(octets));
    let (again, end_again) = through(pieces(octets, seed));
    assert_eq!((&again, end_again), (&passed, end), "the pieces decide");
    let length: usize = passed.iter().map(Vec::len).sum();
    assert!(length <= octets.len() + 16 * passed.len(), "{length} of {} octets", octets.len());
    passed.iter().for_each(|response| understood(response));
}

/// The responses that pass, and what ended it.
fn through<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Vec<u8>>, Option<Violation>) {
    let mut gate = Gate::default();
    gate.allow(Allowance { responses: 50, octets: usize::MAX, literal: LITERAL });
    let mut passed = Vec::new();
    for piece in pieces {
        let fed = gate.feed(piece);
        passed.extend(std::iter::from_fn(|| gate.next_response()));
        if let Err(violation) = fed {
            return (passed, Some(violation));
        }
    }
    (passed, None)
}

fn understood(response: &[u8]) {
    match Response::parse(response) {
        Ok((b"", parsed)) => silent(&parsed),
        other => panic!("{} is {other:?}", response.escape_ascii()),
    }
}

/// Only what a poller asks for, and no text for people.
fn silent(response: &Response<'_>) {
    match response {
        Response::Continue(outcome) | Response::Data { outcome, .. } | Response::Done { outcome, .. } => {
            assert_eq!(outcome.information, None);
        }
        Response::Fetch(_, attributes) => attributes.iter().for_each(|attribute| match attribute {
            AttributeValue::BodySection { data: Some(data), .. } => assert!(data.len() <= LITERAL),
            AttributeValue::Flags(flags) => assert!(flags.len() <= 1),
            AttributeValue::Uid(_) | AttributeValue::Rfc822Size(_) => {}
            other => panic!("nobody asked for {other:?}"),
        }),
        Response::Capabilities(_) | Response::Expunge(_) => {}
        Response::MailboxData(imap_proto::MailboxDatum::Exists(_)) => {}
        other => panic!("nobody asked for {other:?}"),
    }
}
