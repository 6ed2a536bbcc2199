//! The digest: one letter about all cases that wait for a mailbox. It says of each what a notice says, and no more.

use serde::Serialize;

use crate::fields::{CaseReference, CompanyName, DueDate, Link, PortalAddress, ProcessName};
use crate::letter::{DIGEST, Due, LetterText};
use crate::registry::{TemplateError, Templates};

/// What a digest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The cases, the most urgent first; at most [`Digest::MOST`] are printed.
    pub cases: Vec<DigestLine>,
    /// Where they are read.
    pub portal: PortalAddress,
}

/// One case of a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestLine {
    /// The case that waits.
    pub case: CaseReference,
    /// The business process it belongs to.
    pub process: ProcessName,
    /// The company on the other side.
    pub company: CompanyName,
    /// By when the reader's company must answer; none when nothing is owed.
    pub due: Option<DueDate>,
    /// Where the case is read.
    pub link: Link,
}

/// The template's context.
#[derive(Serialize)]
struct Words {
    count: usize,
    one: bool,
    more: Option<usize>,
    earliest: Option<Due>,
    cases: Vec<Line>,
    portal: String,
}

#[derive(Serialize)]
struct Line {
    case: String,
    process: String,
    company: String,
    due: Option<Due>,
    link: String,
}

impl Digest {
    /// Cases that are printed; of the others their number.
    pub const MOST: usize = 50;
}

impl Templates {
    /// Puts a digest into words: `3 cases are waiting for you, the first answer is due 5 June`.
    pub fn render_digest(&self, digest: &Digest) -> Result<LetterText, TemplateError> {
        let count = digest.cases.len();
        let mut dates: Vec<DueDate> = digest.cases.iter().filter_map(|line| line.due).collect();
        dates.sort();
        self.letter(
            &DIGEST,
            &Words {
                count,
                one: count == 1,
                more: count.checked_sub(Digest::MOST).filter(|more| *more > 0),
                earliest: dates.first().copied().map(Due::from),
                cases: digest.cases.iter().take(Digest::MOST).map(Line::from).collect(),
                portal: digest.portal.to_string(),
            },
        )
    }
}

impl From<&DigestLine> for Line {
    fn from(line: &DigestLine) -> Self {
        Self {
            case: line.case.to_string(),
            process: line.process.to_string(),
            company: line.company.to_string(),
            due: line.due.map(Due::from),
            link: line.link.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::assert_sound;

    fn line(number: usize, due: Option<i8>) -> DigestLine {
        DigestLine {
            case: CaseReference::parse(&format!("K7Q-{number:04}")).unwrap(),
            process: ProcessName::from_catalogue("Erroneous Transfers").unwrap(),
            company: CompanyName::from_directory("Alpha Energy & Co").unwrap(),
            due: due.map(|day| DueDate::on(jiff::civil::date(2026, 6, day))),
            link: Link::to_case("https://portal.example", &format!("{number:032}")).unwrap(),
        }
    }

    fn rendered(cases: Vec<DigestLine>) -> LetterText {
        let portal = PortalAddress::parse("https://portal.example").unwrap();
        let letter = Templates::load().unwrap().render_digest(&Digest { cases, portal }).unwrap();
        assert_sound(&letter);
        letter
    }

    #[test]
    fn a_digest_lists_what_waits() {
        let letter = rendered(vec![line(1, Some(9)), line(2, Some(5)), line(3, None)]);
        assert_eq!(letter.subject, "3 cases are waiting for you, the first answer is due 5 June");
        for part in ["K7Q-0001", "K7Q-0003", "Friday 5 June 2026", "Alpha Energy & Co"] {
            assert!(letter.text.contains(part), "{part} in {}", letter.text);
            assert!(letter.html.contains(&part.replace('&', "&amp;")), "{part} in {}", letter.html);
        }
        assert!(!letter.text.contains("more"));
    }

    #[test]
    fn one_case_is_one() {
        assert_eq!(rendered(vec![line(1, None)]).subject, "1 case is waiting for you");
    }

    #[test]
    fn a_long_list_is_cut_and_says_so() {
        let letter = rendered((1..=53).map(|number| line(number, None)).collect());
        assert!(letter.subject.starts_with("53 cases"));
        assert!(letter.text.contains("K7Q-0050") && !letter.text.contains("K7Q-0051"));
        assert!(letter.text.contains("and 3 more") && letter.html.contains("and 3 more"));
    }
}
