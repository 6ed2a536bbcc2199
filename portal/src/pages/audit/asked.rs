//! Which events are asked for. What cannot be read chooses nothing and is said so.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use store::{Act, Actor, CaseId, Event, UserId};
use templates::pages::FilterChoice;

use super::lines;
use crate::access::trail::Trail;
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::Portal;

/// Colleagues that can be chosen from: a page stays small.
const MOST_USERS: usize = 300;

pub(super) struct Choice {
    pub(super) first: Option<Date>,
    pub(super) last: Option<Date>,
    pub(super) time: (Timestamp, Timestamp),
    act: Option<Act>,
    user: Option<UserId>,
    case: CaseChoice,
    /// As it was typed.
    pub(super) case_text: String,
    wrong_days: bool,
}

enum CaseChoice {
    Any,
    This(CaseId),
    /// No case of the company has that reference.
    None,
}

impl Choice {
    pub(super) async fn asked(portal: &Portal, trail: &Trail, asked: &Asked) -> Result<Self, Problem> {
        let day = |name: &str| asked.value(name).map(str::parse::<Date>);
        let (first, last) = (day("first"), day("last"));
        let wrong_days = matches!(first, Some(Err(_))) || matches!(last, Some(Err(_)));
        let (first, last) = (first.and_then(Result::ok), last.and_then(Result::ok));
        let start = |day: Date| {
            let zoned = day.to_zoned(TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC));
            zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        let end = |day: Date| {
            let next = start(day.saturating_add(1.day()));
            next.checked_sub(1.millisecond()).unwrap_or(next)
        };
        let to = last.map_or(portal.ledger.now(), end);
        let case_text = asked.value("case").unwrap_or_default().trim().to_owned();
        Ok(Self {
            time: (first.map_or(Timestamp::UNIX_EPOCH, start), to),
            first,
            last,
            act: asked.value("act").and_then(|word| Act::all().find(|act| lines::act_key(*act) == word)),
            user: asked.value("user").and_then(|id| id.parse().ok()),
            case: case(portal, trail, &case_text).await?,
            case_text,
            wrong_days,
        })
    }

    pub(super) fn wants(&self, event: &Event) -> bool {
        let user = |user: UserId| {
            event.actor == Actor::User(user) || event.user == Some(user) || event.author == Some(user)
        };
        self.act.is_none_or(|act| act == event.act)
            && self.user.is_none_or(user)
            && match self.case {
                CaseChoice::Any => true,
                CaseChoice::This(case) => event.case == Some(case),
                CaseChoice::None => false,
            }
    }

    /// The same choice in an address.
    pub(super) fn query(&self) -> String {
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        let reference = match self.case {
            CaseChoice::Any => "",
            CaseChoice::This(_) | CaseChoice::None => self.case_text.as_str(),
        };
        let plain: String = reference.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        format!(
            "act={}&user={}&case={plain}&first={}&last={}",
            self.act.map(lines::act_key).unwrap_or_default(),
            self.user.map(|user| user.to_string()).unwrap_or_default(),
            day(self.first),
            day(self.last),
        )
    }

    pub(super) fn problem(&self, portal: &Portal) -> Option<String> {
        if self.wrong_days {
            return Some(portal.words.say("audit.days_wrong", &[]));
        }
        matches!(self.case, CaseChoice::None).then(|| portal.words.say("audit.case_wrong", &[]))
    }

    pub(super) fn acts(&self, portal: &Portal) -> Vec<FilterChoice> {
        let mut acts: Vec<_> = Act::all()
            .map(|act| FilterChoice {
                value: lines::act_key(act),
                label: lines::act(portal, act),
                chosen: self.act == Some(act),
            })
            .collect();
        acts.sort_by(|one, other| one.label.cmp(&other.label));
        acts
    }

    pub(super) fn users(&self, trail: &Trail) -> Vec<FilterChoice> {
        let visitor = trail.visitor();
        let own = visitor.directory().users().filter(|user| user.group == *visitor.group());
        let mut users: Vec<_> = own
            .map(|user| FilterChoice {
                value: user.id.to_string(),
                label: user.name.clone(),
                chosen: self.user == Some(user.id),
            })
            .collect();
        users.sort_by(|one, other| one.label.cmp(&other.label));
        users.truncate(MOST_USERS);
        users
    }
}

/// The own company's case of that reference: another's looks like none.
async fn case(portal: &Portal, trail: &Trail, text: &str) -> Result<CaseChoice, Problem> {
    if text.is_empty() {
        return Ok(CaseChoice::Any);
    }
    let Ok(reference) = text.parse() else { return Ok(CaseChoice::None) };
    let found = portal.ledger.case_by_reference(&reference).await?;
    let own = found.filter(|case| case.side(trail.visitor().group()).is_some());
    Ok(own.map_or(CaseChoice::None, |case| CaseChoice::This(case.id)))
}
