//! Every mail of the open corpus through the scanner: no panic, the same result however it is cut, and agreement with
//! what independent parsers found. The corpus lies outside the repository and is never copied into it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::digest::{SHA256, digest};
use mail::{Budget, Decoder, Encoding, Message, Part, Person, Scanner};
use serde_json::Value;

/// Field, and the least share in percent of mails in which it must agree with the expected values.
///
/// `leaf_text` compares all texts of a mail in order, strictly. It differs in 20 of 2027 mails, and in each we keep what
/// is better for the reader. In 12 the others drop a text: of a mail of bare CRs (4), behind a line of one blank under
/// the fields (3), at the start of a part without an empty line (2), of a returned fragment (2), in UTF-8 under the name
/// of another charset (1). In 3 a part of the type `text` is text, as RFC 2045 §5.2 has it. In 3 a byte between 0x80 and
/// 0x9F of what is called ISO 8859-1 is the quotation mark or dash that clients show, not a control character (WHATWG
/// Encoding). In 1 quoted-printable has blanks behind a soft line break, which RFC 2045 §6.7 has deleted. In 1 the others
/// take an epilogue for the text of the empty part before it.
///
/// `texts` asks for what must not happen: that a text that the others found is missing here.
const FLOORS: [(&str, f64); 11] = [
    ("subject", 99.9),
    ("from", 99.9),
    ("to", 99.9),
    ("cc", 100.0),
    ("mid", 99.9),
    ("date", 100.0),
    ("leaf_types", 100.0),
    ("leaf_names", 100.0),
    ("leaf_sha", 100.0),
    ("leaf_text", 99.0),
    ("texts", 99.6),
];

#[test]
fn every_mail_is_read_and_cut_makes_no_difference() {
    let mut cuts = Cuts(0x2545_f491_4f6c_dd1d);
    let mut count = 0;
    for file in mails(&corpus().join("mail")) {
        let bytes = fs::read(&file).unwrap();
        let whole = scan_in(&bytes, |left| left);
        let cut = scan_in(&bytes, |left| cuts.next(left));
        assert!(whole == cut, "{} reads differently in pieces", file.display());
        for part in &whole.headline.parts {
            let end = part.offset + part.length;
            assert!(end <= bytes.len() as u64, "{}: a part ends outside the mail", file.display());
        }
        count += 1;
    }
    println!("{count} mails read whole and in pieces");
    assert!(count >= 2000, "only {count} mails in the corpus");
}

#[test]
fn other_parsers_agree() {
    let root = corpus();
    let expected =
        fs::read_to_string(root.join("oracle/expected.jsonl")).expect("the corpus has expected values");
    let mut score: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for line in expected.lines() {
        let expected: Value = serde_json::from_str(line).unwrap();
        let name = expected["file"].as_str().unwrap();
        let bytes = fs::read(root.join(name)).unwrap();
        let message = scan_in(&bytes, |left| left);
        for (field, _) in FLOORS {
            let key = if field == "texts" { "leaf_text" } else { field };
            let Some(wanted) = expected.get(key) else { continue };
            let found = field_of(&message, &bytes, key);
            let agrees = if field == "texts" { has_all(&found, wanted) } else { &found == wanted };
            let (met, all) = score.entry(field).or_default();
            *all += 1;
            *met += usize::from(agrees);
            if !agrees {
                println!("{field}\t{name}\twanted {wanted}\tfound {found}");
            }
        }
    }
    for (field, floor) in FLOORS {
        let (met, all) = score[field];
        let share = 100.0 * met as f64 / all as f64;
        println!("{field:<10} {met:>4} of {all:>4} = {share:.2} %");
        assert!(share >= floor, "{field}: {share:.2} % agree, at least {floor} % did before");
    }
}

/// The corpus beside the repository.
fn corpus() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    assert!(
        root.join("mail").is_dir(),
        "THE OPEN TEST CORPUS IS ABSENT: put it at ../shared/corpus beside the repository; this test means nothing without it"
    );
    root
}

