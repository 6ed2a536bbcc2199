//! A server that fails or means ill while mails are taken: each mail is taken once, and no text of the server's shows.

use gateway::imap::Fault;

use crate::Running;
use crate::taking::{Scene, mail};

#[tokio::test]
async fn a_mail_removed_in_the_middle_is_forgotten() {
    let scene = Scene::open().await;
    let mails = [mail(0, 10), mail(1, 700_000), mail(2, 10)];
    mails.iter().for_each(|mail| scene.deliver(mail));
    scene.manners(|manners| manners.vanishes = Some(2));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("one is missing", |shelf| shelf.fault() == Some(Fault::Undecided)).await;
    scene.server.deliver(&mail(3, 10));
    scene.quiet(3).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails, [mail(0, 10), mail(2, 10), mail(3, 10)]);
    scene.nothing_lost();
}

#[tokio::test]
async fn a_folder_numbered_anew_is_taken_once() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.refuses = vec!["UID STORE"]);
    let mails: Vec<_> = (0..20).map(|number| mail(number, 10)).collect();
    mails.iter().for_each(|mail| scene.deliver(mail));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("all taken", |shelf| shelf.fault() == Some(Fault::NotMarked)).await;
    running.end().await;
    scene.server.change(|state| {
        state.manners.refuses.clear();
        let inbox = state.folders.get_mut("INBOX").unwrap();
        inbox.uid_validity = 99;
        inbox.mails = std::mem::take(&mut inbox.mails)
            .into_values()
            .zip(1..)
            .map(|(mail, uid)| (uid + 40, mail))
            .collect();
        inbox.uid_next = 61;
    });
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(20).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails, mails);
    assert_eq!(scene.shelf.contents().again, 20, "known by what they are, not by their number");
    assert!(scene.server.inbox().is_empty());
}

#[tokio::test]
async fn a_number_that_changes_under_way_ends_the_session_before_anything_is_marked() {
    let scene = Scene::open().await;
    (0..3).for_each(|number| scene.deliver(&mail(number, 10)));
    scene.manners(|manners| manners.before = vec![("UID STORE", b"* OK [UIDVALIDITY 8] anew\r\n".to_vec())]);
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Renumbered)).await;
    running.end().await;
    assert!(scene.server.log().iter().all(|line| !line.contains("EXPUNGE")));
}

#[tokio::test]
async fn a_read_only_mailbox_is_taken_once_and_told() {
    let scene = Scene::open().await;
    scene.manners(|manners| manners.refuses = vec!["UID STORE"]);
    let mails: Vec<_> = (0..130).map(|number| mail(number, 10)).collect();
    mails[..100].iter().for_each(|mail| scene.deliver(mail));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("not marked", |shelf| shelf.fault() == Some(Fault::NotMarked)).await;
    mails[100..].iter().for_each(|mail| scene.deliver(mail));
    scene.shelf.until("the rest", |shelf| shelf.contents().mails.len() == 130).await;
    assert_eq!(scene.shelf.contents().again, 0);
    assert!(scene.shelf.contents().stopped.contains(&Fault::NotMarked));
    // The rights are given, and everything is removed.
    scene.manners(|manners| manners.refuses.clear());
    scene.server.deliver(&mail(500, 10));
    scene.quiet(131).await;
    running.end().await;
    assert!(scene.server.inbox().is_empty());
    scene.nothing_lost();
}

#[tokio::test]
async fn connections_cut_anywhere_lose_nothing_and_take_nothing_twice() {
    let scene = Scene::open().await;
    let mails: Vec<_> = (0..40).map(|number| mail(number, 3000)).collect();
    mails.iter().for_each(|mail| scene.deliver(mail));
    let places: [(&str, &[usize]); 9] = [
        ("AUTHENTICATE", &[0, 5]),
        ("CAPABILITY", &[0, 7]),
        ("SELECT", &[0, 30]),
        ("UID FETCH 1:", &[0, 100, 2000]),
        ("UID FETCH 1,2,", &[0, 20, 1500, 4000, 70_000]),
        ("UID FETCH 4,5,", &[0, 20, 1500]),
        ("UID STORE", &[0, 3]),
        ("UID EXPUNGE", &[0, 4]),
        ("IDLE", &[0, 3]),
    ];
    scene.manners(|manners| {
        for (command, at) in places {
            manners.cuts.extend(at.iter().map(|at| (command, *at)));
        }
    });
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(40).await;
    running.end().await;
    assert_eq!(scene.shelf.missing(&mails), 0);
    assert!(scene.server.inbox().is_empty());
    scene.nothing_lost();
}

