//! Thresholds of a sensor and the status of a value against them.

use pm_api::{ReadingStatus, score::Limits};

/// The four thresholds that a sensor carries, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Thresholds {
    /// At or below: warning.
    pub min: Option<f64>,
    /// At or above: warning, where neither `warning` nor `critical` is given.
    pub max: Option<f64>,
    /// At or above (below, on the low side): warning.
    pub warning: Option<f64>,
    /// At or above (below, on the low side): critical.
    pub critical: Option<f64>,
}

/// Resolves thresholds to limits.
///
/// Warning and critical guard the high side; where critical lies below warning (an oil level: warning 50 %, critical
/// 45 %) both guard the low side. `min` is a low warning in either case.
#[must_use]
pub fn limits(thresholds: Thresholds) -> Limits {
    let Thresholds { min, max, warning, critical } = thresholds;
    let low_side = matches!((warning, critical), (Some(w), Some(c)) if c < w);
    if low_side {
        return Limits {
            warning_high: None,
            critical_high: None,
            warning_low: warning,
            critical_low: critical,
        };
    }
    let warning_high = if warning.is_none() && critical.is_none() { max } else { warning };
    Limits { warning_high, critical_high: critical, warning_low: min, critical_low: None }
}

/// True if any limit is set.
#[must_use]
pub fn any(limits: &Limits) -> bool {
    limits.warning_high.is_some()
        || limits.critical_high.is_some()
        || limits.warning_low.is_some()
        || limits.critical_low.is_some()
}

/// Judges a value: critical before warning, limits inclusive.
#[must_use]
pub fn judge(limits: &Limits, value: f64) -> ReadingStatus {
    let above = |limit: Option<f64>| limit.is_some_and(|l| value >= l);
    let below = |limit: Option<f64>| limit.is_some_and(|l| value <= l);
    if above(limits.critical_high) || below(limits.critical_low) {
        ReadingStatus::Critical
    } else if above(limits.warning_high) || below(limits.warning_low) {
        ReadingStatus::Warning
    } else {
        ReadingStatus::Normal
    }
}

/// The status of a new reading: judged by the limits; where there are none, what the sender claimed, or normal.
#[must_use]
pub fn status(limits: &Limits, value: f64, claimed: Option<ReadingStatus>) -> ReadingStatus {
    if any(limits) { judge(limits, value) } else { claimed.unwrap_or(ReadingStatus::Normal) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ReadingStatus::{Critical, Normal, Warning};

    fn t(min: f64, max: f64, warning: f64, critical: f64) -> Thresholds {
        let some = |v: f64| (!v.is_nan()).then_some(v);
        Thresholds { min: some(min), max: some(max), warning: some(warning), critical: some(critical) }
    }

    #[test]
    fn a_value_against_its_thresholds() {
        let none = f64::NAN;
        for (thresholds, value, expected) in [
            (t(0.0, 100.0, 70.0, 85.0), 69.9, Normal),
            (t(0.0, 100.0, 70.0, 85.0), 70.0, Warning),
            (t(0.0, 100.0, 70.0, 85.0), 85.0, Critical),
            (t(0.0, 100.0, 70.0, 85.0), -1.0, Warning),
            (t(none, none, none, none), 1e9, Normal),
            (t(none, 100.0, none, none), 100.0, Warning),
            (t(none, 100.0, 200.0, none), 150.0, Normal),
            (t(none, none, none, 85.0), 85.0, Critical),
            (t(none, none, 50.0, 45.0), 80.0, Normal),
            (t(none, none, 50.0, 45.0), 50.0, Warning),
            (t(none, none, 50.0, 45.0), 45.0, Critical),
        ] {
            assert_eq!(judge(&limits(thresholds), value), expected, "{thresholds:?} {value}");
        }
    }

    #[test]
    fn a_claim_counts_only_without_limits() {
        let limited = limits(t(f64::NAN, f64::NAN, 70.0, 85.0));
        assert_eq!(status(&limited, 10.0, Some(Critical)), Normal);
        assert_eq!(status(&Limits::default(), 10.0, Some(Critical)), Critical);
        assert_eq!(status(&Limits::default(), 10.0, None), Normal);
    }
}
