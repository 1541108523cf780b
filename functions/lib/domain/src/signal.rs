//! What kind of signal a sensor gives: some only count up, some only switch. Their means say little; how fast they count
//! and for how long they are on says more.

use pm_api::{Timestamp, sensor::Signal, word::SignalKind};

/// Fewest values by which a counter is recognised.
const MIN_COUNTED: usize = 10;
/// A counter restarts at most once in so many values; what falls more often is a batch, a tank or a saw-tooth.
const MIN_VALUES_PER_RESET: usize = 20;

/// Values over time, oldest first: smallest and largest of each point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
}

/// The figures of a signal that counts or switches, up to `end`; `None` for every other one.
#[must_use]
pub fn describe(points: &[Point], end: Timestamp) -> Option<Signal> {
    binary(points, end).or_else(|| counter(points))
}

/// A signal of 0 and 1 that has shown both, each point one reading.
fn binary(points: &[Point], end: Timestamp) -> Option<Signal> {
    let is_switch = |p: &Point| p.min == p.max && (p.max == 0.0 || p.max == 1.0);
    if points.len() < 2 || !points.iter().all(is_switch) {
        return None;
    }
    let changes = points.windows(2).filter(|w| w[0].max != w[1].max).count();
    if changes == 0 {
        return None;
    }
    let begin = points.first()?.at;
    let next = points.iter().skip(1).map(|p| p.at).chain([end.max(points.last()?.at)]);
    let on_s: f64 = points.iter().zip(next).map(|(p, next)| p.max * next.seconds_since(p.at)).sum();
    let all_s = end.max(points.last()?.at).seconds_since(begin);
    Some(Signal {
        duty: (all_s > 0.0).then(|| on_s / all_s),
        changes: Some(changes as i64),
        mean_dwell_s: Some(all_s / (changes + 1) as f64),
        ..Signal::of(SignalKind::Binary)
    })
}

/// A signal that only rises, apart from falls to less than half, which are restarts.
fn counter(points: &[Point]) -> Option<Signal> {
    if points.len() < MIN_COUNTED || points.iter().any(|p| p.min < 0.0) {
        return None;
    }
    let (mut increase, mut rises, mut resets) = (0.0, 0, 0);
    let mut before = points.first()?.min;
    for p in points {
        if p.min < before {
            if p.min > before / 2.0 {
                return None;
            }
            resets += 1;
            increase += p.min;
        } else {
            increase += p.min - before;
        }
        rises += usize::from(p.max > before);
        increase += p.max - p.min;
        before = p.max;
    }
    // a constant is no counter, nor is what restarts all the time
    if rises < points.len() / 4 || resets * MIN_VALUES_PER_RESET > points.len() {
        return None;
    }
    let seconds = points.last()?.at.seconds_since(points.first()?.at);
    Some(Signal {
        increase: Some(increase),
        rate_per_s: (seconds > 0.0).then(|| increase / seconds),
        resets: Some(resets as i64),
        ..Signal::of(SignalKind::Counter)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
        let point = |(s, value): (i64, f64)| Point { at: Timestamp(s * 1_000_000), min: value, max: value };
        (0..).zip(values).map(point).collect()
    }

    #[test]
    fn a_counter_is_recognised_with_its_restart() {
        let values =
            (0..30).map(|n| if n < 20 { 439_000.0 + f64::from(n) * 10.0 } else { f64::from(n - 20) * 10.0 });
        let signal =
            describe(&points(values), Timestamp(30_000_000)).unwrap_or(Signal::of(SignalKind::Binary));
        assert_eq!((signal.kind, signal.resets), (SignalKind::Counter, Some(1)));
        assert_eq!((signal.increase, signal.rate_per_s), (Some(280.0), Some(280.0 / 29.0)));
    }

    #[test]
    fn a_switch_is_recognised_with_its_duty() {
        let signal = describe(&points([0.0, 1.0, 1.0, 0.0]), Timestamp(4_000_000));
        let signal = signal.unwrap_or(Signal::of(SignalKind::Counter));
        assert_eq!((signal.kind, signal.duty, signal.changes), (SignalKind::Binary, Some(0.5), Some(2)));
        assert!(signal.mean_dwell_s.is_some_and(|s| (s - 4.0 / 3.0).abs() < 1e-9));
    }

    #[test]
    fn other_signals_are_neither() {
        for values in
            [vec![1.0; 40], vec![0.0; 40], (0..40).map(|n| f64::from(n % 7)).collect(), vec![], vec![3.0]]
        {
            assert_eq!(describe(&points(values.clone()), Timestamp(40_000_000)), None, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn what_falls_a_little_is_no_counter(values in prop::collection::vec(10.0..20.0_f64, 12..60)) {
            let falls = values.windows(2).any(|w| w[1] < w[0]);
            let counted = describe(&points(values), Timestamp(0)).is_some();
            prop_assert!(!(falls && counted));
        }
    }
}
