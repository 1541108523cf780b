//! From readings to the class that counts: delays and dead band (ISA-18.2 on-delay, off-delay, deadband).
//!
//! A sensor has two levels, warning and critical. A level that is off goes on once the value has been beyond its limit for the
//! on-delay without interruption; one that is on goes off once the value has been back by more than the dead band for the
//! off-delay. A value holds until the next reading. So a delay can run out between two readings, or without a further one:
//! [`evaluate`] says when, and is asked again then.
//!
//! Time is the readings' own and never later than the present. What is remembered between two calls is [`State`]; a batch that
//! comes again changes nothing. Without delays and dead band the result is that of
//! [`limit_condition`](crate::condition::limit_condition), which a property states.

use crate::{condition::LimitCondition, limits};
use pm_api::{ReadingStatus, Timestamp, alarm_engine::ConditionKind, alarm_rule::RuleValues, score::Limits};
use serde::{Deserialize, Serialize};

/// How much of the distance between the high and the low limit a dead band may take. A wider one would let no value end the
/// alarm.
const MAX_DEAD_BAND_SHARE: f64 = 0.25;

/// What a rule says about time and distance.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Delays {
    /// Time beyond a limit before the class counts, s.
    pub on_s: i64,
    /// Time back before it ends, s.
    pub off_s: i64,
    /// Distance at which a value is back, in the sensor's unit.
    pub dead_band: f64,
    /// Change per minute that is a warning, in the sensor's unit.
    pub max_rate_per_min: Option<f64>,
}

impl Delays {
    /// Those of a rule.
    #[must_use]
    pub fn of(rule: &RuleValues) -> Self {
        Self {
            on_s: rule.on_delay_s.unwrap_or_default(),
            off_s: rule.off_delay_s.unwrap_or_default(),
            dead_band: rule.dead_band.unwrap_or_default(),
            max_rate_per_min: rule.max_rate_per_min,
        }
    }

    /// Does each reading count at once, by its status alone?
    #[must_use]
    pub fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What is remembered of a sensor between its readings.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// What judged it; nothing that is remembered holds for another measure.
    pub measure: ConditionKind,
    /// The class that counts.
    pub class: ReadingStatus,
    /// Since when the value has asked for the other state of the warning level.
    pub warning_since: Option<Timestamp>,
    /// The same of the critical level.
    pub critical_since: Option<Timestamp>,
    /// Readings up to here have been evaluated.
    pub through: Option<Timestamp>,
    /// How late the last of them came, microseconds. Others on their way are as late, so delays that run without a reading
    /// run so much later.
    pub lag_us: i64,
}

/// A reading against the limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// When it was measured.
    pub time: Timestamp,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Its class.
    pub beyond: ReadingStatus,
    /// The class that it does not end: that of its limits moved inwards by the dead band.
    pub holds: ReadingStatus,
    /// The change per minute, where that is what makes it a warning.
    pub rate_per_min: Option<f64>,
}

/// What an evaluation gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluated {
    /// To be remembered.
    pub state: State,
    /// When a delay runs out if no reading comes before: by the clock of the server, with the lag of readings added.
    pub due_at: Option<Timestamp>,
    /// What must be reported to the alarm engine, if anything.
    pub reported: Option<LimitCondition>,
    /// The change per minute behind it, if it is what raised it.
    pub rate_per_min: Option<f64>,
}

/// Judges a reading. `previous` is the good one before it, `status` its class by limits or, without limits, by its sender.
#[must_use]
pub fn judge(
    limits: &Limits,
    delays: &Delays,
    previous: Option<(Timestamp, f64)>,
    (time, value, status): (Timestamp, f64, ReadingStatus),
) -> Judged {
    let rate = previous
        .filter(|(before, _)| *before < time)
        .map(|(before, value_before)| (value - value_before) * 60.0 / time.seconds_since(before));
    let fast = rate.filter(|rate| delays.max_rate_per_min.is_some_and(|max| rate.abs() > max));
    let beyond = if fast.is_some() { status.max(ReadingStatus::Warning) } else { status };
    let holds = if limits::any(limits) {
        limits::classify(&moved(limits, delays.dead_band), value)
    } else {
        ReadingStatus::Normal
    };
    Judged { time, value, beyond, holds: holds.max(beyond), rate_per_min: fast.filter(|_| beyond > status) }
}

/// Limits moved inwards by the dead band.
fn moved(limits: &Limits, dead_band: f64) -> Limits {
    let high = limits.warning_high.or(limits.critical_high);
    let low = limits.warning_low.or(limits.critical_low);
    let band = match (high, low) {
        (Some(high), Some(low)) => dead_band.min((high - low).max(0.0) * MAX_DEAD_BAND_SHARE),
        _ => dead_band,
    };
    Limits {
        warning_high: limits.warning_high.map(|l| l - band),
        critical_high: limits.critical_high.map(|l| l - band),
        warning_low: limits.warning_low.map(|l| l + band),
        critical_low: limits.critical_low.map(|l| l + band),
    }
}

/// Up to when delays run.
#[derive(Clone, Copy, PartialEq)]
enum Until {
    /// Up to a reading that is not applied yet: one at that very moment still counts.
    Before(Timestamp),
    /// Up to and with a moment.
    With(Timestamp),
}

impl Until {
    fn passed(self, end: Timestamp) -> bool {
        match self {
            Self::Before(time) => end < time,
            Self::With(time) => end <= time,
        }
    }
}

impl State {
    /// The state of a sensor whose class was last reported to the alarm engine as `class`.
    #[must_use]
    pub fn new(measure: ConditionKind, class: ReadingStatus, through: Option<Timestamp>) -> Self {
        Self { measure, class, warning_since: None, critical_since: None, through, lag_us: 0 }
    }

