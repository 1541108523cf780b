//! Back-tests: what an alarm rule would have done with stored readings, beside the alarms that were raised.
//!
//! A rule that is tried says what is different: what it leaves out is as it counts for each sensor now. An alarm is counted from
//! the moment it is raised until its condition ends, as if it was resolved then (`pm_domain::alarm::backtest`).

use crate::{
    BacktestId, JobId, JobStatus, LimitSide, MachineId, SensorId, Severity, Timestamp, UserId,
    alarm_rule::{MAX_DELAY_S, RuleValues},
    input::{Between, Many, Number, Text, Whole, input},
    score::Limits,
};
use serde::{Deserialize, Serialize};

/// Most rules that are tried at once.
pub const MAX_RULES: usize = 4;
/// Most sensors of a back-test.
pub const MAX_SENSORS: usize = 1000;
/// Most alarms a month that a suggestion can be asked for.
pub const MAX_ALARMS_PER_MONTH: i64 = 10_000;

/// A rule that is tried. Null: as it counts for the sensor now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TriedRule {
    /// For people.
    pub name: Option<String>,
    /// Limits.
    #[serde(flatten)]
    pub limits: Limits,
    /// Time beyond a limit before there is an alarm, s.
    pub on_delay_s: Option<i64>,
    /// Time back from a limit before its condition ends, s.
    pub off_delay_s: Option<i64>,
    /// How far off its limit a value is back, in the sensor's unit.
    pub dead_band: Option<f64>,
    /// Values below this are not plausible.
    pub plausible_low: Option<f64>,
    /// Values above this are not plausible.
    pub plausible_high: Option<f64>,
    /// Change per minute that is a warning, in the sensor's unit.
    pub max_rate_per_min: Option<f64>,
}

input! {
    /// A rule to try. What is left out is as it counts for each sensor now.
    NewTriedRule {
        optional {
            /// For people.
            name: Text<0, 100>,
            /// At or below: warning.
            warning_low: Number,
            /// At or below: critical.
            critical_low: Number,
            /// At or above: warning.
            warning_high: Number,
            /// At or above: critical.
            critical_high: Number,
            /// Time beyond a limit before there is an alarm, s.
            on_delay_s: Whole<0, MAX_DELAY_S>,
            /// Time back from a limit before its condition ends, s.
            off_delay_s: Whole<0, MAX_DELAY_S>,
            /// How far off its limit a value is back, at least 0, in the sensor's unit.
            dead_band: Number,
            /// Values below this are not plausible.
            plausible_low: Number,
            /// Values above this are not plausible.
            plausible_high: Number,
            /// Change per minute that is a warning, greater than 0.
            max_rate_per_min: Number,
        }
    }

    /// Body of `POST /backtests`. At least one of `sensor_ids`, `machine_id`, `machine_class` and `sensor_type` says which
    /// sensors; several narrow each other.
    NewBacktest {
        required {
            /// The rules, each tried alone.
            rules: Many<NewTriedRule, 1, MAX_RULES>,
        }
        optional {
            /// For people.
            name: Text<0, 200>,
            /// These sensors.
            sensor_ids: Many<SensorId, 1, MAX_SENSORS>,
            /// Sensors of this machine.
            machine_id: MachineId,
            /// Sensors of machines of this class.
            machine_class: Text<1, 200>,
            /// Sensors of this type.
            sensor_type: Text<1, 200>,
            /// Begin of the period; 30 days before its end if left out.
            from: Timestamp,
            /// End of the period; now if left out.
            to: Timestamp,
        }
    }

    /// Query of `GET /backtests/sensors/{sensor_id}`: a rule to try, and the period.
    SensorBacktestQuery {
        optional {
            /// At or below: warning.
            warning_low: Number,
            /// At or below: critical.
            critical_low: Number,
            /// At or above: warning.
            warning_high: Number,
            /// At or above: critical.
            critical_high: Number,
            /// Time beyond a limit before there is an alarm, s.
            on_delay_s: Whole<0, MAX_DELAY_S>,
            /// Time back from a limit before its condition ends, s.
            off_delay_s: Whole<0, MAX_DELAY_S>,
            /// How far off its limit a value is back, at least 0, in the sensor's unit.
            dead_band: Number,
            /// Values below this are not plausible.
            plausible_low: Number,
            /// Values above this are not plausible.
            plausible_high: Number,
            /// Change per minute that is a warning, greater than 0.
            max_rate_per_min: Number,
            /// Begin of the period; 30 days before its end if left out.
            from: Timestamp,
            /// End of the period; now if left out.
            to: Timestamp,
        }
    }

    /// Query of `GET /backtests/sensors/{sensor_id}/suggestion`.
    SuggestionQuery {
        required {
            /// Most alarms in 30 days.
            alarms_per_month: Between<0, MAX_ALARMS_PER_MONTH>,
        }
        optional {
            /// The side that the warning limit guards; left out: that of the limits which the sensor has, else the high one.
            side: LimitSide,
            /// Begin of the period; 30 days before its end if left out.
            from: Timestamp,
            /// End of the period; now if left out.
            to: Timestamp,
        }
    }
}

