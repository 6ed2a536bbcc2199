//! What stands around a candidate decides how sure it is: words near by, the head of its column, a label straight before
//! it, whose signature it is in. One table of categories; `docs/policy.md` says the same in prose.

use super::{
    Category, Confidence, Settings,
    lexicon::{Hit, Roles},
    quiet::Quiet,
    scan::{Candidate, Scan, Shape},
};

/// A word this close before a number, no other number between, is its label.
const LABEL: usize = 30;
/// Octets behind a number in which a word speaks for it.
const BEHIND: usize = 24;
/// That a company is meant is said just before.
const COMPANY: usize = 50;
/// From an address of staff to the other lines of a card.
const CARD: usize = 200;
/// The lines of a card are no longer than this, one with another.
const CARD_LINE: usize = 50;
/// A postcode belongs to the street that stands so far before it: some lines.
const ADDRESS: usize = 160;
/// The longest word or phrase.
const PHRASE: usize = 80;
/// So many candidates around another are looked at.
const MOST_CANDIDATES: usize = 80;
const TEN: usize = 10;

/// That a consumer is meant, or a consumer's meter.
const CONSUMERS: Roles = Roles::CONSUMER.and(Roles::of(Category::Mpan)).and(Roles::of(Category::Mprn));

/// Numbers that their labels tell apart.
const NUMBERS: [Category; 9] = [
    Category::Mpan,
    Category::Mprn,
    Category::NationalInsurance,
    Category::Nhs,
    Category::BankAccount,
    Category::Iban,
    Category::PaymentCard,
    Category::PrepaymentToken,
    Category::MeterGuid,
];

/// A candidate and how sure it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided {
    pub(super) candidate: Candidate,
    pub(super) confidence: Confidence,
    /// A gas meter point for which it is enough that the mail mentions gas.
    pub(super) if_gas: bool,
}

/// A scanned text in which candidates are looked at.
pub(super) struct Surroundings<'a> {
    text: &'a str,
    hits: &'a [Hit],
    candidates: &'a [Candidate],
    settings: &'a Settings,
    quiet: Quiet,
    /// Where the candidate of the moment stands among the words and the candidates.
    place: Place,
}

/// The first word behind the start of a candidate, and the first candidate that begins there.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    hit: usize,
    candidate: usize,
}

impl<'a> Surroundings<'a> {
    /// `scan` has its candidates in order.
    pub(super) fn new(scan: &'a Scan<'a>, settings: &'a Settings) -> Self {
        let quiet = Quiet::new(scan.text, &scan.lines.signatures, &scan.hits);
        let (hits, candidates) = (&scan.hits, &scan.candidates);
        Self { text: scan.text, hits, candidates, settings, quiet, place: Place::default() }
    }

    /// How sure each candidate is that is anything at all.
    pub(super) fn decide(mut self) -> Vec<Decided> {
        let mut all = AllDecided::default();
        for (at, candidate) in self.candidates.iter().enumerate() {
            if !self.settings.of(candidate.category).on {
                continue;
            }
            self.place.candidate = at;
            while self.hits.get(self.place.hit).is_some_and(|hit| hit.start < candidate.start) {
                self.place.hit += 1;
            }
            if let Some(confidence) = self.confidence(candidate) {
                let if_gas = candidate.category == Category::Mprn && confidence == Confidence::Weak;
                all.add(Decided { candidate: *candidate, confidence, if_gas });
            }
        }
        all.decided
    }

    fn confidence(&self, candidate: &Candidate) -> Option<Confidence> {
        let window = self.settings.of(candidate.category).window;
        let near = self.near(candidate, window).and(candidate.head);
        let spoken = near.any(Roles::of(candidate.category));
        match candidate.category {
            Category::Mpan => numbered(candidate.shape, spoken),
            Category::Mprn => self.gas(candidate, spoken),
            Category::MeterSerial => self.serial(candidate, spoken),
            Category::NationalInsurance | Category::MeterGuid | Category::PaymentCard => {
                self.code(candidate, spoken)
            }
            Category::Nhs if self.is_other(candidate) => None,
            Category::Nhs | Category::PrepaymentToken => needing_word(candidate.shape, spoken),
            Category::BankAccount | Category::DateOfBirth => spoken.then_some(Confidence::Certain),
            Category::Iban => Some(Confidence::Certain),
            Category::Postcode => self.postcode(candidate, near, spoken),
            Category::Telephone => self.telephone(candidate, near, spoken),
            Category::Email => self.email(candidate, near, spoken),
            Category::Name => self.name(candidate, near),
            Category::PostalAddress => self.address(candidate, near, spoken),
            Category::Vulnerability => self.vulnerability(candidate, window),
        }
    }

