//! Hostile HTML made small to parse: one linear pass that balances tags, bounds their nesting and
//! keeps only what the allow-list knows.
//!
//! A tree builder that follows the HTML standard can be made to work for the square of its input
//! (scope checks, foster parenting) and to multiply it (unclosed formatting is built anew in every
//! block). What leaves here gives it no occasion. Nothing relies on this for safety: its output is
//! parsed and sanitised as if it came from a stranger.

use std::borrow::Cow;

use super::{ATTRIBUTES, EMPTIED, TABLE_ATTRIBUTES, TAGS};

/// Elements open at once; deeper tags are left out, their text stays.
const DEEPEST: usize = 100;

/// Inline elements open at once.
const DEEPEST_INLINE: usize = 20;

/// Attributes kept on one tag, and the longest value, in bytes.
const MOST_ATTRIBUTES: usize = 12;
const LONGEST_VALUE: usize = 4096;

/// `html` with every tag closed in order.
pub(super) fn balanced(html: &str) -> String {
    let mut balance = Balance { out: String::with_capacity(html.len() + html.len() / 4), open: Vec::new() };
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        balance.text(&rest[..start]);
        rest = balance.markup(&rest[start..]);
    }
    balance.text(rest);
    balance.close_down_to(0);
    balance.out
}

struct Balance {
    out: String,
    open: Vec<&'static str>,
}

/// A start tag as it is read; names that the allow-list does not know are not kept.
struct Start<'a> {
    attributes: Vec<(&'static str, &'a str)>,
}

