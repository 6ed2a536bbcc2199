//! Sealed content and wrapped keys, as somebody gives them back who could write to the store.

use std::sync::LazyLock;

use certs::{CHUNK, MessageKey, Opener, RootKey, SealedPart, TAG};

const ID: &[u8] = b"content";
const GROUP: &[u8] = b"alpha";
const PART: SealedPart = SealedPart::Original;
/// Changes that are made to one text at most.
const CHANGES: usize = 16;

/// Fresh keys for each run: no verdict depends on which ones.
static KEPT: LazyLock<Kept> = LazyLock::new(Kept::new);

struct Kept {
    root: RootKey,
    opener: Opener,
    wrap: Vec<u8>,
    key: MessageKey,
    text: Vec<u8>,
    sealed: Vec<u8>,
}

/// Content of three chunks and its wrapped key open if and only if nothing in them was changed, and bytes that were
/// never sealed open nowhere. `data` is a list of changes, four bytes each.
pub fn sealed(data: &[u8]) {
    let kept = &*KEPT;
    let content = changed(&kept.sealed, data);
    let original = (content == kept.sealed).then_some(&kept.text);
    assert_eq!(kept.key.open(ID, PART, &content).ok().as_ref(), original, "the content");
    let wrap = changed(&kept.wrap, data);
    let key = kept.opener.unwrap(&wrap, ID).ok();
    assert_eq!(key.is_some(), wrap == kept.wrap, "the wrap");
    assert!(key.is_none_or(|key| key.open(ID, PART, &kept.sealed).is_ok()), "another key in the wrap");
    assert!(kept.key.open(ID, PART, data).is_err());
    assert!(kept.key.open_chunk(ID, PART, 0, true, data).is_err());
    assert!(kept.opener.unwrap(data, ID).is_err());
    assert!(kept.root.opener(GROUP, data).is_err());
}

impl Kept {
    fn new() -> Self {
        certs::install_provider();
        let root = RootKey::generate().expect("a root key");
        let group = root.new_group(GROUP).expect("keys of a group");
        let key = MessageKey::generate().expect("a message key");
        let text: Vec<u8> = (0..2 * CHUNK + 100).map(|i| (i * 7 + i / 251) as u8).collect();
        Self {
            opener: root.opener(GROUP, &group.sealed_private).expect("an opener"),
            wrap: key.wrap(&group.public, ID).expect("a wrap"),
            sealed: key.seal(ID, PART, &text).expect("sealed content"),
            root,
            key,
            text,
        }
    }
}

/// Applies the changes that `data` lists: a byte, a cut, a byte more, two chunks swapped, one chunk twice.
fn changed(sealed: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = sealed.to_vec();
    for change in data.as_chunks::<4>().0.iter().take(CHANGES) {
        let [what, high, low, value] = *change;
        let place = (usize::from(u16::from_be_bytes([high, low])) * (bytes.len() + 1)) >> 16;
        let place = (place + usize::from(value % 16)).min(bytes.len());
        match what % 5 {
            0 => bytes.iter_mut().skip(place).take(1).for_each(|byte| *byte ^= value),
            1 => bytes.truncate(place),
            2 => bytes.insert(place, value),
            3 => bytes = chunks(&bytes, high, |chunks, at| chunks.swap(0, at)),
            _ => bytes = chunks(&bytes, high, |chunks, at| chunks.insert(0, chunks[at])),
        }
    }
    bytes
}

/// Changes the order of the chunks; `choice` says which one it is about.
fn chunks(bytes: &[u8], choice: u8, change: fn(&mut Vec<&[u8]>, usize)) -> Vec<u8> {
    let mut chunks: Vec<&[u8]> = bytes.chunks(CHUNK + TAG).collect();
    if let Some(at) = usize::from(choice).checked_rem(chunks.len()) {
        change(&mut chunks, at);
    }
    chunks.concat()
}
