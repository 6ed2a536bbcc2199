//! Ordinary mail holds thousands of long numbers and no meter point: at most one mail in a thousand may give an MPAN or
//! MPRN. Runs over the open corpus beside the repository; without it the test says so and proves nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{Write as _, stderr},
    path::{Path, PathBuf},
};

use mail::{Budget, Message, Scanner, TagKind};
use policies::TagRules;

#[test]
fn ordinary_mail_gives_no_meter_point_numbers() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    let files = files(&corpus);
    if files.is_empty() {
        // Past the capture of the test harness: a proof that did not take place must be seen.
        writeln!(stderr(), "NOT TESTED: no mail at ../shared/corpus/mail, false alarms are unknown").unwrap();
        return;
    }
    let rules = TagRules::shipped().unwrap();
    let mut alarms = Vec::new();
    for file in &files {
        let message = scan(&fs::read(file).unwrap());
        let names: Vec<&str> =
            message.headline.parts.iter().filter_map(|part| part.name.as_deref()).collect();
        let tags = rules.find(&message.headline.subject, &message.text, &names);
        if let Some(tag) = tags.iter().find(|tag| tag.kind() != TagKind::Reference) {
            alarms.push(format!("{}: {tag:?} {}", file.display(), tag.value()));
        }
    }
    assert!(alarms.len() * 1_000 <= files.len(), "of {} mails:\n{}", files.len(), alarms.join("\n"));
}

fn scan(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files
}
