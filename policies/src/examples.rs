//! The examples that policy files carry: a mail in a few words, and what the rules must make of it. They are read with
//! the file and tried on demand. Never a mail of anybody's: all of them happen in a market that is made up.

mod file;
mod market;

use std::fmt;

use mail::{GroupId, ReversePath, Scan};

use crate::{
    Facts, Judged, Passing, PolicyError, Protection, Ruleset, Verdict,
    detect::{Business, Category, Document},
    source::Source,
};

pub use market::SampleMarket;

/// One example of a policy file.
#[derive(Debug)]
pub struct Example {
    /// The file that has it, as errors name it.
    pub file: String,
    /// The line of its name, from 1.
    pub line: usize,
    /// What it shows.
    pub name: String,
    mail: Mail,
    expected: Expected,
}

/// What came of an example.
#[derive(Debug)]
pub struct Tried<'a> {
    /// The example.
    pub example: &'a Example,
    /// Everything that came out in another way than the file says; empty where all is as it says.
    pub differences: Vec<Difference>,
}

/// One thing that came out in another way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key of the example.
    pub key: &'static str,
    /// What the file says.
    pub expected: String,
    /// What came out.
    pub is: String,
}

#[derive(Debug)]
struct Mail {
    sender: GroupId,
    from: mail::Address,
    to: Vec<mail::Address>,
    message: mail::Message,
    /// Name and text of each attachment.
    attachments: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    passing: Passing,
    scan: Scan,
    protection: Protection,
}

/// What the file says; what is none is not looked at.
#[derive(Debug, Default)]
struct Expected {
    verdict: Option<String>,
    rule: Option<String>,
    signal: Option<String>,
    process: Option<String>,
    classified: Option<String>,
    /// Sorted by category.
    findings: Option<Vec<(Category, u32)>>,
    /// Sorted.
    tags: Option<Vec<String>>,
}

/// No process, no rule, no finding.
const NONE: &str = "none";

/// The examples of one file.
pub(crate) fn read(file: &str, text: &str) -> Result<Vec<Example>, PolicyError> {
    file::parse(Source::new(file, text), file)
}

impl Ruleset {
    /// Tries every example of every file, in the order of the files.
    pub fn try_examples(&self) -> Vec<Tried<'_>> {
        let market = SampleMarket::of(self.catalogue());
        self.examples().iter().map(|example| example.tried(self, &market)).collect()
    }
}

impl Example {
    fn tried(&self, rules: &Ruleset, market: &SampleMarket) -> Tried<'_> {
        let judged = self.mail.judged(rules, market);
        Tried { example: self, differences: self.expected.differences(&judged) }
    }
}

impl Mail {
    fn judged(&self, rules: &Ruleset, market: &SampleMarket) -> Judged {
        let recipients: Vec<_> = self.to.iter().map(|to| market.recipient(&self.sender, to)).collect();
        let documents: Vec<Document<'_>> = (0..)
            .zip(&self.attachments)
            .map(|(part, (name, text))| Document { part, name, text, whole: true })
            .collect();
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        rules.judge(&Facts {
            sender: &self.sender,
            passing: self.passing,
            reverse_path: &ReversePath::Address(self.from.clone()),
            message: &self.message,
            recipients: &recipients,
            referenced: &[],
            scan: self.scan,
            protection: self.protection,
            documents: &documents,
            business: &Business::new(&SampleMarket::has, &self.message.headline),
            fields: &fields,
        })
    }
}

impl Expected {
    fn differences(&self, judged: &Judged) -> Vec<Difference> {
        let verdict = judged.strictest();
        let mut differences = Vec::new();
        let mut see = |key, expected: &Option<String>, is: String| {
            if let Some(expected) = expected.as_ref().filter(|expected| **expected != is) {
                differences.push(Difference { key, expected: expected.clone(), is });
            }
        };
        let or_none = |text: Option<String>| text.unwrap_or_else(|| NONE.to_owned());
        see("verdict", &self.verdict, verdict.map_or(NONE, word).to_owned());
        see("rule", &self.rule, or_none(verdict.and_then(Verdict::rule).map(ToString::to_string)));
        see("signal", &self.signal, or_none(verdict.and_then(signal)));
        see("process", &self.process, or_none(verdict.and_then(process)));
        let classified = judged.classification.process.as_ref().map(ToString::to_string);
        see("classified", &self.classified, or_none(classified));
        let found: Vec<(Category, u32)> = judged.findings.counts().collect();
        see("findings", &self.findings.as_ref().map(|counts| counted(counts)), counted(&found));
        let mut tags: Vec<String> = judged.tags.iter().map(|tag| tag.value().to_owned()).collect();
        tags.sort_unstable();
        see("tags", &self.tags.as_ref().map(|tags| tags.join(", ")), tags.join(", "));
        differences
    }
}

fn counted(counts: &[(Category, u32)]) -> String {
    let counts: Vec<String> = counts.iter().map(|(category, count)| format!("{category} {count}")).collect();
    if counts.is_empty() { NONE.to_owned() } else { counts.join(", ") }
}

