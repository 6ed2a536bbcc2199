//! What a report is asked to show: months, what rows are by, and which ones. What is not there, or not the visitor's to know,
//! chooses nothing.

use mail::{ContactType, GroupId, Mpid, ProcessId};
use store::{ReportLine, ReportMonth, UserId};
use templates::pages::{Filter, FilterChoice};

use crate::access::figures::{Figures, Reach};
use crate::dates;
use crate::forms::Asked;
use crate::portal::Portal;

/// Months of one report.
const MOST_MONTHS: u32 = 36;

/// Months that are shown when nobody asks for others, the present one included.
const USUAL: u32 = 6;

/// What a row is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Month,
    Process,
    ContactType,
    Participant,
    Counterparty,
    User,
    Company,
}

pub(super) struct Choice {
    pub(super) first: ReportMonth,
    pub(super) last: ReportMonth,
    /// Other months were asked for, and cannot be shown.
    pub(super) wrong: bool,
    pub(super) by: By,
    process: Option<ProcessId>,
    participant: Option<Mpid>,
    counterparty: Option<GroupId>,
    company: Option<GroupId>,
    pub(super) user: Option<UserId>,
}

impl Choice {
    pub(super) fn asked(portal: &Portal, figures: &Figures, asked: &Asked) -> Self {
        let now = ReportMonth::of(portal.ledger.now());
        let month = |name: &str| asked.value(name).map(str::parse::<ReportMonth>);
        let usual = (now.earlier(USUAL - 1), now);
        let (first, last, wrong) = match (month("first"), month("last")) {
            (None, None) => (usual.0, usual.1, false),
            (Some(Ok(first)), Some(Ok(last))) if first <= last && last.since(first) < MOST_MONTHS => {
                (first, last, false)
            }
            _ => (usual.0, usual.1, true),
        };
        let market = figures.reach() == Reach::Market;
        let value = |name: &str, there: bool| asked.value(name).filter(|_| there);
        let by = value("by", true).and_then(|word| By::of(figures.reach()).find(|by| by.word() == word));
        Self {
            first,
            last,
            wrong,
            by: by.unwrap_or(By::Month),
            process: value("process", true).and_then(|id| id.parse().ok()),
            participant: value("participant", !market).and_then(|id| id.parse().ok()),
            counterparty: value("counterparty", !market).and_then(|id| id.parse().ok()),
            company: value("company", market).and_then(|id| id.parse().ok()),
            user: value("user", figures.reach() == Reach::Group).and_then(|id| id.parse().ok()),
        }
    }

    pub(super) fn months(&self) -> impl Iterator<Item = ReportMonth> + use<> {
        let (first, last) = (self.first, self.last);
        std::iter::successors(Some(first), |month| Some(month.next())).take_while(move |month| *month <= last)
    }

    pub(super) fn wants(&self, group: &GroupId, line: &ReportLine) -> bool {
        let of = &line.of;
        self.process.as_ref().is_none_or(|process| *process == of.process)
            && self.participant.as_ref().is_none_or(|participant| *participant == of.participant)
            && self.counterparty.as_ref().is_none_or(|counterparty| *counterparty == of.counterparty)
            && self.company.as_ref().is_none_or(|company| company == group)
            && self.user.is_none_or(|user| of.user == Some(user))
    }

    /// The row that a line belongs to; months are rows of their own.
    pub(super) fn row(&self, group: &GroupId, line: &ReportLine) -> Option<String> {
        let of = &line.of;
        match self.by {
            By::Month => None,
            By::Process => Some(of.process.to_string()),
            By::ContactType => Some(of.contact_type.to_string()),
            By::Participant => Some(of.participant.to_string()),
            By::Counterparty => Some(of.counterparty.to_string()),
            By::User => of.user.map(|user| user.to_string()),
            By::Company => Some(group.to_string()),
        }
    }

    /// The same choice as the address of a file asks for it.
    pub(super) fn query(&self) -> String {
        let mut query = format!("first={}&last={}&by={}", self.first, self.last, self.by.word());
        for (name, value) in [
            ("process", self.process.as_ref().map(ToString::to_string)),
            ("participant", self.participant.as_ref().map(ToString::to_string)),
            ("counterparty", self.counterparty.as_ref().map(ToString::to_string)),
            ("company", self.company.as_ref().map(ToString::to_string)),
            ("user", self.user.as_ref().map(ToString::to_string)),
        ] {
            if let Some(value) = value {
                query.push_str(&format!("&{name}={value}"));
            }
        }
        query
    }

