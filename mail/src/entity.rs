//! What a header block says about the body behind it: multipart, mail or leaf, how encoded, what for (RFC 2045, 2046,
//! 2183). Reads headers only; where the body ends is the scanner's business.

use crate::{
    Defect, Encoding, Part, PartRole, Signed,
    header::{Fields, clip},
    parameters::Parameters,
};

/// Longest boundary followed. RFC 2046 §5.1.1 allows 70; some clients write more.
const BOUNDARY_MAX: usize = 512;
const NAME_MAX: usize = 255;
const TYPE_MAX: usize = 127;

/// Where an entity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Around {
    /// The mail itself, or a mail inside.
    Mail,
    /// A part of a `multipart/digest`: a mail unless it says otherwise (RFC 2046 §5.1.5).
    Digest,
    /// A part of a `multipart/related`: what is not the text belongs into it (RFC 2387).
    Related,
    /// A part of another multipart.
    Multipart,
}

/// An entity as its header block describes it; `part` has no place yet.
#[derive(Debug)]
pub(crate) struct Entity {
    pub(crate) kind: Kind,
    pub(crate) part: Part,
    pub(crate) defects: Vec<Defect>,
    /// What a `multipart/signed` says its signature is (RFC 1847 §2.1).
    pub(crate) signed: Option<Signed>,
}

/// What follows the header block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Multipart {
        boundary: Vec<u8>,
        around: Around,
    },
    /// A whole mail, not encoded, so that its parts have places in the original.
    Mail,
    /// A whole mail behind a transfer encoding: RFC 2046 §5.2.1 forbids it, clients do it.
    EncodedMail,
    /// Text to be searched.
    Text,
    /// An invitation or an answer to one, for the client rather than the reader.
    Calendar,
    /// Rich text and files of Outlook in one.
    Tnef,
    /// Signed or encrypted data of S/MIME.
    Cms,
    /// Anything else.
    File,
}

impl Entity {
    pub(crate) fn read(fields: &Fields<'_>, around: Around, enclosed: bool) -> Self {
        let mut defects = Vec::new();
        let declared = fields.first("Content-Type").map(|field| field.parameters());
        let disposition = fields.first("Content-Disposition").map(|field| field.parameters());
        let media_type = media_type(declared.as_ref(), around);
        let name = file_name(disposition.as_ref(), declared.as_ref());
        let content_id =
            fields.first("Content-ID").and_then(|field| field.ids(1).pop()).map(|id| clip(&id, NAME_MAX));
        let mut part = Part {
            offset: 0,
            length: 0,
            encoding: encoding(fields, &mut defects),
            charset: parameter(declared.as_ref(), "charset", 64),
            name,
            content_id,
            role: PartRole::Attachment,
            media_type,
            inside: None,
        };
        let attached = disposition.as_ref().is_some_and(|read| read.main == "attachment");
        part.role = role(&part, attached, around, enclosed);
        let kind = kind(&part, declared.as_ref(), attached, &mut defects);
        let signed = signed(&part.media_type, declared.as_ref());
        if part.media_type.starts_with("multipart/") {
            as_text(&mut part);
        }
        Self { kind, part, defects, signed }
    }
}

/// RFC 2045 §5.2: no type, or one that cannot be read, is `text/plain`. A word alone names a program's format, as in the days
/// of RFC 1049, unless it is `text`; where it stands for a whole mail, that mail is rather text than nothing.
fn media_type(declared: Option<&Parameters>, around: Around) -> String {
    let read = declared.and_then(|declared| {
        let subtype = declared.sub.as_deref()?;
        let token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        (token(&declared.main) && token(subtype))
            .then(|| clip(&format!("{}/{}", declared.main, subtype), TYPE_MAX).to_ascii_lowercase())
    });
    match (read, around) {
        (Some(read), _) => read,
        (None, Around::Digest) => "message/rfc822".to_owned(),
        (None, Around::Related | Around::Multipart) if declared.is_some_and(names_format) => {
            "application/octet-stream".to_owned()
        }
        (None, _) => "text/plain".to_owned(),
    }
}

fn names_format(declared: &Parameters) -> bool {
    !declared.main.is_empty() && declared.main != "text" && declared.sub.is_none()
}

fn encoding(fields: &Fields<'_>, defects: &mut Vec<Defect>) -> Encoding {
    let token = fields.token("Content-Transfer-Encoding");
    match token.trim_matches(|c: char| !c.is_ascii_alphanumeric()) {
        "base64" => Encoding::Base64,
        "quoted-printable" => Encoding::QuotedPrintable,
        "x-uuencode" | "x-uue" | "uuencode" => Encoding::Uuencode,
        "" | "7bit" | "8bit" | "binary" => Encoding::Identity,
        _ => {
            defects.push(Defect::UnknownEncoding);
            Encoding::Identity
        }
    }
}

