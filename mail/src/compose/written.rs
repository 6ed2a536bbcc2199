//! A message that a person wrote in the portal: text, and files that pass by in pieces of any size. Nothing of a file is
//! held but the bytes of a line that is not full yet.

use mail_builder::{
    headers::{Header, content_type::ContentType},
    mime::MimePart,
};

use super::{ComposeError, Head, boundary, check_bodies, is_line_breaking, unix_lines};
use crate::Address;

/// All that such a message says, but for its files.
#[derive(Debug, Clone)]
pub struct Written<'a> {
    /// Its author.
    pub from: &'a Address,
    /// The author's name.
    pub from_name: &'a str,
    /// The mailbox that it is for; none: nobody's address is shown.
    pub to: Option<&'a Address>,
    /// One line.
    pub subject: &'a str,
    /// Plain text, any line ends.
    pub text: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    /// Seconds since 1970.
    pub date: i64,
}

/// Writes such a message. What each step gives is to be appended to what there is.
#[derive(Debug)]
pub struct Composer {
    boundary: String,
    /// Bytes of the file at hand that fill no line yet.
    line: Vec<u8>,
}

/// Bytes of a file on one line of base64: 76 characters (RFC 2045 §6.8).
const LINE: usize = 57;

impl Composer {
    /// The head and the text.
    ///
    /// # Errors
    /// Control characters in a line, a NUL in the text.
    pub fn begin(written: &Written<'_>) -> Result<(Self, Vec<u8>), ComposeError> {
        let head = Head {
            from: written.from,
            from_name: written.from_name,
            to: written.to,
            reply_to: None,
            subject: written.subject,
            message_id: written.message_id,
            references: &[],
            date: written.date,
            submitted: None,
        };
        head.check()?;
        check_bodies(&[("text", written.text)])?;
        let text = unix_lines(written.text);
        let boundary = boundary(written.message_id, &[&text]);
        let body = ContentType::new("multipart/mixed").attribute("boundary", boundary.as_str());
        let mut bytes = head.write(MimePart::new(body, vec![MimePart::new("text/plain", text)]));
        // The builder closes the multipart; files follow, and `finish` closes it behind them.
        bytes.truncate(bytes.len().saturating_sub(closing(&boundary).len()));
        Ok((Self { boundary, line: Vec::with_capacity(LINE) }, bytes))
    }

    /// The head of a file; its bytes follow.
    ///
    /// # Errors
    /// Control characters in the name, or a type that is none.
    pub fn file(&mut self, name: &str, media_type: &str) -> Result<Vec<u8>, ComposeError> {
        if name.chars().any(is_line_breaking) {
            return Err(ComposeError::ControlCharacter("file's name"));
        }
        let media_type = if is_media_type(media_type) { media_type } else { "application/octet-stream" };
        let mut bytes = format!("\r\n--{}\r\n", self.boundary).into_bytes();
        let mut field = |field: &str, value: ContentType<'_>| {
            bytes.extend_from_slice(field.as_bytes());
            value.write_header(&mut bytes, field.len());
        };
        field("Content-Type: ", ContentType::new(media_type).attribute("name", name));
        field("Content-Disposition: ", ContentType::new("attachment").attribute("filename", name));
        bytes.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
        Ok(bytes)
    }

    /// The next bytes of the file, encoded.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(bytes.len() / LINE * 78 + 156);
        if !self.line.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(LINE - self.line.len()));
            self.line.extend_from_slice(now);
            bytes = later;
            if self.line.len() < LINE {
                return encoded;
            }
            base64_line(&std::mem::take(&mut self.line), &mut encoded);
        }
        let mut lines = bytes.chunks_exact(LINE);
        lines.by_ref().for_each(|line| base64_line(line, &mut encoded));
        self.line.extend_from_slice(lines.remainder());
        encoded
    }

    /// The end of the file.
    pub fn end_file(&mut self) -> Vec<u8> {
        let mut encoded = Vec::new();
        if !self.line.is_empty() {
            base64_line(&std::mem::take(&mut self.line), &mut encoded);
        }
        encoded
    }

    /// The end of the message.
    pub fn finish(self) -> Vec<u8> {
        closing(&self.boundary).into_bytes()
    }
}

fn closing(boundary: &str) -> String {
    format!("\r\n--{boundary}--\r\n")
}

/// RFC 2045 §5.1, without parameters. What holds other parts is none: a file is one.
fn is_media_type(text: &str) -> bool {
    let token = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b);
        !part.is_empty() && part.len() <= 60 && part.bytes().all(plain)
    };
    let whole = text.split_once('/').is_some_and(|(kind, rest)| token(kind) && token(rest));
    let lower = text.to_ascii_lowercase();
    whole && !lower.starts_with("multipart/") && !lower.starts_with("message/")
}

