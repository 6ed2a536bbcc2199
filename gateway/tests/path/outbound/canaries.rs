//! No word of a mail in any letter about it: ten thousand generated mails with a canary in every field walk the path, every
//! kind of letter that follows is made and sent, and its finished bytes, decoded and as they lie there, share no word of
//! four or more letters with any of the mails, beside the words that a letter about an empty mail has too.

use std::collections::BTreeSet;

use mail::{Budget, Envelope, Notify, Rcpt, ReversePath, Scanner};
use store::{Actor, Selection};

use super::Way;
use super::server::{Script, Server};
use crate::market::{Market, address, group};

const MAILS: usize = 10_000;
const AT_ONCE: usize = 250;

/// How every made-up word begins, and every made-up local part of an address: in letters that ids of ours do not have.
const WORD: &str = "quollu";
const LOCAL: &str = "luquol";

/// Words that people write. None of them is in a letter, unless a letter about an empty mail has it too.
const POOL: &str = "customer meter reading supplier erroneous transfer reply please regards attached spreadsheet \
    complaint refund payment balance account household disconnection emergency prepayment neighbour landlord \
    tenant engineer appointment warrant recovery objection contract tariff switching registration withdrawn confirmed \
    urgent yesterday tomorrow wrote original forward confidential disclaimer telephone signature department question \
    evidence photograph serial certificate opening closing estimate actual smart display ownership solicitor";

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn among(&mut self, count: usize) -> usize {
        usize::try_from(self.draw() % count as u64).unwrap()
    }

    fn letters(&mut self, front: &str) -> String {
        let letters = (0..8).map(|_| char::from(b'a' + u8::try_from(self.among(26)).unwrap()));
        format!("{front}{}", letters.collect::<String>())
    }

    fn word(&mut self) -> String {
        self.letters(WORD)
    }

    /// Made-up words and words of the pool, as a sentence.
    fn sentence(&mut self) -> String {
        let pool: Vec<&str> = POOL.split_whitespace().collect();
        let words = (0..4).map(|_| match self.among(2) {
            0 => self.word(),
            _ => pool[self.among(pool.len())].to_owned(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// Where a mail goes, and so which letters follow.
#[derive(Clone, Copy, PartialEq)]
enum Goes {
    /// Notice and receipt.
    Mailbox,
    /// Digest and receipt.
    Escalation,
    /// Letters about held mail, to both sides.
    Held,
    /// A delivery report.
    Outside,
}

struct Mail {
    from: String,
    to: String,
    bytes: String,
}

/// A mail with a word of its own in every field.
fn mail(random: &mut Random, way: Goes) -> Mail {
    let from = format!("{}@alpha.example", random.letters(LOCAL));
    let to = match way {
        Goes::Mailbox => "et@beta.example".to_owned(),
        Goes::Escalation => "et-esc1@beta.example".to_owned(),
        Goes::Held => format!("{}@beta.example", random.letters(LOCAL)),
        Goes::Outside => format!("{}@outside.example", random.letters(LOCAL)),
    };
    // What goes outside holds nothing personal, or it would not go.
    let tag = if way == Goes::Outside { "" } else { "MPAN 1200023305967" };
    let (one, two) = (random.word(), random.word());
    let (subject, text, quoted, html) =
        (random.sentence(), random.sentence(), random.sentence(), random.sentence());
    let (name, id, other, header) = (random.word(), random.word(), random.word(), random.word());
    let bytes = format!(
        "From: \"{one} {two}\" <{from}>\nTo: \"{name}\" <{to}>\nReply-To: {other} <{from}>\n\
         Message-ID: <{id}@alpha.example>\nReferences: <{other}@elsewhere.example>\nThread-Topic: {subject}\n\
         X-{header}: {header}\nComments: {one}\nKeywords: {two}\nOrganization: {one} Energy Ltd\n\
         Subject: [{other}] {subject} {tag}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"{id}\"\n\n\
         --{id}\nContent-Type: multipart/alternative; boundary=\"{id}a\"\n\n\
         --{id}a\nContent-Type: text/plain\n\n{text} {tag}\n\n> On Monday {one} {two} wrote:\n> {quoted}\n\
         --{id}a\nContent-Type: text/html\n\n<p title=\"{name}\">{html}</p><!-- {header} -->\n--{id}a--\n\
         --{id}\nContent-Type: text/csv; name=\"{name}.csv\"\n\
         Content-Disposition: attachment; filename=\"{name}.csv\"\n\n{two},{header},{quoted}\n--{id}--\n"
    );
    Mail { from, to, bytes }
}

/// Runs of letters and digits, in lower case, that hold at least four letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    let long = |word: &&str| word.chars().filter(|c| c.is_alphabetic()).count() >= 4;
    text.split(|c: char| !c.is_alphanumeric()).filter(long).map(str::to_lowercase)
}

/// A letter in every form: the bytes, what a reader sees, and each part decoded. Without the addresses of whom it is for
/// and whom it is about, which are typed values.
fn forms(letter: &[u8]) -> String {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(letter);
    let message = scanner.finish();
    let mut all = String::from_utf8_lossy(letter).replace("=\r\n", "");
    all.push_str(&message.headline.subject);
    all.push('\n');
    all.push_str(&message.text);
    for part in &message.headline.parts {
        let (start, length) = (usize::try_from(part.offset).unwrap(), usize::try_from(part.length).unwrap());
        let (mut decoder, mut body) = (part.decoder(), Vec::new());
        decoder.feed(&letter[start..start + length], &mut body);
        decoder.finish(&mut body);
        all.push('\n');
        all.push_str(&String::from_utf8_lossy(&body));
    }
    let all = all.to_lowercase();
    let to = message.headline.to.iter().filter_map(|person| person.address.clone());
    let about =
        all.split("final-recipient: rfc822;").skip(1).filter_map(|rest| rest.split_whitespace().next());
    let addresses: Vec<String> = to.chain(about.map(str::to_owned)).collect();
    addresses.iter().fold(all, |all, address| all.replace(&address.to_lowercase(), " "))
}

/// What a letter shares with the mails.
fn shared(letter: &[u8], mails: &BTreeSet<String>, allowed: &BTreeSet<String>) -> Vec<String> {
    let text = forms(letter);
    let mut shared: Vec<String> =
        words(&text).filter(|word| mails.contains(word) && !allowed.contains(word)).collect();
    shared.extend([WORD, LOCAL].into_iter().filter(|mark| text.contains(mark)).map(str::to_owned));
    shared
}

struct Stage {
    market: Market,
    /// Words of all mails so far.
    mails: BTreeSet<String>,
    letters: Vec<Vec<u8>>,
}

impl Stage {
    /// Hands in one mail.
    async fn send(&mut self, mail: &Mail) {
        self.mails.extend(words(&mail.bytes));
        let recipient = Rcpt { notify: Notify::Default, ..Rcpt::from(address(&mail.to)) };
        let envelope = Envelope {
            recipients: vec![recipient],
            ..Envelope::plain(ReversePath::Address(address(&mail.from)), Vec::new())
        };
        let bytes = mail.bytes.replace('\n', "\r\n");
        let taken = self.market.pass(envelope, bytes.as_bytes()).await;
        assert!(taken.is_ok(), "{taken:?}: {bytes}");
    }

    /// Lets every letter that is due go out, and takes note of it. What passes on is refused by the other server, so that its
    /// sender gets a report.
    async fn deliver(&mut self) {
        let relays = self.market.jobs("relay").await.len() as u64;
        if relays > 0 {
            let refusing = Script {
                replies: [("RCPT".to_owned(), "550 5.1.1 no such user\r\n".to_owned())].into(),
                ..Script::default()
            };
            let server = Server::open(refusing).await;
            let over = async {
                while !self.market.jobs("relay").await.is_empty() {
                    tokio::task::yield_now().await;
                }
            };
            Way::to(server.port).work(&self.market, over).await;
        }
        self.empty_the_queue().await;
        let alpha = group("alpha");
        for held in self.market.ledger.held(&alpha, None, 100).await.unwrap().mails {
            assert_eq!(self.market.ledger.return_held(&Actor::Portal, &alpha, held.id).await, Ok(true));
        }
        self.empty_the_queue().await;
    }

    async fn empty_the_queue(&mut self) {
        // A digest is due at midnight, what the other server refused at nobody's.
        self.market.ledger.retry_jobs(&Actor::Tool, &Selection::All).await.unwrap();
        let due = self.market.ledger.jobs().await.unwrap().len();
        let server = Server::open(Script::default()).await;
        Way::to(server.port).work(&self.market, server.has_taken(due)).await;
        self.letters.extend(server.mails());
    }

    async fn walk(&mut self, random: &mut Random, mails: usize) {
        for number in 0..mails {
            let way = match number % 10 {
                0..=3 => Goes::Mailbox,
                4..=6 => Goes::Escalation,
                7 | 8 => Goes::Held,
                _ => Goes::Outside,
            };
            let mail = mail(random, way);
            self.send(&mail).await;
        }
        self.deliver().await;
    }
}

/// What letters about empty mails say: words of the templates, typed values, fields of the header.
async fn allowed() -> BTreeSet<String> {
    let market = Market::sending().await;
    let mut stage = Stage { market, mails: BTreeSet::new(), letters: Vec::new() };
    for (to, text) in [
        ("et@beta.example", "ok"),
        ("et-esc1@beta.example", "ok"),
        ("jo@beta.example", "MPAN 1200023305967"),
        ("jo@outside.example", "ok"),
    ] {
        let (from, to) = ("ann@alpha.example".to_owned(), to.to_owned());
        let bytes = format!("From: {from}\nMessage-ID: <{to}>\n\n{text}\n");
        stage.send(&Mail { from, to, bytes }).await;
    }
    stage.deliver().await;
    assert!(stage.letters.len() >= 6, "{} letters", stage.letters.len());
    let mut allowed: BTreeSet<String> =
        stage.letters.iter().flat_map(|letter| words(&forms(letter)).collect::<Vec<_>>()).collect();
    let dates = "january february march april june july august september october november december \
                 monday tuesday wednesday thursday friday saturday sunday cases";
    allowed.extend(words(dates));
    allowed
}

#[tokio::test(flavor = "multi_thread")]
async fn no_letter_shares_a_word_with_ten_thousand_mails() {
    let allowed = allowed().await;
    let mut random = Random(4);
    let mails = std::env::var("POSTERN_CANARIES").ok().and_then(|count| count.parse().ok()).unwrap_or(MAILS);
    let (mut letters, mut kinds) = (0, BTreeSet::new());
    let mut stage = Stage { market: Market::sending().await, mails: BTreeSet::new(), letters: Vec::new() };
    for _ in 0..mails.div_ceil(AT_ONCE) {
        stage.walk(&mut random, AT_ONCE).await;
        for letter in std::mem::take(&mut stage.letters) {
            let shared = shared(&letter, &stage.mails, &allowed);
            assert!(shared.is_empty(), "{shared:?} in {}", String::from_utf8_lossy(&letter));
            letters += 1;
            kinds.insert(kind(&letter));
        }
        assert!(stage.market.ledger.alarms().await.unwrap().is_empty(), "no false alarm either");
    }
    assert_eq!(
        kinds.into_iter().collect::<Vec<_>>(),
        ["digest", "held", "notice", "receipt", "report", "returned"]
    );
    println!(
        "{mails} mails, {letters} letters, {} words, {} of them allowed",
        stage.mails.len(),
        allowed.len()
    );
}

/// Which kind of letter it is, by words that only its template has.
fn kind(letter: &[u8]) -> &'static str {
    let text = forms(letter);
    let marks = [
        ("report", "final-recipient"),
        ("digest", "waiting for you"),
        ("returned", "was not let through"),
        ("held", "is held because"),
        ("receipt", "secured"),
    ];
    let found = marks
        .into_iter()
        .find(|(_, mark)| text.contains(mark) && (*mark != "waiting for you" || text.contains("digest")));
    found.map_or("notice", |(kind, _)| kind)
}

/// Each of these is a letter that a template could make, if it could hold what it must not.
#[tokio::test]
async fn the_comparison_finds_a_word_that_leaks() {
    let allowed = allowed().await;
    let mut random = Random(5);
    let mail = mail(&mut random, Goes::Mailbox);
    let mails: BTreeSet<String> = words(&mail.bytes).collect();
    let letter = |subject: &str, body: &str| {
        format!(
            "From: notices@postern.example\r\nTo: et@beta.example\r\nSubject: {subject}\r\n\r\n{body}\r\n"
        )
        .into_bytes()
    };
    let word = words(&mail.bytes).find(|word| word.starts_with(WORD)).unwrap();
    let pool =
        words(&mail.bytes).find(|word| POOL.contains(word.as_str()) && !allowed.contains(word)).unwrap();
    assert_eq!(shared(&letter("Case K7Q-4M2X", "A message is waiting for you."), &mails, &allowed), [""; 0]);
    for leak in [&word, &pool, &word.to_uppercase()] {
        assert_ne!(shared(&letter(leak, "x"), &mails, &allowed), [""; 0], "{leak}");
        assert_ne!(shared(&letter("x", leak), &mails, &allowed), [""; 0], "{leak}");
        let coded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, leak);
        let body = format!("Content-Transfer-Encoding: base64\r\n\r\n{coded}");
        let mail = [b"X-A: b\r\n".as_slice(), body.as_bytes()].concat();
        assert_ne!(shared(&mail, &mails, &allowed), [""; 0], "{leak}");
    }
}