fn file_name(disposition: Option<&Parameters>, declared: Option<&Parameters>) -> Option<String> {
    parameter(disposition, "filename", NAME_MAX).or_else(|| parameter(declared, "name", NAME_MAX))
}

fn parameter(of: Option<&Parameters>, name: &str, most: usize) -> Option<String> {
    let value = of?.attribute(name)?.trim();
    (!value.is_empty()).then(|| clip(value, most))
}

fn role(part: &Part, attached: bool, around: Around, enclosed: bool) -> PartRole {
    let readable = matches!(part.media_type.as_str(), "text/plain" | "text/html");
    if enclosed {
        PartRole::Enclosed
    } else if readable && !attached && part.name.is_none() {
        PartRole::Body
    } else if part.media_type.starts_with("image/")
        && part.content_id.is_some()
        && (around == Around::Related || !attached)
    {
        PartRole::Inline
    } else {
        PartRole::Attachment
    }
}

fn kind(part: &Part, declared: Option<&Parameters>, attached: bool, defects: &mut Vec<Defect>) -> Kind {
    match part.media_type.split_once('/').unwrap_or_default() {
        ("multipart", subtype) => multipart(subtype, declared, defects),
        ("message", "rfc822" | "global") if part.encoding == Encoding::Identity => Kind::Mail,
        ("message", "rfc822" | "global") => Kind::EncodedMail,
        ("text", "calendar") if !attached => Kind::Calendar,
        ("text", "plain" | "html") if !attached => Kind::Text,
        // Some reader may take it for text all the same.
        ("application", "octet-stream") if !attached && declared.is_some_and(names_format) => Kind::Text,
        ("application", "ms-tnef" | "vnd.ms-tnef") => Kind::Tnef,
        ("application", "pkcs7-mime" | "x-pkcs7-mime") if encrypted(declared) => {
            defects.push(Defect::Opaque);
            Kind::File
        }
        ("application", "pkcs7-mime" | "x-pkcs7-mime") => Kind::Cms,
        ("application", "octet-stream") if signed_by_name(part) => Kind::Cms,
        ("application", "x-microsoft-rpmsg-message") => {
            defects.push(Defect::Opaque);
            Kind::File
        }
        _ => Kind::File,
    }
}

/// RFC 8551 §3.2.2
fn encrypted(declared: Option<&Parameters>) -> bool {
    let kind = declared.and_then(|declared| declared.attribute("smime-type")).unwrap_or_default();
    ["enveloped-data", "authenveloped-data"].iter().any(|closed| kind.eq_ignore_ascii_case(closed))
}

/// RFC 8551 §3.2.1: some servers know the file by its name only.
fn signed_by_name(part: &Part) -> bool {
    part.name.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".p7m"))
}

fn signed(media_type: &str, declared: Option<&Parameters>) -> Option<Signed> {
    if media_type != "multipart/signed" {
        return None;
    }
    match declared?.attribute("protocol")?.to_ascii_lowercase().as_str() {
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => Some(Signed::Smime),
        "application/pgp-signature" => Some(Signed::Pgp),
        _ => None,
    }
}

/// Should no part be found inside, a multipart is shown as the text that it then is. Its own transfer encoding never
/// applies (RFC 2045 §6.4).
fn as_text(part: &mut Part) {
    part.media_type = "text/plain".to_owned();
    part.encoding = Encoding::Identity;
    if part.role != PartRole::Enclosed {
        part.role = PartRole::Body;
    }
}

fn multipart(subtype: &str, declared: Option<&Parameters>, defects: &mut Vec<Defect>) -> Kind {
    if subtype == "encrypted" {
        defects.push(Defect::Opaque);
    }
    let boundary = declared.and_then(|declared| declared.attribute("boundary")).map(str::trim_end);
    let followed = boundary.filter(|boundary| boundary.len() <= BOUNDARY_MAX);
    if followed.is_none_or(str::is_empty) {
        defects.push(Defect::NoBoundary);
    }
    // An empty one is none (RFC 2046 §5.1.1), but everybody follows it.
    let Some(boundary) = followed else {
        return Kind::Text;
    };
    let around = match subtype {
        "digest" => Around::Digest,
        "related" => Around::Related,
        _ => Around::Multipart,
    };
    Kind::Multipart { boundary: boundary.as_bytes().to_vec(), around }
}
