//! The small things that reports are made of: addresses, status codes and reply codes in a line of text. Each is looked for
//! in linear time and read cautiously: an IP address is no status, a version number is none either.

use super::{Action, Status};
use crate::Address;

/// Reply codes of SMTP servers that refuse (RFC 5321 §4.2.3, RFC 4954, RFC 7504) and of the gateways that imitate them.
const REPLIES: [u16; 31] = [
    421, 422, 431, 432, 441, 442, 446, 447, 449, 450, 451, 452, 454, 471, 500, 501, 502, 503, 504, 521, 530,
    535, 541, 550, 551, 552, 553, 554, 555, 556, 571,
];

/// An address as mail systems write it into fields and lines: with angle brackets, a comment, or something behind it.
pub(super) fn address(text: &str) -> Option<Address> {
    let text = text.trim().trim_matches(['<', '>', '\'', ' ', ';', ',']);
    let first = || text.split(['>', ' ', '\t', '(']).next().unwrap_or_default().trim_matches('"');
    Address::parse(text).or_else(|_| Address::parse(first())).ok()
}

/// `\x{E9}` made the character that it stands for (RFC 6533 §3).
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut pieces = text.split("\\x{");
    out.push_str(pieces.next()?);
    for piece in pieces {
        let (digits, rest) = piece.split_once('}')?;
        out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        out.push_str(rest);
    }
    Some(out)
}

/// The addresses in a line, in order.
pub(super) fn addresses(line: &str) -> impl Iterator<Item = Address> {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(at) = memchr::memchr(b'@', &line.as_bytes()[from..]) {
            let at = from + at;
            let (start, end) = (from + local_start(&line[from..at]), at + 1 + domain_end(&line[at + 1..]));
            from = end.max(at + 1);
            if let Ok(address) = Address::parse(&line[start..end]) {
                return Some(address);
            }
        }
        None
    })
}

fn local_start(before: &str) -> usize {
    let is_local = |c: char| c.is_alphanumeric() || "!#$%&*+-/=?^_`{|}~.".contains(c);
    let start = before.char_indices().rev().take(64).take_while(|(_, c)| is_local(*c)).last();
    let start = start.map_or(before.len(), |(at, _)| at);
    let dots = before[start..].len() - before[start..].trim_start_matches('.').len();
    start + dots
}

fn domain_end(behind: &str) -> usize {
    let is_domain = |c: char| c.is_alphanumeric() || c == '-' || c == '.';
    let end = behind.char_indices().take(255).find(|(_, c)| !is_domain(*c)).map(|(at, _)| at);
    let end = end.unwrap_or_else(|| behind.char_indices().nth(255).map_or(behind.len(), |(at, _)| at));
    behind[..end].trim_end_matches(['.', '-']).len()
}

/// The first enhanced status code of a line (RFC 3463), else what a bare reply code allows to say: that it fails now, or
/// for good.
pub(super) fn status(line: &str) -> Option<Status> {
    enhanced(line).or_else(|| reply(line))
}

/// The first enhanced status code of a line that tells of a failure.
pub(super) fn enhanced(line: &str) -> Option<Status> {
    let bytes = line.as_bytes();
    (0..bytes.len()).filter(|&at| matches!(bytes[at], b'2' | b'4' | b'5')).find_map(|at| {
        let before = at.checked_sub(1).map_or(b' ', |i| bytes[i]);
        let apart = !before.is_ascii_alphanumeric() && !matches!(before, b'.' | b'/' | b'_' | b'@');
        if !apart || (before == b'-' && !(at >= 4 && bytes[at - 4..at - 1].iter().all(u8::is_ascii_digit))) {
            return None;
        }
        status_at(&bytes[at..])
    })
}

/// A status code at the beginning of `bytes`, and nothing that would make it part of something longer.
fn status_at(bytes: &[u8]) -> Option<Status> {
    let (class, rest) = (bytes.first()? - b'0', bytes.get(1..)?);
    let (subject, rest) = number(rest.strip_prefix(b".")?)?;
    let (detail, rest) = number(rest.strip_prefix(b".")?)?;
    let longer = match rest {
        [b'.', next, ..] | [next, ..] => next.is_ascii_alphanumeric() || *next == b'_',
        [] => false,
    };
    (!longer && subject <= 7).then_some(Status { class, subject, detail })
}

fn number(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let length = bytes.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
    let digits = std::str::from_utf8(&bytes[..length]).ok().filter(|_| (1..=3).contains(&length))?;
    Some((digits.parse().ok()?, &bytes[length..]))
}

/// A reply code where replies begin: at the start of a line, behind a colon, a bracket, or "error".
fn reply(line: &str) -> Option<Status> {
    let bytes = line.as_bytes();
    (0..bytes.len().saturating_sub(2)).find_map(|at| {
        let (code, rest) = number(&bytes[at..])?;
        let apart = rest
            .first()
            .is_none_or(|next| !next.is_ascii_alphanumeric() && !matches!(next, b'.' | b'/' | b':'));
        let is_reply = REPLIES.contains(&code) && apart && begins_reply(&bytes[..at]);
        is_reply.then_some(Status { class: (code / 100) as u8, subject: 0, detail: 0 })
    })
}

fn begins_reply(before: &[u8]) -> bool {
    let text = before.trim_ascii_end();
    let apart = text.len() < before.len() || text.is_empty();
    let plain = text.strip_suffix(b";").unwrap_or(text);
    let letters = plain.iter().rev().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = plain[plain.len() - letters..].to_ascii_lowercase();
    match text.last() {
        None => true,
        Some(b'(' | b'<' | b'"' | b'\'' | b'#' | b'[') => true,
        Some(b':' | b'>' | b'-' | b'=') => apart,
        Some(_) => {
            let words: [&[u8]; 8] =
                [b"said", b"error", b"code", b"smtp", b"reply", b"response", b"status", b"reason"];
            apart && words.contains(&&word[..])
        }
    }
}

/// The word of the field `Action`, and what gateways write instead.
pub(super) fn action(text: &str) -> Option<Action> {
    let word = text.trim().to_ascii_lowercase();
    [
        ("fail", Action::Failed),
        ("expire", Action::Failed),
        ("bounce", Action::Failed),
        ("reject", Action::Failed),
        ("error", Action::Failed),
        ("delay", Action::Delayed),
        ("defer", Action::Delayed),
        ("deliver", Action::Delivered),
        ("relay", Action::Relayed),
        ("expand", Action::Expanded),
    ]
    .into_iter()
    .find_map(|(start, action)| word.starts_with(start).then_some(action))
}
