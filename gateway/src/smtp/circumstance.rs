//! Under which circumstances a peer speaks: from where, at which listener, encrypted or not, and what it calls itself.
//! Facts about the connection, for the guards and for the `Received` line; none of them proves who it is.

use std::net::IpAddr;

use certs::PeerCertificate;

/// What is known of a connection when the guards are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstance<'a> {
    /// The name of the listener, as its options say.
    pub listener: &'a str,
    pub peer: IpAddr,
    pub encryption: Encryption,
    /// What the peer proved in the handshake: a certificate of the private CA, whoever it is mapped to.
    pub certificate: Option<&'a PeerCertificate>,
    /// What the peer calls itself (RFC 5321 §4.1.1.1): a domain name or an address literal, which can do no harm in a
    /// header. None if it said something else. It is a claim, nothing more.
    pub hello: Option<&'a str>,
    /// How the mail comes, for `with` in the `Received` line.
    pub protocol: &'static str,
}

/// What a peer showed in the TLS handshake, and what that is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shown {
    /// Nothing, or nothing that proves anything.
    #[default]
    Nothing,
    /// A certificate of the private CA, which stands.
    Certificate(Box<PeerCertificate>),
    /// A certificate of a public authority for this name of a mail provider.
    Provider(String),
    /// A certificate of the private CA of which nobody can say now whether it was taken back.
    Undecided,
}

/// Whether somebody on the wire can read along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    None,
    Tls,
}

/// How a transaction came about, as `with` in a `Received` line tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Manner {
    pub(crate) greeting: Greeting,
    pub(crate) encryption: Encryption,
    pub(crate) login: Login,
    pub(crate) script: Script,
}

/// The verb that the peer greeted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Greeting {
    Ehlo,
    Helo,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Login {
    None,
    Done,
}

/// The characters that the addresses of a transaction may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Script {
    Ascii,
    /// The SMTPUTF8 parameter was given (RFC 6531 §3.4).
    Utf8,
}

impl Manner {
    /// The keyword of RFC 3848, or of RFC 6531 §4.3 for a mail with SMTPUTF8.
    pub(crate) fn protocol(self) -> &'static str {
        match (self.script, self.greeting, self.encryption, self.login) {
            (_, Greeting::Helo, _, _) => "SMTP",
            (Script::Ascii, _, Encryption::None, Login::None) => "ESMTP",
            (Script::Ascii, _, Encryption::None, Login::Done) => "ESMTPA",
            (Script::Ascii, _, Encryption::Tls, Login::None) => "ESMTPS",
            (Script::Ascii, _, Encryption::Tls, Login::Done) => "ESMTPSA",
            (Script::Utf8, _, Encryption::None, Login::None) => "UTF8SMTP",
            (Script::Utf8, _, Encryption::None, Login::Done) => "UTF8SMTPA",
            (Script::Utf8, _, Encryption::Tls, Login::None) => "UTF8SMTPS",
            (Script::Utf8, _, Encryption::Tls, Login::Done) => "UTF8SMTPSA",
        }
    }
}

/// What a peer calls itself, if that is a name or an address literal of at most 255 octets (RFC 5321 §4.5.3.1.2).
/// Underscores are in many a Windows host name. Everything else is a claim that is not worth keeping.
pub(crate) fn hello_name(said: &str) -> Option<Box<str>> {
    const LONGEST: usize = 255;
    let inner = said.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let harmless = |octet: u8| match inner {
        Some(_) => octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b':' | b'-'),
        None => octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_'),
    };
    let name = inner.unwrap_or(said);
    (!name.is_empty() && said.len() <= LONGEST && name.bytes().all(harmless)).then(|| said.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_do_harm_are_not_kept() {
        let kept = |said: &str| hello_name(said).as_deref() == Some(said);
        for good in ["mail.alpha.example", "WIN_PC-7", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert!(kept(good), "{good}");
        }
        for bad in ["", "[]", "[", "a b", "a(b)", "a\r\nb", "<a>", "gr\u{fc}n.example", "a;b", "[a]b]", "a:b"]
        {
            assert_eq!(hello_name(bad), None, "{bad}");
        }
        assert!(kept(&"x".repeat(255)) && !kept(&"x".repeat(256)));
    }

    #[test]
    fn the_protocol_is_that_of_the_registry() {
        let manner = Manner {
            greeting: Greeting::Ehlo,
            encryption: Encryption::Tls,
            login: Login::Done,
            script: Script::Ascii,
        };
        assert_eq!(manner.protocol(), "ESMTPSA");
        assert_eq!(Manner { login: Login::None, ..manner }.protocol(), "ESMTPS");
        assert_eq!(Manner { script: Script::Utf8, ..manner }.protocol(), "UTF8SMTPSA");
        assert_eq!(Manner { greeting: Greeting::Helo, ..manner }.protocol(), "SMTP");
        let plain = Manner { encryption: Encryption::None, login: Login::None, ..manner };
        assert_eq!(plain.protocol(), "ESMTP");
    }
}
