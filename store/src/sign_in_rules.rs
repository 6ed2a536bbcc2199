//! How a group's people sign in, as its master administration user has set it. One row for each group, read when somebody
//! signs in; a group without a row goes by what the operator has set for all.

use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    directory::Role,
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// What a group has set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct SignInRules {
    #[n(0)]
    pub second_step: Option<SecondStepRule>,
}

/// Who of a group needs a second step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SecondStepRule {
    #[n(0)]
    Everybody,
    /// Who has set one up.
    #[n(1)]
    OwnChoice,
}

/// Who needs a second step where a group has set nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondStepDefault {
    /// Who was invited, and who has set one up: who was there before this release goes on as before.
    #[default]
    Invited,
    Everybody,
}

impl SecondStepRule {
    /// `everybody`, as events and forms call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everybody => "everybody",
            Self::OwnChoice => "own-choice",
        }
    }
}

impl SignInRules {
    /// Whether somebody of the group needs a second step; `invited` says that the user was asked for one by invitation.
    pub fn need_second_step(&self, default: SecondStepDefault, invited: bool) -> bool {
        match (self.second_step, default) {
            (Some(SecondStepRule::Everybody), _) | (None, SecondStepDefault::Everybody) => true,
            (Some(SecondStepRule::OwnChoice), _) => false,
            (None, SecondStepDefault::Invited) => invited,
        }
    }
}

impl Ledger {
    pub async fn sign_in_rules(&self, group: &GroupId) -> Result<SignInRules, StoreError> {
        self.sign_in_rules_row(group).await.map(|(rules, _)| rules)
    }

    /// From the next sign-in on the group's people need a second step, or none; `None`: back to what holds for all.
    ///
    /// # Errors
    /// `Denied` for everybody but the group's own master administration users, and the tool of who has the machine.
    pub async fn set_second_step_rule(
        &self,
        actor: &Actor,
        group: &GroupId,
        rule: Option<SecondStepRule>,
    ) -> Result<(), StoreError> {
        let name = rule.map_or("default", SecondStepRule::as_str);
        self.change_sign_in_rules(actor, group, (Act::SecondStepRuleSet, name), |rules| {
            rules.second_step = rule
        })
        .await
    }

    async fn change_sign_in_rules(
        &self,
        actor: &Actor,
        group: &GroupId,
        (act, name): (Act, &str),
        change: impl Fn(&mut SignInRules),
    ) -> Result<(), StoreError> {
        loop {
            self.may_rule_sign_in(actor, group)?;
            let (mut rules, version) = self.sign_in_rules_row(group).await?;
            change(&mut rules);
            let mut event = Event::new(self.now(), actor.clone(), act).group(group);
            event.name = Some(name.to_owned());
            let changes = Changeset {
                require: vec![(rules_key(group), version)],
                put: vec![(rules_key(group), records::encode(&rules)?)],
                append: vec![event.to_bytes()?],
                ..Changeset::default()
            };
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    fn may_rule_sign_in(&self, actor: &Actor, group: &GroupId) -> Result<(), StoreError> {
        let directory = self.directory();
        let may = match actor {
            Actor::Tool => directory.group(group).is_some(),
            Actor::User(user) => directory
                .user(user)
                .is_some_and(|user| user.group == *group && user.role == Role::Mau && user.is_active()),
            _ => false,
        };
        let refused = || format!("only a master administration user of {group} sets how its people sign in");
        if may { Ok(()) } else { Err(StoreError::Denied(refused())) }
    }

    async fn sign_in_rules_row(&self, group: &GroupId) -> Result<(SignInRules, Option<u64>), StoreError> {
        match self.row(rules_key(group)).await? {
            Some(row) => Ok((records::decode(&row.value)?, Some(row.version))),
            None => Ok((SignInRules::default(), None)),
        }
    }
}

fn rules_key(group: &GroupId) -> Vec<u8> {
    Key::of(Table::SignInRules).text(group.as_str()).done()
}
