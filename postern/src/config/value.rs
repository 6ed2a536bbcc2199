//! Readers from a TOML value to a type that can only hold what is allowed. Each says what is wrong and what
//! to write instead; none touches a file or the network.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use super::key::Wrong;

pub(crate) fn text(value: &DeValue<'_>) -> Result<String, Wrong> {
    let text = value.as_str().ok_or_else(|| {
        Wrong::new(
            format!("text is wanted here, not {}", article(value.type_str())),
            "write it in \"double quotes\"",
        )
    })?;
    if text.trim().is_empty() {
        return Err(Wrong::new("the text is empty", "write a value or remove the line"));
    }
    Ok(text.to_owned())
}

pub(crate) fn switch(value: &DeValue<'_>) -> Result<bool, Wrong> {
    value.as_bool().ok_or_else(|| {
        Wrong::new(
            format!("true or false is wanted here, not {}", article(value.type_str())),
            "write true or false, without quotes",
        )
    })
}

/// A whole number between `least` and `most`, both allowed.
pub(crate) fn whole(value: &DeValue<'_>, least: u32, most: u32) -> Result<u32, Wrong> {
    let remedy = || format!("write a whole number from {least} to {most}, without quotes");
    let number = value.as_integer().ok_or_else(|| {
        Wrong::new(format!("a whole number is wanted here, not {}", article(value.type_str())), remedy())
    })?;
    i64::from_str_radix(number.as_str(), number.radix())
        .ok()
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| Wrong::new(format!("{} is out of range", number.as_str()), remedy()))
}

/// A number of bytes between `least` and `most`, written as `"64 KiB"` or `"100 MiB"`.
pub(crate) fn size(value: &DeValue<'_>, least: u64, most: u64) -> Result<u64, Wrong> {
    const UNITS: [(&str, u64); 4] = [("bytes", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let remedy = || {
        format!(
            "write a number and a unit (bytes, KiB, MiB, GiB) between \"{}\" and \"{}\"",
            in_units(least, &UNITS),
            in_units(most, &UNITS)
        )
    };
    measured(value, &UNITS, "size", remedy())?
        .filter(|size| (least..=most).contains(size))
        .map_or_else(|| Err(out_of_range(value, remedy())), Ok)
}

/// A time between `least` and `most` seconds, written as `"30 s"`, `"5 min"`, `"1 h"`.
pub(crate) fn duration(value: &DeValue<'_>, least: u64, most: u64) -> Result<Duration, Wrong> {
    const UNITS: [(&str, u64); 3] = [("s", 1), ("min", 60), ("h", 3600)];
    let remedy = || {
        format!(
            "write a number and a unit (s, min, h) between \"{}\" and \"{}\"",
            in_units(least, &UNITS),
            in_units(most, &UNITS)
        )
    };
    measured(value, &UNITS, "time", remedy())?
        .filter(|seconds| (least..=most).contains(seconds))
        .map(Duration::from_secs)
        .map_or_else(|| Err(out_of_range(value, remedy())), Ok)
}

fn measured(
    value: &DeValue<'_>,
    units: &[(&str, u64)],
    thing: &str,
    remedy: String,
) -> Result<Option<u64>, Wrong> {
    let written = value.as_str().ok_or_else(|| {
        Wrong::new(
            format!("a {thing} is text with a unit, not {}", article(value.type_str())),
            remedy.clone(),
        )
    })?;
    let digits = written.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = written.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| factor);
    match (number.parse::<u64>(), factor) {
        (Ok(number), Some(factor)) => Ok(number.checked_mul(*factor)),
        _ => Err(Wrong::new(format!("\"{written}\" is not a {thing}"), remedy)),
    }
}

fn out_of_range(value: &DeValue<'_>, remedy: String) -> Wrong {
    Wrong::new(format!("\"{}\" is out of range", value.as_str().unwrap_or_default()), remedy)
}

fn in_units(number: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().rev().find(|(_, factor)| number >= *factor && number.is_multiple_of(*factor));
    let (unit, factor) = whole.copied().unwrap_or((units[0].0, 1));
    format!("{} {unit}", number / factor)
}

/// One of a few words, each standing for a value.
pub(crate) fn choice<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Result<T, Wrong> {
    let words: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let remedy = format!("write {}", words.join(" or "));
    let Some(written) = value.as_str() else {
        let what = format!("a word in quotes is wanted here, not {}", article(value.type_str()));
        return Err(Wrong::new(what, remedy));
    };
    choices
        .iter()
        .find(|(word, _)| *word == written)
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| Wrong::new(format!("\"{written}\" is not a choice here"), remedy))
}

