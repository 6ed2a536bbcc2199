//! Until when somebody is away, as far as an automatic answer says it without doubt. Reads dates only behind words that
//! mean an end or a return; a date that stands anywhere else, or two ends that disagree, are none.

use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use crate::{
    Away,
    class::{Opening, says_away},
};

/// Words between an end and its date: "back in the office on Monday 3 December".
const REACH: usize = 6;
/// Two dates that are the same absence: the last day and the day of return.
const SAME_DAYS: i32 = 14;

/// Names of the months and their short forms, one month a line.
const MONTHS: &str = include_str!("away/months.txt");

/// Words before the last day or the day of return.
const ENDS: &str = "until untill till til through thru back return returning returns bis wieder zurück zurueck jusqu'au \
                    jusqu'à jusque jusqu retour hasta vuelta regreso regresaré fino sino ritorno rientro rientrerò tot t/m \
                    terug até ate volta regresso regressarei t.o.m tom tills fram tillbaka åter tilbake tilbage tilbake \
                    takaisin palaan wracam wrócę zpět";

/// Words that part a beginning from an end, and the words that must stand before the beginning.
const TO: &str = "to - – — au al a tot bis and til till do and t.o.m och";
const FROM: &str = "from between vom von ab du del dal van från fra od de since between desde";

/// Words behind the date: "ab dem 13. Mai wieder".
const ENDS_BEHIND: &str = "wieder zurück zurueck asti saakka takaisin tilbage tilbake tillbaka";

/// Words that make an end something else: "return the form by 5 June".
const OTHERS: &str = "by before vor avant antes prima voor";

/// Whether somebody is away, and until when. `sent` is the mail's own date in seconds since 1970: a date without a year
/// is the one nearest to it.
pub(crate) fn read(subject: &str, opening: &Opening, sent: Option<i64>) -> Option<Away> {
    if !says_away(subject, opening) {
        return None;
    }
    let subject = subject.to_lowercase();
    let sent = sent.and_then(|sent| Timestamp::from_second(sent).ok());
    let sent = sent.map(|sent| TimeZone::UTC.to_datetime(sent).date());
    let words = [subject.as_str(), opening.text()].map(|text| ends(text, sent)).concat();
    Some(Away { until: agreed(&words) })
}

/// The latest of the dates, if all of them can be the end of one absence.
fn agreed(ends: &[Date]) -> Option<Date> {
    let (first, last) = (ends.iter().min()?, ends.iter().max()?);
    let apart = first.until(*last).ok()?.get_days();
    (apart <= SAME_DAYS).then_some(*last)
}

/// The dates of a text that are ends.
fn ends(text: &str, sent: Option<Date>) -> Vec<Date> {
    let words: Vec<Word<'_>> = text.split_whitespace().take(800).map(Word::of).collect();
    let spaced = (0..words.len()).filter_map(|at| {
        let (day, length) = Day::read(&words[at..])?;
        let whole = at == 0 || !Day::continues(&words[at - 1], &words[at]);
        (whole && is_end(&words, at, length)).then(|| day.date(sent)).flatten()
    });
    spaced.chain(unspaced(text).filter_map(|day| day.date(sent))).collect()
}

/// A word without the marks around it.
#[derive(Debug, Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    /// Whether a sentence ends behind it.
    ends: bool,
}

impl<'a> Word<'a> {
    fn of(word: &'a str) -> Self {
        let marks = |c: char| "()[]{},;:!*\"'“”„«».?".contains(c);
        let text = if word.chars().all(marks) { word } else { word.trim_matches(marks) };
        let number = text.ends_with(|c: char| c.is_ascii_digit());
        Self { text, ends: !number && word.ends_with(['.', '!', '?', ';']) }
    }

    fn is_in(&self, list: &str) -> bool {
        list.split_whitespace().any(|word| word == self.text)
    }
}

