//! What is shown of a mail without opening its body: who, to whom, what about, which parts where. It is sealed beside
//! the original and holds no part's content, only the place where the content stands in the original.

use minicbor::{Decode, Encode};

use crate::signature::SignatureResult;

/// A name and an address as a header field gives them: claims, not proofs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Person {
    /// Display name, decoded.
    #[n(0)]
    pub name: Option<String>,
    /// `addr-spec` as written, comments and brackets removed.
    #[n(1)]
    pub address: Option<String>,
}

/// The head of a mail and the table of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Headline {
    /// Decoded, white space runs made one space, trimmed.
    #[n(0)]
    pub subject: String,
    /// Authors (RFC 5322 §3.6.2), groups flattened.
    #[n(1)]
    pub from: Vec<Person>,
    /// Who sent it on the author's behalf.
    #[n(2)]
    pub sender: Option<Person>,
    /// `To`, groups flattened.
    #[n(3)]
    pub to: Vec<Person>,
    /// `Cc`, groups flattened.
    #[n(4)]
    pub cc: Vec<Person>,
    /// `Date` in seconds since 1970.
    #[n(5)]
    pub date: Option<i64>,
    /// Without the angle brackets.
    #[n(6)]
    pub message_id: Option<String>,
    /// In the order of the original. A mail inside the mail is one part of type `message/rfc822`, and its own leaf
    /// parts follow it with the role [`PartRole::Enclosed`]. What a container held follows it too.
    #[n(7)]
    pub parts: Vec<Part>,
    /// What is wrong with the mail, each kind once, in the order found.
    #[n(8)]
    pub defects: Vec<Defect>,
    /// Whether the mail says that it is signed. A claim, not a proof.
    #[n(9)]
    pub signed: Option<Signed>,
    /// What came of the check of that claim; `None`: there is no claim, or an earlier release took the mail.
    #[n(10)]
    pub signature: Option<SignatureResult>,
}

/// How a mail is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Signed {
    /// S/MIME (RFC 8551)
    #[n(0)]
    Smime,
    /// OpenPGP (RFC 3156)
    #[n(1)]
    Pgp,
}

/// One part and where its encoded body stands in the original.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Part {
    /// First byte of the encoded body in the original.
    #[n(0)]
    pub offset: u64,
    /// Bytes of the ENCODED body, without the line end that belongs to the boundary after it (RFC 2046 §5.1.1).
    #[n(1)]
    pub length: u64,
    /// How the body is encoded in the original.
    #[n(2)]
    pub encoding: Encoding,
    /// `text/html`, lower case, without parameters.
    #[n(3)]
    pub media_type: String,
    /// As declared, not checked.
    #[n(4)]
    pub charset: Option<String>,
    /// File name, decoded. A claim of the sender: rebuild it before it names a file.
    #[n(5)]
    pub name: Option<String>,
    /// Without the angle brackets, for `cid:` links.
    #[n(6)]
    pub content_id: Option<String>,
    /// What the part is for.
    #[n(7)]
    pub role: PartRole,
    /// Where it stands within another part, if it has no bytes of its own in the original: then `offset`, `length`
    /// and `encoding` are those of the outermost part around it. [`Part::decoder`] finds the way.
    #[n(8)]
    pub inside: Option<Inside>,
}

/// The place of a part within a container: an opened `winmail.dat`, opaque-signed data, a mail behind a transfer
/// encoding, a text with files in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Inside {
    /// The container, by its index in [`Headline::parts`].
    #[n(0)]
    pub parent: u32,
    /// First byte within the DECODED container.
    #[n(1)]
    pub offset: u64,
    /// Bytes within the decoded container.
    #[n(2)]
    pub length: u64,
    /// How those bytes are encoded.
    #[n(3)]
    pub coding: Coding,
    /// Containers between the part that has bytes in the original and this one, outermost first; mostly none.
    #[n(4)]
    pub through: Vec<Slice>,
}

/// A stretch of decoded bytes that is encoded once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Slice {
    /// First byte within what is around it, decoded.
    #[n(0)]
    pub offset: u64,
    /// Bytes within what is around it.
    #[n(1)]
    pub length: u64,
    /// How those bytes are encoded.
    #[n(2)]
    pub coding: Coding,
}

/// How a part inside a container is encoded there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum Coding {
    /// As it is.
    #[default]
    #[n(0)]
    Identity,
    /// RFC 2045 §6.8
    #[n(1)]
    Base64,
    /// RFC 2045 §6.7
    #[n(2)]
    QuotedPrintable,
    /// Lines from `begin` to `end`.
    #[n(3)]
    Uuencode,
    /// Rich text as Outlook packs it (MS-OXRTFCP). Decoded, it is the text or the HTML in it, in UTF-8.
    #[n(4)]
    Rtf,
    /// An octet string in segments (X.690 §8.7.3). Decoded, it is the segments' content.
    #[n(5)]
    Segments,
}

