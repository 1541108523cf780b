//! Who is on call: a rotation that is handed over by the clocks of a zone, holidays, and overrides.
//!
//! An override counts before a holiday, and a holiday before the rotation. A turn is handed over when the clocks of the zone
//! show the time, so on days with 23 or 25 hours it is that much shorter or longer.

use crate::{
    duration::{DAY_S, MINUTE_S},
    zone::Zone,
};
use pm_api::{
    Timestamp, UserId,
    input::Day,
    on_call::{OnCallPlan, Shift, ShiftReason},
};

/// Who is on call at an instant, and why; `None`: nobody.
#[must_use]
pub fn on_call(plan: &OnCallPlan, at: Timestamp) -> (Option<UserId>, ShiftReason) {
    let standing_in = plan.overrides.iter().filter(|o| o.starts_at <= at && at < o.ends_at);
    if let Some(newest) = standing_in.max_by_key(|o| o.id) {
        return (Some(newest.user_id), ShiftReason::Override);
    }
    let zone = zone(plan);
    let (today, _) = zone.day_and_second(at);
    if let Some(holiday) = plan.holidays.iter().find(|h| day_number(&h.day) == today) {
        return (holiday.user_id, ShiftReason::Holiday);
    }
    let is_handed_over = hand_over(plan, &zone, today) <= at;
    let shift_day = if is_handed_over { today } else { today - 1 };
    let turn = (shift_day - day_number(&plan.starts_on)).div_euclid(plan.turn_days.max(1));
    let people = i64::try_from(plan.people.len()).unwrap_or(1).max(1);
    let place = usize::try_from(turn.rem_euclid(people)).unwrap_or(0);
    (plan.people.get(place).copied(), ShiftReason::Rotation)
}

/// Who is on call from when until when, between two instants, without gaps.
#[must_use]
pub fn shifts(plan: &OnCallPlan, from: Timestamp, to: Timestamp) -> Vec<Shift> {
    let zone = zone(plan);
    let days = zone.day_and_second(from).0 - 1..=zone.day_and_second(to).0 + 1;
    let mut edges: Vec<Timestamp> = days.map(|day| hand_over(plan, &zone, day)).collect();
    for holiday in &plan.holidays {
        let day = day_number(&holiday.day);
        edges.extend([zone.instant(day, 0), zone.instant(day + 1, 0)]);
    }
    edges.extend(plan.overrides.iter().flat_map(|o| [o.starts_at, o.ends_at]));
    edges.retain(|edge| from < *edge && *edge < to);
    edges.push(from);
    edges.sort_unstable();
    edges.dedup();
    let ends = edges.iter().skip(1).copied().chain([to]);
    let mut shifts: Vec<Shift> = Vec::new();
    for (begin, end) in edges.iter().copied().zip(ends).filter(|(begin, end)| begin < end) {
        let (user_id, reason) = on_call(plan, begin);
        match shifts.last_mut() {
            Some(last) if (last.user_id, last.reason) == (user_id, reason) => last.to = end,
            _ => shifts.push(Shift { from: begin, to: end, user_id, reason }),
        }
    }
    shifts
}

fn zone(plan: &OnCallPlan) -> Zone {
    Zone::named(&plan.zone).unwrap_or(Zone::UTC)
}

/// When turns are handed over on a day of the zone.
fn hand_over(plan: &OnCallPlan, zone: &Zone, day: i64) -> Timestamp {
    zone.instant_at(day, plan.hand_over_minute * MINUTE_S)
}