    fn gas(&self, candidate: &Candidate, spoken: bool) -> Option<Confidence> {
        let digits = self.written(candidate).bytes().filter(u8::is_ascii_digit).count();
        let own = Roles::of(Category::Mprn);
        if self.is_other(candidate) {
            return None;
        }
        match candidate.shape {
            Shape::Bare if digits < TEN => {
                let labelled = self.label(candidate).and(candidate.head).any(own);
                labelled.then_some(Confidence::Likely)
            }
            Shape::Bare => spoken.then_some(Confidence::Certain),
            shape => numbered(shape, spoken),
        }
    }

    fn serial(&self, candidate: &Candidate, spoken: bool) -> Option<Confidence> {
        let label = self.label(candidate).and(candidate.head);
        match candidate.shape {
            Shape::Full if spoken => Some(Confidence::Certain),
            Shape::Full => Some(Confidence::Weak),
            Shape::Half => {
                let labelled = label.any(Roles::of(Category::MeterSerial).and(Roles::SERIAL_LABEL));
                labelled.then_some(Confidence::Likely)
            }
            Shape::Bare => label.any(Roles::SERIAL_LABEL).then_some(Confidence::Likely),
        }
    }

    fn code(&self, candidate: &Candidate, spoken: bool) -> Option<Confidence> {
        match (candidate.shape, spoken) {
            (_, true) => Some(Confidence::Certain),
            (Shape::Full, false) if self.is_other(candidate) => Some(Confidence::Weak),
            (Shape::Full, false) => Some(Confidence::Likely),
            (Shape::Half | Shape::Bare, false) => Some(Confidence::Weak),
        }
    }

    fn postcode(&self, candidate: &Candidate, near: Roles, spoken: bool) -> Option<Confidence> {
        let consumer = near.any(Roles::CONSUMER);
        let business = self.is_of_company(candidate) && !consumer;
        if self.quiet.has(candidate.start)
            || business && !self.label(candidate).any(Roles::of(Category::Postcode))
        {
            return Some(Confidence::Weak).filter(|_| !self.quiet.has(candidate.start));
        }
        let street = self.follows_street(candidate);
        match candidate.shape {
            Shape::Full if spoken || consumer || street => Some(Confidence::Certain),
            Shape::Full => Some(Confidence::Likely),
            Shape::Half if spoken || consumer || street => Some(Confidence::Likely),
            Shape::Half => Some(Confidence::Weak),
            Shape::Bare => (spoken || street).then_some(Confidence::Likely),
        }
    }

    fn telephone(&self, candidate: &Candidate, near: Roles, spoken: bool) -> Option<Confidence> {
        if self.quiet.has(candidate.start) {
            return None;
        }
        let consumer = self.before(candidate, COMPANY * 2).and(candidate.head).any(Roles::CONSUMER);
        Some(match candidate.shape {
            _ if self.is_of_company(candidate) && !consumer => Confidence::Weak,
            _ if spoken && near.any(Roles::CONSUMER) => Confidence::Certain,
            Shape::Full => Confidence::Likely,
            _ if spoken || near.any(Roles::CONSUMER) => Confidence::Likely,
            _ => Confidence::Weak,
        })
    }

    fn email(&self, candidate: &Candidate, near: Roles, spoken: bool) -> Option<Confidence> {
        if self.quiet.has(candidate.start) {
            return None;
        }
        // Every address has the word "mail" somewhere near: it is the consumer who makes it personal.
        let consumer = near.any(CONSUMERS) || candidate.head.any(Roles::of(Category::Email));
        Some(match candidate.shape {
            Shape::Full if spoken && consumer => Confidence::Certain,
            Shape::Full => Confidence::Likely,
            _ if consumer => Confidence::Likely,
            _ => Confidence::Weak,
        })
    }

