//! What the server and the process that opens documents say to each other, over two pipes: a document in pieces, an answer
//! in one. Neither side believes a length before it has looked at its own limits.

use std::io::{self, Read, Write};

use super::inside::{Extent, Found, Why};

/// Bytes of one document that are looked at; a larger one is not opened.
pub(super) const DOCUMENT: usize = 32 * 1024 * 1024;
/// Bytes of text that one document gives.
pub(super) const TEXT: usize = 2 * 1024 * 1024;
/// Bytes in one piece.
pub(super) const PIECE: usize = 64 * 1024;
/// Length of a frame's head: a byte and a length for an answer, a length for a piece.
pub(super) const HEAD: usize = 5;

/// Reads one document to its end; none where the server has gone.
pub(super) fn document(input: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        let mut length = [0; 4];
        match input.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof && bytes.is_empty() => {
                return Ok(None);
            }
            read => read?,
        }
        let length = u32::from_be_bytes(length) as usize;
        if length == 0 {
            return Ok(Some(bytes));
        }
        if length > PIECE || bytes.len() + length > DOCUMENT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a document beyond the limit"));
        }
        let from = bytes.len();
        bytes.resize(from + length, 0);
        input.read_exact(&mut bytes[from..])?;
    }
}

/// Writes the answer about one document.
pub(super) fn answer(output: &mut impl Write, found: &Found) -> io::Result<()> {
    let mut frame = Vec::with_capacity(HEAD + found.text.len());
    frame.push(code(found.extent));
    frame.extend_from_slice(&(found.text.len() as u32).to_be_bytes());
    frame.extend_from_slice(found.text.as_bytes());
    output.write_all(&frame)?;
    output.flush()
}

/// The head of an answer: how much was read, and how long the text is. None if it is none of ours.
pub(super) fn head(head: [u8; HEAD]) -> Option<(Extent, usize)> {
    let [code, length @ ..] = head;
    let length = u32::from_be_bytes(length) as usize;
    (length <= TEXT).then_some((extent(code)?, length))
}

fn code(extent: Extent) -> u8 {
    match extent {
        Extent::Whole => 0,
        Extent::Cut => 1,
        Extent::NotRead(Why::Damaged) => 2,
        Extent::NotRead(Why::Closed) => 3,
        Extent::NotRead(Why::NoText) => 4,
        Extent::NotRead(Why::Unknown) => 5,
        Extent::NotRead(Why::TooLarge) => 6,
        Extent::NotRead(Why::TooLong) => 7,
        Extent::NotRead(Why::Died) => 8,
    }
}

fn extent(code: u8) -> Option<Extent> {
    Some(match code {
        0 => Extent::Whole,
        1 => Extent::Cut,
        2 => Extent::NotRead(Why::Damaged),
        3 => Extent::NotRead(Why::Closed),
        4 => Extent::NotRead(Why::NoText),
        5 => Extent::NotRead(Why::Unknown),
        6 => Extent::NotRead(Why::TooLarge),
        7 => Extent::NotRead(Why::TooLong),
        8 => Extent::NotRead(Why::Died),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_in_pieces() {
        let sent = [b"\0\0\0\x03abc".as_slice(), b"\0\0\0\x02de", b"\0\0\0\0"].concat();
        assert_eq!(document(&mut sent.as_slice()).unwrap().unwrap(), b"abcde");
        assert_eq!(document(&mut b"".as_slice()).unwrap(), None);
        assert!(document(&mut b"\0\0\0\x03ab".as_slice()).is_err());
        assert!(document(&mut b"\xff\xff\xff\xff".as_slice()).is_err(), "nothing is made room for");
    }

    #[test]
    fn an_answer_comes_back_as_it_was() {
        let all = (0..=255).filter_map(extent);
        assert_eq!(all.clone().count(), 9);
        for extent in all {
            let mut frame = Vec::new();
            answer(&mut frame, &Found { text: "MPAN".to_owned(), extent }).unwrap();
            let (begin, text) = frame.split_at(HEAD);
            assert_eq!(head(begin.try_into().unwrap()), Some((extent, 4)));
            assert_eq!(text, b"MPAN");
        }
        assert_eq!(head([0, 0xff, 0xff, 0xff, 0xff]), None, "longer than anything asked for");
        assert_eq!(head([99, 0, 0, 0, 0]), None);
    }
}
