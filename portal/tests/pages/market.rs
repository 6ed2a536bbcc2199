//! A small market in memory, and a browser that keeps cookies: what the tests of the pages share.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use certs::RootKey;
use jiff::{Timestamp, ToSpan};
use mail::{Budget, Scanner, Tag};
use policies::{Catalogue, Ruleset};
use portal::{Demo, MailSide, Options, Portal, SampleUser, Submission, Writing, router};
use store::chain;
use store::engine::{Changeset, Engine, Range};
use store::memory::Memory;
use store::{
    Acceptance, Act, Actor, ContentWriter, Deadline, DirectoryChange, Entry, Event, Group, Ledger, Opening,
    Participant, Party, Permission, Place, Proof, Receipts, Role, User, UserId,
};
use tower::ServiceExt;

pub(crate) const ORIGIN_HERE: &str = "http://127.0.0.1:8080";
pub(crate) const PASSWORD: &str = "copper-lantern-42";
pub(crate) const MPAN: &str = "1200023305967";

pub(crate) struct Market {
    engine: Arc<dyn Engine>,
    pub(crate) ledger: Ledger,
    pub(crate) portal: Arc<Portal>,
    pub(crate) router: Router,
    pub(crate) outbox: tempfile::TempDir,
    pub(crate) public_url: String,
}

/// The ids by which a case is reached.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) case: String,
    pub(crate) reference: String,
    pub(crate) message: String,
}

impl Market {
    pub(crate) async fn new() -> Self {
        Self::at(ORIGIN_HERE, true).await
    }

    pub(crate) async fn at(public_url: &str, demo: bool) -> Self {
        let engine: Arc<dyn Engine> = Arc::new(Memory::new());
        let root = Arc::new(RootKey::generate().unwrap());
        let ledger = Ledger::open(Arc::clone(&engine), root).await.unwrap();
        ledger.change_directory(&Actor::Tool, directory()).await.unwrap();
        let outbox = tempfile::tempdir().unwrap();
        let demo = demo.then(|| Demo {
            outbox: outbox.path().to_owned(),
            users: vec![SampleUser {
                email: "sam@beta.example".into(),
                password: PASSWORD.into(),
                company: "Beta Power".into(),
                note: "reads Erroneous Transfers".into(),
            }],
        });
        let portal = Portal::new(Options {
            ledger: ledger.clone(),
            catalogue: Arc::new(Catalogue::shipped().unwrap()),
            public_url: public_url.parse().unwrap(),
            demo,
        });
        let portal = Arc::new(portal.unwrap().beside(mail_side()).for_writing(writing()));
        let router = router(Arc::clone(&portal));
        Self { engine, ledger, portal, router, outbox, public_url: public_url.to_owned() }
    }

    /// The same portal as a binary serves it that tells it nothing of the mail side.
    pub(crate) fn without_mail_side(self) -> Self {
        let portal = Portal::new(Options {
            ledger: self.ledger.clone(),
            catalogue: Arc::new(Catalogue::shipped().unwrap()),
            public_url: self.public_url.parse().unwrap(),
            demo: None,
        });
        let portal = Arc::new(portal.unwrap());
        Self { router: router(Arc::clone(&portal)), portal, ..self }
    }

    /// Takes a mail from Alpha to Beta in, as the gateway would.
    pub(crate) async fn send(&self, mail: &[u8]) -> Sent {
        self.send_as(mail, |_| {}).await
    }