impl Balance {
    /// Takes one piece of markup from the front of `rest`, which begins with `<`; returns what follows.
    fn markup<'a>(&mut self, rest: &'a str) -> &'a str {
        let inner = &rest[1..];
        if let Some(comment) = inner.strip_prefix("!--") {
            return after(comment, "-->");
        }
        if inner.starts_with(['!', '?']) {
            return after(inner, ">");
        }
        if let Some(inner) = inner.strip_prefix('/') {
            let (name, _) = name(inner);
            if let Some(tag) = known(TAGS, &name) {
                self.end(tag);
            }
            return after(inner, ">");
        }
        let (name, inner) = name(inner);
        if name.is_empty() {
            self.text("<");
            return inner;
        }
        if let Some(emptied) = known(EMPTIED, &name) {
            return after_element(after(inner, ">"), emptied);
        }
        let (start, inner) = Start::read(inner);
        if let Some(tag) = known(TAGS, &name) {
            self.start(tag, &start);
        }
        inner
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() || (self.wants_rows() && text.trim().is_empty()) {
            return;
        }
        self.open_cell();
        for c in text.chars() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '\0' => {}
                c => self.out.push(c),
            }
        }
    }

    fn start(&mut self, tag: &'static str, start: &Start<'_>) {
        match tag {
            "caption" | "tbody" | "thead" | "tfoot" => {
                let Some(table) = self.nearest(&["table"], &[]) else { return };
                self.close_down_to(table + 1);
            }
            "tr" => {
                let Some(body) = self.nearest(&["table", "tbody", "thead", "tfoot"], &[]) else { return };
                self.close_down_to(body + 1);
            }
            "td" | "th" => {
                let Some(row) = self.nearest(&["table", "tbody", "thead", "tfoot", "tr"], &[]) else {
                    return;
                };
                self.close_down_to(row + 1);
                if self.open.last() != Some(&"tr") {
                    self.push("tr", &Start::bare());
                }
            }
            "li" => self.close_nearest(&["li"], &["ul", "ol"]),
            "dd" | "dt" => self.close_nearest(&["dd", "dt"], &["dl"]),
            "a" => self.close_nearest(&["a"], &[]),
            _ => {}
        }
        if !is_table_part(tag) {
            self.open_cell();
            if !is_inline(tag) {
                self.close_nearest(&["p"], &[]);
            }
        }
        self.push(tag, start);
    }

    /// Writes the tag and keeps it open, unless it is void or too deep.
    fn push(&mut self, tag: &'static str, start: &Start<'_>) {
        let void = is_void(tag);
        let inline = self.open.iter().filter(|tag| is_inline(tag)).count();
        if !void && (self.open.len() >= DEEPEST || (is_inline(tag) && inline >= DEEPEST_INLINE)) {
            return;
        }
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in &start.attributes {
            self.out.push_str(&format!(" {name}=\""));
            self.out.push_str(&value.replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;"));
            self.out.push('"');
        }
        self.out.push('>');
        if !void {
            self.open.push(tag);
        }
    }

    fn end(&mut self, tag: &'static str) {
        if is_void(tag) {
            return;
        }
        let found = if is_table_part(tag) || tag == "table" {
            // Of this table, not of one around it.
            let barrier: &[&str] = if tag == "table" { &[] } else { &["table"] };
            self.open.iter().rposition(|open| *open == tag || barrier.contains(open))
        } else {
            self.nearest(&[tag], &["table", "td", "th", "caption"])
        };
        if let Some(place) = found.filter(|place| self.open[*place] == tag) {
            self.close_down_to(place);
        }
    }

    /// The innermost open element of these names, within the cell and outside of what `barriers` begin.
    fn nearest(&self, names: &[&str], barriers: &[&str]) -> Option<usize> {
        let place = self.open.iter().rposition(|open| names.contains(open) || barriers.contains(open))?;
        names.contains(&self.open[place]).then_some(place)
    }

    fn close_nearest(&mut self, names: &[&str], barriers: &[&str]) {
        let cell = ["table", "td", "th", "caption"];
        let barriers: Vec<_> = barriers.iter().chain(&cell).copied().collect();
        if let Some(place) = self.nearest(names, &barriers) {
            self.close_down_to(place);
        }
    }

    fn close_down_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(tag) = self.open.pop() {
                self.out.push_str(&format!("</{tag}>"));
            }
        }
    }

    /// Only rows and cells may stand here.
    fn wants_rows(&self) -> bool {
        matches!(self.open.last(), Some(&("table" | "tbody" | "thead" | "tfoot" | "tr")))
    }

    /// Content between the cells of a table goes into a cell of its own.
    fn open_cell(&mut self) {
        if !self.wants_rows() {
            return;
        }
        if self.open.last() != Some(&"tr") {
            self.push("tr", &Start::bare());
        }
        self.push("td", &Start::bare());
        // Too deep for a cell: content leaves the table, or it would be moved in front of it.
        while self.wants_rows() {
            self.close_down_to(self.open.len() - 1);
        }
    }
}

impl<'a> Start<'a> {
    fn bare() -> Self {
        Self { attributes: Vec::new() }
    }

    /// Reads attributes up to the end of the tag; `rest` begins behind the tag's name.
    fn read(mut rest: &'a str) -> (Self, &'a str) {
        let mut start = Self::bare();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
            if let Some(after) = rest.strip_prefix('>') {
                return (start, after);
            }
            if rest.is_empty() {
                return (start, rest);
            }
            let stop = |c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/');
            // A name may begin with `=` (HTML §13.2.5.32), so at least one character is taken.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let end = rest[first..].find(stop).map_or(rest.len(), |end| end + first);
            let (key, behind) = rest.split_at(end);
            rest = behind;
            let mut value = "";
            if let Some(given) =
                behind.trim_start_matches(|c: char| c.is_ascii_whitespace()).strip_prefix('=')
            {
                (value, rest) = attribute_value(given.trim_start_matches(|c: char| c.is_ascii_whitespace()));
            }
            start.keep(key, value);
        }
    }

    fn keep(&mut self, key: &str, value: &'a str) {
        if key.len() > 16 || self.attributes.len() >= MOST_ATTRIBUTES || value.len() > LONGEST_VALUE {
            return;
        }
        let key = key.to_ascii_lowercase();
        let lists = [ATTRIBUTES, TABLE_ATTRIBUTES, &["href", "src", "alt"]];
        let Some(key) = lists.into_iter().find_map(|list| known(list, &key)) else { return };
        if self.attributes.iter().all(|(kept, _)| *kept != key) {
            self.attributes.push((key, value));
        }
    }
}

