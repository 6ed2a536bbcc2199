//! What people write before it is a message: it opens for its author alone, goes on where it broke off, and leaves
//! nothing behind.

use super::*;
use crate::{ANSWERING, Draft, DraftId, DraftWords, MOST_DRAFTS, MOST_FILES, engine::Changeset};

const WORDS: &str = "unmistakable draft words";

impl Market {
    async fn begin(&self, case: Option<CaseId>) -> Draft {
        let words = DraftWords { text: WORDS.to_owned(), ..DraftWords::default() };
        let id = self.ledger.begin_draft(self.reader, &id("beta"), case, words).await.unwrap();
        self.ledger.draft(self.reader, id).await.unwrap().unwrap()
    }

    async fn uploaded(&self, draft: &Draft, bytes: &[u8]) -> crate::ContentId {
        let file = self.ledger.begin_file(draft, "secret-name.pdf", "application/pdf", None).await.unwrap();
        let mut writer = self.ledger.resume_file(draft, file, 0).await.unwrap();
        writer.write(bytes).await.unwrap();
        writer.finish().await.unwrap();
        file
    }
}

#[tokio::test]
async fn a_draft_is_its_authors_alone_and_noise_at_rest() {
    for market in Market::everywhere().await {
        let draft = market.begin(None).await;
        market.uploaded(&draft, WORDS.as_bytes()).await;
        let colleague = UserId::new(market.ledger.now()).unwrap();
        assert_eq!(market.ledger.draft(colleague, draft.id).await.unwrap(), None);
        assert!(market.ledger.drafts(colleague).await.unwrap().is_empty());
        assert_eq!(market.ledger.drafts(market.reader).await.unwrap(), std::slice::from_ref(&draft));
        let everything = market.everything().await;
        for word in [WORDS, "secret-name"] {
            assert!(!everything.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
        let later = DraftWords { text: "later".to_owned(), ..draft.words.clone() };
        let saved = market.ledger.save_draft(&draft, later).await.unwrap();
        assert_eq!(market.ledger.draft(market.reader, draft.id).await.unwrap().unwrap(), saved);
        let lost = market.ledger.save_draft(&draft, draft.words.clone()).await;
        assert_eq!(lost.unwrap_err(), StoreError::Conflict, "it was saved meanwhile");
        for act in [Act::DraftBegun, Act::DraftSaved, Act::DraftFileAdded] {
            assert_eq!(market.count(act).await, 1, "{act:?}");
        }
    }
}

#[tokio::test]
async fn a_file_comes_back_byte_for_byte_wherever_its_upload_broke_off() {
    for market in Market::everywhere().await {
        let draft = market.begin(None).await;
        let whole = noise(3_000_000);
        for broken_at in [0, 1, 300_000, 1_048_576, 1_048_577, 2_999_999] {
            let file = market.ledger.begin_file(&draft, "a", "text/plain", Some(3_000_000)).await.unwrap();
            let mut writer = market.ledger.resume_file(&draft, file, 0).await.unwrap();
            writer.write(&whole[..broken_at]).await.unwrap();
            let kept = match broken_at % 2 {
                0 => writer.pause().await.unwrap(),
                // As after a kill.
                _ => {
                    drop(writer);
                    let ledger = market.after_a_kill().await;
                    ledger.draft_file(&draft, file).await.unwrap().unwrap().received
                }
            };
            assert!(kept <= broken_at as u64 && kept + 1_300_000 > broken_at as u64, "{kept} of {broken_at}");
            assert_eq!(market.ledger.open_file(&draft, file).await.unwrap_err(), StoreError::Conflict);
            let wrong = market.ledger.resume_file(&draft, file, kept + 1).await;
            assert_eq!(wrong.map(drop).unwrap_err(), StoreError::Conflict);
            let mut writer = market.ledger.resume_file(&draft, file, kept).await.unwrap();
            for piece in whole[usize::try_from(kept).unwrap()..].chunks(70_000) {
                writer.write(piece).await.unwrap();
            }
            assert_eq!(writer.finish().await.unwrap(), 3_000_000);
            let open = market.ledger.open_file(&draft, file).await.unwrap();
            assert!(open.range(0, u64::MAX).await.unwrap() == whole, "broken at {broken_at}");
            market.ledger.remove_file(&draft, file).await.unwrap();
        }
        assert!(market.rows(Table::Content).await.is_empty());
        assert!(market.rows(Table::DraftContent).await.is_empty());
    }
}

#[tokio::test]
async fn of_two_who_write_to_a_file_the_later_one_goes_on() {
    for market in Market::everywhere().await {
        let draft = market.begin(None).await;
        let file = market.ledger.begin_file(&draft, "a", "text/plain", None).await.unwrap();
        let mut stale = market.ledger.resume_file(&draft, file, 0).await.unwrap();
        stale.write(&noise(500_000)).await.unwrap();
        let mut fresh = market.ledger.resume_file(&draft, file, 0).await.unwrap();
        assert_eq!(stale.pause().await.unwrap_err(), StoreError::Conflict);
        fresh.write(b"fresh").await.unwrap();
        fresh.finish().await.unwrap();
        let open = market.ledger.open_file(&draft, file).await.unwrap();
        assert_eq!(open.range(0, u64::MAX).await.unwrap(), b"fresh");
    }
}

#[tokio::test]
async fn a_draft_goes_with_everything_that_belongs_to_it() {
    for market in Market::everywhere().await {
        let kept = market.begin(None).await;
        market.uploaded(&kept, b"kept").await;
        for way in 0..3 {
            let draft = market.begin(None).await;
            market.uploaded(&draft, &noise(2_000_000)).await;
            let unfinished = market.ledger.begin_file(&draft, "b", "", None).await.unwrap();
            let mut writer = market.ledger.resume_file(&draft, unfinished, 0).await.unwrap();
            writer.write(&noise(2_000_000)).await.unwrap();
            match way {
                0 => market.ledger.discard_draft(&draft).await.unwrap(),
                1 => {
                    let case = CaseId::new(market.ledger.now()).unwrap();
                    market.ledger.draft_sent(&draft, Some(case)).await.unwrap();
                }
                _ => {
                    market.pass(SignedDuration::from_hours(2));
                    let kept = market.ledger.draft(market.reader, kept.id).await.unwrap().unwrap();
                    market.ledger.save_draft(&kept, kept.words.clone()).await.unwrap();
                    market.pass(SignedDuration::from_mins(30));
                    assert_eq!(market.ledger.sweep_drafts(Duration::from_secs(3_600)).await.unwrap(), 1);
                }
            }
            // Who still writes finds nothing to write to.
            assert_eq!(writer.write(&noise(2_000_000)).await.unwrap_err(), StoreError::Conflict);
            assert_eq!(market.ledger.draft(market.reader, draft.id).await.unwrap(), None);
            assert_eq!(market.rows(Table::Content).await.len(), 1, "way {way}: the kept file alone");
            assert_eq!(market.rows(Table::DraftContent).await.len(), 1);
            assert!(market.rows(Table::Arriving).await.is_empty());
        }
        let acts = [Act::DraftDiscarded, Act::DraftSent, Act::DraftExpired];
        for act in acts {
            assert_eq!(market.count(act).await, 1, "{act:?}");
        }
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_a_removal_leaves_noise_that_is_swept() {
    let market = Market::open().await;
    for commits in 0..4 {
        let draft = market.begin(None).await;
        market.uploaded(&draft, &noise(20_000_000)).await;
        let mortal = market.mortal(commits).await;
        let mortal_draft = mortal.ledger.draft(market.reader, draft.id).await.unwrap().unwrap();
        let died = mortal.ledger.discard_draft(&mortal_draft).await;
        assert!(matches!(died, Err(StoreError::Broken(_))), "{commits}");
        if let Some(draft) = market.ledger.draft(market.reader, draft.id).await.unwrap() {
            market.ledger.discard_draft(&draft).await.unwrap();
        }
        market.ledger.sweep_arriving(Duration::ZERO).await.unwrap();
        assert!(market.rows(Table::Content).await.is_empty(), "killed after {commits} commits");
        assert!(market.rows(Table::Arriving).await.is_empty());
    }
}

#[tokio::test]
async fn drafts_and_files_are_bounded() {
    let market = Market::open().await;
    let draft = market.begin(None).await;
    for _ in 0..MOST_FILES {
        market.ledger.begin_file(&draft, "a", "", None).await.unwrap();
    }
    let over = market.ledger.begin_file(&draft, "a", "", None).await;
    assert!(matches!(over, Err(StoreError::Denied(_))));
    for _ in 1..MOST_DRAFTS {
        market.begin(None).await;
    }
    let over = market.ledger.begin_draft(market.reader, &id("beta"), None, DraftWords::default()).await;
    assert!(matches!(over, Err(StoreError::Denied(_))));
}

#[tokio::test]
async fn who_answers_is_seen_by_the_own_group_until_it_is_over() {
    for market in Market::everywhere().await {
        let case = CaseId::new(market.ledger.now()).unwrap();
        let draft = market.begin(Some(case)).await;
        let began = market.ledger.now();
        let who = async |group: &str| market.ledger.answering(case, &id(group)).await.unwrap();
        assert_eq!(who("alpha").await, []);
        market.pass(SignedDuration::from_mins(10));
        let draft = market.ledger.save_draft(&draft, draft.words.clone()).await.unwrap();
        market.pass(SignedDuration::from_mins(10));
        let now = who("beta").await;
        assert_eq!((now.len(), now[0].user, now[0].since), (1, market.reader, began));
        market.pass(SignedDuration::try_from(ANSWERING).unwrap());
        assert_eq!(who("beta").await, []);
        market.ledger.sweep_drafts(Duration::from_secs(86_400)).await.unwrap();
        assert!(market.rows(Table::Answering).await.is_empty());
        market.ledger.save_draft(&draft, draft.words.clone()).await.unwrap();
        assert_eq!(who("beta").await.len(), 1);
        let draft = market.ledger.draft(market.reader, draft.id).await.unwrap().unwrap();
        market.ledger.discard_draft(&draft).await.unwrap();
        assert_eq!(who("beta").await, []);
    }
}

#[tokio::test]
async fn texts_belong_to_their_group() {
    for market in Market::everywhere().await {
        let actor = Actor::User(market.reader);
        let put = async |group: &str, known, name: &str| {
            market.ledger.put_text_template(&actor, &id(group), known, name, WORDS).await
        };
        let first = put("beta", None, "Second").await.unwrap();
        put("beta", None, "first").await.unwrap();
        put("beta", Some(first), "third").await.unwrap();
        assert!(matches!(put("alpha", Some(first), "x").await, Err(StoreError::Denied(_))));
        let names = async |group: &str| {
            let texts = market.ledger.text_templates(&id(group)).await.unwrap();
            texts.into_iter().map(|text| text.name).collect::<Vec<_>>()
        };
        assert_eq!(names("beta").await, ["first", "third"]);
        assert!(names("alpha").await.is_empty());
        let everything = market.everything().await;
        assert!(!everything.windows(WORDS.len()).any(|window| window == WORDS.as_bytes()));
        market.ledger.remove_text_template(&actor, &id("beta"), first).await.unwrap();
        market.ledger.remove_text_template(&actor, &id("beta"), first).await.unwrap();
        assert_eq!(names("beta").await, ["first"]);
        assert_eq!((market.count(Act::TextSet).await, market.count(Act::TextRemoved).await), (3, 1));
    }
}

#[tokio::test]
async fn one_draft_that_cannot_be_read_keeps_no_other() {
    let market = Market::open().await;
    let (damaged, whole) = (market.begin(None).await, market.begin(None).await);
    let rows = market.rows(Table::Draft).await;
    let (key, _) = rows.into_iter().find(|(key, _)| key.ends_with(damaged.id.as_bytes())).unwrap();
    let put = vec![(key, b"\x01\xffgarbage".as_slice().into())];
    market.engine.commit(Changeset { put, ..Changeset::default() }).await.unwrap();
    let ids: Vec<DraftId> =
        market.ledger.drafts(market.reader).await.unwrap().iter().map(|draft| draft.id).collect();
    assert_eq!(ids, [whole.id]);
    market.pass(SignedDuration::from_hours(2));
    assert_eq!(market.ledger.sweep_drafts(Duration::from_secs(3_600)).await.unwrap(), 1);
}

/// A full or broken disk is no reason to show half a file.
#[tokio::test]
async fn a_store_that_breaks_in_an_upload_keeps_what_was_committed() {
    let market = Market::open().await;
    let draft = market.begin(None).await;
    let file = market.ledger.begin_file(&draft, "a", "", None).await.unwrap();
    let mut writer = market.ledger.resume_file(&draft, file, 0).await.unwrap();
    writer.write(&noise(1_500_000)).await.unwrap();
    market.memory.as_ref().unwrap().set_full(true);
    assert_eq!(writer.write(&noise(1_500_000)).await.unwrap_err(), StoreError::Full);
    market.memory.as_ref().unwrap().set_full(false);
    assert_eq!(market.ledger.draft_file(&draft, file).await.unwrap().unwrap().received, 1_048_576);
}
