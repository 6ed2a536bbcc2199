//! The proof of domains, with real signatures and a name server of its own.

use certs::dkim::{Algorithm, DkimKey};
use mail_auth::AuthenticationResults;
use mail_auth::arc::ArcSealer;
use mail_auth::common::crypto::{DkimKey as Signer, Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::HeaderWriter;
use mail_auth::dkim::{Canonicalization, DkimSigner};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use store::AuthResult;

use super::*;
use crate::dns::zone::Zone;

const FIELDS: &str = "From: Ann <ann@alpha.example>\r\nTo: et@beta.example\r\nSubject: Meter 1\r\n\
                      Date: Mon, 23 Nov 2026 17:00:00 +0000\r\nMessage-ID: <1@alpha.example>\r\n";

/// What must be signed.
const NAMES: [&str; 4] = ["From", "Subject", "Date", "Message-ID"];
const BODY: &str = "\r\nHello  Beta,\r\n\r\nplease look.  \r\n\r\n\r\n";

/// A name server that knows `alpha.example` and `beta.example`, each registered to its company.
struct Estate {
    zone: Zone,
    key: DkimKey,
}

impl Estate {
    async fn open() -> Self {
        Self::with(Algorithm::Ed25519).await
    }

    async fn with(algorithm: Algorithm) -> Self {
        certs::install_provider();
        let (zone, key) = (Zone::open().await, DkimKey::generate(algorithm).unwrap());
        zone.txt("s._domainkey.alpha.example", &key.record());
        zone.txt("alpha.example", "v=spf1 ip4:192.0.2.0/24 -all");
        zone.txt("_dmarc.alpha.example", "v=DMARC1; p=reject; rua=mailto:dmarc@alpha.example");
        Self { zone, key }
    }

    fn signer(&self) -> Signer {
        let der = self.key.pkcs8();
        match self.key.algorithm() {
            Algorithm::Ed25519 => Signer::Ed25519(Ed25519Key::from_pkcs8_maybe_unchecked_der(der).unwrap()),
            Algorithm::Rsa2048 => {
                let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(der.to_vec()));
                Signer::Rsa(RsaKey::<Sha256>::from_key_der(der).unwrap())
            }
        }
    }

    /// The mail with a signature of `domain` over `headers` in front.
    fn signed_by(&self, domain: &str, headers: &[&str], mail: &str) -> String {
        let signer =
            DkimSigner::from_key(self.signer()).domain(domain).selector("s").headers(headers.to_vec());
        let signature =
            signer.body_canonicalization(Canonicalization::Relaxed).sign(mail.as_bytes()).unwrap();
        format!("{}{mail}", signature.to_header())
    }

    fn signed(&self, mail: &str) -> String {
        self.signed_by("alpha.example", &NAMES, mail)
    }

    async fn prove(&self, mail: &str) -> Proving {
        self.prove_bytes(mail.as_bytes()).await
    }

    async fn prove_bytes(&self, mail: &[u8]) -> Proving {
        self.prove_at(mail, None).await
    }

    async fn prove_at(&self, mail: &[u8], at: Option<i64>) -> Proving {
        let mut scanner = ProofScanner::default();
        mail.chunks(7).for_each(|piece| scanner.feed(piece));
        let reverse_path = ReversePath::Address("ann@alpha.example".parse().unwrap());
        let peer = Peer {
            address: "192.0.2.25".parse().unwrap(),
            helo: "mail.alpha.example",
            reverse_path: &reverse_path,
            at,
        };
        let settings = ProofSettings {
            host: "mail.postern.example".into(),
            timeout: Duration::from_secs(30),
            oldest: Duration::from_hours(7 * 24),
        };
        DomainProver::new(self.zone.resolver(), settings).prove(&scanner.finish(), &peer, owner).await
    }

    async fn proved(&self, mail: &str) -> DomainProof {
        match self.prove(mail).await {
            Proving::Proved(proof) => *proof,
            other => panic!("{other:?} of {mail}"),
        }
    }

    async fn refused(&self, mail: &str) -> Unproved {
        match self.prove(mail).await {
            Proving::Unproved { why, .. } => why,
            other => panic!("{other:?} of {mail}"),
        }
    }
}

fn owner(domain: &str) -> Option<GroupId> {
    let group = match domain {
        "alpha.example" | "trade.alpha.example" | "football.example.com" => "alpha",
        "beta.example" | "lent.alpha.example" => "beta",
        _ => return None,
    };
    group.parse().ok()
}

fn mail() -> String {
    format!("{FIELDS}{BODY}")
}

