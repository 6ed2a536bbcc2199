//! No word of a mail outside the sealed store: mails full of marks go in, are read, searched for, refused and cut off;
//! then notices, logs and every file of the data folder are searched for the marks in every form they could have.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use memchr::memmem;
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter};
use tests::market::{AMY, BEN, MAILBOX};
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

/// Marks, by where they stand in the mail. Each is long enough not to occur by chance in any form.
const MARKS: [(&str, &str); 10] = [
    ("subject", "Vexillographer-Quince"),
    ("author's name", "Zebedee Thrupplewick"),
    ("recipient's name", "Ottoline Marchbanks"),
    ("author's address", "zebedee.thrupplewick"),
    ("Message-ID", "mumpsimus.perihelion.4711"),
    ("text", "Gallimaufry and Taradiddle"),
    ("HTML", "Borborygmus Widdershins"),
    ("attachment's name", "Snollygoster-Absquatulate"),
    ("attachment's bytes", "Absquatulating Lollygagger"),
    ("meter point", "1200023305967"),
];

/// Without what the ledger has to know in the clear: where a notice about an answer goes.
fn sealed() -> Vec<(&'static str, &'static str)> {
    MARKS.into_iter().filter(|(place, _)| *place != "author's address").collect()
}

fn mark(place: &str) -> &'static str {
    MARKS.iter().find(|(name, _)| *name == place).map(|(_, word)| *word).expect("a mark")
}

fn marked(id: &str, filling: usize) -> Letter {
    let from = format!("\"{}\" <{}@alpha.example>", mark("author's name"), mark("author's address"));
    let to = format!("\"{}\" <{MAILBOX}>", mark("recipient's name"));
    let subject = format!("{} MPAN {}", mark("subject"), mark("meter point"));
    let mut letter = Letter::new(&from, &to, &subject, &format!("{}.{id}@alpha.example", mark("Message-ID")));
    letter.text = format!("{}\r\nMPAN {}\r\n", mark("text"), mark("meter point"));
    letter.html = Some(format!("<p>{}</p>", mark("HTML")));
    // Once at each position that base64 can cut it, and again and again.
    let words = mark("attachment's bytes").bytes().chain(*b"+-");
    let bytes = words.cycle().take(filling.max(200)).collect();
    letter.attachment = Some(Attachment { name: format!("{}.csv", mark("attachment's name")), bytes });
    letter
}

/// Every form in which a word may lie somewhere: as it is, in both cases, and encoded.
fn forms(word: &str) -> BTreeMap<String, Vec<u8>> {
    let mut forms = BTreeMap::new();
    let mut add = |name: &str, bytes: Vec<u8>| drop(forms.insert(name.to_owned(), bytes));
    for (case, word) in
        [("", word.to_owned()), (" lower", word.to_lowercase()), (" upper", word.to_uppercase())]
    {
        add(&format!("raw{case}"), word.clone().into_bytes());
        add(&format!("UTF-16LE{case}"), word.encode_utf16().flat_map(u16::to_le_bytes).collect());
        add(&format!("UTF-16BE{case}"), word.encode_utf16().flat_map(u16::to_be_bytes).collect());
        for offset in 0..3 {
            let shifted = [vec![0; offset], word.clone().into_bytes()].concat();
            // The first and last symbols hold bits of the neighbours.
            let inner = |text: String| {
                text.as_bytes()[if offset == 0 { 0 } else { 4 }..shifted.len() / 3 * 4].to_vec()
            };
            add(&format!("base64 at {offset}{case}"), inner(STANDARD.encode(&shifted)));
            add(&format!("base64url at {offset}{case}"), inner(URL_SAFE.encode(&shifted)));
        }
    }
    let each = |format: fn(u8) -> String| word.bytes().map(format).collect::<String>().into_bytes();
    add("hex", each(|byte| format!("{byte:02x}")));
    add("HEX", each(|byte| format!("{byte:02X}")));
    add("quoted-printable", each(|byte| format!("={byte:02X}")));
    add("percent", each(|byte| format!("%{byte:02X}")));
    add("list of numbers", each(|byte| format!("{byte}, ")));
    add("words joined", word.replace(' ', "+").into_bytes());
    forms
}

