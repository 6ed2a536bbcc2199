//! Holidays that become known while cases wait: open deadlines move, at a reload and at a start, and move back.

use std::fs;

use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, MAILBOX};
use tests::smtp::Smtp;
use tests::wait;

/// By when the case must be answered.
fn due(installation: &Installation, case: &str) -> String {
    let shown = installation.json(["case", "show", case]);
    shown["due"]["at"].as_str().unwrap_or_else(|| panic!("no clock: {shown}")).to_owned()
}

#[test]
fn a_holiday_that_becomes_known_moves_open_deadlines_and_back() {
    let settings = Settings { sections: "[policy]\none_off = \"one-off.toml\"\n", ..Settings::default() };
    let holidays = |installation: &Installation, text: &str| {
        fs::write(installation.home().join("one-off.toml"), text).unwrap();
    };
    let installation = Installation::new(&Settings::default());
    holidays(&installation, "version = \"1\"\n");
    let installation = installation.reconfigured(&settings);
    let server = installation.serve();
    let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
    let mail = Letter::new("Amy Archer <amy@alpha.example>", MAILBOX, "wrong supplier", "one@alpha.example");
    let case = amy.deliver(AMY, &[MAILBOX], &mail.bytes()).unwrap().reference();
    let first = due(&installation, &case);

    // The last day is no holiday yet, or it would not be the last day.
    let day = first.get(..10).unwrap();
    let once = format!(
        "version = \"2\"\n[[holiday]]\ndate = {day}\nname = \"Once\"\ncalendars = [\"england-and-wales\"]\n"
    );
    holidays(&installation, &once);
    assert_eq!(due(&installation, &case), first, "not before it is told");
    server.process.signal("HUP");
    wait::until_true("another deadline", || due(&installation, &case) > first);
    let events = installation.audit_is_whole();

    holidays(&installation, "version = \"3\"\n[[holiday]]\ndate = never\n");
    server.process.signal("HUP");
    wait::until_true("a word about it", || server.process.stderr().contains("old ones stay"));
    assert!(due(&installation, &case) > first, "a bad file moves nothing");

    holidays(&installation, "version = \"4\"\n");
    server.stop();
    let server = installation.serve();
    wait::until_true("the first deadline", || due(&installation, &case) == first);
    assert!(installation.audit_is_whole() > events, "a deadline that moves is an event");
    server.stop();
}
