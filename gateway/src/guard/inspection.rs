//! All that a reader, a mail program or a machine on the way could make of a finished letter, and what the detectors find in
//! each form of it. Every form is looked at by itself; nothing is looked at only once decoded, or only as it lies there.

use std::collections::BTreeMap;

use mail::{Budget, Defect, Headline, Message, Scanner, TagKind, decode_words};
use policies::{
    Ruleset,
    detect::{Business, Finding, Inspected},
};

use super::{
    Found,
    printed::{Printed, spread},
};
use crate::fields::fields;

/// What was not looked at may hold anything. Letters are small: these come of none of ours.
const UNSEEN: [Defect; 4] =
    [Defect::TextTruncated, Defect::TooDeep, Defect::TooManyParts, Defect::HeaderTooLarge];

/// What the letter holds beside its typed values; empty if nothing.
pub(super) fn found(rules: &Ruleset, letter: &[u8], printed: &Printed) -> Found {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(letter);
    let message = scanner.finish();
    let mut counts = BTreeMap::new();
    if message.headline.defects.iter().any(|defect| UNSEEN.contains(defect)) {
        counts.insert("unseen".to_owned(), 1);
    }
    for text in forms(letter, &message) {
        for (name, count) in look(rules, &text, printed) {
            // One value stands in many forms: it is one.
            let most: &mut u32 = counts.entry(name).or_default();
            *most = count.max(*most);
        }
    }
    Found(counts)
}

/// The texts of a letter, in lower and upper case as they are: as a person reads it, as each part lies there decoded, each
/// field as it is and decoded, and the bytes; and all of it once more with its addresses and markup resolved, and with what
/// parts an address taken for blanks.
fn forms(letter: &[u8], message: &Message) -> Vec<String> {
    let read = format!("{}\n\n{}", message.headline.subject, message.text);
    let mut forms = vec![read, people(&message.headline), flat(letter)];
    forms.extend(header(letter));
    forms.extend(message.headline.parts.iter().map(|part| {
        let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(letter.len());
        let (start, end) = (place(part.offset), place(part.offset.saturating_add(part.length)));
        let (mut decoder, mut body) = (part.decoder(), Vec::new());
        decoder.feed(letter.get(start..end).unwrap_or_default(), &mut body);
        decoder.finish(&mut body);
        String::from_utf8_lossy(&body).into_owned()
    }));
    // An address may be written so that it is one only once resolved, and resolved twice.
    for at in 0..forms.len() {
        let mut form = forms[at].clone();
        for _ in 0..2 {
            let resolved = unmarked(&unescaped(&form));
            if resolved == form {
                break;
            }
            forms.push(resolved.clone());
            form = resolved;
        }
    }
    let spread: Vec<String> = forms.iter().map(|form| spread(form)).collect();
    forms.extend(spread);
    forms
}

/// Names and addresses of whom the letter names, a line each.
fn people(headline: &Headline) -> String {
    let Headline { from, sender, to, cc, .. } = headline;
    let people = from.iter().chain(sender).chain(to).chain(cc);
    let words = people.flat_map(|person| [person.name.as_deref(), person.address.as_deref()]);
    words.flatten().collect::<Vec<_>>().join("\n")
}

/// Each field with its name, encoded words decoded; and decoded as a whole where they stand within others.
fn header(letter: &[u8]) -> Vec<String> {
    let end = crate::fields::end(letter, 0).unwrap_or(letter.len());
    let head = &letter[..end];
    let decoded = fields(head).map(|field| decode_words(field.text().as_bytes()));
    vec![decoded.collect::<Vec<_>>().join("\n")]
}

/// The bytes with nothing decoded, but with what was broken into lines put together: folded fields (RFC 5322 §2.2.3) and
/// soft line breaks (RFC 2045 §6.7).
fn flat(letter: &[u8]) -> String {
    let text = String::from_utf8_lossy(letter);
    text.replace("=\r\n", "").replace("\r\n ", " ").replace("\r\n\t", " ")
}

/// `%31` made `1` (RFC 3986 §2.1).
fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        match digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `&#49;` and `&#x31;` made `1`, wherever they stand.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#") {
        out.push_str(before);
        let end = after.bytes().take(8).position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(0);
        let number = &after[..end];
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse().ok(),
        };
        match code.and_then(char::from_u32) {
            Some(c) => {
                out.push(c);
                rest = after[end..].strip_prefix(';').unwrap_or(&after[end..]);
            }
            None => {
                out.push_str("&#");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// What counts as personal data in one text and is no value that the letter was given.
fn look(rules: &Ruleset, text: &str, printed: &Printed) -> BTreeMap<String, u32> {
    // Nobody is known here: whoever the letter names is a typed value, and everybody else a leak.
    let nobody = |_: &str| false;
    let business = Business::new(&nobody, &Headline::default());
    let inspected = Inspected { subject: "", text, attachments: &[], business: &business };
    let detectors = rules.detectors();
    let places = printed.places(&text.to_ascii_lowercase());
    let counts =
        |finding: &Finding| detectors.counts(finding) && !places.explain(&finding.span, finding.category);
    let mut found = BTreeMap::new();
    for finding in detectors.find(&inspected).iter().filter(|finding| counts(finding)) {
        *found.entry(finding.category.as_str().to_owned()).or_default() += 1;
    }
    for tag in rules.tags().find("", &places.without_own(text), &[]) {
        let name = match tag.kind() {
            TagKind::Mpan => "mpan",
            TagKind::Mprn => "mprn",
            TagKind::Reference => "reference",
        };
        let count: &mut u32 = found.entry(name.to_owned()).or_default();
        *count = (*count).max(1);
    }
    found
}
