//! The gate at which mail of a provider waits until its header block has arrived. It lets the mail pass if exactly one
//! connector knows it; the secret is blotted out behind it (`blot.rs`).

use std::borrow::Cow;

use store::Connector;

use crate::fields::{self, Field, LARGEST_HEAD};

/// Holds a header block back until it is decided whose mail it is.
pub struct HeaderGate {
    connectors: Vec<Connector>,
    state: State,
}

enum State {
    Held(Vec<u8>),
    Open(Bound),
    Shut(Unbound),
}

/// Whose mail it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    pub group: mail::GroupId,
    /// The connector's name.
    pub connector: String,
}

/// Why no connector is bound. All of it is told with one sentence, so that nobody learns how near a guess came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unbound {
    /// No connector of the provider has this tenant and this secret, or a header stands twice.
    NoConnector,
    /// More than one has.
    Ambiguous,
    /// The header block is longer than 100 KiB.
    EndlessHeader,
}

impl Unbound {
    /// The sentence for the peer: ASCII, one line.
    pub fn public(self) -> &'static str {
        match self {
            Self::NoConnector | Self::Ambiguous => {
                "no connector knows this mail; check the rule that adds the tenant and secret headers in your mail service"
            }
            Self::EndlessHeader => "the header is longer than 100 KiB; send the mail again with fewer fields",
        }
    }
}

impl HeaderGate {
    /// A gate for one mail; `connectors` are the active ones of the provider that hands it in.
    pub fn new(connectors: Vec<Connector>) -> Self {
        Self { connectors, state: State::Held(Vec::new()) }
    }

    /// Takes the next bytes of the mail and gives what may go on: nothing while the header block is held, then that block
    /// with the rest, then each piece as it is.
    pub fn pass<'a>(&mut self, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, Unbound> {
        match &mut self.state {
            State::Open(_) => Ok(Cow::Borrowed(bytes)),
            State::Shut(why) => Err(*why),
            State::Held(held) => {
                let before = held.len();
                held.extend_from_slice(bytes);
                match fields::end(held, before) {
                    end if end.unwrap_or(held.len()) > LARGEST_HEAD => {
                        self.state = State::Shut(Unbound::EndlessHeader);
                        Err(Unbound::EndlessHeader)
                    }
                    Some(end) => self.open(end).map(Cow::Owned),
                    None => Ok(Cow::Borrowed(&[])),
                }
            }
        }
    }

    /// The end of the mail: whose it is, and what was still held of a mail that is nothing but a header.
    pub fn finish(mut self) -> Result<(Bound, Vec<u8>), Unbound> {
        let rest = match &self.state {
            State::Held(held) => {
                let end = held.len();
                self.open(end)?
            }
            State::Open(_) | State::Shut(_) => Vec::new(),
        };
        match self.state {
            State::Open(bound) => Ok((bound, rest)),
            State::Shut(why) => Err(why),
            State::Held(_) => Err(Unbound::NoConnector),
        }
    }

    /// Whose mail it is, once the header block has passed.
    pub fn bound(&self) -> Option<&Bound> {
        match &self.state {
            State::Open(bound) => Some(bound),
            State::Held(_) | State::Shut(_) => None,
        }
    }

    /// Decides over the header block, which ends at `end` of what is held.
    fn open(&mut self, end: usize) -> Result<Vec<u8>, Unbound> {
        let State::Held(held) = &mut self.state else {
            return Ok(Vec::new());
        };
        let held = std::mem::take(held);
        let head = held.get(..end).unwrap_or_default();
        let decided = bind(&self.connectors, head)
            .map(|connector| Bound { group: connector.group.clone(), connector: connector.name.clone() });
        match decided {
            Ok(bound) => {
                self.state = State::Open(bound);
                Ok(held)
            }
            Err(why) => {
                self.state = State::Shut(why);
                Err(why)
            }
        }
    }
}

/// The one connector whose tenant and secret the header has, each in exactly one field.
fn bind<'a>(connectors: &'a [Connector], head: &[u8]) -> Result<&'a Connector, Unbound> {
    let fields: Vec<Field<'_>> = fields::fields(head).collect();
    // All are tried: the time does not tell which one came near.
    let matching: Vec<&Connector> =
        connectors.iter().filter(|connector| matches(connector, &fields)).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => Err(Unbound::NoConnector),
        _ => Err(Unbound::Ambiguous),
    }
}

