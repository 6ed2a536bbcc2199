//! The second market with the real program: a council writes to a hospital trust, whose people read the notice, the case and
//! every page that they can get to. Nothing that anybody reads is a word of the first market.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tests::http::Visitor;
use tests::installation::{Installation, Settings};
use tests::letter::Letter;
use tests::market::Market;
use tests::postern::Server;
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

/// Begins a word of the market of energy.
const FOREIGN: [&str; 15] = [
    "mpan",
    "mprn",
    "mpid",
    "meter",
    "supplier",
    "supply",
    "erroneous",
    "energy",
    "electric",
    "gas",
    "fuel",
    "tariff",
    "kwh",
    "ofgem",
    "retail",
];

const CARA: &str = "cara@council.example";
const DISCHARGE: &str = "discharge@trust.example";
const NHS: &str = "943 476 5919";

/// Pages of one kind that are looked at.
const OF_A_KIND: usize = 3;

const DIRECTORY: &str = r#"
[[group]]
id = "council"
name = "Northshire Council"
domains = ["council.example"]
receipts = "all"
[[group]]
id = "trust"
name = "Skelby Hospital Trust"
domains = ["trust.example"]
[[participant]]
mpid = "COUN"
group = "council"
name = "Northshire Council"
role = "council"
[[participant]]
mpid = "TRUS"
group = "trust"
name = "Skelby Hospital Trust"
role = "hospital-trust"
[[user]]
email = "cara@council.example"
group = "council"
name = "Cara Cole"
role = "user"
permissions = [
  { participant = "COUN", process = "hospital-discharge", contact_type = "referral" },
  { participant = "COUN", process = "safeguarding-adults", contact_type = "referral" },
]
[[user]]
email = "com@council.example"
group = "council"
name = "Cole Cole"
role = "compliance"
[[user]]
email = "theo@trust.example"
group = "trust"
name = "Theo Tate"
role = "user"
permissions = [{ participant = "TRUS", process = "hospital-discharge", contact_type = "referral" }]
[[user]]
email = "mau@trust.example"
group = "trust"
name = "Mia Tate"
role = "mau"
[[user]]
email = "ope@trust.example"
group = "trust"
name = "Oma Tate"
role = "operator"
[[mailbox]]
address = "discharge@trust.example"
group = "trust"
participant = "TRUS"
process = "hospital-discharge"
contact_type = "referral"
"#;

/// Words of another market, by where they stand.
type Found = BTreeMap<String, BTreeSet<String>>;

struct Casework {
    sink: Sink,
    server: Server,
    installation: Installation,
}

impl Casework {
    fn set() -> Self {
        let sink = Sink::start();
        let settings = Settings {
            smarthost: sink.address.to_string(),
            sections: "[policy]\nmarket = \"casework\"\n[relay]\nenabled = true\n",
            market: Market { directory: Some(DIRECTORY), ..Market::default() },
            ..Settings::default()
        };
        let installation = Installation::new(&settings);
        Self { sink, server: installation.serve(), installation }
    }

    fn visitor(&self, email: &str) -> Visitor {
        Visitor::signed_in(self.server.portal(), email, &self.installation.password(email))
    }
}

/// The words of a text that belong to the other market.
fn foreign(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphabetic()).map(str::to_lowercase);
    words.filter(|word| FOREIGN.iter().any(|other| word.starts_with(other))).collect()
}

/// What stands between the tags of a page, and in the attributes that are read out.
fn readable(page: &str) -> String {
    let mut text = String::new();
    for piece in page.split('<') {
        let (tag, behind) = piece.split_once('>').unwrap_or(("", piece));
        for attribute in
            ["aria-label=\"", "title=\"", "placeholder=\"", "data-label=\"", "content=\"", "alt=\""]
        {
            let value = tag.split_once(attribute).and_then(|(_, rest)| rest.split_once('"'));
            text.extend(value.map(|(value, _)| format!("{value}\n")));
        }
        text.push_str(behind);
        text.push('\n');
    }
    text
}

