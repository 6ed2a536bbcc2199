//! Names of people: capitalised words behind a title, a greeting or a label, or in a column of names. Who writes the mail
//! or gets it is on business and no finding.

use super::{
    Category,
    lexicon::{Hit, Roles},
    lines::Cell,
    scan::{Scan, Shape, is_letter},
};

const MOST_WORDS: usize = 4;
const WORD_MAX: usize = 40;
/// From a label to the name: a colon, "is", a line break of a form.
const BEHIND_LABEL: usize = 12;
const CELL: usize = 60;
/// Small words within a name.
const PARTICLES: [&str; 14] =
    ["al", "ap", "bin", "da", "de", "del", "den", "der", "di", "du", "el", "la", "van", "von"];
/// Labels that say nothing where they end a longer one, as in "file name".
const PLAIN_LABELS: [&str; 2] = ["name", "names"];

/// A name in the text.
struct Name {
    start: usize,
    end: usize,
    /// Words and initials.
    words: usize,
    /// The last word of two letters or more.
    last: (usize, usize),
}

/// Reads the name that follows a word which lets one expect it.
pub(super) fn read(scan: &mut Scan<'_>, hit: Hit) {
    let (start, end) = (hit.start as usize, hit.end as usize);
    if hit.roles.any(Roles::TITLE) {
        titled(scan, start, end);
    } else if hit.roles.any(Roles::GREETING) {
        greeted(scan, end);
    } else if hit.roles.any(Roles::of(Category::Name)) {
        labelled(scan, start, end);
    } else {
        of_consumer(scan, start, end);
    }
}

/// A cell of a column of names or addresses.
pub(super) fn cell(scan: &mut Scan<'_>, cell: Cell) {
    let Some(text) = scan.text.get(cell.start..cell.end) else { return };
    let inner = text.trim_matches(['"', ' ', '\'', '\r']);
    let start = cell.start + text.find(inner).unwrap_or_default();
    let end = start + inner.len();
    if inner.is_empty() || inner.len() > CELL * 2 {
        return;
    }
    if cell.head.any(Roles::of(Category::Name)) {
        if start >= scan.named
            && let Some(name) = name_at(scan, start)
        {
            add(scan, &name, name.start, Shape::Full);
        }
    } else if !cell.head.any(Roles::of(Category::Email)) && is_address(inner) && start >= scan.addressed {
        scan.add(Category::PostalAddress, Shape::Full, start, end);
        scan.addressed = end;
    }
}

/// "Mrs J. Smith", "Mr and Mrs O'Neill"
fn titled(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    let is_street = start < scan.addressed;
    if start < scan.named || is_street || !bytes[start].is_ascii_uppercase() {
        return;
    }
    let mut at = behind_title(bytes, end);
    if let Some(second) = ["and ", "& ", "or "].iter().find_map(|and| strip(scan.text, at, and)) {
        let word = word_end(bytes, second);
        if !roles(scan, second, word).any(Roles::TITLE) {
            return;
        }
        at = behind_title(bytes, word);
    }
    let Some(name) = name_at(scan, at) else { return };
    // "MS Word" is no lady; "MRS SMITH" is.
    let shouted = end - start > 1 && bytes[start + 1].is_ascii_uppercase();
    let loud = bytes[name.last.0..name.last.1].iter().all(|byte| !byte.is_ascii_lowercase());
    if shouted && !loud && bytes[start..end].eq_ignore_ascii_case(b"ms") {
        return;
    }
    add(scan, &name, start, Shape::Full);
}

/// "Dear Jane Smith". A first name alone says little.
fn greeted(scan: &mut Scan<'_>, end: usize) {
    if scan.text.as_bytes().get(end) != Some(&b' ') {
        return;
    }
    if let Some(name) = name_at(scan, end + 1) {
        let shape = if name.words >= 2 { Shape::Full } else { Shape::Half };
        add(scan, &name, name.start, shape);
    }
}

/// "Account holder: Jane Smith"
fn labelled(scan: &mut Scan<'_>, start: usize, end: usize) {
    let Some(label) = scan.text.get(start..end) else { return };
    let bare = PLAIN_LABELS.iter().any(|plain| label.eq_ignore_ascii_case(plain));
    if bare && !begins_something(&scan.text[..start]) {
        return;
    }
    let (at, marked) = behind_label(scan.text, end);
    // Where the value stands below its label, the label has a line of its own.
    let below = scan.text[end..at].contains('\n') && !begins_something(&scan.text[..start]);
    if bare && !marked || at == end || below {
        return;
    }
    if let Some(name) = name_at(scan, at)
        && (marked || name.words >= 2)
    {
        let shape = if bare && name.words == 1 { Shape::Half } else { Shape::Full };
        add(scan, &name, name.start, shape);
    }
}

/// "our customer Jane Smith", but no "Customer Service Advisor".
fn of_consumer(scan: &mut Scan<'_>, start: usize, end: usize) {
    let (at, marked) = behind_label(scan.text, end);
    let small = scan.text.as_bytes()[start].is_ascii_lowercase();
    let goes_on = !scan.text[end..at].contains('\n');
    if at == end || !(marked || small && goes_on) {
        return;
    }
    if let Some(name) = name_at(scan, at)
        && name.words >= 2
    {
        add(scan, &name, name.start, Shape::Full);
    }
}

