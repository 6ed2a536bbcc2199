//! One case as somebody tells it: the facts, the sentences filled with them, and what a careful reader would mark in it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    chance::Chance,
    numbers,
    people::{Company, Consumer},
    wording::{Fuel, Wording},
};

/// What stands in a mail: search tags by kind, personal data by category, each value once and in its plain form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Marks {
    /// `mpan`, `mprn`, `reference`.
    pub(crate) tags: BTreeSet<(&'static str, String)>,
    /// Categories as the engine names them. Names are full names, addresses their first line.
    pub(crate) personal: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Marks {
    pub(crate) fn personal(&mut self, category: &'static str, value: impl Into<String>) {
        self.personal.entry(category).or_default().insert(value.into());
    }

    pub(crate) fn meter_point(&mut self, kind: &'static str, value: &str) {
        self.tags.insert((kind, value.to_owned()));
        self.personal(kind, value);
    }
}

/// A meter point and how it is numbered.
#[derive(Debug, Clone)]
pub(crate) struct Meter {
    pub(crate) kind: &'static str,
    pub(crate) number: String,
}

impl Meter {
    pub(crate) fn invented(chance: &mut Chance, fuel: Fuel) -> Self {
        let electricity = match fuel {
            Fuel::Both => chance.percent(60),
            Fuel::Electricity => true,
            Fuel::Gas => false,
        };
        match electricity {
            true => Self { kind: "mpan", number: numbers::mpan(chance) },
            false => Self { kind: "mprn", number: numbers::mprn(chance) },
        }
    }

    pub(crate) fn written(&self, chance: &mut Chance) -> String {
        match self.kind {
            "mpan" => numbers::written_mpan(chance, &self.number),
            _ => numbers::written_mprn(chance, &self.number),
        }
    }

    fn named(&self, chance: &mut Chance) -> String {
        let number = self.written(chance);
        match self.kind {
            "mpan" => match chance.between(0, 7) {
                0..=3 => format!("MPAN {number}"),
                4 => format!("MPAN: {number}"),
                5 => format!("MPAN no. {number}"),
                6 => format!("electricity supply number {number}"),
                _ => format!("mpan {number}"),
            },
            _ => match chance.between(0, 6) {
                0..=3 => format!("MPRN {number}"),
                4 => format!("MPRN: {number}"),
                5 => format!("gas meter point {number}"),
                _ => format!("MPR {number}"),
            },
        }
    }
}

/// Everything that is true of one case.
pub(crate) struct Story {
    pub(crate) consumer: Consumer,
    pub(crate) meter: Meter,
    serial: String,
    reference: Reference,
    dates: [String; 2],
    readings: [u64; 2],
    amount: String,
    month: &'static str,
    ours: Company,
    theirs: Company,
}

struct Reference {
    plain: String,
    /// Shaped like the ones that are search tags.
    tag: bool,
}

impl Story {
    pub(crate) fn invented(chance: &mut Chance, wording: &Wording, ours: Company, theirs: Company) -> Self {
        let reading = chance.between(1_000, 89_000);
        let tag = chance.percent(80);
        let plain = match tag {
            true => format!("{}-{}", wording.code, chance.digits(6)),
            false => format!("{}/{}", chance.digits(6), wording.code),
        };
        Self {
            consumer: Consumer::invented(chance),
            meter: Meter::invented(chance, wording.fuel),
            serial: numbers::serial(chance),
            reference: Reference { plain, tag },
            dates: [date(chance), date(chance)],
            readings: [reading, reading + chance.between(40, 900)],
            amount: format!("£{}.{:02}", chance.between(12, 480), chance.between(0, 99)),
            month: chance.pick(&["September", "October", "November", "August"]),
            ours,
            theirs,
        }
    }

    /// Fills a sentence, and marks what a reader would.
    pub(crate) fn tell(&self, chance: &mut Chance, sentence: &str, marks: &mut Marks) -> String {
        let mut told = String::with_capacity(sentence.len() + 80);
        let mut rest = sentence;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, behind)) = after.split_once('}') else { break };
            told.push_str(before);
            told.push_str(&self.fact(chance, word, marks));
            rest = behind;
        }
        told.push_str(rest);
        told
    }

    fn fact(&self, chance: &mut Chance, word: &str, marks: &mut Marks) -> String {
        match word {
            "meter" => {
                marks.meter_point(self.meter.kind, &self.meter.number);
                self.meter.named(chance)
            }
            "num" => {
                marks.meter_point(self.meter.kind, &self.meter.number);
                self.meter.number.clone()
            }
            "name" => {
                let Consumer { title, first, last, .. } = self.consumer;
                marks.personal("name", self.consumer.full_name());
                match chance.between(0, 3) {
                    0 => format!("{title} {last}"),
                    1 => format!("{title} {} {last}", &first[..1]),
                    _ => format!("{title} {first} {last}"),
                }
            }
            "addr" => {
                let Consumer { street, town, postcode, .. } = &self.consumer;
                marks.personal("postal-address", street.clone());
                marks.personal("postcode", postcode.replace(' ', ""));
                match chance.between(0, 4) {
                    0 => format!("{street}, {town} {postcode}"),
                    1 => format!("{street}, {}, {postcode}", town.to_uppercase()),
                    2 => format!("{street} {town} {}", postcode.replace(' ', "")),
                    _ => format!("{street}, {town}, {postcode}"),
                }
            }
            "msn" => {
                marks.personal("meter-serial", self.serial.clone());
                match chance.between(0, 2) {
                    0 => format!("serial {}", self.serial),
                    1 => format!("serial number {}", self.serial),
                    _ => format!("MSN {}", self.serial),
                }
            }
            "ourref" => {
                self.referred(chance, &["Our ref: ", "Our reference: ", "our ref ", "Our Ref. "], marks)
            }
            "yourref" => self.referred(chance, &["your ref ", "Your ref: ", "your reference "], marks),
            "date" => self.dates[0].clone(),
            "date2" => self.dates[1].clone(),
            "read" => format!("{:05}", self.readings[0]),
            "read2" => format!("{:05}", self.readings[1]),
            "amount" => self.amount.clone(),
            "month" => self.month.to_owned(),
            "ourco" => self.ours.name.to_owned(),
            "theirco" => self.theirs.name.to_owned(),
            other => panic!("no fact is called {other}"),
        }
    }

    fn referred(&self, chance: &mut Chance, words: &[&str], marks: &mut Marks) -> String {
        if self.reference.tag {
            marks.tags.insert(("reference", self.reference.plain.clone()));
        }
        format!("{}{}", chance.pick(words), self.reference.plain)
    }

    /// A further fact about the consumer, as people add them in a line of their own.
    pub(crate) fn aside(&self, chance: &mut Chance, marks: &mut Marks) -> String {
        match chance.between(0, 15) {
            0..=2 => self.by_telephone(chance, marks),
            3 | 4 => {
                marks.personal("email", self.consumer.email.to_lowercase());
                let words = chance.pick(&["Email: ", "The customer's email address is ", "e-mail "]);
                format!("{words}{}", self.consumer.email)
            }
            5 => born(chance, marks),
            6 => {
                let (plain, written) = numbers::national_insurance(chance);
                marks.personal("national-insurance", plain);
                format!("{}{written}", chance.pick(&["NI number ", "National Insurance no: ", "NINO "]))
            }
            7 => {
                let (plain, written) = numbers::nhs(chance);
                marks.personal("nhs", plain);
                format!("{}{written}", chance.pick(&["NHS number ", "NHS no. ", "NHS No: "]))
            }
            8 => banked(chance, marks),
            9 => {
                let (plain, written) = numbers::iban(chance);
                marks.personal("iban", plain);
                format!("{}{written}", chance.pick(&["Refund to IBAN ", "IBAN: "]))
            }
            10 => {
                let (plain, written) = numbers::card(chance);
                marks.personal("payment-card", plain);
                format!(
                    "{}{written}",
                    chance.pick(&["Paid by card ", "Card number: ", "The payment was taken from card "])
                )
            }
            11 => {
                let (plain, written) = numbers::token(chance);
                marks.personal("prepayment-token", plain);
                format!("{}{written}", chance.pick(&["Vend code ", "UTRN: ", "Top-up code not accepted: "]))
            }
            12 => {
                let (plain, written) = numbers::guid(chance);
                marks.personal("meter-guid", plain);
                format!("{}{written}", chance.pick(&["GUID ", "Device GUID: ", "Comms hub GUID "]))
            }
            13 => {
                marks.personal("meter-serial", self.serial.clone());
                format!("{}{}", chance.pick(&["Meter serial number: ", "MSN ", "Meter "]), self.serial)
            }
            _ => vulnerable(chance, marks),
        }
    }

    fn by_telephone(&self, chance: &mut Chance, marks: &mut Marks) -> String {
        let (plain, written) = numbers::telephone(chance);
        marks.personal("telephone", plain);
        match chance.between(0, 4) {
            0 => format!("Contact number: {written}"),
            1 => format!("The customer can be reached on {written} after 5pm."),
            2 => format!("Tel. {written}"),
            3 => format!("Mobile {written}"),
            _ => format!("Please ring the customer on {written} first."),
        }
    }
}

