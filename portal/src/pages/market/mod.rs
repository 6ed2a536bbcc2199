//! The operator's pages about who takes part in the market: companies, participants, moves between companies, calendars.
//! Shows nothing of a company's people but who administers it first, and nothing that it writes.

mod calendars;
mod company;
mod fresh;
mod list;
mod participants;

use store::StoreError;

pub(crate) use self::calendars::page as calendars;
pub(crate) use self::company::{change, mau, show};
pub(crate) use self::fresh::{add, ask};
pub(crate) use self::list::page;
pub(crate) use self::participants::change as participants;

/// Domains as they are typed: parted by spaces, commas or lines. `None` where one is none.
fn domains(typed: &str) -> Option<Vec<String>> {
    let words = typed.split([' ', ',', ';', '\r', '\n', '\t']).filter(|word| !word.is_empty());
    let mut domains = Vec::new();
    for word in words {
        let domain = word.trim_start_matches('@').to_ascii_lowercase();
        // What can stand behind an `@` is a domain.
        let address: mail::Address = format!("postmaster@{domain}").parse().ok()?;
        let plain = address.domain() == domain && domain.contains('.') && domain.len() <= 253;
        if !plain {
            return None;
        }
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    Some(domains)
}

/// A company's name: one line of 1 to 80 characters.
fn name(typed: &str) -> Option<String> {
    super::people::name(typed)
}

/// What a form says of a change that was not let through: a key of the family of texts `market_told`.
fn refused(error: StoreError) -> Result<&'static str, StoreError> {
    match error {
        StoreError::Denied(_) | StoreError::Forbidden | StoreError::LastMau(_) => Ok("refused"),
        error => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_read_as_people_type_them() {
        assert_eq!(
            domains(" Alpha.example, @beta.example\r\nalpha.example").unwrap(),
            ["alpha.example", "beta.example"]
        );
        assert_eq!(domains("").unwrap(), Vec::<String>::new());
        for wrong in ["alpha", "a b@c.example", "alpha..example", "<alpha.example>", "alpha.example/x"] {
            assert_eq!(domains(wrong), None, "{wrong}");
        }
    }
}
