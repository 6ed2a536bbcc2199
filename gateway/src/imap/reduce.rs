//! What is left of a response when everything is gone that the poller has no use for: the free text, codes that it
//! does not know, and responses that it never asks for. A grammar of its own, total, linear and without recursion.
//! It invents nothing: what passes stood in the response.

use super::gate::{Violation, starts_with};

/// These end with free text, in which `{5}` announces nothing.
pub(super) const LITERAL_FREE: [&[u8]; 5] = [b"* OK", b"* NO", b"* BAD", b"* BYE", b"* PREAUTH"];

/// Codes that are words.
const WORDS: [&[u8]; 3] = [b"READ-ONLY", b"READ-WRITE", b"TRYCREATE"];

/// Codes that are a word and a number.
const NUMBERS: [&[u8]; 2] = [b"UIDVALIDITY ", b"UIDNEXT "];

const CAPABILITY: &[u8] = b"CAPABILITY";

/// A list of capabilities without this word is none to the parser.
const REVISION: &[u8] = b"IMAP4rev1";

/// Reduces one whole response. `None` if nothing of it is of use.
pub(super) fn reduce(response: &[u8]) -> Result<Option<Vec<u8>>, Violation> {
    let mut reader = Reader(response);
    if reader.take(b"+").is_some() {
        // A challenge of PLAIN or XOAUTH2 holds nothing that changes the answer.
        return Ok(Some(b"+ \r\n".to_vec()));
    }
    if reader.take(b"* ").is_none() {
        return tagged(reader).map(Some);
    }
    for word in LITERAL_FREE {
        if starts_with(response, word) {
            return Ok(Some(status(word, Reader(&response[word.len()..]))));
        }
    }
    if reader.take(CAPABILITY).is_some() {
        return Ok(capabilities(reader.0).map(|list| [b"* ", list.as_slice(), b"\r\n"].concat()));
    }
    let Some(number) = reader.short_number() else { return Ok(None) };
    let Some(()) = reader.take(b" ") else { return Ok(None) };
    if starts_with(reader.0, b"EXISTS\r\n") || starts_with(reader.0, b"EXPUNGE\r\n") {
        return Ok(Some([b"* ", number.to_string().as_bytes(), b" ", reader.0].concat()));
    }
    match reader.take(b"FETCH ") {
        Some(()) => fetch(number, reader).ok_or(Violation::Syntax),
        None => Ok(None),
    }
}

/// The completion of a command (RFC 3501 §7.1).
fn tagged(mut reader: Reader<'_>) -> Result<Vec<u8>, Violation> {
    let tag = reader.while_matches(u8::is_ascii_alphanumeric);
    if tag.is_empty() {
        return Err(Violation::Syntax);
    }
    for word in [b" OK".as_slice(), b" NO", b" BAD"] {
        if reader.take(word).is_some() {
            return Ok(status(&[tag, word].concat(), reader));
        }
    }
    Err(Violation::Syntax)
}

/// A status without its text, and with its code only if that is known.
fn status(word: &[u8], mut reader: Reader<'_>) -> Vec<u8> {
    let mut reduced = word.to_vec();
    if reader.take(b" [").is_some() {
        let found = reader.while_matches(|octet| matches!(octet, b' '..=b'~' if *octet != b']'));
        if reader.take(b"]").is_some()
            && let Some(code) = code(found)
        {
            reduced.extend([b" [", code.as_slice(), b"]"].concat());
        }
    }
    reduced.extend(b"\r\n");
    reduced
}

fn code(code: &[u8]) -> Option<Vec<u8>> {
    if WORDS.iter().any(|word| word.eq_ignore_ascii_case(code)) {
        return Some(code.to_vec());
    }
    let mut reader = Reader(code);
    if reader.take(CAPABILITY).is_some() {
        return capabilities(reader.0);
    }
    let word = NUMBERS.iter().find(|word| starts_with(code, word))?;
    reader.take(word)?;
    let number = reader.short_number()?.to_string();
    reader.0.is_empty().then(|| [*word, number.as_bytes()].concat())
}

/// A list of capabilities, if it is one that the parser takes. What is no atom (RFC 3501 §9) is none.
fn capabilities(list: &[u8]) -> Option<Vec<u8>> {
    let atom = |word: &&[u8]| {
        let plain = word.iter().all(|octet| octet.is_ascii_graphic() && !b"(){%*\"\\]".contains(octet));
        // The parser goes by the beginning of this word.
        plain && !word.is_empty() && !starts_with(word, REVISION)
    };
    let words = || list.trim_ascii_end().split(|octet| *octet == b' ');
    let known = words().any(|word| word.eq_ignore_ascii_case(REVISION));
    let spelled = [CAPABILITY, REVISION].into_iter().chain(words().filter(atom));
    known.then(|| spelled.collect::<Vec<_>>().join(&b' '))
}

