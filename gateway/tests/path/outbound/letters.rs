//! What people get: the letters, from the job to the bytes on the wire.

use mail::{Budget, Message, Scanner};

use super::Way;
use super::server::{Script, Server};
use crate::market::Market;

const QUESTION: &str = "From: Ann <ann@alpha.example>\nTo: et@beta.example\nMessage-ID: <q1@alpha.example>\n\
                        Subject: Supply 1200023305967\n\nIs MPAN 1200023305967 yours? Ask Mrs Jones.\n";

async fn sent(market: &Market, letters: usize) -> (Vec<Message>, Vec<String>, Vec<String>) {
    let server = Server::open(Script::default()).await;
    Way::to(server.port).work(market, server.has_taken(letters)).await;
    let mails = server.mails();
    let messages = mails.iter().map(|mail| {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail);
        scanner.finish()
    });
    let senders = server.heard().into_iter().map(|heard| heard.line);
    let senders = senders.filter(|line| line.starts_with("MAIL")).collect();
    let raw = mails.iter().map(|mail| String::from_utf8(mail.clone()).unwrap()).collect();
    (messages.collect(), senders, raw)
}

fn of<'a>(messages: &'a [Message], to: &str) -> &'a Message {
    let is = |message: &&Message| message.headline.to[0].address.as_deref() == Some(to);
    messages.iter().find(is).unwrap_or_else(|| panic!("nothing for {to}"))
}

#[tokio::test]
async fn a_question_tells_the_other_side_and_thanks_the_sender() {
    let market = Market::sending().await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    let (messages, senders, raw) = sent(&market, 2).await;
    assert_eq!(messages.len(), 2);
    let process = "erroneous-transfers".parse().unwrap();
    let beta = crate::market::group("beta");
    let [case] = market.ledger.cases(&beta, &process, None, 9).await.unwrap().cases.try_into().unwrap();

    let notice = of(&messages, "et@beta.example");
    let start = format!("[Erroneous Transfers] Case {}: answer due ", case.reference);
    assert!(notice.headline.subject.starts_with(&start), "{}", notice.headline.subject);
    let receipt = of(&messages, "ann@alpha.example");
    let start = format!("[Erroneous Transfers] Case {}: secured, answer due ", case.reference);
    assert!(receipt.headline.subject.starts_with(&start), "{}", receipt.headline.subject);
    assert!(receipt.text.contains("beta Energy") && notice.text.contains("alpha Energy"));

    for (message, raw) in messages.iter().zip(&raw) {
        assert_eq!(message.references, [format!("c.{}@postern.example", case.id)]);
        assert_eq!(message.class, mail::Class::AutoReply, "nothing answers it");
        assert!(raw.contains("\r\nX-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply\r\n"));
        assert!(!raw.to_lowercase().contains("precedence"));
        for private in ["1200023305967", "Jones", "q1@alpha", "Supply"] {
            assert!(!raw.contains(private), "{private}");
        }
    }
    assert!(senders.iter().all(|sender| sender.starts_with("MAIL FROM:<b-")), "{senders:?}");
    assert_ne!(senders[0], senders[1], "each is keyed by its own job");
    assert!(market.jobs("notice").await.is_empty() && market.jobs("receipt").await.is_empty());
}

#[tokio::test]
async fn who_has_looked_already_is_told_nothing() {
    let market = Market::sending().await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    let (beta, process) = (crate::market::group("beta"), "erroneous-transfers".parse().unwrap());
    let [case] = market.ledger.cases(&beta, &process, None, 9).await.unwrap().cases.try_into().unwrap();
    let messages = market.ledger.messages(case.id).await.unwrap();
    let (actor, reading) = (store::Actor::Portal, store::Reading::Page);
    market.ledger.open_messages(&actor, &case, messages, &beta, reading).await.unwrap();
    let (messages, _, _) = sent(&market, 1).await;
    let [receipt] = messages.try_into().unwrap();
    assert_eq!(receipt.headline.to[0].address.as_deref(), Some("ann@alpha.example"));
    assert!(market.jobs("notice").await.is_empty());
}

