//! The saved corpus and some thousand mutations of it, through every target, in seconds and always the same. It looks
//! for what comes back, not for what is new; that is libFuzzer's work.

use std::panic::catch_unwind;
use std::path::Path;

type Target = fn(&[u8]);

const MUTATIONS: usize = 10_000;
/// Longer inputs find little more and take longer.
const LONGEST: usize = 4096;
/// Bytes that mean something to one parser or another.
const TOKENS: [&[u8]; 16] = [
    b"\r\n",
    b"\r",
    b"\n",
    b"\0",
    b"\r\n.\r\n",
    b".",
    b"--",
    b"=",
    b"@",
    b"\"",
    b"[",
    b"\xff",
    b"\xe2\x80\xae",
    b" ",
    b":",
    b"\\",
];

#[test]
fn smtp() {
    replay("smtp", crate::smtp);
}

#[test]
fn imap() {
    replay("imap", crate::imap);
}

#[test]
fn reply() {
    replay("reply", crate::reply);
}

#[test]
fn message() {
    replay("message", crate::message);
}

#[test]
fn tnef() {
    replay("tnef", crate::tnef);
}

#[test]
fn signature() {
    replay("signature", crate::signature);
}

#[test]
fn report() {
    mutate_all("report", crate::report, 60_000);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/mail/sisimai");
    let mails = files(&folder);
    assert!(mails.len() >= 700, "only {} bounces in the open test corpus", mails.len());
    for mut mail in mails {
        mail.push(1);
        run("report", crate::report, &mail);
    }
}

#[test]
fn journal() {
    replay("journal", crate::journal);
}

#[test]
fn address() {
    replay("address", crate::address);
}

#[test]
fn policy() {
    replay("policy", crate::policy);
}

#[test]
fn sealed() {
    replay("sealed", crate::sealed);
}

#[test]
fn record() {
    replay("record", crate::record);
}

fn replay(name: &str, target: Target) {
    mutate_all(name, target, MUTATIONS);
}

fn mutate_all(name: &str, target: Target, mutations: usize) {
    let corpus = corpus(name);
    assert!(corpus.len() >= 3, "a corpus of {} for {name}", corpus.len());
    corpus.iter().for_each(|input| run(name, target, input));
    let mut dice = Dice(0x5eed);
    for _ in 0..mutations {
        let mut input = dice.pick(&corpus).clone();
        for _ in 0..=dice.below(4) {
            mutate(&mut input, &corpus, &mut dice);
        }
        input.truncate(LONGEST);
        run(name, target, &input);
    }
}

/// Says which input it was: a file of these bytes is the next seed.
fn run(name: &str, target: Target, input: &[u8]) {
    if catch_unwind(|| target(input)).is_err() {
        panic!("{name} failed on b\"{}\"", input.escape_ascii());
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name))
}

/// All files of a folder, in the order of their names.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = folder.read_dir().expect("a corpus");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).expect("a seed")).collect()
}

/// One change: a bit, a byte, a token, a stretch gone, doubled or taken from another seed.
fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let end = (at + dice.below(32)).min(input.len());
    match dice.below(6) {
        0 => input[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << dice.below(8)),
        1 => input.insert(at, dice.below(256) as u8),
        2 => drop(input.splice(at..at, dice.pick(&TOKENS).iter().copied())),
        3 => drop(input.drain(at..end)),
        4 => input.extend_from_within(at..end),
        _ => {
            let other = dice.pick(corpus);
            let from = dice.below(other.len() + 1);
            let to = (from + dice.below(64)).min(other.len());
            drop(input.splice(at..end, other[from..to].iter().copied()));
        }
    }
}

/// Random numbers that are the same every time (xorshift, Marsaglia 2003).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % limit
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}