/// The marks found, as `mark (form)`.
pub(crate) fn found(bytes: &[u8], marks: &[(&str, &str)]) -> Vec<String> {
    let mut hits = Vec::new();
    for (place, word) in marks {
        for (form, needle) in forms(word) {
            if memmem::find(bytes, &needle).is_some() {
                hits.push(format!("{place} ({form})"));
            }
        }
    }
    hits
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

struct Stage {
    installation: Installation,
    sink: Sink,
    /// Where the server puts temporary files, if it does.
    scratch: PathBuf,
}

impl Stage {
    fn set() -> Self {
        let sink = Sink::start();
        let smarthost = sink.address.to_string();
        let installation = Installation::new(&Settings { smarthost, level: "trace", ..Settings::default() });
        let scratch = installation.folder().join("scratch");
        fs::create_dir(&scratch).unwrap();
        Self { installation, sink, scratch }
    }

    fn serve(&self) -> tests::postern::Server {
        let mut command = self.installation.serving();
        command.env("TMPDIR", &self.scratch);
        tests::postern::Server::start(command, &self.installation.stderr_file())
    }

    /// Nothing anywhere on the disk.
    fn disk_is_clean(&self, marks: &[(&str, &str)], when: &str) {
        let mut searched = 0;
        for file in [files(&self.installation.home()), files(&self.scratch)].concat() {
            let Ok(bytes) = fs::read(&file) else { continue };
            searched += bytes.len();
            let hits = found(&bytes, marks);
            assert!(hits.is_empty(), "{when}: {hits:?} in {}", file.display());
        }
        assert!(searched > 100_000, "{when}: only {searched} bytes were there to search");
    }

    fn log_is_clean(&self, marks: &[(&str, &str)]) {
        let log = self.installation.stderr();
        assert!(log.contains("DEBUG") || log.contains("TRACE"), "the most talkative level: {log}");
        let hits = found(log.as_bytes(), marks);
        assert!(hits.is_empty(), "{hits:?} in the log:\n{log}");
    }
}

#[test]
fn the_search_finds_what_is_there() {
    let letter = marked("control", 0);
    let hits = found(&letter.bytes(), &MARKS);
    for (place, _) in MARKS {
        assert!(hits.iter().any(|hit| hit.starts_with(place)), "{place} in {hits:?}");
    }
    let hits = found(&letter.bytes(), &[("attachment's bytes", mark("attachment's bytes"))]);
    let offsets = (0..3).filter(|offset| hits.iter().any(|hit| hit.contains(&format!("base64 at {offset}"))));
    assert_eq!(offsets.count(), 3, "{hits:?}");
    let wide: Vec<u8> = mark("text").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(found(&wide, &MARKS), ["text (UTF-16LE)"]);
    assert!(found(b"nothing of it", &MARKS).is_empty());
}

#[test]
fn no_word_of_a_read_mail_is_outside_the_seal() {
    let stage = Stage::set();
    let amy = stage.installation.password(AMY);
    let ben = stage.installation.password(BEN);
    let server = stage.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &amy).unwrap();
    let mails = [marked("small", 0).bytes(), marked("large", 3_000_000).bytes()];
    let cases: Vec<_> =
        mails.iter().map(|mail| smtp.deliver(AMY, &[MAILBOX], mail).unwrap().reference()).collect();
    // A second delivery, and a reply that names the first.
    smtp.deliver(AMY, &[MAILBOX], &mails[0]).unwrap();
    let mut further = marked("further", 0);
    further.headers.push(format!("In-Reply-To: <{}.small@alpha.example>", mark("Message-ID")));
    assert_eq!(smtp.deliver(AMY, &[MAILBOX], &further.bytes()).unwrap().reference(), cases[0]);

    // Read in every way there is.
    let mut reader = Visitor::signed_in(server.portal(), BEN, &ben);
    let token = reader.get("/search").text();
    let token =
        token.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let sought = reader.post("/search", &[("token", token), ("tag", mark("meter point"))]);
    assert!(
        cases.iter().all(|case| sought.text().contains(case.as_str())),
        "found by its tag: {}",
        sought.text()
    );
    for case in reader.get("/").links("/case/") {
        let page = reader.get(&case);
        assert!(page.text().contains(mark("text")));
        for path in page.links("/case/") {
            assert_eq!(reader.get(&path).status, 200, "{path}");
        }
    }
    wait::until_true("two notices", || stage.sink.mails().len() >= 2);

    let cookies: Vec<_> = reader.cookies().values().cloned().collect();
    assert!(cookies.iter().any(|cookie| cookie.len() >= 32), "{cookies:?}");
    let mut secrets = vec![("Amy's password", amy.as_str()), ("Ben's password", ben.as_str())];
    secrets
        .extend(cookies.iter().filter(|cookie| cookie.len() >= 32).map(|cookie| ("cookie", cookie.as_str())));
    let marks = [MARKS.to_vec(), secrets.clone()].concat();
    let sealed = [sealed(), secrets].concat();
    for notice in stage.sink.mails() {
        let hits = found(&notice.bytes, &marks);
        assert!(hits.is_empty(), "{hits:?} in a notice");
    }
    stage.disk_is_clean(&sealed, "while it runs");
    let said = server.process.stdout();
    assert!(found(said.as_bytes(), &marks).is_empty(), "{said}");
    server.stop();
    stage.disk_is_clean(&sealed, "after it ended");
    stage.log_is_clean(&marks);
    for (case, mail) in cases.iter().zip(&mails) {
        let original = stage.installation.originals(case).remove(0);
        assert_eq!(found(&original, &MARKS), found(mail, &MARKS), "with the key, every mark is there");
    }
}

