//! What becomes of mails: taken once, removed there, or put aside.

use gateway::imap::{After, Fault, Folder, Limits, Login, Standing};
use gateway::smtp::Refusal;
use mail::ReversePath;

use crate::papers::{Flaw, Papers};
use crate::server::{ImapServer, Manners, TOKEN};
use crate::shelf::Shelf;
use crate::{Running, USER, mailbox};

/// A server with some mails, and a poller's mailbox there.
pub(crate) struct Scene {
    pub(crate) papers: Papers,
    pub(crate) shelf: Shelf,
    pub(crate) server: ImapServer,
}

impl Scene {
    pub(crate) async fn open() -> Self {
        let (papers, shelf) = (Papers::new(), Shelf::default());
        let server = ImapServer::start(&papers.identity(Flaw::None), &shelf).await;
        Self { papers, shelf, server }
    }

    pub(crate) fn mailbox(&self) -> gateway::imap::Mailbox {
        mailbox(&self.papers, self.server.port)
    }

    pub(crate) fn deliver(&self, mail: &[u8]) {
        self.server.deliver(mail);
    }

    pub(crate) fn manners(&self, change: impl FnOnce(&mut Manners)) {
        self.server.change(|state| change(&mut state.manners));
    }

    /// Waits until so many mails are taken, and the poller says that it has nothing more to do.
    pub(crate) async fn quiet(&self, mails: usize) {
        self.shelf
            .until("all taken, and watching", |shelf| {
                let contents = shelf.contents();
                let told = contents.saved.get("transfers").is_some_and(|saved| {
                    saved.report.standing == Standing::Watching && saved.report.taken >= mails as u64
                });
                told && contents.mails.len() == mails
            })
            .await;
    }

    /// Nothing was removed that did not stand here.
    pub(crate) fn nothing_lost(&self) {
        assert!(self.server.state().lost.is_empty(), "removed before it was durable");
    }
}

/// A mail of about this length.
pub(crate) fn mail(number: usize, length: usize) -> Vec<u8> {
    let head = format!("Return-Path: <jo@alpha.example>\r\nMessage-ID: <{number}@alpha.example>\r\n\r\n");
    let line = format!("line of mail {number}\r\n");
    (head + &line.repeat(length / line.len() + 1)).into_bytes()
}

#[tokio::test]
async fn mails_are_taken_and_removed() {
    let scene = Scene::open().await;
    let mails: Vec<_> = (0..120).map(|number| mail(number, number * 50)).collect();
    mails.iter().for_each(|mail| scene.deliver(mail));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(120).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails, mails, "each once, in order, by the letter");
    assert!(scene.server.inbox().is_empty());
    scene.nothing_lost();
    let contents = scene.shelf.contents();
    let saved = contents.saved["transfers"];
    assert_eq!(saved.state.unwrap().last_uid, 120);
    assert_eq!((saved.report.taken, saved.report.left, contents.again), (120, 0, 0));
    assert!(contents.saves < 12, "{} writes for 120 mails", contents.saves);
    let (from, envelope) = &contents.envelopes[0];
    assert_eq!((from.mailbox.as_str(), from.address.to_string().as_str()), ("transfers", USER));
    assert_eq!(from.authserv_id.as_deref(), Some("mx.beta.example"));
    assert_eq!(envelope.recipients[0].address, from.address);
    assert!(matches!(&envelope.reverse_path, ReversePath::Address(path) if path.local() == "jo"));
}

#[tokio::test]
async fn the_same_mail_twice_is_one() {
    let scene = Scene::open().await;
    [0, 1, 0, 0].into_iter().for_each(|number| scene.deliver(&mail(number, 10)));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(2).await;
    running.end().await;
    assert_eq!((scene.shelf.contents().again, scene.server.inbox().len()), (2, 0));
}

#[tokio::test]
async fn a_large_mail_comes_in_pieces() {
    let scene = Scene::open().await;
    // The last one ends where a piece does.
    let mails = [mail(0, 300_000), mail(1, 1_500_000), mail(2, 600_000)[..512 * 1024].to_vec()];
    let mut last = mails[2].clone();
    let end = last.len() - 2;
    last[end..].copy_from_slice(b"\r\n");
    for mail in [&mails[0], &mails[1], &last] {
        scene.server.deliver(mail);
    }
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(3).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails, [mails[0].clone(), mails[1].clone(), last]);
    scene.nothing_lost();
}

#[tokio::test]
async fn a_server_that_lies_about_sizes_loses_nothing() {
    let lies: [fn(usize) -> u64; 4] = [|_| 0, |_| 1, |size| size as u64 * 3, |size| size as u64 / 2];
    for lie in lies {
        let scene = Scene::open().await;
        scene.manners(|manners| manners.size = lie);
        let mails = [mail(0, 10), mail(1, 700_000), mail(2, 262_144)];
        mails.iter().for_each(|mail| scene.deliver(mail));
        let running = Running::start(&scene.shelf, scene.mailbox());
        scene.quiet(3).await;
        running.end().await;
        assert_eq!(scene.shelf.contents().mails, mails);
        scene.nothing_lost();
    }
}

