//! Reports as people read them: counters equal what an independent model counts after random histories, on every engine.
//! The model knows no row and no key; it is told what people did and counts on its fingers.

use std::collections::BTreeMap;

use super::*;
use crate::{Escalation, Measure, Reckoning, ReportMonth, Uptime};

const HISTORIES: u64 = 1_000;
const RUNGS: [&str; 3] = ["initial-request", "escalation-1", "escalation-2"];
const DAY: i64 = 24;

/// Group, month, rung, user, what.
type Counts = BTreeMap<(String, String, String, Option<UserId>, String), i64>;

/// xorshift: the same histories every time.
struct Chance(u64);

impl Chance {
    fn of(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// One case as somebody would keep it on a slip of paper.
struct Slip {
    case: CaseId,
    rung: usize,
    /// Since when, until when.
    clock: Option<(Timestamp, Timestamp)>,
    owner: Option<UserId>,
    opened: Timestamp,
    closed: Option<Timestamp>,
}

struct Model {
    counts: Counts,
    slips: Vec<Slip>,
}

fn month(at: Timestamp) -> String {
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y-%m").to_string()
}

fn whole_days(since: Timestamp, until: Timestamp) -> i64 {
    (until.as_second() - since.as_second()) / 86_400
}

impl Model {
    fn add(&mut self, group: &str, month: String, rung: usize, user: Option<UserId>, what: &str) {
        let key = (group.to_owned(), month, RUNGS[rung].to_owned(), user, what.to_owned());
        *self.counts.entry(key).or_default() += 1;
    }

    /// What the slips say of how cases stand.
    fn standing(&self) -> Counts {
        let mut standing = Counts::new();
        for slip in &self.slips {
            let mut add = |group: &str, at: Timestamp, what: String, by: i64| {
                let key = (group.to_owned(), month(at), RUNGS[slip.rung].to_owned(), None, what);
                *standing.entry(key).or_default() += by;
            };
            if let Some((_, until)) = slip.clock {
                let day = until.to_zoned(jiff::tz::TimeZone::UTC).day();
                add("beta", until, format!("running until {day}"), 1);
            }
            for group in ["alpha", "beta"] {
                add(group, slip.opened, "open".to_owned(), 1);
                if let Some(closed) = slip.closed {
                    add(group, closed, "open".to_owned(), -1);
                }
            }
        }
        standing
    }
}

struct Story<'a> {
    market: &'a Market,
    chance: Chance,
    model: Model,
    sources: u64,
}

impl Story<'_> {
    fn deadline(&mut self) -> (Timestamp, Deadline) {
        let since = self.market.ledger.now();
        let at = since.saturating_add(SignedDuration::from_hours(DAY * 5)).unwrap();
        let reckoning = Some(Reckoning { since, working_days: 5, calendar: "whole days".to_owned() });
        (at, Deadline { at, reason: "five days".to_owned(), reckoning, warn_at: None })
    }

    async fn write(&mut self, from: &str, author: Option<UserId>, automatic: bool, place: Place) -> CaseId {
        self.sources += 1;
        let mut source = [0; 32];
        source[..8].copy_from_slice(&self.sources.to_be_bytes());
        let content = self.market.sealed(b"words").await;
        let entry = Entry { sources: vec![source], ..tagged(place, 0) };
        let acceptance = Acceptance {
            from_group: id(from),
            author,
            automatic,
            message_id: None,
            ..self.market.acceptance(content, 0, vec![entry])
        };
        self.market.ledger.accept(acceptance).await.unwrap().cases[0].id
    }

    async fn open(&mut self) {
        let (until, deadline) = self.deadline();
        let Place::Open(opening) = self.market.opening() else { unreachable!() };
        let case = self.write("alpha", None, false, Place::Open(Opening { deadline, ..opening })).await;
        let now = self.market.ledger.now();
        self.model.add("alpha", month(now), 0, None, "sent");
        self.model.add("beta", month(now), 0, None, "received");
        let slip = Slip { case, rung: 0, clock: Some((now, until)), owner: None, opened: now, closed: None };
        self.model.slips.push(slip);
    }

