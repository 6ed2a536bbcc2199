//! Numbers of the market and of people, right in all their check digits, and numbers that only look like one. Written from
//! the descriptions of the numbers, not from the code that finds them.

use super::chance::Chance;

/// Electricity: two digits of the distributor, ten of the meter point, one check digit.
pub(crate) fn mpan(chance: &mut Chance) -> String {
    const WEIGHTS: [u32; 12] = [3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43];
    let distributor = chance.between(10, 23);
    let core = format!("{distributor}{}", chance.digits(10));
    let sum: u32 = core.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{core}{}", sum % 11 % 10)
}

/// Gas: the last two of ten digits check the others.
pub(crate) fn mprn(chance: &mut Chance) -> String {
    let number = format!("{}{}", chance.between(1, 9), chance.digits(7));
    let sum: u32 =
        number.bytes().zip((1..=8).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    format!("{number}{:02}", sum % 11)
}

/// As people and systems write an MPAN: in one, in groups, or all 21 digits.
pub(crate) fn written_mpan(chance: &mut Chance, mpan: &str) -> String {
    let groups = |by: &str| [&mpan[..2], &mpan[2..6], &mpan[6..10], &mpan[10..]].join(by);
    match chance.between(0, 9) {
        0..=5 => mpan.to_owned(),
        6 => groups(" "),
        7 => groups("-"),
        8 => format!("{} {} {}", &mpan[..2], &mpan[2..10], &mpan[10..]),
        _ => format!("0{} {} {} {}", chance.between(1, 4), chance.digits(3), chance.digits(3), groups(" ")),
    }
}

pub(crate) fn written_mprn(chance: &mut Chance, mprn: &str) -> String {
    match chance.between(0, 9) {
        0..=7 => mprn.to_owned(),
        8 => format!("M{mprn}"),
        _ => format!("{} {} {}", &mprn[..4], &mprn[4..7], &mprn[7..]),
    }
}

pub(crate) fn serial(chance: &mut Chance) -> String {
    let year = chance.between(5, 25);
    match chance.between(0, 4) {
        0 => format!("S{year:02}{}{}", chance.letter("ABCDLP"), chance.digits(5)),
        1 => format!("E{}S{:02}{}", chance.between(6, 7), year, chance.digits(7)),
        2 => format!("{year:02}P{}", chance.digits(7)),
        3 => format!("S{year:02}DS{}", chance.digits(6)),
        _ => format!("G4A{}{year:02}{:02}", chance.digits(6), chance.between(1, 12)),
    }
}

pub(crate) fn telephone(chance: &mut Chance) -> (String, String) {
    let number = match chance.between(0, 9) {
        0..=6 => format!("07700900{:03}", chance.between(0, 999)),
        _ => format!("01632960{:03}", chance.between(0, 999)),
    };
    let written = match chance.between(0, 4) {
        0 | 1 => format!("{} {}", &number[..5], &number[5..]),
        2 => number.clone(),
        3 => format!("+44 {} {}", &number[1..5], &number[5..]),
        _ => format!("{} {} {}", &number[..5], &number[5..8], &number[8..]),
    };
    (number, written)
}

pub(crate) fn national_insurance(chance: &mut Chance) -> (String, String) {
    let prefix = chance.pick(&["AB", "CE", "HK", "JY", "LM", "PR", "SA", "WN", "YZ"]);
    let (digits, suffix) = (chance.digits(6), chance.letter("ABCD"));
    let plain = format!("{prefix}{digits}{suffix}");
    let written = match chance.percent(50) {
        true => format!("{prefix} {} {} {} {suffix}", &digits[..2], &digits[2..4], &digits[4..]),
        false => plain.clone(),
    };
    (plain, written)
}

pub(crate) fn nhs(chance: &mut Chance) -> (String, String) {
    loop {
        let number = format!("{}{}", chance.between(4, 7), chance.digits(8));
        let sum: u32 =
            number.bytes().zip((2..=10).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
        let check = match 11 - sum % 11 {
            11 => 0,
            10 => continue,
            check => check,
        };
        let plain = format!("{number}{check}");
        let written = format!("{} {} {}", &plain[..3], &plain[3..6], &plain[6..]);
        return (plain, written);
    }
}

/// Sort code and account.
pub(crate) fn bank(chance: &mut Chance) -> (String, String) {
    (format!("{}{}", chance.between(10, 89), chance.digits(4)), chance.digits(8))
}

pub(crate) fn iban(chance: &mut Chance) -> (String, String) {
    let bank = chance.pick(&["WEST", "MIDL", "BUKB", "LOYD", "NWBK"]);
    let account = format!("{bank}{}", chance.digits(14));
    let value = |text: &str| {
        text.chars().fold(0_u64, |rest, letter| {
            let digit = letter.to_digit(36).map_or(0, u64::from);
            (rest * if digit > 9 { 100 } else { 10 } + digit) % 97
        })
    };
    let check = 98 - value(&format!("{account}GB00"));
    let plain = format!("GB{check:02}{account}");
    let groups: Vec<String> =
        plain.as_bytes().chunks(4).map(|four| String::from_utf8_lossy(four).into_owned()).collect();
    let written = if chance.percent(60) { groups.join(" ") } else { plain.clone() };
    (plain, written)
}

/// A card number with a right Luhn digit.
pub(crate) fn card(chance: &mut Chance) -> (String, String) {
    let number = match chance.percent(50) {
        true => format!("4{}", chance.digits(14)),
        false => format!("5{}{}", chance.between(1, 5), chance.digits(13)),
    };
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            u32::from(digit - b'0') * u32::from(place % 2 == 1)
                + doubled(u32::from(digit - b'0')) * u32::from(place % 2 == 0)
        })
        .sum();
    let plain = format!("{number}{}", (10 - sum % 10) % 10);
    let groups = |by: &str| [&plain[..4], &plain[4..8], &plain[8..12], &plain[12..]].join(by);
    let written = match chance.between(0, 3) {
        0 => plain.clone(),
        1 => groups("-"),
        _ => groups(" "),
    };
    (plain, written)
}

