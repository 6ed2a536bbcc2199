//! Addresses, as strangers write them into SMTP paths.

use mail::Address;

/// What parses is read back from its own spelling, because the ledger does that; it has one `@` that parts it, and
/// nothing in it ends a line or closes the brackets of a path.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(address) = Address::parse(text) else { return };
    let written = address.to_string();
    assert_eq!(Address::parse(&written).as_ref(), Ok(&address));
    assert_eq!(written, format!("{}@{}", address.local(), address.domain()));
    assert!(!written.contains(char::is_control), "a control character in {written:?}");
    assert!(!address.domain().contains(['<', '>', ' ', '@']), "a domain {:?}", address.domain());
    let stored = minicbor::to_vec(&address).expect("memory does not fail");
    assert_eq!(minicbor::decode::<Address>(&stored).expect("what was stored is read"), address);
}
