//! The text of files, read by the real process that the server has them opened in: what offices send reads as it was
//! written, and what attackers send costs a bounded time and nobody but itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod confinement;
#[path = "../../../policies/tests/market/mails/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the labels are measured next to the rules")]
mod mails;
mod offices;

use std::time::Duration;

use gateway::documents::{DocumentSettings, Original, ReadDocument, Reader};
use mail::{Budget, Message, Scanner};

fn reader() -> Reader {
    Reader::new(settings())
}

fn settings() -> DocumentSettings {
    DocumentSettings {
        // A busy machine is no news about a document.
        patience: Duration::from_secs(120),
        patience_for_mail: Duration::from_secs(240),
        ..DocumentSettings::new(env!("CARGO_BIN_EXE_postern"), "read-documents")
    }
}

/// A mail with this file.
fn mail_with(name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "From: a@alpha.example\r\nSubject: list\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n\
         --b\r\nContent-Type: application/octet-stream; name=\"{name}\"\r\nContent-Disposition: attachment\r\n\
         Content-Transfer-Encoding: binary\r\n\r\n"
    );
    [head.as_bytes(), file, b"\r\n--b--\r\n"].concat()
}

fn scanned(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}

/// What the reader makes of a mail with this file, and the mail afterwards.
async fn read(reader: &Reader, name: &str, file: &[u8]) -> (Vec<ReadDocument>, Message) {
    let mail = mail_with(name, file);
    let mut message = scanned(&mail);
    let read = reader.read(&mut message, Original::Plain(&mail)).await.unwrap();
    (read, message)
}
