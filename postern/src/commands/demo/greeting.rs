//! What a newcomer reads in the terminal: who is there, and commands that work when pasted.

use std::path::Path;

use super::market::{Market, note};
use super::record::Record;
use crate::installation;
use crate::print;

const ATTACHMENT: &str = "readings.csv";
const FROM: &str = "anna@alpha.example";
const TO: &str = "et@beta.example";
const SUBJECT: &str = "Erroneous transfer, MPAN 1200023305967";
const TEXT: &str = "Please look at the supply with MPAN 1200023305967. The readings are attached.";

/// The file that the printed commands attach.
pub(super) fn write_attachment(folder: &Path) -> anyhow::Result<()> {
    installation::write(&folder.join(ATTACHMENT), "date,reading\r\n2026-10-01,48211\r\n2026-11-02,48675\r\n")
}

pub(super) fn print(folder: &Path, record: &Record, market: &Market) -> anyhow::Result<()> {
    let users: Vec<_> = market
        .people()
        .map(|user| {
            let email = user.email.to_string();
            let password = market.password(&email).to_owned();
            vec![market.company(user).to_owned(), email, password, note(user).to_owned()]
        })
        .collect();
    print::lines("\nA sample market of three companies and its operator. Nobody in it exists.\n")?;
    print::table(&["company", "sign in as", "password", "who"], &users)?;
    print::lines(&format!(
        "\nSend a mail with an attachment to Beta Power, as Anna of Alpha Energy:\n\n{}\n\nor with swaks:\n\n{}",
        curl(folder, record, market),
        swaks(folder, record, market)
    ))?;
    print::lines(&format!(
        "\nThen open {} and sign in as ben@beta.example.\n\
         Every mail that left is at {}/demo/outbox and in {}.\nStop with Ctrl-C.",
        record.portal,
        record.portal,
        folder.join(&record.outbox).display()
    ))?;
    Ok(())
}

fn curl(folder: &Path, record: &Record, market: &Market) -> String {
    let lines = [
        format!(
            "curl --verbose --url smtp://{} --ssl-reqd --cacert {}",
            record.smtp,
            path(folder, &record.ca)
        ),
        format!(
            "--user {} --mail-from {FROM} --mail-rcpt {TO}",
            quoted(&format!("{FROM}:{}", market.password(FROM)))
        ),
        format!(
            "-H 'From: Anna Archer <{FROM}>' -H 'To: {TO}' -H {}",
            quoted(&format!("Subject: {SUBJECT}"))
        ),
        format!(
            "-F {} -F {}",
            quoted(&format!("={TEXT};type=text/plain")),
            quoted(&format!("=@{};type=text/csv;encoder=base64", folder.join(ATTACHMENT).display()))
        ),
    ];
    lines.join(" \\\n  ")
}

fn swaks(folder: &Path, record: &Record, market: &Market) -> String {
    let attachment = format!("@{}", folder.join(ATTACHMENT).display());
    let lines = [
        format!(
            "swaks --server {} --auth PLAIN --auth-user {FROM} --auth-password {}",
            record.smtp,
            quoted(market.password(FROM))
        ),
        format!("--from {FROM} --to {TO} --header {}", quoted(&format!("Subject: {SUBJECT}"))),
        format!("--body {} --attach-type text/csv --attach {}", quoted(TEXT), quoted(&attachment)),
    ];
    lines.join(" \\\n  ")
}

fn path(folder: &Path, name: &str) -> String {
    quoted(&folder.join(name).display().to_string())
}

/// As a shell takes it literally.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-:@".contains(&byte);
    match text.bytes().all(plain) && !text.is_empty() {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_quoted_text_literally() {
        assert_eq!(quoted("/home/x/ca.pem"), "/home/x/ca.pem");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }
}
