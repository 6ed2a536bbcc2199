//! Names in certificates, connectors and app passwords: each belongs to one, and can be taken away.

use super::*;
use crate::{AppPassword, AppPasswordId, Connector};

impl Market {
    async fn change(&self, change: DirectoryChange) -> Result<(), StoreError> {
        self.ledger.change_directory(&Actor::Tool, vec![change]).await
    }

    fn app_password(&self, name: &str) -> AppPassword {
        AppPassword {
            id: AppPasswordId::new(self.ledger.now()).unwrap(),
            user: self.reader,
            name: name.to_owned(),
            created_at: self.ledger.now(),
            stored_key: [1; 32],
            server_key: [2; 32],
        }
    }

    fn app_passwords(&self) -> Vec<String> {
        let directory = self.ledger.directory();
        directory.app_passwords(&self.reader).map(|password| password.name.clone()).collect()
    }
}

fn connector(name: &str, group: &str, tenant: &str) -> Connector {
    Connector {
        name: name.to_owned(),
        group: id(group),
        provider: "exchange-online".to_owned(),
        tenant_header: "X-Tenant".to_owned(),
        tenant: tenant.to_owned(),
        secret_header: "X-Secret".to_owned(),
        secret: [9; 32],
        active: true,
    }
}

#[tokio::test]
async fn a_name_in_a_certificate_is_one_groups() {
    for market in Market::everywhere().await {
        let named = |group: &str, name: &str| {
            let known = market.ledger.directory().group(&id(group)).unwrap().clone();
            DirectoryChange::Group(Group { certificate_name: Some(name.to_owned()), ..known })
        };
        market.change(named("alpha", "mail.alpha.example")).await.unwrap();
        market.change(named("alpha", "mail.alpha.example")).await.unwrap();
        let taken = market.change(named("beta", "MAIL.alpha.example")).await;
        assert!(matches!(taken, Err(StoreError::Denied(_))));
        let both = vec![named("beta", "mail.beta.example"), named("gamma", "mail.beta.example")];
        let both = market.ledger.change_directory(&Actor::Tool, both).await;
        assert!(matches!(both, Err(StoreError::Denied(_))));
        let directory = market.ledger.directory();
        assert_eq!(directory.group_of_certificate_name("Mail.Alpha.Example"), Some(&id("alpha")));
        assert_eq!(directory.group_of_certificate_name("mail.beta.example"), None);
    }
}

#[tokio::test]
async fn a_connector_and_its_tenant_are_one_groups() {
    for market in Market::everywhere().await {
        let set = |name: &str, group: &str, tenant: &str| {
            market.change(DirectoryChange::Connector(connector(name, group, tenant)))
        };
        set("m365", "alpha", "T-1").await.unwrap();
        for (name, group, tenant) in
            [("m365", "beta", "T-2"), ("other", "beta", "t-1"), ("new", "nobody", "T-3")]
        {
            assert!(matches!(set(name, group, tenant).await, Err(StoreError::Denied(_))), "{name}");
        }
        let of_tenant = |tenant: &str| {
            let directory = market.ledger.directory();
            directory.connector_of_tenant("exchange-online", tenant).map(|found| found.group.clone())
        };
        assert_eq!(of_tenant("t-1"), Some(id("alpha")));
        let off = Connector { active: false, ..connector("m365", "alpha", "T-1") };
        market.change(DirectoryChange::Connector(off)).await.unwrap();
        assert_eq!(of_tenant("T-1"), None);
        market.change(DirectoryChange::RemoveConnector("m365".to_owned())).await.unwrap();
        set("other", "beta", "T-1").await.unwrap();
        assert_eq!(of_tenant("T-1"), Some(id("beta")));
        assert_eq!(
            (market.count(Act::ConnectorSet).await, market.count(Act::ConnectorRemoved).await),
            (3, 1)
        );
        let everything = market.everything().await;
        assert!(
            !everything.is_empty() && format!("{:?}", connector("a", "b", "c")).find("secret: [").is_none()
        );
    }
}

#[tokio::test]
async fn app_passwords_are_named_few_and_revocable() {
    for market in Market::everywhere().await {
        let add = |password| market.change(DirectoryChange::AppPassword(password));
        let phone = market.app_password("phone");
        assert!(matches!(add(phone.clone()).await, Err(StoreError::Denied(_))), "no salt yet");
        let actor = Actor::User(market.reader);
        let salt = market.ledger.scram_salt(&actor, market.reader).await.unwrap();
        assert_eq!(market.ledger.scram_salt(&actor, market.reader).await.unwrap(), salt);
        let other = market.change(DirectoryChange::ScramSalt(market.reader, [0; 16])).await;
        assert!(matches!(other, Err(StoreError::Denied(_))));
        add(phone.clone()).await.unwrap();
        assert!(matches!(add(market.app_password("phone")).await, Err(StoreError::Denied(_))));
        for number in 1..20 {
            add(market.app_password(&format!("device {number}"))).await.unwrap();
        }
        assert!(matches!(add(market.app_password("one more")).await, Err(StoreError::Denied(_))));
        assert_eq!(market.app_passwords().len(), 20);
        market.change(DirectoryChange::RemoveAppPassword(market.reader, phone.id)).await.unwrap();
        assert!(!market.app_passwords().contains(&"phone".to_owned()));
        let bo = market.ledger.directory().user(&market.reader).unwrap().clone();
        assert_eq!(bo.scram_salt, Some(salt));
        market
            .change(DirectoryChange::User(User { state: UserState::Suspended, ..bo.clone() }))
            .await
            .unwrap();
        assert!(market.app_passwords().is_empty(), "a disabled user's are dead");
        market.change(DirectoryChange::User(bo)).await.unwrap();
        assert_eq!(market.app_passwords().len(), 19);
        market.change(DirectoryChange::RemoveUser(market.reader)).await.unwrap();
        assert!(market.rows(Table::AppPassword).await.is_empty());
        assert_eq!(market.count(Act::AppPasswordAdded).await, 20);
        assert_eq!(market.count(Act::AppPasswordRemoved).await, 1);
    }
}
