//! No open relay: every way to write an address that ever led a mail server to pass mail on is refused in the dialogue,
//! for those whom nobody vouches for and, as long as nothing is relayed, for those who are proved. Nothing leaves.

use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;

use tests::installation::{Installation, NAME, Settings};
use tests::letter::{Letter, Read};
use tests::market::{AMY, BEN, MAILBOX};
use tests::postern::Server;
use tests::process::{program, run_with};
use tests::sink::Sink;
use tests::smtp::Smtp;
use tests::wait;

/// Where an open relay would send to.
const VICTIM: &str = "victim@outside.example";

/// Hosts that a relay might take for itself.
const HOSTS: [&str; 7] =
    [NAME, "beta.example", "alpha.example", "localhost", "127.0.0.1", "[127.0.0.1]", "[IPv6:::1]"];

/// What `RCPT TO:` is followed by, `{h}` being one of the hosts.
const TRICKS: [&str; 19] = [
    "<victim%outside.example@{h}>",
    "<outside.example!victim@{h}>",
    "<{h}!outside.example!victim>",
    "<\"victim@outside.example\"@{h}>",
    "<\"victim%outside.example\"@{h}>",
    "<\"outside.example!victim\"@{h}>",
    "<victim@outside.example@{h}>",
    "<victim@{h}@outside.example>",
    "<@{h}:victim@outside.example>",
    "<@{h},@relay.example:victim@outside.example>",
    "<@{h}:victim%outside.example@{h}>",
    "<victim@outside.example%{h}>",
    "<victim%outside.example%{h}>",
    "<victim\\@outside.example@{h}>",
    "<victim%40outside.example@{h}>",
    "<victim@outside.example%00@{h}>",
    "<postmaster%outside.example@{h}>",
    "<\"victim@outside.example>\"@{h}>",
    "<victim+outside.example@{h}>",
];

/// Those that stand for themselves.
const SINGLE: [&str; 58] = [
    "<victim@outside.example>",
    "<VICTIM@OUTSIDE.EXAMPLE>",
    "<victim@outside.example.>",
    "<victim@outside.example..>",
    "<victim@.outside.example>",
    "<victim@@outside.example>",
    "<@outside.example>",
    "<victim@>",
    "<@>",
    "<>",
    "<victim>",
    "<victim%outside.example>",
    "<outside.example!victim>",
    "<outside.example!beta.example!victim>",
    "<\"victim@outside.example\">",
    "<\"victim\"@outside.example>",
    "<\"vic\\tim\"@outside.example>",
    "<\"\"@outside.example>",
    "<victim@[192.0.2.1]>",
    "<victim@[127.0.0.1]>",
    "<victim@[2130706433]>",
    "<victim@[0x7f.1]>",
    "<victim@[IPv6:::ffff:127.0.0.1]>",
    "<victim@[outside.example]>",
    "<victim@[[127.0.0.1]]>",
    "<victim@[]>",
    "<victim@127.0.0.1>",
    "<victim@2130706433>",
    "<victim@#2130706433>",
    "<victim@outside.example#>",
    "<victim@outside%2Eexample>",
    "<victim%40outside.example>",
    "<victim@out\u{200b}side.example>",
    "<victim@outside\u{3002}example>",
    "<victim@outside\u{ff0e}example>",
    "<victim\u{ff20}outside.example>",
    "<victim@xn--outside-.example>",
    "<et\u{430}@beta.example>",
    "<et@bet\u{430}.example>",
    "<et@beta.example.outside.example>",
    "<et@beta.example,victim@outside.example>",
    "<et@beta.example> <victim@outside.example>",
    "<et@beta.example;victim@outside.example>",
    "<et@beta.example\0victim@outside.example>",
    "<victim@outside.example\0et@beta.example>",
    "<victim@outside.example\0>",
    "<et@beta.example\nRCPT TO:<victim@outside.example>",
    "<et@beta.example\rRCPT TO:<victim@outside.example>",
    "<victim@outside.example\t>",
    "< victim@outside.example>",
    "<victim @outside.example>",
    "<<victim@outside.example>>",
    "<(x)victim@outside.example>",
    "victim@outside.example",
    "Victim <victim@outside.example>",
    "<mailto:victim@outside.example>",
    "<smtp:victim@outside.example>",
    "<postmaster@outside.example>",
];

struct Border {
    sink: Sink,
    server: Server,
    installation: Installation,
    /// Addresses that are ours and good in other hands only, and forged ones.
    keyed: Vec<String>,
    /// The one of them to which a mail of ours may come back, from wherever it went.
    returns: String,
    /// Mails that have left before any trick.
    before: usize,
}