/// The kind of a page: its address without ids and answers to questions.
fn kind(address: &str) -> String {
    let path = address.split('?').next().unwrap_or_default();
    let id = |part: &&str| part.len() >= 20 || part.bytes().any(|byte| byte.is_ascii_digit());
    path.split('/').map(|part| if id(&part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

fn letter(to: &str, id: &str) -> Letter {
    let mut letter =
        Letter::new(&format!("Cara Cole <{CARA}>"), to, "ready on Friday", &format!("{id}@council.example"));
    letter.text = format!("The person with NHS number {NHS} can go home. Our ref: ASC-123456\r\n");
    letter
}

/// Every page that somebody can get to by following links; answers how many kinds there were.
fn read_everything(visitor: &mut Visitor, who: &str, found: &mut Found) -> usize {
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    let mut ahead = VecDeque::from(["/".to_owned()]);
    while let Some(address) = ahead.pop_front() {
        let of_kind = seen.entry(kind(&address)).or_default();
        if of_kind.len() >= OF_A_KIND || !of_kind.insert(address.clone()) {
            continue;
        }
        let answer = visitor.get(&address);
        let form = answer.header("content-type").unwrap_or_default().to_owned();
        let place = format!("{who} {address}");
        if form.starts_with("text/csv") || form.starts_with("application/json") {
            note(found, &place, &answer.text());
        }
        if form.starts_with("text/html") {
            note(found, &place, &readable(&answer.text()));
            ahead.extend(
                answer
                    .links("/")
                    .into_iter()
                    .filter(|link| link.starts_with('/') && !link.contains("/assets/")),
            );
        }
    }
    seen.len()
}

/// What a text says of another market, under the name of where it stands.
fn note(found: &mut Found, place: &str, text: &str) {
    let said = foreign(text);
    if !said.is_empty() {
        found.insert(place.to_owned(), said);
    }
}

/// One mail that is secured, one that is held and one that is refused; answers the reference of the case.
fn sent(casework: &Casework, found: &mut Found) -> String {
    let mut smtp =
        Smtp::login(casework.server.submission(), CARA, &casework.installation.password(CARA)).unwrap();
    let mut deliver = |to: &str| smtp.deliver(CARA, &[to], &letter(to, to).bytes()).unwrap();
    let (secured, held, refused) =
        (deliver(DISCHARGE), deliver("ward@trust.example"), deliver("jo@outside.example"));
    assert!(secured.is("250 2.0.0 secured as case "), "{secured:?}");
    assert!(held.is("250 ") && refused.is("550 "), "{held:?} {refused:?}");
    for reply in [&secured, &held, &refused] {
        note(found, "a reply of the server", &format!("{reply:?}"));
    }
    secured.reference()
}

/// The notice to the trust and the receipt to the council.
fn notices(casework: &Casework, found: &mut Found) {
    let mails = wait::until("a notice and a receipt", || {
        let mails = casework.sink.mails();
        let any = |to: &str| mails.iter().any(|mail| mail.to == [to]);
        (any(DISCHARGE) && any(CARA)).then_some(mails)
    });
    for mail in mails {
        let text = String::from_utf8_lossy(&mail.bytes).into_owned();
        assert!(!text.contains("5919"), "personal data in a notice: {text}");
        note(found, "a notice", &text);
    }
}

/// The case is read, found by the number of this market, and tagged.
fn the_case(casework: &Casework, reference: &str, found: &mut Found) {
    let mut theo = casework.visitor("theo@trust.example");
    let home = theo.get("/");
    assert!(home.text().contains("Hospital Discharge"), "{}", home.text());
    let case = home.links("/case/").remove(0);
    let page = theo.get(&case).text();
    assert!(page.contains(NHS) && page.contains(">Number or reference</option>"), "{page}");
    let token = theo.get("/search").field("token");
    assert!(theo.get("/search").text().contains("NHS number, your reference or a case reference"));
    let mut search = |tag: &str| theo.post("/search", &[("token", &token), ("tag", tag)]).text();
    assert!(search(NHS).contains(reference), "found by the number");
    // As long as a number of the other market, and not checked as one.
    for typed in ["1200023305968", "", "none at all"] {
        note(found, &format!("a search for {typed:?}"), &readable(&search(typed)));
    }
    let token = theo.get(&case).field("token");
    let mut tag = |kind: &str, value: &str| {
        theo.post(&format!("{case}/tag"), &[("token", &token), ("kind", kind), ("value", value)])
    };
    assert_eq!(tag("mpan", "1200023305967").status, 400, "no number of this market");
    let wrong = tag("reference", "");
    assert_eq!(wrong.status, 422);
    note(found, "a wrong tag", &readable(&wrong.text()));
}

/// A case that is begun in the portal.
fn a_new_case(casework: &Casework, found: &mut Found) {
    let mut cara = casework.visitor(CARA);
    let token = cara.get("/new").field("token");
    let begun = cara.post("/new", &[("token", &token), ("kind", "hospital-discharge COUN")]);
    let draft = begun.header("location").expect("a draft").to_owned();
    let page = cara.get(&draft).text();
    assert!(page.contains("NHS number or your reference"), "{page}");
    note(found, "a new case", &readable(&page));
    for typed in [NHS, "1200023305968", "120002330596", "none at all", &"x".repeat(81)] {
        let said = cara.post("/check-tag", &[("token", &token), ("tag", typed)]).text();
        note(found, &format!("what is said of {typed}"), &said);
    }
}

fn command_line(casework: &Casework, reference: &str, found: &mut Found) {
    let mut tell = |name: &str, said: String| note(found, name, &said);
    for tool in [
        ["case", "list"],
        ["queue", "list"],
        ["directory", "list"],
        ["policy", "stages"],
        ["policy", "test"],
        ["policy", "check"],
        ["policy", "shadow-report"],
    ] {
        tell(&tool.join(" "), casework.installation.tool(tool).everything());
    }
    tell("health", casework.installation.tool(["health"]).everything());
    tell("case show", casework.installation.tool(["case", "show", reference]).everything());
}

#[test]
fn nothing_that_a_council_or_a_trust_reads_is_of_another_market() {
    assert_eq!(foreign(&readable("<label title=\"MPAN\">Meters, <b>suppliers</b></label>")).len(), 3);
    let (casework, mut found) = (Casework::set(), Found::new());
    let reference = sent(&casework, &mut found);
    notices(&casework, &mut found);
    the_case(&casework, &reference, &mut found);
    a_new_case(&casework, &mut found);
    let everybody =
        ["theo@trust.example", "mau@trust.example", "com@council.example", "ope@trust.example", CARA];
    let kinds: usize =
        everybody.map(|who| read_everything(&mut casework.visitor(who), who, &mut found)).iter().sum();
    assert!(kinds >= 40, "only {kinds} kinds of pages");
    command_line(&casework, &reference, &mut found);
    note(&mut found, "the log", &casework.server.stop());
    assert!(found.is_empty(), "{found:#?}");
}
