//! What machines write, in the languages in which their operators set them up, lower case: one list a file, phrases parted
//! by semicolons. Beginnings are compared with the beginnings of subjects, lines and sentences; words may stand anywhere
//! near. A phrase that people write as well is in no list that decides alone.

/// Subjects of automatic answers; a colon, a dash, a quotation mark or nothing follows.
pub(super) const AUTO_SUBJECTS: &str = include_str!("phrases/auto-subjects.txt");

/// Subjects under which a program says that somebody is away, but a person may too.
pub(super) const AWAY_SUBJECTS: &str = include_str!("phrases/away-subjects.txt");

/// Lines with which automatic mail begins.
pub(super) const AUTO_OPENINGS: &str = include_str!("phrases/auto-openings.txt");

/// What programs say for people who are away now. People say it too, but seldom under such a subject.
pub(super) const AWAY_NOW: &str = include_str!("phrases/away-now.txt");

/// With what such answers begin, and many other mails too.
pub(super) const AWAY_POLITE: &str = include_str!("phrases/away-polite.txt");

/// The same said of a time that is still to come, as people do when they announce it.
pub(super) const AWAY_THEN: &str = include_str!("phrases/away-then.txt");

/// Subjects of bounces.
pub(super) const BOUNCE_SUBJECTS: &str = include_str!("phrases/bounce-subjects.txt");

/// Lines with which bounces begin.
pub(super) const BOUNCE_OPENINGS: &str = include_str!("phrases/bounce-openings.txt");

/// Words of servers, anywhere near the beginning.
pub(super) const BOUNCE_WORDS: &str = include_str!("phrases/bounce-words.txt");

/// Subjects of complaints that mail providers pass on without the form of RFC 5965.
pub(super) const COMPLAINT_SUBJECTS: &str = include_str!("phrases/complaint-subjects.txt");

/// Subjects under which filters and servers write from an office of theirs.
pub(super) const NOTICE_SUBJECTS: &str = include_str!("phrases/notice-subjects.txt");

/// Subjects of read receipts; the subject of the mail that was read follows.
pub(super) const READ_SUBJECTS: &str = include_str!("phrases/read-subjects.txt");

/// What a receipt says.
pub(super) const READ_WORDS: &str = include_str!("phrases/read-words.txt");

/// Subjects of Outlook's requests to take a message back, and what they say.
pub(super) const RECALL_SUBJECTS: &str = include_str!("phrases/recall-subjects.txt");

pub(super) const RECALL_WORDS: &str = include_str!("phrases/recall-words.txt");

/// Outlook's answers to invitations; the subject of the invitation follows.
pub(super) const MEETING_SUBJECTS: &str = include_str!("phrases/meeting-subjects.txt");

/// Before the subject of an answer or of a forwarded mail; people's clients write them.
pub(super) const ANSWERS: &str = include_str!("phrases/answers.txt");

/// The phrases of a list.
pub(super) fn phrases(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split(';'))
        .map(str::trim)
        .filter(|phrase| !phrase.is_empty())
}