fn attribute_value(rest: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote) {
            return quoted.split_once(quote).unwrap_or((quoted, ""));
        }
    }
    let end = rest.find(|c: char| c.is_ascii_whitespace() || c == '>').unwrap_or(rest.len());
    rest.split_at(end)
}

/// The tag name at the front, in lower case, and what follows it; empty if there is none.
fn name(text: &str) -> (Cow<'_, str>, &str) {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return (Cow::Borrowed(""), text);
    }
    let end = text.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    // No known name is longer; a megabyte of name need not be copied.
    let name = name.get(..name.len().min(16)).unwrap_or_default();
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        return (Cow::Owned(name.to_ascii_lowercase()), rest);
    }
    (Cow::Borrowed(name), rest)
}

fn known(list: &[&'static str], name: &str) -> Option<&'static str> {
    list.iter().find(|known| **known == name).copied()
}

fn after<'a>(text: &'a str, end: &str) -> &'a str {
    text.find(end).map_or("", |place| &text[place + end.len()..])
}

/// What follows the end tag of `name`; nothing if it never ends. Nested ones of the same name are
/// not counted: what they leave over is text, never markup.
fn after_element<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(place) = rest.find("</") {
        rest = &rest[place + 2..];
        let ends = rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name));
        if ends && !rest[name.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return after(rest, ">");
        }
    }
    ""
}

fn is_void(tag: &str) -> bool {
    matches!(tag, "br" | "hr" | "img")
}

fn is_table_part(tag: &str) -> bool {
    matches!(tag, "caption" | "tbody" | "thead" | "tfoot" | "tr" | "td" | "th")
}

fn is_inline(tag: &str) -> bool {
    matches!(
        tag,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "br"
            | "cite"
            | "code"
            | "del"
            | "em"
            | "font"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "tt"
            | "u"
            | "var"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_closed_in_order() {
        for (html, expected) in [
            ("<p>one<p>two", "<p>one</p><p>two</p>"),
            ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
            ("<ul><li>1<li>2</ul>", "<ul><li>1</li><li>2</li></ul>"),
            ("<table><td>1<tr><td>2</table>", "<table><tr><td>1</td></tr><tr><td>2</td></tr></table>"),
            ("<table>stray<b>x</table>", "<table><tr><td>stray<b>x</b></td></tr></table>"),
            ("<td>no table</td></div>", "no table"),
            ("<p><b>x<div>y</div>", "<p><b>x</b></p><div>y</div>"),
            ("<a href=x>1<a href='y'>2", "<a href=\"x\">1</a><a href=\"y\">2</a>"),
            ("<o:p>x</o:p><IMG SRC=\"cid:1\" onerror=alert(1)>", "x<img src=\"cid:1\">"),
            ("<style>p{}</style><!-- <b> -->t<!doctype x>&lt;", "t&lt;"),
            ("a < b <3 <", "a &lt; b &lt;3 &lt;"),
            ("<script>x</scriptx></script >t", "t"),
            (
                "<p title='\"><script>' / align=center>t",
                "<p title=\"&quot;&gt;&lt;script&gt;\" align=\"center\">t</p>",
            ),
            ("<p =x =y>t<p", "<p>t</p><p></p>"),
        ] {
            assert_eq!(balanced(html), expected, "{html}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        for tag in ["div", "b", "table", "span", "ul", "blockquote"] {
            let out = balanced(&format!("<{tag}>x").repeat(1_000));
            let (mut depth, mut deepest) = (0_i32, 0);
            for piece in out.split('<').skip(1) {
                depth += if piece.starts_with('/') { -1 } else { 1 };
                deepest = deepest.max(depth);
            }
            assert_eq!(depth, 0, "{tag}");
            assert!(deepest <= 101, "{tag}: {deepest}");
            assert_eq!(out.matches('x').count(), 1_000, "no text is lost");
        }
    }
}
