//! Streams of Outlook, as the body of a mail that is nothing else.

use crate::message::holds;

const HEAD: &[u8] = b"From: a@alpha.example\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n\r\n";

/// The same as for every mail: however the stream is cut, the same is found in it, and what is found lies inside it. The
/// last byte chooses the cuts and the budget.
pub fn tnef(data: &[u8]) {
    let Some((&choice, stream)) = data.split_last() else { return };
    holds(&[HEAD, stream].concat(), choice);
}