#[tokio::test]
async fn aligned_signature_proves_the_company_and_the_rest_is_noted() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Rsa2048] {
        let estate = Estate::with(algorithm).await;
        let proof = estate.proved(&estate.signed(&mail())).await;
        assert_eq!((proof.group.as_str(), proof.domain.as_str()), ("alpha", "alpha.example"));
        assert_eq!(proof.author.to_string(), "ann@alpha.example");
        let expected = Authentication {
            spf: AuthResult::Pass,
            dkim: AuthResult::Pass,
            dmarc: AuthResult::Pass,
            arc: AuthResult::None,
            domain: Some("alpha.example".into()),
            addressed: None,
        };
        assert_eq!(proof.authentication, expected);
    }
}

#[tokio::test]
async fn passing_spf_alone_proves_nothing() {
    let estate = Estate::open().await;
    let Proving::Unproved { why, authentication } = estate.prove(&mail()).await else { panic!("unproved") };
    assert_eq!(why, Unproved::Unsigned);
    let said = authentication.unwrap();
    assert_eq!((said.spf, said.dkim, said.dmarc), (AuthResult::Pass, AuthResult::None, AuthResult::Pass));
}

#[tokio::test]
async fn what_was_changed_on_the_way_is_not_proved() {
    let estate = Estate::open().await;
    let good = estate.signed(&mail());
    assert_eq!(estate.proved(&good).await.domain, "alpha.example");
    for (from, to, why) in [
        ("please", "Please", Unproved::Failed),
        ("Meter 1", "Meter 2", Unproved::Failed),
        ("From: Ann", "From: Bob", Unproved::Failed),
        ("look.", "look.\r\n\r\n\r\nx", Unproved::Failed),
        ("To: et@", "Subject: Meter 2\r\nTo: et@", Unproved::Weak),
        ("To: et@", "To: x@beta.example\r\nTo: et@", Unproved::Weak),
        ("To: et@", "From: bob@alpha.example\r\nTo: et@", Unproved::Author),
        ("To: et@", "no field\r\nTo: et@", Unproved::Header),
        ("b=", "b=AAAA", Unproved::Failed),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good);
        assert_eq!(estate.refused(&changed).await, why, "{from}");
    }
    let trailing = good.replace("please look.  \r\n", "please look.\r\n\r\n");
    assert_eq!(estate.proved(&trailing).await.domain, "alpha.example", "white space at an end is nothing");
}

#[tokio::test]
async fn signature_that_leaves_something_open_does_not_count() {
    let estate = Estate::open().await;
    for headers in [
        &["From"][..],
        &["Subject", "To"],
        &["To"],
        &NAMES[..3],
        &NAMES[1..],
        &["From", "Subject", "Message-ID"],
    ] {
        let signed = estate.signed_by("alpha.example", headers, &mail());
        assert_eq!(estate.refused(&signed).await, Unproved::Weak, "{headers:?}");
    }
    let part = DkimSigner::from_key(estate.signer()).domain("alpha.example").selector("s");
    let part = part.headers(NAMES).body_length(true).sign(mail().as_bytes()).unwrap();
    assert_eq!(estate.refused(&format!("{}{}", part.to_header(), mail())).await, Unproved::Weak, "l=");
    let sha1 = estate.signed(&mail()).replace("a=ed25519-sha256", "a=rsa-sha1");
    assert_eq!(estate.refused(&sha1).await, Unproved::Weak);
}

#[tokio::test]
async fn a_mail_that_was_signed_long_ago_or_will_be_is_not_taken() {
    const DAY: i64 = 24 * 60 * 60;
    let estate = Estate::open().await;
    let signer = DkimSigner::from_key(estate.signer()).domain("alpha.example").selector("s");
    let signature = signer.headers(NAMES).sign(mail().as_bytes()).unwrap();
    let good = format!("{}{}", signature.to_header(), mail());
    let signed_at = signature.t as i64;
    for (later, fresh) in [(0, true), (7 * DAY, true), (7 * DAY + 1, false), (-DAY, true), (-DAY - 1, false)]
    {
        let proving = estate.prove_at(good.as_bytes(), Some(signed_at + later)).await;
        let stale = matches!(&proving, Proving::Unproved { why: Unproved::Stale, .. });
        assert_eq!((matches!(proving, Proving::Proved(_)), stale), (fresh, !fresh), "{later}");
    }
}

#[tokio::test]
async fn expired_signature_is_not_worked_out() {
    let estate = Estate::open().await;
    let signer = DkimSigner::from_key(estate.signer()).domain("alpha.example").selector("s");
    let signature = signer.headers(NAMES).expiration(60).sign(mail().as_bytes()).unwrap();
    let good = format!("{}{}", signature.to_header(), mail());
    assert_eq!(estate.proved(&good).await.domain, "alpha.example");
    let over = good.replace(&format!("x={}", signature.x), "x=1");
    assert_ne!(over, good);
    let Proving::Unproved { why, authentication } = estate.prove(&over).await else { panic!("unproved") };
    // A signature that was worked out and did not fit would be a failure.
    assert_eq!((why, authentication.unwrap().dkim), (Unproved::Failed, AuthResult::Neutral));
}

