//! What comes back for mail of our own, and the receipts that leave.

use jiff::civil::date;

use super::*;
use crate::{JobId, Returned, TaskKind};

impl Market {
    /// A case, and the notice of it that left.
    async fn noticed(&self, source: u8) -> (CaseId, JobId) {
        let case = self.mail("alpha", source, b"one", self.opening()).await.unwrap().cases[0].id;
        let [leased] = self.lease().await.try_into().unwrap();
        let job = leased.job.id;
        self.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        (case, job)
    }

    async fn undelivered(&self, case: CaseId) -> bool {
        let case = self.ledger.case(case).await.unwrap().unwrap();
        case.side(&id("beta")).unwrap().undelivered.is_some()
    }
}

#[tokio::test]
async fn a_bounced_notice_raises_one_task_and_lets_the_next_message_tell() {
    for market in Market::everywhere().await {
        let (case, job) = market.noticed(1).await;
        let (other, second) = market.noticed(2).await;
        let failed = |status: &str| Returned::Failed(status.to_owned());
        let what = market.ledger.note_return(job, failed("5.1.1")).await.unwrap();
        assert!(matches!(what, Some(JobKind::Notice(notice)) if notice.case == case));
        market.ledger.note_return(job, failed("5.1.1")).await.unwrap();
        market.ledger.note_return(second, failed("5.2.2 <script>")).await.unwrap();
        let [task] = market.ledger.tasks(Some(&id("beta"))).await.unwrap().try_into().unwrap();
        assert_eq!((task.count, task.case), (2, Some(other)));
        let TaskKind::MailboxBounces { address: to, status } = &task.kind else { panic!("{task:?}") };
        assert_eq!((to, status.as_str()), (&address("et@beta.example"), "5.2.2"));
        assert_eq!(market.ledger.notices(case).await.unwrap()[0].returned.as_deref(), Some("5.1.1"));
        assert!(market.undelivered(case).await);
        market.mail("alpha", 3, b"two", market.joining(case)).await.unwrap();
        assert_eq!(market.kinds().await, ["notice"]);
        market.finish_all(Outcome::Done).await;
        assert!(!market.undelivered(case).await, "this one arrived");
        assert!(market.undelivered(other).await);
        market.read(other, "beta").await.unwrap();
        assert!(!market.undelivered(other).await, "somebody looked");
        assert_eq!(market.count(Act::NoticeReturned).await, 2);
    }
}

#[tokio::test]
async fn delays_and_unknown_jobs_change_nothing() {
    for market in Market::everywhere().await {
        let (case, job) = market.noticed(1).await;
        for said in [Returned::Delayed, Returned::Other] {
            assert!(market.ledger.note_return(job, said).await.unwrap().is_some());
        }
        assert_eq!(market.count(Act::ReturnNoted).await, 2);
        let guess = JobId::new(market.ledger.now()).unwrap();
        let nothing = market.ledger.note_return(guess, Returned::Failed("5.1.1".to_owned())).await.unwrap();
        assert!(nothing.is_none());
        assert!(!market.undelivered(case).await);
        assert!(market.ledger.all_tasks().await.unwrap().is_empty());
        market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
        assert!(market.ledger.jobs().await.unwrap().is_empty(), "told once, and nobody has looked");
    }
}

#[tokio::test]
async fn an_absence_is_noted_in_its_case() {
    for market in Market::everywhere().await {
        let (case, job) = market.noticed(1).await;
        let until = Some(date(2026, 6, 12));
        for _ in 0..3 {
            market.ledger.note_return(job, Returned::Away(until)).await.unwrap();
        }
        market.pass(SignedDuration::from_secs(1));
        let content = market.sealed(b"I am away").await;
        let answer = Acceptance {
            from_group: id("beta"),
            automatic: true,
            class: Class::AutoReply,
            away: Some(mail::Away { until: None }),
            author: Some(market.reader),
            ..market.acceptance(content, 2, vec![tagged(market.joining(case), 2)])
        };
        market.ledger.accept(answer).await.unwrap();
        let notes = market.ledger.away_notes(case).await.unwrap();
        let said: Vec<_> = notes.iter().map(|note| (note.group.clone(), note.until, note.user)).collect();
        assert_eq!(said, [(id("beta"), until, None), (id("beta"), None, Some(market.reader))]);
        assert!(market.ledger.jobs().await.unwrap().is_empty());
        assert!(market.ledger.case(case).await.unwrap().unwrap().due.is_some(), "the clock runs on");
    }
}

