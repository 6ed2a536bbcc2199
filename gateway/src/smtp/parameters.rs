//! The parameters of MAIL and RCPT (RFC 5321 §4.1.2): those that are announced, each once, each with a value that it
//! can have. What a wrong one could have meant is not guessed.

use mail::{Notify, ReportWish, ReturnWhat};

use super::circumstance::Script;
use super::command::{Misread, Parameters};

/// RFC 3461 §4.4 and §4.2, §5.4: so many characters as they are sent.
const ENVID: usize = 100;
const ORCPT: usize = 500;

/// What MAIL says besides the reverse-path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OfMail {
    /// Octets (RFC 1870).
    pub(crate) announced: Option<u64>,
    pub(crate) script: Script,
    pub(crate) report: ReportWish,
    pub(crate) present: Parameters,
}

/// What RCPT says besides the forward-path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OfRcpt {
    pub(crate) notify: Notify,
    pub(crate) original: Option<String>,
    pub(crate) present: Parameters,
}

/// Reads what follows the reverse-path.
pub(crate) fn of_mail(tail: &str) -> Result<OfMail, Misread> {
    let mut of_mail = OfMail {
        announced: None,
        script: Script::Ascii,
        report: ReportWish::default(),
        present: Parameters::None,
    };
    each(tail, &["SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID"], |name, value| {
        of_mail.present = Parameters::Some;
        match (name, value) {
            ("SIZE", Some(value)) => {
                let octets = digits(value)?;
                of_mail.announced = (octets > 0).then_some(octets);
            }
            ("BODY", Some(value)) => body(value)?,
            ("SMTPUTF8", None) => of_mail.script = Script::Utf8,
            // Read and not believed, which RFC 4954 §5 allows.
            ("AUTH", Some(value)) => drop(xtext(value)?),
            ("RET", Some(value)) => of_mail.report.what = Some(what(value)?),
            ("ENVID", Some(value)) if value.len() <= ENVID => of_mail.report.id = Some(xtext(value)?),
            _ => return Err(Fault::Value),
        }
        Ok(())
    })?;
    Ok(of_mail)
}

/// Reads what follows the forward-path.
pub(crate) fn of_rcpt(tail: &str) -> Result<OfRcpt, Misread> {
    let mut of_rcpt = OfRcpt { notify: Notify::Default, original: None, present: Parameters::None };
    each(tail, &["NOTIFY", "ORCPT"], |name, value| {
        of_rcpt.present = Parameters::Some;
        match (name, value) {
            ("NOTIFY", Some(value)) => of_rcpt.notify = notify(value)?,
            ("ORCPT", Some(value)) if value.len() <= ORCPT => of_rcpt.original = Some(original(value)?),
            _ => return Err(Fault::Value),
        }
        Ok(())
    })?;
    Ok(of_rcpt)
}

enum Fault {
    /// Not a value that this parameter can have.
    Value,
    /// A value that was not announced.
    NotAnnounced,
}

/// Shows each parameter to `take`, once and under its own name.
fn each(
    tail: &str,
    announced: &[&'static str],
    mut take: impl FnMut(&'static str, Option<&str>) -> Result<(), Fault>,
) -> Result<(), Misread> {
    let mut before: Vec<&'static str> = Vec::new();
    for parameter in tail.split(' ').filter(|parameter| !parameter.is_empty()) {
        let (keyword, value) = match parameter.split_once('=') {
            Some((keyword, value)) => (keyword, Some(value)),
            None => (parameter, None),
        };
        let known = announced.iter().find(|name| name.eq_ignore_ascii_case(keyword));
        let name = *known.ok_or(Misread::Parameter)?;
        if before.contains(&name) {
            return Err(Misread::ParameterValue(name));
        }
        before.push(name);
        take(name, value).map_err(|fault| match fault {
            Fault::Value => Misread::ParameterValue(name),
            Fault::NotAnnounced => Misread::Parameter,
        })?;
    }
    Ok(())
}

/// A number without sign.
pub(crate) fn number(text: &str) -> Option<u64> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn digits(value: &str) -> Result<u64, Fault> {
    number(value).ok_or(Fault::Value)
}

/// Both say how octets may be read, which nobody here does by their word (RFC 6152). BINARYMIME is not announced.
fn body(value: &str) -> Result<(), Fault> {
    match value.to_ascii_uppercase().as_str() {
        "7BIT" | "8BITMIME" => Ok(()),
        "BINARYMIME" => Err(Fault::NotAnnounced),
        _ => Err(Fault::Value),
    }
}

fn what(value: &str) -> Result<ReturnWhat, Fault> {
    match value.to_ascii_uppercase().as_str() {
        "FULL" => Ok(ReturnWhat::Full),
        "HDRS" => Ok(ReturnWhat::Headers),
        _ => Err(Fault::Value),
    }
}

/// RFC 3461 §4.1: NEVER alone, or a list of the others.
fn notify(value: &str) -> Result<Notify, Fault> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(Notify::Never);
    }
    let (mut success, mut failure, mut delay) = (false, false, false);
    for word in value.split(',') {
        let wish = match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => &mut success,
            "FAILURE" => &mut failure,
            "DELAY" => &mut delay,
            _ => return Err(Fault::Value),
        };
        if std::mem::replace(wish, true) {
            return Err(Fault::Value);
        }
    }
    Ok(Notify::On { success, failure, delay })
}

/// RFC 3461 §4.2: `addr-type ";" xtext`. An address of type utf-8 may be written out (RFC 6533 §3).
fn original(value: &str) -> Result<String, Fault> {
    let (kind, address) = value.split_once(';').ok_or(Fault::Value)?;
    let is_type =
        !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
    if !is_type || address.is_empty() {
        return Err(Fault::Value);
    }
    let address = match kind.eq_ignore_ascii_case("utf-8") {
        true => decoded(address, |c| !c.is_ascii())?,
        false => xtext(address)?,
    };
    Ok(format!("{kind};{address}"))
}

