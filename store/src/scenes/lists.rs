//! Lists and counts of cases: equal to what a look at every case gives, after any history; whole, for data of an earlier
//! release; and silent about what the reader has no permission for.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{
    Case, CaseCounts, CaseFilter, CaseOrder, CaseReason, CaseState, DueFilter, Escalation, ListWishes, Owed,
    OwnerFilter, Permission, SavedFilter, lists, records,
};

/// A small generator of numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.roll(things.len())]
    }
}

const GROUPS: [(&str, &str); 3] = [("alpha", "ALPH"), ("beta", "BETA"), ("gamma", "GAMM")];
const PROCESSES: [&str; 2] = ["erroneous-transfers", "disputed-readings"];
const RUNGS: [&str; 3] = ["initial-request", "escalation-1", "escalation-2"];

/// A market in which things happen by chance.
struct History {
    market: Market,
    dice: Dice,
    cases: Vec<CaseId>,
    users: BTreeMap<&'static str, Vec<UserId>>,
    /// What has been counted so far: a test of counts that are all zero shows nothing.
    counted: [u64; 6],
}

impl History {
    async fn begin(market: Market, seed: u64) -> Self {
        let mut users: BTreeMap<&'static str, Vec<UserId>> = BTreeMap::new();
        for (group, _) in GROUPS {
            for name in ["one", "two"] {
                users.entry(group).or_default().push(market.hire(group, name).await);
            }
        }
        Self { market, dice: Dice(seed), cases: Vec::new(), users, counted: [0; 6] }
    }

    /// Something happens; what is refused has not happened.
    async fn step(&mut self) {
        self.market.pass(SignedDuration::from_secs(1 + i64::try_from(self.dice.roll(40_000)).unwrap()));
        if self.cases.is_empty() || self.dice.roll(4) == 0 {
            self.open().await;
            return;
        }
        let case = *self.dice.of(&self.cases);
        let known = self.market.ledger.case(case).await.unwrap().unwrap();
        let group = self.dice.of(&known.sides).group.clone();
        let actor = Actor::User(self.market.reader);
        let ledger = &self.market.ledger;
        match self.dice.roll(8) {
            0 | 1 => drop(self.write(case, group.as_str()).await),
            2 | 3 => {
                let users = &self.users[group.as_str()];
                let owner = (self.dice.roll(3) > 0).then(|| *self.dice.of(users));
                let seen = known.side(&group).unwrap().owner;
                let _ = ledger.assign(&actor, case, &group, seen, owner).await;
            }
            4 => {
                let seen = known.contact_type.clone();
                let next = RUNGS.iter().position(|rung| *rung == seen.as_str()).unwrap() + 1;
                if let Some(next) = RUNGS.get(next) {
                    let deadline = self.market.deadline();
                    let escalation =
                        Escalation { seen, next: next.parse().unwrap(), deadline, stated: Vec::new() };
                    let _ = ledger.escalate(&actor, case, &group, &escalation).await;
                }
            }
            5 => drop(ledger.close_case(&actor, case, &group, CaseReason::Settled).await),
            6 => drop(ledger.reopen_case(&actor, case, &group, CaseReason::NewFacts).await),
            _ => {
                let outcome = if self.dice.roll(2) == 0 {
                    Outcome::Abandoned("550 no such mailbox".to_owned())
                } else {
                    Outcome::Done
                };
                self.market.finish_all(outcome).await;
                drop(self.market.read(case, group.as_str()).await);
            }
        }
    }

    async fn open(&mut self) {
        let from = self.dice.roll(GROUPS.len());
        let to = (from + 1 + self.dice.roll(GROUPS.len() - 1)) % GROUPS.len();
        let party = |(group, mpid): (&str, &str)| Party {
            group: id(group),
            participant: mpid.parse().unwrap(),
            contact: address(&format!("et@{group}.example")),
        };
        let hours = i64::try_from(1 + self.dice.roll(300)).unwrap();
        let at = self.market.ledger.now().saturating_add(SignedDuration::from_hours(hours)).unwrap();
        let opening = Opening {
            process: self.dice.of(&PROCESSES).parse().unwrap(),
            contact_type: self.dice.of(&RUNGS[..2]).parse().unwrap(),
            initiator: party(GROUPS[from]),
            responder: party(GROUPS[to]),
            deadline: Deadline { at, reason: "some working days".to_owned(), reckoning: None, warn_at: None },
        };
        let entry = Entry { sources: vec![self.source()], ..tagged(Place::Open(opening), 0) };
        let case = self.send(GROUPS[from].0, entry).await.unwrap();
        self.cases.push(case);
    }