/// What a part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum PartRole {
    /// Text of the mail itself, to be read.
    #[n(0)]
    Body,
    /// Belongs into the text, such as an image with a `Content-ID`.
    #[n(1)]
    Inline,
    /// A file, or a mail attached whole.
    #[n(2)]
    Attachment,
    /// A leaf of a mail attached whole, which itself is listed before it as an attachment.
    #[n(3)]
    Enclosed,
    /// A container that was opened: what it held is listed behind it, so that nobody needs the container itself.
    #[n(4)]
    Container,
}

/// Transfer encoding of a body (RFC 2045 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum Encoding {
    /// `7bit`, `8bit`, `binary`, none, or one that nobody knows.
    #[default]
    #[n(0)]
    Identity,
    /// RFC 2045 §6.8
    #[n(1)]
    Base64,
    /// RFC 2045 §6.7
    #[n(2)]
    QuotedPrintable,
    /// `x-uuencode`, which no RFC defines.
    #[n(3)]
    Uuencode,
}

/// What is wrong with a mail, or was not looked at. A fact for the policy, never a reason to lose the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Defect {
    /// More than one `From` field: readers disagree on the author.
    #[n(0)]
    ManyFrom,
    /// One `From` field with more than one address.
    #[n(1)]
    ManyAuthors,
    /// No `From` field, or none with an address.
    #[n(2)]
    NoFrom,
    /// More than one `Content-Type` in one header block: readers disagree on the structure.
    #[n(3)]
    ManyContentType,
    /// More than one of another field that may stand once (RFC 5322 §3.6, RFC 2045).
    #[n(4)]
    ManySingletons,
    /// Nested beyond the depth budget; what is deeper is one opaque part.
    #[n(5)]
    TooDeep,
    /// More parts than the budget; the rest is not listed.
    #[n(6)]
    TooManyParts,
    /// A header block beyond its budget; the rest of the block was not read.
    #[n(7)]
    HeaderTooLarge,
    /// More text than the budget; the rest was not searched.
    #[n(8)]
    TextTruncated,
    /// More addresses in one field than are kept.
    #[n(9)]
    TooManyAddresses,
    /// A `multipart` without a usable `boundary`.
    #[n(10)]
    NoBoundary,
    /// A `multipart` whose closing boundary never came.
    #[n(11)]
    Unterminated,
    /// A header block with a line that is no header field.
    #[n(12)]
    BadHeader,
    /// A charset nobody knows, or text that does not fit its charset.
    #[n(13)]
    BadCharset,
    /// Encrypted or otherwise closed content: nobody could look inside.
    #[n(14)]
    Opaque,
    /// A transfer encoding nobody knows.
    #[n(15)]
    UnknownEncoding,
    /// A container (`winmail.dat`, signed data) that could not be opened; it is kept as a file.
    #[n(16)]
    ContainerUnreadable,
}

impl From<Encoding> for Coding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Identity => Self::Identity,
            Encoding::Base64 => Self::Base64,
            Encoding::QuotedPrintable => Self::QuotedPrintable,
            Encoding::Uuencode => Self::Uuencode,
        }
    }
}

impl PartRole {
    /// The role of a part that would have been entered, but is too deep: a file.
    pub(crate) fn closed(self) -> Self {
        match self {
            Self::Enclosed => Self::Enclosed,
            Self::Body | Self::Inline | Self::Attachment | Self::Container => Self::Attachment,
        }
    }
}

impl Headline {
    /// File names of all parts that have one, in order.
    pub fn part_names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| part.name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headline() -> Headline {
        let part = Part {
            offset: 7,
            length: 5_000_000_000,
            encoding: Encoding::Base64,
            media_type: "application/pdf".to_owned(),
            charset: None,
            name: Some("Zähler.pdf".to_owned()),
            content_id: None,
            role: PartRole::Attachment,
            inside: Some(Inside {
                parent: 0,
                offset: 9,
                length: 10,
                coding: Coding::Rtf,
                through: vec![Slice { offset: 1, length: 2, coding: Coding::Segments }],
            }),
        };
        Headline {
            subject: "s".to_owned(),
            date: Some(-1),
            parts: vec![part],
            defects: vec![Defect::ManyFrom],
            ..Headline::default()
        }
    }

    #[test]
    fn stored_form_comes_back() {
        let stored = minicbor::to_vec(headline()).unwrap();
        assert_eq!(minicbor::decode::<Headline>(&stored).unwrap(), headline());
    }

    #[test]
    fn fields_of_a_later_version_are_passed_over() {
        let mut later = Vec::new();
        let mut out = minicbor::Encoder::new(&mut later);
        out.map(3).unwrap().u8(0).unwrap().str("new").unwrap().u8(1).unwrap().str("n").unwrap();
        out.u8(9).unwrap().str("unknown").unwrap();
        assert_eq!(minicbor::decode::<Person>(&later).unwrap().name.as_deref(), Some("new"));
    }
}
