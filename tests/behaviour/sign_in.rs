//! The way in, in a real browser: from an invitation with an authenticator app, all scripts off; and with a passkey of a
//! software authenticator, which without its owner's finger opens nothing.

use std::fs;
use std::net::TcpListener;

use serde_json::json;
use tests::browser::Browser;
use tests::demo::Demo;
use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Read;
use tests::market::BEN;
use tests::process::{program, run};
use tests::wait;

const CHOSEN: &str = "quiet harbour at dusk";

/// What the app with this key shows, so many steps of half a minute from now (RFC 6238).
fn code(key: &str, later: u8) -> String {
    const SHOW: &str = "import base64, hmac, struct, sys, time\n\
        key = base64.b32decode(sys.argv[1])\n\
        step = int(time.time()) // 30 + int(sys.argv[2])\n\
        mac = hmac.new(key, struct.pack('>Q', step), 'sha1').digest()\n\
        at = mac[-1] & 15\n\
        print('%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 10**6))";
    let mut command = program("python3");
    command.args(["-c", SHOW, key, &later.to_string()]);
    run(&mut command).good("python3").text().trim().to_owned()
}

fn without_scripts(browser: &Browser) {
    browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": true}));
}

fn sign_in(browser: &Browser, email: &str, password: &str) {
    browser.find("input[name=email]").types(email);
    browser.find("input[name=password]").types(password);
    browser.find("main button.main").click();
}

#[test]
fn from_an_invitation_to_a_second_step_with_all_scripts_off() {
    let demo = Demo::start();
    let origin = demo.server.portal().to_owned();
    let users = demo.users("beta");
    let (email, password, ..) = users.iter().find(|(_, _, role, _)| role == "mau").expect("a MAU");
    let mau = Browser::start();
    without_scripts(&mau);
    mau.open(&format!("{origin}/people/new"));
    sign_in(&mau, email, password);
    mau.find("input[name=name]").types("Nora New");
    mau.find("input[name=email]").types("nora@beta.example");
    mau.find("main form button[type=submit]").click();
    let invitation = || {
        let mut links = demo.left().into_iter().flat_map(|mail| Read::parse(&mail).links());
        links.find(|link| link.contains("/invitation/"))
    };
    let link = wait::until("an invitation", invitation);

    let nora = Browser::start();
    without_scripts(&nora);
    nora.open(&link);
    nora.find("input[name=password]").types(CHOSEN);
    nora.find("input[name=again]").types(CHOSEN);
    nora.find("main button.main").click();
    nora.find("[role=status]");
    nora.open(&format!("{origin}/sign-in"));
    sign_in(&nora, "nora@beta.example", CHOSEN);
    let key = nora.find("code.secret").text().replace(' ', "");
    assert_eq!(nora.count("svg.picture"), 1);
    nora.open(&format!("{origin}/"));
    assert!(nora.url().contains("/sign-in"), "not in before the second step: {}", nora.url());
    nora.open(&format!("{origin}/sign-in/set-up"));
    nora.find("input[name=code]").types(&code(&key, 0));
    nora.find("main button.main").click();
    nora.find("ul.codes");
    assert_eq!(nora.count("ul.codes code"), 10);
    let recovery = nora.find("ul.codes code").text();
    nora.find("main section a").click();
    nora.find(".who .name");

    // The password alone is not enough from now on; the code of the app is, and on paper once.
    for (second, works) in [(code(&key, 1), true), (recovery.clone(), true), (recovery, false)] {
        let again = Browser::start();
        without_scripts(&again);
        again.open(&format!("{origin}/sign-in"));
        sign_in(&again, "nora@beta.example", CHOSEN);
        again.find("input[name=code]").types(&second);
        again.find("main button.main").click();
        again.find(if works { ".who .name" } else { "[role=alert]" });
    }
    demo.server.stop();
}

#[test]
fn known_and_unknown_addresses_get_the_same_answer() {
    let installation = Installation::new(&Settings::default());
    let server = installation.serve();
    let answers = [BEN, "nobody@beta.example"].map(|email| {
        let mut visitor = Visitor::new(server.portal());
        let token = visitor.get("/sign-in").field("token");
        let fields =
            [("token", token.as_str()), ("next", "/"), ("email", email), ("password", "wrong wrong")];
        let answer = visitor.post("/sign-in", &fields);
        (answer.status, answer.text().replace(email, "…").replace(&token, "…"))
    });
    assert!(answers[0] == answers[1], "{answers:?}");
    server.stop();
}