#[tokio::test]
async fn key_on_trial_revoked_or_absent_does_not_count() {
    let estate = Estate::open().await;
    let record = estate.key.record();
    for (selector, text, why) in [
        ("trial", record.replace("p=", "t=y; p="), Unproved::Weak),
        ("other", record.replace("p=", "s=tlsrpt; p="), Unproved::Weak),
        ("gone", "v=DKIM1; k=ed25519; p=".to_owned(), Unproved::Failed),
        ("odd", "v=DKIM1; k=ed25519; p=AAAA".to_owned(), Unproved::Failed),
    ] {
        estate.zone.txt(&format!("{selector}._domainkey.alpha.example"), &text);
        let signer = DkimSigner::from_key(estate.signer()).domain("alpha.example").selector(selector);
        let signature = signer.headers(NAMES).sign(mail().as_bytes()).unwrap();
        let signed = format!("{}{}", signature.to_header(), mail());
        assert_eq!(estate.refused(&signed).await, why, "{selector}");
    }
    let signer = DkimSigner::from_key(estate.signer()).domain("alpha.example").selector("absent");
    let signature = signer.headers(NAMES).sign(mail().as_bytes()).unwrap();
    assert_eq!(estate.refused(&format!("{}{}", signature.to_header(), mail())).await, Unproved::Failed);
}

#[tokio::test]
async fn signer_must_be_the_authors_domain_or_one_above_it_of_the_same_company() {
    let estate = Estate::open().await;
    let from = |domain: &str| mail().replace("ann@alpha.example", &format!("ann@{domain}"));
    let record = estate.key.record();
    for domain in ["trade.alpha.example", "lent.alpha.example", "beta.example", "esp.example", "example"] {
        estate.zone.txt(&format!("s._domainkey.{domain}"), &record);
    }
    let signed = |signer: &str, author: &str| estate.signed_by(signer, &NAMES, &from(author));
    let above = signed("alpha.example", "trade.alpha.example");
    assert_eq!(estate.proved(&above).await.group.as_str(), "alpha");
    for (signer, author, why) in [
        ("trade.alpha.example", "alpha.example", Unproved::Unsigned),
        ("beta.example", "alpha.example", Unproved::Unsigned),
        ("esp.example", "alpha.example", Unproved::Unsigned),
        ("example", "alpha.example", Unproved::Unsigned),
        // Another company's domain below: whoever owns what is above does not speak for it.
        ("alpha.example", "lent.alpha.example", Unproved::Unsigned),
        ("esp.example", "esp.example", Unproved::Unregistered),
        ("alpha.example", "sub.trade.alpha.example", Unproved::Unregistered),
    ] {
        assert_eq!(estate.refused(&signed(signer, author)).await, why, "{signer} for {author}");
    }
    estate.zone.txt("_dmarc.trade.alpha.example", "v=DMARC1; p=none; adkim=s");
    assert_eq!(estate.refused(&above).await, Unproved::Unsigned, "strict");
    let own = signed("trade.alpha.example", "trade.alpha.example");
    assert_eq!(estate.proved(&own).await.domain, "trade.alpha.example");
}

#[tokio::test]
async fn fault_of_the_name_server_is_an_answer_for_later() {
    let estate = Estate::open().await;
    let good = estate.signed(&mail());
    estate.zone.fails("alpha.example").fails("_dmarc.alpha.example");
    let said = estate.proved(&good).await.authentication;
    assert_eq!((said.spf, said.dmarc), (AuthResult::TemporaryError, AuthResult::TemporaryError));

    let above = good_from_below(&estate);
    estate.zone.fails("_dmarc.trade.alpha.example");
    assert!(matches!(estate.prove(&above).await, Proving::Later(_)), "nobody knows whether that is aligned");

    let estate = Estate::open().await;
    estate.zone.refuses("s._domainkey.alpha.example");
    assert!(matches!(estate.prove(&good).await, Proving::Later(_)));
    // A broken signature of another domain, or one more of our own, changes nothing.
    let more = good.replacen("s=s;", "s=absent;", 1);
    let both = format!("{}{good}", &more[..more.len() - mail().len()]);
    assert!(matches!(estate.prove(&both).await, Proving::Later(_)));
    estate.zone.fails("s._domainkey.esp.example");
    let other = estate.signed_by("esp.example", &NAMES, &mail());
    assert_eq!(estate.refused(&other).await, Unproved::Unsigned, "not the author's domain");
}