/// A list of values, each read by `item`. May be empty.
pub(crate) fn list<T>(
    value: &DeValue<'_>,
    item: fn(&DeValue<'_>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    let items = value.as_array().ok_or_else(|| {
        Wrong::new(
            format!("a list is wanted here, not {}", article(value.type_str())),
            "write it in [square brackets], items separated by commas",
        )
    })?;
    items.iter().map(|entry| item(entry.get_ref())).collect()
}

/// `address:port`; names are not accepted, so that what is listened on does not depend on a resolver.
pub(crate) fn socket(value: &DeValue<'_>) -> Result<SocketAddr, Wrong> {
    let written = text(value)?;
    written.parse().map_err(|_| {
        Wrong::new(
            format!("\"{written}\" is not an address and a port"),
            "write an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:25\"",
        )
    })
}

pub(crate) fn path(value: &DeValue<'_>) -> Result<PathBuf, Wrong> {
    text(value).map(PathBuf::from)
}

/// A host or domain name of at least two labels, in lower case (RFC 1035 §2.3.1, digits first allowed by RFC 1123 §2.1).
pub(crate) fn domain(value: &DeValue<'_>) -> Result<String, Wrong> {
    let written = text(value)?;
    if is_domain(&written) {
        return Ok(written.to_ascii_lowercase());
    }
    Err(Wrong::new(
        format!("\"{written}\" is not a full host name"),
        "write letters, digits, hyphens and at least one dot, such as \"post.example.org\"",
    ))
}

pub(crate) fn is_domain(name: &str) -> bool {
    name.len() <= 253 && name.contains('.') && name.split('.').all(is_label)
}

/// One label of a host name (RFC 1123 §2.1).
pub(crate) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn article(type_name: &str) -> String {
    match type_name {
        "array" | "integer" => format!("an {type_name}"),
        _ => format!("a {type_name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T>(toml: &str, reader: impl Fn(&DeValue<'_>) -> Result<T, Wrong>) -> Result<T, Wrong> {
        reader(DeValue::parse(toml).unwrap().get_ref())
    }

    #[test]
    fn sizes_have_units_and_bounds() {
        let size = |toml| read(toml, |value| size(value, 1 << 10, 1 << 30));
        assert_eq!(size("\"100 MiB\"").unwrap(), 100 << 20);
        assert_eq!(size("\"64KiB\"").unwrap(), 64 << 10);
        assert_eq!(size("\"1 bytes\"").unwrap_err().what, "\"1 bytes\" is out of range");
        assert_eq!(size("\"100 MB\"").unwrap_err().what, "\"100 MB\" is not a size");
        assert_eq!(
            size("\"99999999999999999999 GiB\"").unwrap_err().what,
            "\"99999999999999999999 GiB\" is not a size"
        );
        assert_eq!(
            size("\"18446744073709551615 GiB\"").unwrap_err().what,
            "\"18446744073709551615 GiB\" is out of range"
        );
        assert!(size("5").unwrap_err().remedy.contains("between \"1 KiB\" and \"1 GiB\""));
    }

    #[test]
    fn whole_numbers_have_bounds_and_may_be_written_as_toml_allows() {
        let whole = |toml| read(toml, |value| whole(value, 1, 10_000));
        assert_eq!(whole("10_000").unwrap(), 10_000);
        assert_eq!(whole("0x10").unwrap(), 16);
        for wrong in ["0", "-1", "10_001", "99999999999999999999999", "1.0", "\"1\"", "true"] {
            assert!(whole(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_have_units_and_bounds() {
        let time = |toml| read(toml, |value| duration(value, 1, 3600));
        assert_eq!(time("\"5 min\"").unwrap(), Duration::from_secs(300));
        assert!(time("\"0 s\"").is_err());
        assert!(time("\"5 parsecs\"").is_err());
    }

    #[test]
    fn domains_are_host_names() {
        for good in ["a.example", "1.example", "x-y.example.org"] {
            assert!(is_domain(good), "{good}");
        }
        for bad in ["example", "", ".example", "a..example", "-a.example", "a b.example", "ä.example"] {
            assert!(!is_domain(bad), "{bad}");
        }
    }
}
