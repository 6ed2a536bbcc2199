//! Policy files. Their authors are no strangers, but their mistakes must be told, not suffered.

use jiff::Timestamp;
use policies::{Calendar, Calendars, Catalogue, PolicyError, TagRules, VerdictRules, due};

const FILE: &str = "policy.toml";

/// Whatever a file says, each reader takes it or says in one line where it is wrong; what was taken can be used.
pub fn policy(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Some(catalogue) = taken(text, Catalogue::parse(FILE, text)) {
        assert!(catalogue.processes().all(|process| catalogue.process(&process.id).is_some()));
        assert!(catalogue.alias(text).is_none(), "a whole file is no name of a message type");
    }
    if let Some(calendars) = taken(text, Calendars::with([], Some((FILE, text)))) {
        assert!(calendars.all().count() == 3);
    }
    if let Some(calendar) = taken(text, Calendar::parse(FILE, text)) {
        let day = due(Timestamp::UNIX_EPOCH, 10, &calendar);
        assert!(day.at > Timestamp::UNIX_EPOCH && calendar.is_working_day(day.date), "due on {day:?}");
    }
    if let Some(rules) = taken(text, TagRules::parse(FILE, text)) {
        assert!(rules.find(text, text, &[text]).len() <= TagRules::MOST);
    }
    taken(text, VerdictRules::parse(FILE, text));
}

fn taken<T>(text: &str, read: Result<T, PolicyError>) -> Option<T> {
    read.inspect_err(|error| {
        assert!((1..=text.matches('\n').count() + 1).contains(&error.line), "no such line: {error}");
        assert!(!error.to_string().contains('\n'), "more than a line: {error:?}");
    })
    .ok()
}