#[tokio::test]
async fn mails_that_come_in_another_order_are_all_taken_although_the_connection_breaks() {
    let scene = Scene::open().await;
    let mails: Vec<_> = (0..10).map(|number| mail(number, 3000)).collect();
    mails.iter().for_each(|mail| scene.deliver(mail));
    scene.manners(|manners| {
        manners.backwards = true;
        manners.cuts = vec![("UID FETCH 1,2,", 15_000)];
    });
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.quiet(10).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails[0], mails[9], "the last one came first");
    assert_eq!(scene.shelf.missing(&mails), 0);
    assert!(scene.server.inbox().is_empty());
    scene.nothing_lost();
}

#[tokio::test]
async fn whatever_a_server_adds_is_dropped_or_ends_the_connection() {
    let harmless: [&[u8]; 7] = [
        b"* LIST () \"/\" {7}\r\n<a>\r\nxx\r\n",
        b"* OK [ALERT]\xc3\xa9 you have won\r\n",
        b"* ID (\"a\" NIL)\r\n",
        b"* METADATA \"\" (/shared/\xe9 \"x\")\r\n",
        b"* 9 FETCH (FLAGS (\\Seen) UID 4711)\r\n",
        b"* NO [REFERRAL imap://evil.example/] elsewhere\r\n",
        b"* 1 EXPUNGE\r\n",
    ];
    for text in harmless {
        let scene = Scene::open().await;
        scene.server.deliver(&mail(0, 10));
        scene.manners(|manners| manners.before = vec![("UID FETCH", text.to_vec())]);
        let running = Running::start(&scene.shelf, scene.mailbox());
        scene.quiet(1).await;
        running.end().await;
        scene.nothing_lost();
    }
    let deep = [b"* 1 FETCH (BODYSTRUCTURE ".as_slice(), &[b'('; 10_000], b"\r\n"].concat();
    let flood = b"* 5 EXISTS\r\n".repeat(200_000);
    let bomb = b"* 1 FETCH (UID 1 BODY[]<0> {4294967295}\r\n".to_vec();
    let nil = b"* 1 FETCH (INTERNALDATE NIL)\r\n".to_vec();
    let long = [b"* OK ".as_slice(), &[b'x'; 100_000]].concat();
    let early = b"A0001 OK early\r\n".to_vec();
    let other = b"* 1 FETCH (UID 77 BODY[]<0> {3}\r\nabc)\r\n".to_vec();
    for text in [deep, flood, bomb, nil, long, early, other] {
        // One mail is asked for by itself, two are asked for together.
        for (mails, command) in [(1, "UID FETCH 1 "), (2, "UID FETCH 1,2 ")] {
            let scene = Scene::open().await;
            (0..mails).for_each(|number| scene.deliver(&mail(number, 10)));
            scene.manners(|manners| manners.before = vec![(command, text.clone())]);
            let running = Running::start(&scene.shelf, scene.mailbox());
            scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Protocol)).await;
            // It goes on as soon as the server behaves.
            scene.manners(|manners| manners.before.clear());
            scene.quiet(mails).await;
            running.end().await;
            scene.nothing_lost();
        }
    }
}

#[tokio::test]
async fn a_goodbye_is_followed_by_another_try() {
    let scene = Scene::open().await;
    scene.server.deliver(&mail(0, 10));
    scene.manners(|manners| manners.before = vec![("SELECT", b"* BYE maintenance\r\n".to_vec())]);
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene.shelf.until("waiting", |shelf| shelf.fault() == Some(Fault::Closed)).await;
    scene.manners(|manners| manners.before.clear());
    scene.quiet(1).await;
    running.end().await;
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_told() {
    let scene = Scene::open().await;
    let mut mailbox = scene.mailbox();
    mailbox.folder = gateway::imap::Folder::parse("Nowhere").unwrap();
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("told", |shelf| shelf.contents().stopped == [Fault::NoFolder]).await;
    running.end().await;
}

#[tokio::test]
async fn a_quota_in_the_archive_loses_nothing() {
    let scene = Scene::open().await;
    (0..3).for_each(|number| scene.deliver(&mail(number, 10)));
    scene.manners(|manners| manners.refuses = vec!["UID MOVE"]);
    let mut mailbox = scene.mailbox();
    mailbox.after = gateway::imap::After::MoveTo(gateway::imap::Folder::parse("Done").unwrap());
    let running = Running::start(&scene.shelf, mailbox);
    scene.shelf.until("told", |shelf| shelf.contents().stopped == [Fault::NotMarked]).await;
    scene.manners(|manners| manners.refuses.clear());
    scene.server.deliver(&mail(3, 10));
    scene.quiet(4).await;
    running.end().await;
    assert_eq!(scene.server.state().folders["Done"].mails.len(), 4);
    scene.nothing_lost();
}
