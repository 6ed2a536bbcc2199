//! Numbers of digits only: meter points, cards, health and bank numbers, prepayment tokens, serial numbers without letters.
//! A number is offered for everything that it could be; what stands around it decides later.

use super::{
    Category,
    scan::{Scan, Shape},
};
use crate::{
    digits::{self, Chain, Number, Run},
    tags::numbers::{Claim, MeterPoint, mpans, mprns},
};

const LONGEST: usize = 21;
const TOKEN: usize = 20;
const NHS: usize = 10;
const ACCOUNT: usize = 8;
const SORT_CODE: usize = 6;
/// From a sort code to its account number: a label and some spaces.
const ACCOUNT_NEAR: usize = 60;
/// A serial number of digits only.
const SERIAL: std::ops::RangeInclusive<usize> = 6..=14;

/// One of the two numbers of a bank account.
#[derive(Debug, Clone, Copy)]
pub(super) enum HalfAccount {
    None,
    SortCode { start: usize, end: usize, hyphens: bool },
    Account { start: usize, end: usize },
}

/// Reads the number that begins with the run of digits `start..end`; `is_inside` something longer that was read, it is only
/// looked at for what is longer still.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize, is_inside: bool) {
    let text = scan.text;
    let run = Run { start, end };
    if run.length() < SORT_CODE && !run.goes_on(text) {
        return;
    }
    let chain = Chain::from(text, run, LONGEST);
    let first = end - start;
    let total: usize = chain.groups().iter().map(|group| group.length).sum();
    if total < SORT_CODE || first > LONGEST {
        return;
    }
    account(scan, &chain, start, end);
    if total >= NHS {
        long(scan, &chain, text);
    }
    if is_inside {
        return;
    }
    gas(scan, &chain, text);
    if SERIAL.contains(&first) && digits::stands_alone(text, start, end) {
        scan.add(Category::MeterSerial, Shape::Bare, start, end);
    }
}

fn long(scan: &mut Scan<'_>, chain: &Chain, text: &str) {
    let electricity = mpans(text, chain).next();
    // A row of a table ends with its line, and so does what stands in its last cell.
    let electricity = electricity.filter(|point| !(point.number.is_broken() && scan.lines.is_table()));
    if let Some(MeterPoint { number, claim, .. }) = electricity {
        let shape = if claim == Claim::Usual { Shape::Full } else { Shape::Half };
        if shape == Shape::Full || is_free(text, &number) {
            scan.add(Category::Mpan, shape, number.start, number.end);
        }
    }
    if let Some(number) = chain.number(TOKEN)
        && number.stands_alone(text)
    {
        scan.add(Category::PrepaymentToken, Shape::Half, number.start, number.end);
    }
    if let Some((shape, number)) = card(text, chain) {
        scan.add(Category::PaymentCard, shape, number.start, number.end);
    }
    if let Some(number) = chain.number(NHS)
        && (number.is_grouped(&[NHS]) || number.is_grouped(&[3, 3, 4]))
        && is_nhs(number.digits)
        && number.stands_alone(text)
    {
        let shape = if number.groups.len() > 1 { Shape::Half } else { Shape::Bare };
        scan.add(Category::Nhs, shape, number.start, number.end);
    }
}

fn gas(scan: &mut Scan<'_>, chain: &Chain, text: &str) {
    for MeterPoint { number, claim, .. } in mprns(text, chain) {
        let shape = match claim {
            Claim::Usual => Shape::Full,
            Claim::Whole => Shape::Half,
            Claim::Bare | Claim::Short => Shape::Bare,
        };
        let is_torn = number.is_broken() && scan.lines.is_table();
        if !is_torn && is_free(text, &number) {
            scan.add(Category::Mprn, shape, number.start, number.end);
        }
    }
}

