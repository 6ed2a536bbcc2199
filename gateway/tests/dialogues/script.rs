//! Dialogues as files. A script is read line by line:
//!
//! ```text
//! # a comment                      @ plain-auth | size N | recipients N | errors N | logins N | line N
//!                                  | overrun N | transactions N | idle N | registered | whole
//!                                  | no-postmaster | accepts login,certificate,network,connector,domain,return
//! > a line to send, CRLF added     consecutive ones leave as one segment
//! >> octets to send, with escapes  \r \n \0 \\ \xNN, nothing added; `\{TEXT*N}` repeats
//! < a reply line to expect         `*` stands for anything
//! <+ 250                           a whole reply with this code, however many lines
//! = tls | tls certificate | foreign | provider | revoked     the handshake, here
//! = closed                         the server closes, without another word
//! = stored N                       so many messages are stored by now; of the last one:
//! = body | identity | class | circumstance | from | to | wishes TEXT
//! ```
//!
//! `@ whole` says that the script depends on what arrives together, so it is not run octet by octet.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use gateway::smtp::{Identities, Limits, Means, PlainAuth};

use crate::sample::{REGISTERED, Sample};

pub(crate) struct Script {
    pub(crate) name: String,
    pub(crate) limits: Limits,
    pub(crate) plain_auth: PlainAuth,
    pub(crate) identities: Identities,
    pub(crate) splitting: Splitting,
    postmaster: Postmaster,
    /// Where the client calls from.
    pub(crate) client: IpAddr,
    pub(crate) steps: Vec<(usize, Step)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Splitting {
    Anywhere,
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Postmaster {
    Reads,
    Nobody,
}

pub(crate) enum Step {
    Send(Vec<u8>),
    Line(String),
    Reply(String),
    Tls(Show),
    Closed,
    Stored(usize),
    Last(Part, Vec<u8>),
}

/// What the client shows in the handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    Nothing,
    Certificate,
    /// One of an authority that nobody here knows.
    Foreign,
    /// One of a public authority, for the name of a mail provider.
    Provider,
    /// One that the private authority took back.
    Revoked,
}

/// A part of a stored message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Body,
    Identity,
    Class,
    Circumstance,
    From,
    To,
    Wishes,
}

impl Script {
    /// The intake that the script talks to.
    pub(crate) fn sample(&self) -> Sample {
        let mut sample = Sample::default();
        if self.postmaster == Postmaster::Nobody {
            sample.postmaster = None;
        }
        sample
    }
}

/// All scripts of a folder, by name.
pub(crate) fn all(folder: &Path) -> Vec<Script> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    files
        .iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            read(name, &std::fs::read_to_string(file).unwrap())
        })
        .collect()
}

fn read(name: String, text: &str) -> Script {
    let mut script = Script {
        name,
        limits: Limits::default(),
        plain_auth: PlainAuth::Never,
        identities: Identities::all(),
        splitting: Splitting::Anywhere,
        postmaster: Postmaster::Reads,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        steps: Vec::new(),
    };
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        match mark {
            "" | "#" => {}
            "@" => option(&mut script, rest),
            ">" => send(&mut script, number, [rest.as_bytes(), b"\r\n"].concat()),
            ">>" => send(&mut script, number, octets(rest)),
            "<" => script.steps.push((number, Step::Line(rest.to_owned()))),
            "<+" => script.steps.push((number, Step::Reply(rest.to_owned()))),
            "=" => script.steps.push((number, check(rest))),
            _ => panic!("{}:{number}: no such mark: {line}", script.name),
        }
    }
    script
}

/// Lines in a row leave together.
fn send(script: &mut Script, number: usize, octets: Vec<u8>) {
    match script.steps.last_mut() {
        Some((_, Step::Send(before))) => before.extend(octets),
        _ => script.steps.push((number, Step::Send(octets))),
    }
}

fn option(script: &mut Script, text: &str) {
    let (name, value) = text.split_once(' ').unwrap_or((text, "0"));
    if name == "accepts" {
        script.identities = value.split(',').map(means).collect();
        return;
    }
    let number: usize = value.parse().unwrap();
    let limits = &mut script.limits;
    match name {
        "plain-auth" => script.plain_auth = PlainAuth::Loopback,
        "no-postmaster" => script.postmaster = Postmaster::Nobody,
        "registered" => script.client = REGISTERED,
        "whole" => script.splitting = Splitting::Whole,
        "size" => limits.message_size = number as u64,
        "overrun" => limits.overrun = number as u64,
        "recipients" => limits.recipients = number,
        "errors" => limits.errors = number as u32,
        "logins" => limits.failed_logins = number as u32,
        "transactions" => limits.transactions = number as u32,
        "idle" => limits.idle_commands = number as u32,
        "line" => limits.data_line = number,
        _ => panic!("{}: no such option: {text}", script.name),
    }
}

fn means(name: &str) -> Means {
    match name {
        "login" => Means::Login,
        "certificate" => Means::Certificate,
        "network" => Means::Network,
        "connector" => Means::Connector,
        "domain" => Means::Domain,
        "return" => Means::Return,
        _ => panic!("no such means: {name}"),
    }
}

fn check(text: &str) -> Step {
    let (name, value) = text.split_once(' ').unwrap_or((text, ""));
    match name {
        "tls" if value == "certificate" => Step::Tls(Show::Certificate),
        "tls" if value == "foreign" => Step::Tls(Show::Foreign),
        "tls" if value == "provider" => Step::Tls(Show::Provider),
        "tls" if value == "revoked" => Step::Tls(Show::Revoked),
        "tls" => Step::Tls(Show::Nothing),
        "closed" => Step::Closed,
        "stored" => Step::Stored(value.parse().unwrap()),
        "body" => Step::Last(Part::Body, octets(value)),
        "identity" => Step::Last(Part::Identity, octets(value)),
        "from" => Step::Last(Part::From, octets(value)),
        "to" => Step::Last(Part::To, octets(value)),
        "class" => Step::Last(Part::Class, octets(value)),
        "circumstance" => Step::Last(Part::Circumstance, octets(value)),
        "wishes" => Step::Last(Part::Wishes, octets(value)),
        _ => panic!("no such check: {text}"),
    }
}

/// Text with escapes.
fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let mut used = 1;
        match escape.chars().next().unwrap() {
            'r' => octets.push(b'\r'),
            'n' => octets.push(b'\n'),
            '0' => octets.push(0),
            '\\' => octets.push(b'\\'),
            'x' => {
                octets.push(u8::from_str_radix(&escape[1..3], 16).unwrap());
                used = 3;
            }
            '{' => {
                let (inner, _) = escape[1..].split_once('}').unwrap();
                let (text, times) = inner.rsplit_once('*').unwrap();
                octets.extend(self::octets(text).repeat(times.parse().unwrap()));
                used = inner.len() + 2;
            }
            other => panic!("no such escape: {other}"),
        }
        rest = &escape[used..];
    }
    octets.extend_from_slice(rest.as_bytes());
    octets
}

/// Whether a reply line is as a script expects: `*` stands for anything.
pub(crate) fn fits(line: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or("")) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    false
}