    /// The same with other facts about the mail than the usual ones.
    pub(crate) async fn send_as(&self, mail: &[u8], change: impl FnOnce(&mut Acceptance)) -> Sent {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail);
        let message = scanner.finish();
        let mut writer = ContentWriter::new(&self.ledger).unwrap();
        writer.write(mail).await.unwrap();
        let now = self.ledger.now();
        let party = |group: &str, participant: &str, contact: &str| Party {
            group: group.parse().unwrap(),
            participant: participant.parse().unwrap(),
            contact: contact.parse().unwrap(),
        };
        let place = Place::Open(Opening {
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            initiator: party("alpha", "ALFA", "ali@alpha.example"),
            responder: party("beta", "BETA", "et@beta.example"),
            deadline: Deadline {
                at: now.checked_add(240.hours()).unwrap(),
                reason: "Ten working days after it was received.".into(),
                reckoning: None,
                warn_at: None,
            },
        });
        let mut acceptance = Acceptance {
            author: None,
            delegate: None,
            from_group: "alpha".parse().unwrap(),
            proof: Proof::Network,
            content: writer.finish().await.unwrap(),
            message_id: message.headline.message_id.clone(),
            headline: message.headline,
            automatic: false,
            class: message.class,
            scan: mail::Scan::Off,
            authentication: None,
            receipt: None,
            away: None,
            entries: vec![Entry {
                place,
                sources: vec![certs::random::<32>().unwrap()],
                tags: vec![Tag::mpan(MPAN).unwrap()],
                decided_by: "test".into(),
                decision: None,
                addressed: Some(store::Addressed::Unnamed),
            }],
        };
        change(&mut acceptance);
        let case = self.ledger.accept(acceptance).await.unwrap().cases.remove(0);
        let messages = self.ledger.messages(case.id).await.unwrap();
        Sent {
            case: case.id.to_string(),
            reference: case.reference.to_string(),
            message: messages.last().unwrap().id.to_string(),
        }
    }

    pub(crate) fn user(&self, email: &str) -> User {
        self.ledger.directory().user_by_email(&email.parse().unwrap()).unwrap().clone()
    }

    /// Takes the keys of a message out of the ledger, as damage would.
    pub(crate) async fn damage(&self, sent: &Sent) {
        const WRAPS: u8 = 0x34;
        let message: store::MessageId = sent.message.parse().unwrap();
        let rows = self.engine.scan(Range::prefix(&[WRAPS]), 1_000).await.unwrap();
        let keys = rows.into_iter().map(|(key, _)| key).filter(|key| key.ends_with(message.as_bytes()));
        let changes = Changeset { delete: keys.collect(), ..Changeset::default() };
        assert_eq!(changes.delete.len(), 1);
        self.engine.commit(changes).await.unwrap();
    }

    /// Damages the record of a message.
    pub(crate) async fn damage_record(&self, sent: &Sent) {
        const MESSAGES: u8 = 0x33;
        let message: store::MessageId = sent.message.parse().unwrap();
        let rows = self.engine.scan(Range::prefix(&[MESSAGES]), 1_000).await.unwrap();
        let keys = rows.into_iter().map(|(key, _)| key).filter(|key| key.ends_with(message.as_bytes()));
        let put = keys.map(|key| (key, b"\x01\xffgarbage".as_slice().into())).collect();
        self.engine.commit(Changeset { put, ..Changeset::default() }).await.unwrap();
    }

    /// What the audit trail says has been done from event `first` on.
    pub(crate) async fn acts(&self, first: u64) -> Vec<Act> {
        let rows = self.engine.scan(chain::records(first), 1_000).await.unwrap();
        rows.iter()
            .map(|(_, row)| Event::from_bytes(&chain::event(&row.value).unwrap()).unwrap().act)
            .collect()
    }

    /// The number that the next event will have.
    pub(crate) async fn next_event(&self) -> u64 {
        chain::head(&*self.engine).await.unwrap().sequence + 1
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser { router: self.router.clone(), origin: self.public_url.clone(), cookies: BTreeMap::new() }
    }

    /// A browser in which this user is signed in.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, PASSWORD, "/").await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }
}

fn writing() -> Writing {
    Writing { notice_domain: "postern.example".into(), largest_upload: 10_000_000, scanner: None }
}

pub(crate) fn mail_side() -> MailSide {
    MailSide {
        rules: Arc::new(Ruleset::shipped().unwrap()).into(),
        submission: Some(Submission {
            host: "mail.postern.example".into(),
            implicit_tls: Some(465),
            starttls: Some(587),
        }),
        stage: store::Stage::Shadow,
    }
}

fn directory() -> Vec<DirectoryChange> {
    let group = |id: &str, name: &str| {
        DirectoryChange::Group(Group {
            domains: vec![format!("{id}.example")],
            receipts: Receipts::Off,
            ..Group::new(id.parse().unwrap(), name.into())
        })
    };
    let participant = |mpid: &str, group: &str| {
        DirectoryChange::Participant(Participant::new(
            mpid.parse().unwrap(),
            group.parse().unwrap(),
            mpid.into(),
            "electricity-supplier".into(),
        ))
    };
    let password = certs::password::hash(PASSWORD).unwrap();
    let user = |email: &str, role: Role, participant: &str, contact_types: &[&str]| {
        let permission = |contact_type: &&str| Permission {
            participant: participant.parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: contact_type.parse().unwrap(),
        };
        let group = email.split('@').nth(1).unwrap().split('.').next().unwrap();
        DirectoryChange::User(User {
            role,
            permissions: contact_types.iter().map(permission).collect(),
            password: Some(password.clone()),
            state: store::UserState::Confirmed,
            ..User::new(
                UserId::new(Timestamp::now()).unwrap(),
                group.parse().unwrap(),
                email.parse().unwrap(),
                email.split('@').next().unwrap().into(),
            )
        })
    };
    vec![
        group("alpha", "Alpha Energy"),
        group("beta", "Beta Power"),
        group("gamma", "Gamma Networks"),
        participant("ALFA", "alpha"),
        participant("BETA", "beta"),
        participant("GAMA", "gamma"),
        user("mau@alpha.example", Role::Mau, "ALFA", &["initial-request"]),
        user("ali@alpha.example", Role::User, "ALFA", &["initial-request"]),
        user("com@alpha.example", Role::Compliance, "ALFA", &[]),
        user("ope@alpha.example", Role::Operator, "ALFA", &["initial-request"]),
        user("mau@beta.example", Role::Mau, "BETA", &[]),
        user("sam@beta.example", Role::User, "BETA", &["initial-request"]),
        user("pat@beta.example", Role::User, "BETA", &["initial-request"]),
        user("kit@beta.example", Role::User, "BETA", &[]),
        user("esc@beta.example", Role::User, "BETA", &["escalation-1"]),
        user("com@beta.example", Role::Compliance, "BETA", &["initial-request"]),
        user("mau@gamma.example", Role::Mau, "GAMA", &["initial-request"]),
        user("gus@gamma.example", Role::User, "GAMA", &["initial-request"]),
    ]
}

