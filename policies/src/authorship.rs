//! Whose mail is it? The author in `From` must be one person who belongs to the sender's group, which the transport has
//! proved already. It never proves a sender itself, and it never looks at anything but the header's people.

use mail::{Address, Defect, GroupId, Headline, Person};

/// Who wrote a mail and who pressed the button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The one address of `From`; it belongs to the sender's group.
    pub address: Address,
    /// The colleague of `Sender` who sent on the author's behalf (RFC 5322 §3.6.2); `None` where there is none, it is
    /// the author, or it is a machine such as a distribution list.
    pub on_behalf: Option<Address>,
}

/// Why the author is refused. The peer's answer is permanent: the same mail stays wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorRefusal {
    /// More than one `From` field: readers would disagree about the author.
    TwoFromFields,
    /// More than one address in `From`.
    TwoAuthors,
    /// No `From`, or none with an address that can be read.
    NoAuthor,
    /// The author belongs to another company group.
    OtherCompany,
    /// The author's address is registered nowhere.
    Unregistered,
    /// `Sender` belongs to another company group than the author.
    SentByOtherCompany,
}

impl AuthorRefusal {
    /// The sentence for the peer: ASCII, one line, nothing of the mail in it.
    pub fn public(&self) -> &'static str {
        match self {
            Self::TwoFromFields => {
                "the mail has more than one From field, so its author is not clear; send it again with one From field"
            }
            Self::TwoAuthors => {
                "the From field names more than one author; send the mail again with one address in From"
            }
            Self::NoAuthor => {
                "the mail has no readable address in From; send it again from the address that is registered for you"
            }
            Self::OtherCompany => {
                "the author in From belongs to another company than the one that is signed in; send it with an address of your own company in From"
            }
            Self::Unregistered => {
                "the author in From is not registered for your company; use your registered address, or ask your administrator to register this one"
            }
            Self::SentByOtherCompany => {
                "the Sender field names somebody of another company than the author in From; send the mail from your own company's address"
            }
        }
    }
}

/// The author of a mail that `group` hands in. `user` says whose user an address is, `domain` whose domain (lower case)
/// it is; a user's own registration goes before the domain, because a service provider's staff write for several groups.
pub fn author(
    headline: &Headline,
    group: &GroupId,
    user: impl Fn(&Address) -> Option<GroupId>,
    domain: impl Fn(&str) -> Option<GroupId>,
) -> Result<Author, AuthorRefusal> {
    let belongs = |a: &Address| user(a).or_else(|| domain(a.domain()));
    let address = only_author(headline)?;
    match belongs(&address) {
        Some(owner) if owner == *group => {}
        Some(_) => return Err(AuthorRefusal::OtherCompany),
        None => return Err(AuthorRefusal::Unregistered),
    }
    let on_behalf = match headline.sender.as_ref().and_then(mailbox) {
        Some(sender) if sender.key() != address.key() => match belongs(&sender) {
            Some(owner) if owner == *group => Some(sender),
            Some(_) => return Err(AuthorRefusal::SentByOtherCompany),
            // A list or a sending service puts its own address there; it is nobody we could name.
            None => None,
        },
        _ => None,
    };
    Ok(Author { address, on_behalf })
}

fn only_author(headline: &Headline) -> Result<Address, AuthorRefusal> {
    if headline.defects.contains(&Defect::ManyFrom) {
        return Err(AuthorRefusal::TwoFromFields);
    }
    if headline.defects.contains(&Defect::ManyAuthors) || headline.from.len() > 1 {
        return Err(AuthorRefusal::TwoAuthors);
    }
    headline.from.first().and_then(mailbox).ok_or(AuthorRefusal::NoAuthor)
}