#[tokio::test]
async fn a_bounced_digest_silences_none_of_its_cases() {
    for market in Market::everywhere().await {
        let mailbox = market.ledger.directory().mailbox(&address("et@beta.example")).unwrap().clone();
        let mailbox = Mailbox { alerts: MailboxAlerts::Digest(vec![15 * 60]), ..mailbox };
        let change = vec![DirectoryChange::Mailbox(mailbox)];
        market.ledger.change_directory(&Actor::Tool, change).await.unwrap();
        let first = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
        let second = market.mail("alpha", 2, b"two", market.opening()).await.unwrap().cases[0].id;
        market.pass(SignedDuration::from_hours(5));
        let [leased] = market.lease().await.try_into().unwrap();
        let job = leased.job.id;
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        market.ledger.note_return(job, Returned::Failed("5.1.1".to_owned())).await.unwrap();
        for (source, case) in [(10, first), (11, second)] {
            assert!(market.undelivered(case).await);
            market.mail("alpha", source, b"more", market.joining(case)).await.unwrap();
        }
        assert_eq!(market.kinds().await, ["digest"]);
        assert_eq!(market.rows(Table::DigestEntry).await.len(), 2);
    }
}

#[tokio::test]
async fn receipts_leave_as_the_senders_group_wants_them() {
    for (wish, opened, joined) in [(Receipts::Off, 0, 0), (Receipts::NewCases, 1, 1), (Receipts::All, 1, 2)] {
        for market in Market::everywhere().await {
            let alpha = market.ledger.directory().group(&id("alpha")).unwrap().clone();
            let change = vec![DirectoryChange::Group(Group { receipts: wish, ..alpha })];
            market.ledger.change_directory(&Actor::Tool, change).await.unwrap();
            let receipts = async || market.kinds().await.iter().filter(|kind| **kind == "receipt").count();
            let send = async |source: u8, place: Place| {
                let content = market.sealed(b"body").await;
                let mail = market.acceptance(content, source, vec![tagged(place, source)]);
                let mail = Acceptance { receipt: Some(address("ann@alpha.example")), ..mail };
                market.ledger.accept(mail).await.unwrap().cases[0].id
            };
            let case = send(1, market.opening()).await;
            assert_eq!(receipts().await, opened);
            assert_eq!(send(1, market.opening()).await, case, "once for each mail");
            assert_eq!(receipts().await, opened);
            send(2, market.joining(case)).await;
            assert_eq!(receipts().await, joined);
        }
    }
}

#[tokio::test]
async fn a_bounce_that_is_faster_than_the_end_of_the_try_is_not_forgotten() {
    for market in Market::everywhere().await {
        let case = market.mail("alpha", 1, b"one", market.opening()).await.unwrap().cases[0].id;
        let [leased] = market.lease().await.try_into().unwrap();
        let job = leased.job.id;
        let failed = || Returned::Failed("5.1.1".to_owned());
        assert!(market.ledger.note_return(job, failed()).await.unwrap().is_some());
        market.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        assert!(market.undelivered(case).await);
        assert_eq!(market.ledger.notices(case).await.unwrap()[0].returned.as_deref(), Some("5.1.1"));
        market.ledger.note_return(job, failed()).await.unwrap();
        assert_eq!(market.ledger.tasks(Some(&id("beta"))).await.unwrap()[0].count, 1);
        market.mail("alpha", 2, b"two", market.joining(case)).await.unwrap();
        assert_eq!(market.kinds().await, ["notice"]);
    }
}