pub(crate) struct Browser {
    router: Router,
    origin: String,
    pub(crate) cookies: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The page without our one script, which is a file; any other is left in.
    pub(crate) fn without_our_script(&self) -> String {
        let text = self.text();
        let Some((before, rest)) = text.split_once("<script src=\"/portal.js?v&#x3D;") else { return text };
        let (print, after) = rest.split_once("\" defer></script>").unwrap();
        assert!(print.len() == 16 && print.bytes().all(|b| b.is_ascii_hexdigit()), "{print}");
        format!("{before}{after}")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// The form token of the page.
    pub(crate) fn token(&self) -> String {
        let text = self.text();
        let marker = "name=\"token\" value=\"";
        let start = text.find(marker).expect("the page has a form") + marker.len();
        text[start..].split('"').next().unwrap().to_owned()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.ask(Request::builder().method(Method::GET).uri(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a form as a browser would from a page of ours.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = self.origin.clone();
        self.post_from(Some(&origin), Some("same-origin"), path, fields).await
    }

    pub(crate) async fn post_from(
        &mut self,
        origin: Option<&str>,
        site: Option<&str>,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let escape = |text: &str| text.bytes().map(|b| format!("%{b:02X}")).collect::<String>();
        let form: Vec<_> = fields.iter().map(|(key, value)| format!("{key}={}", escape(value))).collect();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        self.ask(request.body(Body::from(form.join("&"))).unwrap()).await
    }

    /// Posts a form with files, parted by `x1`.
    pub(crate) async fn post_multipart(&mut self, path: &str, body: String) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(CONTENT_TYPE, "multipart/form-data; boundary=x1")
            .header(ORIGIN, self.origin.clone())
            .header("sec-fetch-site", "same-origin");
        self.ask(request.body(Body::from(body)).unwrap()).await
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str, next: &str) -> Answer {
        let token = self.get("/sign-in").await.token();
        let fields = [("token", token.as_str()), ("email", email), ("password", password), ("next", next)];
        self.post("/sign-in", &fields).await
    }

    /// An answer of which nothing is read yet.
    pub(crate) async fn begin(&self, path: &str) -> Response {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        self.router.clone().oneshot(self.with_cookies(request)).await.unwrap()
    }

    fn with_cookies(&self, mut request: Request<Body>) -> Request<Body> {
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert(COOKIE, cookies.join("; ").parse().unwrap());
        }
        request
    }

    pub(crate) async fn ask(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(self.with_cookies(request)).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// A mail with plain text, HTML, a picture in the text and an attachment with a hostile name.
pub(crate) fn rich_mail() -> Vec<u8> {
    let lines = [
        "From: Ali Baker <ali@alpha.example>",
        "To: et@beta.example",
        "Subject: Erroneous transfer <b>of</b> Example Row",
        "Message-ID: <one@alpha.example>",
        "Date: Fri, 22 May 2026 14:32:00 +0100",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=mixed",
        "",
        "--mixed",
        "Content-Type: multipart/related; boundary=related",
        "",
        "--related",
        "Content-Type: multipart/alternative; boundary=alternative",
        "",
        "--alternative",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Please return the supply of caf=C3=A9 <script>alert(1)</script>",
        "--alternative",
        "Content-Type: text/html; charset=utf-8",
        "",
        "<p onclick=\"alert(1)\">Please <b>return</b> the supply<script>alert(1)</script>",
        "<img src=\"cid:logo@alpha\"><img src=\"https://track.example/x.gif\"><a href=\"https://alpha.example/\">us</a>",
        "--alternative--",
        "--related",
        "Content-Type: image/gif; name=logo.gif",
        "Content-ID: <logo@alpha>",
        "Content-Disposition: inline; filename=logo.gif",
        "Content-Transfer-Encoding: base64",
        "",
        "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
        "--related--",
        "--mixed",
        "Content-Type: application/pdf; name=\"../../statement.pdf\"",
        "Content-Disposition: attachment; filename=\"../../statement.pdf\"",
        "Content-Transfer-Encoding: base64",
        "",
        "JVBERi0xLjcgc2F5cyBoZWxsbw==",
        "--mixed--",
        "",
    ];
    lines.join("\r\n").into_bytes()
}
