//! What proves a peer is looked at again with every mail and before its commit; how it was proved is written down; and what
//! else comes with a mail than its words.

use certs::scram::Verifier;
use certs::{Authority, PeerCertificate};
use gateway::Sender;
use gateway::smtp::{Delivery, Intake, Refusal};
use mail::ReversePath;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use store::{
    Actor, AppPassword, AppPasswordId, ClientCertificate, DirectoryChange, Group, Proof, Reading, User,
};

use crate::market::{Market, address, connector, group, marked, network};

const MAIL: &str = "From: Ann <ann@alpha.example>\nTo: et@beta.example\nMessage-ID: <q1@alpha.example>\n\
                    Subject: Supply\n\nIs it yours?\n";

const ANN: &str = "ann@alpha.example";

fn from() -> ReversePath {
    ReversePath::Address(address(ANN))
}

fn user(market: &Market) -> User {
    market.ledger.directory().user_by_email(&address(ANN)).unwrap().clone()
}

fn alpha(market: &Market) -> Group {
    market.ledger.directory().group(&group("alpha")).unwrap().clone()
}

async fn change(market: &Market, change: DirectoryChange) {
    market.ledger.change_directory(&Actor::Tool, vec![change]).await.unwrap();
}

async fn app_password(market: &Market, password: &str) -> AppPasswordId {
    let user = user(market).id;
    let salt = market.ledger.scram_salt(&Actor::Tool, user).await.unwrap();
    let Verifier { stored_key, server_key } = Verifier::derive(password, &salt, certs::scram::ITERATIONS);
    let id = AppPasswordId::new(market.ledger.now()).unwrap();
    let (name, created_at) = ("Laptop".to_owned(), market.ledger.now());
    let known = AppPassword { id, user, name, created_at, stored_key, server_key };
    change(market, DirectoryChange::AppPassword(known)).await;
    id
}

/// A certificate of the private authority for this host.
fn certificate(name: &str) -> PeerCertificate {
    let folder = tempfile::tempdir().unwrap();
    let issued = Authority::create(folder.path()).unwrap().issue_client(name).unwrap();
    let der = CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap();
    PeerCertificate::parse(&der).unwrap()
}

/// What a peer can be proved by.
#[derive(Debug, Clone, Copy)]
enum Way {
    Password,
    SwitchedOff,
    AppPassword,
    Network,
    Certificate,
    CertificateName,
    Connector,
}

impl Way {
    const ALL: [Self; 7] = [
        Self::Password,
        Self::SwitchedOff,
        Self::AppPassword,
        Self::Network,
        Self::Certificate,
        Self::CertificateName,
        Self::Connector,
    ];

    /// A peer that is proved, and what takes the proof back.
    async fn go(self, market: &Market) -> (Sender, DirectoryChange) {
        let guards = &market.guards;
        match self {
            Self::Password => {
                let password = Some(certs::password::hash("another password").unwrap());
                let changed = User { password, ..user(market) };
                (guards.login(ANN, "correct horse battery").await.unwrap(), DirectoryChange::User(changed))
            }
            Self::SwitchedOff => {
                let changed = User { state: store::UserState::Suspended, ..user(market) };
                (guards.login(ANN, "correct horse battery").await.unwrap(), DirectoryChange::User(changed))
            }
            Self::AppPassword => {
                let id = app_password(market, "mcfe-uahe-kdlw").await;
                let sender = guards.login(ANN, "mcfe-uahe-kdlw").await.unwrap();
                (sender, DirectoryChange::RemoveAppPassword(user(market).id, id))
            }
            Self::Network => {
                let closed = Group { networks: Vec::new(), ..alpha(market) };
                (guards.by_network(network("alpha")).unwrap(), DirectoryChange::Group(closed))
            }
            Self::Certificate => {
                let certificate = certificate("mail.alpha.example");
                let registered = ClientCertificate {
                    fingerprint: certificate.fingerprint,
                    group: group("alpha"),
                    name: "mail.alpha.example".to_owned(),
                    not_after: certificate.not_after,
                };
                change(market, DirectoryChange::Certificate(registered)).await;
                let sender = guards.by_certificate(&certificate).unwrap();
                (sender, DirectoryChange::RemoveCertificate(certificate.fingerprint))
            }
            Self::CertificateName => {
                let nameless = alpha(market);
                let name = Some("mail.alpha.example".to_owned());
                change(market, DirectoryChange::Group(Group { certificate_name: name, ..nameless.clone() }))
                    .await;
                let sender = guards.by_certificate(&certificate("mail.alpha.example")).unwrap();
                (sender, DirectoryChange::Group(nameless))
            }
            Self::Connector => {
                (guards.by_provider(network("service"), None).unwrap(), connector("alpha", false))
            }
        }
    }

