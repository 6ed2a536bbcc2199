//! Originals: byte for byte in and out, unreadable at rest, swept when nobody names them.

use super::*;

#[tokio::test]
async fn a_mail_comes_back_byte_for_byte_at_every_size_around_the_chunks() {
    let market = Market::open().await;
    let chunk = certs::CHUNK;
    let sizes = [0, 1, chunk - 1, chunk, chunk + 1, 4 * chunk, 4 * chunk + 1, 8 * chunk + 7, 20 * chunk + 3];
    for (source, size) in sizes.into_iter().enumerate() {
        let original = noise(size);
        let accepted = market.mail("alpha", source as u8, &original, market.opening()).await.unwrap();
        let case = accepted.cases[0].id;
        assert!(market.read(case, "beta").await.unwrap() == [original.clone()], "size {size}");
        assert!(market.read(case, "alpha").await.unwrap() == [original], "size {size}");
    }
    // What arrived in pieces is named by its message now, and is not swept.
    assert_eq!(market.ledger.sweep_arriving(Duration::ZERO).await.unwrap(), 0);
}

#[tokio::test]
async fn a_mail_can_be_read_before_anything_names_it() {
    let market = Market::open().await;
    // The large one is in the ledger in part, the others are not.
    for size in [0, 1, certs::CHUNK + 1, 20 * certs::CHUNK + 3, 3_000_000] {
        let original = noise(size);
        let sealed = market.sealed(&original).await;
        let open = sealed.open(&market.ledger);
        assert!(open.range(0, u64::MAX).await.unwrap() == original, "size {size}");
        let middle = size / 2;
        assert!(
            open.range(middle as u64, 70_000).await.unwrap() == original[middle..size.min(middle + 70_000)]
        );
    }
}

#[tokio::test]
async fn a_range_reads_only_what_it_names() {
    let market = Market::open().await;
    let original = noise(300_000);
    let accepted = market.mail("alpha", 1, &original, market.opening()).await.unwrap();
    let case = market.ledger.case(accepted.cases[0].id).await.unwrap().unwrap();
    let record = market.ledger.messages(case.id).await.unwrap().remove(0);
    let actor = Actor::User(market.reader);
    let opened =
        market.ledger.open_message(&actor, &case, record, &id("beta"), Reading::Attachment).await.unwrap();
    for (offset, length) in
        [(0, 10), (65_530, 20), (65_536, 65_536), (262_100, 100), (299_999, 50), (400_000, 1)]
    {
        let end = (offset + length).min(original.len());
        let expected = original.get(offset..end).unwrap_or_default();
        assert!(opened.range(offset as u64, length as u64).await.unwrap() == expected, "{offset} {length}");
    }
}

#[tokio::test]
async fn nothing_of_a_mail_is_readable_in_the_store() {
    let market = Market::open().await;
    market.mail("alpha", 1, b"Subject: x\r\n\r\nunmistakable words", market.opening()).await.unwrap();
    let everything = market.everything().await;
    for word in ["unmistakable", "secret subject", "1200023305967", "m1@alpha.example"] {
        assert!(!everything.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
}

#[tokio::test]
async fn what_is_never_accepted_is_swept() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(5_000_000)).await.unwrap();
    // As after a kill: nobody is left to clear up.
    std::mem::forget(writer.finish().await.unwrap());
    let size = market.everything().await.len();
    assert!(size > 4_000_000);
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(10)).await.unwrap(), 0);
    market.pass(SignedDuration::from_secs(11));
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(10)).await.unwrap(), 1);
    assert!(market.everything().await.len() < 100_000);
}

#[tokio::test]
async fn what_was_swept_cannot_be_accepted() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(2_000_000)).await.unwrap();
    // The clock jumps while the rest arrives, and the sweep takes the upload for an orphan.
    market.pass(SignedDuration::from_hours(48));
    assert_eq!(market.ledger.sweep_arriving(Duration::from_secs(3_600)).await.unwrap(), 1);
    let refused = async {
        writer.write(&noise(2_000_000)).await?;
        market.accept(writer, 1, market.opening()).await
    };
    assert_eq!(refused.await, Err(StoreError::Conflict));
    assert!(market.everything().await.len() < 100_000);
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing_behind() {
    let market = Market::open().await;
    let mut writer = ContentWriter::new(&market.ledger).unwrap();
    writer.write(&noise(2_000_000)).await.unwrap();
    drop(writer);
    while market.everything().await.len() > 100_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_full_store_says_so_and_works_again() {
    let market = Market::open().await;
    market.memory.as_ref().unwrap().set_full(true);
    assert_eq!(market.mail("alpha", 1, b"body", market.opening()).await, Err(StoreError::Full));
    market.memory.as_ref().unwrap().set_full(false);
    market.mail("alpha", 1, b"body", market.opening()).await.unwrap();
    market.memory.as_ref().unwrap().break_down("no disk");
    let broken = market.mail("alpha", 2, b"body", market.opening()).await;
    assert!(matches!(broken, Err(StoreError::Broken(_))));
}