fn xtext(text: &str) -> Result<String, Fault> {
    decoded(text, |_| false)
}

/// RFC 3461 §4: printable ASCII, and `+` with two digits for what is not. What comes out stands in headers and
/// commands one day, so it is printable too. `beyond` says which other characters may stand for themselves.
fn decoded(text: &str, beyond: impl Fn(char) -> bool) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let meant = match c {
            '+' => hex(rest.next(), rest.next()).ok_or(Fault::Value)?,
            '=' => return Err(Fault::Value),
            '!'..='~' => c,
            c if beyond(c) && !c.is_control() => c,
            _ => return Err(Fault::Value),
        };
        out.push(meant);
    }
    if out.is_empty() { Err(Fault::Value) } else { Ok(out) }
}

/// Two digits in upper case that stand for a printable character or a space.
fn hex(high: Option<char>, low: Option<char>) -> Option<char> {
    let digit = |c: char| (!c.is_ascii_lowercase()).then(|| c.to_digit(16)).flatten();
    let meant = char::from_u32(digit(high?)? * 16 + digit(low?)?)?;
    matches!(meant, ' '..='~').then_some(meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(tail: &str) -> Result<ReportWish, Misread> {
        of_mail(tail).map(|of_mail| of_mail.report)
    }

    #[test]
    fn wishes_for_reports_are_read() {
        let wish = report(" RET=hdrs ENVID=QQ+2B314+20159").unwrap();
        assert_eq!(wish, ReportWish { what: Some(ReturnWhat::Headers), id: Some("QQ+314 159".into()) });
        assert_eq!(report(" ret=FULL").unwrap().what, Some(ReturnWhat::Full));
        assert!(report(&format!(" ENVID={}", "x".repeat(100))).is_ok());
        let on = |success, failure, delay| Notify::On { success, failure, delay };
        for (value, notify) in [
            ("NEVER", Notify::Never),
            ("never", Notify::Never),
            ("SUCCESS", on(true, false, false)),
            ("Delay,Failure", on(false, true, true)),
            ("SUCCESS,FAILURE,DELAY", on(true, true, true)),
        ] {
            assert_eq!(of_rcpt(&format!(" NOTIFY={value}")).unwrap().notify, notify, "{value}");
        }
        for (value, original) in [
            ("rfc822;jo@alpha.example", "rfc822;jo@alpha.example"),
            ("RFC822;a+2Bb+3Dc@alpha.example", "RFC822;a+b=c@alpha.example"),
            ("x400;/c=x", ""),
            ("x-local;jo", "x-local;jo"),
            ("utf-8;gr\u{fc}n@alpha.example", "utf-8;gr\u{fc}n@alpha.example"),
        ] {
            let read = of_rcpt(&format!(" ORCPT={value}")).map(|of_rcpt| of_rcpt.original);
            match original {
                "" => assert_eq!(read, Err(Misread::ParameterValue("ORCPT")), "{value}"),
                original => assert_eq!(read, Ok(Some(original.to_owned())), "{value}"),
            }
        }
    }

    #[test]
    fn what_no_report_can_be_about_is_refused() {
        for (tail, name) in [
            (" RET=ALL", "RET"),
            (" RET", "RET"),
            (" RET=FULL RET=FULL", "RET"),
            (" ENVID=", "ENVID"),
            (" ENVID=a+", "ENVID"),
            (" ENVID=a+2", "ENVID"),
            (" ENVID=a+2b", "ENVID"),
            (" ENVID=a+0D+0A", "ENVID"),
            (" ENVID=a+FC", "ENVID"),
            (" ENVID=a=b", "ENVID"),
            (" ENVID=gr\u{fc}n", "ENVID"),
            (" AUTH=", "AUTH"),
            (" SMTPUTF8=yes", "SMTPUTF8"),
            (" SIZE=+5", "SIZE"),
            (" SIZE=99999999999999999999999", "SIZE"),
        ] {
            assert_eq!(report(tail), Err(Misread::ParameterValue(name)), "{tail}");
        }
        assert!(report(&format!(" ENVID={}", "x".repeat(101))).is_err());
        for (tail, name) in [
            (" NOTIFY=", "NOTIFY"),
            (" NOTIFY=NEVER,SUCCESS", "NOTIFY"),
            (" NOTIFY=SUCCESS,NEVER", "NOTIFY"),
            (" NOTIFY=SUCCESS,SUCCESS", "NOTIFY"),
            (" NOTIFY=SUCCESS,", "NOTIFY"),
            (" NOTIFY=ALWAYS", "NOTIFY"),
            (" NOTIFY=NEVER NOTIFY=NEVER", "NOTIFY"),
            (" ORCPT=jo@alpha.example", "ORCPT"),
            (" ORCPT=rfc822;", "ORCPT"),
            (" ORCPT=;jo@alpha.example", "ORCPT"),
            (" ORCPT=rfc 822;jo", "ORCPT"),
            (" ORCPT=rfc822;gr\u{fc}n@alpha.example", "ORCPT"),
            (" ORCPT=rfc822;a+00b", "ORCPT"),
        ] {
            assert_eq!(of_rcpt(tail), Err(Misread::ParameterValue(name)), "{tail}");
        }
        let long = format!(" ORCPT=rfc822;{}", "x".repeat(493));
        assert!(of_rcpt(&long).is_ok() && of_rcpt(&format!("{long}x")).is_err());
    }
}
