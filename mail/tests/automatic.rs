//! Automatic mail against people's mail: every bounce, auto-reply and report of the open corpus is seen as automatic, and
//! no ordinary mail of it is; and the mails of people that look like a machine's. Prints its figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use mail::{Budget, Class, Message, Scanner};

/// Mails in the folder of bounces that people wrote: two ordinary ones, two bounces passed on with a word before them.
const PEOPLE_AMONG_BOUNCES: [&str; 4] = [
    "sisimai/bsd__lhost-sendmail-14.eml",
    "sisimai/err__make-test-36.eml",
    "sisimai/not__is-not-bounce-01.eml",
    "sisimai/not__is-not-bounce-02.eml",
];

/// Mails outside that folder that no person wrote, with their class.
const KNOWN: &str = include_str!("known/automatic.txt");

#[test]
fn bounces_and_answers_of_machines_are_seen() {
    let mut found: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, bytes) in mails("sisimai") {
        let class = scan(&bytes).class;
        *found.entry(class.as_str()).or_default() += 1;
        let person = PEOPLE_AMONG_BOUNCES.contains(&name.as_str());
        if (class == Class::Human) != person {
            wrong.push(format!("{name}: {class}"));
        }
    }
    let count: usize = found.values().sum();
    println!("{count} mails of the folder of bounces: {found:?}, wrong: {wrong:?}");
    assert_eq!(count, 784);
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn bounces_are_seen_without_their_surest_signs() {
    const SIGNS: [&str; 6] = [
        "Return-Path:",
        "Auto-Submitted:",
        "Precedence:",
        "X-Auto-Response-Suppress:",
        "X-Failed-Recipients:",
        "X-Autoreply:",
    ];
    let (mut count, mut people) = (0, Vec::new());
    for (name, bytes) in mails("sisimai") {
        if PEOPLE_AMONG_BOUNCES.contains(&name.as_str()) {
            continue;
        }
        count += 1;
        let bare =
            String::from_utf8_lossy(&without(&bytes, &SIGNS)).replace("multipart/report", "multipart/mixed");
        if scan(bare.as_bytes()).class == Class::Human {
            people.push(name);
        }
    }
    let share = 100.0 * (count - people.len()) as f64 / count as f64;
    println!("without their surest signs {share:.2} % of {count} are seen; taken for people: {people:?}");
    assert!(share >= 98.9, "{share:.2} %: {people:?}");
}

#[test]
fn nobodys_mail_is_taken_for_a_machines() {
    let known: BTreeMap<&str, &str> = KNOWN
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').map(|(class, name)| (name, class)).unwrap())
        .collect();
    let (mut people, mut machines, mut wrong) = (0, 0, Vec::new());
    for (name, bytes) in mails("") {
        if name.starts_with("sisimai/") {
            continue;
        }
        let class = scan(&bytes).class.as_str();
        match known.get(name.as_str()) {
            Some(expected) if *expected == class => machines += 1,
            None if class == "human" => people += 1,
            expected => wrong.push(format!("{name}: {class}, not {}", expected.unwrap_or(&"human"))),
        }
    }
    let all = people + machines + wrong.len();
    println!(
        "{people} mails of people, {machines} of machines and lists, wrong {} of {all}: {wrong:?}",
        wrong.len()
    );
    assert!(people >= 1300 && machines == known.len(), "{people} of people, {machines} of machines");
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// The mails of a folder of the corpus, with their names in it.
fn mails(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail");
    assert!(
        root.is_dir(),
        "THE OPEN TEST CORPUS IS ABSENT: put it at ../shared/corpus beside the repository"
    );
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    files.sort();
    let named = |file: PathBuf| {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        (name, fs::read(&file).unwrap())
    };
    files.into_iter().map(named).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => collect(&path, files),
            false => files.push(path),
        }
    }
}

/// The mail without these fields of its head.
fn without(mail: &[u8], names: &[&str]) -> Vec<u8> {
    let (mut head, mut dropped) = (true, false);
    let kept = |line: &&[u8]| {
        if head && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            head = !matches!(line, [b'\n'] | [b'\r', b'\n']);
            let named = |name: &&str| {
                line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name.as_bytes())
            };
            dropped = head && names.iter().any(named);
        }
        !(head && dropped)
    };
    mail.split_inclusive(|&byte| byte == b'\n').filter(kept).collect::<Vec<_>>().concat()
}

fn scan(bytes: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(bytes);
    scanner.finish()
}