    /// One of the things that people do with a case; what cannot be done now does not happen.
    async fn step(&mut self, at: usize) {
        let now = self.market.ledger.now();
        let Slip { case, rung, clock, owner, closed, .. } = self.model.slips[at];
        let (ledger, reader) = (&self.market.ledger, self.market.reader);
        match self.chance.of(8) {
            0 => self.market.pass(SignedDuration::from_hours(i64::try_from(self.chance.of(90)).unwrap())),
            1 | 2 => {
                let author = (self.chance.of(2) == 0).then_some(reader);
                let (_, deadline) = self.deadline();
                self.write("beta", author, false, Place::Join(Joining { case, deadline })).await;
                self.model.add("beta", month(now), rung, author, "sent");
                self.model.add("alpha", month(now), rung, None, "received");
                if let Some((since, until)) = clock {
                    let late = if now > until { "late" } else { "in time" };
                    let days = whole_days(since, now);
                    self.model.add("beta", month(now), rung, author, &format!("{late} after {days}"));
                    if now > until {
                        self.model.add("beta", month(until), rung, None, "passed");
                    }
                }
                self.model.slips[at].clock = None;
                self.model.slips[at].closed = None;
            }
            3 => {
                let (until, deadline) = self.deadline();
                self.write("alpha", None, false, Place::Join(Joining { case, deadline })).await;
                self.model.add("alpha", month(now), rung, None, "sent");
                self.model.add("beta", month(now), rung, None, "received");
                self.model.slips[at].clock = clock.or(Some((now, until)));
                self.model.slips[at].closed = None;
            }
            4 => {
                let next = owner.is_none().then_some(reader);
                ledger.assign(&Actor::Tool, case, &id("beta"), owner, next).await.unwrap();
                if next.is_some() {
                    self.model.add("beta", month(now), rung, next, "assigned");
                }
                self.model.slips[at].owner = next;
            }
            5 if clock.is_some_and(|(_, until)| now > until)
                && rung + 1 < RUNGS.len()
                && closed.is_none() =>
            {
                let (until, deadline) = self.deadline();
                let escalation = Escalation {
                    seen: RUNGS[rung].parse().unwrap(),
                    next: RUNGS[rung + 1].parse().unwrap(),
                    deadline,
                    stated: Vec::new(),
                };
                ledger.escalate(&Actor::Tool, case, &id("alpha"), &escalation).await.unwrap();
                self.model.add("alpha", month(now), rung, None, "escalated");
                self.model.add("beta", month(clock.unwrap().1), rung, None, "passed");
                let slip = &mut self.model.slips[at];
                (slip.rung, slip.clock) = (rung + 1, Some((now, until)));
            }
            6 if closed.is_none() => {
                let reason = crate::CaseReason::Settled;
                ledger.close_case(&Actor::Tool, case, &id("alpha"), reason).await.unwrap();
                if let Some((_, until)) = clock.filter(|(_, until)| now > *until) {
                    self.model.add("beta", month(until), rung, None, "passed");
                }
                let slip = &mut self.model.slips[at];
                (slip.clock, slip.closed) = (None, Some(now));
            }
            // A machine's mail counts as nothing.
            7 => {
                let (_, deadline) = self.deadline();
                self.write("beta", None, true, Place::Join(Joining { case, deadline })).await;
            }
            _ => {}
        }
    }

    async fn counted(&self) -> Counts {
        let all = ("0001-01".parse().unwrap(), "9998-12".parse().unwrap());
        let mut counts = Counts::new();
        for group in ["alpha", "beta"] {
            let each = |line: crate::ReportLine| {
                let what = match line.of.measure {
                    Measure::Sent => "sent".to_owned(),
                    Measure::Received => "received".to_owned(),
                    Measure::Assigned => "assigned".to_owned(),
                    Measure::Answered { late, days } => {
                        let late = if late { "late" } else { "in time" };
                        format!("{late} after {}", days.unwrap())
                    }
                    Measure::Passed => "passed".to_owned(),
                    Measure::Running { day } => format!("running until {day}"),
                    Measure::Escalated => "escalated".to_owned(),
                    Measure::Open => "open".to_owned(),
                };
                assert_ne!(line.of.counterparty.as_str(), group);
                let rung = line.of.contact_type.to_string();
                let key = (group.to_owned(), line.month.to_string(), rung, line.of.user, what);
                *counts.entry(key).or_default() += line.count;
            };
            self.market.ledger.figures(&id(group), all, each).await.unwrap();
        }
        counts
    }
}

