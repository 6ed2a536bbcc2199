//! Who of a company is told of waiting cases beside the mailbox, and when: each user's own choice, else what the company set.
//! An alert is a job of the commit that makes it due, so none is lost; it never stands for the notice of a mailbox, and
//! whether it arrives changes nothing of a case.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use mail::{Address, GroupId, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    cases::{Case, Side},
    directory::{Directory, Group, User},
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, JobId, UserId},
    jobs::{Job, JobKind},
    ledger::Ledger,
};

/// Times of a day at which digests are made, at most.
const MOST_TIMES: usize = 6;
/// More processes than any catalogue has.
const MOST_PROCESSES: usize = 200;
/// People told of one message, at most; more of them read the mailbox.
const MOST_TOLD: usize = 100;

/// When somebody is told of what waits. The default is: never, the mailbox is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Alerts {
    /// Minutes of the day at which digests are made, market time (Europe/London).
    #[n(0)]
    pub times: Vec<u16>,
    /// For every process that has no rule of its own.
    #[n(1)]
    pub every: AlertRule,
    #[n(2)]
    pub processes: Vec<(ProcessId, AlertRule)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct AlertRule {
    #[n(0)]
    pub pace: AlertPace,
    #[n(1)]
    pub whose: AlertsOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum AlertPace {
    #[default]
    #[n(0)]
    Never,
    #[n(1)]
    AtOnce,
    #[n(2)]
    Digest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum AlertsOf {
    /// Every case that the user may read.
    #[default]
    #[n(0)]
    All,
    /// Cases whose owner the user is.
    #[n(1)]
    Own,
}

/// How a group wants the letters to its people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NoticeStyle {
    /// Stands in every letter, so that people miss it in a forged one; what is allowed, `templates::Phrase` says.
    pub phrase: Option<String>,
    /// No letter holds a link, but the one that brings the link to a password.
    pub link_free: bool,
}

/// That a message waits in a case, for one user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Alert {
    #[n(0)]
    pub case: CaseId,
    /// The number of the message that waits.
    #[n(1)]
    pub number: u32,
    #[n(2)]
    pub group: GroupId,
    #[n(3)]
    pub user: UserId,
    #[n(4)]
    pub to: Address,
}

/// How much waits for one user; looked up when it is made: [`Ledger::waiting_for`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AlertDigest {
    #[n(0)]
    pub group: GroupId,
    #[n(1)]
    pub user: UserId,
    #[n(2)]
    pub to: Address,
}

impl Alerts {
    pub fn rule(&self, process: &ProcessId) -> AlertRule {
        let own = self.processes.iter().find(|(known, _)| known == process);
        own.map_or(self.every, |(_, rule)| *rule)
    }

    /// # Errors
    /// `Denied` says what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let denied = |reason: &str| Err(StoreError::Denied(reason.to_owned()));
        if self.times.len() > MOST_TIMES || self.times.iter().any(|minute| *minute >= 24 * 60) {
            return denied("digests are made at most six times a day, at times of a day; choose others");
        }
        if self.processes.len() > MOST_PROCESSES {
            return denied("these are more processes than there are; name each once");
        }
        let paces = self.processes.iter().map(|(_, rule)| rule.pace).chain([self.every.pace]);
        if self.times.is_empty() && paces.into_iter().any(|pace| pace == AlertPace::Digest) {
            return denied("a digest needs at least one time of the day; choose one");
        }
        Ok(())
    }
}

impl Group {
    pub fn notice_style(&self) -> NoticeStyle {
        NoticeStyle { phrase: self.phrase.clone(), link_free: self.link_free }
    }
}

impl Directory {
    /// What holds for a user: the own choice, else that of the group.
    pub fn alerts_of<'a>(&'a self, user: &'a User) -> Option<&'a Alerts> {
        let group = || self.groups.get(&user.group).and_then(|keyed| keyed.group.alerts.as_ref());
        user.alerts.as_ref().or_else(group)
    }

    /// The users of a side whom a message in the case is told to, and how.
    fn alerted<'a>(&'a self, case: &'a Case, side: &'a Side) -> impl Iterator<Item = (&'a User, &'a Alerts)> {
        self.users.values().filter(|user| user.works_on(case, side)).filter_map(|user| {
            let alerts = self.alerts_of(user)?;
            let rule = alerts.rule(&case.process);
            let whose = rule.whose == AlertsOf::All || side.owner == Some(user.id);
            // A mailbox of the same address was told already.
            let told = user.email.key() == side.contact.key();
            (rule.pace != AlertPace::Never && whose && !told).then_some((user, alerts))
        })
    }
}

impl User {
    /// Whether the user may read a case as it stands, on this side of it.
    pub(crate) fn works_on(&self, case: &Case, side: &Side) -> bool {
        self.group == side.group
            && self.is_active()
            && self.permissions.iter().any(|permission| {
                permission.participant == side.participant
                    && permission.process == case.process
                    && permission.contact_type == case.contact_type
            })
    }
}