fn mails(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(mails(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn scan_in(bytes: &[u8], mut size: impl FnMut(usize) -> usize) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(size(rest.len()));
        scanner.feed(piece);
        rest = after;
    }
    scanner.finish()
}

/// Piece sizes: mostly tiny, so that every line end and boundary gets cut somewhere.
struct Cuts(u64);

impl Cuts {
    fn next(&mut self, left: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let most = if self.0 & 0x700 == 0 { 3000 } else { 7 };
        (1 + (self.0 >> 16) as usize % most).min(left)
    }
}

fn field_of(message: &Message, bytes: &[u8], field: &str) -> Value {
    let headline = &message.headline;
    match field {
        "subject" => collapse(&headline.subject).into(),
        "from" => addresses(&headline.from),
        "to" => addresses(&headline.to),
        "cc" => addresses(&headline.cc),
        "mid" => headline.message_id.clone().unwrap_or_default().into(),
        "date" => headline.date.into(),
        _ => leaves(message).map(|(at, part)| leaf(message, at, part, bytes, field)).collect(),
    }
}

/// Whether no text that says something is missing.
fn has_all(found: &Value, wanted: &Value) -> bool {
    let (nothing, found) = (hash(b""), found.as_array().unwrap());
    let mut texts = wanted.as_array().unwrap().iter().filter(|text| *text != "" && **text != nothing);
    texts.all(|text| found.contains(text))
}

/// The expected values enter mails inside the mail and do not list them; other containers they do not open.
fn leaves(message: &Message) -> impl Iterator<Item = (usize, &Part)> {
    message.headline.parts.iter().enumerate().filter(|(_, part)| !is_mail(part) && part.inside.is_none())
}

fn is_mail(part: &Part) -> bool {
    let mails = ["message/rfc822", "message/partial", "message/external-body"];
    mails.contains(&part.media_type.as_str()) && part.encoding == Encoding::Identity
}

fn addresses(people: &[Person]) -> Value {
    people.iter().filter_map(|person| person.address.as_deref()).map(str::to_lowercase).collect()
}

fn leaf(message: &Message, at: usize, part: &Part, bytes: &[u8], field: &str) -> String {
    let body = &bytes[part.offset as usize..(part.offset + part.length) as usize];
    let is_text = part.media_type.starts_with("text/");
    match field {
        "leaf_types" => part.media_type.clone(),
        "leaf_names" => part.name.clone().unwrap_or_default(),
        "leaf_sha" if !is_text => hash(&decoded(part, body)),
        "leaf_text" if is_text && has_files(message, at) => {
            hash(collapse(&String::from_utf8_lossy(&decoded(part, body))).as_bytes())
        }
        "leaf_text" if is_text => hash(collapse(&part.text(body)).as_bytes()),
        _ => String::new(),
    }
}

/// Uuencoded files in a text are parts of ours; the expected values leave them in the text.
fn has_files(message: &Message, at: usize) -> bool {
    let inside = message.headline.parts.iter().filter_map(|part| part.inside.as_ref());
    inside.into_iter().any(|inside| inside.parent as usize == at)
}

/// Decoded in two pieces, so that the stream is what is tested.
fn decoded(part: &Part, body: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(part.encoding);
    let mut out = Vec::new();
    let (first, second) = body.split_at(body.len() / 3);
    decoder.feed(first, &mut out);
    decoder.feed(second, &mut out);
    decoder.finish(&mut out);
    let mut unix = Vec::with_capacity(out.len());
    for (i, &byte) in out.iter().enumerate() {
        match byte {
            b'\r' if out.get(i + 1) == Some(&b'\n') => {}
            b'\r' => unix.push(b'\n'),
            byte => unix.push(byte),
        }
    }
    let white = |b: &u8| b" \t\n\r\x0b\x0c".contains(b);
    let start = unix.iter().position(|b| !white(b)).unwrap_or(unix.len());
    let end = unix.iter().rposition(|b| !white(b)).map_or(start, |at| at + 1);
    unix[start..end].to_vec()
}

fn hash(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// White space as the expected values have it: Unicode's, and the four separators of ASCII.
fn collapse(text: &str) -> String {
    let white = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    text.replace('\u{feff}', "").split(white).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
