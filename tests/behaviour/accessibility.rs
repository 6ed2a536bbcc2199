//! Every page that somebody can get to by following links, for each role: axe-core finds nothing grave, on a phone in
//! the dark and on a desk in the light.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tests::axe::Axe;
use tests::browser::Browser;
use tests::demo::Demo;
use tests::wait;

/// Pages of one kind that are looked at.
const OF_A_KIND: usize = 2;

/// More kinds of pages than the portal has; a link that makes ever new ones is a mistake.
const MOST_KINDS: usize = 120;

/// The local links of the page, to pages and not to files.
const LINKS: &str = "return [...document.querySelectorAll('main a[href], header a[href]')].filter(link => \
                     link.origin === location.origin && !link.hasAttribute('download')).map(link => link.pathname + \
                     link.search)";

/// The kind of a page: its address without ids, numbers and answers to questions.
fn kind(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let id = |part: &&str| part.len() >= 16 || part.bytes().any(|b| b.is_ascii_digit());
    path.split('/').map(|part| if id(&part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

/// Whether it is a file and not a page.
fn is_file(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or_default();
    ["/original", "/html", "/export", ".csv", ".json", ".zip", ".eml"].iter().any(|end| path.ends_with(end))
        || path.contains("/part/")
        || path.contains("/file/")
}

#[test]
fn nothing_keeps_anybody_out() {
    let demo = Demo::start();
    wait::until_true("two notices", || demo.left().len() >= 2);
    let origin = demo.server.portal();
    let axe = Axe::fetched();
    let mut grave = Vec::new();
    let mut kinds = BTreeMap::<String, usize>::new();
    let groups = ["alpha", "beta", "gamma", "market"];
    for (email, password, role, _) in groups.iter().flat_map(|group| demo.users(group)) {
        let browser = Browser::start();
        let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
        let mut look = |address: &str| {
            for (width, height, scheme) in [(375, 812, "dark"), (1440, 900, "light")] {
                browser.screen(width, height, scheme);
                let found = axe.look(&browser).into_iter().filter(|barrier| barrier.is_grave());
                grave.extend(found.map(|barrier| format!("{role} {address} {scheme}: {barrier:?}")));
            }
        };
        browser.open(&format!("{origin}/sign-in"));
        look("/sign-in");
        browser.find("input[name=email]").types(&email);
        browser.find("input[type=password]").types(&format!("{password}\u{e007}"));
        browser.find("nav.menu");
        let mut ahead = VecDeque::from(["/".to_owned()]);
        while let Some(address) = ahead.pop_front() {
            let of_kind = seen.entry(kind(&address)).or_default();
            if of_kind.len() >= OF_A_KIND || !of_kind.insert(address.clone()) {
                continue;
            }
            browser.open(&format!("{origin}{address}"));
            look(&address);
            *kinds.entry(kind(&address)).or_default() += 1;
            let links = browser.script(LINKS);
            let links = links.as_array().into_iter().flatten().filter_map(|link| link.as_str());
            ahead.extend(links.filter(|link| !is_file(link)).map(str::to_owned));
            assert!(seen.len() < MOST_KINDS, "{seen:?}");
        }
    }
    println!("looked at {kinds:#?}");
    assert!(kinds.len() >= 6, "{kinds:?}");
    assert!(grave.is_empty(), "{} barriers:\n{}", grave.len(), grave.join("\n"));
    demo.server.stop();
}