    fn mail(self) -> String {
        match self {
            Self::Connector => marked("alpha", MAIL),
            _ => MAIL.to_owned(),
        }
    }
}

#[tokio::test]
async fn what_was_taken_back_proves_no_further_mail_of_an_open_connection() {
    for way in Way::ALL {
        let market = Market::open().await;
        let (sender, taken_back) = way.go(&market).await;
        let other = way.mail().replace("q1@", "q2@");
        let first = market.handed_in(Some(&sender), from(), &["et@beta.example"], &way.mail()).await;
        first.unwrap().close().await.unwrap();
        change(&market, taken_back).await;
        let next = match market.handed_in(Some(&sender), from(), &["et@beta.example"], &other).await {
            Ok(delivery) => delivery.close().await,
            Err(refusal) => Err(refusal),
        };
        let by_now = match way {
            // Alpha is no customer of the service any more, and to the others the mailbox is their own.
            Way::Connector => matches!(next, Err(Refusal::UnknownRecipient(_))),
            _ => matches!(next, Err(Refusal::NotProved(_))),
        };
        assert!(by_now, "{way:?}: {next:?}");
        assert_eq!(market.cases("beta").await.len(), 1, "{way:?}");
    }
}

#[tokio::test]
async fn what_is_taken_back_while_a_mail_comes_does_not_prove_it() {
    for way in Way::ALL {
        let market = Market::open().await;
        let (sender, taken_back) = way.go(&market).await;
        let delivery =
            market.handed_in(Some(&sender), from(), &["et@beta.example"], &way.mail()).await.unwrap();
        change(&market, taken_back).await;
        let refused = delivery.close().await;
        assert!(matches!(refused, Err(Refusal::NotProved(_))), "{way:?}: {refused:?}");
        assert!(market.cases("beta").await.is_empty(), "{way:?}");
    }
}

