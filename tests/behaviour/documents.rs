//! What stands in a file counts as if it stood in the mail: a list of meter points does not leave because it is a
//! spreadsheet, and a locked one is as closed as any. A mail in a process is findable by what its files say.

use tests::installation::{Installation, Settings};
use tests::letter::{Attachment, Letter};
use tests::market::{AMY, MAILBOX};
use tests::postern::Server;
use tests::sink::Sink;
use tests::smtp::{Reply, Smtp};

#[path = "../../policies/tests/market/mails/files.rs"]
#[expect(dead_code, reason = "only some kinds of files are needed")]
mod files;

use files::File;

const STRANGER: &str = "jo@outside.example";
const MPAN: &str = "1200023305967";

struct Desk {
    server: Server,
    installation: Installation,
    password: String,
    _sink: Sink,
}

impl Desk {
    fn set() -> Self {
        let sink = Sink::start();
        let settings = Settings {
            smarthost: sink.address.to_string(),
            sections: "[relay]\nenabled = true\n",
            ..Settings::default()
        };
        let installation = Installation::new(&settings);
        let password = installation.password(AMY);
        Self { server: installation.serve(), installation, password, _sink: sink }
    }

    fn sends(&self, to: &str, file: File) -> Reply {
        let id = format!("{}.{}@alpha.example", file.name.replace(' ', "-"), file.bytes.len());
        let mut letter = Letter::new(AMY, to, "As discussed", &id);
        letter.text = "Please see the file.\r\n".to_owned();
        letter.attachment = Some(Attachment { name: file.name, bytes: file.bytes });
        let mut smtp = Smtp::login(self.server.submission(), AMY, &self.password).unwrap();
        smtp.deliver(AMY, &[to], &letter.bytes()).unwrap()
    }
}

fn rows(number: &str) -> Vec<Vec<String>> {
    let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
    vec![row(["MPAN", "Reading"]), row([number, "04411"])]
}

fn lines(number: &str) -> Vec<String> {
    vec!["Dear Sir or Madam".to_owned(), format!("The MPAN is {number}."), "Yours faithfully".to_owned()]
}

#[test]
fn a_meter_point_in_a_file_keeps_the_mail_from_leaving() {
    let desk = Desk::set();
    for file in [
        files::xlsx("list", &rows(MPAN)),
        files::csv("list", &rows(MPAN)),
        files::docx("letter", &lines(MPAN)),
        files::pdf("letter", &lines(MPAN)),
    ] {
        let name = file.name.clone();
        let reply = desk.sends(STRANGER, file);
        assert!(reply.is("550 5.7.1"), "{name}: {reply:?}");
    }
    // The same files about nobody.
    for file in [files::xlsx("plan", &rows("none")), files::pdf("plan", &lines("not known"))] {
        let name = file.name.clone();
        let reply = desk.sends(STRANGER, file);
        assert!(reply.is("250 2.0.0 taken, and on its way"), "{name}: {reply:?}");
    }
}

#[test]
fn a_secured_mail_is_found_by_what_its_file_says() {
    let desk = Desk::set();
    let reply = desk.sends(MAILBOX, files::xlsx("list", &rows(MPAN)));
    assert!(reply.is("250 2.0.0 secured as case"), "{reply:?}");
    let password = desk.installation.password(tests::market::BEN);
    let mut reader = tests::http::Visitor::signed_in(desk.server.portal(), tests::market::BEN, &password);
    let form = reader.get("/search").text();
    let token = form.split("name=\"token\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let found = reader.post("/search", &[("token", token), ("tag", MPAN)]).links("/case/");
    assert_eq!(found.len(), 1, "{found:?}");
}

/// What nobody could look at may be anything: it stays until somebody has, unless it stays in the company or is sealed.
#[test]
fn what_was_not_looked_at_does_not_leave_unseen() {
    let desk = Desk::set();
    let locked = |name: &str| {
        let rar = b"Rar!\x1a\x07\x01\0\x33\x92\xb5\xe5";
        File { name: name.to_owned(), bytes: rar.to_vec(), ..files::pdf("x", &lines(MPAN)) }
    };
    let long = |name: &str| {
        let rows = "nothing to see here;go on please\r\n".repeat(80_000);
        File {
            name: name.to_owned(),
            bytes: format!("{rows}MPAN;{MPAN}\r\n").into_bytes(),
            ..files::csv("x", &self::rows(MPAN))
        }
    };
    for (place, file) in [locked("plans.rar"), long("plans.csv")].into_iter().enumerate() {
        let again = |to: &str| {
            let mut file = file.clone();
            file.name = format!("{}-{place}-{}", to.len(), file.name);
            desk.sends(to, file)
        };
        let held = again(STRANGER);
        assert!(held.is("250 2.0.0 not all of this mail could be looked at"), "{held:?}");
        let sealed = again(MAILBOX);
        assert!(sealed.is("250 2.0.0 secured as case"), "{sealed:?}");
    }
}
