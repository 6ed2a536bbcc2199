//! Replies of a server that mail is given to.

use gateway::{Reply, ReplyReader};

use crate::pieces::pieces;

/// Whatever a server sends, in whatever pieces: the same replies come out, each short, on whole lines and without
/// controls, or it is no reply; and nobody waits for more than a reply may have. The last byte chooses the pieces.
pub fn reply(data: &[u8]) {
    let Some((&seed, octets)) = data.split_last() else { return };
    let whole = replies([octets].into_iter());
    assert_eq!(replies(pieces(octets, seed)), whole, "the pieces decide");
    for reply in whole.iter().flatten() {
        assert!((200..600).contains(&reply.code), "{reply:?}");
        assert!(!reply.lines.is_empty() && reply.lines.len() <= 100, "{} lines", reply.lines.len());
        let shown = reply.to_string();
        assert!(!shown.contains(char::is_control) && shown.chars().count() <= 304, "{shown:?}");
        let status = reply.status.map(|status| u16::from(status.class));
        assert!(status.is_none_or(|class| class == reply.code / 100), "{reply:?}");
    }
    // Lines without end, from the same server.
    let mut reader = ReplyReader::default();
    let mut waited = 0;
    while let Ok(None) = reader.feed(b"250-x\r\n") {
        waited += 1;
        assert!(waited <= 200, "more than a reply may have");
    }
}

/// The replies that stand in a stream, up to where it is none any more (`None` at the end).
fn replies<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Option<Reply>> {
    let mut found = Vec::new();
    let mut reader = ReplyReader::default();
    for mut piece in pieces {
        loop {
            match reader.feed(piece) {
                Ok(Some((reply, taken))) => {
                    assert!((1..=piece.len()).contains(&taken), "{taken} of {}", piece.len());
                    found.push(Some(reply));
                    piece = &piece[taken..];
                }
                Ok(None) => break,
                Err(_) => {
                    found.push(None);
                    return found;
                }
            }
        }
    }
    found
}
