//! AUTH PLAIN (RFC 4616), LOGIN and SCRAM-SHA-256 (RFC 5802), as an exchange of challenges and responses. It checks no
//! password, knows no verifier, and keeps nothing longer than the exchange.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::command::Mechanism;
use super::scram::{First, Proof, Second};

/// A user and password to check. It has no `Debug`, so it cannot reach a log.
pub(crate) struct Credentials {
    pub(crate) user: Zeroizing<String>,
    pub(crate) password: Zeroizing<String>,
}

/// What the next response of the peer is.
pub(crate) enum Exchange {
    /// Authorisation identity, user and password in one.
    Plain,
    /// The user, by LOGIN.
    LoginUser,
    /// The password, by LOGIN, of this user.
    LoginPassword(Zeroizing<String>),
    /// The first message of SCRAM.
    ScramFirst,
    /// The final message of SCRAM.
    ScramFinal(Box<Second>),
}

/// What a response leads to.
pub(crate) enum Answer {
    /// Ask for more.
    Ask(Exchange),
    /// All is said.
    Said(Credentials),
    /// Salt and nonce are needed for the next challenge.
    Begun(First),
    /// All is said, and nobody said a password.
    Proved(Proof),
    /// The peer wrote `*` (RFC 4954 §4).
    Cancelled,
    /// Not base64, or not what the mechanism asks for.
    Malformed,
}

/// Starts an exchange, with the initial response if one came.
pub(crate) fn start(mechanism: Mechanism, initial: Option<&str>) -> Answer {
    let exchange = match mechanism {
        Mechanism::Plain => Exchange::Plain,
        Mechanism::Login => Exchange::LoginUser,
        Mechanism::ScramSha256 => Exchange::ScramFirst,
    };
    match initial {
        None => Answer::Ask(exchange),
        // A single equals sign is an empty response (RFC 4954 §4).
        Some("=") => exchange.answer(""),
        Some(response) => exchange.answer(response),
    }
}

impl Exchange {
    /// The text of the challenge, in base64.
    pub(crate) fn challenge(&self) -> Cow<'static, str> {
        match self {
            Exchange::Plain | Exchange::ScramFirst => "".into(),
            Exchange::LoginUser => "VXNlcm5hbWU6".into(),
            Exchange::LoginPassword(_) => "UGFzc3dvcmQ6".into(),
            Exchange::ScramFinal(second) => STANDARD.encode(second.said()).into(),
        }
    }

    /// Takes a response line without its CRLF.
    pub(crate) fn answer(self, response: &str) -> Answer {
        if response == "*" {
            return Answer::Cancelled;
        }
        let Some(text) = decode(response) else {
            return Answer::Malformed;
        };
        match self {
            Exchange::Plain => plain(&text),
            Exchange::LoginUser if text.is_empty() => Answer::Malformed,
            Exchange::LoginUser => Answer::Ask(Exchange::LoginPassword(text)),
            Exchange::LoginPassword(user) => Answer::Said(Credentials { user, password: text }),
            Exchange::ScramFirst => First::read(&text).map_or(Answer::Malformed, Answer::Begun),
            Exchange::ScramFinal(second) => second.read(&text).map_or(Answer::Malformed, Answer::Proved),
        }
    }
}

fn decode(response: &str) -> Option<Zeroizing<String>> {
    let octets = Zeroizing::new(STANDARD.decode(response).ok()?);
    let text = std::str::from_utf8(&octets).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

/// RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. Acting as another user is not offered.
fn plain(text: &str) -> Answer {
    let mut fields = text.split('\0');
    match (fields.next(), fields.next(), fields.next(), fields.next()) {
        (Some(acting), Some(user), Some(password), None)
            if !user.is_empty() && (acting.is_empty() || acting == user) =>
        {
            Answer::Said(Credentials {
                user: Zeroizing::new(user.to_owned()),
                password: Zeroizing::new(password.to_owned()),
            })
        }
        _ => Answer::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(answer: Answer) -> Option<(String, String)> {
        match answer {
            Answer::Said(said) => Some((said.user.to_string(), said.password.to_string())),
            _ => None,
        }
    }

    #[test]
    fn plain_takes_user_and_password() {
        let both = Some(("ada@alpha.example".to_owned(), "secret".to_owned()));
        for text in ["\0ada@alpha.example\0secret", "ada@alpha.example\0ada@alpha.example\0secret"] {
            assert_eq!(said(start(Mechanism::Plain, Some(&STANDARD.encode(text)))), both);
            assert_eq!(said(Exchange::Plain.answer(&STANDARD.encode(text))), both);
        }
    }

    #[test]
    fn plain_refuses_every_other_form() {
        for text in ["", "ada\0secret", "\0\0secret", "other\0ada\0secret", "\0ada\0se\0cret"] {
            assert!(matches!(Exchange::Plain.answer(&STANDARD.encode(text)), Answer::Malformed));
        }
        for response in ["not base64!", "====", "AGFkYQ", "/w=="] {
            assert!(matches!(Exchange::Plain.answer(response), Answer::Malformed), "{response}");
        }
        assert!(matches!(start(Mechanism::Plain, Some("=")), Answer::Malformed));
    }

    #[test]
    fn login_asks_twice_and_can_be_cancelled() {
        let Answer::Ask(user) = start(Mechanism::Login, None) else { panic!("asks for the user") };
        assert_eq!(user.challenge(), STANDARD.encode("Username:"));
        let Answer::Ask(password) = user.answer(&STANDARD.encode("ada")) else {
            panic!("asks for the password")
        };
        assert_eq!(password.challenge(), STANDARD.encode("Password:"));
        let both = Some(("ada".to_owned(), "secret".to_owned()));
        assert_eq!(said(password.answer(&STANDARD.encode("secret"))), both);
        assert!(matches!(Exchange::LoginUser.answer("*"), Answer::Cancelled));
        assert!(matches!(start(Mechanism::Login, Some("=")), Answer::Malformed));
    }

    #[test]
    fn scram_asks_for_two_messages() {
        let Answer::Ask(asked) = start(Mechanism::ScramSha256, None) else { panic!("asks") };
        assert_eq!(asked.challenge(), "");
        let Answer::Begun(first) = asked.answer(&STANDARD.encode("n,,n=ada,r=abc")) else { panic!("begins") };
        assert_eq!(first.user(), "ada");
        for response in ["", "*not base64", &STANDARD.encode("p=x,,n=ada,r=abc")] {
            assert!(matches!(Exchange::ScramFirst.answer(response), Answer::Malformed), "{response}");
        }
        assert!(matches!(Exchange::ScramFirst.answer("*"), Answer::Cancelled));
    }
}
