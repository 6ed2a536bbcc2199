//! What a server offers in its answer to EHLO. Lines that say nothing we know are passed over; an answer is never
//! believed beyond the connection it was given on.

use super::reply::Reply;

/// The extensions of one server that matter here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// The name that the server gives itself, lower case.
    pub(crate) name: String,
    /// RFC 3207
    pub(crate) starttls: bool,
    /// RFC 1870: the largest mail in bytes; none if it does not say.
    pub(crate) size: Option<u64>,
    pub(crate) knows_size: bool,
    /// RFC 6152
    pub(crate) eight_bit: bool,
    /// RFC 6531
    pub(crate) utf8: bool,
    /// RFC 3461
    pub(crate) reports: bool,
    /// RFC 4954, of those that are spoken here.
    pub(crate) plain: bool,
    pub(crate) login: bool,
}

impl Offers {
    /// Reads the 250 of EHLO (RFC 5321 §4.1.1.1).
    pub(crate) fn read(reply: &Reply) -> Self {
        let mut lines = reply.lines.iter();
        let greeting = lines.next().map(String::as_str).unwrap_or_default();
        let name = greeting.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let mut offers = Self { name, ..Self::default() };
        for line in lines {
            offers.line(line);
        }
        offers
    }

    fn line(&mut self, line: &str) {
        // `AUTH=PLAIN` is how some servers of old say it.
        let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            "STARTTLS" => self.starttls = true,
            "8BITMIME" => self.eight_bit = true,
            "SMTPUTF8" => self.utf8 = true,
            "DSN" => self.reports = true,
            "SIZE" => {
                self.knows_size = true;
                // Zero is "no limit", like no number (RFC 1870 §4).
                self.size = words.next().and_then(|size| size.parse().ok()).filter(|size| *size > 0);
            }
            "AUTH" => words.for_each(|word| {
                self.plain |= word.eq_ignore_ascii_case("PLAIN");
                self.login |= word.eq_ignore_ascii_case("LOGIN");
            }),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Offers {
        Offers::read(&Reply {
            code: 250,
            status: None,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        })
    }

    #[test]
    fn what_is_offered_is_read() {
        let offers = read(&[
            "MX.example greets you",
            "starttls",
            "SIZE 1000",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "AUTH LOGIN plain",
        ]);
        assert_eq!(offers.name, "mx.example");
        assert!(offers.starttls && offers.eight_bit && offers.utf8 && offers.reports);
        assert!(offers.plain && offers.login);
        assert_eq!(offers.size, Some(1000));
        assert!(read(&["x", "AUTH=PLAIN"]).plain);
    }

    #[test]
    fn what_is_not_offered_is_not_there() {
        assert_eq!(read(&[]), Offers::default());
        // The first line is a name, whatever it is.
        assert!(!read(&["STARTTLS"]).starttls);
        assert!(!read(&["x", "XSTARTTLS", "AUTH PLAIN2 SCRAM-LOGIN"]).starttls);
        for unlimited in ["SIZE", "SIZE 0", "SIZE many", "SIZE 99999999999999999999999"] {
            let offers = read(&["x", unlimited]);
            assert_eq!((offers.knows_size, offers.size), (true, None), "{unlimited}");
        }
    }
}