    async fn write(&mut self, case: CaseId, from: &str) -> Result<CaseId, StoreError> {
        let entry = Entry { sources: vec![self.source()], ..tagged(self.market.joining(case), 0) };
        self.send(from, entry).await
    }

    async fn send(&mut self, from: &str, entry: Entry) -> Result<CaseId, StoreError> {
        let content = self.market.sealed(b"words").await;
        let mail = self.market.acceptance(content, 0, vec![entry]);
        let automatic = self.dice.roll(5) == 0;
        let mail = Acceptance { from_group: id(from), automatic, message_id: None, ..mail };
        Ok(self.market.ledger.accept(mail).await?.cases[0].id)
    }

    fn source(&mut self) -> [u8; 32] {
        std::array::from_fn(|_| u8::try_from(self.dice.roll(256)).unwrap())
    }

    /// A question about cases, and who asks it.
    fn question(&mut self) -> (&'static str, Vec<Permission>, CaseFilter, CaseOrder) {
        let (group, mpid) = *self.dice.of(&GROUPS);
        let mut permissions = Vec::new();
        for (process, rung) in PROCESSES.iter().flat_map(|process| RUNGS.map(|rung| (process, rung))) {
            if self.dice.roll(3) > 0 {
                permissions.push(permission(mpid, process, rung));
            }
        }
        let now = self.market.ledger.now();
        let near = |dice: &mut Dice| {
            let hours = i64::try_from(dice.roll(400)).unwrap() - 200;
            Some(now.saturating_add(SignedDuration::from_hours(hours)).unwrap()).filter(|_| hours % 3 != 0)
        };
        let states = match self.dice.roll(3) {
            0 => Vec::new(),
            _ => CaseState::ALL.into_iter().filter(|_| self.dice.roll(2) == 0).collect(),
        };
        let owner = match self.dice.roll(3) {
            0 => OwnerFilter::Anybody,
            1 => OwnerFilter::Nobody,
            _ => OwnerFilter::User(*self.dice.of(&self.users[group])),
        };
        let due = (self.dice.roll(3) == 0).then(|| DueFilter {
            owed: *self.dice.of(&[Owed::ByUs, Owed::ByThem]),
            after: near(&mut self.dice),
            until: near(&mut self.dice),
        });
        let filter = CaseFilter {
            states,
            owner,
            due,
            counterparty: (self.dice.roll(3) == 0).then(|| id(self.dice.of(&GROUPS).0)),
            opened_from: near(&mut self.dice).filter(|_| self.dice.roll(3) == 0),
            opened_before: near(&mut self.dice).filter(|_| self.dice.roll(3) == 0),
            undelivered: self.dice.roll(6) == 0,
        };
        let order = *self.dice.of(&[CaseOrder::LastMessage, CaseOrder::Due, CaseOrder::Opened]);
        (group, permissions, filter, order)
    }

    fn note(&mut self, counts: &CaseCounts) {
        let CaseCounts { unowned, own, undelivered, overdue, due_today, escalation_open, .. } = *counts;
        let counts = [unowned, own, undelivered, overdue, due_today, escalation_open];
        self.counted.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }

    /// Every case as it stands in the ledger.
    async fn all(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for case in &self.cases {
            cases.push(self.market.ledger.case(*case).await.unwrap().unwrap());
        }
        cases
    }
}

impl Market {
    async fn hire(&self, group: &str, name: &str) -> UserId {
        let user = UserId::new(self.ledger.now()).unwrap();
        let hired = User {
            id: user,
            email: address(&format!("{name}@{group}.example")),
            group: id(group),
            name: name.to_owned(),
            ..self.ledger.directory().user(&self.reader).unwrap().clone()
        };
        self.ledger.change_directory(&Actor::Tool, vec![DirectoryChange::User(hired)]).await.unwrap();
        user
    }

