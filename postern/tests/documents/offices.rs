//! What offices send.

use gateway::documents::{Extent, Original, Why};
use mail::Defect;

use crate::{mails::market_mails, read, reader, scanned};

#[tokio::test]
async fn every_file_of_the_generated_market_reads_as_it_was_written() {
    let reader = reader();
    let (mut files, mut kinds) = (0, std::collections::BTreeSet::new());
    for mail in market_mails(11, 1_500).filter(|mail| !mail.files.is_empty()) {
        let mut message = scanned(&mail.eml);
        let read = reader.read(&mut message, Original::Plain(&mail.eml)).await.unwrap();
        for file in &mail.files {
            let found = read.iter().find(|document| document.name == file.name).unwrap();
            assert_eq!(found.extent, Extent::Whole, "mail {}: {}", mail.number, file.name);
            let lines = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
            assert_eq!(lines(&found.text), lines(&file.text), "mail {}: {}", mail.number, file.name);
            kinds.insert(file.media_type);
            files += 1;
        }
        assert_eq!(read.len(), mail.files.len(), "mail {}: logos have no words", mail.number);
        assert!(message.headline.defects.is_empty(), "mail {}: {:?}", mail.number, message.headline.defects);
    }
    assert!(files > 150 && kinds.len() == 4, "{files} files of {kinds:?}");
}

#[tokio::test]
async fn text_files_keep_their_letters_and_html_becomes_text() {
    let reader = reader();
    for (name, bytes, text) in [
        ("list.csv", "MPAN,Name\r\n1200023305967,Zoë\r\n".as_bytes(), "MPAN\tName\n1200023305967\tZoë"),
        ("old.txt", b"caf\xe9 1200023305967", "café 1200023305967"),
        ("wide.txt", b"\xff\xfeM\0P\0R\0N\0", "MPRN"),
        ("page.html", b"<p>MP<b>AN</b> 1200023305967</p>", "MPAN 1200023305967"),
        ("flow.usr", b"ZHV|ABC|D0055001|\r\n069|1200023305967|\r\n", "ZHV|ABC|D0055001|\n069|1200023305967|"),
        ("report.xls", b"<html><table><tr><td>MPAN</td><td>12</td></tr></table></html>", "MPAN 12"),
    ] {
        let (read, message) = read(&reader, name, bytes).await;
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&read[0].text), words(text), "{name}");
        assert_eq!(read[0].extent, Extent::Whole, "{name}");
        assert!(message.headline.defects.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn what_has_no_words_is_no_document() {
    let reader = reader();
    for (name, bytes) in [
        ("logo.png", b"\x89PNG\r\n\x1a\n\0\0".as_slice()),
        ("data.bin", b"\0\x01\x02\x03"),
        ("a.p7s", b"0\x82"),
    ] {
        let (read, message) = read(&reader, name, bytes).await;
        assert_eq!(read, [], "{name}");
        assert!(message.headline.defects.is_empty(), "{name}");
    }
}

/// A compound file with the stream that MS-OFFCRYPTO §2.3.4.4 names.
#[tokio::test]
async fn a_locked_document_is_one_that_nobody_looked_into() {
    let mut locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
    locked.resize(1536, 0);
    locked.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let (read, message) = read(&reader(), "list.xlsx", &locked).await;
    assert_eq!(read[0].extent, Extent::NotRead(Why::Closed));
    assert!(message.headline.defects.contains(&Defect::ContainerUnreadable));
}

#[tokio::test]
async fn a_picture_of_a_letter_is_not_read_and_no_secret() {
    let pdf = crate::attacks::pdf(&["", "<< /Type /XObject /Subtype /Image >>"], b"q 100 0 0 100 0 0 cm Q");
    let (read, message) = read(&reader(), "scan.pdf", &pdf).await;
    assert_eq!(read[0].extent, Extent::NotRead(Why::NoText));
    assert!(!read[0].is_whole());
    assert!(message.headline.defects.is_empty());
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_is_not_looked_into() {
    let (read, message) = read(&reader(), "list.xlsx", b"\0\x01\x02 something else").await;
    assert_eq!(read[0].extent, Extent::NotRead(Why::Damaged));
    assert!(message.headline.defects.contains(&Defect::ContainerUnreadable));
}
