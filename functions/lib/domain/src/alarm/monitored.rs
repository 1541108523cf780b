//! What must be reported to the alarm engine about a sensor: about its readings, by its limits or, where it has none, by the status that its
//! sender gives; and about its silence.

use super::condition::{Delays, Evaluated, LastReported, State, evaluate, judge};
use crate::{
    condition::{ClassifiedReading, LimitCondition, limit_condition},
    limits,
};
use pm_api::{
    MachineId, ReadingStatus, SensorId, Severity, Timestamp,
    alarm_engine::{Condition, ConditionKind},
    alarm_rule::RuleValues,
    sensor::Thresholds,
};
use std::borrow::Cow;

/// Delays that run out without a further reading are evaluated so much later than they end, s: a reading that would have
/// interrupted them may be on its way.
pub const TRANSIT_S: i64 = 1;

/// A sensor whose readings may become alarms, with what is remembered of it.
#[derive(Debug, Clone)]
pub struct MonitoredSensor {
    /// Its machine.
    pub machine_id: MachineId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its name.
    pub name: String,
    /// Unit of its values.
    pub unit: Option<String>,
    /// The thresholds that count for it.
    pub thresholds: Thresholds,
    /// The alarm rule that counts for it.
    pub rule: RuleValues,
    /// What was last reported to the alarm engine about its limits.
    pub threshold_condition: ReadingStatus,
    /// The same of the statuses that its sender gives.
    pub reported_condition: ReadingStatus,
    /// The same of its silence.
    pub stale_condition: ReadingStatus,
    /// Readings up to here have been judged for alarms.
    pub evaluated_through: Option<Timestamp>,
    /// What is remembered of the delays of its rule.
    pub delay_state: Option<State>,
    /// Its newest good reading.
    pub newest: Option<(Timestamp, f64, ReadingStatus)>,
}

/// The result for what judges the readings of a sensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judgement {
    /// What judged them.
    pub measure: ConditionKind,
    /// What must be reported to the alarm engine, with the change per minute if that is what raised it.
    pub reported: Option<(LimitCondition, Option<f64>)>,
    /// What must be remembered of the delays; see [`Evaluation::remember`].
    pub remember: Option<(Option<State>, Option<Timestamp>)>,
}

/// The result for a sensor.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evaluation {
    /// What must be reported to the alarm engine.
    pub conditions: Vec<Condition>,
    /// What must be remembered of the delays afterwards, and when one runs out; `None`: it stays as it is.
    pub remember: Option<(Option<State>, Option<Timestamp>)>,
}

impl MonitoredSensor {
    /// Are its readings judged here, rather than by their sender?
    #[must_use]
    pub fn is_judged(&self) -> bool {
        limits::any(&limits::limits(self.thresholds)) || self.rule.max_rate_per_min.is_some()
    }

    /// What follows from readings that are stored, good and no history.
    #[must_use]
    pub fn readings(&self, readings: &[ClassifiedReading], now: Timestamp) -> Evaluation {
        if readings.is_empty() {
            return Evaluation::default();
        }
        let mut evaluation = self.worded(self.judge_readings(readings, now));
        let (other, reported) = match self.measure() {
            ConditionKind::Threshold => (ConditionKind::Reported, self.reported_condition),
            _ => (ConditionKind::Threshold, self.threshold_condition),
        };
        if reported > ReadingStatus::Normal {
            // the sensor got limits, or lost them: what was reported by the other measure ends
            let normal: Vec<_> =
                readings.iter().map(|r| ClassifiedReading { status: ReadingStatus::Normal, ..*r }).collect();
            let ended = limit_condition(&normal, self.evaluated_through, reported, now);
            evaluation.conditions.extend(ended.map(|found| self.condition(other, &found, None)));
        }
        if self.stale_condition > ReadingStatus::Normal {
            evaluation.conditions.push(self.silence_end(now));
        }
        evaluation
    }

    /// What follows from delays that have run out without a further reading.
    #[must_use]
    pub fn overdue(&self, now: Timestamp) -> Evaluation {
        self.worded(self.judge_overdue(now))
    }

    /// The part of [`Self::readings`] that is about them alone, without words for people: what a back-test asks for each reading.
    #[must_use]
    pub fn judge_readings(&self, readings: &[ClassifiedReading], now: Timestamp) -> Judgement {
        self.judged(readings, None, now)
    }

    /// The same of [`Self::overdue`].
    #[must_use]
    pub fn judge_overdue(&self, now: Timestamp) -> Judgement {
        let lag_us = self.delay_state.map_or(0, |state| state.lag_us);
        self.judged(&[], Some(Timestamp(now.plus_seconds(-TRANSIT_S).0 - lag_us)), now)
    }

    fn worded(&self, judgement: Judgement) -> Evaluation {
        let Judgement { measure, reported, remember } = judgement;
        let conditions = reported.map(|(found, rate)| self.condition(measure, &found, rate));
        Evaluation { conditions: conditions.into_iter().collect(), remember }
    }

