//! The filter of a list as it stands in an address and in a form. What cannot be read, or names nothing the visitor
//! may know, is not there: an address that somebody else made shows less, never more.

use jiff::{SignedDuration, Timestamp};
use mail::GroupId;
use store::{CaseOrder, CaseState, DueFilter, Owed, OwnerFilter, UserId};
use templates::pages::{Choice, Select};

use crate::access::{
    Visitor,
    lists::{Wanted, colleagues, permissions},
};
use crate::dates;
use crate::portal::Portal;

/// The fields in the order of the form.
pub(crate) const FIELDS: [&str; 10] =
    ["process", "participant", "rung", "with", "owner", "state", "due", "age", "notice", "order"];

/// What not ended cases are.
const LIVE: [CaseState; 4] =
    [CaseState::Open, CaseState::AwaitingUs, CaseState::AwaitingThem, CaseState::Escalated];
const STATES: [(&str, CaseState); 6] = [
    ("open", CaseState::Open),
    ("awaiting-us", CaseState::AwaitingUs),
    ("awaiting-them", CaseState::AwaitingThem),
    ("escalated", CaseState::Escalated),
    ("closed", CaseState::Closed),
    ("archived", CaseState::Archived),
];
/// Days since a case was opened.
const AGES: [(&str, i64); 4] = [("7", 7), ("14", 14), ("30", 30), ("56", 56)];

/// The fields that say something, each with its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter(Vec<(&'static str, String)>);

