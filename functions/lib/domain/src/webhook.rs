//! What is sent to a webhook, and how it is signed.
//!
//! Signatures follow the Standard Webhooks specification 1.0 (standardwebhooks.com): `webhook-signature` holds
//! `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, once per valid secret. Receivers of the older kind find
//! `x-webhook-signature: sha256=` and the hexadecimal HMAC of the body, keyed with the secret's text.

use crate::duration::{DAY_S, MINUTE_S};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac_sha256::HMAC;
use pm_api::{
    Timestamp,
    event::{EVENTS, Envelope, TEST_EVENT, TestEvent},
};
use std::fmt::Write;

/// A test is sent at once; if that fails, the clock sends it after so long, seconds.
pub const TEST_RETRY_S: i64 = MINUTE_S;
/// Seconds for which the secret before the last is still used for signing.
const ROTATION_OVERLAP_S: i64 = DAY_S;
/// Begins a secret whose rest is base64 of the key.
const SECRET_PREFIX: &str = "whsec_";
/// Length of a key, bytes (Standard Webhooks: 24 to 64).
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Every subscription that a webhook may have, with an event that it covers: the event itself, its group (`alarm.*`), or
/// all events (`*`).
pub fn subscriptions() -> impl Iterator<Item = (String, &'static str)> {
    EVENTS.iter().flat_map(|event| {
        let group = event.name.split('.').next().unwrap_or_default();
        ["*".to_owned(), format!("{group}.*"), event.name.to_owned()].map(|pattern| (pattern, event.name))
    })
}

/// May a webhook subscribe to this?
#[must_use]
pub fn is_subscription(pattern: &str) -> bool {
    subscriptions().any(|(known, _)| known == pattern)
}

/// A secret from 32 random bytes.
#[must_use]
pub fn secret(random: [u8; 32]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(random))
}

/// May this be a secret? Either any text of one line, or `whsec_` and the base64 of 24 to 64 bytes.
#[must_use]
pub fn is_secret(text: &str) -> bool {
    !text.trim().is_empty()
        && !text.contains(char::is_control)
        && (!text.starts_with(SECRET_PREFIX)
            || decoded(text).is_some_and(|key| KEY_BYTES.contains(&key.len())))
}

fn decoded(secret: &str) -> Option<Vec<u8>> {
    STANDARD.decode(secret.strip_prefix(SECRET_PREFIX)?).ok()
}

/// The value of `webhook-signature` for one secret.
#[must_use]
pub fn signature(secret: &str, id: &str, timestamp_s: i64, body: &str) -> String {
    let key = decoded(secret).unwrap_or_else(|| secret.as_bytes().to_vec());
    let signed = HMAC::mac(format!("{id}.{timestamp_s}.{body}"), key);
    format!("v1,{}", STANDARD.encode(signed))
}

