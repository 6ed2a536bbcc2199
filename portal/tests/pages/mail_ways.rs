//! The page about a company's mail: for its master administration user, and about that company alone.

use axum::http::StatusCode;
use jiff::ToSpan;
use store::{
    Act, Actor, ClientCertificate, Connector, DirectoryChange, Mailbox, MailboxAlerts, PollReport,
    PollStanding, Returned, TaskKind,
};

use crate::market::Market;

const SECRET: [u8; 32] = [0x5a; 32];

async fn equip(market: &Market) {
    let now = market.ledger.now();
    let alpha = |text: &str| text.replace("COMPANY", "alpha");
    let certificate = |company: &str, days: i64, name: &str| {
        DirectoryChange::Certificate(ClientCertificate {
            fingerprint: certs::sha256(name.as_bytes()),
            group: company.parse().unwrap(),
            name: name.into(),
            not_after: now.checked_add((days * 24 - 1).hours()).unwrap().as_second(),
        })
    };
    let connector = |company: &str, name: &str| {
        DirectoryChange::Connector(Connector {
            name: name.into(),
            group: company.parse().unwrap(),
            provider: "exchange-online".into(),
            tenant_header: "X-Tenant".into(),
            tenant: format!("tenant-of-{company}"),
            secret_header: "X-Hidden-Header".into(),
            secret: SECRET,
            active: true,
        })
    };
    let mailbox = |company: &str, mpid: &str, alerts| {
        DirectoryChange::Mailbox(Mailbox {
            address: format!("et@{company}.example").parse().unwrap(),
            group: company.parse().unwrap(),
            participant: mpid.parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            alerts,
        })
    };
    let changes = vec![
        certificate("alpha", 6, "old.alpha.example"),
        certificate("alpha", 400, "<i>new</i>.alpha.example"),
        certificate("beta", 6, "old.beta.example"),
        connector("alpha", &alpha("COMPANY-office")),
        connector("beta", "beta-office"),
        mailbox("alpha", "ALFA", MailboxAlerts::Digest(vec![540, 960])),
        mailbox("beta", "BETA", MailboxAlerts::AtOnce),
    ];
    market.ledger.change_directory(&Actor::Tool, changes).await.unwrap();
    for (group, name, standing, error) in [
        ("alpha", "disputes", PollStanding::Stopped, Some("the password was refused <script>")),
        ("alpha", "transfers", PollStanding::Running, Some("an old error")),
        ("beta", "hidden-from-alpha", PollStanding::Running, None),
    ] {
        let report = PollReport {
            name: name.into(),
            group: group.parse().unwrap(),
            standing,
            since: now,
            taken: 1_204,
            left: 7,
            last_taken_at: None,
            last_error: error.map(Into::into),
        };
        market.ledger.save_poll(None, &report).await.unwrap();
    }
}

