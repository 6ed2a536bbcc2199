//! `postern demo`, as a newcomer meets it: ready lines, `demo.json`, commands that work when pasted, two sample mails,
//! and a page with every notice that left.

use tests::demo::Demo;
use tests::http::Visitor;
use tests::letter::Read;
use tests::process::{Output, run};
use tests::wait;

use crate::stage::{plain, reference};

/// A printed command: from the line that begins with `name` to the end of its continuation.
fn printed(demo: &Demo, name: &str) -> String {
    let said = demo.server.process.stdout();
    let mut lines = said.lines().skip_while(|line| !line.starts_with(name));
    let mut command = String::new();
    for line in lines.by_ref() {
        command.push_str(line);
        command.push('\n');
        if !line.ends_with('\\') {
            break;
        }
    }
    assert!(command.starts_with(name), "no {name} command in {said}");
    command
}

fn paste(demo: &Demo, name: &str) -> Output {
    wait::until_true("the printed commands", || demo.server.process.stdout().contains("Stop with"));
    run(&mut plain(&printed(demo, name)))
}

#[test]
fn demo_json_says_what_the_contract_says() {
    let demo = Demo::start();
    let written = &demo.written;
    assert_eq!(written["smtp"], demo.server.smtp().to_string());
    assert_eq!(written["submission"], demo.server.submission().to_string());
    assert_eq!(written["portal"], demo.server.portal());
    let ca = std::fs::read_to_string(demo.folder().join(written["ca"].as_str().unwrap())).unwrap();
    assert!(ca.starts_with("-----BEGIN CERTIFICATE-----"));
    for group in ["alpha", "beta", "gamma"] {
        let users = demo.users(group);
        assert!(users.iter().any(|(_, _, role, _)| role == "mau"), "an administrator in {group}");
        let people: Vec<_> = users.iter().filter(|(_, _, role, _)| role == "user").collect();
        assert!(people.iter().any(|(_, _, _, permissions)| *permissions > 0), "a permitted user in {group}");
        assert!(people.iter().any(|(_, _, _, permissions)| *permissions == 0), "one without in {group}");
    }
    let mailboxes = written["mailboxes"].as_array().unwrap();
    let et = mailboxes.iter().find(|mailbox| mailbox["address"] == "et@beta.example").unwrap();
    assert_eq!((&et["group"], &et["process"]), (&"beta".into(), &"erroneous-transfers".into()));
    assert_eq!(et["contact_type"], "initial-request");
    demo.server.stop();
}

#[test]
fn every_sample_user_can_sign_in() {
    let demo = Demo::start();
    for group in ["alpha", "beta", "gamma"] {
        for (email, password, _, permissions) in demo.users(group) {
            let page = Visitor::signed_in(demo.server.portal(), &email, &password).get("/");
            assert_eq!(page.status, 200, "{email}");
            let none = page.text().contains("no permissions yet");
            assert_eq!(none, permissions == 0, "{email}: {}", page.text());
        }
    }
    demo.server.stop();
}

#[test]
fn the_portal_is_not_empty_and_every_notice_is_shown() {
    let demo = Demo::start();
    wait::until_true("two notices", || demo.left().len() >= 2);
    let mut cases = Vec::new();
    for group in ["alpha", "beta", "gamma"] {
        for (email, password, _, permissions) in demo.users(group) {
            if permissions > 0 {
                cases.extend(
                    Visitor::signed_in(demo.server.portal(), &email, &password).get("/").links("/case/"),
                );
            }
        }
    }
    cases.sort();
    cases.dedup();
    assert_eq!(cases.len(), 2, "the two sample mails: {cases:?}");
    let page = Visitor::new(demo.server.portal()).get("/demo/outbox").text();
    for mail in demo.left() {
        let subject = Read::parse(&mail).header("Subject").to_owned();
        assert!(page.contains(&subject), "{subject} in {page}");
    }
    demo.server.stop();
}

#[test]
fn the_printed_curl_command_sends_a_mail() {
    let demo = Demo::start();
    let case = reference(&paste(&demo, "curl ").good("curl"));
    arrives(&demo, &case);
    demo.server.stop();
}

#[test]
fn the_printed_swaks_command_sends_a_mail() {
    let demo = Demo::start();
    let case = reference(&paste(&demo, "swaks ").good("swaks"));
    arrives(&demo, &case);
    demo.server.stop();
}

/// The notice leaves, and its link shows the mail to a permitted user of Beta.
fn arrives(demo: &Demo, case: &str) {
    let notice = wait::until("the notice", || {
        let mails = demo.left().into_iter().map(|mail| Read::parse(&mail));
        mails.into_iter().find(|mail| mail.header("Subject").contains(case))
    });
    let link = notice.links().into_iter().find(|link| link.contains("/case/")).unwrap();
    let (email, password, ..) =
        demo.users("beta").into_iter().find(|(_, _, _, permissions)| *permissions > 0).unwrap();
    let mut reader = Visitor::signed_in(demo.server.portal(), &email, &password);
    let page = reader.get(&link);
    assert!(page.text().contains("1200023305967"), "{}", page.text());
    assert_eq!(reader.get(&page.links("/part/")[0]).status, 200);
}

#[test]
fn with_a_folder_the_data_stay() {
    let demo = Demo::start();
    wait::until_true("two notices", || demo.left().len() >= 2);
    let (email, password, ..) =
        demo.users("beta").into_iter().find(|(_, _, _, permissions)| *permissions > 0).unwrap();
    let before = Visitor::signed_in(demo.server.portal(), &email, &password).get("/").links("/case/");
    let demo = demo.again();
    let after = Visitor::signed_in(demo.server.portal(), &email, &password).get("/").links("/case/");
    assert_eq!(after, before);
    assert!(!before.is_empty());
    demo.server.stop();
}
