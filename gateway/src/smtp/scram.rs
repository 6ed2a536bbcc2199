//! What client and server say to each other in SCRAM-SHA-256 (RFC 5802, RFC 7677): three messages, read strictly, and
//! the text that the proof is about. It knows no password, no verifier and no cryptography.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::intake::ScramChallenge;

/// A proof of SHA-256 has so many octets.
const PROOF: usize = 32;

/// `client-first-message` (RFC 5802 §7).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct First {
    /// `gs2-header`, which comes back in the final message.
    header: String,
    /// `client-first-message-bare`
    bare: String,
    user: String,
    nonce: String,
}

/// What is waited for after the server's first message.
#[derive(Debug)]
pub(crate) struct Second {
    first: First,
    /// The client's nonce and the server's.
    nonce: String,
    /// `server-first-message`
    said: String,
}

/// A proof to check. It is worth nothing without the nonce that it is about.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    pub(crate) user: String,
    /// `AuthMessage`: what both sides said.
    pub(crate) auth_message: Vec<u8>,
    pub(crate) proof: Vec<u8>,
}

impl First {
    /// Reads the first message. Channel binding is not offered, so a client that has it says `y` and one without it `n`
    /// (RFC 5802 §6). Acting as another user is not offered either.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let (binding, acting, bare) = (parts.next()?, parts.next()?, parts.next()?);
        if !matches!(binding, "n" | "y") {
            return None;
        }
        let mut attributes = bare.split(',');
        // `m=` would stand here: an extension that must be understood (§5.1), and none is.
        let user = name(attributes.next()?.strip_prefix("n=")?)?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let acts_for_itself = acting.is_empty() || name(acting.strip_prefix("a=")?)? == user;
        if !acts_for_itself || !is_nonce(nonce) || !attributes.all(is_extension) {
            return None;
        }
        let (header, nonce) = (format!("{binding},{acting},"), nonce.to_owned());
        Some(Self { header, bare: bare.to_owned(), user, nonce })
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The server's answer, with its half of the nonce.
    pub(crate) fn challenge(self, challenge: &ScramChallenge, nonce: &[u8]) -> Second {
        let nonce = format!("{}{}", self.nonce, STANDARD.encode(nonce));
        let salt = STANDARD.encode(&challenge.salt);
        let said = format!("r={nonce},s={salt},i={}", challenge.iterations);
        Second { first: self, nonce, said }
    }
}

impl Second {
    /// `server-first-message`
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    /// Reads the final message: it must be about this nonce and this header.
    pub(crate) fn read(self, text: &str) -> Option<Proof> {
        let (without, proof) = text.rsplit_once(",p=")?;
        let mut attributes = without.split(',');
        let binding = attributes.next()?.strip_prefix("c=")?;
        let nonce = attributes.next()?.strip_prefix("r=")?;
        let same = binding == STANDARD.encode(&self.first.header) && nonce == self.nonce;
        let proof = STANDARD.decode(proof).ok().filter(|proof| proof.len() == PROOF)?;
        if !same || !attributes.all(is_extension) {
            return None;
        }
        let auth_message = format!("{},{},{without}", self.first.bare, self.said).into_bytes();
        Some(Proof { user: self.first.user, auth_message, proof })
    }
}

/// `server-final-message`
pub(crate) fn last(signature: &[u8]) -> String {
    format!("v={}", STANDARD.encode(signature))
}

/// `saslname`: a comma is written `=2C` and an equals sign `=3D`, and that is all that an equals sign may mean.
fn name(text: &str) -> Option<String> {
    let mut pieces = text.split('=');
    let mut name = pieces.next()?.to_owned();
    for piece in pieces {
        let (sign, rest) = match (piece.strip_prefix("2C"), piece.strip_prefix("3D")) {
            (Some(rest), _) => (',', rest),
            (_, Some(rest)) => ('=', rest),
            _ => return None,
        };
        name.push(sign);
        name.push_str(rest);
    }
    (!name.is_empty() && !name.contains(char::is_control)).then_some(name)
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| matches!(octet, b'!'..=b'~') && octet != b',')
}

