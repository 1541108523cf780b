//! How a course over a range is made: from which level, in buckets of which length.

use crate::duration::{DAY_S, HOUR_S};
use pm_api::{Timestamp, word::Interval};

/// Longest range, ten years, in seconds.
const MAX_RANGE_S: i64 = 316_000_000;

/// How far back an interval goes, seconds.
fn interval_s(interval: Interval) -> i64 {
    match interval {
        Interval::Hour => HOUR_S,
        Interval::SixHours => 6 * HOUR_S,
        Interval::Day => DAY_S,
        Interval::Week => 7 * DAY_S,
        Interval::Month => 30 * DAY_S,
    }
}

/// Begin and end of the range that a request names: an interval up to now, or `start` and, unless it is now, `end`.
///
/// # Errors
/// What is wrong with the end, for people.
pub fn range(
    interval: Interval,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), &'static str> {
    let Some(start) = start else { return Ok((now.plus_seconds(-interval_s(interval)), now)) };
    let end = end.unwrap_or(now);
    match end.0.saturating_sub(start.0) {
        ..=0 => Err("Input should be later than start"),
        us if us > MAX_RANGE_S * Timestamp::SECOND => Err("Input should be at most ten years after start"),
        _ if start.0 < 0 || end > now.plus_seconds(MAX_RANGE_S) => Err("Input should be within this age"),
        _ => Ok((start, end)),
    }
}

/// What readings are kept as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The readings themselves.
    Raw,
    /// Roll-ups by minute.
    Minute,
    /// Roll-ups by hour.
    Hour,
}

impl Level {
    /// The word of the API: `raw`, `1m`, `1h`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Minute => "1m",
            Self::Hour => "1h",
        }
    }

    /// Length of its buckets, microseconds; of readings the smallest unit of time.
    #[must_use]
    pub fn unit_us(self) -> i64 {
        match self {
            Self::Raw => 1,
            Self::Minute => 60 * Timestamp::SECOND,
            Self::Hour => 3600 * Timestamp::SECOND,
        }
    }
}

/// From when on the finer levels are still there; the coarsest is taken where neither is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionBounds {
    /// Readings.
    pub raw_from: Timestamp,
    /// Roll-ups by minute.
    pub minute_from: Timestamp,
}

impl RetentionBounds {
    /// The finest level that still has what was measured at `from`.
    #[must_use]
    pub fn finest_level(self, from: Timestamp) -> Level {
        if from >= self.raw_from {
            Level::Raw
        } else if from >= self.minute_from {
            Level::Minute
        } else {
            Level::Hour
        }
    }
}

/// Buckets that cover a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketPlan {
    /// Made from this level.
    pub level: Level,
    /// Length of a bucket, microseconds; a multiple of the level's unit.
    pub width_us: i64,
    /// Begin of the first bucket, not later than the range.
    pub from: Timestamp,
    /// End of the last bucket, not before the range's.
    pub to: Timestamp,
}

/// Where `time_bucket` counts from: 2000-01-03T00:00:00Z.
const ORIGIN_US: i64 = 946_857_600 * Timestamp::SECOND;

