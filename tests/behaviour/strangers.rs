//! Whoever may not read a case gets the same bytes as for a case that does not exist, on every route that names one.

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::market::{AMY, BEA, BEN, BOB, GIA, GUS, MAILBOX};
use tests::postern::Server;
use tests::process::{program, run};
use tests::smtp::Smtp;

use crate::stage::story;

struct Stage {
    server: Server,
    installation: Installation,
    reference: String,
    /// Every path under the case that its reader's page links to.
    paths: Vec<String>,
}

impl Stage {
    fn set() -> Self {
        let installation = Installation::new(&Settings::default());
        let server = installation.serve();
        let mut amy = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
        let mail = story("strangers@alpha.example").bytes();
        let reference = amy.deliver(AMY, &[MAILBOX], &mail).unwrap().reference();
        let mut ben = Visitor::signed_in(server.portal(), BEN, &installation.password(BEN));
        let case = ben.get("/").links("/case/").remove(0);
        let page = ben.get(&case);
        assert_eq!(page.status, 200);
        let mut paths = page.links("/case/");
        paths.push(case);
        assert!(paths.len() >= 4, "page, formatted view, attachment, original: {paths:?}");
        for path in &paths {
            assert_eq!(ben.get(path).status, 200, "{path}");
        }
        Self { server, installation, reference, paths }
    }
}

/// The same path with another case, and with every id in it changed.
fn absent(path: &str) -> [String; 2] {
    let mut parts: Vec<_> = path.split('/').map(str::to_owned).collect();
    parts[2] = "a".repeat(parts[2].len());
    let other_case = parts.join("/");
    for part in parts.iter_mut().filter(|part| part.len() == 32) {
        *part = "b".repeat(32);
    }
    [other_case, parts.join("/")]
}

#[test]
fn absent_and_forbidden_are_the_same_bytes() {
    let stage = Stage::set();
    for who in [BOB, BEA, GIA, GUS] {
        let mut visitor = Visitor::signed_in(stage.server.portal(), who, &stage.installation.password(who));
        for path in &stage.paths {
            let forbidden = visitor.get(path);
            assert_eq!(forbidden.status, 404, "{who} at {path}");
            for absent in absent(path) {
                assert!(forbidden.seen() == visitor.get(&absent).seen(), "{who} at {path} and {absent}");
            }
        }
        let list = visitor.get("/").text();
        assert!(!list.contains(&stage.reference), "{who} sees {} in a list", stage.reference);
    }
    stage.server.stop();
}

#[test]
fn nobody_is_shown_more_without_a_session() {
    let stage = Stage::set();
    let mut visitor = Visitor::new(stage.server.portal());
    for path in &stage.paths {
        let there = visitor.get(path);
        assert_eq!(there.status, 303, "{path}");
        let not_there = visitor.get(&absent(path)[0]);
        let place = |answer: &tests::http::Answer| {
            answer.header("location").unwrap().split('?').next().unwrap().to_owned()
        };
        assert_eq!((there.status, place(&there)), (not_there.status, place(&not_there)));
        assert_eq!(there.body, not_there.body);
    }
    stage.server.stop();
}

#[test]
fn a_link_that_is_opened_changes_nothing() {
    let stage = Stage::set();
    let before = stage.installation.json(["case", "show", &stage.reference]);
    let mut visitor = Visitor::new(stage.server.portal());
    for path in &stage.paths {
        visitor.get(path);
        visitor.get(&format!("{path}/claim"));
    }
    let mut bob = Visitor::signed_in(stage.server.portal(), BOB, &stage.installation.password(BOB));
    let page = bob.get("/");
    let token = page
        .text()
        .split("name=\"token\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap()
        .to_owned();
    for path in &stage.paths {
        bob.get(path);
        assert_eq!(
            bob.post(&format!("{path}/claim"), &[("token", &token), ("seen", "")]).status,
            404,
            "{path}"
        );
    }
    assert_eq!(stage.installation.json(["case", "show", &stage.reference]), before);
    stage.server.stop();
}

#[test]
fn over_tls_the_session_is_bound_to_the_host() {
    let installation = Installation::new(&Settings { portal_tls: true, ..Settings::default() });
    let server = installation.serve();
    let origin = server.portal().to_owned();
    assert!(origin.starts_with("https://127.0.0.1:"), "{origin}");
    let jar = installation.folder().join("cookies");
    let curl = |path: &str, fields: &[String]| {
        let mut curl = program("curl");
        curl.args(["--silent", "--show-error", "--include", "--cacert"]).arg(installation.ca());
        curl.arg("--cookie-jar").arg(&jar).arg("--cookie").arg(&jar);
        for field in fields {
            curl.args(["--data-urlencode", field]);
        }
        if !fields.is_empty() {
            curl.args(["--header", &format!("Origin: {origin}")]);
        }
        run(curl.arg(format!("{origin}{path}"))).good("curl").text()
    };
    let form = curl("/sign-in", &[]);
    assert!(form.to_lowercase().contains("strict-transport-security: max-age="), "{form}");
    let token = form.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let password = installation.password(BEN);
    let fields = [("token", token), ("next", "/"), ("email", BEN), ("password", &password)];
    let signed = curl("/sign-in", &fields.map(|(name, value)| format!("{name}={value}")));
    let cookie = signed.lines().find(|line| line.to_lowercase().starts_with("set-cookie: __host-postern="));
    let cookie = cookie.unwrap_or_else(|| panic!("{signed}"));
    for word in ["Secure", "HttpOnly", "SameSite", "Path=/"] {
        assert!(cookie.contains(word), "{word} in {cookie}");
    }
    assert!(curl("/", &[]).contains("Ben Baker"));
    server.stop();
}
