//! What the detectors look for, and how sure they are. Names only.

use std::{fmt, str::FromStr};

/// A sort of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// Electricity meter point.
    Mpan,
    /// Gas meter point.
    Mprn,
    /// Serial number of a meter.
    MeterSerial,
    /// British postcode.
    Postcode,
    /// British telephone number.
    Telephone,
    /// National Insurance number.
    NationalInsurance,
    /// NHS number.
    Nhs,
    /// Sort code and account number.
    BankAccount,
    /// International bank account number.
    Iban,
    /// Payment card.
    PaymentCard,
    /// E-mail address of somebody who is nobody's staff.
    Email,
    /// Date of birth.
    DateOfBirth,
    /// Name of a person.
    Name,
    /// Postal address.
    PostalAddress,
    /// That somebody is ill, old or depends on equipment.
    Vulnerability,
    /// Code that puts credit on a prepayment meter.
    PrepaymentToken,
    /// Identifier of a smart meter.
    MeterGuid,
}

/// How sure a detector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// It has the shape, and nothing around it speaks for it.
    Weak,
    /// Shape and surroundings, or a shape that little else has.
    Likely,
    /// A check digit and a word near by, or a shape that nothing else has.
    Certain,
}

/// A name that no category or confidence has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} \"{name}\"")]
pub struct UnknownName {
    kind: &'static str,
    name: String,
}

impl Category {
    pub(super) const COUNT: usize = 17;

    const ALL: [Self; Self::COUNT] = [
        Self::Mpan,
        Self::Mprn,
        Self::MeterSerial,
        Self::Postcode,
        Self::Telephone,
        Self::NationalInsurance,
        Self::Nhs,
        Self::BankAccount,
        Self::Iban,
        Self::PaymentCard,
        Self::Email,
        Self::DateOfBirth,
        Self::Name,
        Self::PostalAddress,
        Self::Vulnerability,
        Self::PrepaymentToken,
        Self::MeterGuid,
    ];

    /// All of them, always in the same order.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The name in files and on the screen: `mpan`, `meter-serial`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mpan => "mpan",
            Self::Mprn => "mprn",
            Self::MeterSerial => "meter-serial",
            Self::Postcode => "postcode",
            Self::Telephone => "telephone",
            Self::NationalInsurance => "national-insurance",
            Self::Nhs => "nhs",
            Self::BankAccount => "bank-account",
            Self::Iban => "iban",
            Self::PaymentCard => "payment-card",
            Self::Email => "email",
            Self::DateOfBirth => "date-of-birth",
            Self::Name => "name",
            Self::PostalAddress => "postal-address",
            Self::Vulnerability => "vulnerability",
            Self::PrepaymentToken => "prepayment-token",
            Self::MeterGuid => "meter-guid",
        }
    }

    pub(super) fn index(self) -> usize {
        self as usize
    }
}

impl Confidence {
    const ALL: [Self; 3] = [Self::Weak, Self::Likely, Self::Certain];

    /// The name in files and on the screen: `weak`, `likely`, `certain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }
}

impl FromStr for Category {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownName { kind: "category", name: name.to_owned() };
        Self::all().find(|category| category.as_str() == name).ok_or_else(unknown)
    }
}

impl FromStr for Confidence {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownName { kind: "confidence", name: name.to_owned() };
        Self::ALL.into_iter().find(|confidence| confidence.as_str() == name).ok_or_else(unknown)
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_indices_are_places() {
        for (place, category) in Category::all().enumerate() {
            assert_eq!(category.as_str().parse(), Ok(category));
            assert_eq!(category.index(), place);
        }
        for confidence in Confidence::ALL {
            assert_eq!(confidence.as_str().parse(), Ok(confidence));
        }
        assert_eq!("mpam".parse::<Category>().unwrap_err().to_string(), "unknown category \"mpam\"");
    }
}