/// The attributes that are asked for, in the order given (RFC 3501 §7.4.2); `Some(None)` if there is none of them.
/// Others are no answer to us: that they were sent must not look as if the mail were gone.
fn fetch(number: u32, mut reader: Reader<'_>) -> Option<Option<Vec<u8>>> {
    let mut reduced = format!("* {number} FETCH (").into_bytes();
    let head = reduced.len();
    reader.take(b"(")?;
    loop {
        let attribute = attribute(&mut reader)?;
        if !attribute.is_empty() && reduced.len() > head {
            reduced.push(b' ');
        }
        reduced.extend(attribute);
        if reader.take(b")").is_some() {
            break;
        }
        reader.take(b" ")?;
    }
    reader.take(b"\r\n")?;
    let some = reduced.len() > head;
    reduced.extend(b")\r\n");
    reader.0.is_empty().then(|| some.then_some(reduced))
}

fn attribute(reader: &mut Reader<'_>) -> Option<Vec<u8>> {
    if reader.take(b"UID ").is_some() {
        return Some(format!("UID {}", reader.short_number()?).into_bytes());
    }
    if reader.take(b"RFC822.SIZE ").is_some() {
        // Larger than the parser can read is larger than any limit.
        return Some(format!("RFC822.SIZE {}", reader.number()?.min(u32::MAX.into())).into_bytes());
    }
    if reader.take(b"MODSEQ (").is_some() {
        reader.number()?;
        reader.take(b")")?;
        return Some(Vec::new());
    }
    if reader.take(b"FLAGS (").is_some() {
        let flags = reader.while_matches(|octet| matches!(octet, b' '..=b'~' if !b"()\"{".contains(octet)));
        reader.take(b")")?;
        return Some(known_flags(flags));
    }
    reader.take(b"BODY[]")?;
    let origin = match reader.take(b"<") {
        Some(()) => reader.short_number().filter(|_| reader.take(b">").is_some())?,
        // Some servers do not name the origin of a piece that begins at the beginning.
        None => 0,
    };
    reader.take(b" ")?;
    let data = reader.string()?;
    let mut piece = format!("BODY[]<{origin}> {{{}}}\r\n", data.len()).into_bytes();
    piece.extend(data);
    Some(piece)
}