/// Whether the date of `length` words at `at` is the end of something.
fn is_end(words: &[Word<'_>], at: usize, length: usize) -> bool {
    let before = || words[..at].iter().rev().take_while(|word| !word.ends).take(REACH);
    let other = before().any(|word| word.is_in(OTHERS));
    let behind = words.get(at + length..).unwrap_or_default().iter().take(3);
    let last = words.get(at + length - 1).is_none_or(|word| word.ends);
    (!other && before().any(|word| word.is_in(ENDS)))
        || (!last && behind.take_while(|word| !word.ends).any(|word| word.is_in(ENDS_BEHIND)))
        || is_range(words, at)
}

/// "from 1 to 12 May", "1 May – 12 May", "from 1-12 May": an end parted from a beginning that is a date, or a day at least.
fn is_range(words: &[Word<'_>], at: usize) -> bool {
    let in_word = words[at].text.split_once(['-', '–']).is_some_and(|(first, _)| day_number(first).is_some());
    if in_word && words[at.saturating_sub(2)..at].iter().any(|word| word.is_in(FROM)) {
        return true;
    }
    let near = at.saturating_sub(4);
    let Some(parting) = words[near..at].iter().rposition(|word| word.is_in(TO)).map(|found| near + found)
    else {
        return false;
    };
    let whole = !words[parting..at].iter().any(|word| word.ends);
    let start = parting.saturating_sub(REACH);
    let begun = words[start..parting].iter().any(|word| word.is_in(FROM))
        || words[parting].text.starts_with(['-', '–', '—']);
    let day = words[start..parting].iter().any(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
    whole && begun && day
}

/// A day of the calendar as written: the year may be missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: Option<i16>,
    month: i8,
    day: i8,
}

impl Day {
    /// A date at the beginning of `words`, and how many of them it takes.
    fn read(words: &[Word<'_>]) -> Option<(Self, usize)> {
        if let Some(day) = Self::numeric(words.first()?.text) {
            return Some((day, 1));
        }
        let named = |number: &str, month: &str| Some((day_number(number)?, month_number(month)?));
        let text = |at: usize| words.get(at).map_or("", |word| word.text);
        let of = usize::from(matches!(text(1), "of" | "de" | "di" | "d'"));
        // A range in one word: "1-12 May" ends on the 12th.
        let first = text(0).rsplit(['-', '–']).next().unwrap_or_default();
        let (day, month, length) = match (named(first, text(1 + of)), named(text(1), text(0))) {
            (Some((day, month)), _) => (day, month, 2 + of),
            (None, Some((day, month))) => (day, month, 2),
            (None, None) => return None,
        };
        let more = usize::from(matches!(text(length), "de" | "del"));
        match year_number(text(length + more)) {
            Some(year) => Some((Self { year: Some(year), month, day }, length + more + 1)),
            None => Some((Self { year: None, month, day }, length)),
        }
    }

    /// `2026-06-05`, `05/06/2026` in the order of Britain and most of Europe, `5.6.`
    fn numeric(text: &str) -> Option<Self> {
        let mark = text.find(['/', '.', '-']).and_then(|at| text[at..].chars().next())?;
        let numbers: Vec<i16> = text.split(mark).map(|part| part.parse().ok()).collect::<Option<_>>()?;
        let (year, month, day) = match numbers[..] {
            [year @ 2000..=2099, month, day] => (Some(year), month, day),
            [day, month, year @ 2000..=2099] => (Some(year), month, day),
            [day, month, year @ 20..=99] if mark != '-' => (Some(year + 2000), month, day),
            [day, month] if mark == '/' => (None, month, day),
            _ => return None,
        };
        // Where only the American order makes a date, it is one.
        let (month, day) = if month > 12 && day <= 12 { (day, month) } else { (month, day) };
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        fits.then_some(Self { year, month: month as i8, day: day as i8 })
    }

    /// Whether a date that seems to begin with `word` begins earlier: "5 June" in "15 5 June" never does.
    fn continues(before: &Word<'_>, word: &Word<'_>) -> bool {
        day_number(before.text).is_some() && month_number(word.text).is_some()
    }

    /// The day nearest to the mail; no day that lies long before it, or years behind it.
    fn date(self, sent: Option<Date>) -> Option<Date> {
        let of = |year| Date::new(year, self.month, self.day).ok();
        let fits = |date: &Date, sent: Date| {
            let (early, late) =
                (sent.checked_sub(Span::new().days(60)), sent.checked_add(Span::new().days(730)));
            early.is_ok_and(|early| early <= *date) && late.is_ok_and(|late| *date <= late)
        };
        match (self.year, sent) {
            (Some(year), None) => of(year),
            (Some(year), Some(sent)) => of(year).filter(|date| fits(date, sent)),
            (None, Some(sent)) => {
                (sent.year() - 1..=sent.year() + 1).filter_map(of).find(|date| fits(date, sent))
            }
            (None, None) => None,
        }
    }
}

/// `5`, `5.`, `5th`, `1er`.
fn day_number(text: &str) -> Option<i8> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, ending) = text.split_at(digits);
    let ordinal = matches!(ending, "" | "." | "st" | "nd" | "rd" | "th" | "er" | "º" | "°" | "e" | ":e");
    number.parse().ok().filter(|day| ordinal && (1..=31).contains(day))
}

fn month_number(text: &str) -> Option<i8> {
    let month = MONTHS.lines().position(|names| names.split_whitespace().any(|name| name == text))?;
    i8::try_from(month + 1).ok()
}

fn year_number(text: &str) -> Option<i16> {
    text.parse().ok().filter(|year| (2000..=2099).contains(year))
}

/// `6月5日まで`, `2026年6月5日まで`: no spaces, and the end stands behind the date.
fn unspaced(text: &str) -> impl Iterator<Item = Day> {
    text.match_indices('日').filter_map(|(at, mark)| {
        let behind = text[at + mark.len()..].trim_start();
        let behind = match behind.strip_prefix(['(', '（']) {
            Some(weekday) => weekday.split_once([')', '）'])?.1,
            None => behind,
        };
        let (before, day) = digits_before(&text[..at])?;
        let (before, month) = digits_before(before.strip_suffix('月')?)?;
        let year = before.strip_suffix('年').and_then(digits_before).map(|(_, year)| year);
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        let ends = behind.starts_with("まで") || behind.trim_start().starts_with("まで");
        (ends && fits).then_some(Day { year, month: month as i8, day: day as i8 })
    })
}

/// The number that a text ends with, and what stands before it.
fn digits_before(text: &str) -> Option<(&str, i16)> {
    let start = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let number = &text[start..];
    (number.len() <= 4).then(|| number.parse().ok()).flatten().map(|number| (&text[..start], number))
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::Opening;

    fn read(subject: &str, text: &str, sent: Option<i64>) -> Option<super::Away> {
        super::read(subject, &Opening::of(text), sent)
    }

    /// Sent on 20 May 2026.
    fn until(text: &str) -> Option<Date> {
        let text = format!("I am out of the office. {text}");
        read("Automatic reply: Meter", &text, Some(1_779_264_000)).unwrap().until
    }

    #[test]
    fn an_end_is_read() {
        for text in [
            "I am away until 5 June.",
            "Back on Friday 5 June 2026",
            "I will be back in the office on Friday, June 5th, 2026.",
            "from 1 to 5 June",
            "From 1 June to 5 June 2026 I have no access to my email",
            "On leave from 1-5 June",
            "I will be out of the office starting 2026-05-20 and will not return until 2026-06-05.",
            "until 05/06/2026",
            "returning 05.06.26",
            "Ich bin bis einschließlich 5. Juni 2026 nicht im Büro",
            "Ab dem 5. Juni bin ich wieder da. Ich bin ab dem 5. Juni wieder erreichbar",
            "vom 25. Mai bis zum 5. Juni",
            "du 25 mai au 5 juin inclus",
            "je serai de retour le 5 juin",
            "hasta el 5 de junio de 2026",
            "sarò di ritorno il 5 giugno",
            "ik ben terug op 5 juni",
            "até 5 de junho",
            "jag är tillbaka den 5 juni",
            "palaan 5.6.2026",
            "6月5日(金)まで不在",
            "2026年5月20日から2026年6月5日まで",
            "Until 1 June. Back on 5 June.",
        ] {
            assert_eq!(until(text), Some(date(2026, 6, 5)), "{text}");
        }
    }

    #[test]
    fn the_year_is_that_of_the_mail() {
        let read = |text, sent| read("Out of office", text, Some(sent)).unwrap().until;
        assert_eq!(read("I am away until 3 January", 1_766_016_000), Some(date(2026, 1, 3)));
        assert_eq!(read("I am away until 20 December", 1_766_016_000), Some(date(2025, 12, 20)));
        assert_eq!(read("back on Monday 3 December 2026", 1_795_000_000), Some(date(2026, 12, 3)));
    }

    #[test]
    fn what_is_unsure_is_nothing() {
        for text in [
            "",
            "I was here on 5 June.",
            "until 5pm",
            "until further notice",
            "until Monday",
            "Until 31 June",
            "Please return the form by 5 June",
            "until 1 June, or until 5 September",
            "Until 2 June 2019",
            "until 13/14/2026",
        ] {
            assert_eq!(until(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_date_of_the_mail_a_year_is_needed() {
        let read = |text| read("Out of office", text, None).unwrap().until;
        assert_eq!(read("I am away until 5 June 2026"), Some(date(2026, 6, 5)));
        assert_eq!(read("I am away until 5 June"), None);
    }

    #[test]
    fn an_acknowledgement_is_no_absence() {
        assert_eq!(read("Automatic reply: Meter", "We have your mail and answer until 5 June.", None), None);
    }
}
