//! Alarm rules (ISA-18.2): how the readings of sensors become alarms, and what an operator is told about them.
//!
//! A rule is for one scope. What it leaves open is taken from the less specific rules, field by field
//! (`pm_domain::alarm::rule`).

use crate::input::{Number, Patch, Text, Whole, input};
use crate::{AlarmRuleId, MachineId, Priority, RuleScope, SensorId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest delay, s.
pub const MAX_DELAY_S: i64 = 86_400;
/// Longest interval in which a sensor can be expected to send, s.
pub const MAX_INTERVAL_S: i64 = 7 * 86_400;
/// Longest text of the guidance, characters.
pub const MAX_GUIDANCE_CHARS: usize = 2000;

/// Which sensors a rule is for: one sensor; or those of a type, of a machine, of a class of machines, or of all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleTarget {
    /// This sensor.
    #[serde(default)]
    pub sensor_id: Option<SensorId>,
    /// Sensors of this machine, of the type.
    #[serde(default)]
    pub machine_id: Option<MachineId>,
    /// Sensors of machines of this class, of the type.
    #[serde(default)]
    pub machine_class: Option<String>,
    /// Sensors of this type.
    #[serde(default)]
    pub sensor_type: Option<String>,
}

/// What a rule says. Null: nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RuleValues {
    /// A value raises an alarm once it has been beyond its limit for so long without interruption, s.
    pub on_delay_s: Option<i64>,
    /// The alarm's condition ends once the value has been back for so long, s.
    pub off_delay_s: Option<i64>,
    /// A value is back once it is off its limit by more than this, in the sensor's unit.
    pub dead_band: Option<f64>,
    /// A value below this is not plausible: it is stored with the quality `implausible`, and nothing judges it.
    pub plausible_low: Option<f64>,
    /// The same above this.
    pub plausible_high: Option<f64>,
    /// Change from one reading to the next that is a warning, in the sensor's unit per minute.
    pub max_rate_per_min: Option<f64>,
    /// A sensor that has sent no good reading for so long is stale, which is an alarm, s.
    pub expected_interval_s: Option<i64>,
    /// How urgent its alarms are, for people.
    pub priority: Option<Priority>,
    /// What its alarms are caused by.
    pub cause: Option<String>,
    /// What follows if nobody responds.
    pub consequence: Option<String>,
    /// What the operator is to do.
    pub response: Option<String>,
    /// Where more is written, `http` or `https`.
    pub link: Option<String>,
}

/// A rule, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmRule {
    /// Identifier.
    pub id: AlarmRuleId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How specific it is.
    pub scope: RuleScope,
    /// Which sensors it is for.
    #[serde(flatten)]
    pub target: RuleTarget,
    /// What it says.
    #[serde(flatten)]
    pub values: RuleValues,
}

/// The rule that a value of a sensor's rule is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RuleOrigin {
    /// How specific it is.
    pub scope: RuleScope,
    /// The rule.
    pub rule_id: AlarmRuleId,
}

/// `GET /sensors/{id}/alarm-rule`: what counts for a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorAlarmRule {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its own rule, if it has one.
    pub own_rule_id: Option<AlarmRuleId>,
    /// The values that count.
    #[serde(flatten)]
    pub values: RuleValues,
    /// Where each value is from, by its name.
    pub origins: BTreeMap<String, RuleOrigin>,
}

