//! One command line → one command. Simple verbs are read by `smtp-proto`; paths are read here and by
//! `mail::Address`, because that crate drops quotes and refuses address literals. Nothing is guessed: what a line
//! does not clearly say, it does not say.

use mail::{Address, Notify, ReportWish, ReversePath};
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, AUTH_SCRAM_SHA_256, Error, Request};

use super::circumstance::{Greeting, Script, hello_name};
use super::parameters::{self, OfMail, OfRcpt};

/// A command that this server knows, with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// EHLO or HELO, and a name if it is one.
    Hello(Greeting, Option<Box<str>>),
    StartTls,
    Auth {
        mechanism: Mechanism,
        initial: Option<String>,
    },
    Mail(Mail),
    Rcpt(Recipient),
    Data,
    Bdat(Chunk),
    Rset,
    Noop,
    Vrfy,
    Help,
    Quit,
}

/// SASL mechanisms on offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mechanism {
    Plain,
    Login,
    ScramSha256,
}

/// `MAIL FROM`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) from: ReversePath,
    /// Octets, by the SIZE parameter.
    pub(crate) announced: Option<u64>,
    pub(crate) script: Script,
    pub(crate) report: ReportWish,
    pub(crate) parameters: Parameters,
}

/// Whether a command came with service extensions; without EHLO it may not (RFC 5321 §4.1.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    None,
    Some,
}

/// `RCPT TO`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    pub(crate) to: Forward,
    pub(crate) notify: Notify,
    /// ORCPT, decoded.
    pub(crate) original: Option<String>,
    pub(crate) parameters: Parameters,
}

/// The path of RCPT.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// `<postmaster>` without a domain (RFC 5321 §4.5.1).
    Postmaster,
    Address(Address),
}

/// `BDAT` (RFC 3030 §2): so many octets of a message follow the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) octets: u64,
    pub(crate) position: Position,
}

