//! Time zones of the IANA database, which is built into the program.

use crate::duration::{DAY_S, HOUR_S};
use jiff::{civil::DateTime, tz::TimeZone};
use pm_api::{Timestamp, input::FieldFault};

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this name, for example `Europe/Berlin`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        // the database also knows the name of the machine's own zone, which means nothing here
        let name = name.trim();
        if name.is_empty() || name.eq_ignore_ascii_case("local") {
            return None;
        }
        TimeZone::get(name).ok().map(Self)
    }

    /// Local time minus UTC at an instant, seconds.
    #[must_use]
    pub fn offset_s(&self, at: Timestamp) -> i64 {
        let at = jiff::Timestamp::from_microsecond(at.0).unwrap_or_default();
        self.0.to_offset(at).seconds().into()
    }

    /// An instant in local time with its offset, RFC 3339: `2026-07-01T08:00:00.000000+02:00`.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> String {
        let offset_s = self.offset_s(at);
        let local = at.plus_seconds(offset_s).to_string();
        let (sign, minutes) = (if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
        format!("{}{sign}{:02}:{:02}", local.trim_end_matches('Z'), minutes / 60, minutes % 60)
    }

    /// What the clocks show at an instant: the day, in days after 1970-01-01, and the second of the day.
    #[must_use]
    pub fn day_and_second(&self, at: Timestamp) -> (i64, i64) {
        let local_s = at.0.div_euclid(Timestamp::SECOND) + self.offset_s(at);
        (local_s.div_euclid(DAY_S), local_s.rem_euclid(DAY_S))
    }

    /// When the clocks show the full `hour` of a day; see [`Self::instant_at`].
    #[must_use]
    pub fn instant(&self, day: i64, hour: i64) -> Timestamp {
        self.instant_at(day, hour * HOUR_S)
    }

    /// When the clocks show the `second` of the day that lies `day` days after 1970-01-01. If they show it twice, the first
    /// time; if they skip it, as much later as they skip.
    #[must_use]
    pub fn instant_at(&self, day: i64, second: i64) -> Timestamp {
        let local_s = day * DAY_S + second;
        let instant = || {
            let shown: DateTime = TimeZone::UTC.to_datetime(jiff::Timestamp::from_second(local_s).ok()?);
            self.0.to_timestamp(shown).ok()
        };
        instant().map_or(Timestamp(local_s * Timestamp::SECOND), |at| Timestamp(at.as_microsecond()))
    }
}

/// The fault of a field `zone` that names no zone of the database.
#[must_use]
pub fn fault(name: &str) -> Option<FieldFault> {
    let message = "Input should be a time zone of the IANA database, e.g. Europe/Berlin";
    Zone::named(name).is_none().then(|| FieldFault::new("zone", message, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_default()
    }

    fn day(text: &str) -> i64 {
        at(text).0 / Timestamp::SECOND / DAY_S
    }

    #[test]
    fn names_of_the_database_are_known() {
        for name in ["Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "UTC", "Etc/GMT+5"] {
            assert!(Zone::named(name).is_some(), "{name}");
        }
        for name in ["", "Local", "Mars/Base", "../etc/passwd", "+02:00"] {
            assert!(Zone::named(name).is_none(), "{name}");
        }
    }

    #[test]
    fn local_times_follow_summer_time() {
        let berlin = Zone::named("Europe/Berlin").unwrap_or(Zone::UTC);
        assert_eq!(berlin.local(at("2026-01-01T06:00:00Z")), "2026-01-01T07:00:00.000000+01:00");
        assert_eq!(berlin.local(at("2026-07-01T06:00:00Z")), "2026-07-01T08:00:00.000000+02:00");
        let newfoundland = Zone::named("America/St_Johns").unwrap_or(Zone::UTC);
        assert_eq!(newfoundland.local(at("2026-01-01T03:00:00Z")), "2025-12-31T23:30:00.000000-03:30");
    }

    #[test]
    fn hours_that_are_skipped_or_shown_twice_have_one_instant() {
        let berlin = Zone::named("Europe/Berlin").unwrap_or(Zone::UTC);
        for (date, hour, instant) in [
            ("2026-03-28", 6, "2026-03-28T05:00:00Z"),
            ("2026-03-29", 6, "2026-03-29T04:00:00Z"),
            // 02:00 is followed by 03:00
            ("2026-03-29", 2, "2026-03-29T01:00:00Z"),
            // 02:00 comes twice
            ("2026-10-25", 2, "2026-10-25T00:00:00Z"),
            ("2026-10-25", 3, "2026-10-25T02:00:00Z"),
        ] {
            assert_eq!(berlin.instant(day(date), hour), at(instant), "{date} {hour}");
        }
    }
}
