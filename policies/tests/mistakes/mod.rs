//! How a wrong policy file is shown to be one: a shipped text with one mistake, and the error it must give.

use policies::PolicyError;

/// The shipped text, the first `from` of it made `to`, and the errors' words after `FILE:LINE: `.
pub(crate) type Mistake = (&'static str, &'static str, &'static str);

pub(crate) fn check(shipped: &str, parse: impl Fn(&str) -> Result<(), PolicyError>, mistakes: &[Mistake]) {
    assert_eq!(parse(shipped), Ok(()));
    for (from, to, words) in mistakes {
        assert!(shipped.contains(from), "{from:?} is not in the shipped file");
        let error = parse(&shipped.replacen(from, to, 1)).expect_err(to);
        let text = error.to_string();
        let (_, after) = text.split_once(": ").unwrap();
        assert!(after.starts_with(words), "{to:?}: {text}");
        assert!(!error.remedy.is_empty() && !error.problem.is_empty(), "{text}");
        // The line is the mistake's own; where something is missing it is that of the table that lacks it.
        if !error.problem.starts_with("missing field") && error.key != "rule" {
            let line = shipped.split(from).next().unwrap().matches('\n').count() + 1;
            assert_eq!(error.line, line, "{to:?}: {text}");
        }
    }
}