    /// When the delay of a level that has been asked to change since `since` runs out.
    fn end(&self, level: ReadingStatus, since: Option<Timestamp>, delays: &Delays) -> Option<Timestamp> {
        let delay_s = if self.class >= level { delays.off_s } else { delays.on_s };
        since.map(|since| since.plus_seconds(delay_s))
    }

    /// The ends of the delays that run: of the warning level and of the critical one.
    fn ends(&self, delays: &Delays) -> [Option<Timestamp>; 2] {
        [
            self.end(ReadingStatus::Warning, self.warning_since, delays),
            self.end(ReadingStatus::Critical, self.critical_since, delays),
        ]
    }

    /// Lets the delays run that end by then; returns when the class rose, if it did.
    fn advance(&mut self, until: Until, delays: &Delays) -> Option<Timestamp> {
        let [warning, critical] = self.ends(delays).map(|end| end.filter(|end| until.passed(*end)));
        let before = self.class;
        if critical.is_some() {
            if before == ReadingStatus::Critical {
                self.class = ReadingStatus::Warning;
            } else {
                self.class = ReadingStatus::Critical;
                self.warning_since = None;
            }
            self.critical_since = None;
        }
        if warning.is_some() {
            if before == ReadingStatus::Normal {
                self.class = self.class.max(ReadingStatus::Warning);
            } else {
                // a value that is back from the warning limit is back from the critical one
                self.class = ReadingStatus::Normal;
                self.critical_since = None;
            }
            self.warning_since = None;
        }
        (self.class > before).then(|| critical.max(warning)).flatten()
    }

    /// Takes in what a reading asks for.
    fn ask(&mut self, reading: &Judged, time: Timestamp) {
        let class = self.class;
        let ask = |level, since: &mut Option<Timestamp>| {
            let changes = if class >= level { reading.holds < level } else { reading.beyond >= level };
            *since = changes.then(|| since.unwrap_or(time));
        };
        ask(ReadingStatus::Warning, &mut self.warning_since);
        ask(ReadingStatus::Critical, &mut self.critical_since);
    }
}

/// What was seen in one evaluation.
#[derive(Default)]
struct Seen {
    occurrences: u32,
    /// With the value and the change per minute that are reported of it.
    worst: Option<(Gravity, f64, Option<f64>)>,
}

/// What makes a sight of a class the worst: the class that counted, the class of the reading, the time.
type Gravity = (ReadingStatus, ReadingStatus, Timestamp);

impl Seen {
    fn add(&mut self, class: ReadingStatus, reading: &Judged, time: Timestamp) {
        self.occurrences = self.occurrences.saturating_add(1);
        let key = (class, reading.beyond, time);
        if self.worst.is_none_or(|(worst, ..)| key >= worst) {
            self.worst = Some((key, reading.value, reading.rate_per_min));
        }
    }
}

/// What the alarm engine knows of a sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LastReported {
    /// The class that was last reported to it.
    pub class: ReadingStatus,
    /// It knows of readings up to here.
    pub through: Option<Timestamp>,
}

/// Evaluates readings of one sensor in the order of their times. `held` is the newest one before them; what it says holds
/// until the first of them. `until` is up to when delays run without a further reading, if at all; not later than the present.
///
/// A reading is taken in once. It is counted once the alarm engine knows of it, so one whose evaluation was lost half-way is
/// reported when it comes again.
#[must_use]
pub fn evaluate(
    before: State,
    held: Option<Judged>,
    readings: impl IntoIterator<Item = Judged>,
    reported: LastReported,
    delays: &Delays,
    (until, now): (Option<Timestamp>, Timestamp),
) -> Evaluated {
    let mut state = before;
    let mut held = held;
    let mut seen = Seen::default();
    for reading in readings.into_iter().filter(|r| before.through.is_none_or(|through| r.time > through)) {
        let time = reading.time.min(now);
        if let Some(at) = state.advance(Until::Before(time), delays) {
            seen.add(state.class, held.as_ref().unwrap_or(&reading), at);
        }
        state.ask(&reading, time);
        state.advance(Until::With(time), delays);
        let is_new = reported.through.is_none_or(|through| reading.time > through);
        if is_new && reading.beyond > ReadingStatus::Normal && state.class > ReadingStatus::Normal {
            seen.add(state.class, &reading, time);
        }
        state.through = state.through.max(Some(time));
        state.lag_us = now.0 - time.0;
        held = Some(reading);
    }
    if let Some(until) = until
        && let Some(at) = state.advance(Until::With(until.min(now)), delays)
        && let Some(held) = &held
    {
        seen.add(state.class, held, at);
    }
    let active = state.class > ReadingStatus::Normal;
    // a lower class was reported than the one that counts: the report got lost
    if let Some(held) = &held
        && seen.occurrences == 0
        && state.class > reported.class
    {
        seen.add(state.class, held, held.time.min(now));
    }
    let ended = !active && reported.class > ReadingStatus::Normal;
    let evaluated_through = state.through.or(reported.through).unwrap_or(now).min(now);
    let (worst, rate_per_min) = match (seen.worst, &held) {
        (Some(((class, _, time), value, rate)), _) => ((class, value, time), rate),
        (None, Some(held)) => ((state.class, held.value, held.time.min(now)), None),
        (None, None) => ((state.class, f64::NAN, now), None),
    };
    let reported = (seen.occurrences > 0 || ended).then_some(LimitCondition {
        occurrences: seen.occurrences,
        worst,
        still_active: active,
        evaluated_through,
    });
    let due_at = state.ends(delays).into_iter().flatten().min().map(|end| Timestamp(end.0 + state.lag_us));
    Evaluated { state, due_at, reported, rate_per_min }
}

#[cfg(test)]
mod tests;
