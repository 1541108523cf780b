//! What of a rule can be moved to try it.

use pm_api::{
    backtest::{SensorBacktestQuery, TriedRule},
    input::{Number, Whole},
    score::Limits,
};

/// A limit that can be moved.
pub struct Movable {
    /// Its label.
    pub label: &'static str,
    /// Reads it.
    pub get: fn(&Limits) -> Option<f64>,
    /// Sets it.
    pub set: fn(&mut Limits, f64),
}

/// Those of the high side stand at even places.
pub static MOVABLE: [Movable; 4] = [
    Movable { label: "Warning at or above", get: |l| l.warning_high, set: |l, v| l.warning_high = Some(v) },
    Movable { label: "Warning at or below", get: |l| l.warning_low, set: |l, v| l.warning_low = Some(v) },
    Movable {
        label: "Critical at or above",
        get: |l| l.critical_high,
        set: |l, v| l.critical_high = Some(v),
    },
    Movable { label: "Critical at or below", get: |l| l.critical_low, set: |l, v| l.critical_low = Some(v) },
];

/// What is moved.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moved {
    /// Limits.
    pub limits: Limits,
    /// On-delay, s.
    pub on_delay_s: i64,
    /// Dead band, in the sensor's unit.
    pub dead_band: f64,
}

impl Moved {
    /// As the rule says.
    #[must_use]
    pub fn of(rule: &TriedRule) -> Self {
        Self {
            limits: rule.limits,
            on_delay_s: rule.on_delay_s.unwrap_or_default(),
            dead_band: rule.dead_band.unwrap_or_default(),
        }
    }

    /// The question, which names only what differs from the rule that counts.
    #[must_use]
    pub fn query(&self, present: &Self) -> SensorBacktestQuery {
        let limit = |pick: fn(&Limits) -> Option<f64>| {
            pick(&self.limits).filter(|limit| pick(&present.limits) != Some(*limit)).map(Number)
        };
        SensorBacktestQuery {
            warning_low: limit(|l| l.warning_low),
            critical_low: limit(|l| l.critical_low),
            warning_high: limit(|l| l.warning_high),
            critical_high: limit(|l| l.critical_high),
            on_delay_s: (self.on_delay_s != present.on_delay_s).then_some(Whole(self.on_delay_s)),
            dead_band: (self.dead_band != present.dead_band).then_some(Number(self.dead_band)),
            ..SensorBacktestQuery::default()
        }
    }
}
