//! A large mail on its way out: it comes whole, and it was never in memory as a whole, because the server here takes it
//! slower than it could be read.

use mail::{Envelope, ReversePath};

use super::Way;
use super::server::{Script, Server};
use crate::market::{Market, address};

#[tokio::test]
async fn a_large_mail_comes_whole() {
    const SIZE: usize = 12 << 20;
    let market = Market::sending().await;
    let mut mail = b"From: ann@alpha.example\r\nSubject: s\r\nMIME-Version: 1.0\r\n\
                     Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        .to_vec();
    let mut line = 0_u32;
    while mail.len() < SIZE {
        // Lines that begin with dots are the ones that a careless sender breaks.
        let dots = ".".repeat(line as usize % 3);
        mail.extend_from_slice(format!("{dots}{line:070x}\r\n").as_bytes());
        line += 1;
    }
    let recipients = vec![address("bob@alpha.example")];
    let envelope = Envelope::plain(ReversePath::Address(address("ann@alpha.example")), recipients);
    market.pass(envelope, &mail).await.unwrap();
    let server = Server::open(Script::default()).await;
    Way::to(server.port).work(&market, server.has_taken(1)).await;
    let [taken] = server.mails().try_into().unwrap();
    assert!(taken.ends_with(&mail), "{} bytes of {}", taken.len(), mail.len());
}