input! {
    /// Filters of `GET /alarm-rules`.
    AlarmRuleFilter {
        optional {
            /// Of this sensor itself.
            sensor_id: SensorId,
            /// Of this machine's sensors of a type.
            machine_id: MachineId,
            /// For machines of this class.
            machine_class: Text<0, 200>,
            /// For sensors of this type.
            sensor_type: Text<0, 200>,
            /// Of this scope.
            scope: RuleScope,
        }
    }

    /// Body of `POST /alarm-rules`: for `sensor_id` alone, or for `sensor_type` with or without `machine_id` or
    /// `machine_class`. What is left out is taken from less specific rules.
    NewAlarmRule {
        optional {
            /// This sensor.
            sensor_id: SensorId,
            /// Sensors of this machine, of the type.
            machine_id: MachineId,
            /// Sensors of machines of this class, of the type.
            machine_class: Text<1, 200>,
            /// Sensors of this type.
            sensor_type: Text<1, 200>,
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
            /// Silence after which the sensor is stale, s.
            expected_interval_s: Whole<1, MAX_INTERVAL_S>,
            /// How urgent its alarms are.
            priority: Priority,
            /// What its alarms are caused by.
            cause: Text<0, MAX_GUIDANCE_CHARS>,
            /// What follows if nobody responds.
            consequence: Text<0, MAX_GUIDANCE_CHARS>,
            /// What the operator is to do.
            response: Text<0, MAX_GUIDANCE_CHARS>,
            /// Where more is written, `http` or `https`.
            link: Text<0, MAX_GUIDANCE_CHARS>,
        }
    }

    /// Body of `PATCH /alarm-rules/{id}`: what is left out stays, null is taken from less specific rules.
    AlarmRuleChange {
        patch {
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
            /// Silence after which the sensor is stale, s.
            expected_interval_s: Whole<1, MAX_INTERVAL_S>,
            /// How urgent its alarms are.
            priority: Priority,
            /// What its alarms are caused by.
            cause: Text<0, MAX_GUIDANCE_CHARS>,
            /// What follows if nobody responds.
            consequence: Text<0, MAX_GUIDANCE_CHARS>,
            /// What the operator is to do.
            response: Text<0, MAX_GUIDANCE_CHARS>,
            /// Where more is written, `http` or `https`.
            link: Text<0, MAX_GUIDANCE_CHARS>,
        }
    }
}

impl NewAlarmRule {
    /// Which sensors it is for.
    #[must_use]
    pub fn target(&self) -> RuleTarget {
        RuleTarget {
            sensor_id: self.sensor_id,
            machine_id: self.machine_id,
            machine_class: text(self.machine_class.as_ref()),
            sensor_type: text(self.sensor_type.as_ref()),
        }
    }

    /// What it says.
    #[must_use]
    pub fn values(&self) -> RuleValues {
        RuleValues {
            on_delay_s: self.on_delay_s.as_ref().map(|s| s.0),
            off_delay_s: self.off_delay_s.as_ref().map(|s| s.0),
            dead_band: self.dead_band.map(|n| n.0),
            plausible_low: self.plausible_low.map(|n| n.0),
            plausible_high: self.plausible_high.map(|n| n.0),
            max_rate_per_min: self.max_rate_per_min.map(|n| n.0),
            expected_interval_s: self.expected_interval_s.as_ref().map(|s| s.0),
            priority: self.priority,
            cause: text(self.cause.as_ref()),
            consequence: text(self.consequence.as_ref()),
            response: text(self.response.as_ref()),
            link: text(self.link.as_ref()),
        }
    }
}

impl AlarmRuleChange {
    /// The values after this change.
    #[must_use]
    pub fn applied_to(&self, before: RuleValues) -> RuleValues {
        RuleValues {
            on_delay_s: patched(&self.on_delay_s, before.on_delay_s, |s| Some(s.0)),
            off_delay_s: patched(&self.off_delay_s, before.off_delay_s, |s| Some(s.0)),
            dead_band: patched(&self.dead_band, before.dead_band, |n| Some(n.0)),
            plausible_low: patched(&self.plausible_low, before.plausible_low, |n| Some(n.0)),
            plausible_high: patched(&self.plausible_high, before.plausible_high, |n| Some(n.0)),
            max_rate_per_min: patched(&self.max_rate_per_min, before.max_rate_per_min, |n| Some(n.0)),
            expected_interval_s: patched(&self.expected_interval_s, before.expected_interval_s, |s| {
                Some(s.0)
            }),
            priority: patched(&self.priority, before.priority, |p| Some(*p)),
            cause: patched(&self.cause, before.cause, |t| text(Some(t))),
            consequence: patched(&self.consequence, before.consequence, |t| text(Some(t))),
            response: patched(&self.response, before.response, |t| text(Some(t))),
            link: patched(&self.link, before.link, |t| text(Some(t))),
        }
    }
}

fn patched<T, V>(change: &Patch<T>, before: Option<V>, read: impl Fn(&T) -> Option<V>) -> Option<V> {
    match change {
        Patch::Absent => before,
        Patch::Clear => None,
        Patch::Set(value) => read(value),
    }
}

/// A text without blanks around it; `None` if nothing is left.
fn text<const MIN: usize, const MAX: usize>(given: Option<&Text<MIN, MAX>>) -> Option<String> {
    given.map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned)
}