#[tokio::test]
async fn a_digest_tells_of_many_cases_at_once() {
    let market = Market::sending().await;
    for number in 0..3 {
        let mail = QUESTION.replace("q1@", &format!("q{number}@"));
        market.write(&["et-esc1@beta.example"], &mail).await.unwrap();
    }
    assert!(market.jobs("notice").await.is_empty(), "told together");
    let [digest] = market.jobs("digest").await.try_into().unwrap();
    assert_eq!(market.ledger.retry_jobs(&store::Actor::Tool, &store::Selection::Job(digest.id)).await, Ok(1));
    let (messages, senders, raw) = sent(&market, 4).await;
    let digest = of(&messages, "et-esc1@beta.example");
    assert!(
        digest.headline.subject.starts_with("3 cases are waiting for you"),
        "{}",
        digest.headline.subject
    );
    let (beta, process) = (crate::market::group("beta"), "erroneous-transfers".parse().unwrap());
    for case in market.ledger.cases(&beta, &process, None, 9).await.unwrap().cases {
        assert!(digest.text.contains(&case.reference.to_string()), "{}", digest.text);
        assert!(digest.text.contains(&format!("https://portal.example/case/{}", case.id)));
    }
    assert!(raw.iter().all(|raw| !raw.contains("1200023305967") && !raw.contains("Jones")));
    assert!(senders.iter().all(|sender| sender.starts_with("MAIL FROM:<b-")), "{senders:?}");
}

#[tokio::test]
async fn a_held_mail_tells_both_sides_nothing_of_itself() {
    let market = Market::sending().await;
    market.write(&["jo@beta.example"], QUESTION).await.unwrap();
    let (alpha, actor) = (crate::market::group("alpha"), store::Actor::Portal);
    let [held] = market.ledger.held(&alpha, None, 9).await.unwrap().mails.try_into().unwrap();
    let waiting = market.jobs("held").await.len();
    assert!(waiting >= 1, "both sides are told");
    let (messages, senders, mut raw) = sent(&market, waiting).await;
    let sender = of(&messages, "ann@alpha.example");
    assert!(
        sender.headline.subject.ends_with("waits for your compliance team"),
        "{}",
        sender.headline.subject
    );
    assert_eq!(sender.references, [format!("h.{}@postern.example", held.id)]);

    assert_eq!(market.ledger.return_held(&actor, &alpha, held.id).await, Ok(true));
    let (returned, _, more) = sent(&market, market.jobs("held").await.len()).await;
    let sender = of(&returned, "ann@alpha.example");
    assert!(sender.headline.subject.ends_with("was not let through"), "{}", sender.headline.subject);
    assert!(sender.text.contains("mailbox for the process"), "it says what to do: {}", sender.text);
    raw.extend(more);
    for raw in &raw {
        for private in ["1200023305967", "Jones", "q1@alpha", "Supply"] {
            assert!(!raw.contains(private), "{private}");
        }
    }
    assert!(senders.iter().all(|sender| sender.starts_with("MAIL FROM:<b-")), "{senders:?}");
}

/// What stands beside the typed values comes from the configuration here; a template or a fault of ours would do as well.
#[tokio::test]
async fn a_letter_that_holds_a_persons_data_stays_and_everybody_hears_of_it() {
    let market = Market::sending_with(|settings| settings.notice_name = "Mrs Mary Jones".to_owned()).await;
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    let server = Server::open(Script::default()).await;
    let stopped = async {
        while market.ledger.alarms().await.unwrap().get("name") != Some(&2) {
            tokio::task::yield_now().await;
        }
    };
    Way::to(server.port).work(&market, stopped).await;
    assert!(server.mails().is_empty());
    let alarm =
        |kind: &str| store::TaskKind::StoppedAtDoor { kind: kind.to_owned(), found: "name 1".to_owned() };
    let tasks = market.ledger.tasks(None).await.unwrap();
    let kinds: Vec<_> = tasks.into_iter().map(|task| task.kind).collect();
    assert!(
        kinds.len() == 2 && kinds.contains(&alarm("notice")) && kinds.contains(&alarm("receipt")),
        "{kinds:?}"
    );
    for (company, kind) in [("beta", "notice"), ("alpha", "receipt")] {
        let own = market.ledger.tasks(Some(&crate::market::group(company))).await.unwrap();
        assert!(own.iter().any(|task| task.kind == alarm(kind)), "{company}: {own:?}");
    }
    let events = market.events().await;
    let stopped: Vec<_> = events.iter().filter(|event| event.act == store::Act::StoppedAtDoor).collect();
    assert!(stopped.len() == 2 && stopped.iter().all(|event| event.name.as_deref() == Some("name 1")));
    assert!(stopped.iter().all(|event| event.job.is_some() && event.case.is_some() && event.group.is_some()));
    // Nothing is lost: both wait for somebody, and say what to do.
    for kind in ["notice", "receipt"] {
        let [job] = market.jobs(kind).await.try_into().unwrap();
        assert_eq!(job.standing, store::Standing::Abandoned);
        let why = job.last_error.unwrap();
        assert!(
            why.starts_with("5.7.1 ") && why.contains("postern queue retry") && !why.contains("Jones"),
            "{why}"
        );
    }
}

