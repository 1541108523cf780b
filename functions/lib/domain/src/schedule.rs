//! When a scheduled report is due: daily or weekly at a full hour of a fixed offset from UTC.
//!
//! A slot is an instant at which a report is due; it covers the day or week before it. After a down time the newest slot
//! that was missed is made up for, and only that one. An offset is fixed: a zone with summer time needs two changes of
//! the schedule a year.

use crate::duration::{DAY_S, HOUR_S};
use pm_api::{Timestamp, report::Cadence};

/// 1970-01-01 was a Thursday, the day 3 of a week that begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// A schedule's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub cadence: Cadence,
    /// For a weekly one the day, 0 (Monday) to 6.
    pub weekday: i64,
    /// Local hour, 0 to 23.
    pub hour: i64,
    /// Local time minus UTC, minutes.
    pub utc_offset_minutes: i64,
}

impl Rule {
    /// Distance of two slots and length of what a report covers, seconds.
    #[must_use]
    pub fn period_s(self) -> i64 {
        match self.cadence {
            Cadence::Daily => DAY_S,
            Cadence::Weekly => 7 * DAY_S,
        }
    }

    /// The newest slot at or before `now`.
    #[must_use]
    pub fn newest(self, now: Timestamp) -> Timestamp {
        let local = now.0.div_euclid(Timestamp::SECOND) + self.utc_offset_minutes * 60;
        let day = match self.cadence {
            Cadence::Daily => 0,
            Cadence::Weekly => (self.weekday - EPOCH_WEEKDAY) * DAY_S,
        };
        let phase = day + self.hour * HOUR_S;
        let since = (local - phase).rem_euclid(self.period_s());
        Timestamp((local - since - self.utc_offset_minutes * 60) * Timestamp::SECOND)
    }

    /// The first slot after `now`.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Timestamp {
        self.newest(now).plus_seconds(self.period_s())
    }

    /// What to make up for at `now`, when `due` is the next slot that has not been served: the newest slot, however many
    /// were missed; `None` if it is not time yet.
    #[must_use]
    pub fn due(self, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        (due <= now).then(|| self.newest(now))
    }
}

/// What decides when a schedule is due next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// Its rule.
    pub rule: Rule,
    /// Does it run?
    pub is_active: bool,
    /// The next slot that has not been served.
    pub next_run_at: Timestamp,
}

/// When a schedule is due after people changed it. Another rule, and switching it on, make the next slot from now on due:
/// what was missed while it was off is not made up for.
#[must_use]
pub fn next_after_change(before: Slots, rule: Rule, now: Timestamp) -> Timestamp {
    let same_slots = before.rule == rule && before.is_active;
    if same_slots { before.next_run_at } else { rule.next(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_default()
    }

    fn daily(hour: i64, utc_offset_minutes: i64) -> Rule {
        Rule { cadence: Cadence::Daily, weekday: 0, hour, utc_offset_minutes }
    }

    fn weekly(weekday: i64, hour: i64, utc_offset_minutes: i64) -> Rule {
        Rule { cadence: Cadence::Weekly, weekday, hour, utc_offset_minutes }
    }

    #[test]
    fn a_change_keeps_the_slots_of_a_running_schedule_with_the_same_rule() {
        let rule = Rule { cadence: Cadence::Daily, weekday: 0, hour: 6, utc_offset_minutes: 0 };
        let (missed, now) = (at("2026-11-20T06:00:00Z"), at("2026-11-23T10:00:00Z"));
        let before = |is_active| Slots { rule, is_active, next_run_at: missed };
        assert_eq!(next_after_change(before(true), rule, now), missed);
        assert_eq!(next_after_change(before(false), rule, now), at("2026-11-24T06:00:00Z"));
        let later = Rule { hour: 12, ..rule };
        assert_eq!(next_after_change(before(true), later, now), at("2026-11-23T12:00:00Z"));
    }

    #[test]
    fn slots_are_at_the_scheduled_hour_of_the_zone() {
        // 2026-11-25 is a Wednesday
        for (rule, now, newest) in [
            (daily(6, 0), "2026-11-25T06:00:00Z", "2026-11-25T06:00:00Z"),
            (daily(6, 0), "2026-11-25T05:59:59.999999Z", "2026-11-24T06:00:00Z"),
            (daily(6, 120), "2026-11-25T04:00:00Z", "2026-11-25T04:00:00Z"),
            (daily(6, 120), "2026-11-25T03:59:59Z", "2026-11-24T04:00:00Z"),
            (daily(0, 330), "2026-11-25T18:30:00Z", "2026-11-25T18:30:00Z"),
            (daily(23, -720), "2026-11-25T12:00:00Z", "2026-11-25T11:00:00Z"),
            (daily(0, 840), "2026-11-25T10:30:00Z", "2026-11-25T10:00:00Z"),
            (weekly(2, 6, 0), "2026-11-25T06:00:00Z", "2026-11-25T06:00:00Z"),
            (weekly(2, 6, 0), "2026-11-25T05:00:00Z", "2026-11-18T06:00:00Z"),
            (weekly(0, 7, 60), "2026-11-25T12:00:00Z", "2026-11-23T06:00:00Z"),
            // Monday 00:00 at +02:00 is Sunday in UTC
            (weekly(0, 0, 120), "2026-11-22T22:00:00Z", "2026-11-22T22:00:00Z"),
            (weekly(6, 23, -60), "2026-11-23T00:00:00Z", "2026-11-23T00:00:00Z"),
            (daily(1, 0), "1969-12-31T12:00:00Z", "1969-12-31T01:00:00Z"),
        ] {
            let found = rule.newest(at(now));
            assert_eq!(found, at(newest), "{rule:?} at {now}: {found}");
            assert_eq!(rule.next(at(now)), at(newest).plus_seconds(rule.period_s()), "{rule:?} after {now}");
        }
    }

    #[test]
    fn one_missed_slot_is_made_up_for() {
        let rule = daily(6, 0);
        for (due, now, expected) in [
            ("2026-11-25T06:00:00Z", "2026-11-25T05:59:59Z", None),
            ("2026-11-25T06:00:00Z", "2026-11-25T06:00:00Z", Some("2026-11-25T06:00:00Z")),
            ("2026-11-25T06:00:00Z", "2026-11-25T06:00:07Z", Some("2026-11-25T06:00:00Z")),
            // down for three days: the newest one only
            ("2026-11-22T06:00:00Z", "2026-11-25T05:00:00Z", Some("2026-11-24T06:00:00Z")),
            ("2026-11-22T06:00:00Z", "2026-11-25T09:00:00Z", Some("2026-11-25T06:00:00Z")),
        ] {
            assert_eq!(rule.due(at(due), at(now)), expected.map(at), "{due} at {now}");
        }
    }
}
