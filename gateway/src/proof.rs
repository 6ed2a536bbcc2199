//! The proof of a domain: whose mail it is that comes without login or client certificate. Only a DKIM signature that
//! is aligned with the author's domain proves anything; SPF, DMARC and ARC are noted with the mail and shown.
//!
//! A fault of the DNS is never a proof and never a refusal: it is an answer for later. Nothing here keeps a mail's body.

use std::net::IpAddr;
use std::time::Duration;

use mail::{Address, GroupId, ReversePath};
use mail_auth::common::to_a_label;
use mail_auth::dkim::Signature;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    ArcOutput, AuthenticatedMessage, DkimOutput, DkimResult, DmarcOutput, DmarcResult, SpfOutput,
};
use store::Authentication;

use self::signatures::{Alignment, Chain};
use crate::dns::{DnsFailure, Resolver};
use crate::fields::{self, Field};

mod age;
mod author;
mod results;
mod scanner;
pub mod server_word;
mod signatures;
#[cfg(test)]
mod tests;

pub use self::scanner::{ProofScanner, Scanned};

/// Whether a header block has a signature at all.
pub(crate) fn is_signed(head: &[u8]) -> bool {
    fields::fields(head).any(|field| field.is("DKIM-Signature"))
}

/// Fields of a header block beyond which no signature over it is worked out.
const MOST_FIELDS: usize = 1000;

/// How the proof of domains works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofSettings {
    /// This server's name, for the macros of SPF (RFC 7208 §7.2).
    pub host: String,
    /// How long all look-ups for one mail may take together.
    pub timeout: Duration,
    /// How old a signature may be when its mail is handed in.
    pub oldest: Duration,
}

/// What SMTP says of whoever hands in the mail.
#[derive(Debug, Clone, Copy)]
pub struct Peer<'a> {
    pub address: IpAddr,
    /// The argument of EHLO or HELO.
    pub helo: &'a str,
    pub reverse_path: &'a ReversePath,
    /// When the mail was handed in, in seconds since 1970. Of one that has lain in a mailbox for nobody knows how long it
    /// is not known; then the age of its signature says nothing.
    pub at: Option<i64>,
}

/// What came of a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proving {
    Proved(Box<DomainProof>),
    /// Final: the mail stays unproved however often it comes.
    Unproved {
        why: Unproved,
        authentication: Option<Authentication>,
    },
    /// Nobody could tell; the text is for the operator's log.
    Later(String),
}

/// A mail whose author's domain is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainProof {
    pub group: GroupId,
    /// The `d=` of the signature that proves it.
    pub domain: String,
    /// The one address in `From`; the signature covers it. The author that the mail is shown under must be this one.
    pub author: Address,
    pub authentication: Authentication,
}

/// Why a mail is not proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unproved {
    /// The header block is longer than 100 KiB or 1000 fields, or has lines that are no fields.
    Header,
    /// Not one From field with one address.
    Author,
    /// The author's domain is registered to no company.
    Unregistered,
    /// There is no DKIM signature of the author's domain.
    Unsigned,
    /// There is one, and it does not verify.
    Failed,
    /// It verifies, but leaves out what could then be changed, or its algorithm or key do not count.
    Weak,
    /// It verifies, and was made too long ago, or will be.
    Stale,
}

impl Unproved {
    /// The sentence for the peer: ASCII, one line, nothing of the mail in it.
    pub fn public(self) -> &'static str {
        match self {
            Self::Header => {
                "the header is damaged or too long, so nothing in it can be proved; send the mail again without the odd lines"
            }
            Self::Author => {
                "the mail must have one From field with one address; send it again with your address alone in From"
            }
            Self::Unregistered => {
                "the domain in From is registered for no company here; log in, or ask your administrator to register it"
            }
            Self::Unsigned => {
                "the mail has no DKIM signature of the domain in From; sign it with d= your domain, or log in"
            }
            Self::Failed => {
                "the DKIM signature of the domain in From does not verify; check the key in the DNS and what changes mail on its way"
            }
            Self::Weak => {
                "the DKIM signature of the domain in From does not count; sign From, Subject, Date and Message-ID, without l= and t=y, with rsa-sha256 (1024 bits or more) or ed25519-sha256"
            }
            Self::Stale => {
                "the DKIM signature of the domain in From is too old or from the future; check the clock of your mail server, and send the mail again as a new one"
            }
        }
    }
}

/// Proves domains.
#[derive(Clone)]
pub struct DomainProver {
    resolver: Resolver,
    settings: ProofSettings,
}