    fn name(&self, candidate: &Candidate, near: Roles) -> Option<Confidence> {
        if self.quiet.has(candidate.start) {
            return None;
        }
        let consumer = near.any(Roles::CONSUMER.and(Roles::of(Category::Name)));
        Some(match candidate.shape {
            Shape::Full if consumer => Confidence::Certain,
            Shape::Full => Confidence::Likely,
            _ => Confidence::Weak,
        })
    }

    fn address(&self, candidate: &Candidate, near: Roles, spoken: bool) -> Option<Confidence> {
        if self.quiet.has(candidate.start) {
            return None;
        }
        let consumer = spoken || near.any(Roles::CONSUMER);
        let business = self.is_of_company(candidate) && !consumer;
        Some(match (self.has_postcode(candidate), candidate.shape) {
            _ if business => Confidence::Weak,
            (true, _) if consumer => Confidence::Certain,
            (true, _) | (false, Shape::Full) => Confidence::Likely,
            (false, _) if consumer => Confidence::Likely,
            (false, _) => Confidence::Weak,
        })
    }

    fn vulnerability(&self, candidate: &Candidate, window: usize) -> Option<Confidence> {
        let (start, end) = (candidate.start as usize, candidate.end as usize);
        if candidate.shape == Shape::Half && self.quiet.has(candidate.start) {
            return None;
        }
        let around = self.roles(start.saturating_sub(window), start, end, end + window).and(candidate.head);
        let consumer = around.any(CONSUMERS);
        let company = self.roles(start, start, end, end + BEHIND).any(Roles::COMPANY);
        Some(match candidate.shape {
            _ if company => Confidence::Weak,
            Shape::Full if consumer => Confidence::Certain,
            Shape::Full => Confidence::Likely,
            _ if consumer => Confidence::Likely,
            _ => Confidence::Weak,
        })
    }

    /// A label of another number stands straight before it, and none of its own.
    fn is_other(&self, candidate: &Candidate) -> bool {
        let label = self.label(candidate).and(candidate.head);
        let others = NUMBERS.iter().fold(Roles::SERIAL_LABEL, |all, category| all.and(Roles::of(*category)));
        label.any(others) && !label.any(Roles::of(candidate.category))
    }

    /// A company is named before it on its line, or it is a line of a card on which an address of staff stands.
    fn is_of_company(&self, candidate: &Candidate) -> bool {
        let (start, end) = (candidate.start as usize, candidate.end as usize);
        let bytes = self.text.as_bytes();
        // Lines are looked for only where such a word is near at all, which is seldom.
        if self.before(candidate, COMPANY).any(Roles::COMPANY) {
            let line = bytes[start.saturating_sub(COMPANY)..start].iter().rposition(|byte| *byte == b'\n');
            let from = start.saturating_sub(COMPANY) + line.map_or(0, |at| at + 1);
            if self.roles(from, start, start, start).any(Roles::COMPANY) {
                return true;
            }
        }
        if !self.roles(start.saturating_sub(CARD), start, end, end + CARD).any(Roles::STAFF) {
            return false;
        }
        let before = &bytes[start.saturating_sub(CARD)..start];
        let behind = &bytes[end..(end + CARD).min(bytes.len())];
        let from = before.windows(2).rposition(is_blank).map_or(0, |at| at + 2);
        let to = behind.windows(2).position(is_blank).unwrap_or(behind.len());
        let from = start - before.len() + from;
        // A sentence is no card.
        let breaks = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let lines = breaks(&bytes[from..start]) + breaks(&bytes[end..end + to]) + 1;
        (end + to - from) / lines <= CARD_LINE && self.roles(from, start, end, end + to).any(Roles::STAFF)
    }

    /// Words before a candidate within the window, and straight behind it in the same clause.
    fn near(&self, candidate: &Candidate, window: usize) -> Roles {
        let (start, end) = (candidate.start as usize, candidate.end as usize);
        let behind = &self.text.as_bytes()[end..(end + BEHIND).min(self.text.len())];
        let clause = behind.iter().position(|byte| byte.is_ascii_digit() || b"\n,;.:".contains(byte));
        self.roles(start.saturating_sub(window), start, end, end + clause.unwrap_or(behind.len()))
    }