/// Of the flags only those count that the poller itself sets.
fn known_flags(flags: &[u8]) -> Vec<u8> {
    let refused = super::session::REFUSED.as_bytes();
    let known = flags.split(|octet| *octet == b' ').any(|flag| flag.eq_ignore_ascii_case(refused));
    if known { [b"FLAGS (", refused, b")"].concat() } else { b"FLAGS ()".to_vec() }
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Takes this word, whatever its case.
    fn take(&mut self, word: &[u8]) -> Option<()> {
        starts_with(self.0, word).then(|| self.0 = &self.0[word.len()..])
    }

    fn while_matches(&mut self, matches: impl Fn(&u8) -> bool) -> &'a [u8] {
        let length = self.0.iter().position(|octet| !matches(octet)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> Option<u64> {
        let digits = self.while_matches(u8::is_ascii_digit);
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn short_number(&mut self) -> Option<u32> {
        self.number().and_then(|number| number.try_into().ok())
    }

    /// A literal, a quoted string with its escapes undone, or NIL, which is as good as an empty one.
    fn string(&mut self) -> Option<Vec<u8>> {
        if self.take(b"NIL").is_some() {
            return Some(Vec::new());
        }
        if self.take(b"{").is_some() {
            let length = usize::try_from(self.number()?).ok()?;
            self.take(b"}\r\n")?;
            let (literal, rest) = self.0.split_at_checked(length)?;
            self.0 = rest;
            return Some(literal.to_vec());
        }
        self.take(b"\"")?;
        let mut text = Vec::new();
        loop {
            let (&octet, rest) = self.0.split_first()?;
            self.0 = rest;
            match octet {
                b'"' => return Some(text),
                b'\r' | b'\n' => return None,
                b'\\' => {
                    let (&escaped, rest) = self.0.split_first()?;
                    self.0 = rest;
                    text.push(escaped);
                }
                octet => text.push(octet),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduced(response: &str) -> Result<Option<String>, Violation> {
        let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
        reduce(response.as_bytes()).map(|response| response.map(text))
    }

    #[test]
    fn what_the_server_says_to_people_does_not_pass() {
        for (response, left) in [
            ("* OK [ALERT]é\r\n", "* OK\r\n"),
            ("* OK [ALERT] pay here: http://evil.example\r\n", "* OK\r\n"),
            ("* BYE [UNAVAILABLE] \u{1b}[31m\r\n", "* BYE\r\n"),
            ("A0001 NO [REFERRAL imap://evil.example/] elsewhere\r\n", "A0001 NO\r\n"),
            ("A0001 OK [READ-ONLY] ro\r\n", "A0001 OK [READ-ONLY]\r\n"),
            ("* ok [uidvalidity 12]\r\n", "* OK [UIDVALIDITY 12]\r\n"),
            ("* OK [UIDVALIDITY 12é] x\r\n", "* OK\r\n"),
            ("* OK [UIDVALIDITY 4294967296] x\r\n", "* OK\r\n"),
            ("* OK [TRYCREATED] x\r\n", "* OK\r\n"),
            (
                "* CAPABILITY imap4rev1 IMAP4rev1x A(B AUTH=PLAIN \r\n",
                "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
            ),
            ("* OK [CAPABILITY IMAP4rev1 IDLE ] x\r\n", "* OK [CAPABILITY IMAP4rev1 IDLE]\r\n"),
            ("* OK [CAPABILITY IDLE] x\r\n", "* OK\r\n"),
            ("* PREAUTH hello\r\n", "* PREAUTH\r\n"),
            ("+ Zm9v\r\n", "+ \r\n"),
            ("+\r\n", "+ \r\n"),
        ] {
            assert_eq!(reduced(response), Ok(Some(left.to_owned())), "{response}");
        }
    }

    #[test]
    fn what_nobody_asked_for_does_not_pass() {
        for response in [
            "* LIST () \"/\" {5}\r\nhello\r\n",
            "* STATUS INBOX (UIDVALIDITY 9)\r\n",
            "* SEARCH 1 2 3\r\n",
            "* METADATA \"\" (/shared/\u{e9} \"x\")\r\n",
            "* ID (\"a\" NIL)\r\n",
            "* 3 RECENT\r\n",
            "* VANISHED 1:9\r\n",
            "* CAPABILITY IDLE\r\n",
            "* CAPABILITY \r\n",
            "* FLAGS (\\Seen)\r\n",
            "* 1 FETCH (MODSEQ (7))\r\n",
            "* 99999999999999999999 EXISTS\r\n",
            "* \r\n",
        ] {
            assert_eq!(reduced(response), Ok(None), "{response}");
        }
    }

    #[test]
    fn a_fetch_has_what_was_asked_for_and_nothing_else() {
        for (response, left) in [
            (
                "* 1 FETCH (FLAGS (\\Seen $posternrefused) UID 9 RFC822.SIZE 5000000000)\r\n",
                "* 1 FETCH (FLAGS ($PosternRefused) UID 9 RFC822.SIZE 4294967295)\r\n",
            ),
            ("* 2 FETCH (MODSEQ (77) UID 9)\r\n", "* 2 FETCH (UID 9)\r\n"),
            ("* 2 FETCH (UID 9 BODY[]<0> \"a\\\"b\")\r\n", "* 2 FETCH (UID 9 BODY[]<0> {3}\r\na\"b)\r\n"),
            ("* 2 FETCH (UID 9 BODY[] {3}\r\nabc)\r\n", "* 2 FETCH (UID 9 BODY[]<0> {3}\r\nabc)\r\n"),
            ("* 2 FETCH (BODY[]<5> NIL UID 9)\r\n", "* 2 FETCH (BODY[]<5> {0}\r\n UID 9)\r\n"),
        ] {
            assert_eq!(reduced(response), Ok(Some(left.to_owned())), "{response}");
        }
        for response in [
            "* 1 FETCH (INTERNALDATE NIL)\r\n",
            "* 1 FETCH (BODYSTRUCTURE ((((((\r\n",
            "* 1 FETCH (UID 9 BODY[1] {3}\r\nabc)\r\n",
            "* 1 FETCH (UID 9 BODY[]<0 {3}\r\nabc)\r\n",
            "* 1 FETCH (UID 4294967296)\r\n",
            "* 1 FETCH (UID 9 BODY[]<0> {9}\r\nabc)\r\n",
            "* 1 FETCH (UID 9) x\r\n",
            "* 1 FETCH ()\r\n",
            "A1 WHAT\r\n",
            "\r\n",
            " OK\r\n",
        ] {
            assert_eq!(reduced(response), Err(Violation::Syntax), "{response}");
        }
    }
}
