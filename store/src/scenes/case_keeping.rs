//! What a side keeps about a case and what becomes due in it: notes, tags, history, warnings, the end of its content.

use super::*;
use crate::{CaseNews, CaseState, Detail, Retention};

const HOUR: i64 = 3_600;

impl Market {
    /// A case whose answer is due in ten days, with a warning a day before.
    async fn dated(&self) -> CaseId {
        let Place::Open(opening) = self.opening() else { panic!("an opening") };
        let warn_at = self.ledger.now().saturating_add(SignedDuration::from_hours(216)).ok();
        let deadline = Deadline { warn_at, ..opening.deadline };
        let place = Place::Open(Opening { deadline, ..opening });
        self.mail("alpha", 1, b"question", place).await.unwrap().cases[0].id
    }

    async fn news(&self) -> Vec<(CaseNews, String)> {
        let jobs = self.ledger.jobs().await.unwrap();
        let told = jobs.into_iter().filter_map(|job| match job.kind {
            JobKind::Case(news) => Some((news.what, news.to.to_string())),
            _ => None,
        });
        let mut news: Vec<_> = told.collect();
        news.sort_by_key(|(what, to)| (format!("{what:?}"), to.clone()));
        news
    }

    async fn told(&self, case: CaseId, group: &str) -> Vec<Act> {
        let page = self.ledger.case_events(case, &id(group), Detail::Changes, None, 100).await.unwrap();
        page.events.into_iter().map(|event| event.act).collect()
    }
}

fn retention() -> Retention {
    Retention {
        process: "erroneous-transfers".parse().unwrap(),
        kept: SignedDuration::from_hours(30 * 24),
        warned: SignedDuration::from_hours(7 * 24),
    }
}

#[tokio::test]
async fn notes_are_of_one_side_and_sealed() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
        let known = market.ledger.case(case).await.unwrap().unwrap();
        let actor = Actor::User(market.reader);
        let before = market.told(case, "alpha").await;
        market.pass(SignedDuration::from_secs(1));
        market.ledger.add_note(&actor, &known, &id("beta"), "  ring Mrs Example  ").await.unwrap();
        for (group, text) in [("gamma", "x"), ("beta", "   "), ("beta", "x".repeat(4_001).as_str())] {
            assert!(market.ledger.add_note(&actor, &known, &id(group), text).await.is_err());
        }
        let notes = market.ledger.notes(case, &id("beta")).await.unwrap();
        assert_eq!(notes.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["ring Mrs Example"]);
        assert_eq!(notes[0].by, Some(market.reader));
        assert!(market.ledger.notes(case, &id("alpha")).await.unwrap().is_empty());
        let everything = market.everything().await;
        assert!(!everything.windows(8).any(|window| window == b"Mrs Exam"));
        assert_eq!(market.told(case, "alpha").await, before, "the other side knows of none");
        assert_eq!(market.told(case, "beta").await[0], Act::NoteAdded);
    }
}

#[tokio::test]
async fn tags_are_each_sides_own_and_stay_removed() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
        let actor = Actor::User(market.reader);
        let (alpha, beta) = (id("alpha"), id("beta"));
        let [mpan, own] = [Tag::mpan("1200023305967").unwrap(), Tag::reference("BETA 77").unwrap()];
        let tags = async |group: &GroupId| -> Vec<String> {
            let tags = market.ledger.tags(case, group).await.unwrap();
            tags.into_iter().map(|tag| tag.tag.value().to_owned()).collect()
        };
        let found = async |group: &GroupId, tag: &Tag| {
            market.ledger.find_by_tag(&actor, group, tag).await.unwrap().len()
        };
        assert_eq!(tags(&beta).await, ["1200023305967"], "as the mail brought it");
        assert!(market.ledger.add_tag(&actor, case, &beta, &own).await.unwrap());
        assert!(!market.ledger.add_tag(&actor, case, &beta, &own).await.unwrap(), "twice is once");
        assert!(market.ledger.remove_tag(&actor, case, &beta, &mpan).await.unwrap());
        assert!(!market.ledger.remove_tag(&actor, case, &beta, &mpan).await.unwrap());
        market.mail("alpha", 2, b"quoted", market.joining(case)).await.unwrap();
        assert_eq!(tags(&beta).await, ["BETA 77"], "a later mail does not bring it back");
        assert_eq!(tags(&alpha).await, ["1200023305967"], "the other side's stay");
        let hits = (found(&beta, &mpan).await, found(&beta, &own).await, found(&alpha, &mpan).await);
        assert_eq!(hits, (0, 1, 1));
        assert_eq!(found(&alpha, &own).await, 0);
        assert!(market.ledger.add_tag(&actor, case, &beta, &mpan).await.unwrap(), "people may");
        assert_eq!(found(&beta, &mpan).await, 1);
        assert!(!market.everything().await.windows(7).any(|window| window == b"BETA 77"));
    }
}

