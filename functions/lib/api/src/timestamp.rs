//! An instant in UTC with microsecond resolution, the resolution of the database.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use std::{fmt, str::FromStr};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// Microseconds since 1970-01-01T00:00:00Z. As text: RFC 3339 in UTC with six digits (`2026-11-23T10:23:11.533924Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Microseconds in a second.
    pub const SECOND: i64 = 1_000_000;

    /// The instant `seconds` later (negative: earlier), saturating.
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(Self::SECOND)))
    }

    /// Seconds from `earlier` to `self`, as a fraction.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / Self::SECOND as f64
    }

    fn to_offset(self) -> OffsetDateTime {
        let micros = Duration::microseconds(self.0.rem_euclid(Self::SECOND));
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(Self::SECOND))
            .map_or(OffsetDateTime::UNIX_EPOCH, |at| at + micros)
    }
}

impl fmt::Display for Timestamp {
    /// Digit by digit: lists hold hundreds of times, and a general formatter takes longer than the rest of a row.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.to_offset();
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, second, micros) = at.to_hms_micro();
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let mut put = |last: usize, mut number: u32| {
            for digit in text[..=last].iter_mut().rev() {
                if number == 0 {
                    break;
                }
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        put(3, year.unsigned_abs());
        put(6, u8::from(month).into());
        put(9, day.into());
        put(12, hour.into());
        put(15, minute.into());
        put(18, second.into());
        put(25, micros);
        if year < 0 {
            f.write_str("-")?;
        }
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for Timestamp {
    type Err = time::error::Parse;

    /// Reads RFC 3339 with any offset; a text without offset, or with a blank for the `T`, is read as UTC. A blank later on
    /// is a plus sign that a client left as it is in a query.
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let s = s.trim();
        let mut text = s.to_owned();
        if text.as_bytes().get(10) == Some(&b' ') {
            text.replace_range(10..11, "T");
        }
        if let Some(blank) = text.rfind(' ').filter(|blank| *blank > 10) {
            text.replace_range(blank..=blank, "+");
        }
        if text.len() == 10 {
            text.push_str("T00:00:00");
        }
        let has_zone = text.ends_with(['Z', 'z']) || text.get(10..).is_some_and(|t| t.contains(['+', '-']));
        if !has_zone {
            text.push('Z');
        }
        let at = OffsetDateTime::parse(&text, &Rfc3339)?;
        Ok(Self(at.unix_timestamp() * Self::SECOND + i64::from(at.microsecond())))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        if s.is_human_readable() { s.collect_str(self) } else { s.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        if d.is_human_readable() {
            let text = String::deserialize(d)?;
            text.parse().map_err(|e| D::Error::custom(format!("not an RFC 3339 time: {e}")))
        } else {
            i64::deserialize(d).map(Self)
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "format": "date-time", "description": "An instant, RFC 3339, UTC.",
            "examples": ["2026-11-23T10:23:11.533924Z"]
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_rfc_3339() -> Result<(), time::error::Parse> {
        for (text, shown) in [
            ("2026-11-23T10:23:11.533924Z", "2026-11-23T10:23:11.533924Z"),
            ("2026-11-23T11:23:11+01:00", "2026-11-23T10:23:11.000000Z"),
            ("2026-11-23 10:23:11", "2026-11-23T10:23:11.000000Z"),
            ("2026-11-23T11:23:11 01:00", "2026-11-23T10:23:11.000000Z"),
            ("2026-11-23T10:23:11.5", "2026-11-23T10:23:11.500000Z"),
            ("2026-11-23", "2026-11-23T00:00:00.000000Z"),
            ("1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00.000001Z", "0000-01-01T00:00:00.000001Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(text.parse::<Timestamp>()?.to_string(), shown, "{text}");
        }
        for bad in
            ["", "yesterday", "2026-13-01T00:00:00Z", "1700000000", "2026-11-23T", "é026-11-23T00:00:00"]
        {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
        Ok(())
    }
}
