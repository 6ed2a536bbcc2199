//! The two sample mails, sent as a mail client sends them: through the SMTP port, with a login.

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::market::Market;
use super::record::Record;

/// Who writes to which mailbox, and the file that is sent, with CRLF line ends.
const SAMPLES: [(&str, &str, &str); 2] = [
    ("anna@alpha.example", "et@beta.example", include_str!("sample-1.eml")),
    ("ben@beta.example", "et@gamma.example", include_str!("sample-2.eml")),
];

pub(super) async fn send(record: &Record, market: &Market) -> anyhow::Result<()> {
    for (from, to, mail) in SAMPLES {
        let mut client = Client::connect(&record.smtp).await?;
        client.send(from, market.password(from), to, mail).await.context("a sample mail was not taken")?;
    }
    Ok(())
}

/// Just enough of an SMTP client for one mail to our own port (RFC 5321 §3).
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: &str) -> anyhow::Result<Self> {
        let mut client = Self(BufReader::new(TcpStream::connect(address).await?));
        client.reply().await?;
        Ok(client)
    }

    async fn send(&mut self, from: &str, password: &str, to: &str, mail: &str) -> anyhow::Result<()> {
        self.say("EHLO client.postern.example").await?;
        self.say("AUTH LOGIN").await?;
        self.say(&base64(from.as_bytes())).await?;
        self.say(&base64(password.as_bytes())).await?;
        self.say(&format!("MAIL FROM:<{from}>")).await?;
        self.say(&format!("RCPT TO:<{to}>")).await?;
        self.say("DATA").await?;
        // Lines of the samples begin with no dot, so nothing needs stuffing.
        self.0.get_mut().write_all(mail.as_bytes()).await?;
        self.say(".").await?;
        self.say("QUIT").await
    }

    async fn say(&mut self, line: &str) -> anyhow::Result<()> {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    async fn reply(&mut self) -> anyhow::Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                bail!("the server closed the connection");
            }
            match line.as_bytes() {
                [b'4' | b'5', ..] => bail!("{}", line.trim_end()),
                [_, _, _, b'-', ..] => {}
                _ => return Ok(()),
            }
        }
    }
}

/// RFC 4648 §4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let octet = |index| u32::from(group.get(index).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for position in 0..4 {
            let six = (bits >> (18 - 6 * position) & 63) as usize;
            text.push(if position > group.len() { '=' } else { char::from(ALPHABET[six]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_rfc() {
        for (plain, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn samples_have_the_line_ends_of_mail() {
        for (_, _, mail) in SAMPLES {
            assert!(mail.ends_with("\r\n"));
            assert!(!mail.replace("\r\n", "").contains(['\r', '\n']));
            assert!(!mail.contains("\n."));
        }
    }
}
