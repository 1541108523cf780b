//! Times as payloads write them: ISO 8601 text, or a number since 1970 in seconds, milliseconds, microseconds or
//! nanoseconds, distinguished by size.

use super::field::shown;
use crate::freshness::EARLIEST;
use pm_api::Timestamp;
use serde_json::{Number, Value};

/// Last representable instant, the end of the year 9999.
const END_OF_TIME_US: i64 = 253_402_300_799_999_999;

/// Keys under which the time of a value stands, best first, in lower case without `_`, `-`, `@` and `$`. A time at which
/// the value was measured comes before one at which it was passed on.
const KEYS: &[&str] = &[
    "timestamp",
    "ts",
    "time",
    "sourcetimestamp",
    "datetime",
    "dateobserved",
    "observedat",
    "measuredat",
    "measurementtime",
    "sampledat",
    "sampletime",
    "eventtime",
    "phenomenontime",
    "recordedat",
    "capturedat",
    "lastseen",
    "lastupdate",
    "lastupdated",
    "timestampms",
    "timestampus",
    "timestampns",
    "timems",
    "tsms",
    "epoch",
    "epochms",
    "unixtime",
    "unixtimestamp",
    "utc",
    "utctime",
    "t",
    "servertimestamp",
];

/// How good a key is as the time of a value, 0 is best; `None` if it is no key of a time.
#[must_use]
pub fn key_rank(key: &str) -> Option<usize> {
    if key == "timestamp" {
        return Some(0);
    }
    const MAX_KEY_BYTES: usize = 24;
    if key.len() > MAX_KEY_BYTES {
        return None;
    }
    let mut folded = [0; MAX_KEY_BYTES];
    let mut length = 0;
    for byte in key.bytes().filter(|byte| !matches!(byte, b'_' | b'-' | b'@' | b'$')) {
        folded[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    KEYS.iter().position(|known| known.as_bytes() == &folded[..length])
}

/// A time zone.
#[derive(Debug, Clone)]
pub struct Zone(jiff::tz::TimeZone);

impl Zone {
    /// The zone with this IANA name (`Europe/Berlin`), `UTC`, or a fixed offset such as `+01:00`.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let name = name.trim();
        if name.starts_with(['+', '-']) {
            let seconds = i32::try_from(offset_s(name)?).ok()?;
            return Some(Self(jiff::tz::TimeZone::fixed(jiff::tz::Offset::from_seconds(seconds).ok()?)));
        }
        jiff::tz::TimeZone::get(name).ok().map(Self)
    }

    /// Seconds to add to UTC at this local time; where a local time exists twice or not at all, those before the change.
    fn offset_s(&self, local_s: i64) -> Option<i64> {
        let local = jiff::Timestamp::from_second(local_s).ok()?;
        let local = jiff::tz::Offset::UTC.to_datetime(local);
        let instant = self.0.to_timestamp(local).ok()?;
        Some(local_s - instant.as_second())
    }
}

/// Reads a time. `key` names it in the error.
///
/// # Errors
/// It is no time, or it has no zone and `zone` is not given, or it is of a clock that was not set.
pub fn read(key: &str, value: &Value, zone: Option<&Zone>) -> Result<Timestamp, String> {
    let us = match value {
        Value::Number(number) => epoch(number),
        Value::String(text) => match text.trim().parse::<Number>() {
            Ok(number) => epoch(&number),
            Err(_) => Some(i128::from(iso(key, text, zone)?)),
        },
        _ => return Err(format!("{key}: neither a text nor a number")),
    };
    check(key, us.ok_or_else(|| format!("{key}: not a finite number"))?)
}

/// Checks that an instant, µs since 1970, may be the time of a reading.
///
/// # Errors
/// It is of a clock that was not set, or after the year 9999.
pub fn check(key: &str, us: i128) -> Result<Timestamp, String> {
    match i64::try_from(us) {
        Ok(at) if at > END_OF_TIME_US => Err(format!("{key}: after the year 9999")),
        Ok(at) if at >= EARLIEST.0 => Ok(Timestamp(at)),
        // without the time, so that dead letters of one cause have one reason
        _ if us < i128::from(EARLIEST.0) => {
            Err(format!("{key}: before 2001, so the clock of the sender is not set"))
        }
        _ => Err(format!("{key}: after the year 9999")),
    }
}

/// Microseconds since 1970 of an epoch number. Seconds up to 1e11 (the year 5138), then ms, µs, ns.
#[must_use]
pub fn epoch(number: &Number) -> Option<i128> {
    if let Some(integer) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
        return Some(match integer.unsigned_abs() {
            n if n < 100_000_000_000 => integer * 1_000_000,
            n if n < 100_000_000_000_000 => integer * 1000,
            n if n < 100_000_000_000_000_000 => integer,
            _ => integer.div_euclid(1000),
        });
    }
    let real = number.as_f64().filter(|n| n.is_finite())?;
    let us = match real.abs() {
        n if n < 1e11 => real * 1e6,
        n if n < 1e14 => real * 1e3,
        n if n < 1e17 => real,
        _ => real / 1e3,
    };
    Some(us.round() as i128)
}