/// The address of a person. One that holds another address, in quotation marks or with an `@` that only looks like one,
/// would show the wrong company to whoever reads it; nobody of the market has such a one.
fn mailbox(person: &Person) -> Option<Address> {
    let address = Address::parse(person.address.as_deref()?).ok()?;
    let deceives = address.local().contains(['"', '\u{ff20}', '\u{fe6b}']);
    (!deceives).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// alpha and beta by domain; `agent@service.example` is a user of alpha, `lent@alpha.example` one of beta.
    fn judge(headline: &Headline) -> Result<Author, AuthorRefusal> {
        let group = |name: &str| name.parse::<GroupId>().unwrap();
        author(
            headline,
            &group("alpha"),
            |address| match address.key().as_str() {
                "agent@service.example" => Some(group("alpha")),
                "lent@alpha.example" => Some(group("beta")),
                _ => None,
            },
            |domain| match domain {
                "alpha.example" => Some(group("alpha")),
                "beta.example" => Some(group("beta")),
                _ => None,
            },
        )
    }

    fn person(address: &str) -> Person {
        Person { name: None, address: Some(address.to_owned()) }
    }

    fn from(addresses: &[&str]) -> Headline {
        Headline { from: addresses.iter().map(|a| person(a)).collect(), ..Headline::default() }
    }

    fn sent_by(from: &str, sender: &str) -> Headline {
        Headline { sender: Some(person(sender)), ..self::from(&[from]) }
    }

    #[test]
    fn author_of_the_own_group_by_domain_or_by_registration() {
        for address in ["jo@alpha.example", "JO@Alpha.Example", "agent@service.example"] {
            let author = judge(&from(&[address])).unwrap();
            assert_eq!(author.address.key(), address.to_lowercase());
            assert_eq!(author.on_behalf, None);
        }
    }

    #[test]
    fn author_of_another_group_or_of_none() {
        for (address, refusal) in [
            ("jo@beta.example", AuthorRefusal::OtherCompany),
            ("lent@alpha.example", AuthorRefusal::OtherCompany),
            ("jo@gamma.example", AuthorRefusal::Unregistered),
            ("jo@sub.alpha.example", AuthorRefusal::Unregistered),
            ("jo@alpha.example.evil.example", AuthorRefusal::Unregistered),
            ("other@service.example", AuthorRefusal::Unregistered),
        ] {
            assert_eq!(judge(&from(&[address])), Err(refusal), "{address}");
        }
    }

    #[test]
    fn one_author_and_no_doubt_about_it() {
        let two = ["jo@alpha.example", "ann@alpha.example"];
        assert_eq!(judge(&from(&two)), Err(AuthorRefusal::TwoAuthors));
        let mut headline = from(&two[..1]);
        headline.defects = vec![Defect::ManyAuthors];
        assert_eq!(judge(&headline), Err(AuthorRefusal::TwoAuthors));
        headline.defects = vec![Defect::ManyFrom];
        assert_eq!(judge(&headline), Err(AuthorRefusal::TwoFromFields));
        let nameless =
            Headline { from: vec![Person { name: Some("Jo".into()), address: None }], ..Headline::default() };
        for headline in [from(&[]), from(&["not an address"]), nameless] {
            assert_eq!(judge(&headline), Err(AuthorRefusal::NoAuthor));
        }
    }

    #[test]
    fn delegate_is_named_when_a_colleague() {
        let author = judge(&sent_by("team@alpha.example", "jo@alpha.example")).unwrap();
        assert_eq!(author.address.key(), "team@alpha.example");
        assert_eq!(author.on_behalf.unwrap().key(), "jo@alpha.example");
        for sender in ["TEAM@alpha.example", "list-bounces@lists.example", "broken"] {
            let author = judge(&sent_by("team@alpha.example", sender)).unwrap();
            assert_eq!(author.on_behalf, None, "{sender}");
        }
        assert_eq!(
            judge(&sent_by("team@alpha.example", "jo@beta.example")),
            Err(AuthorRefusal::SentByOtherCompany)
        );
    }

    #[test]
    fn public_texts_fit_an_smtp_reply() {
        for refusal in [
            AuthorRefusal::TwoFromFields,
            AuthorRefusal::TwoAuthors,
            AuthorRefusal::NoAuthor,
            AuthorRefusal::OtherCompany,
            AuthorRefusal::Unregistered,
            AuthorRefusal::SentByOtherCompany,
        ] {
            let text = refusal.public();
            assert!(text.len() < 400 && text.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text}");
        }
    }
}
