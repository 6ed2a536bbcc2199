//! Decoding as a stream: attachments on their way out, text on its way in, through as many containers as stand around a
//! part. Never fails and needs the same memory for a part of any size.

use crate::{
    Coding, Encoding, Part, ber, charset,
    tnef::Richtext,
    transfer::{Base64, Quoted, Uu},
    uuencode,
};

/// Bytes decoded at a time where more than one step is to be taken, so that nothing large stands between them.
const STEP: usize = 16 * 1024;

/// Decodes a body fed in pieces of any size. The output does not depend on where the pieces end.
#[derive(Debug)]
pub struct Decoder {
    code: Code,
    /// Ways into containers, outermost first; mostly none.
    ways: Vec<Way>,
}

/// Passes over what stands before a slice, decodes the slice, drops what stands behind it.
#[derive(Debug)]
struct Way {
    skip: u64,
    left: u64,
    code: Code,
}

#[derive(Debug)]
enum Code {
    Identity,
    Base64(Base64),
    Quoted(Quoted),
    Uu(Uu),
    Rtf(Box<Richtext>),
    Segments(ber::Segments),
}

impl Decoder {
    /// A decoder at the start of a body that stands in the original.
    pub fn new(encoding: Encoding) -> Self {
        Self { code: Code::new(encoding.into()), ways: Vec::new() }
    }

    /// Decodes the next piece and appends to `out`: at most the piece's length and 1 KiB, but of packed rich text up to
    /// ten times the piece's length.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.ways.is_empty() {
            return self.code.feed(bytes, out);
        }
        for piece in bytes.chunks(STEP) {
            if self.done() {
                return;
            }
            let mut decoded = Vec::new();
            self.code.feed(piece, &mut decoded);
            for way in &mut self.ways {
                decoded = way.feed(&decoded);
            }
            out.append(&mut decoded);
        }
    }

    /// Whether all of the part has been fed, so that what comes next in the original changes nothing. Only a part inside
    /// a container can know; of others the end of the body is the end.
    pub fn done(&self) -> bool {
        self.ways.iter().any(|way| way.left == 0)
    }

    /// Appends what the end of the body decides.
    pub fn finish(self, out: &mut Vec<u8>) {
        let mut decoded = Vec::new();
        self.code.finish(&mut decoded);
        for mut way in self.ways {
            decoded = way.feed(&decoded);
            way.code.finish(&mut decoded);
        }
        out.append(&mut decoded);
    }
}

impl Way {
    fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let skipped = self.skip.min(bytes.len() as u64);
        self.skip -= skipped;
        let bytes = &bytes[skipped as usize..];
        let taken = self.left.min(bytes.len() as u64);
        self.left -= taken;
        let mut out = Vec::new();
        self.code.feed(&bytes[..taken as usize], &mut out);
        out
    }
}

impl Code {
    fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Base64 => Self::Base64(Base64::default()),
            Coding::QuotedPrintable => Self::Quoted(Quoted::default()),
            Coding::Uuencode => Self::Uu(Uu::default()),
            Coding::Rtf => Self::Rtf(Box::default()),
            Coding::Segments => Self::Segments(ber::Segments::default()),
        }
    }

    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Identity => out.extend_from_slice(bytes),
            Self::Base64(base64) => base64.feed(bytes, out),
            Self::Quoted(quoted) => quoted.feed(bytes, out),
            Self::Uu(uu) => uu.feed(bytes, out),
            Self::Rtf(rtf) => rtf.feed(bytes, out),
            Self::Segments(segments) => segments.feed(bytes, out),
        }
    }

    fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::Identity | Self::Segments(_) => {}
            Self::Base64(base64) => base64.finish(out),
            Self::Quoted(quoted) => quoted.finish(out),
            Self::Uu(uu) => uu.finish(out),
            Self::Rtf(rtf) => rtf.finish(out),
        }
    }
}

impl Part {
    /// A decoder for this part. Fed with the bytes of the original from `offset` on, `length` of them, it gives the
    /// part's own bytes, also of a part that stands inside a container.
    pub fn decoder(&self) -> Decoder {
        let Some(inside) = &self.inside else {
            return Decoder::new(self.encoding);
        };
        let through = inside.through.iter().map(|slice| (slice.offset, slice.length, slice.coding));
        let own = (inside.offset, inside.length, inside.coding);
        let way = |(skip, left, coding)| Way { skip, left, code: Code::new(coding) };
        Decoder {
            code: Code::new(self.encoding.into()),
            ways: through.chain(std::iter::once(own)).map(way).collect(),
        }
    }

    /// Bytes of the part's own encoded body, and how it is encoded, wherever it stands.
    pub fn encoded(&self) -> (u64, Coding) {
        match &self.inside {
            Some(inside) => (inside.length, inside.coding),
            None => (self.length, self.encoding.into()),
        }
    }

    /// Text of this part: transfer encoding and charset undone, always UTF-8, without the uuencoded files in it. HTML
    /// stays HTML: it is hostile, and making it safe is the reader's business.
    pub fn text(&self, encoded_body: &[u8]) -> String {
        let mut decoder = self.decoder();
        let mut bytes = Vec::new();
        decoder.feed(encoded_body, &mut bytes);
        decoder.finish(&mut bytes);
        self.decoded_text(&bytes)
    }

