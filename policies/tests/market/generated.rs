//! The generated mails themselves: the same from the same seed, of every kind, and everything that is marked in them can be
//! read in them. What the engine makes of them is measured next door.

use std::collections::BTreeSet;

use mail::{Budget, Message, Scanner};

use crate::mails::{self, Labelled, Marks, market_mails};

#[test]
fn a_seed_gives_the_same_mails_always_and_another_gives_others() {
    let mails = |seed| market_mails(seed, 20).map(|mail| mail.eml).collect::<Vec<_>>();
    assert_eq!(mails(1), mails(1));
    assert!(mails(1).iter().zip(mails(2)).all(|(one, other)| *one != other));
}

#[test]
fn every_process_form_and_route_comes_up() {
    let mails: Vec<Labelled> = market_mails(3, 600).collect();
    let processes: BTreeSet<_> = mails.iter().filter_map(|mail| mail.process).collect();
    assert_eq!(processes, mails::processes().collect());
    assert_eq!(mails.iter().map(|mail| mail.form).collect::<BTreeSet<_>>().len(), 7);
    assert_eq!(mails.iter().map(|mail| mail.route).collect::<BTreeSet<_>>().len(), 3);
    let categories: BTreeSet<_> = mails.iter().flat_map(|mail| mail.marks.personal.keys()).collect();
    assert_eq!(categories.len(), 17, "{categories:?}");
    let bare = mails.iter().filter(|mail| mail.marks == Marks::default()).count();
    assert!(bare > 60, "{bare} mails have nothing personal");
}

/// A mark that no reader could find would make every measurement a lie.
#[test]
fn what_is_marked_stands_in_the_mail() {
    for mail in market_mails(5, 1_000) {
        let message = scan(&mail.eml);
        let files: String = mail.files.iter().map(|file| file.text.as_str()).collect();
        let text = plain(&format!("{} {} {files}", message.headline.subject, message.text));
        for (kind, value) in &mail.marks.tags {
            assert!(text.contains(&plain(value)), "mail {}: no {kind} {value}", mail.number);
        }
        for (category, values) in &mail.marks.personal {
            for value in values {
                let sought = match *category {
                    // The last words say whose; the others may be short forms.
                    "name" => value.rsplit(' ').next().unwrap(),
                    // +44 stands for the first digit.
                    "telephone" => &value[1..],
                    // Written in many ways; the year stands in all of them.
                    "date-of-birth" => &value[..4],
                    "bank-account" => &value[6..],
                    _ => value,
                };
                assert!(text.contains(&plain(sought)), "mail {}: no {category} {value}", mail.number);
            }
        }
        let names: Vec<_> = message.headline.part_names().collect();
        assert!(mail.files.iter().all(|file| names.contains(&file.name.as_str())), "mail {}", mail.number);
        assert!(message.headline.defects.is_empty(), "mail {}: {:?}", mail.number, message.headline.defects);
    }
}

pub(crate) fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

pub(crate) fn scan(mail: &[u8]) -> Message {
    let mut scanner = Scanner::new(Budget::default());
    scanner.feed(mail);
    scanner.finish()
}
