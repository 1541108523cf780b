//! When a scheduled report is due: daily or weekly at a full local hour, in a time zone or at a fixed offset from UTC.
//!
//! A slot is an instant at which a report is due; it covers the time since the slot before it. In a zone with summer time two
//! slots may be 23 or 25 hours apart. After a down time the newest slot that was missed is made up for, and only that one.

use crate::{
    duration::{DAY_S, HOUR_S},
    zone::Zone,
};
use pm_api::{Timestamp, report::Cadence};

/// 1970-01-01 was a Thursday, the day 3 of a week that begins on Monday.
const EPOCH_WEEKDAY: i64 = 3;

/// A schedule's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// How often.
    pub cadence: Cadence,
    /// For a weekly one the day, 0 (Monday) to 6.
    pub weekday: i64,
    /// Local hour, 0 to 23.
    pub hour: i64,
    /// Local time minus UTC, minutes, where there is no zone.
    pub utc_offset_minutes: i64,
    /// The time zone whose clocks count.
    pub zone: Option<Zone>,
}

impl Rule {
    /// Local time minus UTC at an instant, minutes.
    #[must_use]
    pub fn offset_minutes(&self, at: Timestamp) -> i64 {
        self.zone.as_ref().map_or(self.utc_offset_minutes, |zone| zone.offset_s(at) / 60)
    }

    /// The local day at an instant, days since 1970-01-01.
    fn day(&self, at: Timestamp) -> i64 {
        at.plus_seconds(self.offset_minutes(at) * 60).0.div_euclid(DAY_S * Timestamp::SECOND)
    }

    /// The slot of a local day; `None` on other days than the schedule's.
    fn slot(&self, day: i64) -> Option<Timestamp> {
        let is_due = self.cadence == Cadence::Daily || (day + EPOCH_WEEKDAY).rem_euclid(7) == self.weekday;
        is_due.then(|| match &self.zone {
            Some(zone) => zone.instant(day, self.hour),
            None => {
                let local_s = day * DAY_S + self.hour * HOUR_S;
                Timestamp((local_s - self.utc_offset_minutes * 60) * Timestamp::SECOND)
            }
        })
    }

    /// The newest slot at or before `now`.
    #[must_use]
    pub fn newest(&self, now: Timestamp) -> Timestamp {
        let today = self.day(now);
        let slots = (today - 8..=today + 1).rev().filter_map(|day| self.slot(day));
        slots.into_iter().find(|slot| *slot <= now).unwrap_or(now)
    }

    /// The first slot after `now`.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Timestamp {
        let today = self.day(now);
        let mut slots = (today - 1..=today + 8).filter_map(|day| self.slot(day));
        slots.find(|slot| *slot > now).unwrap_or(now.plus_seconds(DAY_S))
    }

    /// The slot before this one: from then on its report covers.
    #[must_use]
    pub fn before(&self, slot: Timestamp) -> Timestamp {
        self.newest(Timestamp(slot.0 - 1))
    }

    /// What to make up for at `now`, when `due` is the next slot that has not been served: the newest slot, however many
    /// were missed; `None` if it is not time yet.
    #[must_use]
    pub fn due(&self, due: Timestamp, now: Timestamp) -> Option<Timestamp> {
        (due <= now).then(|| self.newest(now))
    }
}

/// What decides when a schedule is due next.
#[derive(Debug, Clone, PartialEq, Eq)]
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
pub fn next_after_change(before: &Slots, rule: &Rule, now: Timestamp) -> Timestamp {
    let same_slots = before.rule == *rule && before.is_active;
    if same_slots { before.next_run_at } else { rule.next(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap_or_default()
    }

    fn daily(hour: i64, utc_offset_minutes: i64) -> Rule {
        Rule { cadence: Cadence::Daily, weekday: 0, hour, utc_offset_minutes, zone: None }
    }

    fn weekly(weekday: i64, hour: i64, utc_offset_minutes: i64) -> Rule {
        Rule { cadence: Cadence::Weekly, weekday, hour, utc_offset_minutes, zone: None }
    }

    #[test]
    fn a_change_keeps_the_slots_of_a_running_schedule_with_the_same_rule() {
        let rule = daily(6, 0);
        let (missed, now) = (at("2026-11-20T06:00:00Z"), at("2026-11-23T10:00:00Z"));
        let before = |is_active| Slots { rule: rule.clone(), is_active, next_run_at: missed };
        assert_eq!(next_after_change(&before(true), &rule, now), missed);
        assert_eq!(next_after_change(&before(false), &rule, now), at("2026-11-24T06:00:00Z"));
        let later = Rule { hour: 12, ..rule.clone() };
        assert_eq!(next_after_change(&before(true), &later, now), at("2026-11-23T12:00:00Z"));
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
            let days = if rule.cadence == Cadence::Daily { 1 } else { 7 };
            assert_eq!(rule.next(at(now)), at(newest).plus_seconds(days * DAY_S), "{rule:?} after {now}");
            assert_eq!(rule.before(at(newest)), at(newest).plus_seconds(-days * DAY_S), "{rule:?}");
        }
    }

    #[test]
    fn slots_follow_summer_time() {
        let berlin = Rule { zone: Zone::named("Europe/Berlin"), ..daily(6, 0) };
        for (now, newest, next) in [
            ("2026-03-27T12:00:00Z", "2026-03-27T05:00:00Z", "2026-03-28T05:00:00Z"),
            // summer time begins on 2026-03-29
            ("2026-03-28T12:00:00Z", "2026-03-28T05:00:00Z", "2026-03-29T04:00:00Z"),
            ("2026-03-29T04:00:00Z", "2026-03-29T04:00:00Z", "2026-03-30T04:00:00Z"),
            // and ends on 2026-10-25
            ("2026-10-24T12:00:00Z", "2026-10-24T04:00:00Z", "2026-10-25T05:00:00Z"),
            ("2026-10-25T04:30:00Z", "2026-10-24T04:00:00Z", "2026-10-25T05:00:00Z"),
        ] {
            assert_eq!((berlin.newest(at(now)), berlin.next(at(now))), (at(newest), at(next)), "{now}");
        }
        assert_eq!(berlin.before(at("2026-10-25T05:00:00Z")), at("2026-10-24T04:00:00Z"));
        assert_eq!(berlin.offset_minutes(at("2026-07-01T00:00:00Z")), 120);
        let monday = Rule { cadence: Cadence::Weekly, ..berlin };
        assert_eq!(monday.next(at("2026-03-24T12:00:00Z")), at("2026-03-30T04:00:00Z"));
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