#[tokio::test]
async fn mails_are_moved_where_the_configuration_says() {
    for capabilities in ["IMAP4rev1 AUTH=PLAIN MOVE UIDPLUS", "IMAP4rev1 AUTH=PLAIN UIDPLUS"] {
        let scene = Scene::open().await;
        scene.manners(|manners| manners.capabilities = capabilities.to_owned());
        (0..3).for_each(|number| scene.deliver(&mail(number, 10)));
        let mut mailbox = scene.mailbox();
        mailbox.after = After::MoveTo(Folder::parse("Done").unwrap());
        let running = Running::start(&scene.shelf, mailbox);
        scene.quiet(3).await;
        running.end().await;
        let state = scene.server.state();
        assert_eq!((state.folders["INBOX"].mails.len(), state.folders["Done"].mails.len()), (0, 3));
    }
}

#[tokio::test]
async fn without_uidplus_nothing_is_expunged() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.capabilities = "IMAP4rev1".to_owned());
    // Somebody marked this one as deleted, and may think better of it.
    scene.server.deliver(&mail(0, 10));
    scene.server.change(|state| {
        let mails = &mut state.folders.get_mut("INBOX").unwrap().mails;
        mails.get_mut(&1).unwrap().flags.push("\\Deleted".to_owned());
    });
    scene.server.deliver(&mail(1, 10));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(2).await;
    running.end().await;
    assert_eq!(scene.server.inbox(), [1, 2]);
    assert!(scene.server.log().iter().all(|command| !command.contains("EXPUNGE") && command != "CLOSE"));
    assert!(scene.server.state().folders["INBOX"].mails[&2].flags.contains(&"\\Deleted".to_owned()));
    // The next start does not take them again.
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.server.deliver(&mail(2, 10));
    scene.quiet(3).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().again, 0);
}

#[tokio::test]
async fn what_cannot_be_taken_is_put_aside_and_the_next_goes_on() {
    let refused = [
        b"Subject: refuse me\r\n\r\n".to_vec(),
        b"Subject: refuse me, mixed\r\n\n.\r\n".to_vec(),
        b"Subject: refuse me\r\n\r\nNUL \0\r\n".to_vec(),
        [b"Subject: refuse me, large\r\n".to_vec(), mail(0, 5_000_000)].concat(),
    ];
    for folder in [None, Some(Folder::parse("Refused").unwrap())] {
        let scene = Scene::open().await;
        refused.iter().for_each(|mail| scene.deliver(mail));
        scene.server.deliver(&mail(9, 10));
        let mut mailbox = scene.mailbox();
        mailbox.refused_folder = folder.clone();
        let running = Running::start(&scene.shelf, mailbox.clone());
        scene.quiet(1).await;
        running.end().await;
        let aside = if folder.is_some() { "Refused" } else { "INBOX" };
        {
            let state = scene.server.state();
            let mut mails = state.folders[aside].mails.values();
            assert!(refused.iter().all(|mail| mails.next().unwrap().octets == *mail));
            let marked = state.folders["INBOX"].mails.values();
            assert!(marked.into_iter().all(|mail| mail.flags == ["$PosternRefused"]), "{aside}");
        }
        assert_eq!(scene.shelf.contents().saved["transfers"].report.left, 4);
        // Numbered anew, they are known by their keyword, and not even fetched.
        scene.server.change(|state| {
            state.folders.get_mut("INBOX").unwrap().uid_validity = 8;
            state.log.clear();
        });
        let running = Running::start(&scene.shelf, mailbox);
        scene.server.deliver(&mail(10, 10));
        scene.quiet(2).await;
        running.end().await;
        assert_eq!(scene.server.log().iter().filter(|line| line.contains("BODY.PEEK")).count(), 1);
    }
}

#[tokio::test]
async fn what_is_only_watched_is_left_as_if_nobody_had_looked() {
    let scene = Scene::open().await;
    scene.deliver(b"Subject: watch me\r\n\r\nhello\r\n");
    scene.server.deliver(&mail(9, 10));
    let mut mailbox = scene.mailbox();
    mailbox.refused_folder = Some(Folder::parse("Refused").unwrap());
    let running = Running::start(&scene.shelf, mailbox);
    scene.quiet(1).await;
    running.end().await;
    let state = scene.server.state();
    let left: Vec<_> = state.folders["INBOX"].mails.values().collect();
    assert!(left.len() == 1 && left[0].flags.is_empty(), "{} mails", left.len());
    assert!(!state.folders.contains_key("Refused") || state.folders["Refused"].mails.is_empty());
    assert_eq!(scene.shelf.contents().saved["transfers"].report.left, 0);
}

