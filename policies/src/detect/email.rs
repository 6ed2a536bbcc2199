//! E-mail addresses of people. Staff, correspondents and addresses behind which nobody is are none.

use super::{
    Category,
    known::Known,
    lexicon::{Hit, Roles},
    scan::{Scan, Shape, is_alphanumeric},
};

/// RFC 5321 §4.5.3.1
const LOCAL: usize = 64;
const DOMAIN: usize = 255;
/// So many digits in a row are no person's.
const MACHINE_DIGITS: usize = 7;

/// Reads the address around the `@` at `at`.
pub(super) fn read(scan: &mut Scan<'_>, at: usize) {
    let bytes = scan.text.as_bytes();
    let before = bytes[..at].iter().rev().take(LOCAL + 1).take_while(|byte| is_local(**byte)).count();
    let behind = bytes[at + 1..].iter().take(DOMAIN + 1).take_while(|byte| is_domain(**byte)).count();
    if !(1..=LOCAL).contains(&before) || !(4..=DOMAIN).contains(&behind) {
        return;
    }
    let start =
        at - before + bytes[at - before..at].iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
    let Some(domain) = scan.text.get(at + 1..at + 1 + behind) else { return };
    let domain = domain.trim_end_matches(['.', '-']);
    let end = at + 1 + domain.len();
    let Some(address) = scan.text.get(start..end) else { return };
    let address = address.to_lowercase();
    let Some((local, domain)) = address.split_once('@') else { return };
    let labels = domain.rsplit_once('.');
    let sound = labels.is_some_and(|(name, top)| {
        !name.is_empty() && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    if !sound || local.is_empty() || is_alphanumeric(bytes, end) {
        return;
    }
    if scan.readers.business.has_address(&address) {
        scan.hits.push(Hit { start: at as u32, end: end as u32, roles: Roles::STAFF });
        return;
    }
    let known = scan.readers.known;
    if is_role(known, local) || is_machine(local) {
        return;
    }
    let shape = if known.is_service(domain) { Shape::Full } else { Shape::Half };
    scan.add(Category::Email, shape, start, end);
}

/// One of its words says that nobody in particular is behind it, as in `info-unsubscribe`.
fn is_role(known: &Known, local: &str) -> bool {
    known.is_role(local) || local.split(['-', '_', '.', '+']).any(|word| known.is_role(word))
}

/// A message id, a bounce address, the name of a picture.
fn is_machine(local: &str) -> bool {
    let mut digits = 0;
    let long = local.bytes().any(|byte| {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        digits > MACHINE_DIGITS
    });
    let hex = local.len() >= 16
        && local.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'.'));
    long || hex || local.bytes().any(|byte| matches!(byte, b'=' | b'$' | b'%'))
}

/// RFC 5322 §3.2.3 without what never stands in addresses of people.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(byte, b'.' | b'_' | b'-' | b'+' | b'\'' | b'=' | b'$' | b'%')
}

fn is_domain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'.' | b'-')
}