/// Microseconds since 1970 of an ISO 8601 text: date and time of day, extended or basic, with `T` or a blank between
/// them.
fn iso(key: &str, text: &str, zone: Option<&Zone>) -> Result<i64, String> {
    let fails = || format!("{key}: {} is not an ISO 8601 time", shown(text));
    let (local_us, rest) = local(text.trim()).ok_or_else(fails)?;
    let rest = rest.trim();
    let (rest, named) = match rest.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((rest, name)) => (rest.trim_end(), Some(name)),
        None => (rest, None),
    };
    let seconds = local_us.div_euclid(1_000_000);
    let offset_s = match rest {
        "" => {
            let named = named.and_then(Zone::find);
            let Some(zone) = named.as_ref().or(zone) else {
                return Err(format!(
                    "{key}: {} has no time zone; send one (Z or +01:00), or set the zone of the source in a mapping",
                    shown(text)
                ));
            };
            zone.offset_s(seconds).ok_or_else(fails)?
        }
        "Z" | "z" | "UTC" | "GMT" | "utc" => 0,
        offset => offset_s(offset).ok_or_else(fails)?,
    };
    Ok(local_us - offset_s * 1_000_000)
}

/// Seconds of an offset: `+01:00`, `-0530`, `+01`.
fn offset_s(text: &str) -> Option<i64> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.len() {
        2 => (number(digits)?, 0),
        4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        5 if digits.as_bytes()[2] == b':' => (number(digits.get(..2)?)?, number(digits.get(3..)?)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Date and time of day as microseconds since 1970 in their zone, and what follows them.
fn local(text: &str) -> Option<(i64, &str)> {
    let (year, month, day, rest) = match text.as_bytes().get(4)? {
        b'-' | b'/' => {
            let same = text.as_bytes().get(7) == text.as_bytes().get(4);
            (
                number(text.get(..4)?)?,
                number(text.get(5..7)?)?,
                number(text.get(8..10)?)?,
                text.get(10..).filter(|_| same)?,
            )
        }
        _ => (number(text.get(..4)?)?, number(text.get(4..6)?)?, number(text.get(6..8)?)?, text.get(8..)?),
    };
    let rest = match rest.as_bytes().first() {
        // a date alone is its midnight
        None => return Some((days(year, month, day)? * 86_400_000_000, "")),
        Some(b'T' | b't' | b' ' | b'_') => &rest[1..],
        Some(_) => return None,
    };
    let hour = number(rest.get(..2)?)?;
    let (minute, rest) = match rest.as_bytes().get(2)? {
        b':' => (number(rest.get(3..5)?)?, rest.get(5..)?),
        _ => (number(rest.get(2..4)?)?, rest.get(4..)?),
    };
    let (second, rest) = match rest.as_bytes().first() {
        Some(b':') => (number(rest.get(1..3)?)?, &rest[3..]),
        Some(b'0'..=b'9') => (number(rest.get(..2)?)?, &rest[2..]),
        _ => (0, rest),
    };
    let (micros, rest) = match rest.as_bytes().first() {
        Some(b'.' | b',') => fraction(&rest[1..])?,
        _ => (0, rest),
    };
    (hour < 24 && minute < 60 && second < 60).then_some(())?;
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    Some((seconds * 1_000_000 + micros, rest))
}

/// Microseconds of the digits of a fraction of a second, cut at six, and what follows them.
fn fraction(text: &str) -> Option<(i64, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then_some(())?;
    let micros = (0..6).fold(0, |sum, place| {
        sum * 10 + text.as_bytes()[..end].get(place).map_or(0, |digit| i64::from(digit - b'0'))
    });
    Some((micros, &text[end..]))
}

fn number(digits: &str) -> Option<i64> {
    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// Days since 1970 of a date of the Gregorian calendar (Hinnant, days_from_civil).
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=longest).contains(&day).then_some(())?;
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const AT: i64 = 1_795_429_391_533_924;

    #[test]
    fn every_documented_form_is_read() {
        for (value, expected) in [
            (json!("2026-11-23T10:23:11.533924Z"), AT),
            (json!("2026-11-23T11:23:11.533924+01:00"), AT),
            (json!("2026-11-23T11:23:11.533924+0100"), AT),
            (json!("2026-11-23T11:23:11.533924+01"), AT),
            (json!("2026-11-23 11:23:11.533924 +01:00"), AT),
            (json!("2026-11-23 10:23:11.533924 UTC"), AT),
            (json!("2026-11-23T10:23:11.533924123Z"), AT),
            (json!("2026-11-23T10:23:11,533924Z"), AT),
            (json!("20261123T102311.533924Z"), AT),
            (json!("2026/11/23 10:23:11.533924Z"), AT),
            (json!("2026-11-23t10:23:11.533924z"), AT),
            (json!("2026-11-23T11:23:11.533924+01:00[Europe/Berlin]"), AT),
            (json!("2026-11-23T11:23:11.533924[Europe/Berlin]"), AT),
            (json!("2026-11-23T10:23Z"), 1_795_429_380_000_000),
            (json!(1_795_429_391), 1_795_429_391_000_000),
            (json!(1_795_429_391.5), 1_795_429_391_500_000),
            (json!(1_795_429_391_533_i64), 1_795_429_391_533_000),
            (json!(1_795_429_391_533.5), 1_795_429_391_533_500),
            (json!(AT), AT),
            (json!(1_795_429_391_533_924_123_i64), AT),
            (json!("1795429391533"), 1_795_429_391_533_000),
            (json!(" 1795429391.25 "), 1_795_429_391_250_000),
        ] {
            assert_eq!(read("t", &value, None).map(|t| t.0), Ok(expected), "{value}");
        }
    }

    #[test]
    fn a_reason_says_what_is_wrong() {
        for (value, reason) in [
            (json!("soon"), "not an ISO 8601 time"),
            (json!("2026-13-01T00:00:00Z"), "not an ISO 8601 time"),
            (json!("2026-02-29T00:00:00Z"), "not an ISO 8601 time"),
            (json!("2026-11-23T24:00:00Z"), "not an ISO 8601 time"),
            (json!("2026-11-23T10:23:11+1:00"), "not an ISO 8601 time"),
            (json!("2026-11-23T10:23:11 CET"), "not an ISO 8601 time"),
            (json!("é026-11-23T10:23:11Z"), "not an ISO 8601 time"),
            (json!([]), "neither a text nor a number"),
            (json!("2026-11-23T10:23:11"), "no time zone"),
            (json!("2026-11-23 10:23:11.5"), "no time zone"),
            (json!("2026-11-23"), "no time zone"),
            (json!("1970-01-01T00:00:05Z"), "clock of the sender is not set"),
            (json!("2000-01-01T00:03:00Z"), "clock of the sender is not set"),
            (json!(0), "clock of the sender is not set"),
            (json!(86_400), "clock of the sender is not set"),
            (json!(-5), "clock of the sender is not set"),
            (json!(1e300), "after the year 9999"),
        ] {
            let read = read("ts", &value, None);
            assert!(
                read.as_ref().is_err_and(|e| e.starts_with("ts: ") && e.contains(reason)),
                "{value}: {read:?}"
            );
        }
    }

    #[test]
    fn a_zone_follows_summer_time() {
        let berlin = Zone::find("Europe/Berlin");
        for (text, utc) in [
            ("2026-11-30T08:43:15", "2026-11-30T07:43:15Z"),
            ("2026-07-30T08:43:15.25", "2026-07-30T06:43:15.25Z"),
            // twice: the first; not at all: as before the change
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-03-29T02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-11-30T08:43:15Z", "2026-11-30T08:43:15Z"),
        ] {
            assert_eq!(read("t", &json!(text), berlin.as_ref()), read("t", &json!(utc), None), "{text}");
        }
        for (name, known) in
            [("UTC", true), ("America/New_York", true), ("+05:30", true), ("Berlin", false), ("+99", false)]
        {
            assert_eq!(Zone::find(name).is_some(), known, "{name}");
        }
    }

    #[test]
    fn keys_are_known_in_every_spelling() {
        for key in [
            "ts",
            "time",
            "t",
            "Time",
            "last_seen",
            "lastSeen",
            "dateObserved",
            "SourceTimestamp",
            "TimeStamp",
            "date_time",
            "@timestamp",
        ] {
            assert!(key_rank(key).is_some(), "{key}");
        }
        for key in
            ["value", "temperature", "timer", "tt", "", "uptime", "a_very_long_key_that_is_no_time_at_all"]
        {
            assert_eq!(key_rank(key), None, "{key}");
        }
        assert!(key_rank("timestamp") < key_rank("t"));
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read(us in EARLIEST.0..END_OF_TIME_US) {
            let time = Timestamp(us);
            proptest::prop_assert_eq!(read("t", &json!(time.to_string()), None), Ok(time));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}|[0-9T:Z+.,/ -]{0,30}") {
            let _ = read("t", &json!(text), Zone::find("Europe/Berlin").as_ref());
        }
    }
}