/// A sort code and an account number near each other, whichever comes first.
fn account(scan: &mut Scan<'_>, chain: &Chain, start: usize, end: usize) {
    let near = |other: usize| start.saturating_sub(other) <= ACCOUNT_NEAR;
    let text = scan.text;
    if end - start == ACCOUNT && digits::stands_alone(text, start, end) {
        scan.half_account = match scan.half_account {
            HalfAccount::SortCode { start: from, end: to, hyphens } if near(to) => {
                let shape = if hyphens { Shape::Full } else { Shape::Half };
                scan.add(Category::BankAccount, shape, from, end);
                HalfAccount::None
            }
            _ => HalfAccount::Account { start, end },
        };
        return;
    }
    let code = chain.number(SORT_CODE);
    let Some(code) = code.filter(|code| code.is_grouped(&[SORT_CODE]) || code.is_grouped(&[2, 2, 2])) else {
        return;
    };
    let hyphens = code.groups.len() > 1;
    scan.half_account = match scan.half_account {
        HalfAccount::Account { start: from, end: to } if near(to) => {
            let shape = if hyphens { Shape::Full } else { Shape::Half };
            scan.add(Category::BankAccount, shape, from, code.end);
            HalfAccount::None
        }
        _ => HalfAccount::SortCode { start, end: code.end, hyphens },
    };
}

/// The card number that a chain begins with (ISO/IEC 7812-1).
fn card<'a>(text: &str, chain: &'a Chain) -> Option<(Shape, Number<'a>)> {
    (12..=19).rev().find_map(|length| {
        let number = chain.number(length)?;
        let issuer = issuer(number.digits)?;
        let grouped = number.is_grouped(&[4, 4, 4, 4])
            || number.is_grouped(&[4, 6, 5])
            || number.is_grouped(&[4, 6, 4]);
        let one = number.groups.len() == 1;
        let usual = (grouped || one) && issuer == Issuer::Usual && !number.is_broken();
        let possible = (one || number.groups.iter().all(|group| group.length >= 3)) && is_luhn(number.digits);
        if !possible || !number.stands_alone(text) {
            return None;
        }
        Some((if usual { Shape::Full } else { Shape::Half }, number))
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Issuer {
    /// Length and beginning of the great issuers.
    Usual,
    Other,
}

fn issuer(digits: &str) -> Option<Issuer> {
    let begin = |length: usize| digits.get(..length).and_then(|begin| begin.parse::<u32>().ok()).unwrap_or(0);
    let usual = match digits.len() {
        15 => matches!(begin(2), 34 | 37),
        16 => {
            digits.starts_with('4')
                || matches!(begin(2), 51..=55 | 65)
                || matches!(begin(4), 2221..=2720 | 6011)
                || matches!(begin(3), 644..=649)
        }
        _ => false,
    };
    let other = matches!(begin(2), 30 | 34..=39 | 40..=49 | 50..=69) || matches!(begin(4), 2221..=2720);
    match (usual, other) {
        (true, _) => Some(Issuer::Usual),
        (false, true) => Some(Issuer::Other),
        (false, false) => None,
    }
}

/// ISO/IEC 7812-1 annex B.
fn is_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|byte| u32::from(byte - b'0'))
        .enumerate()
        .map(|(place, digit)| match digit * 2 {
            doubled if place % 2 == 1 => doubled / 10 + doubled % 10,
            _ => digit,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_nhs(digits: &str) -> bool {
    let values: Vec<u32> = digits.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let Some((check, number)) = values.split_last() else { return false };
    let sum: u32 = (2..=10).rev().zip(number).map(|(weight, digit)| weight * digit).sum();
    // All the same digit passes, and is nobody's.
    (11 - sum % 11) % 11 == *check && number.iter().any(|digit| digit != check)
}

/// Neither glued to what follows nor to letters before, but for the label or the `S` or `M` with which it is printed.
fn is_free(text: &str, number: &Number<'_>) -> bool {
    let bytes = text.as_bytes();
    !super::scan::is_letter(bytes, number.end) && !digits::is_in_link(text, number.start, number.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        for card in ["4111111111111111", "5555555555554444", "378282246310005"] {
            assert!(is_luhn(card) && issuer(card) == Some(Issuer::Usual), "{card}");
        }
        assert!(!is_luhn("4111111111111112"));
        assert!(issuer("1234567812345670").is_none());
        assert!(is_nhs("9434765919") && !is_nhs("9434765918") && !is_nhs("1111111111"));
    }
}
