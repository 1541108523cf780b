//! Back-tests: the alarms that a rule would have raised for readings that are stored.
//!
//! [`Replay`] hands each reading to the evaluation that judges it when it comes in ([`MonitoredSensor::judge_readings`],
//! [`MonitoredSensor::judge_overdue`]) and what is to be reported to the alarm state machine ([`machine::step`]). It stands in for what is around them:
//! the batch, the clock that looks for delays that have run out, and the memory. Each reading is taken for one that came when it
//! was measured, also one that was late or imported.
//!
//! What people do is not known, so an alarm is taken for resolved when its condition ends; one that comes back is a new one.
//! Planned maintenance suppresses alarms as it does live. That a machine's status was `maintenance` is not known afterwards.

pub mod suggest;
pub mod tally;
pub mod trial;

use super::{
    condition,
    machine::{self, Change, OpenAlarm, State},
    monitored::{Judgement, MonitoredSensor, TRANSIT_S},
    rule,
    suppression::suppression,
};
use crate::{condition::ClassifiedReading, limits};
use pm_api::{
    MachineStatus, ReadingStatus, Severity, Timestamp, alarm_engine::ConditionKind, backtest::AlarmSpan,
    maintenance::MaintenanceWindow, score::Limits,
};
use serde::{Deserialize, Serialize};

/// What a replay must remember between two steps of a job.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// What was last reported.
    class: Option<ReadingStatus>,
    evaluated_through: Option<Timestamp>,
    delay_state: Option<condition::State>,
    due_at: Option<Timestamp>,
    newest: Option<(Timestamp, f64, ReadingStatus)>,
    alarm: Option<(Timestamp, Severity)>,
    readings: u64,
}

/// The readings of one sensor under one rule.
#[derive(Debug, Clone)]
pub struct Replay<'w> {
    sensor: MonitoredSensor,
    limits: Limits,
    windows: &'w [MaintenanceWindow],
    due_at: Option<Timestamp>,
    /// The alarm whose condition holds, and when it was raised.
    alarm: Option<(Timestamp, OpenAlarm)>,
    readings: u64,
}

impl<'w> Replay<'w> {
    /// Begins, or goes on with what is remembered. `windows`: those of the sensor's machine.
    #[must_use]
    pub fn new(sensor: &MonitoredSensor, windows: &'w [MaintenanceWindow], memory: &Memory) -> Self {
        let class = memory.class.unwrap_or(ReadingStatus::Normal);
        let mut sensor = MonitoredSensor {
            threshold_condition: ReadingStatus::Normal,
            reported_condition: ReadingStatus::Normal,
            stale_condition: ReadingStatus::Normal,
            evaluated_through: memory.evaluated_through,
            delay_state: memory.delay_state,
            newest: memory.newest,
            ..sensor.clone()
        };
        *reported(&mut sensor) = class;
        let alarm = memory.alarm.map(|(begin, severity)| {
            let alarm = OpenAlarm {
                severity,
                message: String::new(),
                condition_active: true,
                occurrences: 1,
                last_seen_at: begin,
                prediction_id: None,
            };
            (begin, alarm)
        });
        let limits = limits::limits(sensor.thresholds);
        Self { sensor, limits, windows, due_at: memory.due_at, alarm, readings: memory.readings }
    }

    /// What must be remembered.
    #[must_use]
    pub fn memory(&mut self) -> Memory {
        Memory {
            class: Some(*reported(&mut self.sensor)),
            evaluated_through: self.sensor.evaluated_through,
            delay_state: self.sensor.delay_state,
            due_at: self.due_at,
            newest: self.sensor.newest,
            alarm: self.alarm.as_ref().map(|(begin, alarm)| (*begin, alarm.severity)),
            readings: self.readings,
        }
    }

    /// How many readings were evaluated.
    #[must_use]
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// Takes in the next reading. `claimed` is its stored status, which counts for sensors without limits. Alarms whose condition
    /// has ended by then are given to `ended`.
    pub fn reading(
        &mut self,
        (time, value, claimed): (Timestamp, f64, ReadingStatus),
        ended: &mut impl FnMut(AlarmSpan),
    ) {
        if !rule::is_plausible(&self.sensor.rule, value) {
            return;
        }
        self.run_delays(time, ended);
        let status = limits::status(&self.limits, value, Some(claimed));
        let judgement = self.sensor.judge_readings(&[ClassifiedReading { time, value, status }], time);
        self.readings += 1;
        self.apply(judgement, time, ended);
        self.sensor.newest = Some((time, value, status));
    }

    /// Ends at `until`: delays run up to then, and an alarm whose condition holds is given without an end.
    pub fn end(&mut self, until: Timestamp, ended: &mut impl FnMut(AlarmSpan)) {
        self.run_delays(until.plus_seconds(TRANSIT_S), ended);
        if let Some((begin, alarm)) = self.alarm.take() {
            ended(AlarmSpan { begin, end: None, severity: alarm.severity });
        }
    }

    /// What the clock does: evaluates the delays that have run out by then.
    fn run_delays(&mut self, by: Timestamp, ended: &mut impl FnMut(AlarmSpan)) {
        while let Some(due_at) = self.due_at.filter(|due_at| due_at.plus_seconds(TRANSIT_S) <= by) {
            let judgement = self.sensor.judge_overdue(due_at.plus_seconds(TRANSIT_S));
            self.due_at = None;
            self.apply(judgement, due_at, ended);
        }
    }

    fn apply(&mut self, judgement: Judgement, now: Timestamp, ended: &mut impl FnMut(AlarmSpan)) {
        if let Some((found, _)) = judgement.reported {
            let condition = self.sensor.wordless(judgement.measure, &found);
            let alarm = self.alarm.take();
            let begin = alarm.as_ref().map_or(condition.time, |(begin, _)| *begin);
            let state = State { alarm: alarm.map(|(_, alarm)| alarm), reported: *reported(&mut self.sensor) };
            let mut step = machine::step(&state, &condition, now);
            if step.effects.change == Some(Change::Raised)
                && suppression(MachineStatus::Online, self.windows, now).is_some()
            {
                step = machine::suppressed(&state);
            }
            *reported(&mut self.sensor) = step.next.reported;
            self.sensor.evaluated_through =
                self.sensor.evaluated_through.max(Some(condition.evaluated_through));
            match step.next.alarm {
                Some(alarm) if alarm.condition_active => self.alarm = Some((begin, alarm)),
                Some(alarm) => ended(AlarmSpan { begin, end: Some(now), severity: alarm.severity }),
                None => {}
            }
        }
        if let Some((state, due_at)) = judgement.remember {
            self.sensor.delay_state = state;
            self.due_at = due_at;
        }
    }
}

/// The class that was last reported of what judges the sensor.
fn reported(sensor: &mut MonitoredSensor) -> &mut ReadingStatus {
    match sensor.measure() {
        ConditionKind::Threshold => &mut sensor.threshold_condition,
        _ => &mut sensor.reported_condition,
    }
}

#[cfg(test)]
mod tests;
