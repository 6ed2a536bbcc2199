//! The digest for one user: how many cases wait in each process. No case is named, and nobody.

use serde::Serialize;

use crate::fields::{PortalAddress, ProcessName};
use crate::letter::{ALERT_DIGEST, LetterText};
use crate::registry::{TemplateError, Templates};

/// What the digest of a user says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertDigest {
    /// How many cases wait in each process, in the order in which they are printed.
    pub waiting: Vec<(ProcessName, usize)>,
    /// Where they are read.
    pub portal: PortalAddress,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    count: usize,
    one: bool,
    processes: Vec<Line>,
    link: String,
}

#[derive(Serialize)]
struct Line {
    process: String,
    count: usize,
}

impl Templates {
    /// Puts it into words: `3 cases are waiting for you`.
    pub fn render_alert_digest(&self, digest: &AlertDigest) -> Result<LetterText, TemplateError> {
        let count = digest.waiting.iter().map(|(_, count)| count).sum();
        let lines = digest.waiting.iter();
        let processes = lines.map(|(process, count)| Line { process: process.to_string(), count: *count });
        let (processes, link) = (processes.collect(), digest.portal.to_string());
        self.letter(&ALERT_DIGEST, &Words { count, one: count == 1, processes, link })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    fn rendered(waiting: &[(&str, usize)]) -> LetterText {
        let portal = PortalAddress::parse("https://portal.example").unwrap();
        let waiting =
            waiting.iter().map(|(process, count)| (ProcessName::from_catalogue(process).unwrap(), *count));
        let digest = AlertDigest { waiting: waiting.collect(), portal };
        let letter = Templates::load().unwrap().render_alert_digest(&digest).unwrap();
        assert_sound(&letter);
        letter
    }

    #[test]
    fn it_counts_and_names_no_case() {
        let letter = rendered(&[("Erroneous Transfers", 2), ("Disputed Reads", 1)]);
        assert_eq!(letter.subject, "3 cases are waiting for you");
        assert!(letter.text.contains("2  Erroneous Transfers\n1  Disputed Reads\n"), "{}", letter.text);
        assert!(letter.html.contains("Disputed Reads"));
        assert_eq!(rendered(&[("Disputed Reads", 1)]).subject, "1 case is waiting for you");
    }
}