fn good_from_below(estate: &Estate) -> String {
    let mail = mail().replace("ann@alpha.example", "ann@trade.alpha.example");
    estate.signed(&mail)
}

#[tokio::test]
async fn many_signatures_cost_few_look_ups_and_hide_none() {
    let estate = Estate::open().await;
    let mut crowded = estate.signed(&mail());
    for number in 0..60 {
        crowded = estate.signed_by(&format!("d{number}.example"), &["From"], &crowded);
    }
    assert_eq!(estate.proved(&crowded).await.domain, "alpha.example");
    assert!(estate.zone.asked() < 30, "{}", estate.zone.asked());
    let crowd = format!("{}{}", "X: y\r\n".repeat(MOST_FIELDS), estate.signed(&mail()));
    assert_eq!(estate.refused(&crowd).await, Unproved::Header);
}

#[tokio::test]
async fn sealed_chain_is_noted_and_proves_nothing() {
    let estate = Estate::open().await;
    estate.zone.txt("s._domainkey.list.example", &estate.key.record());
    let mail = mail();
    let message = AuthenticatedMessage::parse(mail.as_bytes()).unwrap();
    let (results, chain) = (AuthenticationResults::new("list.example"), ArcOutput::default());
    let sealer = ArcSealer::from_key(estate.signer()).domain("list.example").selector("s");
    let set = sealer.headers(NAMES).seal(&message, &results, &chain).unwrap();
    let sealed = format!("{}{mail}", set.to_header());
    let Proving::Unproved { why, authentication } = estate.prove(&sealed).await else { panic!("unproved") };
    assert_eq!((why, authentication.unwrap().arc), (Unproved::Unsigned, AuthResult::Pass));
    let costly = sealed.replace("h=Message-ID", &format!("h={}Message-ID", "a:".repeat(300)));
    assert_ne!(costly, sealed);
    let Proving::Unproved { authentication, .. } = estate.prove(&costly).await else { panic!("unproved") };
    assert_eq!(authentication.unwrap().arc, AuthResult::PermanentError, "not worked out");
    let broken = sealed.replace("please", "Please");
    let Proving::Unproved { authentication, .. } = estate.prove(&broken).await else { panic!("unproved") };
    assert_eq!(authentication.unwrap().arc, AuthResult::Fail);
}

/// RFC 8463 §A.3, its key in §A.2: an ed25519 signature and an RSA one, the key of which is not published here.
#[tokio::test]
async fn signed_mail_of_rfc_8463_is_proved() {
    let file = "../../shared/corpus/mail/chasquid/08-our_signature.msg.eml";
    let mail = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file))
        .expect("the corpus lies at ../shared/corpus beside the repository; this test needs it");
    let estate = Estate::open().await;
    estate.zone.txt(
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    );
    let proof = estate.proved(&mail.replace('\n', "\r\n")).await;
    assert_eq!(proof.domain, "football.example.com");
    assert_eq!(proof.author.to_string(), "joe@football.example.com");
}

/// Whatever is done to a mail, it is nobody else's and nothing falls over.
#[tokio::test]
async fn damaged_mails_prove_no_other_author() {
    let estate = Estate::open().await;
    let good = estate.signed(&mail()).into_bytes();
    let mut dice = 0x2545_f491_4f6c_dd1d_u64;
    let mut roll = |below: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) as usize % below
    };
    let mut proved = 0;
    for _ in 0..600 {
        let mut mail = good.clone();
        for _ in 0..=roll(3) {
            let at = roll(mail.len());
            match roll(3) {
                0 => mail[at] = b"\r\n :;=<>@,\"(\\\0\xffa1"[roll(17)],
                1 => mail.truncate(at.max(1)),
                _ => {
                    let (from, to) = (at, (at + roll(60)).min(mail.len()));
                    let piece = mail[from..to].to_vec();
                    let place = roll(mail.len());
                    mail.splice(place..place, piece);
                }
            }
        }
        if let Proving::Proved(proof) = estate.prove_bytes(&mail).await {
            assert_eq!((proof.group.as_str(), proof.author.key().as_str()), ("alpha", "ann@alpha.example"));
            proved += 1;
        }
    }
    assert!(proved < 200, "{proved} of 600 survive what was done to them");
}

#[test]
fn what_peers_are_told_is_one_line_of_ascii() {
    for why in [
        Unproved::Header,
        Unproved::Author,
        Unproved::Unregistered,
        Unproved::Unsigned,
        Unproved::Failed,
        Unproved::Weak,
        Unproved::Stale,
    ] {
        let text = why.public();
        assert!(text.is_ascii() && !text.contains(['\r', '\n']) && text.contains(';'), "{text}");
    }
}
