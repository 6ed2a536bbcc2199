//! The word of a polled mailbox's own server about a mail: the topmost Authentication-Results field that bears its name
//! (RFC 8601). Nothing below that field is looked at, since anybody may have written it; and a server that does not
//! write the field into every mail must not be named in the configuration.

use mail::Address;
use store::{AuthResult, Authentication};

use super::author;
use crate::fields::{self, Field};

/// What a server says about the author's domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerWord {
    /// The one address in `From`.
    pub author: Address,
    /// Whether the server vouches for the author's domain: a DKIM signature of it passed. SPF alone, which DMARC is content
    /// with, shows a server that others may share, and no author.
    pub vouches: bool,
    pub authentication: Authentication,
}

/// What the server called `authserv_id` says in this header block; an empty name is for servers that write none
/// (Exchange Online). None if it says nothing, or the mail has not one author.
pub fn proved_by_server(head: &[u8], authserv_id: &str) -> Option<ServerWord> {
    let fields: Vec<Field<'_>> = fields::fields(head).collect();
    let said = fields
        .iter()
        .filter(|field| field.is("Authentication-Results"))
        .filter_map(|field| Said::parse(&field.text()))
        .find(|said| said.server.eq_ignore_ascii_case(authserv_id))?;
    let author = author::author(head, &fields).ok()?;
    let vouches = said.signed_by(author.domain()) && said.result("dmarc") != AuthResult::Fail;
    Some(ServerWord {
        vouches,
        authentication: Authentication {
            spf: said.result("spf"),
            dkim: said.result("dkim"),
            dmarc: said.result("dmarc"),
            arc: said.result("arc"),
            domain: vouches.then(|| author.domain().to_owned()),
            addressed: None,
        },
        author,
    })
}

/// One field: who says it, and its statements, each a method with its result and properties.
struct Said {
    server: String,
    statements: Vec<Vec<(String, String)>>,
}

impl Said {
    fn parse(value: &str) -> Option<Self> {
        let mut parts = split(value)?.into_iter();
        let first = parts.next()?;
        let mut statements: Vec<_> = parts.map(|words| pairs(&words)).collect();
        // A server that names itself does so with one word, perhaps with a version behind it (RFC 8601 §2.2).
        let server = match first.as_slice() {
            [word, rest @ ..] if !word.contains('=') && rest.iter().all(|word| word == "1") => word.clone(),
            words => {
                statements.insert(0, pairs(words));
                String::new()
            }
        };
        Some(Self { server, statements })
    }

    /// The best result of a method.
    fn result(&self, method: &str) -> AuthResult {
        const BEST_FIRST: [AuthResult; 6] = [
            AuthResult::Pass,
            AuthResult::TemporaryError,
            AuthResult::Fail,
            AuthResult::SoftFail,
            AuthResult::PermanentError,
            AuthResult::Neutral,
        ];
        let said: Vec<&str> = self.about(method).map(|(result, _)| result).collect();
        BEST_FIRST.into_iter().find(|result| said.contains(&result.as_str())).unwrap_or_default()
    }

    /// Whether a DKIM signature of this domain passed. Servers that name no `header.d` name the identity instead, whose domain
    /// is the signer's or below it (RFC 6376 §3.5, `i=`).
    fn signed_by(&self, domain: &str) -> bool {
        self.about("dkim").any(|(result, properties)| {
            let signer = match values(properties, "header.d").as_slice() {
                [] => values(properties, "header.i"),
                named => named.to_vec(),
            };
            // Two values would leave open which of them passed.
            let only = match signer.as_slice() {
                [one] => one.rsplit('@').next(),
                _ => None,
            };
            result == "pass" && only.is_some_and(|only| only.eq_ignore_ascii_case(domain))
        })
    }

    fn about(&self, method: &str) -> impl Iterator<Item = (&str, &[(String, String)])> {
        self.statements.iter().filter_map(move |statement| {
            let ((name, result), properties) = statement.split_first()?;
            (name.split('/').next() == Some(method)).then_some((result.as_str(), properties))
        })
    }
}

fn values<'a>(properties: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    properties.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

/// `name=value` words; names and results in lower case. Words of another form are passed over.
fn pairs(words: &[String]) -> Vec<(String, String)> {
    words
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_ascii_lowercase()))
        .collect()
}

/// The words of each part between semicolons, without comments and quotes; none if a quote or comment has no end.
fn split(value: &str) -> Option<Vec<Vec<String>>> {
    let mut parts = vec![Vec::new()];
    let mut word = String::new();
    let end = |word: &mut String, parts: &mut Vec<Vec<String>>| {
        if let Some(part) = parts.last_mut().filter(|_| !word.is_empty()) {
            part.push(std::mem::take(word));
        }
    };
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '(' => comment(&mut characters)?,
            '"' => quoted(&mut characters, &mut word)?,
            ';' => {
                end(&mut word, &mut parts);
                parts.push(Vec::new());
            }
            // White space may stand on both sides of `=` (RFC 8601 §2.2): it joins.
            ' ' | '\t' => {
                while characters.next_if(|next| matches!(next, ' ' | '\t')).is_some() {}
                if !word.ends_with('=') && characters.peek() != Some(&'=') {
                    end(&mut word, &mut parts);
                }
            }
            other => word.push(other),
        }
    }
    end(&mut word, &mut parts);
    Some(parts)
}

