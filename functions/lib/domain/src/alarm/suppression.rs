//! Suppression by design (ISA-18.2): while a machine is under maintenance, what its sensors show raises no alarm. What was
//! suppressed is listed; a condition that still holds when the suppression ends raises its alarm then.
//!
//! A machine is under maintenance while its status says so, and in maintenance windows: planned spans of time, once or
//! repeated by the clocks of a time zone, for a machine, for a class of equipment, or for the whole site.

use crate::{duration::DAY_S, zone::Zone};
use pm_api::{
    MachineStatus, MaintenanceWindowId, Timestamp, maintenance::MaintenanceWindow, report::Cadence,
};

/// Why conditions of a machine raise no alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suppression {
    /// Its status is `maintenance`.
    Maintenance,
    /// This maintenance window is on.
    Window(MaintenanceWindowId),
}

/// What suppresses the alarms of a machine now. `windows`: those that are for it.
#[must_use]
pub fn suppression(
    status: MachineStatus,
    windows: &[MaintenanceWindow],
    now: Timestamp,
) -> Option<Suppression> {
    if status == MachineStatus::Maintenance {
        return Some(Suppression::Maintenance);
    }
    windows.iter().find(|window| occurrence(window, now).is_some()).map(|w| Suppression::Window(w.id))
}

/// The occurrence of a window that covers an instant, its end excluded: from when until when.
#[must_use]
pub fn occurrence(window: &MaintenanceWindow, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let length_s = (window.ends_at.0 - window.starts_at.0).div_euclid(Timestamp::SECOND);
    let covers = |begin: Timestamp| {
        let end = begin.plus_seconds(length_s);
        let in_time = begin >= window.starts_at && window.repeats_until.is_none_or(|until| begin <= until);
        (in_time && begin <= at && at < end).then_some((begin, end))
    };
    let every_days = match window.repeats {
        None => return covers(window.starts_at),
        Some(Cadence::Daily) => 1,
        Some(Cadence::Weekly) => 7,
    };
    let zone = Zone::named(&window.zone).unwrap_or(Zone::UTC);
    let (first_day, second) = zone.day_and_second(window.starts_at);
    let (today, _) = zone.day_and_second(at);
    let days_back = length_s / DAY_S + 1;
    (today - days_back..=today)
        .rev()
        .filter(|day| (day - first_day).rem_euclid(every_days) == 0)
        .find_map(|day| covers(zone.instant_at(day, second)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn window(starts_at: &str, ends_at: &str, repeats: Option<Cadence>, zone: &str) -> MaintenanceWindow {
        MaintenanceWindow {
            id: MaintenanceWindowId(Uuid::nil()),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            reason: "oil change".to_owned(),
            machine_id: None,
            machine_class: None,
            starts_at: at(starts_at),
            ends_at: at(ends_at),
            repeats,
            repeats_until: None,
            zone: zone.to_owned(),
            created_by: None,
            is_on: false,
        }
    }

    fn is_on(window: &MaintenanceWindow, text: &str) -> bool {
        occurrence(window, at(text)).is_some()
    }

    #[test]
    fn a_machine_under_maintenance_is_suppressed_without_a_window() {
        let now = at("2026-06-01T10:00:00Z");
        assert_eq!(suppression(MachineStatus::Maintenance, &[], now), Some(Suppression::Maintenance));
        assert_eq!(suppression(MachineStatus::Online, &[], now), None);
        let on = window("2026-06-01T09:00:00Z", "2026-06-01T11:00:00Z", None, "UTC");
        assert_eq!(
            suppression(MachineStatus::Degraded, std::slice::from_ref(&on), now),
            Some(Suppression::Window(on.id))
        );
    }

    #[test]
    fn a_window_that_does_not_repeat_is_on_once() {
        let once = window("2026-06-01T08:00:00Z", "2026-06-01T10:00:00Z", None, "UTC");
        assert!(!is_on(&once, "2026-06-01T07:59:59Z"));
        assert!(is_on(&once, "2026-06-01T08:00:00Z"));
        assert!(!is_on(&once, "2026-06-01T10:00:00Z"));
        assert!(!is_on(&once, "2026-06-02T09:00:00Z"));
    }

    #[test]
    fn repetitions_follow_the_clocks_over_summer_time() {
        // 02:00 to 04:00 in Berlin, from winter (UTC+1) into summer (UTC+2)
        let daily =
            window("2026-03-20T01:00:00Z", "2026-03-20T03:00:00Z", Some(Cadence::Daily), "Europe/Berlin");
        assert!(is_on(&daily, "2026-03-28T01:30:00Z"));
        assert!(is_on(&daily, "2026-03-30T00:30:00Z"));
        assert!(!is_on(&daily, "2026-03-30T02:30:00Z"));
        // 22:00 on Fridays in New York, over the end of summer time on 1 November
        let weekly =
            window("2026-10-24T02:00:00Z", "2026-10-24T08:00:00Z", Some(Cadence::Weekly), "America/New_York");
        assert!(is_on(&weekly, "2026-10-31T02:00:00Z"));
        assert!(!is_on(&weekly, "2026-11-07T02:59:00Z"));
        assert!(is_on(&weekly, "2026-11-07T03:00:00Z"));
        assert!(!is_on(&weekly, "2026-11-08T03:00:00Z"));
    }

    #[test]
    fn a_repetition_may_run_over_midnight_and_ends() {
        let mut nightly = window("2026-06-01T22:00:00Z", "2026-06-02T04:00:00Z", Some(Cadence::Daily), "UTC");
        assert!(is_on(&nightly, "2026-06-05T03:00:00Z"));
        assert!(!is_on(&nightly, "2026-06-01T03:00:00Z"), "nothing before the first one");
        nightly.repeats_until = Some(at("2026-06-03T23:00:00Z"));
        assert!(is_on(&nightly, "2026-06-04T03:00:00Z"), "the last one runs to its end");
        assert!(!is_on(&nightly, "2026-06-04T23:00:00Z"));
    }

    proptest! {
        #[test]
        fn an_occurrence_covers_the_instant_it_is_found_for(
            length_h in 1_i64..200, weekly in any::<bool>(), after_h in -500_i64..5000,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
        ) {
            let repeats = Some(if weekly { Cadence::Weekly } else { Cadence::Daily });
            let mut of = window("2026-01-15T06:30:00Z", "2026-01-15T07:30:00Z", repeats, zone);
            of.ends_at = of.starts_at.plus_seconds(length_h * 3600);
            let instant = of.starts_at.plus_seconds(after_h * 3600);
            if let Some((begin, end)) = occurrence(&of, instant) {
                prop_assert!(begin <= instant && instant < end && begin >= of.starts_at);
            } else {
                // a window that is as long as its repetition is always on
                let always = length_h >= if weekly { 7 * 24 + 2 } else { 26 };
                prop_assert!(after_h < 0 || !always, "{instant}");
            }
        }
    }
}
