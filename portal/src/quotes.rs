//! The quoted tail of a mail: what it repeats of earlier ones, for a fold of the page. One pass over the lines, however long
//! they are. What is uncertain stays in the text, and nothing is ever left out.

/// Lines of a mail's head that mail programs put above a quotation, and how far apart they may stand.
const HEAD: [&str; 4] = ["from:", "sent:", "to:", "subject:"];
const HEAD_LINES: usize = 7;

/// Longest line that is looked at as an introduction, in bytes.
const LONGEST: usize = 400;

/// The text and its quoted tail: everything from the first line after which nothing new is said.
pub(crate) fn without_tail(text: &str) -> (&str, Option<&str>) {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut tail = Tail::None;
    let mut offset = 0;
    for (number, line) in lines.iter().enumerate() {
        let trimmed = line.trim();
        if tail == Tail::None && (divides(trimmed) || is_head(&lines[number..])) {
            // All that follows is the earlier mail.
            tail = Tail::Certain(offset);
            break;
        }
        let quotes = trimmed.starts_with('>');
        match tail {
            Tail::None if quotes || introduces(&lines[number..]) => tail = Tail::Open(offset),
            // Somebody wrote behind or between the quoted lines.
            Tail::Open(start)
                if !quotes && !trimmed.is_empty() && !within_introduction(&text[start..offset]) =>
            {
                tail = Tail::None;
                if divides(trimmed) || is_head(&lines[number..]) {
                    tail = Tail::Certain(offset);
                    break;
                }
                if introduces(&lines[number..]) {
                    tail = Tail::Open(offset);
                }
            }
            _ => {}
        }
        offset += line.len();
    }
    let (Tail::Open(start) | Tail::Certain(start)) = tail else { return (text, None) };
    let (fresh, quoted) = (text[..start].trim_end(), &text[start..]);
    if fresh.is_empty() { (text, None) } else { (fresh, Some(quoted)) }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    None,
    /// From there on there were only quoted lines so far.
    Open(usize),
    Certain(usize),
}

/// "On 4 May 2026, Sam Taylor wrote:" stands above lines that begin with `>`; long names break it in two.
fn introduces(lines: &[&str]) -> bool {
    let [first, rest @ ..] = lines else { return false };
    let first = first.trim();
    if !first.starts_with("On ") || first.len() > LONGEST {
        return false;
    }
    first.ends_with("wrote:") || rest.first().is_some_and(|next| next.trim().ends_with("wrote:"))
}

/// Whether what stands since the beginning of the tail is only the first line of an introduction.
fn within_introduction(since: &str) -> bool {
    since.starts_with("On ")
        && since.len() <= LONGEST
        && since.trim_end().lines().count() == 1
        && !since.trim_end().ends_with(':')
}

/// The lines that Outlook puts above the mail it answers.
fn divides(line: &str) -> bool {
    line.starts_with("-----Original Message-----")
        || (line.len() >= 20 && line.bytes().all(|byte| byte == b'_'))
}

/// The head of an earlier mail, without a line above it.
fn is_head(lines: &[&str]) -> bool {
    let starts = |line: &&str, word: &str| {
        let line = line.trim_start_matches(['*', ' ']);
        line.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let [from, others @ ..] = HEAD;
    lines.first().is_some_and(|line| starts(line, from))
        && others.iter().all(|word| lines.iter().take(HEAD_LINES).any(|line| starts(line, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quoted_tail_is_apart() {
        for (text, fresh) in [
            (
                "Thank you, agreed.\n\nOn 4 May 2026, Sam Taylor wrote:\n> Please confirm\n>\n> Sam\n",
                "Thank you, agreed.",
            ),
            (
                "Agreed.\n\nOn Mon, 4 May 2026 at 10:02, Sam Taylor of Beta Power\n<sam@beta.example> wrote:\n> Please\n",
                "Agreed.",
            ),
            ("Done.\n-----Original Message-----\nFrom: Sam\n\nPlease confirm", "Done."),
            ("Done.\n\n________________________________\nFrom: Sam\n\nPlease", "Done."),
            ("Done.\n\nFrom: Sam Taylor\nSent: 4 May 2026\nTo: Ali\nSubject: A matter\n\nPlease", "Done."),
            ("Yes.\n> Which date?\n4 May.\n> And the meter?\n> The old one?", "Yes.\n> Which date?\n4 May."),
        ] {
            let (shown, quoted) = without_tail(text);
            assert_eq!(shown, fresh, "{text}");
            assert!(text.ends_with(quoted.unwrap()), "nothing is left out");
        }
    }

    #[test]
    fn what_is_uncertain_stays() {
        for text in [
            "> Which date?\n4 May.\n> And the meter?\nThe old one.",
            "> only a quotation",
            "plain",
            "From: here it is far\nto the next meter",
            "On Monday we wrote to them.",
            "",
        ] {
            assert_eq!(without_tail(text), (text, None));
        }
    }

    #[test]
    fn many_hostile_lines_come_to_an_end() {
        let hostile =
            ["On \n", "From: x\n", "> \n", "On a wrote:\nx\n", "________________________________ \nx\n"];
        for line in hostile {
            let text = line.repeat(400_000 / line.len());
            let (fresh, quoted) = without_tail(&text);
            assert!(fresh.len() + quoted.map_or(0, str::len) <= text.len(), "{line:?}");
        }
    }
}