pub(crate) fn token(chance: &mut Chance) -> (String, String) {
    let plain = format!("{}{}", chance.between(1, 6), chance.digits(19));
    let groups = [&plain[..4], &plain[4..8], &plain[8..12], &plain[12..16], &plain[16..]]
        .join(if chance.percent(50) { " " } else { "-" });
    let written = if chance.percent(70) { groups } else { plain.clone() };
    (plain, written)
}

pub(crate) fn guid(chance: &mut Chance) -> (String, String) {
    let hex: String = (0..10).map(|_| chance.letter("0123456789ABCDEF")).collect();
    let plain = format!("00DB12{hex}");
    let pairs =
        plain.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned()).collect::<Vec<_>>();
    let written = pairs.join(if chance.percent(60) { "-" } else { ":" });
    (plain, written)
}

/// A postcode of a made-up place, in one of the valid shapes.
pub(crate) fn postcode(chance: &mut Chance, area: &str) -> String {
    let letters = "ABDEFGHJLNPQRSTUWXYZ";
    let inward = format!("{}{}{}", chance.between(1, 9), chance.letter(letters), chance.letter(letters));
    format!("{area}{} {inward}", chance.between(1, 29))
}

/// Long numbers of the office: none of them is anybody's.
pub(crate) fn misleading(chance: &mut Chance) -> String {
    match chance.between(0, 9) {
        0 => format!("Order no. {}", chance.digits(10)),
        1 => format!("Engineer job {}-{}", chance.digits(8), chance.digits(4)),
        2 => format!("Invoice INV{}", chance.digits(9)),
        3 => format!("Please quote call log {} if you ring us.", chance.digits(12)),
        4 => format!("Tracking number {}{}GB", chance.pick(&["RX", "CQ"]), chance.digits(9)),
        5 => format!(
            "Validation flow D0{} was sent on {:02}/{:02}/2026 at {:02}:{:02}.",
            chance.between(10, 99) + 200,
            chance.between(1, 28),
            chance.between(1, 11),
            chance.between(8, 17),
            chance.between(0, 59)
        ),
        6 => format!("CRM case {:012}", chance.between(1_000_000, 9_999_999)),
        7 => format!("PO {}", 4_500_000_000 + chance.between(0, 999_999)),
        8 => format!(
            "Ticket #{} was raised on 2026-{:02}-{:02}T{:02}:{:02}:00Z.",
            chance.digits(7),
            chance.between(1, 11),
            chance.between(1, 28),
            chance.between(8, 17),
            chance.between(0, 59)
        ),
        _ => format!("File name: RGMA_{}{}.csv", chance.digits(8), chance.digits(6)),
    }
}