fn banked(chance: &mut Chance, marks: &mut Marks) -> String {
    let (sort, account) = numbers::bank(chance);
    marks.personal("bank-account", format!("{sort}{account}"));
    let dashed = [&sort[..2], &sort[2..4], &sort[4..]].join("-");
    match chance.between(0, 2) {
        0 => format!("Refund to sort code {dashed}, account number {account}"),
        1 => format!("Sort code: {dashed} Account: {account}"),
        _ => format!("Bank details: s/c {sort} a/c {account}"),
    }
}

fn born(chance: &mut Chance, marks: &mut Marks) -> String {
    let (day, month, year) = (chance.between(1, 28), chance.between(1, 12), chance.between(1934, 2005));
    marks.personal("date-of-birth", format!("{year:04}-{month:02}-{day:02}"));
    let name = MONTHS[month as usize - 1];
    match chance.between(0, 4) {
        0 => format!("DOB: {day:02}/{month:02}/{year}"),
        1 => format!("Date of birth: {day} {name} {year}"),
        2 => format!("DOB {day:02}.{month:02}.{year}"),
        3 => format!("The account holder was born on {day} {name} {year}."),
        _ => format!("D.O.B. {day:02}-{month:02}-{year}"),
    }
}

/// Special category data: what it says about somebody's health or circumstances.
fn vulnerable(chance: &mut Chance, marks: &mut Marks) -> String {
    let said = chance.pick(&[
        "The customer is on the Priority Services Register.",
        "PSR: oxygen concentrator in use at the property.",
        "Please note that the occupier is registered blind.",
        "The household has a home dialysis machine.",
        "Vulnerable customer: pensionable age, lives alone.",
        "The customer has dementia and her son deals with the account.",
        "Medically dependent on electricity (nebuliser).",
        "The account is flagged as vulnerable because of a chronic illness.",
        "There is a stairlift and the customer is a wheelchair user.",
    ]);
    marks.personal("vulnerability", said);
    said.to_owned()
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn date(chance: &mut Chance) -> String {
    let (day, month) = (chance.between(1, 28), chance.between(1, 11));
    match chance.between(0, 3) {
        0 => format!("{day:02}/{month:02}/2026"),
        1 => format!("{day} {} 2026", MONTHS[month as usize - 1]),
        2 => format!("{day:02}.{month:02}.26"),
        _ => format!("{day} {}", &MONTHS[month as usize - 1][..3]),
    }
}