impl DomainProver {
    /// Asks through `resolver` and its cache.
    pub fn new(resolver: Resolver, settings: ProofSettings) -> Self {
        Self { resolver, settings }
    }

    /// Whose the mail is. `owner` says which group a domain (lower case, ASCII) is registered to.
    pub async fn prove(
        &self,
        scanned: &Scanned,
        peer: &Peer<'_>,
        owner: impl Fn(&str) -> Option<GroupId>,
    ) -> Proving {
        match tokio::time::timeout(self.settings.timeout, self.proving(scanned, peer, owner)).await {
            Ok(proving) => proving,
            Err(_) => Proving::Later("the name servers take too long to prove a domain".to_owned()),
        }
    }

    async fn proving(
        &self,
        scanned: &Scanned,
        peer: &Peer<'_>,
        owner: impl Fn(&str) -> Option<GroupId>,
    ) -> Proving {
        let claim = match Claim::read(scanned, owner) {
            Ok(claim) => claim,
            Err(why) => return Proving::Unproved { why, authentication: None },
        };
        let (message, weak) = signatures::prepare(&claim, &scanned.bodies);
        let Some(message) = message else {
            return Proving::Unproved { why: Unproved::Header, authentication: None };
        };
        let found = self.check(&message, peer).await;
        let authentication = found.authentication();
        match self.decide(&claim, &found, weak, peer.at).await {
            Ok(domain) => Proving::Proved(Box::new(DomainProof {
                group: claim.group,
                author: claim.author,
                authentication: Authentication { domain: Some(domain.clone()), ..authentication },
                domain,
            })),
            Err(Undecided::Final(why)) => Proving::Unproved { why, authentication: Some(authentication) },
            Err(Undecided::Later(why)) => Proving::Later(why),
        }
    }

    /// All four checks. Each is bounded: signatures and ARC sets here, SPF by RFC 7208 §4.6.4, DMARC by its walk.
    async fn check<'a>(&self, message: &'a AuthenticatedMessage<'a>, peer: &Peer<'_>) -> Found<'a> {
        let authenticator = self.resolver.authenticator();
        let reverse_path = match peer.reverse_path {
            ReversePath::Null => String::new(),
            ReversePath::Address(address) => address.to_string(),
        };
        let spf = SpfParameters::verify(peer.address, peer.helo, &self.settings.host, &reverse_path);
        let arc = async {
            match signatures::chain(message) {
                Chain::Absent => None,
                Chain::Bearable => Some(authenticator.verify_arc(message).await),
                Chain::Unbearable => {
                    let refused = DkimResult::PermError(mail_auth::Error::ParseError);
                    Some(ArcOutput::default().with_result(refused))
                }
            }
        };
        let (spf, dkim, arc) =
            tokio::join!(authenticator.verify_spf(spf), authenticator.verify_dkim(message), arc);
        let sender = reverse_path.rsplit_once('@').map_or(peer.helo, |(_, domain)| domain);
        let dmarc = authenticator.verify_dmarc(DmarcParameters::new(message, &dkim, sender, &spf)).await;
        Found { spf, dkim, dmarc, arc }
    }

    /// The domain of a signature that proves the claim.
    async fn decide(
        &self,
        claim: &Claim<'_>,
        found: &Found<'_>,
        weak: bool,
        at: Option<i64>,
    ) -> Result<String, Undecided> {
        let alignment = found.alignment();
        let mut outcome = Undecided::Final(if weak { Unproved::Weak } else { Unproved::Unsigned });
        for output in &found.dkim {
            let Some(signature) = output.signature().filter(|one| claim.could_align(&one.d)) else {
                continue;
            };
            let verdict = match output.result() {
                DkimResult::Pass if !signatures::covers(&claim.fields, &signature.h) => {
                    Undecided::Final(Unproved::Weak)
                }
                DkimResult::Pass if !self.is_fresh(claim, signature, at) => Undecided::Final(Unproved::Stale),
                DkimResult::Pass => match claim.aligned(&signature.d, &alignment) {
                    Ok(false) => continue,
                    Err(why) => Undecided::Later(why),
                    Ok(true) => match self.key_counts(&signature.s, &signature.d).await {
                        Ok(true) => return Ok(signature.d.clone()),
                        Ok(false) => Undecided::Final(Unproved::Weak),
                        Err(why) => Undecided::Later(why),
                    },
                },
                DkimResult::TempError(error) => Undecided::Later(error.to_string()),
                _ => Undecided::Final(Unproved::Failed),
            };
            outcome = outcome.or(verdict);
        }
        Err(outcome)
    }

    fn is_fresh(&self, claim: &Claim<'_>, signature: &Signature, at: Option<i64>) -> bool {
        let Some(at) = at else { return true };
        let signed_at = age::signed_at(signature, claim.head);
        signed_at.is_some_and(|signed_at| age::is_fresh(signed_at, at, self.settings.oldest))
    }

    /// Whether the published key is for mail and in earnest (RFC 6376 §3.6.1). It is in the resolver's cache.
    async fn key_counts(&self, selector: &str, domain: &str) -> Result<bool, String> {
        match self.resolver.txt(&format!("{selector}._domainkey.{domain}")).await {
            Ok(records) => Ok(records.iter().all(|record| signatures::counts(record))),
            Err(DnsFailure::NotFound) => Ok(false),
            Err(DnsFailure::Temporary(why)) => Err(why),
        }
    }
}