#[tokio::test]
async fn what_is_too_large_by_the_servers_word_is_not_fetched() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.size = |size| if size < 100 { 5_000_000_000 } else { size as u64 });
    scene.server.deliver(b"Subject: refuse me\r\n\r\n");
    scene.server.deliver(&mail(1, 200));
    let mut mailbox = scene.mailbox();
    mailbox.limits = Limits { message: 1000, ..mailbox.limits };
    let running = Running::start(&scene.shelf, mailbox);
    scene.quiet(1).await;
    running.end().await;
    assert!(scene.server.log().iter().all(|line| !line.contains("UID FETCH 1 (UID BODY")));
}

#[tokio::test]
async fn line_ends_of_one_form_become_crlf() {
    let scene = Scene::open().await;
    scene.server.deliver(b"Subject: unix\n\nbody\n");
    scene.server.deliver(b"Subject: no end\r\n\r\nbody");
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(2).await;
    running.end().await;
    let expected: [&[u8]; 2] = [b"Subject: unix\r\n\r\nbody\r\n", b"Subject: no end\r\n\r\nbody\r\n"];
    assert_eq!(scene.shelf.contents().mails, expected);
}

#[tokio::test]
async fn a_mail_that_cannot_be_judged_now_waits_and_holds_nobody_up() {
    let scene = Scene::open().await;
    scene.shelf.change(|contents| contents.refusals.push(Refusal::Unavailable("no DNS".to_owned())));
    let mails = [mail(0, 10), mail(1, 10)];
    mails.iter().for_each(|mail| scene.deliver(mail));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("one waits", |shelf| shelf.fault() == Some(Fault::Undecided)).await;
    assert_eq!(scene.shelf.contents().mails, mails[1..]);
    assert_eq!(scene.shelf.contents().saved["transfers"].state.unwrap().last_uid, 0, "not passed");
    scene.server.deliver(&mail(2, 10));
    scene.quiet(3).await;
    running.end().await;
    assert_eq!(scene.shelf.missing(&mails), 0);
    scene.nothing_lost();
}

#[tokio::test]
async fn when_nothing_can_be_judged_the_rest_is_not_even_fetched() {
    let scene = Scene::open().await;
    let mails: Vec<_> = (0..200).map(|number| mail(number, 10)).collect();
    mails.iter().for_each(|mail| scene.deliver(mail));
    let outage = Refusal::Unavailable("no DNS".to_owned());
    scene.shelf.change(|contents| contents.refusals = vec![outage; 200]);
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("they wait", |shelf| shelf.fault() == Some(Fault::Undecided)).await;
    let left = scene.shelf.contents().refusals.len();
    assert!(left > 150, "{} of 200 were fetched", 200 - left);
    scene.shelf.change(|contents| contents.refusals.clear());
    scene.deliver(&mail(200, 10));
    scene.quiet(201).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails[..200], mails, "in their order");
    scene.nothing_lost();
}

#[tokio::test]
async fn a_full_store_stops_the_poller_and_nothing_is_removed() {
    let scene = Scene::open().await;
    scene.shelf.change(|contents| contents.refusals = vec![Refusal::StoreFull; 3]);
    (0..4).for_each(|number| scene.deliver(&mail(number, 10)));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("full", |shelf| shelf.fault() == Some(Fault::StoreFull)).await;
    scene.quiet(4).await;
    running.end().await;
    scene.nothing_lost();
    let orders: Vec<_> = scene.shelf.contents().mails.clone();
    assert_eq!(orders, (0..4).map(|number| mail(number, 10)).collect::<Vec<_>>(), "in their order");
}

#[tokio::test]
async fn a_token_is_read_anew_for_each_login() {
    let scene = Scene::open().await;
    let file = scene.papers.file("token");
    std::fs::write(&file, "token-of-yesterday\n").unwrap();
    let mut mailbox = scene.mailbox();
    mailbox.login = Login::XOAuth2 { user: USER.to_owned(), token_file: file.clone() };
    scene.server.deliver(&mail(0, 10));
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("refused", |shelf| shelf.fault() == Some(Fault::LoginRefused)).await;
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    scene.quiet(1).await;
    running.end().await;
}

#[tokio::test]
async fn a_sparse_folder_is_gone_through_in_few_steps() {
    let scene = Scene::open().await;
    let mut mails = Vec::new();
    for (number, uid) in [5, 700, 900_000, 900_001, 3_000_000].into_iter().enumerate() {
        scene.server.change(|state| state.folders.get_mut("INBOX").unwrap().uid_next = uid);
        mails.push(mail(number, 10));
        assert_eq!(scene.server.deliver(&mails[number]), uid);
    }
    for tells in [true, false] {
        let (shelf, server) = (Shelf::default(), &scene.server);
        server.change(|state| {
            state.manners.tells_uid_next = tells;
            state.manners.refuses = vec!["UID STORE"];
            state.log.clear();
        });
        let running = Running::start(&shelf, scene.mailbox());
        shelf.until("all", |shelf| shelf.contents().mails.len() == 5).await;
        running.end().await;
        assert_eq!(shelf.contents().mails, mails);
        let listings = server.log().iter().filter(|line| line.contains("RFC822.SIZE")).count();
        assert!(listings < 100, "{listings} listings");
    }
}