fn without_zeros(counts: Counts) -> Counts {
    counts.into_iter().filter(|(_, count)| *count != 0).collect()
}

#[tokio::test]
async fn counters_equal_a_recount_after_random_histories() {
    for market in Market::everywhere().await {
        market.ledger.count_days_by(Box::new(|_, since, until| {
            Some(u32::try_from(whole_days(since, until)).unwrap())
        }));
        let model = Model { counts: Counts::new(), slips: Vec::new() };
        let mut story = Story { market: &market, chance: Chance(0x5eed), model, sources: 0 };
        for history in 0..HISTORIES {
            story.open().await;
            for _ in 0..story.chance.of(7) {
                let at = usize::try_from(history - story.chance.of(history.min(5) + 1)).unwrap();
                story.step(at).await;
            }
        }
        let mut expected = story.model.standing();
        for (key, count) in &story.model.counts {
            *expected.entry(key.clone()).or_default() += count;
        }
        let counted = without_zeros(story.counted().await);
        assert!(counted.len() > 100, "the histories are many");
        assert_eq!(counted, without_zeros(expected));
    }
}

#[tokio::test]
async fn old_months_go_and_what_is_open_stays_known() {
    for market in Market::everywhere().await {
        let open = async |market: &Market| {
            let now = ReportMonth::of(market.ledger.now());
            let (mut open, mut rows) = (0, 0);
            let each = |line: crate::ReportLine| {
                rows += 1;
                open += if line.of.measure == Measure::Open { line.count } else { 0 };
            };
            market.ledger.figures(&id("beta"), (now.earlier(100), now), each).await.unwrap();
            (open, rows)
        };
        for source in 1..=3 {
            market.mail("alpha", source, b"words", market.opening()).await.unwrap();
        }
        assert_eq!(open(&market).await, (3, 3), "received, running, open");
        market.pass(SignedDuration::from_hours(DAY * 31 * 14));
        market.mail("alpha", 4, b"words", market.opening()).await.unwrap();
        assert_eq!(market.ledger.sweep_reports(20).await.unwrap(), 0);
        assert!(market.ledger.sweep_reports(12).await.unwrap() > 0);
        assert_eq!(open(&market).await, (4, 4), "what was received a year ago is gone");
        assert_eq!(market.ledger.sweep_reports(12).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn counting_begins_once_and_is_known_from_then_on() {
    for market in Market::everywhere().await {
        assert_eq!(market.ledger.reports_since().await.unwrap(), None);
        let begun = market.ledger.now();
        market.ledger.begin_reports().await.unwrap();
        market.pass(SignedDuration::from_hours(1));
        market.ledger.begin_reports().await.unwrap();
        assert_eq!(market.ledger.reports_since().await.unwrap(), Some(begun));
    }
}

#[tokio::test]
async fn minutes_that_nobody_marked_are_gaps() {
    for market in Market::everywhere().await {
        let minute = SignedDuration::from_mins(1);
        let start = market.ledger.now();
        assert_eq!(market.ledger.uptime((start, start)).await.unwrap(), Uptime::default());
        for part in 0..200 {
            if !(60..90).contains(&part) && part != 120 {
                market.ledger.mark_alive().await.unwrap();
                market.ledger.mark_alive().await.unwrap();
            }
            market.pass(minute);
        }
        let all = (start, market.ledger.now());
        let uptime = market.ledger.uptime(all).await.unwrap();
        assert_eq!(uptime.first(), Some(start));
        assert_eq!(uptime.between(all), (169, 200));
        let at = |minutes: i32| start.saturating_add(minute * minutes).unwrap();
        assert_eq!(uptime.gaps(all, 10), [(at(60), 30), (at(120), 1)]);
        assert_eq!(uptime.gaps(all, 1), [(at(60), 30)]);
        market.pass(SignedDuration::from_hours(3 * 366 * DAY));
        assert_eq!(market.ledger.sweep_uptime().await.unwrap(), 4);
    }
}
