//! Keyed reply addresses: `r-<key>@<notice domain>`, one for each case and recipient.
//!
//! The key holds the case, a mark of the recipient and a MAC over both and the recipient's group. It
//! is checked without looking anything up, and it is good only in the hands of the group it was made
//! for; it opens nothing by itself.

use mail::{Address, GroupId};
use store::{CaseId, Ledger};

/// What marks the local part as ours.
const PREFIX: &str = "r-";
/// Case, recipient's mark, MAC: 32 bytes, 52 symbols, well inside the 64 of a local part (RFC 5321 §4.5.3.1.1).
const BYTES: usize = 20 + 4 + 8;
const SYMBOLS: usize = 52;

/// Base32 in lower case: mail systems may fold the case of a local part.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The address to which `recipient` of `group` replies in `case`.
pub(crate) fn mint(
    ledger: &Ledger,
    domain: &str,
    case: CaseId,
    group: &GroupId,
    recipient: &Address,
) -> Option<Address> {
    let digest = certs::sha256(recipient.key().as_bytes());
    let mut mark = [0; 4];
    mark.copy_from_slice(&digest[..4]);
    let mut key = [0; BYTES];
    key[..20].copy_from_slice(case.as_bytes());
    key[20..24].copy_from_slice(&mark);
    key[24..].copy_from_slice(&mac(ledger, case, &mark, group));
    Address::parse(&format!("{PREFIX}{}@{domain}", write(&key))).ok()
}

/// The case that `address` names, if it is a reply address of this installation that was made for `group`.
pub(crate) fn read(ledger: &Ledger, domain: &str, address: &Address, group: &GroupId) -> Option<CaseId> {
    if address.domain() != domain {
        return None;
    }
    let local = address.local().to_ascii_lowercase();
    let key = parse(local.strip_prefix(PREFIX)?)?;
    let case = CaseId::from_bytes(*key.first_chunk::<20>()?);
    let mark: [u8; 4] = key[20..24].try_into().ok()?;
    certs::equal(&key[24..], &mac(ledger, case, &mark, group)).then_some(case)
}

fn mac(ledger: &Ledger, case: CaseId, mark: &[u8; 4], group: &GroupId) -> [u8; 8] {
    let bound = [case.as_bytes().as_slice(), mark, group.as_str().as_bytes()].concat();
    let mac = ledger.mac("reply address", &bound);
    let mut short = [0; 8];
    short.copy_from_slice(&mac[..8]);
    short
}

fn write(key: &[u8; BYTES]) -> String {
    let bit = |place: usize| key.get(place / 8).map_or(0, |byte| usize::from(byte >> (7 - place % 8) & 1));
    (0..SYMBOLS)
        .map(|symbol| (0..5).fold(0, |value, index| value << 1 | bit(symbol * 5 + index)))
        .map(|value| char::from(ALPHABET[value]))
        .collect()
}

fn parse(text: &str) -> Option<[u8; BYTES]> {
    if text.len() != SYMBOLS {
        return None;
    }
    let mut key = [0; BYTES];
    for (index, symbol) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == symbol)?;
        for bit in (0..5).filter(|bit| value >> (4 - bit) & 1 == 1) {
            let place = index * 5 + bit;
            // The last symbol has four bits to spare; they must be zero, so that a key has one spelling.
            *key.get_mut(place / 8)? |= 0x80 >> (place % 8);
        }
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        let key: [u8; BYTES] = std::array::from_fn(|index| (index * 37 + 11) as u8);
        let text = write(&key);
        assert_eq!(text.len(), SYMBOLS);
        assert_eq!(parse(&text), Some(key));
        assert_eq!(parse(&text[1..]), None);
        let mut other = text.clone().into_bytes();
        // The last symbol carries one bit: setting a spare one names no key.
        other[SYMBOLS - 1] = b'1';
        assert_eq!(parse(std::str::from_utf8(&other).unwrap()), None);
    }
}