#[tokio::test]
async fn a_mail_and_the_trail_tell_which_app_password_it_was() {
    let market = Market::open().await;
    let id = app_password(&market, "mcfe-uahe-kdlw").await;
    let user = user(&market).id;
    assert!(market.ledger.app_password_uses(user).await.unwrap().is_empty());
    for (number, (password, app)) in
        [("correct horse battery", None), ("mcfe-uahe-kdlw", Some(id))].into_iter().enumerate()
    {
        let sender = market.guards.login(ANN, password).await.unwrap();
        let mail = MAIL.replace("q1@", &format!("q{number}@"));
        let delivery = market.handed_in(Some(&sender), from(), &["et@beta.example"], &mail).await.unwrap();
        delivery.close().await.unwrap();
        let case = market.cases("beta").await.remove(0);
        let message = market.ledger.messages(case.id).await.unwrap().remove(0);
        assert_eq!(message.proof, Proof::Login(user, app));
        let event = market.events().await.into_iter().rfind(|event| event.case == Some(case.id)).unwrap();
        assert_eq!((event.user, event.app_password), (Some(user), app));
    }
    let used = market.ledger.app_password_uses(user).await.unwrap();
    assert_eq!(used.keys().collect::<Vec<_>>(), [&id]);
    change(&market, DirectoryChange::RemoveAppPassword(user, id)).await;
    assert!(market.ledger.app_password_uses(user).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_certificate_that_speaks_by_a_name_is_told_of_while_it_is_in_use() {
    let market = Market::open().await;
    Way::Certificate.go(&market).await;
    assert!(market.gateway.certificates_in_use().is_empty(), "the directory knows when that one ends");
    Way::CertificateName.go(&market).await;
    let [seen] = market.gateway.certificates_in_use().try_into().unwrap();
    assert_eq!((seen.name.as_str(), seen.group), ("mail.alpha.example", group("alpha")));
    assert!(seen.not_after > market.ledger.now().as_second());
}

#[tokio::test]
async fn the_secret_of_a_connector_is_kept_of_no_mail_whoever_brings_it() {
    let market = Market::open().await;
    let mail = marked("alpha", MAIL);
    market.send("alpha", &["et@beta.example"], &mail).await.unwrap();
    let case = market.cases("beta").await.remove(0);
    let record = market.ledger.messages(case.id).await.unwrap().remove(0);
    let opened = market
        .ledger
        .open_message(&Actor::Portal, &case, record, &group("beta"), Reading::Original)
        .await
        .unwrap();
    let kept = opened.range(0, opened.content.size()).await.unwrap();
    let expected = mail.replace("secret of alpha", "xxxxxx xx xxxxx").replace('\n', "\r\n");
    assert_eq!(String::from_utf8(kept).unwrap(), expected);
}

#[tokio::test]
async fn a_list_in_front_of_a_mail_service_takes_the_envelope_sender_and_the_mail_counts_all_the_same() {
    let market = Market::open().await;
    let mut notices = 0;
    for (number, (more, speaks)) in [
        ("", true),
        ("Auto-Submitted: auto-replied\n", false),
        ("Content-Type: multipart/report; report-type=delivery-status; boundary=x\n", false),
        ("List-Id: <meters.alpha.example>\nPrecedence: list\n", false),
    ]
    .into_iter()
    .enumerate()
    {
        let mail = MAIL.replace("q1@", &format!("q{number}@"));
        let mail = marked("alpha", &format!("{more}{mail}"));
        // Beta is a customer of the service too, for whom this address is its own.
        market.transact("service", ReversePath::Null, &["et@beta.example"], &mail).await.unwrap();
        let case = market.cases("beta").await.remove(0);
        let message = market.ledger.messages(case.id).await.unwrap().remove(0);
        assert_eq!(message.automatic, !speaks, "{more}");
        notices += usize::from(speaks);
        assert_eq!((market.notices().await.len(), case.due.is_some()), (notices, speaks), "{more}");
    }
    // A peer that is proved itself has no list in front of it.
    let mail = MAIL.replace("q1@", "q9@");
    market.transact("alpha", ReversePath::Null, &["et@beta.example"], &mail).await.unwrap();
    assert_eq!(market.notices().await.len(), 1);
}

#[tokio::test]
async fn who_writes_in_somebodys_name_is_written_down_with_the_name() {
    let market = Market::open().await;
    let ann = user(&market);
    let delegate = User {
        id: store::UserId::new(market.ledger.now()).unwrap(),
        email: address("del@alpha.example"),
        name: "Del".to_owned(),
        ..ann.clone()
    };
    change(&market, DirectoryChange::User(delegate.clone())).await;
    let told = async || {
        let events = market.events().await;
        let event = events.into_iter().rfind(|event| event.message.is_some()).unwrap();
        (event.author, event.user)
    };
    market.send("alpha", &["et@beta.example"], MAIL).await.unwrap();
    assert_eq!(told().await, (Some(ann.id), None), "a network logs nobody in");
    for (at, sender, by) in
        [(2, "del@alpha.example", Some(delegate.id)), (3, "list@sending.example", None), (4, ANN, None)]
    {
        let mail =
            MAIL.replace("q1@", &format!("q{at}@")).replace("To: ", &format!("Sender: {sender}\nTo: "));
        market.send("alpha", &["et@beta.example"], &mail).await.unwrap();
        assert_eq!(told().await, (Some(ann.id), by), "{sender}");
    }
}
