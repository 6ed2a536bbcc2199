//! Everything that a master administration user may try in order to be more than one is: nothing of it changes anything,
//! and each try is an event.

use store::{
    Act, Actor, ClientCertificate, Connector, DirectoryChange, Mailbox, MailboxAlerts, Role, UserState,
};

use crate::market::{Answer, Browser, Market};

const MAU: &str = "mau@beta.example";
const STEPS: [&str; 6] = ["invite", "suspend", "resume", "remove", "reset-link", "reset-factors"];

/// A form that is sent: where, and with what.
struct Try {
    path: String,
    fields: Vec<(&'static str, String)>,
}

fn a_try(path: impl Into<String>, fields: &[(&'static str, &str)]) -> Try {
    Try {
        path: path.into(),
        fields: fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
    }
}

impl Market {
    /// A mailbox, a certificate and a connector of Gamma, to be wished for.
    async fn with_gammas_things(self) -> Self {
        let gamma = || "gamma".parse().unwrap();
        let mailbox = Mailbox {
            address: "et@gamma.example".parse().unwrap(),
            group: gamma(),
            participant: "GAMA".parse().unwrap(),
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            alerts: MailboxAlerts::AtOnce,
        };
        let certificate = ClientCertificate {
            fingerprint: [0xab; 32],
            group: gamma(),
            name: "mail.gamma.example".into(),
            not_after: 1_900_000_000,
        };
        let connector = Connector {
            name: "gamma-office".into(),
            group: gamma(),
            provider: "exchange-online".into(),
            tenant_header: "X-Tenant".into(),
            tenant: "gamma".into(),
            secret_header: "X-Secret".into(),
            secret: [1; 32],
            active: true,
        };
        let changes = vec![
            DirectoryChange::Mailbox(mailbox),
            DirectoryChange::Certificate(certificate),
            DirectoryChange::Connector(connector),
        ];
        self.ledger.change_directory(&Actor::Tool, changes).await.unwrap();
        self
    }

    /// All that the tries are after, as text.
    async fn standing(&self) -> String {
        let directory = self.ledger.directory();
        let all = (
            directory.groups().collect::<Vec<_>>(),
            directory.participants().collect::<Vec<_>>(),
            directory.users().collect::<Vec<_>>(),
            directory.mailboxes().collect::<Vec<_>>(),
            directory.certificates().collect::<Vec<_>>(),
            directory.stages().count(),
            directory.connectors().map(|known| (&known.name, known.active)).collect::<Vec<_>>(),
        );
        format!("{all:?} {}", self.ledger.jobs().await.unwrap().len())
    }

    fn id(&self, email: &str) -> String {
        self.user(email).id.to_string()
    }
}

fn seen(page: &Answer) -> String {
    let text = page.text();
    text.split_once("name=\"seen\" value=\"")
        .map_or(String::new(), |(_, rest)| rest.split('"').next().unwrap_or_default().to_owned())
}

/// Steps with people who are not the own ones, or oneself.
fn steps(market: &Market) -> Vec<Try> {
    let strangers = ["gus@gamma.example", "mau@gamma.example", "com@alpha.example", "ope@alpha.example", MAU];
    let mut ids: Vec<_> = strangers.iter().map(|email| market.id(email)).collect();
    ids.extend(["0".repeat(26), "nobody".into()]);
    let tries = ids.iter().flat_map(|id| STEPS.map(|step| a_try(format!("/people/{id}/{step}"), &[])));
    tries.collect()
}

/// Roles and names.
async fn roles(market: &Market, mau: &mut Browser) -> Vec<Try> {
    let (own, sam) =
        (format!("/people/{}", market.id(MAU)), format!("/people/{}", market.id("sam@beta.example")));
    let (seen_own, seen_sam) = (seen(&mau.get(&own).await), seen(&mau.get(&sam).await));
    let gus = format!("/people/{}", market.id("gus@gamma.example"));
    vec![
        a_try(&own, &[("seen", &seen_own), ("name", "mau"), ("role", "compliance")]),
        a_try(&own, &[("seen", &seen_own), ("name", "mau"), ("role", "operator")]),
        a_try(&own, &[("seen", &seen_own), ("name", "mau"), ("role", "user")]),
        a_try(&sam, &[("seen", &seen_sam), ("name", "sam"), ("role", "operator")]),
        a_try(&sam, &[("seen", &seen_sam), ("name", "sam"), ("role", "OPERATOR")]),
        a_try(&gus, &[("name", "gus"), ("role", "user")]),
        a_try("/people/new", &[("email", "n@beta.example"), ("name", "N"), ("role", "operator")]),
        a_try("/people/new", &[("email", "n@beta.example"), ("name", "N"), ("role", "")]),
        a_try("/people/new", &[("email", "n@gamma.example"), ("name", "N"), ("role", "user")]),
        a_try("/people/new", &[("email", "gus@gamma.example"), ("name", "N"), ("role", "mau")]),
        a_try("/people/new", &[("email", "et@gamma.example"), ("name", "N"), ("role", "user")]),
    ]
}

/// Permissions of oneself, of strangers, for strangers' participants.
async fn permissions(market: &Market, mau: &mut Browser) -> Vec<Try> {
    let grid = |email: &str| format!("/people/{}/permissions", market.id(email));
    let (own, sam, gus) = (grid(MAU), grid("sam@beta.example"), grid("gus@gamma.example"));
    let (o, s) = (seen(&mau.get(&own).await), seen(&mau.get(&sam).await));
    let (sam_id, gus_id, own_id) =
        (market.id("sam@beta.example"), market.id("gus@gamma.example"), market.id(MAU));
    let et = "erroneous-transfers initial-request";
    let several = "/people/several";
    vec![
        a_try(&own, &[("seen", &o), ("participant", "BETA"), ("do", "everything")]),
        a_try(&own, &[("seen", &o), ("participant", "BETA"), ("do", "column"), ("rung", "initial-request")]),
        a_try(&own, &[("seen", &o), ("participant", "BETA"), ("do", "save"), ("box", et), ("end", "end")]),
        a_try(&own, &[("seen", &o), ("do", "copy-add"), ("colleague", &sam_id)]),
        a_try(&own, &[("seen", &o), ("do", "copy-replace"), ("colleague", &sam_id)]),
        a_try(&sam, &[("seen", &s), ("participant", "GAMA"), ("do", "everything")]),
        a_try(&sam, &[("seen", &s), ("participant", "GAMA"), ("do", "save"), ("box", et), ("end", "end")]),
        a_try(&sam, &[("seen", &s), ("participant", "NONE"), ("do", "nothing")]),
        a_try(&sam, &[("seen", &s), ("participant", "BETA"), ("do", "save"), ("box", "x y"), ("end", "end")]),
        a_try(&sam, &[("seen", &s), ("do", "copy-replace"), ("colleague", &gus_id)]),
        a_try(&gus, &[("participant", "BETA"), ("do", "everything")]),
        a_try(&gus, &[("participant", "GAMA"), ("do", "nothing")]),
        a_try(several, &[("person", &own_id), ("what", "BETA erroneous-transfers"), ("do", "give")]),
        a_try(several, &[("person", &gus_id), ("what", "GAMA erroneous-transfers"), ("do", "take")]),
        a_try(several, &[("person", &sam_id), ("what", "GAMA erroneous-transfers"), ("do", "give")]),
        a_try(several, &[("person", &sam_id), ("what", "BETA no-process"), ("do", "give")]),
        a_try(
            several,
            &[("person", &sam_id), ("person", &gus_id), ("what", "BETA crossed-meters"), ("do", "give")],
        ),
    ]
}

/// Mailboxes, certificates and connectors of another company.
fn mailboxes() -> Vec<Try> {
    let (gammas, betas) =
        ("GAMA erroneous-transfers initial-request", "BETA erroneous-transfers initial-request");
    let whole = "ab".repeat(32);
    vec![
        a_try("/mailboxes", &[("do", "map"), ("address", "et@gamma.example"), ("what", betas)]),
        a_try("/mailboxes", &[("do", "map"), ("address", "new@gamma.example"), ("what", betas)]),
        a_try("/mailboxes", &[("do", "map"), ("address", "gus@gamma.example"), ("what", betas)]),
        a_try("/mailboxes", &[("do", "map"), ("address", "new@beta.example"), ("what", gammas)]),
        a_try("/mailboxes", &[("do", "map"), ("address", "new@beta.example"), ("what", "BETA x y")]),
        a_try("/mailboxes", &[("do", "unmap"), ("address", "et@gamma.example")]),
        a_try("/mailboxes", &[("do", "unmap"), ("address", "nobody@beta.example")]),
        a_try("/mail/proof", &[("do", "remove"), ("certificate", &whole)]),
        a_try("/mail/proof", &[("do", "off"), ("connector", "gamma-office")]),
        a_try("/mail/proof", &[("do", "on"), ("connector", "no-such")]),
    ]
}

/// What is the operator's, and what is the compliance role's.
fn beyond_the_role() -> Vec<Try> {
    let first = [("do", "invite"), ("email", "x@beta.example"), ("person", "X")];
    let participant =
        [("do", "add"), ("mpid", "BETX"), ("participant", "X"), ("role", "gas-supplier"), ("fuel", "gas")];
    let moving = [("do", "move"), ("mpid", "GAMA"), ("to", "beta"), ("from", "2099-01-01")];
    let company = [
        ("id", "mine"),
        ("name", "Mine"),
        ("domains", "mine.example"),
        ("email", "x@mine.example"),
        ("person", "X"),
    ];
    vec![
        a_try("/market/groups/new", &company),
        a_try("/market/groups/beta", &[("name", "Beta"), ("domains", "gamma.example")]),
        a_try("/market/groups/gamma", &[("name", "Gone"), ("domains", "")]),
        a_try("/market/groups/beta/mau", &first),
        a_try("/market/groups/gamma/mau", &[("do", "take-back")]),
        a_try("/market/groups/beta/participants", &participant),
        a_try("/market/groups/gamma/participants", &moving),
        a_try("/market/groups/gamma/participants", &[("do", "remove"), ("mpid", "GAMA")]),
        a_try("/market/shadow/stage", &[("process", ""), ("to", "live")]),
    ]
}

#[tokio::test]
async fn no_try_of_a_master_administration_user_to_gain_more_succeeds_and_each_is_an_event() {
    let market = Market::new().await.with_gammas_things().await;
    let mut mau = market.signed_in(MAU).await;
    let mut tries = steps(&market);
    tries.extend(roles(&market, &mut mau).await);
    tries.extend(permissions(&market, &mut mau).await);
    tries.extend(mailboxes());
    tries.extend(beyond_the_role());
    assert!(tries.len() >= 60, "{}", tries.len());
    let token = mau.get("/people").await.token();
    let before = market.standing().await;
    for Try { path, fields } in &tries {
        let next = market.next_event().await;
        let mut all = vec![("token", token.as_str())];
        all.extend(fields.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = mau.post(path, &all).await;
        assert!(answer.status.is_client_error(), "{path} {fields:?}: {}", answer.status);
        assert_eq!(market.acts(next).await, [Act::ChangeRefused], "{path} {fields:?}");
        assert_eq!(market.standing().await, before, "{path} {fields:?}");
    }
    println!("{} tries, none of them succeeded", tries.len());
}

#[tokio::test]
async fn no_file_gains_more_either() {
    let market = Market::new().await;
    let mut mau = market.signed_in(MAU).await;
    let token = mau.get("/people/file").await.token();
    let before = market.standing().await;
    let permission = "address,participant,process,contact_type\n";
    for text in [
        "address,role\nmau@beta.example,compliance".to_owned(),
        "address,role\nmau@beta.example,user".to_owned(),
        "address,state\nmau@beta.example,suspended".to_owned(),
        "address,state\nMAU@BETA.example,removed".to_owned(),
        "address,name\ngus@gamma.example,Gus".to_owned(),
        "address,name,role\nnew@gamma.example,New,mau".to_owned(),
        "address,name,role\nope@alpha.example,Ope,mau".to_owned(),
        format!("{permission}mau@beta.example,BETA,erroneous-transfers,initial-request"),
        format!("{permission}sam@beta.example,,,\nmau@beta.example,BETA,debt-assignment,initial-request"),
    ] {
        let next = market.next_event().await;
        let part = |name: &str, value: &str| {
            format!("--x1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = format!("{}{}--x1--\r\n", part("token", &token), part("text", &text));
        let answer = mau.post_multipart("/people/file", body).await;
        assert!(answer.status.is_client_error(), "{text}");
        assert_eq!(market.acts(next).await, [Act::ChangeRefused], "{text}");
        let applied = mau.post("/people/file/apply", &[("token", &token), ("seen", "x")]).await;
        assert!(applied.location().contains("import-gone"), "{text}");
        assert_eq!(market.standing().await, before, "{text}");
    }
}

#[tokio::test]
async fn two_who_remove_each_other_at_once_leave_one() {
    let market = Market::new().await;
    let (kit, mau) = (market.user("kit@beta.example").id, market.user(MAU).id);
    let change = vec![DirectoryChange::RoleOf(kit, Role::Mau)];
    market.ledger.change_directory(&Actor::Tool, change).await.unwrap();
    let (mut one, mut other) = (market.signed_in(MAU).await, market.signed_in("kit@beta.example").await);
    let (kits, maus) = (format!("/people/{kit}"), format!("/people/{mau}"));
    let (kit_page, mau_page) = (one.get(&kits).await, other.get(&maus).await);
    let (first, second) = (kit_page.token(), mau_page.token());
    let (kit_seen, mau_seen) = (seen(&kit_page), seen(&mau_page));
    let (kits, maus) = (format!("{kits}/remove"), format!("{maus}/remove"));
    let one_fields = [("token", first.as_str()), ("seen", kit_seen.as_str())];
    let other_fields = [("token", second.as_str()), ("seen", mau_seen.as_str())];
    tokio::join!(one.post(&kits, &one_fields), other.post(&maus, &other_fields));
    let left = market.ledger.directory();
    let left = left.users().filter(|user| user.group.as_str() == "beta" && user.role == Role::Mau);
    assert_eq!(left.filter(|user| user.state == UserState::Confirmed).count(), 1);
}

#[tokio::test]
async fn who_is_removed_or_suspended_does_nothing_more() {
    for state in [UserState::Suspended, UserState::Removed] {
        let market = Market::new().await;
        let kit = market.user("kit@beta.example").id;
        let role = vec![DirectoryChange::RoleOf(kit, Role::Mau)];
        market.ledger.change_directory(&Actor::Tool, role).await.unwrap();
        let mut browser = market.signed_in("kit@beta.example").await;
        let token = browser.get("/people").await.token();
        let gone = match state {
            UserState::Removed => DirectoryChange::RemoveUser(kit),
            state => DirectoryChange::State(kit, state),
        };
        market.ledger.change_directory(&Actor::Tool, vec![gone]).await.unwrap();
        let before = market.standing().await;
        let fields = [("token", token.as_str()), ("email", "n@beta.example"), ("name", "N"), ("role", "mau")];
        let answer = browser.post("/people/new", &fields).await;
        assert_eq!(answer.location(), "/sign-in", "{state}");
        assert_eq!(market.standing().await, before, "{state}");
    }
}