    async fn whole_list(
        &self,
        group: &str,
        permissions: &[Permission],
        filter: &CaseFilter,
        order: CaseOrder,
    ) -> Vec<CaseId> {
        let (mut found, mut after, group) = (Vec::new(), None::<String>, id(group));
        loop {
            let page = self.ledger.list_cases(&group, permissions, filter, order, after.as_deref(), 7);
            let page = page.await.unwrap();
            assert!(page.cases.len() <= 7);
            found.extend(page.cases.iter().map(|case| case.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    }
}

fn permission(mpid: &str, process: &str, rung: &str) -> Permission {
    Permission {
        participant: mpid.parse().unwrap(),
        process: process.parse().unwrap(),
        contact_type: rung.parse().unwrap(),
    }
}

fn every_permission(mpid: &str) -> Vec<Permission> {
    let pairs = PROCESSES.iter().flat_map(|process| RUNGS.map(|rung| (process, rung)));
    pairs.map(|(process, rung)| permission(mpid, process, rung)).collect()
}

fn is_ended(case: &Case, group: &GroupId) -> bool {
    matches!(case.state(group), CaseState::Closed | CaseState::Archived)
}

/// Whether it is the reader's and meant, told from the case alone.
fn belongs(case: &Case, group: &str, permissions: &[Permission], filter: &CaseFilter) -> bool {
    let group = id(group);
    let Some(side) = case.side(&group) else { return false };
    let held = permission(side.participant.as_str(), case.process.as_str(), case.contact_type.as_str());
    let ended = is_ended(case, &group);
    permissions.contains(&held)
        && (filter.states.is_empty() || filter.states.contains(&case.state(&group)))
        && match filter.owner {
            OwnerFilter::Anybody => true,
            OwnerFilter::Nobody => side.owner.is_none(),
            OwnerFilter::User(user) => side.owner == Some(user),
        }
        && filter.due.is_none_or(|wanted| {
            let due = case.due.as_ref().filter(|_| !ended);
            due.is_some_and(|due| {
                (due.side == group) == (wanted.owed == Owed::ByUs)
                    && wanted.after.is_none_or(|after| due.at > after)
                    && wanted.until.is_none_or(|until| due.at <= until)
            })
        })
        && filter.counterparty.as_ref().is_none_or(|other| *other != group && case.side(other).is_some())
        && filter.opened_from.is_none_or(|from| case.opened_at >= from)
        && filter.opened_before.is_none_or(|before| case.opened_at < before)
        && (!filter.undelivered || !ended && case.sides.iter().any(|side| side.undelivered.is_some()))
}

fn in_order(mut cases: Vec<&Case>, filter: &CaseFilter, order: CaseOrder) -> Vec<CaseId> {
    let by = if filter.due.is_some() { CaseOrder::Due } else { order };
    match by {
        CaseOrder::LastMessage => {
            cases.sort_by_key(|case| (std::cmp::Reverse(case.last_message_at), case.id))
        }
        CaseOrder::Opened => cases.sort_by_key(|case| (std::cmp::Reverse(case.opened_at), case.id)),
        CaseOrder::Due => {
            cases.retain(|case| case.due.is_some() && case.ended.is_none());
            cases.sort_by_key(|case| (case.due.as_ref().unwrap().at, case.id));
        }
    }
    cases.iter().map(|case| case.id).collect()
}

/// What the counters must say.
fn recount(
    cases: &[Case],
    group: &str,
    permissions: &[Permission],
    user: UserId,
    (now, midnight): (Timestamp, Timestamp),
) -> CaseCounts {
    let own = id(group);
    let mut counts = CaseCounts::default();
    for case in cases.iter().filter(|case| belongs(case, group, permissions, &CaseFilter::default())) {
        let state = case.state(&own);
        counts.states[CaseState::ALL.iter().position(|known| *known == state).unwrap()] += 1;
        if is_ended(case, &own) {
            continue;
        }
        let owner = case.side(&own).unwrap().owner;
        counts.unowned += u64::from(owner.is_none());
        counts.own += u64::from(owner == Some(user));
        counts.undelivered += u64::from(case.sides.iter().any(|side| side.undelivered.is_some()));
        let Some(due) = &case.due else { continue };
        match due.side == own {
            true if due.at <= now => counts.overdue += 1,
            true if due.at <= midnight => counts.due_today += 1,
            true => {}
            false if due.at <= now && case.contact_type.as_str() != "escalation-2" => {
                counts.escalation_open += 1;
            }
            false => {}
        }
    }
    counts
}

async fn holds_up(history: &mut History) {
    let cases = history.all().await;
    let mut rows = BTreeSet::new();
    let mut counters: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for case in &cases {
        rows.extend(lists::rows(case).unwrap());
        lists::counters(case).into_iter().for_each(|key| *counters.entry(key).or_default() += 1);
    }
    let mut written = BTreeSet::new();
    for table in [
        Table::CaseList,
        Table::CasesByMessage,
        Table::CasesByOwner,
        Table::CasesByDue,
        Table::CasesByOpening,
        Table::CasesByCounterparty,
    ] {
        written.extend(history.market.rows(table).await.into_iter().map(|(key, row)| (key, row.value)));
    }
    assert_eq!(written, rows, "each list holds what is, and nothing else");
    let counted = history.market.rows(Table::CaseCount).await.into_iter();
    let counted: BTreeMap<_, _> = counted
        .map(|(key, row)| (key, i64::from_be_bytes(row.value[..].try_into().unwrap())))
        .filter(|(_, count)| *count != 0)
        .collect();
    assert_eq!(counted, counters);
    for _ in 0..40 {
        let (group, permissions, filter, order) = history.question();
        let user = *history.dice.of(&history.users[group]);
        let meant: Vec<_> = cases.iter().filter(|case| belongs(case, group, &permissions, &filter)).collect();
        let listed = history.market.whole_list(group, &permissions, &filter, order).await;
        assert_eq!(listed, in_order(meant, &filter, order), "{group} {filter:?} {order:?}");
        let now = history.market.ledger.now();
        let midnight = "2026-06-01T23:00:00Z".parse::<Timestamp>().unwrap();
        let day = SignedDuration::from_hours(24);
        let days = now.duration_since(midnight).as_secs().div_euclid(day.as_secs()) + 1;
        let midnight = midnight.saturating_add(day * i32::try_from(days).unwrap()).unwrap();
        let climbs = |permission: &Permission| permission.contact_type.as_str() != "escalation-2";
        let (ledger, own) = (&history.market.ledger, id(group));
        let counts = ledger.count_cases(&own, &permissions, climbs, user, midnight).await.unwrap();
        history.note(&counts);
        assert_eq!(counts, recount(&cases, group, &permissions, user, (now, midnight)));
    }
}

#[tokio::test]
async fn lists_and_counts_are_what_a_look_at_every_case_gives_after_two_thousand_steps() {
    for (market, seed) in Market::everywhere().await.into_iter().zip(1..) {
        let mut history = History::begin(market, seed).await;
        for step in 1..=2_000 {
            history.step().await;
            if step % 500 == 0 {
                holds_up(&mut history).await;
            }
        }
        history.market.pass(SignedDuration::from_hours(24 * 60));
        holds_up(&mut history).await;
        assert!(history.market.ledger.sweep_case_counts().await.unwrap() > 0, "days that count nothing go");
        assert_eq!(history.market.ledger.sweep_case_counts().await.unwrap(), 0);
        holds_up(&mut history).await;
        assert!(history.counted.iter().all(|count| *count > 0), "{:?}", history.counted);
    }
}

/// Turns a ledger into what the release before the lists would have left.
async fn forget_lists(history: &History) {
    let mut changes = crate::engine::Changeset::default();
    for table in [
        Table::CasesByMessage,
        Table::CasesByOwner,
        Table::CasesByDue,
        Table::CasesByOpening,
        Table::CasesByCounterparty,
        Table::CaseCount,
        Table::ListsMade,
    ] {
        changes.delete.extend(history.market.rows(table).await.into_iter().map(|(key, _)| key));
    }
    for mut case in history.all().await {
        case.lists = 0;
        changes.put.extend(case.old_list_keys().map(|key| (key, records::encode(&()).unwrap())));
        changes.put.push((crate::cases::case_key(case.id), records::encode(&case).unwrap()));
    }
    history.market.engine.commit(changes).await.unwrap();
}

#[tokio::test]
async fn cases_of_an_earlier_release_are_put_into_the_lists() {
    for (market, seed) in Market::everywhere().await.into_iter().zip(100..) {
        let mut history = History::begin(market, seed).await;
        for _ in 0..900 {
            history.step().await;
        }
        forget_lists(&history).await;
        history.market.ledger = history.market.after_a_kill().await;
        assert!(!history.market.ledger.lists_are_made().await.unwrap());
        // What changes before its turn is listed at once, and counted once.
        for _ in 0..60 {
            history.step().await;
        }
        let unlisted = history.all().await.iter().filter(|case| case.lists == 0).count();
        let moved = history.market.ledger.make_lists().await.unwrap();
        assert_eq!(moved, u64::try_from(unlisted).unwrap());
        assert!(history.market.ledger.lists_are_made().await.unwrap());
        assert_eq!(history.market.ledger.make_lists().await.unwrap(), 0);
        holds_up(&mut history).await;
        let after = history.market.after_a_kill().await;
        assert!(after.lists_are_made().await.unwrap());
    }
}

#[tokio::test]
async fn a_ledger_that_is_new_has_its_lists() {
    let market = Market::open().await;
    assert!(market.ledger.lists_are_made().await.unwrap());
}

#[tokio::test]
async fn a_page_cut_off_by_the_budget_says_where_to_go_on_and_every_case_is_found() {
    let market = Market::open().await;
    let user = market.hire("beta", "one").await;
    let oldest = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
    let beta = id("beta");
    market.ledger.assign(&Actor::User(user), oldest, &beta, None, Some(user)).await.unwrap();
    let case = market.ledger.case(oldest).await.unwrap().unwrap();
    for _ in 0..12 {
        let mut changes = crate::engine::Changeset::default();
        for _ in 0..100 {
            market.pass(SignedDuration::from_secs(1));
            let mut copy = case.clone();
            (copy.id, copy.opened_at) = (CaseId::new(market.ledger.now()).unwrap(), market.ledger.now());
            copy.sides.iter_mut().for_each(|side| side.owner = None);
            crate::case_row::write_case(None, &copy, &mut changes).unwrap();
        }
        market.engine.commit(changes).await.unwrap();
    }
    let permissions = every_permission("BETA");
    let filter = CaseFilter { owner: OwnerFilter::User(user), ..CaseFilter::default() };
    let ledger = &market.ledger;
    let first = ledger.list_cases(&beta, &permissions, &filter, CaseOrder::Opened, None, 7).await.unwrap();
    assert!(first.cases.is_empty() && first.next.is_some(), "the budget was spent");
    assert_eq!(market.whole_list("beta", &permissions, &filter, CaseOrder::Opened).await, [oldest]);
    let quick =
        ledger.list_cases(&beta, &permissions, &filter, CaseOrder::LastMessage, None, 7).await.unwrap();
    assert_eq!((quick.cases.len(), quick.next), (1, None), "the owner's own list is short");
    let (nobody, odd) = (CaseFilter::default(), Some("zz–no cursor"));
    let odd = ledger.list_cases(&beta, &permissions, &nobody, CaseOrder::Due, odd, 3).await.unwrap();
    assert_eq!(odd.cases.len(), 3, "what is no cursor is the first page");
}

#[tokio::test]
async fn the_wishes_of_a_user_are_kept_sealed_and_in_the_trail() {
    for market in Market::everywhere().await {
        let (user, actor) = (market.reader, Actor::User(market.reader));
        assert_eq!(market.ledger.list_wishes(user).await.unwrap(), ListWishes::default());
        let filter = |name: &str, query: &str| SavedFilter { name: name.to_owned(), query: query.to_owned() };
        for (name, query) in [("Mrs Jones", "state=open"), ("late", "view=overdue"), ("late", "view=today")] {
            market.ledger.save_filter(&actor, user, filter(name, query)).await.unwrap();
        }
        market.ledger.choose_columns(&actor, user, vec!["company".to_owned()]).await.unwrap();
        let wishes = market.ledger.list_wishes(user).await.unwrap();
        assert_eq!(wishes.filters, [filter("Mrs Jones", "state=open"), filter("late", "view=today")]);
        assert_eq!(wishes.columns, Some(vec!["company".to_owned()]));
        assert!(!market.everything().await.windows(9).any(|bytes| bytes == b"Mrs Jones"));
        market.ledger.remove_filter(&actor, user, "Mrs Jones").await.unwrap();
        assert_eq!(market.ledger.list_wishes(user).await.unwrap().filters.len(), 1);
        for number in 1..ListWishes::MOST_FILTERS {
            market.ledger.save_filter(&actor, user, filter(&number.to_string(), "")).await.unwrap();
        }
        let more = market.ledger.save_filter(&actor, user, filter("one more", "")).await;
        assert!(matches!(more, Err(StoreError::Denied(_))));
        assert_eq!(market.count(Act::FilterSaved).await, 2 + ListWishes::MOST_FILTERS);
        assert_eq!((market.count(Act::FilterRemoved).await, market.count(Act::ColumnsChosen).await), (1, 1));
    }
}
