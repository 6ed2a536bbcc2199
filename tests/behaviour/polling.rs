//! A mailbox that only speaks IMAP, at a real Dovecot: its mail becomes cases, each once, and is gone there only when
//! it is durable here, whatever happens to Postern, to the folder and to its numbers meanwhile.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tests::dovecot::{Dovecot, PASSWORD, TOKEN};
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX, PROCESSES};
use tests::postern::no_panic;
use tests::random::Random;
use tests::wait;

const AUTHSERV_ID: &str = "mx.beta.example";

/// Conversations, and mails of each.
const CASES: usize = 50;
const MAILS: usize = 200;

const KILLS: usize = 50;

/// What the poller logs in with.
enum Secret {
    Password,
    Token,
}

/// An installation that polls Beta's mailbox.
struct Scene {
    dovecot: Dovecot,
    installation: Installation,
}

impl Scene {
    fn set(lines: &str) -> Self {
        Self::with(lines, Secret::Password)
    }

    fn with(lines: &str, secret: Secret) -> Self {
        let installation = Installation::new(&Settings { level: "warn", ..Settings::default() });
        let tls = installation.home().join("tls");
        let dovecot = Dovecot::start(installation.folder(), &tls.join("server.pem"), &tls.join("server.key"));
        let (key, text) = match secret {
            Secret::Password => ("password", PASSWORD),
            Secret::Token => ("token", TOKEN),
        };
        private(&installation.home().join("beta-et.secret"), text);
        let poll = format!(
            "[[poll]]\nname = \"beta-et\"\ngroup = \"beta\"\nmailbox = \"{MAILBOX}\"\nhost = \"{}\"\n\
             ca = \"ca/ca.pem\"\nuser = \"{MAILBOX}\"\n{key} = {{ file = \"beta-et.secret\" }}\n\
             authserv_id = \"{AUTHSERV_ID}\"\n{lines}\n",
            dovecot.address()
        );
        let mut config = File::options().append(true).open(installation.config()).unwrap();
        config.write_all(poll.as_bytes()).unwrap();
        Self { dovecot, installation }
    }

    fn deliver(&mut self, mail: &[u8]) {
        self.dovecot.deliver(MAILBOX, mail);
    }

    fn inbox(&self) -> usize {
        self.dovecot.count(MAILBOX, "INBOX")
    }

    fn until_empty(&self) {
        let empty = || self.dovecot.is_empty(MAILBOX, "INBOX").then_some(());
        wait::until_within("an empty INBOX", 4 * wait::PATIENCE, empty);
    }

    /// References of all cases, with the number of mails in each.
    fn cases(&self) -> Vec<(String, u64)> {
        let listed = self.installation.json(["case", "list", "--process", PROCESSES[0], "--limit", "1000"]);
        let case = |case: &serde_json::Value| {
            (case["reference"].as_str().unwrap().to_owned(), case["messages"].as_u64().unwrap())
        };
        listed.as_array().unwrap().iter().map(case).collect()
    }
}

/// A failure is explained by what both sides wrote.
impl Drop for Scene {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}\n{}", self.installation.stderr(), self.dovecot.log());
        }
    }
}

fn private(path: &PathBuf, secret: &str) {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(secret.as_bytes()).unwrap();
}

/// A mail as Beta's server left it in the mailbox: the first of a conversation, or one that refers to the first.
fn mail(case: usize, number: usize) -> Vec<u8> {
    let id = |number: usize| format!("{case}.{number}@alpha.example");
    let mut letter = Letter::new(AMY, MAILBOX, "A transfer", &id(number));
    if number > 0 {
        letter.headers.push(format!("References: <{}>", id(0)));
    }
    letter.text = format!("Word {number} about matter {case}.\r\n").repeat(1 + number % 40);
    let said = format!(
        "Return-Path: <{AMY}>\r\nAuthentication-Results: {AUTHSERV_ID}; dkim=pass header.d=alpha.example\r\n"
    );
    [said.into_bytes(), letter.bytes()].concat()
}

#[test]
fn a_new_mail_is_a_case_at_once_and_gone_from_the_mailbox() {
    let mut scene = Scene::set("move_to = \"Done\"");
    let server = scene.installation.serve();
    scene.deliver(&mail(0, 0));
    wait::until_true("the first mail", || scene.cases().len() == 1);
    // Nothing but IDLE can be as quick as this waits: the next look is five minutes away.
    scene.deliver(&mail(1, 0));
    wait::until_true("the second mail", || scene.cases().len() == 2);
    wait::until_true("both moved", || scene.dovecot.count(MAILBOX, "Done") == 2);
    assert_eq!(scene.inbox(), 0);
    for (reference, _) in scene.cases() {
        let originals = scene.installation.originals(&reference);
        assert!(originals == [mail(0, 0)] || originals == [mail(1, 0)], "byte for byte");
    }
    server.stop();
}

#[test]
fn a_mailbox_is_read_with_an_access_token() {
    let mut scene = Scene::with("", Secret::Token);
    scene.deliver(&mail(0, 0));
    let server = scene.installation.serve();
    scene.until_empty();
    assert_eq!(scene.cases().len(), 1);
    assert!(scene.dovecot.log().contains("method=XOAUTH2"), "{}", scene.dovecot.log());
    server.stop();
}

