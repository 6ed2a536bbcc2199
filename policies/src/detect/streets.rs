//! Streets with a house number before them: "12 High Street", "Flat 3, 14a The Close". Whether that is somebody's address,
//! a postcode or a word near by says.

use super::{
    Category,
    lexicon::Hit,
    scan::{Scan, Shape},
};

/// From the house number to the word for the street.
const NAME: usize = 48;
const MOST_WORDS: usize = 4;
const SMALL_WORDS: [&str; 5] = ["of", "the", "and", "upon", "on"];

/// Reads backwards from a word for a street.
pub(super) fn read(scan: &mut Scan<'_>, hit: Hit) {
    let (start, end) = (hit.start as usize, hit.end as usize);
    let bytes = scan.text.as_bytes();
    if !bytes[start].is_ascii_uppercase()
        || start < scan.addressed
        || bytes.get(start.wrapping_sub(1)) != Some(&b' ')
    {
        return;
    }
    let from = scan.text.ceil_char_boundary(start.saturating_sub(NAME));
    let before = &scan.text[from..start];
    let line = before.rfind('\n').map_or(0, |at| at + 1);
    if let Some(number) = house_number(&before[line..]) {
        let is_cut = from + line + number == from && from > 0 && bytes[from - 1].is_ascii_alphanumeric();
        if !is_cut {
            scan.add(Category::PostalAddress, Shape::Half, from + line + number, end);
            scan.addressed = end;
        }
    }
}

/// Where the house number begins that stands before the name of a street, one to four words.
fn house_number(before: &str) -> Option<usize> {
    let mut end = before.trim_end().len();
    for words in 0..=MOST_WORDS {
        let start = before[..end].rfind([' ', '\t', ',']).map_or(0, |at| at + 1);
        let word = &before[start..end];
        if is_house_number(word) && words > 0 {
            // "402,000 Home Loan"
            let is_amount =
                before[..start].ends_with(',') && before[..start - 1].ends_with(|c: char| c.is_ascii_digit());
            return Some(start).filter(|_| !is_amount);
        }
        let is_name = word.starts_with(char::is_uppercase) || SMALL_WORDS.contains(&word);
        if !is_name || start == 0 {
            return None;
        }
        end = before[..start].trim_end_matches([' ', ',', '\t']).len();
    }
    None
}

/// 12, 12a, 12-14, 1/2
fn is_house_number(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let plain = word.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    (1..=5).contains(&digits)
        && word.len() - plain.len() <= 1
        && word.starts_with(|c: char| c.is_ascii_digit())
        && plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'/'))
}
