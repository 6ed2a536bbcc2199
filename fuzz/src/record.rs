//! Stored forms: what is read back from a disk that may be damaged, or from the hand of somebody else.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use mail::{Address, ContactType, GroupId, Headline, Mpid, ProcessId};
use minicbor::{Decode, Encode};
use store::{CaseId, CaseReference, Event, Network};

/// Any bytes are refused or read; what was read is written and read again as the same. The same holds for the texts
/// that name things in links and subject lines.
pub fn record(data: &[u8]) {
    if let Ok(event) = Event::from_bytes(data) {
        let mut again = vec![data[0]];
        minicbor::encode(&event, &mut again).expect("memory does not fail");
        assert_eq!(Event::from_bytes(&again).expect("what was written is read"), event);
    }
    stored::<Headline>(data);
    stored::<Address>(data);
    stored::<GroupId>(data);
    stored::<ProcessId>(data);
    stored::<ContactType>(data);
    stored::<Mpid>(data);
    if let Ok(text) = std::str::from_utf8(data) {
        named::<CaseId>(text);
        named::<CaseReference>(text);
        named::<Network>(text);
    }
}

fn stored<T>(data: &[u8])
where
    T: for<'b> Decode<'b, ()> + Encode<()> + PartialEq + Debug,
{
    let Ok(value) = minicbor::decode::<T>(data) else { return };
    let again = minicbor::to_vec(&value).expect("memory does not fail");
    assert_eq!(minicbor::decode::<T>(&again).expect("what was written is read"), value);
}

fn named<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    let Ok(name) = text.parse::<T>() else { return };
    assert_eq!(name.to_string().parse::<T>().ok(), Some(name));
}
