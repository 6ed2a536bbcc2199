//! Ordinary mail holds thousands of long numbers and no meter point: at most one mail in a thousand may give an MPAN or
//! MPRN, as a search tag or as personal data; the other categories have bounds of their own. Runs over the open corpus beside the repository; without it the test says so and proves nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    io::{Write as _, stderr},
    path::{Path, PathBuf},
};

use mail::{Budget, Headline, Message, ReversePath, Scan, Scanner, TagKind};
use policies::{
    Facts, Passing, Protection, Ruleset, TagRules,
    detect::{Business, Category, Detectors, Document, Inspected},
};

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

#[test]
fn ordinary_mail_gives_hardly_any_personal_data() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    let files = files(&corpus);
    if files.is_empty() {
        writeln!(stderr(), "NOT TESTED: no mail at ../shared/corpus/mail, false alarms are unknown").unwrap();
        return;
    }
    let detectors = Detectors::shipped().unwrap();
    let mut mails: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &files {
        let message = scan(&fs::read(file).unwrap());
        let parts = message.headline.parts.iter().zip(0..);
        let document = |(part, place): (&mail::Part, u32)| (part.name.clone().unwrap_or_default(), place);
        let names: Vec<_> = parts.map(document).collect();
        let attachments: Vec<_> =
            names.iter().map(|(name, part)| Document { part: *part, name, text: "", whole: true }).collect();
        let business = Business::new(&|_| false, &message.headline);
        let Headline { subject, .. } = &message.headline;
        let inspected =
            Inspected { subject, text: &message.text, attachments: &attachments, business: &business };
        let findings = detectors.findings(&detectors.find(&inspected));
        for (category, _) in findings.counts() {
            *mails.entry(category.as_str()).or_default() += 1;
        }
        *mails.entry("any").or_default() += usize::from(!findings.is_empty());
    }
    println!("of {} mails: {mails:?}", files.len());
    let allowed = |what: &str| match what.parse() {
        // Private people's addresses and names do stand in this corpus, in bounces and lists above all.
        Err(_) | Ok(Category::Email) => 40,
        Ok(Category::Name) => 10,
        Ok(Category::PostalAddress) => 3,
        Ok(_) => 1,
    };
    let too_many = |(what, count): &(&&str, &usize)| **count * 1_000 > files.len() * allowed(what);
    let too_many: Vec<_> = mails.iter().filter(too_many).collect();
    assert!(too_many.is_empty(), "of {} mails: {too_many:?}", files.len());
}

#[test]
fn ordinary_mail_is_taken_for_no_process() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    let files = files(&corpus);
    if files.is_empty() {
        writeln!(stderr(), "NOT TESTED: no mail at ../shared/corpus/mail, false alarms are unknown").unwrap();
        return;
    }
    let rules = Ruleset::shipped().unwrap();
    let mut taken = Vec::new();
    for file in &files {
        let message = scan(&fs::read(file).unwrap());
        let judged = rules.judge(&Facts {
            sender: &"alpha".parse().unwrap(),
            passing: Passing::On,
            reverse_path: &ReversePath::Null,
            message: &message,
            recipients: &[],
            referenced: &[],
            scan: Scan::Off,
            protection: Protection::Tls,
            documents: &[],
            business: &Business::new(&|_| false, &message.headline),
            fields: &[],
        });
        taken.extend(judged.classification.process.map(|process| format!("{}: {process}", file.display())));
    }
    println!("{} of {} mails", taken.len(), files.len());
    assert!(
        taken.len() * 100 <= files.len(),
        "{} of {} mails:\n{}",
        taken.len(),
        files.len(),
        taken.join("\n")
    );
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