#[tokio::test]
async fn the_history_is_newest_first_and_tells_nothing_of_the_other_side() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
        let actor = Actor::User(market.reader);
        market.pass(SignedDuration::from_secs(1));
        market.ledger.assign(&actor, case, &id("beta"), None, Some(market.reader)).await.unwrap();
        for _ in 0..3 {
            market.pass(SignedDuration::from_secs(1));
            market.read(case, "beta").await.unwrap();
        }
        market.pass(SignedDuration::from_secs(1));
        market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
        assert_eq!(market.told(case, "beta").await, [Act::MessageAdded, Act::OwnerSet, Act::CaseOpened]);
        assert_eq!(market.told(case, "alpha").await, [Act::MessageAdded, Act::CaseOpened]);
        let (beta, mut after) = (id("beta"), None::<String>);
        let mut seen = Vec::new();
        loop {
            let page = market.ledger.case_events(case, &beta, Detail::Everything, after.as_deref(), 2);
            let page = page.await.unwrap();
            seen.extend(page.events.iter().map(|event| event.at));
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.windows(2).all(|pair| pair[0] >= pair[1]));
    }
}

#[tokio::test]
async fn people_are_told_before_a_deadline_and_when_it_has_passed() {
    for market in Market::everywhere().await {
        let case = market.dated().await;
        let climbs = |_: &mail::ProcessId, _: &mail::ContactType| true;
        let run = async || market.ledger.run_case_timers(100, climbs).await.unwrap();
        assert_eq!(run().await, 0);
        market.pass(SignedDuration::from_hours(216));
        assert_eq!(run().await, 1);
        assert_eq!(run().await, 0, "once");
        market.pass(SignedDuration::from_hours(24) - SignedDuration::from_millis(1));
        assert_eq!(run().await, 0);
        market.pass(SignedDuration::from_millis(1));
        assert_eq!(run().await, 1);
        assert_eq!(run().await, 0);
        let told = |what, to: &str| (what, to.to_owned());
        assert_eq!(
            market.news().await,
            [told(CaseNews::DueSoon, "et@beta.example"), told(CaseNews::EscalationOpen, "ann@alpha.example")]
        );
        assert!(market.ledger.case(case).await.unwrap().unwrap().due.is_some(), "no clock is stopped by it");
        assert_eq!(market.told(case, "beta").await, [Act::DeadlineWarned, Act::CaseOpened]);
        assert_eq!(market.told(case, "alpha").await, [Act::EscalationUnlocked, Act::CaseOpened]);
    }
}

#[tokio::test]
async fn an_answer_in_time_leaves_nothing_to_tell() {
    for market in Market::everywhere().await {
        let case = market.dated().await;
        market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
        market.pass(SignedDuration::from_hours(500));
        assert_eq!(market.ledger.run_case_timers(100, |_, _| true).await.unwrap(), 0);
        assert!(market.news().await.is_empty());
    }
}

#[tokio::test]
async fn content_goes_after_a_warning_and_the_case_stays() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"question", market.opening()).await.unwrap().cases[0].id;
        let actor = Actor::User(market.reader);
        let known = market.ledger.case(case).await.unwrap().unwrap();
        market.ledger.add_note(&actor, &known, &id("beta"), "a note").await.unwrap();
        market.ledger.assign(&actor, case, &id("beta"), None, Some(market.reader)).await.unwrap();
        let run = async || market.ledger.run_retention(&retention(), 100).await.unwrap();
        market.pass(SignedDuration::from_secs(23 * 24 * HOUR - 1));
        assert_eq!(run().await, 0);
        market.pass(SignedDuration::from_secs(1));
        assert_eq!((run().await, run().await), (1, 0));
        let told = |to: &str| (CaseNews::ArchiveSoon, to.to_owned());
        assert_eq!(market.news().await, [told("ann@alpha.example"), told("bo@beta.example")]);
        market.mail("beta", 2, b"answer", market.joining(case)).await.unwrap();
        market.pass(SignedDuration::from_secs(23 * 24 * HOUR));
        assert_eq!(run().await, 1, "a later message is another date");
        market.pass(SignedDuration::from_secs(7 * 24 * HOUR));
        assert_eq!((run().await, run().await), (1, 0));
        assert_eq!(market.state(case, "alpha").await, CaseState::Archived);
        assert!(market.read(case, "alpha").await.is_err(), "nobody opens it any more");
        assert!(market.rows(Table::Wrap).await.is_empty());
        let tag = Tag::mpan("1200023305967").unwrap();
        assert!(market.ledger.find_by_tag(&actor, &id("beta"), &tag).await.unwrap().is_empty());
        assert!(market.ledger.notes(case, &id("beta")).await.unwrap().is_empty());
        assert!(market.mail("alpha", 3, b"late", market.joining(case)).await.is_err(), "that opens another");
        assert_eq!(market.told(case, "alpha").await[0], Act::CaseArchived);
        assert_eq!(
            market.ledger.assign(&actor, case, &id("beta"), Some(market.reader), None).await,
            Err(StoreError::Conflict)
        );
    }
}
