//! A poller that is taken away again and again, wherever it is, while others deliver, remove and renumber.

use std::sync::atomic::Ordering;

use gateway::imap::Standing;

use crate::Running;
use crate::taking::{Scene, mail};

const KILLS: usize = 60;
const MAILS: usize = 600;

#[tokio::test]
async fn each_mail_is_taken_whatever_happens_to_the_poller() {
    let scene = Scene::open().await;
    let mails: Vec<_> = (0..MAILS).map(|number| mail(number, (number % 7) * 3000)).collect();
    let mut waiting = mails.iter();
    waiting.by_ref().take(MAILS / 2).for_each(|mail| scene.deliver(mail));
    let mut dice: u64 = 0x5eed;
    let mut roll = |below: u64| {
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (dice >> 11) % below
    };
    for kill in 0..KILLS {
        let running = Running::start(&scene.shelf, scene.mailbox());
        let after = scene.server.commands.load(Ordering::SeqCst) + 1 + roll(40);
        scene
            .server
            .until("some commands", |server| {
                let done = server.inbox().is_empty();
                done || server.commands.load(Ordering::SeqCst) >= after
            })
            .await;
        for _ in 0..roll(4) {
            tokio::task::yield_now().await;
        }
        running.kill().await;
        waiting.by_ref().take(5).for_each(|mail| scene.deliver(mail));
        if kill % 20 == 19 {
            scene.server.change(|state| {
                let inbox = state.folders.get_mut("INBOX").unwrap();
                inbox.uid_validity += 1;
                let mails = std::mem::take(&mut inbox.mails).into_values().zip(1..);
                inbox.mails = mails.map(|(mail, uid)| (uid, mail)).collect();
                inbox.uid_next = inbox.mails.len() as u32 + 1;
            });
        }
    }
    waiting.for_each(|mail| scene.deliver(mail));
    let running = Running::start(&scene.shelf, scene.mailbox());
    scene
        .shelf
        .until("all", |shelf| shelf.standing() == Some(Standing::Watching) && shelf.missing(&mails) == 0)
        .await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails.len(), MAILS, "each once");
    assert!(scene.server.inbox().is_empty());
    scene.nothing_lost();
}
