//! The portal's pages on a phone and on a desk, in light and dark: nothing sticks out, and pictures of them all lie in
//! `target/screenshots` for people to look at.

use std::fs;

use tests::browser::Browser;
use tests::demo::Demo;
use tests::wait;

#[test]
fn pages_fit_every_screen_in_light_and_dark() {
    let demo = Demo::start();
    wait::until_true("two notices", || demo.left().len() >= 2);
    let folder = tests::target().parent().expect("the target folder").join("screenshots");
    fs::create_dir_all(&folder).expect("a folder for pictures");
    let origin = demo.server.portal();
    let browser = Browser::start();
    let (email, password, ..) =
        demo.users("beta").into_iter().find(|(_, _, _, permissions)| *permissions > 0).unwrap();

    let look = |name: &str| {
        let mut grounds = Vec::new();
        for (width, height) in [(375, 812), (1440, 900)] {
            for scheme in ["light", "dark"] {
                browser.screen(width, height, scheme);
                let wide = browser.script("return document.documentElement.scrollWidth").as_u64().unwrap();
                assert!(wide <= u64::from(width), "{name} is {wide} wide on {width}");
                grounds.push(browser.script("return getComputedStyle(document.body).backgroundColor"));
                browser.screenshot(&folder.join(format!("{name}-{width}-{scheme}.png")));
            }
        }
        assert!(
            grounds[0] != grounds[1] && grounds[2] != grounds[3],
            "{name}: light and dark differ: {grounds:?}"
        );
    };

    browser.open(&format!("{origin}/sign-in"));
    look("sign-in");
    browser.find("input[name=email]").types(&email);
    browser.find("input[type=password]").types(&format!("{password}\u{e007}"));
    browser.find("table.cases");
    look("home");
    let case = browser.find("table.cases a.reference");
    case.click();
    browser.find("article.message");
    look("case");
    let tag = "1200023305967";
    for (name, path) in
        [("process", "/process/erroneous-transfers"), ("search", "/search"), ("outbox", "/demo/outbox")]
    {
        browser.open(&format!("{origin}{path}"));
        look(name);
    }
    browser.open(&format!("{origin}/search"));
    browser.find("input[name=tag]").types(&format!("{tag}\u{e007}"));
    browser.find("[aria-labelledby=found], [role=status]");
    look("found");
    browser.open(&format!("{origin}/case/{}", "a".repeat(32)));
    look("not-found");
    demo.server.stop();
}