    pub(super) fn filters(&self, portal: &Portal, figures: &Figures) -> Vec<Filter> {
        let catalogue = portal.catalogue();
        let (visitor, reach) = (figures.visitor(), figures.reach());
        let directory = visitor.directory();
        let processes = catalogue.processes().map(|process| (process.id.to_string(), process.name.clone()));
        let groups = || directory.groups().map(|group| (group.id.to_string(), group.name.clone()));
        let others = groups().filter(|(id, _)| *id != visitor.group().as_str());
        let own = directory.participants().filter(|one| one.group == *visitor.group());
        let users = directory.users().filter(|user| user.group == *visitor.group());
        let by = By::of(reach).map(|by| (by.word().to_owned(), by.label(portal)));
        let mut filters = vec![
            filter(portal, "by", by.collect(), Some(self.by.word().to_owned()), false),
            filter(portal, "process", processes.collect(), text(self.process.as_ref()), true),
        ];
        match reach {
            Reach::Market => {
                filters.push(filter(
                    portal,
                    "company",
                    groups().collect(),
                    text(self.company.as_ref()),
                    true,
                ));
            }
            Reach::Group | Reach::Own(_) => {
                let participants = own.map(|one| (one.mpid.to_string(), one.mpid.to_string())).collect();
                let chosen = text(self.participant.as_ref());
                filters.push(filter(portal, "participant", participants, chosen, true));
                let chosen = text(self.counterparty.as_ref());
                filters.push(filter(portal, "counterparty", others.collect(), chosen, true));
            }
        }
        if reach == Reach::Group {
            let mut users: Vec<_> = users.map(|user| (user.id.to_string(), user.name.clone())).collect();
            users.sort_by(|one, other| one.1.cmp(&other.1));
            users.truncate(MOST_CHOICES);
            filters.push(filter(portal, "user", users, text(self.user.as_ref()), true));
        }
        filters
    }
}

/// Choices of one filter: a page stays small.
const MOST_CHOICES: usize = 300;

fn text(value: Option<&impl ToString>) -> Option<String> {
    value.map(ToString::to_string)
}

fn filter(
    portal: &Portal,
    name: &'static str,
    choices: Vec<(String, String)>,
    chosen: Option<String>,
    every: bool,
) -> Filter {
    let choice = |(value, label): (String, String)| FilterChoice {
        chosen: chosen.as_ref() == Some(&value),
        value,
        label,
    };
    let all = every.then(|| FilterChoice {
        value: String::new(),
        label: portal.words.say("report.every", &[]),
        chosen: chosen.is_none(),
    });
    Filter {
        name,
        label: portal.words.say_of("report", name, &[]).unwrap_or_default(),
        choices: all.into_iter().chain(choices.into_iter().take(MOST_CHOICES).map(choice)).collect(),
    }
}

impl By {
    /// What rows can be by.
    fn of(reach: Reach) -> impl Iterator<Item = Self> {
        let by: &[Self] = match reach {
            Reach::Own(_) => {
                &[Self::Month, Self::Process, Self::ContactType, Self::Participant, Self::Counterparty]
            }
            Reach::Group => &[
                Self::Month,
                Self::Process,
                Self::ContactType,
                Self::Participant,
                Self::Counterparty,
                Self::User,
            ],
            Reach::Market => &[Self::Month, Self::Company, Self::Process, Self::ContactType],
        };
        by.iter().copied()
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Process => "process",
            Self::ContactType => "contact_type",
            Self::Participant => "participant",
            Self::Counterparty => "counterparty",
            Self::User => "user",
            Self::Company => "company",
        }
    }

    pub(super) fn label(self, portal: &Portal) -> String {
        portal.words.say_of("report", self.word(), &[]).unwrap_or_default()
    }

    pub(super) fn caption(self, portal: &Portal) -> String {
        portal.words.say_of("report", &format!("by_{}", self.word()), &[]).unwrap_or_default()
    }

    /// What people call a row.
    pub(super) fn shown(self, portal: &Portal, figures: &Figures, row: &str) -> String {
        let visitor = figures.visitor();
        let catalogue = portal.catalogue();
        let known = match self {
            Self::Month => row.parse::<ReportMonth>().ok().map(|month| dates::month(month.first_day())),
            Self::Process => {
                row.parse().ok().and_then(|id| catalogue.process(&id).map(|process| process.name.clone()))
            }
            Self::ContactType => row
                .parse::<ContactType>()
                .ok()
                .and_then(|id| catalogue.processes().find_map(|process| process.rung(&id)))
                .map(|rung| rung.name.clone()),
            Self::Participant => None,
            Self::Counterparty | Self::Company => row.parse().ok().map(|group| visitor.group_name(&group)),
            Self::User => row.parse().ok().map(|user| visitor.user_name(&user)),
        };
        known.unwrap_or_else(|| row.to_owned())
    }
}