    fn before(&self, candidate: &Candidate, window: usize) -> Roles {
        let start = candidate.start as usize;
        self.roles(start.saturating_sub(window), start, start, start)
    }

    /// Words straight before a candidate, with no other number and no line break between.
    fn label(&self, candidate: &Candidate) -> Roles {
        let start = candidate.start as usize;
        let from = start.saturating_sub(LABEL);
        let between = &self.text.as_bytes()[from..start];
        let last = between.iter().rposition(|byte| byte.is_ascii_digit() || *byte == b'\n');
        self.roles(from + last.map_or(0, |at| at + 1), start, start, start)
    }

    /// What the words say that end in `from..start`, or begin in `end..to`.
    fn roles(&self, from: usize, start: usize, end: usize, to: usize) -> Roles {
        let (before, behind) = self.hits.split_at(self.place.hit);
        let near = before.iter().rev().take_while(|hit| hit.start as usize + PHRASE >= from);
        let ends_there = |hit: &&Hit| (from + 1..=start).contains(&(hit.end as usize));
        let said = near.filter(ends_there).fold(Roles::NONE, |all, hit| all.and(hit.roles));
        let near = behind.iter().take_while(|hit| (hit.start as usize) < to);
        near.filter(|hit| hit.start as usize >= end).fold(said, |all, hit| all.and(hit.roles))
    }

    fn follows_street(&self, candidate: &Candidate) -> bool {
        let start = candidate.start as usize;
        let before = self.candidates[..self.place.candidate].iter().rev();
        let near = before.take_while(|other| other.start as usize + ADDRESS > start).take(MOST_CANDIDATES);
        near.into_iter().any(|other| other.category == Category::PostalAddress)
    }

    fn has_postcode(&self, candidate: &Candidate) -> bool {
        let end = candidate.end as usize;
        let behind = self.candidates[self.place.candidate..].iter();
        let near = behind.take_while(|other| (other.start as usize) < end + ADDRESS).take(MOST_CANDIDATES);
        near.into_iter().any(|other| other.category == Category::Postcode && other.shape != Shape::Bare)
    }

    fn written(&self, candidate: &Candidate) -> &str {
        self.text.get(candidate.start as usize..candidate.end as usize).unwrap_or_default()
    }
}

fn is_blank(pair: &[u8]) -> bool {
    matches!(pair, b"\n\n" | b"\n\r")
}

/// A number with check digits: with a word near by it is certain.
fn numbered(shape: Shape, spoken: bool) -> Option<Confidence> {
    match (shape, spoken) {
        (_, true) => Some(Confidence::Certain),
        (Shape::Full, false) => Some(Confidence::Likely),
        (Shape::Half, false) => Some(Confidence::Weak),
        (Shape::Bare, false) => None,
    }
}

/// A number that is nothing without its word.
fn needing_word(shape: Shape, spoken: bool) -> Option<Confidence> {
    match (shape, spoken) {
        (_, true) => Some(Confidence::Certain),
        (Shape::Bare, false) => None,
        (_, false) => Some(Confidence::Weak),
    }
}

/// What was decided so far, and the last of each kind that excludes others of its kind.
#[derive(Default)]
struct AllDecided {
    decided: Vec<Decided>,
    last: [Option<usize>; KINDS],
}

/// One number is one thing; a name, an address or a word of illness may share octets with another.
const KINDS: usize = 5;

fn kind(category: Category) -> usize {
    match category {
        Category::Name => 1,
        Category::PostalAddress => 2,
        Category::Vulnerability => 3,
        Category::Email => 4,
        _ => 0,
    }
}

impl AllDecided {
    /// Of two that share octets and exclude each other the surer one stays, or else the earlier.
    fn add(&mut self, next: Decided) {
        let last = &mut self.last[kind(next.candidate.category)];
        match last.map(|at| &mut self.decided[at]) {
            Some(before) if next.candidate.start < before.candidate.end => {
                if next.confidence > before.confidence {
                    *before = next;
                }
            }
            _ => {
                *last = Some(self.decided.len());
                self.decided.push(next);
            }
        }
    }
}
