//! Every route for every role, in every relation to the case that it is about, in every state of a user: what the table of
//! routes and the access table declare is what comes out. `cargo test -p portal --test pages matrix -- --nocapture` prints it
//! and keeps it as `access-matrix.txt` beside the build.

use std::fmt::Write as _;
use std::path::Path;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, ORIGIN};
use axum::http::{Method, Request, StatusCode};
use jiff::SignedDuration;
use policies::access::{Action, Matter, Relation, Role, may};
use store::{Actor, DirectoryChange, Permission, Place, Retention, User, UserId, UserState};

use crate::market::{Answer, Browser, Market, ORIGIN_HERE, Sent, rich_mail};

const STATES: [UserState; 4] =
    [UserState::Invited, UserState::Confirmed, UserState::Suspended, UserState::Removed];

/// How a case stands to somebody who works for ALFA on first requests about erroneous transfers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Own,
    OtherProcess,
    OtherRung,
    OtherGroup,
    Archived,
    Absent,
}

const OBJECTS: [Of; 6] = [Of::Own, Of::OtherProcess, Of::OtherRung, Of::OtherGroup, Of::Archived, Of::Absent];

/// What somebody gets to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gets {
    /// A page, a redirect, a form's complaint: the rule let the request through.
    In,
    /// The one answer to absent, foreign and forbidden.
    Nothing,
    /// The way to sign in.
    Door,
    /// A program is told to bring a token.
    Token,
}

impl Gets {
    fn letter(self) -> char {
        match self {
            Self::In => 'x',
            Self::Nothing => '-',
            Self::Door => 'd',
            Self::Token => 't',
        }
    }
}

struct Route {
    method: Method,
    path: String,
    rule: String,
}

fn routes() -> Vec<Route> {
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        let (method, path, rule) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
        Route { method: method.parse().unwrap(), path: path.to_owned(), rule: rule.to_owned() }
    };
    portal::route_table().lines().map(line).collect()
}

impl Route {
    fn action(&self) -> Option<Action> {
        let name = self.rule.strip_prefix("May(")?.strip_suffix(')')?;
        Some(Action::ALL.into_iter().find(|action| format!("{action:?}") == name).expect("an action"))
    }

    /// What may come out by declaration. More than one only where an id of something else than a case is in the path, which is
    /// absent here, and for steps that the state of the case does not allow.
    fn declared(&self, role: Role, of: Of, state: UserState) -> Vec<Gets> {
        match self.rule.as_str() {
            "Static" | "Open" | "Demo" => return vec![Gets::In, Gets::Nothing, Gets::Door],
            rule if rule.starts_with("Api(") => return vec![Gets::Token],
            _ if state != UserState::Confirmed => return vec![Gets::Door],
            _ => {}
        }
        match self.rule.as_str() {
            // Whoever signs out is shown the door.
            "SignedIn" if self.path == "/sign-out" => vec![Gets::Door],
            "SignedIn" => vec![Gets::In],
            "Case" if role == Role::Operator => vec![Gets::Nothing],
            "Case" => match of {
                Of::Own if self.method == Method::GET => vec![Gets::In],
                Of::Archived if self.path == "/case/{case}" => vec![Gets::In],
                Of::Own | Of::Archived => vec![Gets::In, Gets::Nothing],
                Of::OtherProcess | Of::OtherRung | Of::OtherGroup | Of::Absent => vec![Gets::Nothing],
            },
            // What it is about is in the form: a certificate that is absent here.
            "May(ManageMailboxes)" if self.path == "/mail/proof" && role == Role::Mau => vec![Gets::Nothing],
            // The held mail of these ids is absent for all.
            "Held" => vec![Gets::Nothing],
            rule => {
                let action = self.action().unwrap_or_else(|| panic!("no declared rule: {rule}"));
                let relation = match action.matter() {
                    Matter::Group => Relation::OwnGroup,
                    Matter::User => Relation::Mine,
                    Matter::Market => Relation::Market,
                    Matter::Case => panic!("{rule} is of a case"),
                };
                match may(action, role, relation) {
                    false => vec![Gets::Nothing],
                    true if self.path.contains('{') => vec![Gets::In, Gets::Nothing],
                    true => vec![Gets::In],
                }
            }
        }
    }

    fn filled(&self, sent: &Sent) -> String {
        let absent = "0".repeat(32);
        let path = self.path.replace("{case}", &sent.case).replace("{message}", &sent.message);
        let path = path.replace("{part}", "3").replace("{process}", "erroneous-transfers");
        let asked = match path.ends_with("/shadow/stage") && self.method == Method::GET {
            true => "?process=erroneous-transfers&to=live",
            false => "",
        };
        let path = path + asked;
        path.split('/')
            .map(|piece| if piece.starts_with('{') { absent.as_str() } else { piece })
            .collect::<Vec<_>>()
            .join("/")
    }
}

