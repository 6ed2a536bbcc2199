//! Mails: the scanner, the decoders of their parts, and the tags found in them.

use std::sync::LazyLock;

use mail::{Budget, Headline, Message, Part, Scanner};
use policies::TagRules;

use crate::pieces::pieces;

/// So small that a fuzzer's mails meet every limit.
const TIGHT: Budget = Budget { depth: 3, parts: 5, header_bytes: 200, text_bytes: 100 };

static TAGS: LazyLock<TagRules> = LazyLock::new(|| TagRules::shipped().expect("the shipped rules are right"));

/// However a mail is cut, the same is found in it; every part lies inside the mail and can be decoded, in one piece or
/// many; the headline reads back as it is stored. The last byte chooses the cuts and, by its top bit, the budget.
pub fn message(data: &[u8]) {
    let Some((&choice, mail)) = data.split_last() else { return };
    holds(mail, choice);
}

/// What must hold for this mail when `choice` chooses.
pub(crate) fn holds(mail: &[u8], choice: u8) {
    let budget = if choice < 0x80 { Budget::default() } else { TIGHT };
    let message = scanned(budget, pieces(mail, 0));
    assert_eq!(scanned(budget, pieces(mail, choice & 0x7f)), message, "another mail when cut");
    for part in &message.headline.parts {
        decodes(part, mail, choice);
    }
    reads_back(&message.headline);
    let names: Vec<&str> = message.headline.part_names().collect();
    assert!(TAGS.find(&message.headline.subject, &message.text, &names).len() <= TagRules::MOST);
}

fn scanned<'a>(budget: Budget, pieces: impl Iterator<Item = &'a [u8]>) -> Message {
    let mut scanner = Scanner::new(budget);
    pieces.for_each(|piece| scanner.feed(piece));
    scanner.finish()
}

fn decodes(part: &Part, mail: &[u8], choice: u8) {
    let end = part.offset.checked_add(part.length).expect("an end");
    let body = mail.get(part.offset as usize..end as usize).expect("a part inside the mail");
    part.text(body);
    assert_eq!(decoded(part, pieces(body, choice)), decoded(part, pieces(body, 0)), "another part when cut");
}

fn decoded<'a>(part: &Part, pieces: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut decoder = part.decoder();
    let mut out = Vec::new();
    pieces.for_each(|piece| decoder.feed(piece, &mut out));
    decoder.finish(&mut out);
    out
}

fn reads_back(headline: &Headline) {
    let stored = minicbor::to_vec(headline).expect("memory does not fail");
    assert_eq!(&minicbor::decode::<Headline>(&stored).expect("what was stored is read"), headline);
}
