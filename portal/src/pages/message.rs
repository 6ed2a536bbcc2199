//! One message: its whole text, and the formatted view of HTML mail in a document of its own.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mail::Part;
use policies::access::Action;
use store::{OpenMessage, Reading};
use templates::pages::MessagePage;

use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::forms::Asked;
use crate::pages::message_card;
use crate::parts::{self, Effort};
use crate::portal::{Place, Portal};
use crate::sanitiser::{self, Pictures};
use crate::text::{self, Extent};

/// The document of a formatted mail: no scripts, no fetches, no origin; links open elsewhere.
pub(crate) const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                                      form-action 'none'; frame-ancestors 'self'; \
                                      sandbox allow-popups allow-popups-to-escape-sandbox";

/// Most HTML that is shown formatted, in bytes.
const LARGEST_HTML: usize = 1024 * 1024;

/// Most of all pictures in one formatted mail, and of one, in bytes.
const LARGEST_PICTURES: usize = 8 * 1024 * 1024;
const LARGEST_PICTURE: usize = 3 * 1024 * 1024;

/// What one formatted view may cost in bytes of the original: files may stand before text and pictures.
const EFFORT: u64 = 64 * 1024 * 1024;

/// Most pictures in one formatted mail; each is a read of its own.
const MOST_PICTURES: usize = 100;

/// Longest `Content-ID` that a picture is found by, in bytes.
const LONGEST_ID: usize = 256;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message)): Path<(String, String)>,
) -> Result<Html<String>, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::ReadCase).await?;
    let (card, cut) = match case.try_one(&portal, &message, Reading::Page).await? {
        Ok(message) => message_card::card(&case, &message, Extent::Whole).await,
        Err(closed) => (message_card::closed(&case, &closed), false),
    };
    Ok(Html(portal.words.page(&MessagePage {
        frame: portal.frame(&format!("Message {}", card.number), Some(&visitor), Place::Cases),
        reference: case.case().reference.to_string(),
        back: format!("/case/{}", case.case().id),
        cut,
        message: card,
    })?))
}

pub(crate) async fn formatted(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((case, message)): Path<(String, String)>,
    asked: Asked,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &case, Action::ReadCase).await?;
    let message = case.open_one(&portal, &message, Reading::Page).await?;
    let wanted: Option<usize> = asked.value("part").and_then(|part| part.parse().ok());
    let part = text::html_bodies(&message.headline)
        .find(|(number, _)| wanted.is_none_or(|wanted| wanted == *number))
        .map(|(_, part)| part.clone())
        .ok_or(Problem::NotFound)?;
    let (body, cut) = harmless(&portal, &message, &part).await?;
    Ok(document(&body, cut))
}

/// Reading a mail with all its pictures is memory, and parsing hostile HTML is work: few at a time,
/// and the parsing on a thread of its own.
async fn harmless(portal: &Portal, message: &OpenMessage, part: &Part) -> Result<(String, bool), Problem> {
    let turn = portal.turn().await?;
    let mut effort = Effort::of(EFFORT);
    let beginning = parts::beginning(&message.content, part, LARGEST_HTML, &mut effort).await?;
    let html = beginning.text(part);
    let pictures = pictures(message, &html, &mut effort).await?;
    let work = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        sanitiser::harmless(&html, pictures)
    });
    Ok((work.await.map_err(|_| Problem::Interrupted)?, beginning.cut))
}

fn document(body: &str, cut: bool) -> Response {
    let end = if cut { "<hr><p>The mail is longer. The rest is in the original.</p>" } else { "" };
    // White, whatever the page around it: mail is written for white paper.
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Formatted view</title><style>:root{{color-scheme:light}}body{{margin:16px;background:#fff;\
         color:#172124;font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}}img{{max-width:100%;\
         height:auto}}table{{max-width:100%}}pre{{white-space:pre-wrap}}</style></head><body>{body}{end}</body></html>"
    );
    ([(CONTENT_SECURITY_POLICY, MAIL_POLICY)], Html(page)).into_response()
}

/// The mail's own pictures that its text names, as `data:`: a frame without an origin may not ask
/// us for them with the reader's session.
async fn pictures(message: &OpenMessage, html: &str, effort: &mut Effort) -> Result<Pictures, Problem> {
    let mut pictures = Pictures::new();
    let mut room = LARGEST_PICTURES;
    let mut named = named(html);
    for part in &message.headline.parts {
        let Some(id) = part.content_id.as_deref() else { continue };
        if room == 0 || !named.remove(id) {
            continue;
        }
        let most = LARGEST_PICTURE.min(room);
        let picture = parts::beginning(&message.content, part, most, effort).await?;
        room -= picture.bytes.len();
        if let Some(kind) = picture_type(&picture.bytes).filter(|_| !picture.cut) {
            let data = format!("data:{kind};base64,{}", BASE64.encode(&picture.bytes));
            pictures.insert(id.to_owned(), data);
        }
    }
    Ok(pictures)
}

/// What stands behind `cid:` in a text: found in one pass, however many parts the mail has.
fn named(html: &str) -> HashSet<&str> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>');
    let ids = html.split(ends).filter_map(|word| {
        let scheme = word.match_indices(':').find(|(colon, _)| {
            let start = colon.checked_sub(3);
            start.and_then(|start| word.get(start..*colon)).is_some_and(|cid| cid.eq_ignore_ascii_case("cid"))
        });
        scheme.map(|(colon, _)| &word[colon + 1..])
    });
    let mut named = HashSet::new();
    for id in ids.filter(|id| (1..=LONGEST_ID).contains(&id.len())) {
        named.insert(id);
        if named.len() == MOST_PICTURES {
            break;
        }
    }
    named
}

/// What the first bytes say, whatever the mail claims; SVG is no picture here, it can hold scripts.
fn picture_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pictures_that_a_text_names_are_found_in_one_pass() {
        let html = "<img src=\"cid:a@x\"><IMG SRC=CID:b><img src='cid:a@x'><a href=x:y>cid: acid:c";
        assert_eq!(named(html), ["a@x", "b", "c"].into());
        assert_eq!(named("é:cid:\u{301}> :"), ["\u{301}"].into());
        let many: String = (0..1_000).map(|number| format!("<img src=cid:{number}>")).collect();
        assert_eq!(named(&many).len(), MOST_PICTURES);
        assert!(named(&"cid:".repeat(256 * 1024)).is_empty(), "no id is that long");
    }

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(picture_type(b"\x89PNG\r\n\x1a\n.."), Some("image/png"));
        assert_eq!(picture_type(b"GIF89a"), Some("image/gif"));
        assert_eq!(picture_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        assert_eq!(picture_type(b"RIFF....WEBPVP8 "), Some("image/webp"));
        for other in [&b"<svg onload=alert(1)>"[..], b"", b"GIF", b"%PDF-1.7", b"<html>"] {
            assert_eq!(picture_type(other), None);
        }
    }
}
