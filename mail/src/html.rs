//! Searchable text out of HTML. Only for finding numbers and words: never shown, never trusted to be safe.

use std::borrow::Cow;

use mail_parser::decoders::html::html_to_text;
use memchr::{memchr, memmem};

/// Elements that start a line of their own on the screen, so that what stands around them is not one word.
const BLOCKS: [&str; 26] = [
    "address",
    "blockquote",
    "body",
    "caption",
    "center",
    "dd",
    "div",
    "dl",
    "dt",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "li",
    "ol",
    "option",
    "p",
    "pre",
    "table",
    "title",
    "tr",
    "ul",
];

/// Text as a reader would see it, roughly: no tags, styles, scripts or comments, entities decoded.
pub(crate) fn text(html: &str) -> String {
    html_to_text(&with_breaks(html))
}

/// The library knows paragraphs and `<br>` only, and takes an unclosed `<head>` for the whole page. So blocks and cells
/// get breaks, comments go (as browsers end them), and `<head>` tags go.
fn with_breaks(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 8);
    let mut rest = html;
    while let Some(at) = memchr(b'<', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("<!--") {
            rest = &rest[comment_end(rest)..];
            continue;
        }
        let name = tag_name(rest);
        match &*name {
            "" => {}
            "head" => {
                rest = rest.find('>').map_or("", |end| &rest[end + 1..]);
                continue;
            }
            "td" | "th" => out.push(' '),
            name if BLOCKS.contains(&name) => out.push_str("<br>"),
            _ => {}
        }
        out.push('<');
        rest = &rest[1..];
    }
    out.push_str(rest);
    out
}

fn comment_end(html: &str) -> usize {
    if html.starts_with("<!-->") {
        return 5;
    }
    memmem::find(&html.as_bytes()[4..], b"-->").map_or(html.len(), |at| 4 + at + 3)
}

/// Name of the tag that `html` starts with, of opening and closing ones alike; empty when it is none.
fn tag_name(html: &str) -> Cow<'_, str> {
    let name = html[1..].trim_start_matches('/');
    let end = name.bytes().take(12).position(|b| !b.is_ascii_alphanumeric()).unwrap_or(0);
    match &name[..end] {
        lower if lower.bytes().all(|b| !b.is_ascii_uppercase()) => Cow::Borrowed(lower),
        upper => Cow::Owned(upper.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    fn words(html: &str) -> String {
        text(html).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn cells_and_blocks_do_not_join_numbers() {
        assert_eq!(
            words("<tr><td>1200023305967</td><td>2000000000015</td></tr>"),
            "1200023305967 2000000000015"
        );
        assert_eq!(words("<DIV>12</DIV><DIV>34</DIV><p>5<li>6"), "12 34 5 6");
    }

    #[test]
    fn inline_tags_and_comments_do_not_part_numbers() {
        assert_eq!(words("12000<b>23305</b>967 MP<!-- x --->AN &#49;&amp;2"), "1200023305967 MPAN 1&2");
    }

    #[test]
    fn odd_tags_do_no_harm() {
        assert_eq!(words("<head>\u{8a}a<head\u{e9}>b</head>ä<é>c<"), "\u{8a}abäc");
        assert_eq!(words("<head"), "");
    }

    #[test]
    fn what_no_reader_sees_is_left_out() {
        assert_eq!(words("<head><style>a{}</style><body>seen<script>x()</script><!-- no"), "seen");
    }
}