fn add(scan: &mut Scan<'_>, name: &Name, start: usize, shape: Shape) {
    if name.start < scan.named {
        return;
    }
    scan.named = name.end;
    let last = scan.text.get(name.last.0..name.last.1).unwrap_or_default().to_lowercase();
    let business = scan.readers.business;
    if business.has_name(&last) || is_beside_staff(scan, name.end) {
        return;
    }
    scan.add(Category::Name, shape, start, name.end);
}

/// An address of staff in brackets follows: the head of a quoted mail.
fn is_beside_staff(scan: &Scan<'_>, end: usize) -> bool {
    let near = scan.text.get(end..).unwrap_or_default().trim_start_matches(['"', '\'', ' ']);
    let Some(inner) = near.strip_prefix(['<', '(', '[']) else { return false };
    let inner = inner.strip_prefix("mailto:").unwrap_or(inner);
    let cut = &inner[..inner.floor_char_boundary(inner.len().min(CELL * 2))];
    let address = cut.split(['>', ')', ']', ' ', '\n']).next().unwrap_or_default().to_lowercase();
    address.contains('@') && scan.readers.business.has_address(&address)
}

/// The name that begins at `at`: capitalised words, initials, and particles before a further word.
fn name_at(scan: &Scan<'_>, at: usize) -> Option<Name> {
    let bytes = scan.text.as_bytes();
    let mut name: Option<Name> = None;
    let (mut at, mut words) = (at, 0);
    while words < MOST_WORDS {
        let end = word_end(bytes, at);
        let word = scan.text.get(at..end).filter(|word| (1..=WORD_MAX).contains(&word.len()))?;
        let lower = word.to_lowercase();
        let particle = PARTICLES.contains(&lower.as_str()) && bytes.get(end) == Some(&b' ');
        let capital = word.starts_with(char::is_uppercase) && !is_blocked(scan, word, &lower, words);
        let goes_on = capital || particle && word == lower;
        if !goes_on || is_digit(bytes.get(end)) {
            break;
        }
        words += usize::from(capital);
        let start = name.as_ref().map_or(at, |name| name.start);
        if capital && word.chars().count() >= 2 {
            name = Some(Name { start, end, words, last: (at, end) });
        } else if name.is_none() {
            name = Some(Name { start, end, words, last: (at, at) });
        }
        let dot = usize::from(bytes.get(end) == Some(&b'.') && word.chars().count() <= 2);
        let gap = usize::from(bytes.get(end + dot) == Some(&b' '));
        if dot + gap == 0 || !is_letter(bytes, end + dot + gap) {
            break;
        }
        at = end + dot + gap;
    }
    name.filter(|name| name.last.0 < name.last.1)
}

/// A word that is capitalised for another reason.
fn is_blocked(scan: &Scan<'_>, word: &str, lower: &str, before: usize) -> bool {
    let places = Roles::of(Category::PostalAddress).and(Roles::of(Category::Postcode));
    let stops = Roles::LABEL.without(places).and(Roles::CLOSING).and(Roles::TITLE).and(Roles::CONSUMER);
    // "Mr Bank" is somebody; in "Mr Smith Bank" the name has ended.
    let stops = if before == 0 { stops.without(Roles::of(Category::BankAccount)) } else { stops.and(places) };
    scan.readers.known.is_no_name(lower) || scan.readers.lexicon.roles(word.as_bytes()).any(stops)
}

fn roles(scan: &Scan<'_>, start: usize, end: usize) -> Roles {
    scan.readers.lexicon.roles(&scan.text.as_bytes()[start..end])
}

/// The end of the word at `at`: letters, with apostrophes and hyphens between them.
fn word_end(bytes: &[u8], at: usize) -> usize {
    let mut end = at;
    while end - at <= WORD_MAX
        && (is_letter(bytes, end)
            || end > at && matches!(bytes.get(end), Some(b'\'' | b'-')) && is_letter(bytes, end + 1))
    {
        end += 1;
    }
    end
}

fn behind_title(bytes: &[u8], end: usize) -> usize {
    let gap = bytes.get(end..).unwrap_or_default().iter().take(3);
    end + gap.take_while(|byte| matches!(byte, b'.' | b' ' | b'_')).count()
}

/// Where what a label labels begins, and whether a mark stands between. The end of the label where nothing follows.
fn behind_label(text: &str, end: usize) -> (usize, bool) {
    let behind = &text[end..];
    let gap = behind.bytes().take(BEHIND_LABEL).take_while(|byte| b" \t\r\n:=-|\"*,(".contains(byte)).count();
    let between = &behind[..gap];
    let marked = between.contains([':', '=']);
    match ["is ", "was "].iter().find_map(|verb| strip(text, end + gap, verb)) {
        Some(at) if gap > 0 => (at, marked),
        _ => (end + gap, marked),
    }
}

fn strip(text: &str, at: usize, word: &str) -> Option<usize> {
    text.get(at..)?.starts_with(word).then_some(at + word.len())
}

/// A line, a cell or a clause begins here.
fn begins_something(before: &str) -> bool {
    before.trim_end_matches([' ', '*', '"']).chars().next_back().is_none_or(|c| "\n\t,;|.:>(".contains(c))
}

fn is_digit(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_digit)
}

/// Under the head "address": words and a number.
fn is_address(cell: &str) -> bool {
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 5
        && cell.contains(' ')
        && cell.contains(|c: char| c.is_ascii_digit())
        && !cell.contains(['@', ':'])
}
