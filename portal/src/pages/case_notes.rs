//! What the people of a case should know beside its messages: a notice that came back, somebody who is
//! away.

use jiff::{Timestamp, ToSpan};
use store::AwayNote;

use super::mail_words;
use crate::access::PermittedCase;
use crate::dates;

/// How long an absence without a stated end is shown.
const UNDATED_DAYS: i32 = 14;

/// Absences that are shown.
const MOST: usize = 10;

/// Messages of which not even the record can be read, by their numbers.
pub(super) fn lost(numbers: &[u32]) -> Option<String> {
    let said = match numbers {
        [] => return None,
        [one] => format!("Message {one} cannot be opened."),
        many => {
            let numbers: Vec<_> = many.iter().take(MOST).map(ToString::to_string).collect();
            let more = if many.len() > MOST { " and others" } else { "" };
            format!("Messages {}{more} cannot be opened.", numbers.join(", "))
        }
    };
    Some(format!("{said} The other messages of this case are not affected. Tell your Postern operator."))
}

/// Notices that never reached their mailbox, for the people on both sides.
pub(super) fn undelivered(permitted: &PermittedCase) -> Vec<String> {
    let visitor = permitted.visitor();
    let sides = permitted.case().sides.iter().filter_map(|side| Some((side, side.undelivered.as_ref()?)));
    sides
        .map(|(side, undelivered)| {
            let (to, since) = (mail_words::line(&undelivered.to.to_string()), dates::when(undelivered.since));
            let advice = match side.group == *visitor.group() {
                true => "Ask your master administration user (MAU) to put the mailbox right.".to_owned(),
                false => format!(
                    "{} may not know that something waits; nobody there has looked since.",
                    visitor.group_name(&side.group)
                ),
            };
            format!("The notice to {to} could not be delivered since {}. {advice}", since.text)
        })
        .collect()
}

/// Who is out of office at `now`: the last word of each person counts.
pub(super) fn away(permitted: &PermittedCase, notes: &[AwayNote], now: Timestamp) -> Vec<String> {
    let visitor = permitted.visitor();
    let mut last: Vec<&AwayNote> = Vec::new();
    for note in notes.iter().rev() {
        if last.len() < MOST
            && !last.iter().any(|later| (&later.group, later.user) == (&note.group, note.user))
        {
            last.push(note);
        }
    }
    let current = last.into_iter().filter(|note| is_current(note, now));
    current
        .map(|note| {
            let company = visitor.group_name(&note.group);
            let who = match &note.user {
                Some(user) => format!("{} ({company})", visitor.user_name(user)),
                None => company,
            };
            match note.until {
                Some(day) => format!("{who}, away until {}", dates::day(day)),
                None => format!("{who}, said so on {}", dates::day(dates::today(note.at))),
            }
        })
        .collect()
}

fn is_current(note: &AwayNote, now: Timestamp) -> bool {
    let today = dates::today(now);
    match note.until {
        Some(day) => day >= today,
        None => dates::today(note.at).saturating_add(UNDATED_DAYS.days()) >= today,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absence_is_over_after_its_day() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let note = |until: Option<&str>| AwayNote {
            group: "beta".parse().unwrap(),
            at: at("2026-06-01T10:00:00Z"),
            until: until.map(|day| day.parse().unwrap()),
            user: None,
        };
        let dated = note(Some("2026-06-05"));
        assert!(is_current(&dated, at("2026-06-05T22:59:59Z")), "it ends with the day in London");
        assert!(!is_current(&dated, at("2026-06-05T23:00:00Z")));
        assert!(is_current(&note(None), at("2026-06-15T10:00:00Z")));
        assert!(!is_current(&note(None), at("2026-06-16T10:00:00Z")));
    }
}