/// `attr-val` that nobody has to understand: a letter, an equals sign, a value.
fn is_extension(text: &str) -> bool {
    let mut octets = text.bytes();
    let letter = octets.next().filter(|letter| letter.is_ascii_alphabetic() && *letter != b'm');
    letter.is_some() && octets.next() == Some(b'=') && octets.len() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677 §3.
    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_NONCE: &str = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const SALT: &str = "W22ZaJ0SNY7soEsUEjb6gQ==";
    const PROOF: &str = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    fn second() -> Second {
        let first = First::read(&format!("n,,n=user,r={NONCE}")).unwrap();
        let challenge = ScramChallenge { salt: STANDARD.decode(SALT).unwrap(), iterations: 4096 };
        // The nonce of the example is no base64, so it is put in by hand.
        let mut second = first.challenge(&challenge, &[]);
        second.nonce.push_str(SERVER_NONCE);
        second.said = second.said.replace(NONCE, &second.nonce);
        second
    }

    fn last_word(proof: &str) -> String {
        format!("c=biws,r={NONCE}{SERVER_NONCE},p={proof}")
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let second = second();
        assert_eq!(second.said(), format!("r={NONCE}{SERVER_NONCE},s={SALT},i=4096"));
        let proof = second.read(&last_word(PROOF)).unwrap();
        assert_eq!(proof.user, "user");
        assert_eq!(proof.proof, STANDARD.decode(PROOF).unwrap());
        let said = format!(
            "n=user,r={NONCE},r={NONCE}{SERVER_NONCE},s={SALT},i=4096,c=biws,r={NONCE}{SERVER_NONCE}"
        );
        assert_eq!(String::from_utf8(proof.auth_message).unwrap(), said);
        let signature = STANDARD.decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert_eq!(last(&signature), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn users_are_read_as_they_are_meant() {
        for (text, user) in [
            ("n,,n=user,r=abc", Some("user")),
            ("y,,n=user,r=abc", Some("user")),
            ("n,,n=a=2Cb=3Dc,r=abc", Some("a,b=c")),
            ("n,a=user,n=user,r=abc", Some("user")),
            ("n,,n=gr\u{fc}n,r=abc,x=1", Some("gr\u{fc}n")),
            ("n,a=other,n=user,r=abc", None),
            ("n,user,n=user,r=abc", None),
            ("p=tls-exporter,,n=user,r=abc", None),
            ("n,,m=new,n=user,r=abc", None),
            ("n,,n=user,r=abc,m=new", None),
            ("n,,n=user,r=abc,x", None),
            ("n,,n=,r=abc", None),
            ("n,,n=a=2cb,r=abc", None),
            ("n,,n=a=,r=abc", None),
            ("n,,n=a\u{0}b,r=abc", None),
            ("n,,n=user,r=", None),
            ("n,,n=user,r=a b", None),
            ("n,,n=user", None),
            ("n,,r=abc,n=user", None),
            ("n,", None),
            ("", None),
        ] {
            assert_eq!(First::read(text).as_ref().map(First::user), user, "{text}");
        }
    }

    #[test]
    fn a_proof_must_be_about_this_exchange() {
        assert!(second().read(&last_word(PROOF)).is_some());
        let other = last_word(PROOF).replace(SERVER_NONCE, "another");
        let bound = last_word(PROOF).replace("biws", "eSws");
        let short = last_word("YWJj");
        let extended = last_word(PROOF).replace(",p=", ",x=1,p=");
        assert!(second().read(&extended).is_some());
        let unknown = last_word(PROOF).replace(",p=", ",m=1,p=");
        let garbled = last_word("not base64");
        for text in [&other, &bound, &short, &unknown, &garbled, "", "p=", ",p=", "c=biws,p=YWJj"] {
            assert_eq!(second().read(text), None, "{text}");
        }
    }
}
