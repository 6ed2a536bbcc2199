//! Typed values in their written form, so that a wrong one is refused by the reader of the file, with its line.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use store::{Receipts, Role, UserState};

/// A value that a file writes as text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Written<T>(pub(crate) T);

impl<T: Display> Serialize for Written<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(&self.0)
    }
}

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        text.parse().map(Self).map_err(|error| D::Error::custom(format!("\"{text}\": {error}")))
    }
}

impl<T: Display> Display for Written<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// 32 bytes in hexadecimal; colons between pairs are read, not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hex(pub(crate) [u8; 32]);

impl Display for Hex {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl FromStr for Hex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "a fingerprint is 64 hexadecimal digits (SHA-256)".to_owned();
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let mut bytes = [0; 32];
        let (pairs, rest) = digits.as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return Err(wrong());
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let (Some(high), Some(low)) = (digit(pair[0]), digit(pair[1])) else {
                return Err(wrong());
            };
            *byte = (high * 16 + low) as u8;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Written::<Self>::deserialize(input).map(|written| written.0)
    }
}

/// A role as files and commands write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleName {
    User,
    Mau,
    Compliance,
    Operator,
}

impl RoleName {
    pub(crate) fn of(role: Role) -> Self {
        match role {
            Role::User => Self::User,
            Role::Mau => Self::Mau,
            Role::Compliance => Self::Compliance,
            Role::Operator => Self::Operator,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mau => "mau",
            Self::Compliance => "compliance",
            Self::Operator => "operator",
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Mau => Self::Mau,
            RoleName::Compliance => Self::Compliance,
            RoleName::Operator => Self::Operator,
        }
    }
}

/// How far a user has come, as files write it. Who is removed is in no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateName {
    Invited,
    Confirmed,
    Suspended,
}

impl StateName {
    pub(crate) fn of(state: UserState) -> Self {
        match state {
            UserState::Invited => Self::Invited,
            UserState::Confirmed => Self::Confirmed,
            UserState::Suspended | UserState::Removed => Self::Suspended,
        }
    }

    /// Whether `active` alone says it.
    pub(crate) fn is_told_by_active(self) -> bool {
        self != Self::Invited
    }
}

impl From<StateName> for UserState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Invited => Self::Invited,
            StateName::Confirmed => Self::Confirmed,
            StateName::Suspended => Self::Suspended,
        }
    }
}

/// Which mails a group gets receipts for, as files write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReceiptsName {
    Off,
    NewCases,
    All,
}

impl ReceiptsName {
    pub(crate) fn of(receipts: Receipts) -> Self {
        match receipts {
            Receipts::Off => Self::Off,
            Receipts::NewCases => Self::NewCases,
            Receipts::All => Self::All,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::NewCases => "new-cases",
            Self::All => "all",
        }
    }
}

impl From<ReceiptsName> for Receipts {
    fn from(name: ReceiptsName) -> Self {
        match name {
            ReceiptsName::Off => Self::Off,
            ReceiptsName::NewCases => Self::NewCases,
            ReceiptsName::All => Self::All,
        }
    }
}

/// Minutes since midnight, written as `"09:30"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeOfDay(pub(crate) u16);

impl Display for TimeOfDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl FromStr for TimeOfDay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is not a time of day; write hours and minutes, such as \"09:30\"");
        let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str, most: u16| {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|number| plain && *number <= most).ok_or_else(wrong)
        };
        Ok(Self(number(hours, 23)? * 60 + number(minutes, 59)?))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_read_back() {
        for good in ["00:00", "09:30", "23:59"] {
            assert_eq!(good.parse::<TimeOfDay>().unwrap().to_string(), good);
        }
        for wrong in ["", "9:30", "24:00", "09:60", "09.30", "+9:30", "09:3", "0930"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn fingerprints_read_back_with_and_without_colons() {
        let plain = "0f".repeat(32);
        let colons = vec!["0F"; 32].join(":");
        assert_eq!(plain.parse::<Hex>().unwrap(), colons.parse::<Hex>().unwrap());
        assert_eq!(plain.parse::<Hex>().unwrap().to_string(), plain);
        for wrong in ["", "0f", &"0g".repeat(32), &"0f".repeat(33)] {
            assert!(wrong.parse::<Hex>().is_err(), "{wrong}");
        }
    }
}
