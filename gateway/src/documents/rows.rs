//! Lists in separated values (RFC 4180 and what programs make of it) as rows of cells between tabs, the form that every
//! table of a mail has: a comma within quotes parts no cells, and a column's title stands above its column.

use mail::Part;

/// What may stand between cells, besides the comma.
const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];

/// Whether the mail says that the part is such a list.
pub(super) fn is_list(part: &Part) -> bool {
    let ending = part.name.as_deref().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    ending.is_some_and(|ending| ["csv", "tsv"].iter().any(|known| ending.eq_ignore_ascii_case(known)))
        || matches!(part.media_type.as_str(), "text/csv" | "application/csv" | "text/tab-separated-values")
}

/// The list with tabs between its cells. Line ends and tabs within a cell become spaces.
pub(super) fn tabbed(text: &str) -> String {
    let separator = separator(text);
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    let (mut quoted, mut begins) = (false, true);
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                out.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if begins => quoted = true,
            '\r' => {}
            '\n' | '\t' if quoted => out.push(' '),
            letter if letter == separator && !quoted => out.push('\t'),
            letter => out.push(letter),
        }
        begins = !quoted && (letter == separator || letter == '\n');
    }
    out
}

/// The one that the first line has most of, outside quotes.
fn separator(text: &str) -> char {
    let mut counts = [0; SEPARATORS.len()];
    let mut quoted = false;
    for letter in text.chars().take_while(|letter| *letter != '\n') {
        quoted ^= letter == '"';
        if let (false, Some(place)) = (quoted, SEPARATORS.iter().position(|known| *known == letter)) {
            counts[place] += 1;
        }
    }
    let most = (0..counts.len()).rev().max_by_key(|place| counts[*place]);
    most.map_or(SEPARATORS[0], |place| SEPARATORS[place])
}

#[cfg(test)]
mod tests {
    use super::tabbed;

    #[test]
    fn cells_stand_between_tabs_whatever_stood_there() {
        assert_eq!(
            tabbed("MPAN,Address\r\n12,\"1 Mill Lane, Skelby\"\r\n"),
            "MPAN\tAddress\n12\t1 Mill Lane, Skelby\n"
        );
        assert_eq!(tabbed("a;b,c;d\n1;2;3"), "a\tb,c\td\n1\t2\t3");
        assert_eq!(tabbed("a\tb\n1\t\"2\t3\"\n"), "a\tb\n1\t2 3\n");
        assert_eq!(tabbed("one column\n12\n"), "one column\n12\n");
    }

    #[test]
    fn quotes_are_taken_as_programs_write_them() {
        assert_eq!(tabbed("a,b\n\"say \"\"no\"\"\",\"two\nlines\"\n"), "a\tb\nsay \"no\"\ttwo lines\n");
        assert_eq!(tabbed("a,b\n5\" pipe,6\" pipe\n"), "a\tb\n5\" pipe\t6\" pipe\n");
        assert_eq!(tabbed("a,b\n\"never closed, 12\n13,14"), "a\tb\nnever closed, 12 13,14");
        assert_eq!(tabbed(""), "");
    }
}