    /// What judges its readings.
    pub(crate) fn measure(&self) -> ConditionKind {
        if self.is_judged() { ConditionKind::Threshold } else { ConditionKind::Reported }
    }

    fn judged(&self, readings: &[ClassifiedReading], until: Option<Timestamp>, now: Timestamp) -> Judgement {
        let measure = self.measure();
        let reported = match measure {
            ConditionKind::Threshold => self.threshold_condition,
            _ => self.reported_condition,
        };
        let delays = Delays::of(&self.rule);
        if delays.are_none() && self.delay_state.is_none() {
            let found = limit_condition(readings, self.evaluated_through, reported, now);
            return Judgement { measure, reported: found.map(|found| (found, None)), remember: None };
        }
        let remembered = self.delay_state.filter(|state| state.measure == measure);
        let before = remembered.unwrap_or_else(|| State::new(measure, reported, self.evaluated_through));
        let limits = limits::limits(self.thresholds);
        let mut previous = self.newest.map(|(time, value, _)| (time, value));
        let held =
            self.newest.map(|(time, value, status)| judge(&limits, &delays, None, (time, value, status)));
        let mut in_order = Cow::from(readings);
        if !readings.is_sorted_by_key(|r| r.time) {
            in_order.to_mut().sort_by_key(|r| r.time);
        }
        let judged = in_order.iter().map(|r| {
            let judged = judge(&limits, &delays, previous, (r.time, r.value, r.status));
            previous = Some((r.time, r.value));
            judged
        });
        let reported = LastReported { class: reported, through: self.evaluated_through };
        let Evaluated { state, due_at, reported, rate_per_min } =
            evaluate(before, held, judged, reported, &delays, (until, now));
        let kept = (!delays.are_none() || due_at.is_some()).then_some(state);
        // readings that change nothing but the time may be taken in again
        let same = match (&kept, &self.delay_state) {
            (Some(kept), Some(known)) => {
                State { through: known.through, lag_us: known.lag_us, ..*kept } == *known
            }
            (None, None) => true,
            _ => false,
        };
        let remember = (!same || until.is_some()).then_some((kept, due_at.filter(|_| kept.is_some())));
        let reported = reported.map(|found| (found, rate_per_min));
        Judgement { measure, reported, remember }
    }

    fn condition(&self, kind: ConditionKind, found: &LimitCondition, rate_per_min: Option<f64>) -> Condition {
        let (status, value, _) = found.worst;
        let message = self.message(kind, status, value, rate_per_min);
        Condition { message, ..self.wordless(kind, found) }
    }

    /// A condition without its message.
    #[must_use]
    pub fn wordless(&self, kind: ConditionKind, found: &LimitCondition) -> Condition {
        let (status, value, time) = found.worst;
        Condition {
            machine_id: self.machine_id,
            sensor_id: self.sensor_id,
            kind,
            occurrences: found.occurrences,
            severity: status.into(),
            still_active: found.still_active,
            value,
            time,
            evaluated_through: found.evaluated_through,
            message: String::new(),
            prediction_id: None,
        }
    }

    /// The documented message: `{name} reported {value} {unit}`; where the sender gave the status, with it.
    fn message(
        &self,
        kind: ConditionKind,
        status: ReadingStatus,
        value: f64,
        rate_per_min: Option<f64>,
    ) -> String {
        let unit = self.unit.as_deref().unwrap_or_default();
        if let Some(rate) = rate_per_min {
            return format!("{} changed by {rate:.1} {unit} per minute", self.name).replace("  ", " ");
        }
        let message = format!("{} reported {value:?} {unit}", self.name).trim_end().to_owned();
        match kind {
            ConditionKind::Reported => format!("{message} with the status {status}"),
            ConditionKind::Threshold | ConditionKind::Prediction | ConditionKind::Stale => message,
        }
    }

    /// The condition that a silence of this length makes: the sensor becomes stale, or is no longer because its rule expects less.
    #[must_use]
    pub fn silent(&self, silent_s: f64, now: Timestamp) -> Option<Condition> {
        let expected_s = self.rule.expected_interval_s;
        let is_stale = expected_s.filter(|expected_s| silent_s >= *expected_s as f64);
        match (is_stale, self.stale_condition > ReadingStatus::Normal) {
            (Some(expected_s), false) => Some(Condition {
                occurrences: 1,
                severity: Severity::Warning,
                still_active: true,
                message: format!("{} has sent no good value for {expected_s} s", self.name),
                ..self.silence_end(now)
            }),
            (None, true) => Some(self.silence_end(now)),
            _ => None,
        }
    }

    /// The end of a silence.
    fn silence_end(&self, now: Timestamp) -> Condition {
        Condition {
            machine_id: self.machine_id,
            sensor_id: self.sensor_id,
            kind: ConditionKind::Stale,
            occurrences: 0,
            severity: Severity::Info,
            still_active: false,
            value: self.newest.map_or(f64::NAN, |(_, value, _)| value),
            time: now,
            evaluated_through: now,
            message: format!("{} sends again", self.name),
            prediction_id: None,
        }
    }
}

#[cfg(test)]
mod tests;