/// An installation whose portal has a name: passkeys are bound to names, not to addresses.
fn named() -> (Installation, String) {
    let installation = Installation::new(&Settings::default());
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = free.local_addr().expect("its number").port();
    drop(free);
    let config = fs::read_to_string(installation.config()).expect("the configuration");
    let named = format!("[portal]\nurl = \"http://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n");
    let config = config.replace("[portal]\nlisten = \"127.0.0.1:0\"\n", &named);
    fs::write(installation.config(), config).expect("the configuration");
    (installation, format!("http://localhost:{port}"))
}

#[test]
fn a_passkey_is_made_and_signs_in_and_only_with_its_owner() {
    let (installation, origin) = named();
    let password = installation.password(BEN);
    let server = installation.serve();
    let browser = Browser::start();
    browser.devtools("WebAuthn.enable", &json!({}));
    let kind = json!({"options": {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
        "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
    }});
    let authenticator = browser.devtools("WebAuthn.addVirtualAuthenticator", &kind);
    let authenticator = authenticator["authenticatorId"].as_str().expect("its name").to_owned();

    browser.open(&format!("{origin}/account/confirm"));
    sign_in(&browser, BEN, &password);
    browser.find("form[action='/account/confirm'] input[name=password]").types(&password);
    browser.find("main button.main").click();
    browser.find("form[action='/account/passkey/begin'] button").click();
    browser.find("form[data-passkey] input[name=name]").types("Blue key");
    browser.find("form[data-passkey] button.main").click();
    browser.find("ul.codes");
    browser.open(&format!("{origin}/account/sign-in"));
    assert!(browser.find("main").text().contains("Blue key"));

    // Where no script runs nothing is offered that a script does.
    let script = |off: bool| {
        browser.devtools("Emulation.setScriptExecutionDisabled", &json!({"value": off}));
    };
    script(true);
    browser.find("form[action='/account/passkey/begin'] button").click();
    assert_eq!(browser.find("form[data-passkey] button.main").text(), "", "not shown");
    assert!(!browser.find("[data-without]").text().is_empty());
    script(false);

    let to_the_second_step = || {
        browser.find("form[action='/sign-out'] button").click();
        sign_in(&browser, BEN, &password);
        browser.find("form[data-passkey=show] button.main")
    };
    to_the_second_step().click();
    browser.find(".who .name");

    // Whoever holds the device and not the finger gets nowhere.
    let verified = |is: bool| {
        let says = json!({"authenticatorId": authenticator, "isUserVerified": is});
        browser.devtools("WebAuthn.setUserVerified", &says);
    };
    let button = to_the_second_step();
    verified(false);
    button.click();
    browser.find("[data-failed]:not([hidden])");
    assert_eq!(browser.count(".who .name"), 0);
    verified(true);
    browser.find("form[data-passkey=show] button.main").click();
    browser.find(".who .name");

    // For a change that lasts password and passkey are shown again.
    browser.open(&format!("{origin}/account/confirm"));
    browser
        .find("form[action='/account/confirm'] input[name=password]")
        .types(&format!("{password}\u{e007}"));
    browser.find("form[data-passkey=show] button.main").click();
    browser.find("form[action='/account/password']");

    // An answer that was made up, or a right one to another question, is none.
    to_the_second_step();
    browser.script(
        "const form = document.querySelector('form[data-passkey=show]'); \
         form.elements.answer.value = '{\"id\":\"AAAA\",\"rawId\":\"AAAA\",\"type\":\"public-key\"}'; form.submit();",
    );
    browser.find("[role=alert]#problem");
    assert_eq!(browser.count(".who .name"), 0);
    browser.devtools("WebAuthn.clearCredentials", &json!({"authenticatorId": authenticator}));
    browser.find("form[data-passkey=show] button.main").click();
    browser.find("[data-failed]:not([hidden])");
    assert_eq!(browser.count(".who .name"), 0);
    installation.audit_is_whole();
    server.stop();
}