/// The value of the older `x-webhook-signature`.
#[must_use]
pub fn old_signature(secret: &str, body: &str) -> String {
    HMAC::mac(body, secret).iter().fold("sha256=".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The body of a test event, as documented; a test of an address may give it another name.
#[must_use]
pub fn test_body(event: &str, now: Timestamp) -> String {
    let data = TestEvent { test: true, message: "This is a test webhook event".to_owned(), timestamp: now };
    let body = Envelope { event: event.to_owned(), timestamp: now, data };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The headers of one delivery. `secrets` holds the newest first.
#[must_use]
pub fn headers(secrets: &[&str], id: &str, timestamp_s: i64, body: &str) -> Vec<(String, String)> {
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("user-agent".to_owned(), concat!("predictive-maintenance/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), timestamp_s.to_string()),
    ];
    if let Some(newest) = secrets.first() {
        let signatures: Vec<_> = secrets.iter().map(|s| signature(s, id, timestamp_s, body)).collect();
        headers.push(("webhook-signature".to_owned(), signatures.join(" ")));
        headers.push(("x-webhook-signature".to_owned(), old_signature(newest, body)));
    }
    headers
}

/// May a webhook have a header of its own by this name? Not those of the connection (RFC 9110, 7.6.1), not those that
/// describe the message, not the signature's.
#[must_use]
pub fn is_own_header(name: &str) -> bool {
    const RESERVED: &[&str] = &[
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "expect",
        "host",
        "http2-settings",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-webhook-signature",
    ];
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let name = name.to_ascii_lowercase();
    (1..=100).contains(&name.len())
        && name.bytes().all(token)
        && !RESERVED.contains(&name.as_str())
        && !name.starts_with("proxy-")
        && !name.starts_with("webhook-")
}

/// May this be a header's value?
#[must_use]
pub fn is_header_value(value: &str) -> bool {
    value.len() <= 2000 && value.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

/// What a receiver's answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// It has the event.
    Delivered,
    /// Try again later.
    Again,
    /// It wants no more events, ever: 410 Gone.
    Gone,
}

/// Judges a status code. A redirect is a failure: where it leads has not been checked.
#[must_use]
pub fn verdict(status: u16) -> DeliveryOutcome {
    match status {
        200..=299 => DeliveryOutcome::Delivered,
        410 => DeliveryOutcome::Gone,
        _ => DeliveryOutcome::Again,
    }
}

/// What a new secret changes: the former one signs as well until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation<'s> {
    /// The new secret.
    pub secret: &'s str,
    /// The former secret.
    pub previous: &'s str,
    /// When the former secret expires.
    pub previous_expires_at: Timestamp,
}

/// What `secret` changes of a webhook whose secret is `current`; `None`: it is the same.
#[must_use]
pub fn rotation<'s>(current: &'s str, secret: &'s str, now: Timestamp) -> Option<Rotation<'s>> {
    let previous_expires_at = now.plus_seconds(ROTATION_OVERLAP_S);
    (secret != current).then_some(Rotation { secret, previous: current, previous_expires_at })
}

/// The secrets that sign now: the current one, and the one before it until it expires.
#[must_use]
pub fn secrets<'s>(current: &'s str, previous: Option<(&'s str, Timestamp)>, now: Timestamp) -> Vec<&'s str> {
    let valid = previous.filter(|(_, expires_at)| *expires_at > now).map(|(secret, _)| secret);
    std::iter::once(current).chain(valid).collect()
}

/// How often a delivery is tried again: a test once only, because a person waits for its result.
#[must_use]
pub fn retries(event_type: &str, wanted: i32) -> i32 {
    if event_type == TEST_EVENT { 0 } else { wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    // published with the specification's reference libraries
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP_S: i64 = 1_614_265_330;
    const BODY: &str = r#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signatures_match_the_published_test_vector() {
        assert_eq!(signature(SECRET, ID, TIMESTAMP_S, BODY), SIGNATURE);
    }

    #[test]
    fn a_new_secret_leaves_the_former_one_valid_for_a_day() {
        let now = Timestamp(1_800_000_000 * Timestamp::SECOND);
        assert_eq!(rotation("old", "old", now), None);
        let rotation = rotation("old", "new", now).expect("another secret");
        assert_eq!((rotation.secret, rotation.previous), ("new", "old"));
        assert_eq!(rotation.previous_expires_at, now.plus_seconds(86_400));
    }

    #[test]
    fn during_a_rotation_both_secrets_sign() {
        let headers = headers(&["new", SECRET], ID, TIMESTAMP_S, BODY);
        let of =
            |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).unwrap_or_default();
        assert_eq!(
            of("webhook-signature"),
            format!("{} {SIGNATURE}", signature("new", ID, TIMESTAMP_S, BODY))
        );
        assert_eq!((of("webhook-id"), of("webhook-timestamp")), (ID, "1614265330"));
        assert_eq!(of("x-webhook-signature"), old_signature("new", BODY));
    }

    #[test]
    fn the_older_signature_is_the_hex_hmac_of_the_body() {
        // RFC 4231, test case 2
        assert_eq!(
            old_signature("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn secrets_have_24_to_64_bytes_or_any_text() {
        let made = secret([7; 32]);
        assert!(is_secret(&made) && made.starts_with("whsec_"), "{made}");
        assert!(is_secret("s3cr3t") && is_secret(SECRET));
        for bad in ["", " ", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64", "two\nlines"] {
            assert!(!is_secret(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_webhook_subscribes_to_events_groups_or_all() {
        for good in ["*", "alarm.*", "alarm.created", "prediction.critical", "machine.*", "test.event"] {
            assert!(is_subscription(good), "{good}");
        }
        for bad in
            ["", "alarm", "alarm*", "alarm.", "al.*", "banana.*", "alarm.created.*", "*.created", "ALARM.*"]
        {
            assert!(!is_subscription(bad), "{bad}");
        }
        let covered = |pattern: &str| -> Vec<_> {
            subscriptions().filter(|(known, _)| known == pattern).map(|(_, event)| event).collect()
        };
        assert_eq!(covered("*").len(), EVENTS.len());
        assert_eq!(covered("ticket.*"), ["ticket.assigned", "ticket.created", "ticket.updated"]);
        assert_eq!(covered("alarm.created"), ["alarm.created"]);
    }

    #[test]
    fn headers_that_the_platform_sets_cannot_be_configured() {
        for good in ["X-A", "Authorization", "x-api-key", "traceparent"] {
            assert!(is_own_header(good), "{good}");
        }
        for bad in [
            "",
            "Host",
            "Content-Length",
            "transfer-encoding",
            "Connection",
            "Proxy-Authorization",
            "Webhook-Id",
            "a b",
            "a:b",
            "ä",
            "x\r\ny",
        ] {
            assert!(!is_own_header(bad), "{bad:?}");
        }
        assert!(is_header_value("Bearer x y") && !is_header_value("a\r\nb") && !is_header_value("ä"));
    }

    #[test]
    fn an_answers_status_decides_between_done_retry_and_disable() {
        let verdicts = [200, 204, 301, 404, 410, 429, 500].map(verdict);
        use DeliveryOutcome::{Again, Delivered, Gone};
        assert_eq!(verdicts, [Delivered, Delivered, Again, Again, Gone, Again, Again]);
    }

    #[test]
    fn the_secret_before_signs_until_it_expires() {
        let now = Timestamp(1_800_000_000_000_000);
        for (expires_at, expected) in [
            (now.plus_seconds(ROTATION_OVERLAP_S), &["new", "old"][..]),
            (now.plus_seconds(1), &["new", "old"]),
            (now, &["new"]),
        ] {
            assert_eq!(secrets("new", Some(("old", expires_at)), now), expected);
        }
        assert_eq!(secrets("new", None, now), ["new"]);
    }

    #[test]
    fn a_test_is_not_repeated() {
        assert_eq!((retries(TEST_EVENT, 14), retries("alarm.created", 14)), (0, 14));
    }
}