/// The cases, one for each relation.
async fn cases(market: &Market) -> Vec<Sent> {
    let archived = market.send(&rich_mail()).await;
    let process = "erroneous-transfers".parse().unwrap();
    let at_once = Retention { process, kept: SignedDuration::ZERO, warned: SignedDuration::ZERO };
    assert_eq!(market.ledger.run_retention(&at_once, 100).await.unwrap(), 1);
    let mut cases = Vec::new();
    for of in OBJECTS {
        cases.push(match of {
            Of::Archived => archived.clone(),
            Of::Absent => Sent { case: "0".repeat(32), message: "0".repeat(32), reference: String::new() },
            _ => case(market, of).await,
        });
    }
    cases
}

async fn case(market: &Market, of: Of) -> Sent {
    market
        .send_as(&rich_mail(), |acceptance| {
            let Place::Open(opening) = &mut acceptance.entries[0].place else { panic!("a new case") };
            match of {
                Of::OtherProcess => opening.process = "crossed-meters".parse().unwrap(),
                Of::OtherRung => opening.contact_type = "escalation-1".parse().unwrap(),
                Of::OtherGroup => {
                    opening.initiator.group = "gamma".parse().unwrap();
                    opening.initiator.participant = "GAMA".parse().unwrap();
                    acceptance.from_group = "gamma".parse().unwrap();
                }
                Of::Own | Of::Archived | Of::Absent => {}
            }
        })
        .await
}

/// Somebody of Alpha in this role and state, with the one permission, and a session from before.
async fn somebody(market: &Market, role: Role, state: UserState) -> UserId {
    let stored = match role {
        Role::User => store::Role::User,
        Role::Mau => store::Role::Mau,
        Role::Compliance => store::Role::Compliance,
        Role::Operator => store::Role::Operator,
    };
    let permission = Permission {
        participant: "ALFA".parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
    };
    let name = format!("{}-{}", role.name(), state.as_str());
    let email = format!("{name}@alpha.example").parse().unwrap();
    let id = UserId::new(market.ledger.now()).unwrap();
    let first = if state == UserState::Invited { state } else { UserState::Confirmed };
    let user = User {
        role: stored,
        permissions: vec![permission],
        state: first,
        ..User::new(id, "alpha".parse().unwrap(), email, name)
    };
    let put = |user: User| market.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(user)]);
    put(user.clone()).await.unwrap();
    if state != first {
        put(User { state, ..user }).await.unwrap();
    }
    id
}

/// A browser with a session of this user, and the token of its forms.
async fn browser(market: &Market, user: UserId) -> Browser {
    let mut browser = market.browser();
    let token = market.ledger.start_session(user).await.unwrap();
    browser.cookies.insert("postern".to_owned(), token.as_str().to_owned());
    browser
}

async fn ask(browser: &mut Browser, method: &Method, path: &str, token: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header(ORIGIN, ORIGIN_HERE);
    let request = match *method {
        Method::GET => request.body(Body::empty()),
        _ => request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(format!("token={token}&seen=&role=user"))),
    };
    browser.ask(request.unwrap()).await
}

fn gets(answer: &Answer) -> Gets {
    match answer.status {
        StatusCode::NOT_FOUND => Gets::Nothing,
        StatusCode::UNAUTHORIZED => Gets::Token,
        StatusCode::SEE_OTHER if answer.location().starts_with("/sign-in") => Gets::Door,
        _ => Gets::In,
    }
}

#[tokio::test]
async fn what_comes_out_is_what_the_tables_declare() {
    let market = Market::new().await;
    let cases = cases(&market).await;
    let (routes, mut cells, mut wrong, mut printed) = (routes(), 0, Vec::new(), String::new());
    let mut lines = vec![vec![String::new(); OBJECTS.len()]; routes.len()];
    for role in Role::ALL {
        for state in STATES {
            let user = somebody(&market, role, state).await;
            for (route, line) in routes.iter().zip(&mut lines) {
                for ((of, sent), letters) in OBJECTS.into_iter().zip(&cases).zip(line) {
                    let mut browser = browser(&market, user).await;
                    let token = match (state, &route.method) {
                        (UserState::Confirmed, method) if *method != Method::GET => {
                            browser.get("/").await.token()
                        }
                        _ => String::new(),
                    };
                    let path = route.filled(sent);
                    let got = gets(&ask(&mut browser, &route.method, &path, &token).await);
                    letters.push(got.letter());
                    cells += 1;
                    if !route.declared(role, of, state).contains(&got) {
                        wrong.push(format!(
                            "{} {} {role:?} {state:?} {of:?}: {got:?}",
                            route.method, route.path
                        ));
                    }
                }
            }
        }
    }
    for (route, line) in routes.iter().zip(&lines) {
        writeln!(printed, "{:<5} {:<45} {}", route.method.as_str(), route.path, line.join(" ")).unwrap();
    }
    let printed =
        format!("columns: {OBJECTS:?}; in each {:?} by {STATES:?}\n{printed}{cells} cells\n", Role::ALL);
    print!("{printed}");
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("access-matrix.txt");
    std::fs::write(kept, printed).expect("the matrix is kept beside the build");
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cells >= 5_000, "{cells}");
}
