//! The link of a notice in a real browser: sign-in by keyboard, the text, the files byte for byte, the formatted view
//! without a life of its own.

use tests::browser::Browser;
use tests::letter::Read;
use tests::market::{AMY, BEN, BOB, MAILBOX};

use crate::stage::{Stage, curl, reference, story};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// The link of the first notice in Beta's mailbox.
fn link(stage: &Stage) -> String {
    let notice = Read::parse(&stage.postfix.arrived(MAILBOX, 1)[0]);
    let links = notice.links();
    links.into_iter().find(|link| link.contains("/case/")).expect("a link to the case")
}

/// Signs in on the page that is open, with the keyboard alone.
fn sign_in(browser: &Browser, email: &str, password: &str) {
    browser.find("input[name=email]").types(&format!("{email}{TAB}"));
    browser.active().types(&format!("{password}{ENTER}"));
}

#[test]
fn a_permitted_colleague_follows_the_link_and_reads() {
    let stage = Stage::set();
    let mail = story("read@alpha.example");
    let password = stage.installation.password(AMY);
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &mail.bytes()));
    let (link, password) = (link(&stage), stage.installation.password(BEN));
    let browser = Browser::start();

    browser.open(&link);
    assert!(browser.url().contains("/sign-in"), "{}", browser.url());
    assert!(!browser.find("body").text().contains(&case), "nothing of the case before sign-in");
    sign_in(&browser, BEN, &password);
    browser.find("article.message");
    assert_eq!(browser.url(), link, "signing in leads to where the link pointed");

    let page = browser.find("main").text();
    for words in
        [case.as_str(), "Transfer of Mrs Quibble", "Alpha Energy", "Amy Archer", "Erroneous Transfers"]
    {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(
        browser.find("article.message .text").text().contains("MPAN 1200023305967 was taken over in error.")
    );

    let attachment = mail.attachment.as_ref().expect("the story has one");
    let (name, bytes) = browser.download("section.files a");
    assert_eq!((name, bytes == attachment.bytes), (attachment.name.clone(), true));
    let (name, bytes) = browser.download("article.message footer a[download]");
    assert!(name.ends_with(".eml") && name.contains(&case), "{name}");
    assert!(bytes == mail.bytes(), "the original, byte for byte");
    stage.installation.audit_is_whole();
    stage.server.stop();
}

#[test]
fn the_formatted_view_runs_nothing_and_loads_nothing() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    reference(&curl(&stage, AMY, &password, MAILBOX, &story("html@alpha.example").bytes()));
    let (link, password) = (link(&stage), stage.installation.password(BEN));
    let browser = Browser::start();
    browser.open(&link);
    sign_in(&browser, BEN, &password);
    browser.find("details.formatted summary").click();
    browser.enter("details.formatted iframe");
    assert!(browser.find("body").text().contains("was taken over in error."));
    assert_eq!(browser.find("b").text(), "error");
    for gone in ["script", "[onerror]", "form", "img[src^=http]"] {
        assert_eq!(browser.count(gone), 0, "{gone}");
    }
    browser.leave();
    assert_ne!(browser.title(), "owned");
    let sandbox = browser.script("return document.querySelector('iframe').getAttribute('sandbox')");
    assert!(!sandbox.as_str().expect("a sandbox").contains("allow-scripts"), "{sandbox}");
    let loaded = browser.script("return performance.getEntriesByType('resource').map(entry => entry.name)");
    let own = stage.server.portal();
    let foreign: Vec<_> =
        loaded.as_array().unwrap().iter().filter(|url| !url.as_str().unwrap().starts_with(own)).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    // The one script is the portal's own file; nothing stands in the page, and nothing comes from elsewhere.
    let scripts = browser.count("script");
    assert_eq!(browser.count("script[src^='/portal.js?']:empty"), scripts);
    stage.server.stop();
}

#[test]
fn a_colleague_without_the_permission_sees_what_is_not_there() {
    let stage = Stage::set();
    let password = stage.installation.password(AMY);
    let case = reference(&curl(&stage, AMY, &password, MAILBOX, &story("bob@alpha.example").bytes()));
    let (link, password) = (link(&stage), stage.installation.password(BOB));
    let browser = Browser::start();
    browser.open(&link);
    sign_in(&browser, BOB, &password);
    browser.find("a[href='/']");
    let forbidden = browser.find("body").text();
    assert!(!forbidden.contains(&case) && !forbidden.contains("Quibble"), "{forbidden}");
    let (start, _) = link.rsplit_once('/').expect("a path");
    browser.open(&format!("{start}/{}", "a".repeat(32)));
    assert_eq!(browser.find("body").text(), forbidden);
    stage.server.stop();
}
