//! One command line → one command. Verbs and parameter values are read by `smtp-proto`; paths are read here and by
//! `mail::Address`, because that crate drops quotes and refuses address literals. Nothing is guessed: what a line
//! does not clearly say, it does not say.

use std::borrow::Cow;

use mail::{Address, ReversePath};
use smtp_proto::request::parser::Rfc5321Parser;
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error, MAIL_BODY_BINARYMIME, MAIL_SMTPUTF8, Request};

/// A command that this server knows, with its arguments.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Ehlo,
    Helo,
    StartTls,
    Auth { mechanism: Mechanism, initial: Option<String> },
    Mail(Mail),
    Rcpt(Forward),
    Data,
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
}

/// `MAIL FROM`
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) from: ReversePath,
    /// Octets, by the SIZE parameter.
    pub(crate) announced: Option<u64>,
    pub(crate) script: Script,
    pub(crate) parameters: Parameters,
}

/// The characters that the addresses of a transaction may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Ascii,
    /// The SMTPUTF8 parameter was given (RFC 6531 §3.4).
    Utf8,
}

/// Whether a command came with service extensions; without EHLO it may not (RFC 5321 §4.1.1.11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameters {
    None,
    Some,
}

/// `RCPT TO`
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Forward {
    /// `<postmaster>` without a domain (RFC 5321 §4.5.1).
    Postmaster,
    Address(Address),
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misread {
    Unknown,
    /// Known to others, not to this server.
    NotOffered,
    /// BDAT: its octets would follow as if they were commands, so nothing more can be read.
    Chunk,
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

const MAIL_FORM: &str = "MAIL FROM:<address> [SIZE=octets] [BODY=8BITMIME] [SMTPUTF8]";
const RCPT_FORM: &str = "RCPT TO:<address>";

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
        return Err(Misread::Chunk);
    }
    simple(line, body)
}

/// Every command without a path.
fn simple(line: &[u8], body: &str) -> Result<Command, Misread> {
    match Request::parse(&mut line.iter()) {
        Ok(Request::Ehlo { .. }) => Ok(Command::Ehlo),
        Ok(Request::Helo { .. }) => Ok(Command::Helo),
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

fn offered(mechanism: u64) -> Result<Mechanism, Misread> {
    match mechanism {
        AUTH_PLAIN => Ok(Mechanism::Plain),
        AUTH_LOGIN => Ok(Mechanism::Login),
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
    announced_only(tail, &["SIZE", "BODY", "SMTPUTF8", "AUTH"])?;
    let (announced, script) = mail_values(tail)?;
    let from = match path {
        "" => ReversePath::Null,
        path => ReversePath::Address(address(path, Misread::Sender)?),
    };
    if script == Script::Ascii && !path.is_ascii() {
        return Err(Misread::NeedsUtf8);
    }
    let parameters = if tail.trim().is_empty() { Parameters::None } else { Parameters::Some };
    Ok(Command::Mail(Mail { from, announced, script, parameters }))
}

/// The values of the MAIL parameters. AUTH= is read and not believed, which RFC 4954 §5 allows.
fn mail_values(tail: &str) -> Result<(Option<u64>, Script), Misread> {
    let line = format!("{tail}\r\n");
    let mut octets = line.as_bytes().iter();
    let values = Rfc5321Parser::new(&mut octets).mail_from_parameters(Cow::Borrowed("")).map_err(
        |error| match error {
            Error::InvalidParameter { param } => Misread::ParameterValue(param),
            Error::UnsupportedParameter { .. } => Misread::Parameter,
            _ => Misread::Syntax(MAIL_FORM),
        },
    )?;
    if values.flags & MAIL_BODY_BINARYMIME != 0 {
        return Err(Misread::Parameter);
    }
    let script = if values.flags & MAIL_SMTPUTF8 == 0 { Script::Ascii } else { Script::Utf8 };
    let announced = u64::try_from(values.size).ok().filter(|size| *size > 0);
    Ok((announced, script))
}

fn rcpt(rest: &str) -> Result<Command, Misread> {
    let rest = after(rest, "TO:").ok_or(Misread::Syntax(RCPT_FORM))?;
    let (path, tail) = path(rest).ok_or(Misread::Syntax(RCPT_FORM))?;
    announced_only(tail, &[])?;
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok(Command::Rcpt(Forward::Postmaster));
    }
    Ok(Command::Rcpt(Forward::Address(address(path, Misread::Recipient)?)))
}

/// Refuses every parameter whose keyword is not in `announced`, and every keyword that comes twice.
fn announced_only(tail: &str, announced: &[&'static str]) -> Result<(), Misread> {
    let mut rest: Vec<&'static str> = announced.to_vec();
    for parameter in tail.split(' ').filter(|parameter| !parameter.is_empty()) {
        let keyword = parameter.split('=').next().unwrap_or(parameter);
        let known = |name: &&'static str| name.eq_ignore_ascii_case(keyword);
        match (rest.iter().position(|name| known(&name)), announced.iter().find(|name| known(name))) {
            (Some(at), _) => drop(rest.swap_remove(at)),
            (None, Some(twice)) => return Err(Misread::ParameterValue(twice)),
            (None, None) => return Err(Misread::Parameter),
        }
    }
    Ok(())
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
