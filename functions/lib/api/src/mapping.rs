//! Mappings: where machine, sensor and value stand in the payloads of a topic.

use crate::input::{Flag, Patch, Text, Whole, input};
use crate::{MappingId, PayloadFormat, Quality, SameTime, Timestamp};
use serde::{Deserialize, Serialize};

/// The rules of a mapping. `machine`, `sensor`, `time`, `unit` and `quality` are texts in which `{topic:2}` stands for a level of
/// the topic, `{/a/b}` for what stands there in the payload, and `{name}` for what the wildcard of `value` stands for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MappingRules {
    /// Topic filter of MQTT; of several that fit a topic the first one counts.
    pub topic: String,
    /// How payloads are written.
    #[serde(default)]
    pub format: PayloadFormat,
    /// The machine. Without `machine`, `sensor` and `value` the mapping only sets zone, decimal sign and `same_time`.
    #[serde(default)]
    pub machine: Option<String>,
    /// The sensor.
    #[serde(default)]
    pub sensor: Option<String>,
    /// JSON pointer of the values: `*` is every member, `**` at the end every value below. Empty: the payload itself.
    /// Several are separated by ` | `.
    #[serde(default)]
    pub value: Option<String>,
    /// The time of a value; without it, that of the receipt.
    #[serde(default)]
    pub time: Option<String>,
    /// The unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// The quality.
    #[serde(default)]
    pub quality: Option<String>,
    /// Names of the columns of CSV without a header line, separated by commas.
    #[serde(default)]
    pub columns: Option<String>,
    /// IANA name of the zone of times without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// `12,5` is a number.
    #[serde(default)]
    pub decimal_comma: bool,
    /// What becomes of several values of a sensor at the same time, as sources with times in whole seconds have them.
    #[serde(default)]
    pub same_time: SameTime,
}

/// A mapping, as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Mapping {
    /// Identifier.
    pub id: MappingId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// For people.
    pub name: String,
    /// Mappings with a lower position come first.
    pub position: i64,
    /// Is it in force?
    pub is_active: bool,
    /// What it does.
    #[serde(flatten)]
    pub rules: MappingRules,
}

input! {
    /// Body of `POST /mappings`.
    NewMapping {
        required {
            /// Topic filter of MQTT.
            topic: Text<1, 500>,
        }
        optional {
            /// For people; without it, the topic filter.
            name: Text<1, 200>,
            /// Of several mappings for a topic, the one with the lowest position counts (0).
            position: Whole<0, 1_000_000>,
            /// Is it in force (true)?
            is_active: Flag,
            /// How payloads are written (auto).
            format: PayloadFormat,
            /// The machine: a text with parts such as `{topic:4}` or `{/device/name}`.
            machine: Text<0, 500>,
            /// The sensor.
            sensor: Text<0, 500>,
            /// JSON pointer of the values, with `*` and `**`.
            value: Text<0, 500>,
            /// The time of a value.
            time: Text<0, 500>,
            /// The unit.
            unit: Text<0, 500>,
            /// The quality.
            quality: Text<0, 500>,
            /// Names of the columns of CSV without a header line, separated by commas.
            columns: Text<0, 500>,
            /// IANA name of the zone of times without one.
            time_zone: Text<0, 100>,
            /// Is `12,5` a number (false)?
            decimal_comma: Flag,
            /// What becomes of several values of a sensor at the same time (conflict).
            same_time: SameTime,
        }
    }

    /// Body of `PATCH /mappings/{id}`.
    MappingChange {
        optional {
            /// Topic filter of MQTT.
            topic: Text<1, 500>,
            /// For people.
            name: Text<1, 200>,
            /// Of several mappings for a topic, the one with the lowest position counts.
            position: Whole<0, 1_000_000>,
            /// Is it in force?
            is_active: Flag,
            /// How payloads are written.
            format: PayloadFormat,
            /// Is `12,5` a number?
            decimal_comma: Flag,
            /// What becomes of several values of a sensor at the same time.
            same_time: SameTime,
        }
        patch {
            /// The machine.
            machine: Text<0, 500>,
            /// The sensor.
            sensor: Text<0, 500>,
            /// JSON pointer of the values.
            value: Text<0, 500>,
            /// The time of a value.
            time: Text<0, 500>,
            /// The unit.
            unit: Text<0, 500>,
            /// The quality.
            quality: Text<0, 500>,
            /// Names of the columns of CSV without a header line.
            columns: Text<0, 500>,
            /// IANA name of the zone of times without one.
            time_zone: Text<0, 100>,
        }
    }

    /// Body of `POST /mappings/preview`.
    PreviewRequest {
        required {
            /// Topic of the message.
            topic: Text<1, 2000>,
            /// Its payload.
            payload: Text<0, 262_144>,
        }
        optional {
            /// The mapping to try; without it, those in force.
            mapping: NewMapping,
            /// Is it a retained message (false)?
            retained: Flag,
        }
    }
}

