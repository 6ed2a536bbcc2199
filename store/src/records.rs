//! How values are written: one byte of format, then CBOR maps with numbered fields.
//!
//! A field number is never used again and a new field is optional, so that every release opens the
//! data of every earlier one. Nothing here knows what a record means.

use bytes::Bytes;
use minicbor::{Decode, Encode};

use crate::error::StoreError;

/// The only format so far.
const FORMAT: u8 = 1;

pub(crate) fn encode<T: Encode<()>>(record: &T) -> Result<Bytes, StoreError> {
    let mut bytes = vec![FORMAT];
    minicbor::encode(record, &mut bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(bytes.into())
}

pub(crate) fn decode<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&FORMAT, record)) => minicbor::decode(record)
            .map_err(|error| StoreError::Corrupt(format!("{}: {error}", std::any::type_name::<T>()))),
        Some((format, _)) => Err(StoreError::Corrupt(format!(
            "a record of format {format}; this release knows format {FORMAT}: a newer release wrote it"
        ))),
        None => Err(StoreError::Corrupt("an empty record".to_owned())),
    }
}

/// `#[cbor(with = "records::time")]`: milliseconds since 1970.
pub(crate) mod time {
    use jiff::Timestamp;
    use minicbor::{
        Decoder, Encoder, decode::Error as NotDecoded, encode::Error as NotEncoded, encode::Write,
    };

    pub(crate) fn encode<C, W: Write>(
        at: &Timestamp,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), NotEncoded<W::Error>> {
        e.i64(at.as_millisecond())?.ok()
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Timestamp, NotDecoded> {
        Timestamp::from_millisecond(d.i64()?).map_err(|_| NotDecoded::message("a time out of range"))
    }
}

/// `#[cbor(with = "records::optional_time", has_nil)]`: the same; an absent field is `None`.
pub(crate) mod optional_time {
    use jiff::Timestamp;
    use minicbor::{
        Decoder, Encoder, data::Type, decode::Error as NotDecoded, encode::Error as NotEncoded, encode::Write,
    };

    pub(crate) fn encode<C, W: Write>(
        at: &Option<Timestamp>,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), NotEncoded<W::Error>> {
        match at {
            Some(at) => super::time::encode(at, e, context),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, context: &mut C) -> Result<Option<Timestamp>, NotDecoded> {
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(None);
        }
        super::time::decode(d, context).map(Some)
    }

    // The two shapes that the derive calls.
    pub(crate) fn nil() -> Option<Option<Timestamp>> {
        Some(None)
    }

    pub(crate) fn is_nil(at: &Option<Timestamp>) -> bool {
        at.is_none()
    }
}

/// `#[cbor(with = "records::optional_date", has_nil)]`: `2026-11-23`; an absent field is `None`.
pub(crate) mod optional_date {
    use jiff::civil::Date;
    use minicbor::{
        Decoder, Encoder, data::Type, decode::Error as NotDecoded, encode::Error as NotEncoded, encode::Write,
    };

    pub(crate) fn encode<C, W: Write>(
        day: &Option<Date>,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), NotEncoded<W::Error>> {
        match day {
            Some(day) => e.str(&day.to_string())?.ok(),
            None => e.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(d: &mut Decoder<'_>, _: &mut C) -> Result<Option<Date>, NotDecoded> {
        if d.datatype()? == Type::Null {
            d.null()?;
            return Ok(None);
        }
        d.str()?.parse().map(Some).map_err(|_| NotDecoded::message("a date such as 2026-11-23"))
    }

    // The two shapes that the derive calls.
    pub(crate) fn nil() -> Option<Option<Date>> {
        Some(None)
    }

    pub(crate) fn is_nil(day: &Option<Date>) -> bool {
        day.is_none()
    }
}