impl Filter {
    pub(crate) fn read<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        /// No value of ours is longer.
        const LONGEST: usize = 64;
        let plain = |text: &&str| {
            text.len() <= LONGEST
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        let known = FIELDS.iter().filter_map(|field| Some((*field, value(field).filter(plain)?.to_owned())));
        Self(known.filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(crate) fn value(&self, field: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == field).map_or("", |(_, value)| value)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `process=…&owner=me`, without anything that would have to be escaped.
    pub(crate) fn query(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(field, value)| format!("{field}={value}")).collect();
        pairs.join("&")
    }

    /// The same address from another place on.
    pub(crate) fn href(&self, after: Option<&str>) -> String {
        let after = after.map(|after| format!("after={after}"));
        let query: Vec<_> =
            [Some(self.query()), after].into_iter().flatten().filter(|part| !part.is_empty()).collect();
        if query.is_empty() { "/".to_owned() } else { format!("/?{}", query.join("&")) }
    }

    pub(crate) fn wanted(&self, visitor: &Visitor, now: Timestamp) -> Wanted {
        let mut wanted = Wanted {
            process: self.value("process").parse().ok(),
            participant: self.value("participant").parse().ok(),
            rung: self.value("rung").parse().ok(),
            order: match self.value("order") {
                "due" => CaseOrder::Due,
                "opened" => CaseOrder::Opened,
                // Old cases lie together in this order alone; one's own are few in any.
                _ if !self.value("age").is_empty() && self.value("owner") != "me" => CaseOrder::Opened,
                _ => CaseOrder::LastMessage,
            },
            ..Wanted::default()
        };
        let filter = &mut wanted.filter;
        filter.states = match self.value("state") {
            "all" => Vec::new(),
            name => STATES
                .iter()
                .find(|(known, _)| *known == name)
                .map_or(LIVE.to_vec(), |(_, state)| vec![*state]),
        };
        filter.owner = match self.value("owner") {
            "me" => OwnerFilter::User(visitor.id()),
            "nobody" => OwnerFilter::Nobody,
            other => other.parse::<UserId>().map_or(OwnerFilter::Anybody, OwnerFilter::User),
        };
        filter.due = match self.value("due") {
            "overdue" => Some(DueFilter { owed: Owed::ByUs, after: None, until: Some(now) }),
            "today" => {
                Some(DueFilter { owed: Owed::ByUs, after: Some(now), until: Some(dates::midnight(now)) })
            }
            "escalation" => Some(DueFilter { owed: Owed::ByThem, after: None, until: Some(now) }),
            _ => None,
        };
        filter.counterparty = self.value("with").parse::<GroupId>().ok();
        filter.undelivered = self.value("notice") == "back";
        let age = AGES.iter().find(|(known, _)| *known == self.value("age"));
        filter.opened_before =
            age.and_then(|(_, days)| now.saturating_sub(SignedDuration::from_hours(24 * days)).ok());
        wanted
    }

    /// The fields of the form, with what is chosen.
    pub(crate) fn selects(&self, portal: &Portal, visitor: &Visitor) -> Vec<Select> {
        let permitted = self.by_permission(portal, visitor).into_iter();
        permitted.chain(self.by_people(portal, visitor)).chain(self.by_standing(portal)).collect()
    }

    fn by_permission(&self, portal: &Portal, visitor: &Visitor) -> [Select; 3] {
        let catalogue = portal.catalogue();
        let (mut processes, mut participants, mut rungs) = (Vec::new(), Vec::new(), Vec::new());
        for permission in permissions(visitor) {
            let process = catalogue.process(&permission.process);
            let rung = process.and_then(|process| process.rung(&permission.contact_type));
            let participant = permission.participant.to_string();
            let (process_id, rung_id) = (permission.process.to_string(), permission.contact_type.to_string());
            let process = process.map_or_else(|| process_id.clone(), |process| process.name.clone());
            let rung = rung.map_or_else(|| rung_id.clone(), |rung| rung.name.clone());
            processes.push((process_id, process));
            participants.push((participant.clone(), participant));
            rungs.push((rung_id, rung));
        }
        let any = || portal.words.say("lists.any", &[]);
        [
            self.select("process", portal.words.say("lists.process", &[]), any(), sorted(processes)),
            self.select(
                "participant",
                portal.words.say("lists.participant", &[]),
                any(),
                sorted(participants),
            ),
            self.select("rung", portal.words.say("lists.rung", &[]), any(), sorted(rungs)),
        ]
    }

    fn by_people(&self, portal: &Portal, visitor: &Visitor) -> [Select; 2] {
        let say = |key: &'static str| portal.words.say(key, &[]);
        let others = visitor.directory().groups().filter(|group| group.id != *visitor.group());
        let others = others.map(|group| (group.id.to_string(), group.name.clone())).collect();
        let owners = [("me".to_owned(), say("lists.me")), ("nobody".to_owned(), say("lists.nobody"))];
        let people = colleagues(visitor).into_iter().map(|(id, name)| (id.to_string(), name));
        let owners = owners.into_iter().chain(people).collect();
        [
            self.select("with", say("lists.with"), say("lists.any"), sorted(others)),
            self.select("owner", say("lists.owner"), say("lists.anybody"), owners),
        ]
    }

    fn by_standing(&self, portal: &Portal) -> [Select; 5] {
        let words = &portal.words;
        let say = |key: &'static str| words.say(key, &[]);
        let states = ["all"].into_iter().chain(STATES.map(|(name, _)| name));
        let states = states.filter_map(|name| {
            Some((name.to_owned(), words.say_of("list_state", &name.replace('-', "_"), &[])?))
        });
        let dues = ["today", "overdue", "escalation"].into_iter();
        let dues = dues.filter_map(|name| Some((name.to_owned(), words.say_of("list_due", name, &[])?)));
        let ages = AGES.into_iter();
        let ages = ages.filter_map(|(days, _)| {
            Some((days.to_owned(), words.say_of("list_age", &format!("d{days}"), &[])?))
        });
        let orders = ["due", "opened"].into_iter();
        let orders =
            orders.filter_map(|name| Some((name.to_owned(), words.say_of("list_order", name, &[])?)));
        let back = vec![("back".to_owned(), say("lists.came_back"))];
        [
            self.select("state", say("lists.state"), say("lists.live"), states.collect()),
            self.select("due", say("lists.due"), say("lists.any"), dues.collect()),
            self.select("age", say("lists.age"), say("lists.any"), ages.collect()),
            self.select("notice", say("lists.notice"), say("lists.any"), back),
            self.select("order", say("lists.order"), say("lists.by_message"), orders.collect()),
        ]
    }

    fn select(
        &self,
        field: &'static str,
        label: String,
        any: String,
        options: Vec<(String, String)>,
    ) -> Select {
        let chosen = self.value(field);
        let first = Choice { value: String::new(), label: any, chosen: chosen.is_empty() };
        let options =
            options.into_iter().map(|(value, label)| Choice { chosen: value == chosen, value, label });
        Select { name: field, label, choices: std::iter::once(first).chain(options).collect() }
    }
}

fn sorted(mut choices: Vec<(String, String)>) -> Vec<(String, String)> {
    choices.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    choices.dedup();
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_and_nothing_else_gets_in() {
        let fields = [("owner", "me"), ("state", "all"), ("with", "a&b=<c>"), ("strange", "x"), ("due", "")];
        let value = |name: &str| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        let filter = Filter::read(value);
        assert_eq!(filter.query(), "owner=me&state=all");
        assert_eq!(filter.href(Some("00ff")), "/?owner=me&state=all&after=00ff");
        assert_eq!(Filter::default().href(None), "/");
    }
}