impl From<&NewMapping> for MappingRules {
    fn from(new: &NewMapping) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            topic: new.topic.0.clone(),
            format: new.format.unwrap_or_default(),
            machine: text(new.machine.as_deref()),
            sensor: text(new.sensor.as_deref()),
            value: text(new.value.as_deref()),
            time: text(new.time.as_deref()),
            unit: text(new.unit.as_deref()),
            quality: text(new.quality.as_deref()),
            columns: text(new.columns.as_deref()),
            time_zone: text(new.time_zone.as_deref()),
            decimal_comma: new.decimal_comma.is_some_and(|flag| flag.0),
            same_time: new.same_time.unwrap_or_default(),
        }
    }
}

impl MappingChange {
    /// The mapping after this change.
    #[must_use]
    pub fn applied_to(&self, before: Mapping) -> Mapping {
        fn patched<const MIN: usize, const MAX: usize>(
            before: Option<String>,
            change: &Patch<Text<MIN, MAX>>,
        ) -> Option<String> {
            match change {
                Patch::Absent => before,
                Patch::Clear => None,
                Patch::Set(text) => Some(text.0.clone()),
            }
        }
        let rules = before.rules;
        Mapping {
            name: self.name.as_deref().map_or(before.name, str::to_owned),
            position: self.position.as_ref().map_or(before.position, |position| position.0),
            is_active: self.is_active.map_or(before.is_active, |flag| flag.0),
            rules: MappingRules {
                topic: self.topic.as_deref().map_or(rules.topic, str::to_owned),
                format: self.format.unwrap_or(rules.format),
                machine: patched(rules.machine, &self.machine),
                sensor: patched(rules.sensor, &self.sensor),
                value: patched(rules.value, &self.value),
                time: patched(rules.time, &self.time),
                unit: patched(rules.unit, &self.unit),
                quality: patched(rules.quality, &self.quality),
                columns: patched(rules.columns, &self.columns),
                time_zone: patched(rules.time_zone, &self.time_zone),
                decimal_comma: self.decimal_comma.map_or(rules.decimal_comma, |flag| flag.0),
                same_time: self.same_time.unwrap_or(rules.same_time),
            },
            ..before
        }
    }
}

/// Answer of `POST /mappings/preview`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Preview {
    /// Does the topic filter of the given mapping fit the topic?
    pub fits: bool,
    /// The readings that the message gives.
    pub readings: Vec<PreviewReading>,
    /// Names of what is no measured value or says that there is none.
    pub ignored: Vec<String>,
    /// Why the other values fall out; null if there are none.
    pub reason: Option<String>,
}

/// A reading as a message gives it. Nothing is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PreviewReading {
    /// The machine, as payloads name it.
    pub machine_id: String,
    /// The sensor, as payloads name it.
    pub sensor_id: String,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: Option<String>,
    /// When it was measured.
    pub timestamp: Timestamp,
    /// Is that the time of receipt?
    pub dated_on_receipt: bool,
    /// How far it can be trusted.
    pub quality: Quality,
}

/// The mappings in force (answer to a tick).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MappingsInForce {
    /// Changes with them.
    pub version: String,
    /// Their rules, in order.
    pub rules: Vec<MappingRules>,
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum marks no default")]
impl Default for PayloadFormat {
    fn default() -> Self {
        Self::Auto
    }
}

#[expect(clippy::derivable_impls, reason = "the macro that makes the enum marks no default")]
impl Default for SameTime {
    fn default() -> Self {
        Self::Conflict
    }
}
