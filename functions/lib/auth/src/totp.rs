//! Time-based one-time passwords (RFC 6238 with SHA-1, six digits, 30 s: what every authenticator app knows).

use hmac::{Hmac, Mac};
use pm_api::Timestamp;
use sha1::Sha1;

/// Length of a secret, bytes (RFC 4226 recommends that of the hash).
pub const SECRET_BYTES: usize = 20;
/// How long a code is shown, seconds.
const STEP_S: i64 = 30;
/// Steps before and after the present one whose codes are accepted, since clocks differ.
const TOLERANCE_STEPS: i64 = 1;
const DIGITS: usize = 6;
/// The alphabet of base 32 (RFC 4648).
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The step of time whose code this is; `None` if it is none of the present, or none after `last_step`, the step of the last
/// code that was accepted.
#[must_use]
pub fn accepted_step(secret: &[u8], given: &str, last_step: i64, now: Timestamp) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    if given.len() != DIGITS || !given.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let present = step_of(now);
    let steps = (present - TOLERANCE_STEPS)..=(present + TOLERANCE_STEPS);
    steps.filter(|step| *step > last_step).find(|step| code(secret, *step).is_some_and(|code| code == given))
}

/// The code that an app shows at this time.
#[must_use]
pub fn code_at(secret: &[u8], now: Timestamp) -> Option<String> {
    code(secret, step_of(now))
}

fn step_of(now: Timestamp) -> i64 {
    now.0.div_euclid(Timestamp::SECOND).div_euclid(STEP_S)
}

/// The code of a step (RFC 4226, section 5.3).
fn code(secret: &[u8], step: i64) -> Option<String> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash.last()? & 0x0f);
    let bytes: [u8; 4] = hash.get(offset..offset + 4)?.try_into().ok()?;
    let number = (u32::from_be_bytes(bytes) & 0x7fff_ffff) % 10_u32.pow(DIGITS as u32);
    Some(format!("{number:0DIGITS$}"))
}

/// Bytes in base 32, without padding.
#[must_use]
pub fn to_base32(bytes: &[u8]) -> String {
    let (mut text, mut bits, mut held) = (String::new(), 0_u32, 0_u32);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(BASE32[((bits >> held) & 31) as usize]));
        }
    }
    if held > 0 {
        text.push(char::from(BASE32[((bits << (5 - held)) & 31) as usize]));
    }
    text
}

/// The bytes of a text in base 32; `None` if it is not one.
#[must_use]
pub fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0_u32, 0_u32);
    for letter in text.bytes() {
        let value = BASE32.iter().position(|b| *b == letter)?;
        bits = (bits << 5) | value as u32;
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push(((bits >> held) & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// The address that an authenticator app opens. `secret` is in base 32.
#[must_use]
pub fn uri(secret: &str, email: &str) -> String {
    let escape = |text: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~@".contains(&b);
        text.bytes().fold(String::new(), |escaped, b| match plain(b) {
            true => escaped + &char::from(b).to_string(),
            false => escaped + &format!("%{b:02X}"),
        })
    };
    let issuer = escape("Predictive Maintenance");
    format!("otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}", escape(email))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * Timestamp::SECOND)
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // the last six digits of the eight in appendix B
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(SECRET, step_of(at(seconds))).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_code_works_around_its_time_and_once() {
        let step = step_of(at(1_111_111_111));
        let accepted = |given: &str, last, seconds| accepted_step(SECRET, given, last, at(seconds));
        for seconds in [-30, 0, 30] {
            assert_eq!(accepted("050 471", 0, 1_111_111_111 + seconds), Some(step));
        }
        assert_eq!(accepted("050471", 0, 1_111_111_111 + 60), None);
        assert_eq!(accepted("050471", 0, 1_111_111_111 - 60), None);
        assert_eq!(accepted("050471", step, 1_111_111_111), None, "used before");
        for bad in ["", "05047", "0504711", "05047x", "０５０４７１"] {
            assert_eq!(accepted(bad, 0, 1_111_111_111), None);
        }
    }

    #[test]
    fn base_32_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(to_base32(bytes.as_bytes()), text);
            assert_eq!(from_base32(text).as_deref(), Some(bytes.as_bytes()));
        }
        assert_eq!(from_base32("a1"), None);
        let uri = uri("MZXQ", "a+b@example.com");
        assert!(
            uri.starts_with("otpauth://totp/Predictive%20Maintenance:a%2Bb@example.com?secret=MZXQ&"),
            "{uri}"
        );
    }
}