#[test]
fn no_word_of_a_refused_mail_is_kept_or_logged() {
    let stage = Stage::set();
    let amy = stage.installation.password(AMY);
    let server = stage.serve();
    let foreign =
        String::from_utf8(marked("foreign", 3_000_000).bytes()).unwrap().replace("@alpha.", "@elsewhere.");
    let mut smtp = Smtp::login(server.submission(), AMY, &amy).unwrap();
    assert!(smtp.deliver(AMY, &[MAILBOX], foreign.as_bytes()).unwrap().is("550 5.7.1"));
    let unmapped = format!("{}@beta.example", mark("author's address"));
    let mail = marked("unmapped", 0).bytes();
    assert!(smtp.deliver(&unmapped, &[unmapped.as_str()], &mail).unwrap().is("550 5.7.1"));
    // A line that is no command, and a mail with a bare line end.
    let reply = smtp.command(&format!("X{} {}", mark("subject"), mark("text"))).unwrap();
    assert!(reply.code >= 500, "{reply:?}");
    let bare = [marked("bare", 0).bytes(), b"bare\nline\r\n".to_vec()].concat();
    let reply = smtp.deliver(AMY, &[MAILBOX], &bare).unwrap();
    assert!(reply.code >= 500, "{reply:?}");
    for (user, password) in [(mark("author's address"), mark("text")), (AMY, mark("HTML"))] {
        assert!(Smtp::login(server.submission(), user, password).is_err());
    }
    let mut visitor = Visitor::new(server.portal());
    visitor.get(&format!("/case/{}?{}", mark("Message-ID"), mark("Message-ID")));
    server.stop();
    stage.disk_is_clean(&MARKS, "after refusals");
    stage.log_is_clean(&MARKS);
}

#[test]
fn no_word_of_a_mail_that_was_cut_off_is_on_the_disk() {
    let stage = Stage::set();
    let amy = stage.installation.password(AMY);
    let mut server = stage.serve();
    let mut smtp = Smtp::login(server.submission(), AMY, &amy).unwrap();
    assert_eq!(smtp.begin(AMY, &[MAILBOX]).unwrap().code, 354);
    let mail = marked("cut", 8_000_000).bytes();
    let before = size(&stage);
    smtp.send(&mail).unwrap();
    wait::until_true("sealed chunks on the disk", || size(&stage) > before + 4_000_000);
    server.process.kill();
    stage.disk_is_clean(&MARKS, "killed in the middle of a mail");
    let server = stage.serve();
    assert_eq!(stage.installation.json(["case", "list"]).as_array().unwrap().len(), 0);
    server.stop();
    stage.disk_is_clean(&MARKS, "after the start that followed");
    stage.log_is_clean(&MARKS);
}

/// Bytes of the ledger's files.
fn size(stage: &Stage) -> u64 {
    files(stage.installation.data())
        .iter()
        .filter_map(|file| file.metadata().ok())
        .map(|data| data.len())
        .sum()
}