fn base64_line(bytes: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for group in bytes.chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = ALPHABET[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= group.len() { letter } else { b'=' });
        }
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Class, Decoder, Message, PartRole, Scanner};

    fn composed(text: &str, files: &[(&str, &str, &[u8])], cut: usize) -> Vec<u8> {
        let (from, to) =
            (Address::parse("asha@alpha.example").unwrap(), Address::parse("et@beta.example").unwrap());
        let written = Written {
            from: &from,
            from_name: "Asha Énergie",
            to: Some(&to),
            subject: "[ET] 1200023305967",
            text,
            message_id: "portal.1@postern.example",
            date: 1_780_000_000,
        };
        let (mut composer, mut mail) = Composer::begin(&written).unwrap();
        for (name, media_type, bytes) in files {
            mail.extend(composer.file(name, media_type).unwrap());
            for piece in bytes.chunks(cut) {
                mail.extend(composer.feed(piece));
            }
            mail.extend(composer.end_file());
        }
        mail.extend(composer.finish());
        mail
    }

    fn scanned(mail: &[u8]) -> Message {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail);
        scanner.finish()
    }

    #[test]
    fn a_message_says_what_was_written_and_a_person_wrote_it() {
        let mail = composed("Grüße\n.\nFrom here\n", &[], 1);
        let message = scanned(&mail);
        assert_eq!(message.class, Class::Human);
        assert!(message.headline.defects.is_empty(), "{:?}", message.headline.defects);
        assert_eq!(message.headline.from[0].name.as_deref(), Some("Asha Énergie"));
        assert_eq!(message.headline.to[0].address.as_deref(), Some("et@beta.example"));
        assert_eq!(message.headline.message_id.as_deref(), Some("portal.1@postern.example"));
        assert_eq!(message.text.trim_end().replace("\r\n", "\n"), "Grüße\n.\nFrom here");
        assert!(
            mail.split_inclusive(|b| *b == b'\n').all(|line| line.ends_with(b"\r\n") && line.len() < 1000)
        );
    }

    #[test]
    fn files_come_back_byte_for_byte_however_they_are_cut() {
        let noise: Vec<u8> =
            (0..1_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for size in [0, 1, 2, 56, 57, 58, 114, 3_999] {
            for cut in [1, 56, 57, 1_000, 5_000] {
                let file = &noise[..size];
                let mail =
                    composed("x", &[("a.bin", "application/zip", file), ("ü \"2\".csv", "", file)], cut);
                let message = scanned(&mail);
                let parts: Vec<_> =
                    message.headline.parts.iter().filter(|p| p.role == PartRole::Attachment).collect();
                assert_eq!(parts.len(), 2, "size {size}");
                assert_eq!(parts[1].name.as_deref(), Some("ü \"2\".csv"));
                for part in parts {
                    let mut decoder = Decoder::new(part.encoding);
                    let mut decoded = Vec::new();
                    let (from, to) = (part.offset as usize, (part.offset + part.length) as usize);
                    decoder.feed(&mail[from..to], &mut decoded);
                    decoder.finish(&mut decoded);
                    assert!(decoded == file, "size {size} cut {cut}");
                }
            }
        }
    }

    #[test]
    fn nothing_written_ends_a_part_or_gets_into_a_header() {
        let mail = composed("x", &[], 1);
        let text = String::from_utf8(mail).unwrap();
        let boundary = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
        let hostile = format!("a\n--{boundary}--\nb");
        assert_eq!(scanned(&composed(&hostile, &[], 1)).headline.parts.len(), 1);
        let line = format!("\r\n--{boundary}--\r\n");
        let file = [("f", "text/plain", line.as_bytes())];
        assert_eq!(scanned(&composed("x", &file, 9)).headline.parts.len(), 2);
        let from = Address::parse("a@alpha.example").unwrap();
        let written = Written {
            from: &from,
            from_name: "A",
            to: None,
            subject: "a\r\nBcc: x@evil.example",
            text: "",
            message_id: "m@postern.example",
            date: 0,
        };
        assert!(matches!(Composer::begin(&written), Err(ComposeError::ControlCharacter("subject"))));
        let (mut composer, _) = Composer::begin(&Written { subject: "a", ..written }).unwrap();
        assert!(composer.file("a\r\nb", "text/plain").is_err());
        let head = String::from_utf8(composer.file("a", "multipart/mixed").unwrap()).unwrap();
        assert!(head.contains("application/octet-stream"));
    }
}