fn matches(connector: &Connector, fields: &[Field<'_>]) -> bool {
    let tenant = only(fields, &connector.tenant_header).is_some_and(|value| value == connector.tenant);
    let secret = only(fields, &connector.secret_header).unwrap_or_default();
    let secret = certs::equal(&certs::sha256(secret.as_bytes()), &connector.secret) & !secret.is_empty();
    connector.active & tenant & secret
}

/// The value of a field that stands exactly once.
fn only(fields: &[Field<'_>], name: &str) -> Option<String> {
    let mut found = fields.iter().filter(|field| field.is(name));
    found.next().filter(|_| found.next().is_none()).map(Field::text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "correct-horse-battery";

    fn connector(name: &str, tenant: &str, secret: &str) -> Connector {
        Connector {
            name: name.to_owned(),
            group: name.parse().unwrap(),
            provider: "exchange-online".to_owned(),
            tenant_header: "X-MS-Exchange-CrossTenant-Id".to_owned(),
            tenant: tenant.to_owned(),
            secret_header: "X-Postern-Secret".to_owned(),
            secret: certs::sha256(secret.as_bytes()),
            active: true,
        }
    }

    fn connectors() -> Vec<Connector> {
        vec![connector("alpha", "11-aa", SECRET), connector("beta", "22-bb", "other-secret")]
    }

    fn mail(tenant: &str, secret: &str) -> String {
        format!(
            "From: ann@alpha.example\r\nX-MS-Exchange-CrossTenant-Id: {tenant}\r\nX-Postern-Secret: {secret}\r\n\
             Subject: x\r\n\r\nX-Postern-Secret: {secret}\r\nbody\r\n"
        )
    }

    fn through(connectors: Vec<Connector>, pieces: &[&[u8]]) -> Result<(Bound, String), Unbound> {
        let mut gate = HeaderGate::new(connectors);
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&gate.pass(piece)?);
        }
        let (bound, rest) = gate.finish()?;
        out.extend(rest);
        Ok((bound, String::from_utf8(out).unwrap()))
    }

    fn bound(mail: &str) -> Result<String, Unbound> {
        through(connectors(), &[mail.as_bytes()]).map(|(bound, _)| bound.connector)
    }

    #[test]
    fn tenant_and_secret_bind_to_one_company_and_the_mail_goes_on_whole() {
        let mail = mail("11-aa", SECRET);
        for cut in 0..=mail.len() {
            let (first, second) = mail.as_bytes().split_at(cut);
            let (bound, out) = through(connectors(), &[first, second]).unwrap();
            assert_eq!((bound.group.as_str(), bound.connector.as_str()), ("alpha", "alpha"));
            assert_eq!(out, mail, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = mail.as_bytes().chunks(1).collect();
        assert_eq!(through(connectors(), &bytes).unwrap().1, mail);
    }

    #[test]
    fn nothing_goes_on_before_it_is_decided() {
        let mail = mail("11-aa", SECRET);
        let end = mail.find("\r\n\r\n").unwrap() + 4;
        let mut gate = HeaderGate::new(connectors());
        assert!(gate.pass(&mail.as_bytes()[..end - 1]).unwrap().is_empty());
        assert_eq!(gate.bound(), None);
        assert_eq!(gate.pass(&mail.as_bytes()[end - 1..end]).unwrap().len(), end);
        assert!(gate.bound().is_some());
        assert_eq!(gate.pass(b"more").unwrap().as_ref(), b"more");
        let head = through(connectors(), &[&mail.as_bytes()[..end - 2]]).unwrap().1;
        assert_eq!(head.len(), end - 2, "a mail of a header only");
    }

    #[test]
    fn wrong_missing_or_doubled_headers_bind_to_nobody() {
        let good = mail("11-aa", SECRET);
        assert_eq!(bound(&good).as_deref(), Ok("alpha"));
        let tenant = "X-MS-Exchange-CrossTenant-Id: 11-aa\r\n";
        let secret = format!("X-Postern-Secret: {SECRET}\r\n");
        for wrong in [
            mail("22-bb", SECRET),
            mail("11-AA", SECRET),
            mail("11-aa", "other-secret"),
            mail("11-aa", ""),
            mail("11-aa", &format!("{SECRET}x")),
            good.replacen(tenant, "", 1),
            good.replacen(&secret, "", 1),
            good.replacen(tenant, &tenant.repeat(2), 1),
            good.replacen(&secret, &secret.repeat(2), 1),
            good.replacen(&secret, &format!("{secret}x-postern-secret : {SECRET}\r\n"), 1),
            good.replacen(tenant, &format!("{tenant}X-MS-Exchange-CrossTenant-Id: 22-bb\r\n"), 1),
            good.replacen("X-Postern", " X-Postern", 1),
            "\r\nbody".to_owned(),
            String::new(),
        ] {
            assert_eq!(bound(&wrong), Err(Unbound::NoConnector), "{wrong}");
        }
        let folded = good.replacen("Secret: ", "Secret:\r\n ", 1);
        assert_eq!(bound(&folded).as_deref(), Ok("alpha"));
    }

    #[test]
    fn switched_off_and_ambiguous_connectors_bind_nobody() {
        let mail = mail("11-aa", SECRET);
        let off = vec![Connector { active: false, ..connector("alpha", "11-aa", SECRET) }];
        assert_eq!(through(off, &[mail.as_bytes()]).unwrap_err(), Unbound::NoConnector);
        let twice = vec![connector("alpha", "11-aa", SECRET), connector("beta", "11-aa", SECRET)];
        assert_eq!(through(twice, &[mail.as_bytes()]).unwrap_err(), Unbound::Ambiguous);
        let empty = vec![connector("alpha", "11-aa", "")];
        let unset = mail.replacen(SECRET, "", 1);
        assert_eq!(through(empty, &[unset.as_bytes()]).unwrap_err(), Unbound::NoConnector);
    }

    #[test]
    fn endless_header_is_refused_and_let_go_of() {
        let mut gate = HeaderGate::new(connectors());
        let refused = (0..100_000).find_map(|_| gate.pass(b"X: y\r\n").err());
        assert_eq!(refused, Some(Unbound::EndlessHeader));
        assert_eq!(gate.pass(b"\r\n"), Err(Unbound::EndlessHeader));
        assert!(matches!(gate.state, State::Shut(_)), "nothing is held");
        for why in [Unbound::NoConnector, Unbound::Ambiguous, Unbound::EndlessHeader] {
            assert!(why.public().is_ascii() && !why.public().contains('\n'));
        }
    }
}
