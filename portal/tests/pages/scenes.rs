//! What happens in the sample market beside mail that is read: mail that is held or taken back, notices
//! that come back, tasks, passwords.

use std::time::Duration;

use mail::{Budget, Class, Envelope, HoldReason, Rcpt, ReversePath, Scan, Scanner, Tag};
use store::{
    Actor, AppPassword, AppPasswordId, AuthResult, CaseBound, ContentWriter, DirectoryChange, Entry, Joining,
    Leased, Onward, Outcome, Party, Passage, Place, Proof, Returned, TaskKind, Withdrawal,
};

use crate::market::{MPAN, Market, Sent};

/// Where the recipients of a held mail are.
pub(crate) const OUTSIDER: &str = "jo@gamma.example";

impl Market {
    /// A mail of Ali at Alpha that waits to be passed on; its id.
    pub(crate) async fn hold(&self, mail: &[u8]) -> String {
        self.hold_as(mail, HoldReason::PersonalData, Scan::Off, Onward::Relay).await
    }

    /// A mail of Ali at Alpha that waits to be secured in a new case.
    pub(crate) async fn hold_for_case(&self, mail: &[u8]) -> String {
        let party = |group: &str, participant: &str, contact: &str| Party {
            group: group.parse().unwrap(),
            participant: participant.parse().unwrap(),
            contact: contact.parse().unwrap(),
        };
        let opening = store::Opening {
            process: "erroneous-transfers".parse().unwrap(),
            contact_type: "initial-request".parse().unwrap(),
            initiator: party("alpha", "ALFA", "ali@alpha.example"),
            responder: party("beta", "BETA", "et@beta.example"),
            deadline: store::Deadline {
                at: self.ledger.now(),
                reason: "The clock of the day it was stopped.".into(),
                reckoning: None,
                warn_at: None,
            },
        };
        let entry = Entry {
            place: Place::Open(opening),
            sources: vec![certs::random::<32>().unwrap()],
            tags: vec![Tag::mpan(MPAN).unwrap()],
            decided_by: "hold-virus".into(),
            decision: None,
            addressed: None,
        };
        let bound = CaseBound {
            message_id: None,
            automatic: false,
            entries: vec![entry],
            receipt: None,
            recall: None,
        };
        self.hold_as(mail, HoldReason::Virus, Scan::Found, Onward::Case(Box::new(bound))).await
    }

    pub(crate) async fn hold_as(
        &self,
        mail: &[u8],
        reason: HoldReason,
        scan: Scan,
        onward: Onward,
    ) -> String {
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(mail);
        let message = scanner.finish();
        let mut writer = ContentWriter::new(&self.ledger).unwrap();
        writer.write(mail).await.unwrap();
        let passage = Passage {
            from_group: "alpha".parse().unwrap(),
            proof: Proof::Login(self.user("ali@alpha.example").id, None),
            author: Some(self.user("ali@alpha.example").id),
            content: writer.finish().await.unwrap(),
            headline: message.headline,
            envelope: Envelope {
                reverse_path: ReversePath::Address("ali@alpha.example".parse().unwrap()),
                recipients: vec![Rcpt::from(OUTSIDER.parse::<mail::Address>().unwrap())],
                report: mail::ReportWish::default(),
            },
            received_line: "Received: by postern.example\r\n".into(),
            decided_by: "hold-personal-data".into(),
            class: Class::Human,
            scan,
            authentication: Some(store::Authentication {
                spf: AuthResult::Pass,
                dkim: AuthResult::Pass,
                dmarc: AuthResult::SoftFail,
                arc: AuthResult::None,
                domain: Some("alpha.example".into()),
                addressed: None,
            }),
            sources: vec![certs::random::<32>().unwrap()],
            watched: None,
        };
        self.ledger.hold(passage, reason, onward).await.unwrap().to_string()
    }

    /// How many mails of Alpha wait.
    pub(crate) async fn waiting(&self) -> usize {
        self.ledger.held(&"alpha".parse().unwrap(), None, 100).await.unwrap().mails.len()
    }

    /// A further message of Alpha in a case that is there.
    pub(crate) async fn send_into(&self, sent: &Sent, mail: &[u8]) -> Sent {
        let case = sent.case.parse().unwrap();
        let deadline =
            store::Deadline { at: self.ledger.now(), reason: String::new(), reckoning: None, warn_at: None };
        self.send_as(mail, |acceptance| {
            acceptance.entries[0].place = Place::Join(Joining { case, deadline });
        })
        .await
    }

    /// Alpha takes the message back.
    pub(crate) async fn withdraw(&self, sent: &Sent, number: u32) -> Withdrawal {
        let (actor, alpha) = (Actor::Gateway, "alpha".parse().unwrap());
        let withdrawn = self.ledger.withdraw(&actor, &alpha, sent.case.parse().unwrap(), number).await;
        withdrawn.unwrap().expect("a message of Alpha")
    }

    /// All mail of our own that is due leaves; the ids of what left.
    pub(crate) async fn send_what_is_due(&self) -> Vec<store::JobId> {
        let leased: Vec<Leased> = self.ledger.lease_jobs(100, Duration::from_secs(60), &[]).await.unwrap();
        let mut left = Vec::new();
        for leased in leased {
            left.push(leased.job.id);
            self.ledger.finish_job(leased, Outcome::Done).await.unwrap();
        }
        left
    }

    /// The notice that left last comes back with this.
    pub(crate) async fn comes_back(&self, returned: Returned) {
        let left = self.send_what_is_due().await;
        let job = left.last().copied().expect("a notice left");
        self.ledger.note_return(job, returned).await.unwrap().expect("a mail of ours");
    }

    /// A task of a group; its id.
    pub(crate) async fn raise_task(&self, group: &str) -> String {
        let group = group.parse().unwrap();
        let address = format!("et@{group}.example").parse().unwrap();
        let kind = TaskKind::MailboxBounces { address, status: "5.1.1".into() };
        self.ledger.raise_task(&Actor::Gateway, Some(&group), kind, None).await.unwrap();
        self.ledger.tasks(Some(&group)).await.unwrap()[0].id.to_string()
    }

    /// An app password whose secret nobody knows; its id.
    pub(crate) async fn app_password(&self, email: &str, name: &str) -> String {
        let user = self.user(email).id;
        self.ledger.scram_salt(&Actor::Tool, user).await.unwrap();
        let created_at = self.ledger.now();
        let id = AppPasswordId::new(created_at).unwrap();
        let password =
            AppPassword { id, user, name: name.into(), created_at, stored_key: [1; 32], server_key: [2; 32] };
        let change = vec![DirectoryChange::AppPassword(password)];
        self.ledger.change_directory(&Actor::Tool, change).await.unwrap();
        id.to_string()
    }
}
