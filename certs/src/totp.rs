//! One-time codes by the clock (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, thirty seconds, as every authenticator
//! app has them.
//!
//! A code is good for its own step and the ones beside it, and never twice: who checks one remembers the step it was of.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::{KeyError, equal, random};

/// Seconds of one step (RFC 6238 §4.1, `X`).
const STEP: u64 = 30;
/// Steps before and after the present one whose code counts: clocks differ, and people are slow (RFC 6238 §5.2).
const DRIFT: u64 = 1;
const DIGITS: usize = 6;
/// RFC 4648 §6.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What an authenticator app and the ledger share: 160 bits (RFC 4226 §4, R6).
pub struct TotpSecret(Zeroizing<Vec<u8>>);

impl TotpSecret {
    pub fn generate() -> Result<Self, KeyError> {
        Ok(Self(Zeroizing::new(random::<20>()?.to_vec())))
    }

    pub fn from_bytes(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// To be typed into an app that has no camera.
    pub fn in_base32(&self) -> String {
        let mut text = String::with_capacity(self.0.len() * 8 / 5 + 1);
        let (mut held, mut bits) = (0u32, 0);
        for byte in self.0.iter() {
            held = (held << 8 | u32::from(*byte)) & 0xfff;
            bits += 8;
            while bits >= 5 {
                bits -= 5;
                text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
            }
        }
        if bits > 0 {
            text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
        }
        text
    }

    /// What the app reads from the picture. `issuer` and `account` are escaped here.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        let (issuer, account) = (escaped(issuer), escaped(account));
        let secret = self.in_base32();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30"
        )
    }

    /// The step whose code this is, if it is near the time `now` (seconds since 1970) and after the step `last`. Every
    /// candidate is compared, so that the time of the answer tells nothing.
    pub fn step_of(&self, code: &str, now: u64, last: Option<u64>) -> Option<u64> {
        let present = now / STEP;
        let mut found = None;
        for step in present.saturating_sub(DRIFT)..=present + DRIFT {
            let fits = equal(self.code(step, DIGITS).as_bytes(), code.as_bytes());
            if fits & last.is_none_or(|last| step > last) {
                found = Some(step);
            }
        }
        found
    }

    /// The code at a time, for whoever holds the secret: an app, or a test in its place.
    pub fn code_at(&self, now: u64) -> String {
        self.code(now / STEP, DIGITS)
    }

    /// RFC 4226 §5.3.
    fn code(&self, step: u64, digits: usize) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or(0) & 15);
        let four = tag.get(offset..offset + 4).and_then(|four| four.first_chunk::<4>());
        let number = u32::from_be_bytes(four.copied().unwrap_or_default()) & 0x7fff_ffff;
        let modulus = 10_u32.pow(u32::try_from(digits).unwrap_or(9));
        format!("{:0digits$}", number % modulus)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret")
    }
}

fn escaped(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc() -> TotpSecret {
        TotpSecret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    /// RFC 6238, Appendix B, the SHA-1 rows: eight digits there.
    #[test]
    fn the_vectors_of_rfc_6238() {
        for (time, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(rfc().code(time / STEP, 8), code);
            assert_eq!(rfc().code_at(time), code[2..]);
        }
    }

    /// RFC 4226, Appendix D.
    #[test]
    fn the_vectors_of_rfc_4226() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (step, code) in (0..).zip(codes) {
            assert_eq!(rfc().code(step, 6), code);
        }
    }

    #[test]
    fn a_code_counts_near_its_time_and_once() {
        let (secret, now) = (rfc(), 1_234_567_890);
        let step = now / STEP;
        let code = secret.code_at(now);
        assert_eq!(secret.step_of(&code, now, None), Some(step));
        assert_eq!(secret.step_of(&code, now + STEP, None), Some(step));
        assert_eq!(secret.step_of(&code, now - STEP, None), Some(step));
        assert_eq!(secret.step_of(&code, now + 2 * STEP, None), None);
        assert_eq!(secret.step_of(&code, now, Some(step)), None, "used");
        assert_eq!(secret.step_of(&code, now, Some(step - 1)), Some(step));
        for wrong in ["", "000000", "0059245", "59245", "89005924", "٠٠٥٩٢٤"] {
            assert_eq!(secret.step_of(wrong, now, None), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_reads_the_address() {
        assert_eq!(
            rfc().uri("Postern & Co", "sam@beta.example"),
            "otpauth://totp/Postern%20%26%20Co:sam@beta.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Postern%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{:?}", rfc()), "TotpSecret");
    }
}