/// The rule of an input that has its fields.
macro_rules! tried_rule {
    ($given:expr, $name:expr) => {{
        let given = $given;
        TriedRule {
            name: $name,
            limits: Limits {
                warning_high: given.warning_high.map(|n| n.0),
                critical_high: given.critical_high.map(|n| n.0),
                warning_low: given.warning_low.map(|n| n.0),
                critical_low: given.critical_low.map(|n| n.0),
            },
            on_delay_s: given.on_delay_s.as_ref().map(|s| s.0),
            off_delay_s: given.off_delay_s.as_ref().map(|s| s.0),
            dead_band: given.dead_band.map(|n| n.0),
            plausible_low: given.plausible_low.map(|n| n.0),
            plausible_high: given.plausible_high.map(|n| n.0),
            max_rate_per_min: given.max_rate_per_min.map(|n| n.0),
        }
    }};
}

impl From<&NewTriedRule> for TriedRule {
    fn from(given: &NewTriedRule) -> Self {
        let name = given.name.as_ref().map(|name| name.trim()).filter(|name| !name.is_empty());
        tried_rule!(given, name.map(str::to_owned))
    }
}

impl From<&SensorBacktestQuery> for TriedRule {
    fn from(given: &SensorBacktestQuery) -> Self {
        tried_rule!(given, None)
    }
}

impl TriedRule {
    /// What it says besides limits, as the values of an alarm rule.
    #[must_use]
    pub fn values(&self) -> RuleValues {
        RuleValues {
            on_delay_s: self.on_delay_s,
            off_delay_s: self.off_delay_s,
            dead_band: self.dead_band,
            plausible_low: self.plausible_low,
            plausible_high: self.plausible_high,
            max_rate_per_min: self.max_rate_per_min,
            ..RuleValues::default()
        }
    }
}

/// An alarm: from when it is raised until its condition ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmSpan {
    /// When it is raised; for one that was raised before the period: its begin.
    pub begin: Timestamp,
    /// When its condition ends; null: not within the period.
    pub end: Option<Timestamp>,
    /// Its highest severity.
    pub severity: Severity,
}

/// What a rule would have done, beside what was.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestFigures {
    /// Readings that were evaluated.
    pub readings: u64,
    /// Alarms that it would have raised.
    pub would_raise: u64,
    /// Alarms by limits that were raised; one whose condition came back counts again.
    pub raised: u64,
    /// Of those that it would have raised: with none that was raised at that time.
    pub gained: u64,
    /// Of those that were raised: with none that it would have raised at that time.
    pub lost: u64,
    /// Time in alarm, summed over the sensors, s.
    pub alarm_s: f64,
    /// The mean share of the period in alarm of a sensor, 0 to 1.
    pub share: f64,
    /// Faults of the machines in the period that people have confirmed (alarms with the verdict `true_fault`).
    pub faults: u64,
    /// Of these: with an alarm that it would have raised within the seven days before.
    pub faults_warned: u64,
    /// Mean time from the first such alarm to the fault, s; null: there is none.
    pub mean_lead_s: Option<f64>,
}