/// A calendar day in days after 1970-01-01.
fn day_number(day: &Day) -> i64 {
    day.0.parse().map_or(0, |midnight: Timestamp| midnight.0.div_euclid(DAY_S * Timestamp::SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::on_call::{Holiday, OnCallOverride};
    use proptest::prelude::*;
    use uuid::Uuid;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn person(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn plan(zone: &str, people: u128, turn_days: i64, hand_over_minute: i64) -> OnCallPlan {
        OnCallPlan {
            zone: zone.to_owned(),
            people: (0..people).map(person).collect(),
            turn_days,
            // a Monday
            starts_on: Day("2026-03-02".to_owned()),
            hand_over_minute,
            holidays: Vec::new(),
            overrides: Vec::new(),
        }
    }

    fn who(plan: &OnCallPlan, text: &str) -> Option<UserId> {
        on_call(plan, at(text)).0
    }

    #[test]
    fn a_weekly_rotation_is_handed_over_by_the_clocks_of_its_zone() {
        for (zone, before, after) in [
            // 08:00 in winter (UTC+1), and from 2026-03-29 on in summer (UTC+2)
            ("Europe/Berlin", "2026-03-23T06:59:59Z", "2026-03-23T07:00:00Z"),
            ("Europe/Berlin", "2026-03-30T05:59:59Z", "2026-03-30T06:00:00Z"),
            // and back on 2026-10-25
            ("Europe/Berlin", "2026-10-19T05:59:59Z", "2026-10-19T06:00:00Z"),
            ("Europe/Berlin", "2026-10-26T06:59:59Z", "2026-10-26T07:00:00Z"),
            // New York: summer time from 2026-03-08 to 2026-11-01
            ("America/New_York", "2026-03-02T12:59:59Z", "2026-03-02T13:00:00Z"),
            ("America/New_York", "2026-03-09T11:59:59Z", "2026-03-09T12:00:00Z"),
            ("America/New_York", "2026-10-26T11:59:59Z", "2026-10-26T12:00:00Z"),
            ("America/New_York", "2026-11-02T12:59:59Z", "2026-11-02T13:00:00Z"),
        ] {
            let plan = plan(zone, 3, 7, 8 * 60);
            let (was, is) = (who(&plan, before), who(&plan, after));
            let next = was.map(|was| person((was.0.as_u128() + 1) % 3));
            assert_eq!(is, next, "{zone} {after}");
        }
        let plan = plan("Europe/Berlin", 3, 7, 8 * 60);
        assert_eq!(who(&plan, "2026-03-02T07:00:00Z"), Some(person(0)));
        assert_eq!(who(&plan, "2026-03-02T06:59:00Z"), Some(person(2)), "the rotation goes on backwards");
    }

    #[test]
    fn hours_that_are_skipped_or_shown_twice_are_handed_over_once() {
        // 02:30 is skipped on 2026-03-29 and shown twice on 2026-10-25
        let plan = plan("Europe/Berlin", 2, 1, 150);
        for (from, to) in [
            ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
            ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
        ] {
            assert_eq!(shifts(&plan, at(from), at(to)).len(), 2, "{from}");
        }
        // 01:30 in New York comes twice on 2026-11-01
        let plan = self::plan("America/New_York", 2, 1, 90);
        let of_night = shifts(&plan, at("2026-11-01T00:00:00Z"), at("2026-11-01T12:00:00Z"));
        assert_eq!(of_night.iter().map(|s| s.from).nth(1), Some(at("2026-11-01T05:30:00Z")));
        assert_eq!(of_night.len(), 2);
    }

    #[test]
    fn overrides_count_before_holidays_and_holidays_before_the_rotation() {
        let mut plan = plan("Europe/Berlin", 2, 7, 8 * 60);
        plan.holidays = vec![
            Holiday { day: Day("2026-12-25".to_owned()), user_id: None },
            Holiday { day: Day("2026-12-26".to_owned()), user_id: Some(person(9)) },
        ];
        let instead = |number: u128, user: u128, from: &str, to: &str| OnCallOverride {
            id: Uuid::from_u128(number),
            user_id: person(user),
            starts_at: at(from),
            ends_at: at(to),
        };
        plan.overrides = vec![
            instead(2, 8, "2026-12-25T10:00:00Z", "2026-12-25T12:00:00Z"),
            instead(1, 7, "2026-12-25T09:00:00Z", "2026-12-25T11:00:00Z"),
        ];
        for (time, expected, reason) in [
            ("2026-12-24T22:59:59Z", Some(person(0)), ShiftReason::Rotation),
            ("2026-12-24T23:00:00Z", None, ShiftReason::Holiday),
            ("2026-12-25T09:30:00Z", Some(person(7)), ShiftReason::Override),
            ("2026-12-25T10:30:00Z", Some(person(8)), ShiftReason::Override),
            ("2026-12-25T12:00:00Z", None, ShiftReason::Holiday),
            ("2026-12-26T12:00:00Z", Some(person(9)), ShiftReason::Holiday),
            ("2026-12-26T23:00:00Z", Some(person(0)), ShiftReason::Rotation),
        ] {
            assert_eq!(on_call(&plan, at(time)), (expected, reason), "{time}");
        }
    }

    fn any_plan() -> impl Strategy<Value = OnCallPlan> {
        let zones = vec!["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"];
        let spans = prop::collection::vec((0..400_i64 * 24, 1..200_i64, 0..5_u128), 0..4);
        let days = prop::collection::vec((1..=12_u32, 1..=28_u32, prop::option::of(0..5_u128)), 0..5);
        (prop::sample::select(zones), 1..5_u128, 1..15_i64, 0..1440_i64, spans, days).prop_map(
            |(zone, people, turn_days, minute, spans, days)| {
                let mut plan = plan(zone, people, turn_days, minute);
                plan.overrides = spans
                    .into_iter()
                    .enumerate()
                    .map(|(number, (after_h, hours, user))| OnCallOverride {
                        id: Uuid::from_u128(number as u128),
                        user_id: person(user),
                        starts_at: at("2026-01-01T00:00:00Z").plus_seconds(after_h * 3600),
                        ends_at: at("2026-01-01T00:00:00Z").plus_seconds((after_h + hours) * 3600),
                    })
                    .collect();
                plan.holidays = days
                    .into_iter()
                    .map(|(month, day, user)| Holiday {
                        day: Day(format!("2026-{month:02}-{day:02}")),
                        user_id: user.map(person),
                    })
                    .collect();
                plan
            },
        )
    }

    proptest! {
        #[test]
        fn shifts_have_no_gaps_and_say_what_on_call_says(
            plan in any_plan(), after_h in 0..8760_i64, hours in 1..800_i64, asked_s in 0.0..1.0_f64,
        ) {
            let from = at("2026-01-01T00:00:00Z").plus_seconds(after_h * 3600);
            let to = from.plus_seconds(hours * 3600);
            let all = shifts(&plan, from, to);
            prop_assert_eq!(all.first().map(|s| s.from), Some(from));
            prop_assert_eq!(all.last().map(|s| s.to), Some(to));
            prop_assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert!(all.iter().all(|s| s.from < s.to));
            let asked = from.plus_seconds((asked_s * (hours * 3600) as f64) as i64);
            let covering = all.iter().find(|s| s.from <= asked && asked < s.to).expect("a shift");
            prop_assert_eq!((covering.user_id, covering.reason), on_call(&plan, asked));
        }

        #[test]
        fn everybody_has_as_many_turns_as_the_others(
            people in 1..6_u128, turn_days in 1..15_i64, minute in 0..1440_i64,
            zone in prop::sample::select(vec!["Europe/Berlin", "America/New_York"]),
        ) {
            let plan = plan(zone, people, turn_days, minute);
            let zone = zone_of(&plan);
            let turn = |number: i64| zone.instant_at(day_number(&plan.starts_on) + number * turn_days, minute * 60);
            for number in 0..60 {
                let person = person(number as u128 % people);
                prop_assert_eq!(on_call(&plan, turn(number)).0, Some(person));
                prop_assert_eq!(on_call(&plan, Timestamp(turn(number + 1).0 - 1)).0, Some(person));
            }
        }
    }

    fn zone_of(plan: &OnCallPlan) -> Zone {
        zone(plan)
    }
}