impl Ledger {
    /// Writes the alerts of a message that is told to these groups; the caller commits them with it.
    pub(crate) async fn make_alerts(
        &self,
        case: &Case,
        told: &[GroupId],
        now: Timestamp,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let directory = self.directory();
        for side in case.sides.iter().filter(|side| told.contains(&side.group)) {
            for (user, alerts) in directory.alerted(case, side).take(MOST_TOLD) {
                let due = match alerts.rule(&case.process).pace {
                    AlertPace::Digest => next_time(&alerts.times, now),
                    AlertPace::AtOnce | AlertPace::Never => None,
                };
                let (group, id, to) = (user.group.clone(), user.id, user.email.clone());
                match due {
                    Some(due) => {
                        let digest = JobKind::AlertDigest(AlertDigest { group, user: id, to });
                        self.collect(digest, due, (case.id, side.waiting), changes).await?;
                    }
                    None => {
                        let alert = Alert { case: case.id, number: side.waiting, group, user: id, to };
                        let job = Job::new(JobId::new(now)?, JobKind::Alert(alert), now, now);
                        self.put_job(&job, changes)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The cases of a digest for a user, or the one of an alert, that still wait and that the user may still read.
    pub async fn waiting_for(&self, job: &Job) -> Result<Vec<Case>, StoreError> {
        let (user, cases) = match &job.kind {
            JobKind::Alert(alert) => (alert.user, self.case(alert.case).await?.into_iter().collect()),
            JobKind::AlertDigest(digest) => (digest.user, self.cases_of_digest(job).await?),
            _ => return Ok(Vec::new()),
        };
        let directory = self.directory();
        let Some(user) = directory.user(&user) else { return Ok(Vec::new()) };
        let waits = |case: &Case| {
            let side = case.side(&user.group);
            side.is_some_and(|side| side.waiting > side.seen && user.works_on(case, side))
        };
        Ok(cases.into_iter().filter(waits).collect())
    }
}

/// The first of these minutes of the day, market time, that comes after `now`. One that a day does not have, because the
/// clocks go forward, is an hour later.
pub(crate) fn next_time(minutes: &[u16], now: Timestamp) -> Option<Timestamp> {
    let zone = TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone.clone()).date();
    let days = [Some(today), today.tomorrow().ok()];
    let times = minutes.iter().filter_map(|minute| {
        Time::new(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0).ok()
    });
    let moments = times.flat_map(|time| days.into_iter().flatten().map(move |day| day.to_datetime(time)));
    moments
        .filter_map(|moment| Some(moment.to_zoned(zone.clone()).ok()?.timestamp()))
        .filter(|moment| *moment > now)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_digest_is_a_time_of_the_market() {
        let next =
            |minutes: &[u16], now: &str| next_time(minutes, now.parse().unwrap()).map(|due| due.to_string());
        let nine_and_three = [9 * 60, 15 * 60];
        assert_eq!(next(&nine_and_three, "2026-06-01T07:59:59Z").unwrap(), "2026-06-01T08:00:00Z");
        assert_eq!(next(&nine_and_three, "2026-06-01T08:00:00Z").unwrap(), "2026-06-01T14:00:00Z");
        assert_eq!(next(&nine_and_three, "2026-06-01T20:00:00Z").unwrap(), "2026-06-02T08:00:00Z");
        // Winter time, and the night in which it begins.
        assert_eq!(next(&nine_and_three, "2026-12-01T08:00:00Z").unwrap(), "2026-12-01T09:00:00Z");
        assert_eq!(next(&nine_and_three, "2026-10-24T20:00:00Z").unwrap(), "2026-10-25T09:00:00Z");
        // Half past one does not exist on the day the clocks go forward.
        assert_eq!(next(&[90], "2026-03-29T00:30:00Z").unwrap(), "2026-03-29T01:30:00Z");
        assert_eq!(next(&[], "2026-06-01T08:00:00Z"), None);
        assert_eq!(next(&[1_440], "2026-06-01T08:00:00Z"), None);
    }

    #[test]
    fn a_process_may_have_a_rule_of_its_own() {
        let rule = |pace| AlertRule { pace, whose: AlertsOf::All };
        let alerts = Alerts {
            times: vec![480],
            every: rule(AlertPace::Digest),
            processes: vec![("erroneous-transfers".parse().unwrap(), rule(AlertPace::AtOnce))],
        };
        assert_eq!(alerts.rule(&"erroneous-transfers".parse().unwrap()).pace, AlertPace::AtOnce);
        assert_eq!(alerts.rule(&"disputed-reads".parse().unwrap()).pace, AlertPace::Digest);
        alerts.check().unwrap();
        assert!(Alerts { times: Vec::new(), ..alerts.clone() }.check().is_err());
        assert!(Alerts { times: vec![1_440], ..alerts }.check().is_err());
    }
}
