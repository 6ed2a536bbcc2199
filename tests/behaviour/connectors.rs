//! Mail services whose customers share their addresses: the header says whose mail it is, with a secret that is stored
//! nowhere, and the switch stops it at once.

use std::fs;
use std::path::Path;

use tests::dkim::{Sent, send};
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::{AMY, BEN, GIA, MAILBOX};
use tests::postern::Server;
use tests::smtp::{Reply, Smtp};

const TENANT: &str = "X-MS-Exchange-CrossTenant-Id";
const SECRET: &str = "X-Postern-Connector";

struct Stage {
    server: Server,
    installation: Installation,
    /// Of Alpha's connector, and of Gamma's.
    secrets: [String; 2],
}

impl Stage {
    fn set() -> Self {
        let installation = Installation::new(&Settings { level: "debug", ..Settings::default() });
        installation.configure("[[provider]]\nname = \"exchange-online\"\nnetworks = [\"127.0.0.1/32\"]\n");
        let secrets = [("alpha-mail", "alpha", "11-aa"), ("gamma-mail", "gamma", "33-cc")].map(
            |(name, group, tenant)| {
                let add = ["connector", "add", name, "--group", group, "--provider", "exchange-online"];
                let [a, b, c, d, e, f, g] = add;
                let added = installation.json([a, b, c, d, e, f, g, "--tenant", tenant]);
                assert_eq!(added["header"], SECRET, "{added}");
                added["secret"].as_str().expect("a secret").to_owned()
            },
        );
        Self { server: installation.serve(), installation, secrets }
    }

    /// Sends a mail of `from` as the service does, with these fields of its own.
    fn send(&self, from: &str, id: &str, fields: &[(&str, &str)]) -> (Vec<u8>, Reply) {
        let mut letter = Letter::new(from, MAILBOX, "By way of a service", &format!("{id}@alpha.example"));
        letter.headers = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let mail = letter.bytes();
        let sent = Sent { from, to: MAILBOX, mail: mail.clone(), signature: None };
        let reply = send(self.server.smtp(), &self.installation.ca(), &[sent]).remove(0);
        (mail, reply)
    }

    fn switch(&self, name: &str, to: &str) {
        self.installation.tool(["connector", to, name]).good("postern connector");
    }
}

/// Every file below `folder`.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files(&path),
            path if path.is_file() => vec![fs::read(&path).expect("a file")],
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn tenant_and_secret_bind_a_mail_to_one_company_and_the_secret_is_kept_nowhere() {
    let stage = Stage::set();
    let [alpha, gamma] = &stage.secrets;
    let (mail, reply) = stage.send(AMY, "bound", &[(TENANT, "11-aa"), (SECRET, alpha)]);
    let case = reply.reference();
    let shown = stage.installation.json(["case", "show", &case]);
    let item = &shown["items"][0];
    assert_eq!((&item["from"], &item["proof"]), (&"alpha".into(), &"connector alpha-mail".into()));
    // Byte for byte, but for the secret.
    let blotted = String::from_utf8(mail).unwrap().replace(alpha.as_str(), &"x".repeat(alpha.len()));
    stage.installation.holds(&case, &[blotted.into_bytes()]);

    let (_, reply) = stage.send(GIA, "other", &[(TENANT, "33-cc"), (SECRET, gamma)]);
    let shown = stage.installation.json(["case", "show", &reply.reference()]);
    assert_eq!(shown["items"][0]["from"], "gamma", "another customer is another company");

    stage.installation.audit_is_whole();
    let Stage { server, installation, secrets } = stage;
    let said = server.stop();
    let stored = files(installation.data());
    assert!(stored.iter().any(|file| file.len() > 10_000), "the ledger is among them");
    for secret in &secrets {
        let found = |file: &[u8]| memchr::memmem::find(file, secret.as_bytes()).is_some();
        assert!(!stored.iter().any(|file| found(file)), "the secret is in a file of the data folder");
        assert!(!said.contains(secret.as_str()), "the secret is in the log");
    }
}

/// Names and values of header fields.
type Fields<'a> = &'a [(&'a str, &'a str)];

#[test]
fn whatever_does_not_fit_whole_is_refused_alike() {
    let stage = Stage::set();
    let [alpha, gamma] = stage.secrets.each_ref().map(String::as_str);
    let longer = format!("{alpha}x");
    let refused: [(&str, &str, Fields<'_>); 11] = [
        ("nothing", AMY, &[]),
        ("no secret", AMY, &[(TENANT, "11-aa")]),
        ("an empty secret", AMY, &[(TENANT, "11-aa"), (SECRET, "")]),
        ("no tenant", AMY, &[(SECRET, alpha)]),
        ("a wrong secret", AMY, &[(TENANT, "11-aa"), (SECRET, &longer)]),
        ("the other customer's secret", AMY, &[(TENANT, "11-aa"), (SECRET, gamma)]),
        ("the other customer's tenant", GIA, &[(TENANT, "33-cc"), (SECRET, alpha)]),
        ("the secret twice", AMY, &[(TENANT, "11-aa"), (SECRET, alpha), (SECRET, alpha)]),
        ("a wrong secret beside it", AMY, &[(TENANT, "11-aa"), (SECRET, "guess"), (SECRET, alpha)]),
        ("the tenant twice", AMY, &[(TENANT, "11-aa"), (TENANT, "33-cc"), (SECRET, alpha)]),
        ("another company's author", BEN, &[(TENANT, "11-aa"), (SECRET, alpha)]),
    ];
    for (number, (name, from, fields)) in refused.into_iter().enumerate() {
        let (_, reply) = stage.send(from, &format!("refused-{number}"), fields);
        assert!(reply.is("550 5.7.1 "), "{name}: {reply:?}");
    }
    let mut clear = Smtp::greet(stage.server.smtp()).unwrap();
    let reply = clear.command(&format!("MAIL FROM:<{AMY}>")).unwrap();
    assert!(reply.is("550 5.7.1 ") && reply.text.contains("STARTTLS"), "in the clear: {reply:?}");
    assert!(stage.installation.cases().is_empty());
    stage.server.stop();
}

#[test]
fn the_switch_works_at_once() {
    let stage = Stage::set();
    let fields = [(TENANT, "11-aa"), (SECRET, stage.secrets[0].as_str())];
    let sent = |id: &str| stage.send(AMY, id, &fields).1;
    assert_eq!(sent("on").code, 250);
    stage.switch("alpha-mail", "off");
    assert_eq!(sent("off").code, 550);
    stage.switch("alpha-mail", "on");
    assert_eq!(sent("on-again").code, 250);
    stage.switch("alpha-mail", "remove");
    assert_eq!(sent("removed").code, 550);
    let listed = stage.installation.json(["connector", "list"]);
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    stage.server.stop();
}
