//! Mail HTML made harmless: an allow-list of tags, attributes and style properties.
//!
//! One layer of three. The page that shows the result forbids scripts and every fetch by its
//! content security policy, and the frame around it has no origin (threat T10). Nothing remote
//! stays, not even as an address: the only pictures are the mail's own, as `data:`.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use ammonia::{Builder, UrlRelative};

use balance::balanced;

mod balance;

const TAGS: &[&str] = &[
    "a",
    "abbr",
    "b",
    "bdi",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
];

/// These go with everything inside them; other unknown tags leave their text.
const EMPTIED: &[&str] = &[
    "script",
    "style",
    "title",
    "head",
    "svg",
    "math",
    "object",
    "embed",
    "applet",
    "iframe",
    "frame",
    "frameset",
    "noframes",
    "noscript",
    "noembed",
    "template",
    "textarea",
    "select",
    "option",
    "button",
    "audio",
    "video",
    "canvas",
    "xml",
    "xmp",
    "plaintext",
    "listing",
];

const ATTRIBUTES: &[&str] = &[
    "align", "valign", "bgcolor", "color", "dir", "face", "height", "lang", "size", "style", "title", "width",
];

const TABLE_ATTRIBUTES: &[&str] = &["border", "cellpadding", "cellspacing", "colspan", "rowspan"];

/// No position, no content, no image: a mail cannot draw over the page or fetch by style.
const STYLES: &[&str] = &[
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-style",
    "border-top-width",
    "border-width",
    "color",
    "direction",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-width",
    "min-width",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-indent",
    "text-transform",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
];

/// Most of all pictures in one text, each as often as it is shown, in bytes: a logo in every line of a
/// list is fine, a thousand copies of a photograph are not.
const MOST_OF_PICTURES: usize = 12 * 1024 * 1024;

/// The mail's own pictures by `Content-ID` without brackets, each a `data:` address of ours.
pub(crate) type Pictures = HashMap<String, String>;

/// The harmless form of `html`, ready to stand in a `<body>`. Work for a thread of its own.
pub(crate) fn harmless(html: &str, pictures: Pictures) -> String {
    let room = AtomicUsize::new(MOST_OF_PICTURES);
    let image: HashSet<&str> = ["src", "alt", "border"].into();
    let table: HashSet<&str> = TABLE_ATTRIBUTES.iter().copied().collect();
    let mut tag_attributes: HashMap<&str, HashSet<&str>> =
        ["table", "td", "th"].map(|tag| (tag, table.clone())).into();
    tag_attributes.insert("a", ["href"].into());
    tag_attributes.insert("img", image);
    let mut builder = Builder::empty();
    builder
        .tags(TAGS.iter().copied().collect())
        .clean_content_tags(EMPTIED.iter().copied().collect())
        .generic_attributes(ATTRIBUTES.iter().copied().collect())
        .tag_attributes(tag_attributes)
        .filter_style_properties(STYLES.iter().copied().collect())
        .url_schemes(["http", "https", "mailto", "cid"].into())
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .attribute_filter(move |tag, attribute, value| match (tag, attribute) {
            ("img", "src") => picture(value, &pictures)
                .filter(|picture| take(&room, picture.len()))
                .map(|picture| picture.to_owned().into()),
            (_, "href") => {
                (!value.trim_start().to_ascii_lowercase().starts_with("cid:")).then(|| value.into())
            }
            (_, "style") => calm_style(value).then(|| value.into()),
            _ => Some(value.into()),
        });
    builder.clean(&balanced(html)).to_string()
}

fn picture<'a>(source: &str, pictures: &'a Pictures) -> Option<&'a str> {
    let source = source.trim();
    let scheme = source.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"))?;
    pictures.get(&source[scheme.len()..]).map(String::as_str)
}

/// Takes `bytes` out of the room, if there are as many.
fn take(room: &AtomicUsize, bytes: usize) -> bool {
    room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
}

/// A style that names an address, or hides one behind escapes, goes as a whole.
fn calm_style(value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    !["url", "image", "expression", "import", "\\", "/*", "javascript", "var(", "attr(", "@"]
        .iter()
        .any(|bad| value.contains(bad))
}

#[cfg(test)]
mod tests;