impl Border {
    fn set(sections: &'static str) -> Self {
        let sink = Sink::start();
        let smarthost = sink.address.to_string();
        let limits = "connections_per_peer = 5000\nerrors = 1000";
        let installation =
            Installation::new(&Settings { smarthost, sections, limits, ..Settings::default() });
        let server = installation.serve();
        // Ben's way to answer a case, which is nobody else's.
        let mut smtp = Smtp::login(server.submission(), AMY, &installation.password(AMY)).unwrap();
        let mail = Letter::new(AMY, MAILBOX, "Case", "case@alpha.example").bytes();
        smtp.deliver(AMY, &[MAILBOX], &mail).unwrap().reference();
        let notice = wait::until("the notice", || sink.mails().into_iter().find(|mail| mail.to == [MAILBOX]));
        wait::until_true("an empty queue", || installation.json(["queue", "list"]) == serde_json::json!([]));
        let reply = Read::parse(&notice.bytes).header("Reply-To").to_owned();
        let reply = reply.split(['<', '>']).find(|part| part.contains('@')).unwrap().to_owned();
        let returns = notice.from;
        let keyed = [&reply, &returns].into_iter().flat_map(|address| twisted(address)).collect();
        let before = sink.mails().len();
        Self { sink, server, installation, keyed, returns, before }
    }

    /// The own address of the keyed ones, as it is.
    fn foreign(&self) -> &str {
        &self.keyed[0]
    }

    fn tricks(&self) -> BTreeSet<String> {
        let spread = TRICKS.iter().flat_map(|trick| HOSTS.iter().map(|host| trick.replace("{h}", host)));
        let single = SINGLE.iter().map(|trick| (*trick).to_owned());
        let keyed = self.keyed.iter().filter(|address| **address != self.returns);
        spread.chain(single).chain(keyed.map(|address| format!("<{address}>"))).collect()
    }

    fn nothing_has_left(self) {
        assert_eq!(self.installation.json(["queue", "list"]), serde_json::json!([]));
        assert_eq!(self.sink.mails().len(), self.before, "{:?}", self.sink.mails().last());
        assert_eq!(self.installation.cases().len(), 1, "and no case was made");
        self.installation.audit_is_whole();
        self.server.stop();
    }
}

/// A keyed address with another key, with none, and at the victim's: the first is the address itself.
fn twisted(address: &str) -> Vec<String> {
    let (local, domain) = address.split_once('@').unwrap();
    let (start, last) = local.split_at(local.len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    let forms = [
        format!("{start}{other}"),
        start.to_owned(),
        format!("{local}0"),
        format!("{local}%outside.example"),
    ];
    let mut all = vec![address.to_owned(), format!("{local}@outside.example")];
    all.extend(forms.iter().map(|local| format!("{local}@{domain}")));
    all
}

/// Names nobody to send it to, and no process; the dot ends it.
const PROBE: &str =
    "From: amy@alpha.example\r\nSubject: hello\r\nMessage-ID: <probe@alpha.example>\r\n\r\nhello\r\n.\r\n";

/// One connection that is opened again when a trick has ended it.
struct Probe<'a> {
    open: &'a dyn Fn() -> io::Result<Smtp>,
    from: &'a str,
    smtp: Option<Smtp>,
}

impl<'a> Probe<'a> {
    fn new(open: &'a dyn Fn() -> io::Result<Smtp>, from: &'a str) -> Self {
        Self { open, from, smtp: None }
    }

    /// The answer to the sender, to the recipient, or to the mail itself: the first that is a refusal, else the last. At
    /// another company's domain the subject could name a process, so there the mail has to be heard.
    fn answer(&mut self, recipient: &str) -> u16 {
        let mut smtp = self.smtp.take().unwrap_or_else(|| (self.open)().unwrap());
        let begun = smtp.command(&format!("MAIL FROM:<{}>", self.from));
        let begun = begun.unwrap_or_else(|error| panic!("{error} before {recipient:?}"));
        if begun.code != 250 {
            self.smtp = Some(smtp);
            return begun.code;
        }
        let code = smtp.command(&format!("RCPT TO:{recipient}"));
        let code = code.unwrap_or_else(|error| panic!("{error} instead of an answer to {recipient:?}")).code;
        let data = smtp.command("DATA").map(|reply| reply.code);
        if data.is_ok_and(|data| data == 354) {
            assert_eq!(code, 250, "{recipient:?}");
            smtp.send(PROBE.as_bytes()).unwrap();
            return smtp.reply().unwrap().code;
        }
        // Who only resets is sent away after a while.
        if smtp.command("RSET").is_ok_and(|reply| reply.code == 250) {
            self.smtp = Some(smtp);
        }
        code
    }