/// Passes over the rest of a comment, and those inside of it (RFC 5322 §3.2.2).
fn comment(characters: &mut impl Iterator<Item = char>) -> Option<()> {
    let mut depth = 1;
    while depth > 0 {
        match characters.next()? {
            '\\' => {
                characters.next()?;
            }
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    Some(())
}

/// The rest of a quoted string. A space in it would part the word, so it is left out: nothing compared here has one.
fn quoted(characters: &mut impl Iterator<Item = char>, word: &mut String) -> Option<()> {
    loop {
        match characters.next()? {
            '"' => return Some(()),
            '\\' => word.push(characters.next()?),
            other => word.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FROM: &str = "From: Ann <ann@alpha.example>\r\n";

    fn word(results: &str) -> Option<ServerWord> {
        proved_by_server(format!("{results}\r\n{FROM}\r\n").as_bytes(), "mx.host.example")
    }

    fn vouches(results: &str) -> bool {
        word(&format!("Authentication-Results: mx.host.example; {results}")).is_some_and(|word| word.vouches)
    }

    #[test]
    fn a_signature_of_the_authors_domain_is_believed() {
        for results in [
            "dkim=pass header.d=Alpha.Example; dmarc=pass (p=REJECT sp=none) header.from=alpha.example",
            "dkim=pass header.i=@alpha.example header.s=s header.b=abc; dmarc=pass header.from=alpha.example",
            "dkim=pass header.i=ann@alpha.example",
            "spf=fail smtp.mailfrom=x; dkim=pass header.d=alpha.example header.s=s; dmarc=none",
            "dkim=pass header.d=esp.example; dkim/1 = pass header.d = \"alpha.example\" header.b=abc",
            "dkim=pass (2048-bit key; unprotected) header.d=alpha.example",
            "dkim=fail (a \\) b (c)) header.d=x; dkim=pass header.d=alpha.example",
        ] {
            assert!(vouches(results), "{results}");
        }
    }

    #[test]
    fn other_domains_results_and_forms_are_not() {
        for results in [
            "none",
            "dmarc=fail header.from=alpha.example",
            "dmarc=pass header.from=alpha.example",
            "spf=pass smtp.mailfrom=alpha.example; dkim=none; dmarc=pass header.from=alpha.example",
            "spf=pass smtp.mailfrom=alpha.example; dkim=pass header.d=esp.example; dmarc=pass header.from=alpha.example",
            "dkim=pass",
            "dkim=pass header.d=alpha.example header.d=beta.example",
            "dkim=pass header.d=esp.example header.i=@alpha.example",
            "dkim=pass header.i=@sub.alpha.example",
            "dkim=pass header.i=@alpha.example header.i=@beta.example",
            "dkim=pass header.d=beta.example",
            "dkim=pass header.d=sub.alpha.example",
            "dkim=pass header.d=alpha.example; dmarc=fail header.from=alpha.example",
            "dkim=fail header.d=alpha.example",
            "spf=pass smtp.mailfrom=alpha.example",
            "spf=pass reason=\"; dkim=pass header.d=alpha.example\"",
            "spf=pass (; dkim=pass header.d=alpha.example)",
            "spf=pass (dkim=pass; header.d=alpha.example",
            "x-dkim=pass header.d=alpha.example",
        ] {
            assert!(!vouches(results), "{results}");
        }
    }

    #[test]
    fn only_the_topmost_field_of_the_server_itself_counts() {
        let forged = "Authentication-Results: mx.host.example; dkim=pass header.d=alpha.example";
        assert!(word(forged).unwrap().vouches);
        let true_word = "Authentication-Results: mx.host.example 1; dmarc=fail header.from=alpha.example";
        let said = word(&format!("{true_word}\r\nReceived: x\r\n{forged}")).unwrap();
        assert!(!said.vouches);
        assert_eq!(said.authentication.dmarc, AuthResult::Fail);
        let others = "Authentication-Results: evil.example; dkim=pass header.d=alpha.example";
        assert_eq!(word(others), None);
        assert!(word(&format!("{others}\r\n{forged}")).unwrap().vouches);
        assert_eq!(word("X: y"), None);
        assert_eq!(word(&format!("{forged}\r\nFrom: eve@alpha.example")), None, "two authors");
    }

    #[test]
    fn server_that_names_itself_not_is_known_by_the_empty_name() {
        let head = format!(
            "Authentication-Results: spf=pass (sender IP is 192.0.2.1)\r\n smtp.mailfrom=alpha.example; dkim=pass \
             (signature was verified)\r\n header.d=alpha.example;dmarc=pass action=none\r\n \
             header.from=alpha.example;compauth=pass reason=100\r\n{FROM}\r\n"
        );
        let word = proved_by_server(head.as_bytes(), "").unwrap();
        assert!(word.vouches);
        assert_eq!(word.authentication.spf, AuthResult::Pass);
        assert_eq!(word.authentication.domain.as_deref(), Some("alpha.example"));
        assert_eq!(proved_by_server(head.as_bytes(), "mx.host.example"), None);
    }
}