/// At most `max_points` (2 or more) buckets of equal length over `from` to `to`, from the coarsest level that is fine
/// enough, or from the finest that is stored.
#[must_use]
pub fn plan((from, to): (Timestamp, Timestamp), max_points: i64, bounds: RetentionBounds) -> BucketPlan {
    let range_us = to.0.saturating_sub(from.0).max(1);
    let wanted_us = range_us / (max_points - 1).max(1) + 1;
    let fine_enough =
        [Level::Hour, Level::Minute].into_iter().find(|l| l.unit_us() <= wanted_us).unwrap_or(Level::Raw);
    let level = fine_enough.max(bounds.finest_level(from));
    let unit_us = level.unit_us();
    let width_us = (wanted_us + unit_us - 1) / unit_us * unit_us;
    let begin = ORIGIN_US + (from.0 - ORIGIN_US).div_euclid(width_us) * width_us;
    let buckets =
        (to.0 - begin).max(1).div_euclid(width_us) + i64::from((to.0 - begin).rem_euclid(width_us) > 0);
    BucketPlan { level, width_us, from: Timestamp(begin), to: Timestamp(begin + buckets.max(1) * width_us) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: RetentionBounds = RetentionBounds { raw_from: Timestamp(0), minute_from: Timestamp(0) };
    const NOW: Timestamp = Timestamp(1_800_000_000_123_456);

    #[test]
    fn a_range_is_an_interval_up_to_now_or_named_by_its_ends() {
        let now = Timestamp(1_800_000_000 * Timestamp::SECOND);
        let past = |s: i64| now.plus_seconds(-s);
        assert_eq!(range(Interval::Week, None, Some(past(5)), now), Ok((past(604_800), now)));
        assert_eq!(range(Interval::Week, Some(past(9)), None, now), Ok((past(9), now)));
        assert_eq!(range(Interval::Day, Some(past(9)), Some(past(5)), now), Ok((past(9), past(5))));
        for (start, end) in [
            (past(5), past(5)),
            (past(5), past(9)),
            (past(MAX_RANGE_S + 1), now),
            (Timestamp(-1), Timestamp(1)),
        ] {
            assert!(range(Interval::Day, Some(start), Some(end), now).is_err(), "{start} {end}");
        }
        let far = now.plus_seconds(MAX_RANGE_S + 1);
        assert!(range(Interval::Day, Some(now.plus_seconds(9)), Some(far), now).is_err());
    }

    #[test]
    fn the_level_follows_the_range() {
        for (hours, level, width_s) in
            [(1, Level::Raw, 3.603_604), (6, Level::Raw, 21.621_622), (24, Level::Minute, 120.0)]
                .into_iter()
                .chain([
                    (168, Level::Minute, 660.0),
                    (720, Level::Minute, 2640.0),
                    (8766, Level::Hour, 32_400.0),
                ])
        {
            let plan = plan((NOW.plus_seconds(-hours * 3600), NOW), 1000, ALL);
            assert_eq!(plan.level, level, "{hours} h");
            assert!((plan.width_us as f64 / 1e6 - width_s).abs() < 1e-3, "{hours} h: {}", plan.width_us);
        }
    }

    #[test]
    fn what_was_dropped_is_taken_from_the_next_level() {
        let hour = (NOW.plus_seconds(-3600), NOW);
        let bounds = |raw, minute| RetentionBounds { raw_from: raw, minute_from: minute };
        assert_eq!(plan(hour, 1000, bounds(NOW, hour.0)).level, Level::Minute);
        assert_eq!(plan(hour, 1000, bounds(NOW, NOW)).level, Level::Hour);
    }

    proptest! {
        #[test]
        fn buckets_cover_the_range_and_are_not_too_many(
            from in 0..4_000_000_000_000_000_i64, range in 1..1_000_000_000_000_000_i64, points in 2..1001_i64,
            dropped in 0..4_000_000_000_000_000_i64,
        ) {
            let bounds = RetentionBounds { raw_from: Timestamp(dropped), minute_from: Timestamp(dropped / 2) };
            let (from, to) = (Timestamp(from), Timestamp(from + range));
            let plan = plan((from, to), points, bounds);
            prop_assert!(plan.from <= from && from.0 - plan.from.0 < plan.width_us);
            prop_assert!(plan.to >= to && plan.to.0 - to.0 < plan.width_us);
            prop_assert_eq!((plan.to.0 - plan.from.0) % plan.width_us, 0);
            prop_assert_eq!(plan.width_us % plan.level.unit_us(), 0);
            prop_assert!((plan.to.0 - plan.from.0) / plan.width_us <= points);
            prop_assert!(plan.level >= bounds.finest_level(from));
        }
    }
}
