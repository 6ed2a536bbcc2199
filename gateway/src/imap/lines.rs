//! The line ends of a polled mail. The message path takes CRLF only; some IMAP servers store and send LF. A mail that
//! has one form throughout is made CRLF; one that mixes them is refused, because the next server might read a line
//! end, or the end of a mail, into what is none here (SMTP smuggling). Nothing else of a mail is changed, but that a
//! last line without an end gets one, as SMTP would have given it.

use memchr::{memchr, memchr2};

/// Why a mail cannot be taken as it lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mixed {
    /// CR without LF, or LF without CR in a mail that has CRLF.
    LineEnd,
    Nul,
}

/// The form of the mail so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// No line has ended yet.
    Unknown,
    Crlf,
    Lf,
}

/// Takes a mail in pieces.
#[derive(Debug)]
pub(super) struct Lines {
    form: Form,
    last: u8,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { form: Form::Unknown, last: b'\n' }
    }

    /// The next octets with CRLF at their line ends. A CR at the end waits for what follows it.
    pub(super) fn convert(&mut self, mut octets: &[u8]) -> Result<Vec<u8>, Mixed> {
        if memchr(0, octets).is_some() {
            return Err(Mixed::Nul);
        }
        let mut converted = Vec::with_capacity(octets.len() + octets.len() / 32);
        while !octets.is_empty() {
            if self.last == b'\r' {
                octets = octets.strip_prefix(b"\n").ok_or(Mixed::LineEnd)?;
                self.line_ended(Form::Crlf)?;
                converted.extend(b"\r\n");
                continue;
            }
            let end = memchr2(b'\r', b'\n', octets);
            let (text, rest) = octets.split_at(end.unwrap_or(octets.len()));
            converted.extend(text);
            self.last = text.last().copied().unwrap_or(self.last);
            let Some((&end, rest)) = rest.split_first() else { break };
            octets = rest;
            match end {
                b'\r' => self.last = b'\r',
                _ => {
                    self.line_ended(Form::Lf)?;
                    converted.extend(b"\r\n");
                }
            }
        }
        Ok(converted)
    }

    /// What is missing at the end of the mail.
    pub(super) fn finish(&self) -> Result<&'static [u8], Mixed> {
        match self.last {
            b'\n' => Ok(b""),
            b'\r' => Err(Mixed::LineEnd),
            _ => Ok(b"\r\n"),
        }
    }

    fn line_ended(&mut self, form: Form) -> Result<(), Mixed> {
        self.last = b'\n';
        match self.form {
            Form::Unknown => self.form = form,
            known if known == form => {}
            Form::Crlf | Form::Lf => return Err(Mixed::LineEnd),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(mail: &[u8], piece: usize) -> Result<Vec<u8>, Mixed> {
        let mut lines = Lines::new();
        let mut whole = Vec::new();
        for piece in mail.chunks(piece) {
            whole.extend(lines.convert(piece)?);
        }
        whole.extend(lines.finish()?);
        Ok(whole)
    }

    #[test]
    fn one_form_throughout_becomes_crlf_however_it_is_cut() {
        for (mail, expected) in [
            (b"".as_slice(), b"".as_slice()),
            (b"a: b\r\n\r\nc\r\n", b"a: b\r\n\r\nc\r\n"),
            (b"a: b\n\nc\n", b"a: b\r\n\r\nc\r\n"),
            (b"a: b\n\nc", b"a: b\r\n\r\nc\r\n"),
            (b"no line at all", b"no line at all\r\n"),
            (b"\n", b"\r\n"),
        ] {
            for piece in 1..=mail.len().max(1) {
                assert_eq!(converted(mail, piece).unwrap(), expected, "{}", mail.escape_ascii());
            }
        }
    }

    #[test]
    fn mixed_forms_are_refused_however_they_are_cut() {
        for mail in [
            b"a\r\nb\n.\n".as_slice(),
            b"a\nb\r\n.\r\n",
            b"a\rb\r\n",
            b"a\r\r\nb\r\n",
            b"a\r",
            b"a\n.\r\n",
            b"\r\n\r",
        ] {
            for piece in 1..=mail.len() {
                assert_eq!(converted(mail, piece), Err(Mixed::LineEnd), "{}", mail.escape_ascii());
            }
        }
        assert_eq!(converted(b"a\0b\r\n", 1), Err(Mixed::Nul));
    }
}