    fn refuses(mut self, tricks: &BTreeSet<String>) {
        for trick in tricks {
            let code = self.answer(trick);
            assert!((400..600).contains(&code), "{code} to {trick:?} from <{}>", self.from);
        }
    }
}

fn from_strangers(border: &Border) {
    let tricks = border.tricks();
    assert!(tricks.len() >= 190, "{}", tricks.len());

    for (address, from) in [
        (border.server.smtp(), ""),
        (border.server.smtp(), AMY),
        (border.server.smtp(), VICTIM),
        (border.server.smtp(), BEN),
        (border.server.submission(), ""),
        (border.server.submission(), AMY),
    ] {
        Probe::new(&|| Smtp::greet(address), from).refuses(&tricks);
    }
    over_tls(border.server.smtp(), border, &tricks);
}

/// Over TLS a claim of a company is heard, because a signature might bear it out.
fn over_tls(address: SocketAddr, border: &Border, tricks: &BTreeSet<String>) {
    let mut python = program("python3");
    python
        .args(["-c", SMTPLIB, &address.port().to_string()])
        .arg(border.installation.ca())
        .arg(AMY)
        .arg(PROBE);
    let lines: Vec<_> = tricks.iter().filter(|trick| !trick.contains(['\n', '\r', '\0'])).cloned().collect();
    let said = run_with(&mut python, lines.join("\n").as_bytes()).good("smtplib").text();
    assert_eq!(said.lines().count(), lines.len(), "{said}");
    for (line, trick) in said.lines().zip(&lines) {
        assert!(line.starts_with(['4', '5']), "{line} to {trick:?}");
    }
}

const SMTPLIB: &str = r#"
import smtplib, ssl, sys
port, ca, user, probe = sys.argv[1:]
smtp = None
for number, trick in enumerate(sys.stdin.buffer.read().decode().split("\n")):
    if smtp is None or number % 20 == 0:
        smtp = smtplib.SMTP("localhost", int(port))
        smtp.starttls(context=ssl.create_default_context(cafile=ca))
        smtp.ehlo()
        smtp.command_encoding = "utf-8"
    code, text = smtp.docmd(f"MAIL FROM:<{user}>")
    assert code == 250, (code, text)
    code, text = smtp.docmd("RCPT TO:" + trick)
    data, _ = smtp.docmd("DATA")
    if data == 354:
        smtp.send(probe)
        code, text = smtp.getreply()
    try:
        smtp.docmd("RSET")
    except smtplib.SMTPServerDisconnected:
        smtp = None
    print(code, trick.encode())
"#;

#[test]
fn nothing_passes_from_those_whom_nobody_vouches_for() {
    let border = Border::set("");
    from_strangers(&border);
    border.nothing_has_left();
}

#[test]
fn nothing_passes_from_those_either_where_mail_is_relayed() {
    let border = Border::set("[relay]\nenabled = true\n");
    from_strangers(&border);
    border.nothing_has_left();
}

#[test]
fn nothing_passes_from_a_company_that_is_proved_while_nothing_is_relayed() {
    let border = Border::set("");
    let tricks = border.tricks();
    assert!(tricks.contains(&format!("<{}>", border.foreign())), "Ben's way to answer");
    for (user, from) in [(AMY, AMY), (AMY, ""), (AMY, VICTIM)] {
        let password = border.installation.password(user);
        let submission = border.server.submission();
        Probe::new(&|| Smtp::login(submission, user, &password), from).refuses(&tricks);
    }
    border.nothing_has_left();
}

#[test]
fn no_address_names_a_further_way() {
    let border = Border::set("[relay]\nenabled = true\n");
    let password = border.installation.password(AMY);
    let mut smtp = Smtp::login(border.server.submission(), AMY, &password).unwrap();
    for local in ["victim%outside.example", "outside.example!victim", "\"victim@outside.example\""] {
        for domain in ["alpha.example", "beta.example", "outside.example", NAME] {
            let reply = smtp.begin(AMY, &[&format!("{local}@{domain}")]).unwrap();
            assert!(reply.is("550 5.1.1"), "{local}@{domain}: {reply:?}");
        }
    }
    let reply = smtp.begin(AMY, &["carl@alpha.example"]).unwrap();
    assert_eq!(reply.code, 354, "a plain address is another matter: {reply:?}");
    drop(smtp);
    border.nothing_has_left();
}