#[tokio::test]
async fn it_shows_the_own_ways_and_no_secret() {
    let market = Market::new().await;
    equip(&market).await;
    let mut mau = market.signed_in("mau@alpha.example").await;
    assert!(mau.get("/").await.text().contains("href=\"/mail\""));
    let page = mau.get("/mail").await.without_our_script();
    for words in [
        "old.alpha.example",
        "Ends within 7 days",
        "&lt;i&gt;new&lt;/i&gt;.alpha.example",
        "alpha-office",
        "tenant-of-alpha",
        "et@alpha.example",
        "daily at 09:00 and 16:00",
        "disputes",
        "Stopped",
        "the password was refused &lt;script&gt;",
        "1204",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    for gone in
        ["beta", "hidden-from-alpha", "X-Hidden-Header", "5a5a5a", "<script", "an old error", "<i>new"]
    {
        assert!(!page.contains(gone), "{gone}");
    }
}

#[tokio::test]
async fn for_everybody_else_there_is_no_such_page() {
    let market = Market::new().await;
    let task = market.raise_task("alpha").await;
    let done = format!("/mail/task/{task}/done");
    for email in ["ali@alpha.example", "com@alpha.example", "ope@alpha.example", "gus@gamma.example"] {
        let mut browser = market.signed_in(email).await;
        let home = browser.get("/").await;
        assert!(!home.text().contains("href=\"/mail\""), "{email}");
        let absent = browser.get("/no/such/page").await;
        let page = browser.get("/mail").await;
        assert_eq!((page.status, &page.body), (StatusCode::NOT_FOUND, &absent.body), "{email}");
        let refused = browser.post(&done, &[("token", &home.token())]).await;
        assert_eq!((refused.status, refused.body), (StatusCode::NOT_FOUND, absent.body), "{email}");
    }
    // Another company's master administration user has a page, and no way to this task.
    let mut foreign = market.signed_in("mau@beta.example").await;
    let page = foreign.get("/mail").await;
    assert!(page.status == StatusCode::OK && !page.text().contains(&task));
    let token = foreign.get("/account").await.token();
    assert_eq!(foreign.post(&done, &[("token", &token)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(market.ledger.tasks(Some(&"alpha".parse().unwrap())).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_task_is_closed_by_its_button() {
    let market = Market::new().await;
    let mut mau = market.signed_in("mau@alpha.example").await;
    assert!(mau.get("/mail").await.text().contains("appear here"));
    let task = market.raise_task("alpha").await;
    market.raise_task("alpha").await;
    let page = mau.get("/mail").await;
    for words in
        ["et@alpha.example comes back: there is no such mailbox (status 5.1.1)", "2 times, the last on"]
    {
        assert!(page.text().contains(words), "{words}");
    }
    let done = format!("/mail/task/{task}/done");
    let next = market.next_event().await;
    assert_eq!(mau.get(&done).await.status, StatusCode::NOT_FOUND, "GET changes nothing");
    let answer = mau.post(&done, &[("token", &page.token())]).await;
    assert_eq!(market.acts(next).await, [Act::TaskClosed]);
    let page = mau.get(answer.location()).await.text();
    assert!(page.contains("Should it happen again, it comes back.") && !page.contains("status 5.1.1"));
    let token = mau.get("/account").await.token();
    assert_eq!(mau.post(&done, &[("token", &token)]).await.status, StatusCode::NOT_FOUND, "once");
}

#[tokio::test]
async fn tasks_go_on_on_further_pages() {
    let market = Market::new().await;
    let alpha = "alpha".parse().unwrap();
    for number in 0..110 {
        let kind = TaskKind::PollingStopped { mailbox: format!("box-{number:03}") };
        market.ledger.raise_task(&Actor::Gateway, Some(&alpha), kind, None).await.unwrap();
    }
    market.ledger.raise_task(&Actor::Gateway, Some(&alpha), TaskKind::MailHeld, None).await.unwrap();
    let mut mau = market.signed_in("mau@alpha.example").await;
    let (mut path, mut seen) = (Some("/mail".to_owned()), Vec::new());
    while let Some(here) = path {
        let page = mau.get(&here).await.text().replace("&#x3D;", "=");
        let shown = (0..110).filter(|number| page.contains(&format!("The mailbox box-{number:03} ")));
        seen.push(shown.collect::<Vec<_>>());
        assert_eq!(page.contains("Back to the oldest"), seen.len() > 1);
        path = page
            .split("href=\"/mail?after=")
            .nth(1)
            .map(|rest| format!("/mail?after={}", rest.split('"').next().unwrap()));
    }
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [50, 50, 10]);
    let mut all = seen.concat();
    all.sort_unstable();
    assert_eq!(all, (0..110).collect::<Vec<_>>(), "each once");
}

#[tokio::test]
async fn every_kind_of_task_is_told_and_leads_only_where_one_may_go() {
    let market = Market::new().await;
    let sent = market.send(&crate::market::rich_mail()).await;
    market.comes_back(Returned::Failed("5.2.2".into())).await;
    let beta = "beta".parse().unwrap();
    let address = || "et@beta.example".parse().unwrap();
    for kind in [
        TaskKind::NoticeGivenUp { address: address() },
        TaskKind::MailGivenUp { kind: "receipt".into(), address: address() },
        TaskKind::PollingStopped { mailbox: "legacy".into() },
        TaskKind::CertificateExpires { name: "mail.beta.example".into() },
        TaskKind::DomainGivenUp { kind: "relay".into(), domain: "far.example".into() },
        TaskKind::MailHeld,
        TaskKind::StoppedAtDoor { kind: "notice".into(), found: "mpan 1".into() },
    ] {
        market.ledger.raise_task(&Actor::Gateway, Some(&beta), kind, None).await.unwrap();
    }
    let page = market.signed_in("mau@beta.example").await.get("/mail").await.text();
    for words in [
        "the mailbox is full (status 5.2.2)",
        "Notices to et@beta.example could not be delivered",
        "stopped before it left (notice): it held what looks like personal data (mpan 1)",
        "(receipt)",
        "The mailbox legacy is not polled any more",
        "The certificate mail.beta.example ends soon",
        "Mail to addresses at far.example could not be delivered (relay)",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("waits for a decision"), "that is the compliance role's");
    assert!(!page.contains(&sent.case), "no permission, no link");
}