#[test]
fn what_nobody_vouches_for_is_put_aside() {
    let mut scene = Scene::set("refused_to = \"Refused\"");
    let forged = Letter::new(AMY, MAILBOX, "A transfer", "forged@alpha.example").bytes();
    scene.deliver(&forged);
    // DMARC is content with SPF, which shows a server that others may share.
    let by_spf = format!(
        "Authentication-Results: {AUTHSERV_ID}; spf=pass; dkim=none; dmarc=pass header.from=alpha.example\r\n"
    );
    scene.deliver(
        &[by_spf.as_bytes(), &Letter::new(AMY, MAILBOX, "A transfer", "spf@alpha.example").bytes()].concat(),
    );
    scene.deliver(&mail(0, 0));
    let server = scene.installation.serve();
    scene.until_empty();
    assert_eq!((scene.dovecot.count(MAILBOX, "Refused"), scene.cases().len()), (2, 1));
    wait::until_true("health to say so", || {
        let health = scene.installation.json(["health"]);
        let poll = &health["polls"][0];
        poll["name"] == "beta-et" && poll["taken"] == 1 && poll["left"] == 2
    });
    server.stop();
}

#[test]
fn each_of_10_000_mails_is_taken_once_whatever_happens() {
    let seed = Random::seed();
    println!("POSTERN_SEED={seed}");
    let mut random = Random::seeded(seed);
    let mut scene = Scene::set("");
    let mut waiting = (0..MAILS).flat_map(|number| (0..CASES).map(move |case| (case, number)));
    for (case, number) in waiting.by_ref().take(CASES * MAILS / 10) {
        scene.deliver(&mail(case, number));
    }
    let began = Instant::now();
    let mut left = Vec::new();
    for kill in 0..KILLS {
        scene.deliver(&decoy(kill));
        let mut server = scene.installation.serve();
        // The moment is what is random here, not what is waited for.
        let moment = Instant::now() + Duration::from_millis(random.within(10, 3_000));
        if kill % 2 == 0 {
            meddle(&scene.dovecot, kill);
        }
        while let Some(rest) = moment.checked_duration_since(Instant::now()) {
            thread::park_timeout(rest);
        }
        if kill % 2 == 1 {
            meddle(&scene.dovecot, kill);
        }
        server.process.kill();
        left.push(scene.inbox());
        for (case, number) in waiting.by_ref().take(CASES * MAILS * 9 / 10 / KILLS) {
            scene.deliver(&mail(case, number));
        }
    }
    println!("left in the mailbox at each kill: {left:?}; {:?}", began.elapsed());
    let server = scene.installation.serve();
    scene.until_empty();
    println!("all taken after {:?}", began.elapsed());
    whole(&scene);
    scene.installation.audit_is_whole();
    println!("all are whole after {:?}", began.elapsed());
    server.stop();
    no_panic(&scene.installation.stderr());
}

/// What other clients of a mailbox do while it is polled: they expunge a mail of theirs and what is marked as deleted,
/// and now and then the server numbers everything anew.
fn meddle(dovecot: &Dovecot, kill: usize) {
    let expunge = |what: &[&str]| {
        let command = ["expunge", "-u", MAILBOX, "mailbox", "INBOX"];
        // Numbered anew in the same moment, it may not find what it looks for.
        dovecot.doveadm(&[&command[..], what].concat());
    };
    expunge(&["header", "Message-ID", &format!("decoy.{kill}@alpha.example")]);
    expunge(&["deleted"]);
    if kill % 5 == 4 {
        dovecot.renumber(MAILBOX);
    }
}

/// A mail that somebody expunges, perhaps before it is taken.
fn decoy(kill: usize) -> Vec<u8> {
    let mail = mail(CASES + kill, 0);
    let id = format!("{}.0@alpha.example", CASES + kill);
    String::from_utf8(mail).unwrap().replace(&id, &format!("decoy.{kill}@alpha.example")).into_bytes()
}

/// Every mail is in its case, byte for byte, once; a decoy is nowhere or in a case of its own.
fn whole(scene: &Scene) {
    let (cases, decoys): (Vec<_>, Vec<_>) = scene.cases().into_iter().partition(|(_, mails)| *mails > 1);
    println!("{} of {KILLS} decoys were taken before they were expunged", decoys.len());
    let installation = &scene.installation;
    let mut found: Vec<_> =
        decoys.iter().flat_map(|(reference, _)| installation.originals(reference)).collect();
    found.sort();
    found.dedup();
    assert_eq!(found.len(), decoys.len(), "a decoy was taken twice");
    assert!(found.iter().all(|mail| (0..KILLS).any(|kill| *mail == decoy(kill))));

    assert_eq!(cases.len(), CASES);
    assert!(cases.iter().all(|(_, mails)| *mails == MAILS as u64), "{cases:?}");
    thread::scope(|scope| {
        for part in cases.chunks(CASES.div_ceil(4)) {
            scope.spawn(move || part.iter().for_each(|(reference, _)| is_whole(installation, reference)));
        }
    });
}

fn is_whole(installation: &Installation, reference: &str) {
    let mut found = installation.originals(reference);
    let case = (0..CASES).find(|case| found.contains(&mail(*case, 0)));
    let case = case.unwrap_or_else(|| panic!("{reference} has no first mail"));
    let mut sent: Vec<_> = (0..MAILS).map(|number| mail(case, number)).collect();
    found.sort();
    sent.sort();
    assert!(found == sent, "{reference} does not hold the mails of matter {case}");
}