    /// The same out of bytes that this part's decoder gave, all of them or the first ones.
    pub fn decoded_text(&self, decoded: &[u8]) -> String {
        let charset = self.charset.as_deref();
        match self.media_type.as_str() {
            "text/plain" => charset::read(&uuencode::without_files(decoded), charset).text,
            _ => charset::read(decoded, charset).text,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Inside, PartRole, Slice};

    fn decoded(encoding: Encoding, pieces: &[&[u8]]) -> Vec<u8> {
        let mut decoder = Decoder::new(encoding);
        let mut out = Vec::new();
        pieces.iter().for_each(|piece| decoder.feed(piece, &mut out));
        decoder.finish(&mut out);
        out
    }

    #[test]
    fn base64() {
        for (code, plain) in [
            ("TWFu", "Man"),
            ("TWE=", "Ma"),
            ("TQ==", "M"),
            ("TW\r\n Fu", "Man"),
            ("T*W-F!u", "Man"),
            ("TQ", "M"),
            ("TWE=\r\n--\r\nfooter", "Ma"),
            ("TQ=Fu", "M\u{1}n"),
            ("=", ""),
            ("T", ""),
        ] {
            assert_eq!(decoded(Encoding::Base64, &[code.as_bytes()]), plain.as_bytes(), "{code}");
        }
    }

    #[test]
    fn quoted_printable() {
        for (code, plain) in [
            ("a=3Db=c3=A4", "a=bä"),
            ("soft =\r\nbreak= \t\r\nhere", "soft breakhere"),
            ("blank  \r\nline\t\n", "blank\r\nline\n"),
            ("in  side", "in  side"),
            ("bad =zz =4 =", "bad =zz =4 "),
            ("= x", "= x"),
            ("a\rb", "a\rb"),
            ("==3D", "=="),
            ("tail  ", "tail"),
        ] {
            assert_eq!(
                String::from_utf8(decoded(Encoding::QuotedPrintable, &[code.as_bytes()])).unwrap(),
                plain,
                "{code}"
            );
        }
    }

    #[test]
    fn uuencode() {
        let code = b"preamble\r\nbegin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\ntail";
        assert_eq!(decoded(Encoding::Uuencode, &[code]), b"Cat");
    }

    fn part(encoding: Encoding, inside: Option<Inside>) -> Part {
        Part {
            offset: 0,
            length: 0,
            encoding,
            media_type: "text/plain".to_owned(),
            charset: Some("iso-8859-1".to_owned()),
            name: None,
            content_id: None,
            role: PartRole::Body,
            inside,
        }
    }

    #[test]
    fn a_part_gives_its_text() {
        assert_eq!(part(Encoding::QuotedPrintable, None).text(b"Fr=F6sche"), "Frösche");
        let with_file = b"see\nbegin 644 cat.txt\n#0V%T\n`\nend\nbye";
        assert_eq!(part(Encoding::Identity, None).text(with_file), "see\nbye");
    }

    /// Base64 of "..(\x04\x04TWF1\x04\x04Lg==)": a string in segments, in which "Mau." stands in base64 again.
    #[test]
    fn a_part_is_found_through_all_that_is_around_it() {
        let inside = Inside {
            parent: 0,
            offset: 0,
            length: 8,
            coding: Coding::Base64,
            through: vec![Slice { offset: 3, length: 12, coding: Coding::Segments }],
        };
        let part = part(Encoding::Base64, Some(inside));
        let code = b"Li4oBARUV0YxBARMZz09KQ==";
        for piece in [1, 5, 100] {
            let (mut decoder, mut out) = (part.decoder(), Vec::new());
            code.chunks(piece).for_each(|piece| decoder.feed(piece, &mut out));
            assert!(decoder.done(), "all of the slice has come");
            decoder.finish(&mut out);
            assert_eq!(out, b"Mau.");
        }
        assert_eq!(part.encoded(), (8, Coding::Base64));
    }

    #[test]
    fn what_stands_behind_a_part_is_not_asked_for() {
        let inside =
            Inside { parent: 0, offset: 2, length: 3, coding: Coding::Identity, through: Vec::new() };
        let (mut decoder, mut out) = (part(Encoding::Identity, Some(inside)).decoder(), Vec::new());
        decoder.feed(b"..ab", &mut out);
        assert!(!decoder.done());
        decoder.feed(b"c.", &mut out);
        assert!(decoder.done());
        decoder.finish(&mut out);
        assert_eq!(out, b"abc");
    }

    fn encodings() -> impl Strategy<Value = Encoding> {
        prop_oneof![
            Just(Encoding::Identity),
            Just(Encoding::Base64),
            Just(Encoding::QuotedPrintable),
            Just(Encoding::Uuencode)
        ]
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            encoding in encodings(),
            bytes in proptest::collection::vec(prop_oneof![Just(b'='), Just(b' '), Just(b'\r'), Just(b'\n'), Just(b'A'), Just(b'4'), any::<u8>()], 0..200),
            cut in 0_usize..200,
        ) {
            let (first, second) = bytes.split_at(cut.min(bytes.len()));
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            let whole = decoded(encoding, &[&bytes]);
            prop_assert_eq!(&decoded(encoding, &[first, second]), &whole);
            prop_assert_eq!(&decoded(encoding, &single), &whole);
        }
    }
}
