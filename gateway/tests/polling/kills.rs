//! A poller that is taken away again and again, wherever it is, while others deliver, remove and renumber.

use std::sync::atomic::Ordering;

use crate::Running;
use crate::server::ImapServer;
use crate::shelf::Shelf;
use crate::taking::{Scene, mail};

const KILLS: usize = 60;
const MAILS: usize = 1200;

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
        if kill % 2 == 0 {
            // Between two words of the dialogue,
            let after = scene.server.commands.load(Ordering::SeqCst) + 1 + roll(12);
            let spoken = |server: &ImapServer| server.commands.load(Ordering::SeqCst) >= after;
            scene.server.until("some commands", |server| server.inbox().is_empty() || spoken(server)).await;
        } else {
            // or between two mails of one answer.
            let after = taken(&scene.shelf) + roll(40) as usize;
            let done = || scene.server.inbox().is_empty();
            scene.shelf.until("some mails", |shelf| done() || taken(shelf) >= after).await;
        }
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
    scene.server.until("an empty folder", |server| server.inbox().is_empty()).await;
    running.end().await;
    assert_eq!(scene.shelf.contents().mails.len(), MAILS, "each once");
    assert_eq!(scene.shelf.missing(&mails), 0);
    scene.nothing_lost();
}

/// How often a mail was taken, those included that were taken before.
fn taken(shelf: &Shelf) -> usize {
    let contents = shelf.contents();
    contents.mails.len() + contents.again
}