/// Why no domain is proved (yet).
enum Undecided {
    Later(String),
    Final(Unproved),
}

impl Undecided {
    /// A chance that is left goes before a final answer, and the more telling answer before the other.
    fn or(self, other: Self) -> Self {
        let weight = |one: &Self| match one {
            Self::Final(Unproved::Failed) => 1,
            Self::Final(Unproved::Weak) => 2,
            Self::Final(Unproved::Stale) => 3,
            Self::Later(_) => 4,
            Self::Final(_) => 0,
        };
        if weight(&other) > weight(&self) { other } else { self }
    }
}

/// Whose the mail says that it is.
struct Claim<'a> {
    head: &'a [u8],
    fields: Vec<Field<'a>>,
    author: Address,
    /// The author's domain as the DNS has it.
    domain: String,
    group: GroupId,
    /// Domains above the author's that are registered to the same group.
    parents: Vec<String>,
}

impl<'a> Claim<'a> {
    fn read(scanned: &'a Scanned, owner: impl Fn(&str) -> Option<GroupId>) -> Result<Self, Unproved> {
        let head = scanned.head.as_deref().ok_or(Unproved::Header)?;
        let fields: Vec<_> = fields::fields(head).take(MOST_FIELDS + 1).collect();
        if fields.len() > MOST_FIELDS || !fields.iter().all(Field::is_regular) {
            return Err(Unproved::Header);
        }
        let author = author::author(head, &fields)?;
        let group = owner(author.domain()).ok_or(Unproved::Unregistered)?;
        let domain = to_a_label(author.domain()).into_owned();
        let parents = signatures::parents(&domain)
            .filter(|parent| owner(parent).as_ref() == Some(&group))
            .map(str::to_owned)
            .collect();
        Ok(Self { head, fields, author, domain, group, parents })
    }

    /// Whether a signature of this domain could be aligned, whatever the domain's policy.
    fn could_align(&self, signer: &str) -> bool {
        signer == self.domain || self.parents.iter().any(|parent| parent == signer)
    }

    /// Alignment as RFC 7489 §3.1.1 has it, but narrower: the signer is the author's domain, or above it and registered
    /// to the same group. So nobody needs a list of public suffixes, and nobody below can sign for those above.
    fn aligned(&self, signer: &str, alignment: &Alignment) -> Result<bool, String> {
        match alignment {
            _ if signer == self.domain => Ok(true),
            Alignment::Relaxed => Ok(self.could_align(signer)),
            Alignment::Strict => Ok(false),
            Alignment::Unknown(why) => Err(why.clone()),
        }
    }
}

/// What the checks said.
struct Found<'a> {
    spf: SpfOutput,
    dkim: Vec<DkimOutput<'a>>,
    dmarc: DmarcOutput,
    arc: Option<ArcOutput<'a>>,
}

impl Found<'_> {
    fn authentication(&self) -> Authentication {
        Authentication {
            spf: results::spf(&self.spf),
            dkim: results::dkim(self.dkim.iter().map(DkimOutput::result)),
            dmarc: results::dmarc(&self.dmarc),
            arc: results::dkim(self.arc.iter().map(ArcOutput::result)),
            domain: None,
            addressed: None,
        }
    }

    /// What the author's domain has published.
    fn alignment(&self) -> Alignment {
        match (self.dmarc.dmarc_record(), self.dmarc.dkim_result()) {
            (Some(record), _) => record.adkim.into(),
            (None, DmarcResult::TempError(error)) => Alignment::Unknown(error.to_string()),
            (None, _) => Alignment::Relaxed,
        }
    }
}
