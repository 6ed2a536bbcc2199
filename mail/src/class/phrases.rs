//! What machines write, in the languages in which their operators set them up, lower case: one list a file, phrases parted
//! by semicolons. Beginnings are compared with the beginnings of subjects, lines and sentences; words may stand anywhere
//! near. A phrase that people write as well is in no list that decides alone.
//!
//! The lists are read once, into an automaton that looks for all phrases of all lists in one pass.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::AhoCorasick;

/// A list of phrases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Subjects of automatic answers; a colon, a dash, a quotation mark or nothing follows.
    AutoSubjects,
    /// Subjects under which a program says that somebody is away, but a person may too.
    AwaySubjects,
    /// Subjects of bounces.
    BounceSubjects,
    /// Subjects of complaints that mail providers pass on without the form of RFC 5965.
    ComplaintSubjects,
    /// Subjects under which filters and servers write from an office of theirs.
    NoticeSubjects,
    /// Subjects of read receipts; the subject of the mail that was read follows.
    ReadSubjects,
    /// Subjects of Outlook's requests to take a message back.
    RecallSubjects,
    /// Outlook's answers to invitations; the subject of the invitation follows.
    MeetingSubjects,
    /// Before the subject of an answer or of a forwarded mail; people's clients write them.
    Answers,
    /// Lines with which automatic mail begins.
    AutoOpenings,
    /// What programs say for people who are away now. People say it too, but seldom under such a subject.
    AwayNow,
    /// With what such answers begin, and many other mails too.
    AwayPolite,
    /// The same said of a time that is still to come, as people do when they announce it.
    AwayThen,
    /// Lines with which bounces begin.
    BounceOpenings,
    /// Words of servers, anywhere near the beginning.
    BounceWords,
    /// What a receipt says.
    ReadWords,
    /// What a request to take a message back says.
    RecallWords,
}

const FILES: [(List, &str); 17] = [
    (List::AutoSubjects, include_str!("phrases/auto-subjects.txt")),
    (List::AwaySubjects, include_str!("phrases/away-subjects.txt")),
    (List::BounceSubjects, include_str!("phrases/bounce-subjects.txt")),
    (List::ComplaintSubjects, include_str!("phrases/complaint-subjects.txt")),
    (List::NoticeSubjects, include_str!("phrases/notice-subjects.txt")),
    (List::ReadSubjects, include_str!("phrases/read-subjects.txt")),
    (List::RecallSubjects, include_str!("phrases/recall-subjects.txt")),
    (List::MeetingSubjects, include_str!("phrases/meeting-subjects.txt")),
    (List::Answers, include_str!("phrases/answers.txt")),
    (List::AutoOpenings, include_str!("phrases/auto-openings.txt")),
    (List::AwayNow, include_str!("phrases/away-now.txt")),
    (List::AwayPolite, include_str!("phrases/away-polite.txt")),
    (List::AwayThen, include_str!("phrases/away-then.txt")),
    (List::BounceOpenings, include_str!("phrases/bounce-openings.txt")),
    (List::BounceWords, include_str!("phrases/bounce-words.txt")),
    (List::ReadWords, include_str!("phrases/read-words.txt")),
    (List::RecallWords, include_str!("phrases/recall-words.txt")),
];

static PHRASES: LazyLock<Phrases> = LazyLock::new(Phrases::read);

/// All phrases; the n-th one that the automaton knows is of the n-th list named here.
struct Phrases {
    automaton: Option<AhoCorasick>,
    lists: Vec<List>,
    /// Bytes of the longest one.
    longest: usize,
}

impl Phrases {
    fn read() -> Self {
        let phrases = FILES.iter().flat_map(|(list, file)| phrases(file).map(move |phrase| (*list, phrase)));
        let (lists, phrases): (Vec<_>, Vec<_>) = phrases.unzip();
        let longest = phrases.iter().map(|phrase| phrase.len()).max().unwrap_or_default();
        // It fails only where there are more phrases than an automaton can number.
        Self { automaton: AhoCorasick::new(phrases).ok(), lists, longest }
    }
}

/// All phrases in a text, and where they stand.
pub(super) fn said(text: &str) -> impl Iterator<Item = (List, Range<usize>)> {
    let found = PHRASES.automaton.iter().flat_map(move |automaton| automaton.find_overlapping_iter(text));
    found.filter_map(|one| Some((*PHRASES.lists.get(one.pattern().as_usize())?, one.range())))
}

/// The phrases with which a subject begins, and where each ends.
pub(super) fn begun(subject: &str) -> Vec<(List, usize)> {
    let beginning = &subject[..subject.floor_char_boundary(PHRASES.longest)];
    said(beginning).filter(|(_, at)| at.start == 0).map(|(list, at)| (list, at.end)).collect()
}

/// The phrases of a list.
fn phrases(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|phrase| !phrase.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phrase_is_found() {
        assert!(PHRASES.automaton.is_some());
        for (list, file) in FILES {
            assert!(phrases(file).count() > 0);
            for phrase in phrases(file) {
                assert!(begun(phrase).contains(&(list, phrase.len())), "{list:?}: {phrase}");
            }
        }
        assert!(begun("auto reply: x").contains(&(List::AutoSubjects, 10)));
        assert_eq!(begun("an auto reply"), []);
        assert!(
            said("so i am out of the office today").any(|(list, at)| list == List::AwayNow && at.start > 0)
        );
    }
}
