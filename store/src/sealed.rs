//! Rows that hold the addresses of strangers: mail that goes on or waits, and what is done for it. The whole record is
//! sealed under a fresh key that the installation's transit key wraps, bound to the row's table and id; what routing
//! needs stands in the row's key. Nothing here knows what a record means.

use bytes::Bytes;
use certs::{MessageKey, RootKey, SealedPart};
use minicbor::{Decode, Encode};

use crate::{error::StoreError, ids::Locator, keys::Table, records};

/// First byte of such a row; [`records`] writes others.
const SEALED: u8 = 2;

#[derive(Encode, Decode)]
#[cbor(map)]
struct Row {
    #[cbor(n(0), with = "minicbor::bytes")]
    wrapped: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

pub(crate) fn encode<K, T: Encode<()>>(
    root: &RootKey,
    table: Table,
    id: &Locator<K>,
    record: &T,
) -> Result<Bytes, StoreError> {
    let (key, place) = (MessageKey::generate()?, place(table, id));
    let sealed = key.seal(&place, SealedPart::Headline, &records::encode(record)?)?;
    let row = Row { wrapped: root.transit().wrap(&key, &place)?, sealed };
    let mut bytes = vec![SEALED];
    minicbor::encode(row, &mut bytes).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    Ok(bytes.into())
}

/// Opens what [`encode`] made; a row that an earlier release wrote in clear is read as it is.
pub(crate) fn decode<K, T: for<'b> Decode<'b, ()>>(
    root: &RootKey,
    table: Table,
    id: &Locator<K>,
    bytes: &[u8],
) -> Result<T, StoreError> {
    let Some((&SEALED, row)) = bytes.split_first() else { return records::decode(bytes) };
    let row: Row = minicbor::decode(row).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let place = place(table, id);
    let key = root.transit().unwrap(&row.wrapped, &place)?;
    records::decode(&key.open(&place, SealedPart::Headline, &row.sealed)?)
}

fn place<K>(table: Table, id: &Locator<K>) -> Vec<u8> {
    [&[table as u8][..], id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::ids::JobId;

    #[test]
    fn a_sealed_row_opens_in_its_place_alone() {
        certs::install_provider();
        let (root, stranger) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
        let [one, two] = [1, 2].map(|second| JobId::new(Timestamp::from_second(second).unwrap()).unwrap());
        let record = "jo@outside.example".to_owned();
        let row = encode(&root, Table::Queue, &one, &record).unwrap();
        assert!(!row.windows(7).any(|window| window == b"outside"));
        let open = |root, table, id, row: &[u8]| decode::<_, String>(root, table, id, row);
        assert_eq!(open(&root, Table::Queue, &one, &row).as_ref(), Ok(&record));
        for refused in [
            open(&root, Table::Queue, &two, &row),
            open(&root, Table::Passage, &one, &row),
            open(&stranger, Table::Queue, &one, &row),
            open(&root, Table::Queue, &one, &row[..row.len() - 1]),
            open(&root, Table::Queue, &one, &[SEALED]),
        ] {
            assert!(refused.is_err());
        }
        let clear = records::encode(&record).unwrap();
        assert_eq!(open(&root, Table::Queue, &one, &clear), Ok(record), "of an earlier release");
    }
}