#[tokio::test]
async fn a_user_is_told_how_many_cases_wait_and_of_none_by_name() {
    let market = Market::sending().await;
    let directory = market.ledger.directory();
    let ann = directory.user_by_email(&"ann@beta.example".parse().unwrap()).unwrap();
    let permission = store::Permission {
        participant: "BETE".parse().unwrap(),
        process: "erroneous-transfers".parse().unwrap(),
        contact_type: "initial-request".parse().unwrap(),
    };
    let rule = store::AlertRule { pace: store::AlertPace::Digest, whose: store::AlertsOf::All };
    let alerts = store::Alerts { times: vec![8 * 60], every: rule, processes: Vec::new() };
    let changes = vec![
        store::DirectoryChange::Grants { user: ann.id, add: vec![permission], remove: Vec::new() },
        store::DirectoryChange::GroupAlerts(crate::market::group("beta"), Some(alerts)),
    ];
    market.ledger.change_directory(&store::Actor::Tool, changes).await.unwrap();
    for number in 0..3 {
        let mail = QUESTION.replace("q1@", &format!("q{number}@"));
        market.write(&["et@beta.example"], &mail).await.unwrap();
    }
    let [digest] = market.jobs("alert digest").await.try_into().unwrap();
    market.ledger.retry_jobs(&store::Actor::Tool, &store::Selection::Job(digest.id)).await.unwrap();
    // Three notices to the mailbox, three receipts, one digest.
    let (messages, _, raw) = sent(&market, 7).await;
    let digest = of(&messages, "ann@beta.example");
    assert_eq!(digest.headline.subject, "3 cases are waiting for you");
    assert!(digest.text.contains("3  Erroneous Transfers"), "{}", digest.text);
    let (beta, process) = (crate::market::group("beta"), "erroneous-transfers".parse().unwrap());
    for case in market.ledger.cases(&beta, &process, None, 9).await.unwrap().cases {
        assert!(!digest.text.contains(&case.reference.to_string()), "{}", digest.text);
    }
    assert!(raw.iter().all(|raw| !raw.contains("1200023305967") && !raw.contains("Jones")));
}

#[tokio::test]
async fn a_company_has_a_phrase_in_its_letters_and_no_link() {
    let market = Market::sending().await;
    let style = store::NoticeStyle { phrase: Some("Green kettle on the roof".to_owned()), link_free: true };
    let beta = crate::market::group("beta");
    let change = vec![store::DirectoryChange::NoticeStyle(beta, style)];
    market.ledger.change_directory(&store::Actor::Tool, change).await.unwrap();
    market.write(&["et@beta.example"], QUESTION).await.unwrap();
    let (messages, _, _) = sent(&market, 2).await;
    let (notice, receipt) = (of(&messages, "et@beta.example"), of(&messages, "ann@alpha.example"));
    assert!(notice.text.contains("Green kettle on the roof"), "{}", notice.text);
    assert!(!notice.text.contains("portal.example"), "{}", notice.text);
    assert!(receipt.text.contains("https://portal.example/case/"), "another company's are as they were");
    assert!(!receipt.text.contains("kettle"));
}
