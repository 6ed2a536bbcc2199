//! Dates of header fields (RFC 5322 §3.3 and §4.3) and what clients write instead. Reads generously: a date is shown and
//! sorted by, never trusted.

/// Names of the obsolete zones (RFC 5322 §4.3) and their hours; every other name counts as UTC.
const ZONES: [(&str, i64); 10] = [
    ("edt", -4),
    ("est", -5),
    ("cdt", -5),
    ("cst", -6),
    ("mdt", -6),
    ("mst", -7),
    ("pdt", -7),
    ("pst", -8),
    ("cet", 1),
    ("cest", 2),
];

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// What has been read of a date so far.
#[derive(Debug, Default)]
struct Fragments {
    day: Option<i64>,
    month: Option<i64>,
    year: Option<i64>,
    /// Seconds of the day.
    time: Option<i64>,
    /// Seconds east of Greenwich.
    zone: i64,
    /// Seconds added by "PM".
    half: i64,
}

/// Seconds since 1970. Day, month and year must be there; time and zone may be missing (midnight, UTC).
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.to_ascii_lowercase();
    let mut found = Fragments::default();
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    for word in words.filter(|word| !word.is_empty() && !word.starts_with('(')) {
        found.word(word);
    }
    let day = days(found.year?, found.month?, found.day?)?;
    Some(day * 86_400 + found.time.unwrap_or_default() + found.half - found.zone)
}

impl Fragments {
    fn word(&mut self, word: &str) {
        let number = word.parse::<u16>().ok().map(i64::from);
        match (number, word.as_bytes()) {
            (None, [b'+' | b'-', digits @ ..]) if digits.iter().all(u8::is_ascii_digit) => self.offset(word),
            (_, [b'+', ..]) => self.offset(word),
            (Some(number), _) => self.number(number, word.len()),
            _ if word.contains(':') => self.time = self.time.or_else(|| time(word)),
            _ if word.contains('-') => self.dashed(word),
            _ => self.name(word),
        }
    }

    fn number(&mut self, number: i64, digits: usize) {
        if self.day.is_none() && number <= 31 {
            self.day = Some(number);
        } else if self.year.is_none() {
            self.year = Some(full_year(number, digits));
        }
    }

    /// `+0100`: hours and minutes in two digits each, fewer when the zeros in front are left out.
    fn offset(&mut self, word: &str) {
        let (sign, digits) = word.split_at(1);
        let value = digits.parse::<u16>().map(i64::from).unwrap_or_default();
        let east = (value / 100 * 60 + value % 100) * 60;
        self.zone = if sign == "-" { -east } else { east };
    }

    /// `2007-11-09` and `9-Nov-2007`.
    fn dashed(&mut self, word: &str) {
        let parts: Vec<&str> = word.split('-').collect();
        match parts[..] {
            [year, month, day] if year.len() == 4 => {
                self.year = number(year);
                self.month = number(month);
                self.day = number(day);
            }
            [day, month, year] => {
                self.day = number(day);
                self.name(month);
                self.year = number(year).map(|value| full_year(value, year.len()));
            }
            _ => {}
        }
    }

    fn name(&mut self, word: &str) {
        let start = word.get(..3).unwrap_or_default();
        if let Some((_, hours)) = ZONES.iter().find(|(name, _)| *name == word) {
            self.zone = hours * 3600;
        } else if let Some(month) = MONTHS.iter().position(|&name| name == start) {
            self.month = self.month.or(Some(month as i64 + 1));
        } else if word == "pm" && self.time.is_some_and(|time| time < 43_200) {
            self.half = 43_200;
        } else if word == "am" && self.time.is_some_and(|time| time >= 43_200) {
            self.half = -43_200;
        }
    }
}

fn number(text: &str) -> Option<i64> {
    text.parse::<u16>().ok().map(i64::from)
}

/// RFC 5322 §4.3: two digits are of 1950 to 2049, three are years since 1900.
fn full_year(year: i64, digits: usize) -> i64 {
    match digits {
        ..=2 if year < 50 => year + 2000,
        ..=3 => year + 1900,
        _ => year,
    }
}

/// Seconds of the day of `h:mm` or `h:mm:ss`.
fn time(word: &str) -> Option<i64> {
    let mut parts = word.split(':').map(number);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().flatten().unwrap_or_default();
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// Days since 1970 in the Gregorian calendar: whole years, leap days, then days of the months before.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    if !(1900..=9999).contains(&year) || !(1..=31).contains(&day) {
        return None;
    }
    let before = BEFORE.get(usize::try_from(month - 1).ok()?)?;
    let leaps = |year: i64| year / 4 - year / 100 + year / 400;
    let leap = leaps(year) > leaps(year - 1) && month > 2;
    let years = (year - 1970) * 365 + leaps(year - 1) - leaps(1969);
    Some(years + before + i64::from(leap) + day - 1)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_standard_form() {
        assert_eq!(parse("Fri, 21 Nov 1997 09:55:06 -0600"), Some(880_127_706));
        assert_eq!(parse("Thu, 1 Jan 1970 00:00:00 +0000"), Some(0));
        assert_eq!(parse("29 Feb 2024 12:00 +0100"), Some(1_709_204_400));
        assert_eq!(parse("Wed, 31 Dec 1969 23:59:59 GMT"), Some(-1));
    }

    #[test]
    fn what_clients_write_instead() {
        assert_eq!(parse("Wed, 11 Feb 98 11:51 CST"), Some(887_219_460));
        assert_eq!(parse("8 Dec 1991 09:11 (Sunday)"), Some(692_183_460));
        assert_eq!(parse("Thursday, April 09, 2003 9:00 AM"), Some(1_049_878_800));
        assert_eq!(parse("Wed, 20 Sep 1995 00:19:00 (EDT) -0400"), Some(811_570_740));
        assert_eq!(parse("2007-11-09 18:37:09"), Some(1_194_633_429));
        assert_eq!(parse("Mon, 21 Aug 95 13:30:57 -600"), Some(809_033_457));
        assert_eq!(parse("Tue, 28 May 3024 13:02:15 +0200"), Some(33_273_802_935));
    }

    #[test]
    fn what_is_no_date() {
        for text in ["", "yesterday", "99 Jan 2020", "1 Foo 2020", "1 Jan", "+ 1 Jan 2020x", "é-é-é", "é"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