/// One sensor of a back-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorBacktest {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its name.
    pub name: String,
    /// Why the rule could not be tried on it; null: it was.
    pub problem: Option<String>,
    /// The figures.
    #[serde(flatten)]
    pub figures: BacktestFigures,
    /// The first alarms that the rule would have raised, at most ten.
    pub alarms: Vec<AlarmSpan>,
}

/// The sensors of a machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineBacktest {
    /// The machine.
    pub machine_id: MachineId,
    /// Its name.
    pub name: String,
    /// The figures of its sensors together.
    #[serde(flatten)]
    pub figures: BacktestFigures,
    /// Its sensors.
    pub sensors: Vec<SensorBacktest>,
}

/// One rule of a back-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleBacktest {
    /// The rule.
    pub rule: TriedRule,
    /// The figures of all sensors together.
    #[serde(flatten)]
    pub figures: BacktestFigures,
    /// By machine.
    pub machines: Vec<MachineBacktest>,
}

/// What a back-test is about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct BacktestScope {
    /// These sensors.
    pub sensor_ids: Option<Vec<SensorId>>,
    /// Sensors of this machine.
    pub machine_id: Option<MachineId>,
    /// Sensors of machines of this class.
    pub machine_class: Option<String>,
    /// Sensors of this type.
    pub sensor_type: Option<String>,
}

/// A back-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Backtest {
    /// Identifier.
    pub id: BacktestId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// Who asked for it.
    pub created_by: Option<UserId>,
    /// For people.
    pub name: Option<String>,
    /// Begin of the period.
    pub from: Timestamp,
    /// End of the period.
    pub to: Timestamp,
    /// Which sensors.
    #[serde(flatten)]
    pub scope: BacktestScope,
    /// The rules that are tried.
    pub rules: Vec<TriedRule>,
    /// How many sensors.
    pub sensors: i64,
    /// The job that does it.
    pub job_id: Option<JobId>,
    /// State of that job.
    pub status: JobStatus,
    /// Percent done, 0 to 100.
    pub progress: i32,
    /// Why it failed, for people.
    pub error_message: Option<String>,
}

/// What came of a back-test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestOutcome {
    /// From when on readings are still stored, where that is later than the begin of the period: what was before is known by
    /// sums only and was not evaluated.
    pub readings_from: Option<Timestamp>,
    /// By rule, in the order of the rules.
    pub rules: Vec<RuleBacktest>,
}

/// `GET /backtests/{backtest_id}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestDetail {
    /// The back-test.
    #[serde(flatten)]
    pub backtest: Backtest,
    /// What came of it; null: it is not done.
    pub outcome: Option<BacktestOutcome>,
}

/// `GET /backtests/sensors/{sensor_id}`: a rule tried on one sensor at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorTrial {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Begin of the period.
    pub from: Timestamp,
    /// End of the period.
    pub to: Timestamp,
    /// From when on readings are still stored, where that is later than the begin of the period.
    pub readings_from: Option<Timestamp>,
    /// What was tried: all limits and values that count.
    pub rule: TriedRule,
    /// Smallest and largest value that was evaluated; null: there is none.
    pub values: Option<(f64, f64)>,
    /// The figures.
    #[serde(flatten)]
    pub figures: BacktestFigures,
    /// Alarms that the rule would have raised, oldest first, at most 1,000.
    pub alarms: Vec<AlarmSpan>,
    /// Alarms by limits that were raised, oldest first, at most 1,000.
    pub raised_alarms: Vec<AlarmSpan>,
}

/// `GET /backtests/sensors/{sensor_id}/suggestion`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Suggestion {
    /// The side that the warning limit guards.
    pub side: LimitSide,
    /// The warning limit; null: none keeps to the number, as `reason` says.
    pub limit: Option<f64>,
    /// The on-delay, s.
    pub on_delay_s: Option<i64>,
    /// Most alarms in the period, by the number that was asked for.
    pub most: u64,
    /// Why there is no suggestion, for people.
    pub reason: Option<String>,
    /// What the suggested rule would have done; without a suggestion: what the present one would have.
    pub trial: SensorTrial,
}

/// Answer of `POST /internal/backtests/work`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BacktestWork {
    /// Readings that were evaluated by this step.
    pub readings: u64,
    /// Does something wait for the next step?
    pub more: bool,
}