/// The verdict in the word of the rule files.
pub(crate) fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Secure { .. } => "secure",
        Verdict::Relay { .. } => "relay",
        Verdict::Hold { .. } => "hold",
        Verdict::Return => "return",
        Verdict::Refuse { .. } => "refuse",
    }
}

fn signal(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Secure { signal, .. } => Some(signal.as_str().to_owned()),
        Verdict::Hold { place, .. } => place.as_ref().map(|place| place.signal.as_str().to_owned()),
        Verdict::Relay { .. } | Verdict::Return | Verdict::Refuse { .. } => None,
    }
}

fn process(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Secure { process, .. } => Some(process.to_string()),
        Verdict::Hold { place, .. } => place.as_ref().map(|place| place.process.to_string()),
        Verdict::Relay { .. } | Verdict::Return | Verdict::Refuse { .. } => None,
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, not {}", self.key, self.is, self.expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FileKind, RuleFiles};

    fn shipped_and(example: &str) -> Result<Ruleset, PolicyError> {
        let mut files = RuleFiles::shipped();
        let verdicts = crate::verdicts::FILE.1;
        let text = format!("{verdicts}\n[[example]]\n{example}\n");
        files.replace(FileKind::Verdicts, "v.toml", text);
        Ruleset::read(files)
    }

    fn differences(example: &str) -> Vec<String> {
        let rules = shipped_and(example).unwrap();
        let last = rules.try_examples().pop().unwrap();
        assert_eq!(last.example.file, "v.toml");
        last.differences.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_example_that_comes_out_is_silent_and_one_that_does_not_says_how() {
        let mail = "name = \"x\"\nto = [\"jo@beta.example\"]\nsubject = \"[ET] 1200023305967\"\n";
        let good = "verdict = \"secure\"\nrule = \"secure-subject-code\"\nsignal = \"subject-code\"\n\
                    process = \"erroneous-transfers\"\ntags = [\"1200023305967\"]\n";
        assert_eq!(differences(&format!("{mail}{good}")), [] as [&str; 0]);
        assert_eq!(
            differences(&format!("{mail}verdict = \"hold\"\nprocess = \"none\"\ntags = []\n")),
            [
                "verdict is secure, not hold",
                "process is erroneous-transfers, not none",
                "tags is 1200023305967, not "
            ]
        );
    }

    #[test]
    fn everybody_of_the_made_up_market_can_be_written_to() {
        for (to, rule) in [
            ("erroneous-transfers@beta.example", "secure-mapped-mailbox"),
            ("erroneous-transfers+ABC-123456@beta.example", "secure-mapped-mailbox"),
            ("erroneous-transfers@cases.example", "secure-answer"),
            ("foreign@cases.example", "refuse-unmapped"),
            ("jo@alpha.example", "relay-own-company"),
            ("erroneous-transfers@alpha.example", "relay-own-company"),
            ("jo@beta.example", "relay-counterparty"),
            ("jo@gamma.example", "relay-counterparty"),
            ("jo@elsewhere.example", "relay-outside"),
        ] {
            let example = format!("name = \"x\"\nto = [\"{to}\"]\nrule = \"{rule}\"\n");
            assert_eq!(differences(&example), [] as [&str; 0], "{to}");
        }
    }

    #[test]
    fn an_example_that_says_nothing_or_nonsense_is_a_mistake_of_its_file() {
        for (example, key) in [
            ("name = \"x\"\nto = [\"jo@beta.example\"]", "example"),
            ("name = \"x\"\nto = [\"jo\"]\nverdict = \"hold\"", "to"),
            ("name = \"x\"\nto = []\nverdict = \"hold\"", "to"),
            ("name = \"x\"\nto = [\"jo@beta.example\"]\nverdict = \"held\"", "verdict"),
            (
                "name = \"x\"\nfrom = \"jo@nobody.example\"\nto = [\"jo@beta.example\"]\nverdict = \"hold\"",
                "from",
            ),
            ("name = \"x\"\nto = [\"jo@beta.example\"]\nfindings = { mpam = 1 }", "findings"),
            ("name = \"x\"\nto = [\"jo@beta.example\"]\nclass = \"robot\"\nverdict = \"hold\"", "class"),
            ("name = \"x\"\nto = [\"jo@beta.example\"]\ncolour = \"red\"", "colour"),
        ] {
            let error = shipped_and(example).unwrap_err();
            assert_eq!((error.key.as_str(), error.file.as_str()), (key, "v.toml"), "{error}");
        }
    }

    #[test]
    fn the_shipped_files_do_what_their_examples_say() {
        let rules = Ruleset::shipped().unwrap();
        let tried = rules.try_examples();
        assert!(tried.len() >= 20, "{} examples", tried.len());
        for Tried { example, differences } in tried {
            let Example { file, line, name, .. } = example;
            let differences: Vec<String> = differences.iter().map(ToString::to_string).collect();
            assert!(differences.is_empty(), "{file}:{line}: {name}: {}", differences.join("; "));
        }
    }
}