/// Where a chunk stands in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Before,
    Last,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misread {
    Unknown,
    /// Known to others, not to this server.
    NotOffered,
    /// BDAT with a size that cannot be read: what follows would be taken for commands, so nothing more can be read.
    ChunkSize,
    /// BDAT with something behind its size, which is this.
    ChunkForm(u64),
    /// The form that the command has.
    Syntax(&'static str),
    /// An octet that no command has.
    Octets,
    Mechanism,
    /// A parameter that was not announced.
    Parameter,
    /// An announced parameter with a value that it cannot have, or given twice.
    ParameterValue(&'static str),
    Sender,
    Recipient,
    /// An address beyond ASCII without the SMTPUTF8 parameter.
    NeedsUtf8,
}

const MAIL_FORM: &str =
    "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8] [RET=FULL|HDRS] [ENVID=xtext]";
const RCPT_FORM: &str = "RCPT TO:<address> [NOTIFY=NEVER|SUCCESS,FAILURE,DELAY] [ORCPT=type;xtext]";

/// Reads one line, its CRLF included.
pub(crate) fn parse(line: &[u8]) -> Result<Command, Misread> {
    let text = std::str::from_utf8(line).map_err(|_| Misread::Octets)?;
    let body = text.strip_suffix("\r\n").unwrap_or(text);
    if body.chars().any(|c| c.is_control()) {
        return Err(Misread::Octets);
    }
    if let Some(rest) = after_verb(body, "MAIL") {
        return mail(rest);
    }
    if let Some(rest) = after_verb(body, "RCPT") {
        return rcpt(rest);
    }
    if starts_with_verb(body, "BDAT") {
        return bdat(after_verb(body, "BDAT").unwrap_or(""));
    }
    simple(line, body)
}

/// Every command without a path.
fn simple(line: &[u8], body: &str) -> Result<Command, Misread> {
    match Request::parse(&mut line.iter()) {
        Ok(Request::Ehlo { .. }) => Ok(hello(Greeting::Ehlo, body)),
        Ok(Request::Helo { .. }) => Ok(hello(Greeting::Helo, body)),
        Ok(Request::StartTls) => alone(body, Command::StartTls, "STARTTLS"),
        Ok(Request::Data) => alone(body, Command::Data, "DATA"),
        Ok(Request::Rset) => alone(body, Command::Rset, "RSET"),
        Ok(Request::Quit) => alone(body, Command::Quit, "QUIT"),
        Ok(Request::Noop { .. }) => Ok(Command::Noop),
        Ok(Request::Vrfy { .. }) => Ok(Command::Vrfy),
        Ok(Request::Help { .. }) => Ok(Command::Help),
        Ok(Request::Auth { mechanism, initial_response }) => {
            Ok(Command::Auth { mechanism: offered(mechanism)?, initial: given(&initial_response) })
        }
        Ok(_) => Err(Misread::NotOffered),
        Err(Error::SyntaxError { syntax }) => Err(Misread::Syntax(syntax)),
        Err(_) => Err(Misread::Unknown),
    }
}

fn hello(greeting: Greeting, body: &str) -> Command {
    let said = body.trim_matches(' ').split_once(' ').map_or("", |(_, said)| said);
    Command::Hello(greeting, hello_name(said.trim_matches(' ')))
}

fn offered(mechanism: u64) -> Result<Mechanism, Misread> {
    match mechanism {
        AUTH_PLAIN => Ok(Mechanism::Plain),
        AUTH_LOGIN => Ok(Mechanism::Login),
        AUTH_SCRAM_SHA_256 => Ok(Mechanism::ScramSha256),
        _ => Err(Misread::Mechanism),
    }
}

fn given(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// `smtp-proto` lets arguments of commands that have none pass; RFC 5321 §4.1.1 does not.
fn alone(body: &str, command: Command, form: &'static str) -> Result<Command, Misread> {
    if body.trim_matches(' ').len() == form.len() { Ok(command) } else { Err(Misread::Syntax(form)) }
}

fn mail(rest: &str) -> Result<Command, Misread> {
    let rest = after(rest, "FROM:").ok_or(Misread::Syntax(MAIL_FORM))?;
    let (path, tail) = path(rest).ok_or(Misread::Syntax(MAIL_FORM))?;
    let OfMail { announced, script, report, present } = parameters::of_mail(tail)?;
    let from = match path {
        "" => ReversePath::Null,
        path => ReversePath::Address(address(path, Misread::Sender)?),
    };
    if script == Script::Ascii && !path.is_ascii() {
        return Err(Misread::NeedsUtf8);
    }
    Ok(Command::Mail(Mail { from, announced, script, report, parameters: present }))
}

fn rcpt(rest: &str) -> Result<Command, Misread> {
    let rest = after(rest, "TO:").ok_or(Misread::Syntax(RCPT_FORM))?;
    let (path, tail) = path(rest).ok_or(Misread::Syntax(RCPT_FORM))?;
    let OfRcpt { notify, original, present } = parameters::of_rcpt(tail)?;
    let to = match path.eq_ignore_ascii_case("postmaster") {
        true => Forward::Postmaster,
        false => Forward::Address(address(path, Misread::Recipient)?),
    };
    Ok(Command::Rcpt(Recipient { to, notify, original, parameters: present }))
}

/// RFC 3030 §2: `BDAT chunk-size [LAST]`.
fn bdat(rest: &str) -> Result<Command, Misread> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let octets = words.next().and_then(parameters::number).ok_or(Misread::ChunkSize)?;
    let position = match (words.next(), words.next()) {
        (None, _) => Position::Before,
        (Some(word), None) if word.eq_ignore_ascii_case("LAST") => Position::Last,
        _ => return Err(Misread::ChunkForm(octets)),
    };
    Ok(Command::Bdat(Chunk { octets, position }))
}

/// Splits `<path> parameters`. The closing bracket is the first outside a quoted string (RFC 5321 §4.1.2).
fn path(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start_matches(' ').strip_prefix('<')?;
    let mut quoted = Quoted::Outside;
    for (at, octet) in inner.bytes().enumerate() {
        quoted = match (quoted, octet) {
            (Quoted::Outside, b'>') => {
                let (path, tail) = (&inner[..at], &inner[at + 1..]);
                return (tail.is_empty() || tail.starts_with(' ')).then_some((path, tail));
            }
            (Quoted::Outside, b'"') | (Quoted::Escaped, _) => Quoted::Inside,
            (Quoted::Inside, b'"') => Quoted::Outside,
            (Quoted::Inside, b'\\') => Quoted::Escaped,
            (state, _) => state,
        };
    }
    None
}

#[derive(Clone, Copy)]
enum Quoted {
    Outside,
    Inside,
    Escaped,
}

/// The mailbox of a path. A source route is dropped (RFC 5321 §3.6.1): what remains is looked up, never routed.
fn address(path: &str, misread: Misread) -> Result<Address, Misread> {
    let mailbox = match path.starts_with('@') {
        true => path.split_once(':').map(|(_, mailbox)| mailbox).ok_or(misread)?,
        false => path,
    };
    Address::parse(mailbox).map_err(|_| misread)
}

fn starts_with_verb(body: &str, verb: &str) -> bool {
    body.eq_ignore_ascii_case(verb) || after_verb(body, verb).is_some()
}

/// What follows a verb and at least one space.
fn after_verb<'a>(body: &'a str, verb: &str) -> Option<&'a str> {
    after(body, verb)?.strip_prefix(' ')
}

fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let text = text.trim_start_matches(' ');
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, Misread> {
        parse(format!("{line}\r\n").as_bytes())
    }

    fn sender(line: &str) -> Option<String> {
        match read(line) {
            Ok(Command::Mail(mail)) => Some(mail.from.to_string()),
            _ => None,
        }
    }

    fn recipient(line: &str) -> Option<String> {
        match read(line) {
            Ok(Command::Rcpt(Recipient { to: Forward::Address(to), .. })) => Some(to.to_string()),
            _ => None,
        }
    }

    #[test]
    fn verbs_are_read_in_any_case() {
        for (line, command) in [
            ("EHLO client.example", Command::Hello(Greeting::Ehlo, Some("client.example".into()))),
            ("ehlo [192.0.2.1] ", Command::Hello(Greeting::Ehlo, Some("[192.0.2.1]".into()))),
            ("EHLO a(b)", Command::Hello(Greeting::Ehlo, None)),
            ("HELO client.example", Command::Hello(Greeting::Helo, Some("client.example".into()))),
            ("BDAT 100", Command::Bdat(Chunk { octets: 100, position: Position::Before })),
            ("bdat 0 last", Command::Bdat(Chunk { octets: 0, position: Position::Last })),
            ("StartTLS", Command::StartTls),
            ("data", Command::Data),
            ("DATA ", Command::Data),
            ("RSET", Command::Rset),
            ("NOOP", Command::Noop),
            ("NOOP anything at all", Command::Noop),
            ("VRFY ada", Command::Vrfy),
            ("HELP", Command::Help),
            ("HELP MAIL", Command::Help),
            ("QUIT", Command::Quit),
            ("AUTH LOGIN", Command::Auth { mechanism: Mechanism::Login, initial: None }),
            ("auth plain =", Command::Auth { mechanism: Mechanism::Plain, initial: Some("=".into()) }),
        ] {
            assert_eq!(read(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_says_why() {
        for (line, misread) in [
            ("", Misread::Unknown),
            ("MAILFROM:<a@b.example>", Misread::Unknown),
            ("DATAX", Misread::Unknown),
            ("GET / HTTP/1.1", Misread::Unknown),
            ("EXPN staff", Misread::NotOffered),
            ("ETRN example", Misread::NotOffered),
            ("LHLO client", Misread::NotOffered),
            ("BDAT", Misread::ChunkSize),
            ("BDAT ", Misread::ChunkSize),
            ("BDAT LAST", Misread::ChunkSize),
            ("BDAT +5", Misread::ChunkSize),
            ("BDAT -1", Misread::ChunkSize),
            ("BDAT 0x10", Misread::ChunkSize),
            ("BDAT 18446744073709551616", Misread::ChunkSize),
            ("BDAT 5 FIRST", Misread::ChunkForm(5)),
            ("BDAT 5 LAST LAST", Misread::ChunkForm(5)),
            ("BDATA 5", Misread::Unknown),
            ("DATA now", Misread::Syntax("DATA")),
            ("QUIT please", Misread::Syntax("QUIT")),
            ("STARTTLS x", Misread::Syntax("STARTTLS")),
            ("AUTH CRAM-MD5", Misread::Mechanism),
            ("AUTH XOAUTH2 abc", Misread::Mechanism),
            ("NOOP \u{1}", Misread::Octets),
            ("NOOP\tx", Misread::Octets),
        ] {
            assert_eq!(read(line), Err(misread), "{line}");
        }
        assert!(matches!(read("EHLO"), Err(Misread::Syntax(_))));
        assert_eq!(parse(b"NOOP \xff\r\n"), Err(Misread::Octets));
    }

    #[test]
    fn senders_are_read_as_written() {
        for (line, from) in [
            ("MAIL FROM:<>", "<>"),
            ("mail from:<a@b.example>", "<a@b.example>"),
            ("MAIL FROM: <a@B.example>", "<a@b.example>"),
            ("MAIL FROM:<a@[192.0.2.1]>", "<a@[192.0.2.1]>"),
            ("MAIL FROM:<a@[IPv6:2001:db8::1]> SIZE=5", "<a@[ipv6:2001:db8::1]>"),
            ("MAIL FROM:<\"a b\"@b.example>", "<\"a b\"@b.example>"),
            ("MAIL FROM:<\"a>\\\"b\"@b.example>", "<\"a>\\\"b\"@b.example>"),
            ("MAIL FROM:<@relay.example,@two.example:a@b.example>", "<a@b.example>"),
            ("MAIL FROM:<a@b.example> BODY=8BITMIME SIZE=7 AUTH=<>", "<a@b.example>"),
            ("MAIL FROM:<gr\u{fc}n@b.example> SMTPUTF8", "<gr\u{fc}n@b.example>"),
        ] {
            assert_eq!(sender(line).as_deref(), Some(from), "{line}");
        }
    }

    #[test]
    fn bad_senders_and_parameters_are_told_apart() {
        let form = Misread::Syntax(MAIL_FORM);
        for (line, misread) in [
            ("MAIL", Misread::Syntax("MAIL FROM:<reverse-path> [parameters]")),
            ("MAIL TO:<a@b.example>", form),
            ("MAIL FROM:a@b.example", form),
            ("MAIL FROM:<a@b.example", form),
            ("MAIL FROM:<a@b.example>SIZE=5", form),
            ("MAIL FROM:<a b@b.example>", Misread::Sender),
            ("MAIL FROM:<a@b..example>", Misread::Sender),
            ("MAIL FROM:<nobody>", Misread::Sender),
            ("MAIL FROM:<@relay.example>", Misread::Sender),
            ("MAIL FROM:<\"a@b.example>", form),
            ("MAIL FROM:<gr\u{fc}n@b.example>", Misread::NeedsUtf8),
            ("MAIL FROM:<a@b.example> SIZE=", Misread::ParameterValue("SIZE")),
            ("MAIL FROM:<a@b.example> SIZE=x", Misread::ParameterValue("SIZE")),
            ("MAIL FROM:<a@b.example> SIZE=1 size=2", Misread::ParameterValue("SIZE")),
            ("MAIL FROM:<a@b.example> BODY=9BIT", Misread::ParameterValue("BODY")),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", Misread::Parameter),
            ("MAIL FROM:<a@b.example> RET=SOME", Misread::ParameterValue("RET")),
            ("MAIL FROM:<a@b.example> NOTIFY=NEVER", Misread::Parameter),
            ("MAIL FROM:<a@b.example> REQUIRETLS", Misread::Parameter),
            ("MAIL FROM:<a@b.example> MT-PRIORITY=0", Misread::Parameter),
            ("MAIL FROM:<a@b.example> X=Y", Misread::Parameter),
            ("MAIL FROM:<a@b.example> >", Misread::Parameter),
        ] {
            assert_eq!(read(line), Err(misread), "{line}");
        }
    }

    #[test]
    fn recipients_are_read_as_written() {
        assert_eq!(recipient("RCPT TO:<et@beta.example>").as_deref(), Some("et@beta.example"));
        assert_eq!(recipient("rcpt to:<@a.example:et@beta.example>").as_deref(), Some("et@beta.example"));
        assert_eq!(recipient("RCPT TO:<et@[192.0.2.1]>").as_deref(), Some("et@[192.0.2.1]"));
        let postmaster = Recipient {
            to: Forward::Postmaster,
            notify: Notify::Never,
            original: Some("rfc822;x".to_owned()),
            parameters: Parameters::Some,
        };
        let line = "RCPT TO:<PostMaster> NOTIFY=NEVER ORCPT=rfc822;x";
        assert_eq!(read(line), Ok(Command::Rcpt(postmaster)));
        for (line, misread) in [
            ("RCPT TO:<>", Misread::Recipient),
            ("RCPT TO:<et>", Misread::Recipient),
            ("RCPT TO:<a@b@c.example>", Misread::Recipient),
            ("RCPT TO:<et@beta.example> NOTIFY=NEVER,SUCCESS", Misread::ParameterValue("NOTIFY")),
            ("RCPT TO:<et@beta.example> SIZE=5", Misread::Parameter),
            ("RCPT TO:et@beta.example", Misread::Syntax(RCPT_FORM)),
        ] {
            assert_eq!(read(line), Err(misread), "{line}");
        }
    }

    #[test]
    fn announced_sizes_are_read() {
        for (line, size) in [
            ("MAIL FROM:<a@b.example> SIZE=1000", Some(1000)),
            ("MAIL FROM:<a@b.example> SIZE=0", None),
            ("MAIL FROM:<a@b.example>", None),
        ] {
            let Ok(Command::Mail(mail)) = read(line) else { panic!("{line}") };
            assert_eq!(mail.announced, size, "{line}");
        }
    }

    #[test]
    fn no_line_panics() {
        // Every two-symbol extension of every prefix of a line that uses the whole grammar.
        let line = "MAIL FROM:<@r.example:\"a\\b\"@[IPv6:::1]> SIZE=99999999999999999 AUTH=a+2Bb ENVID=+20";
        for end in 0..=line.len() {
            for tail in ["", " ", "<", ">", "\"", "\\", "=", ":", "@", "+", "+2", "\u{fc}", ",", ";"] {
                let _ = read(&format!("{}{tail}", &line[..end]));
                let _ = read(&format!("{tail}{}", &line[end..]));
            }
        }
    }
}
