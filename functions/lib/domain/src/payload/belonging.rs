//! A machine belongs to its topic, where that is asked for: a sender that the broker lets publish for one machine cannot
//! speak for another one.

use super::{Message, Parsed, dead_letter, mapping::filter_fits};
use pm_api::ingest::DeadLetter;
use std::collections::BTreeSet;

/// What stands for the level of a topic that names the machine.
const MACHINE: &str = "{machine}";
/// Most machines that a dead letter names.
const MAX_NAMED: usize = 8;

/// Topics that name their machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineTopics(Vec<MachineTopic>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct MachineTopic {
    filter: String,
    /// The level that names the machine, counted from 0.
    level: usize,
}

impl MachineTopics {
    /// Reads patterns such as `factory/+/+/{machine}/#`: topic filters, one level of which is `{machine}`.
    ///
    /// # Errors
    /// Which one is wrong, and why.
    pub fn read<T: AsRef<str>>(patterns: &[T]) -> Result<Self, String> {
        patterns
            .iter()
            .map(|pattern| MachineTopic::read(pattern.as_ref()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The machine that a topic names; none where no pattern fits.
    #[must_use]
    pub fn machine<'t>(&self, topic: &'t str) -> Option<&'t str> {
        let pattern = self.0.iter().find(|pattern| filter_fits(&pattern.filter, topic))?;
        topic.split('/').nth(pattern.level)
    }

    /// Leaves out what a message says of other machines than its topic names, and says so in the dead letter.
    #[must_use]
    pub fn keep_own(&self, message: Message<'_>, mut parsed: Parsed) -> Parsed {
        let Some(own) = self.machine(message.topic) else { return parsed };
        let (kept, foreign): (Vec<_>, Vec<_>) =
            parsed.readings.into_iter().partition(|reading| reading.sensor.machine == own);
        parsed.readings = kept;
        if foreign.is_empty() {
            return parsed;
        }
        let names: BTreeSet<&str> = foreign.iter().map(|reading| reading.sensor.machine.as_str()).collect();
        let named: Vec<_> = names.into_iter().take(MAX_NAMED).collect();
        let reason = format!("machine: the topic is for {own}, not for {}", named.join(", "));
        let count = u32::try_from(foreign.len()).unwrap_or(u32::MAX);
        parsed.dead_letter = Some(match parsed.dead_letter {
            None => dead_letter(message, &reason, count),
            Some(letter) => DeadLetter {
                reason: format!("{}; {reason}", letter.reason),
                count: letter.count.saturating_add(count),
                ..letter
            },
        });
        parsed
    }
}

impl MachineTopic {
    fn read(pattern: &str) -> Result<Self, String> {
        let levels: Vec<_> = pattern.trim().split('/').collect();
        let mut named = levels.iter().enumerate().filter(|(_, level)| **level == MACHINE);
        let (Some((level, _)), None) = (named.next(), named.next()) else {
            return Err(format!("{pattern:?}: one level should be {MACHINE}"));
        };
        let ends_well = levels.iter().position(|level| *level == "#").is_none_or(|at| at == levels.len() - 1);
        let odd =
            |level: &&str| level.is_empty() || (level.len() > 1 && level.contains(['+', '#', '{', '}']));
        if !ends_well || levels.iter().any(|level| *level != MACHINE && odd(level)) {
            return Err(format!("{pattern:?} is not a topic filter"));
        }
        Ok(Self { filter: levels.join("/").replace(MACHINE, "+"), level })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::{Mappings, parse};
    use pm_api::Timestamp;
    use proptest::prelude::*;

    fn topics() -> MachineTopics {
        MachineTopics::read(&["factory/+/+/{machine}/#", "edge/{machine}"]).unwrap_or_default()
    }

    fn read(topic: &str, payload: &str) -> Parsed {
        let message =
            Message { topic, payload: payload.as_bytes(), received_at: Timestamp(0), retained: false };
        topics().keep_own(message, parse(message, &Mappings::default()))
    }

    #[test]
    fn a_pattern_names_the_machine_at_one_level() {
        for (topic, expected) in [
            ("factory/plant1/line1/press-7/sensors", Some("press-7")),
            ("factory/plant1/line1/press-7", Some("press-7")),
            ("edge/pump", Some("pump")),
            ("edge/pump/x", None),
            ("sensors/pump/telemetry", None),
        ] {
            assert_eq!(topics().machine(topic), expected, "{topic}");
        }
        for bad in [
            "",
            "factory/#",
            "{machine}/{machine}",
            "a/#/{machine}",
            "a//{machine}",
            "a+/{machine}",
            "a/x{machine}",
        ] {
            assert!(MachineTopics::read(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sender_speaks_for_the_machine_of_its_topic_only() {
        let payload = r#"{"batch":[{"machine_id":"press-7","sensor_id":"t","value":1},
            {"machine_id":"press-8","sensor_id":"t","value":2},{"machine_id":"press-8","sensor_id":"u","value":3},
            {"machine_id":"press-7","sensor_id":"x","value":"broken"}]}"#;
        let parsed = read("factory/plant1/line1/press-7/sensors", payload);
        assert_eq!(parsed.readings.iter().map(|r| r.value).collect::<Vec<_>>(), [1.0]);
        let letter = parsed.dead_letter.unwrap_or_default();
        assert!(
            letter.reason.ends_with("machine: the topic is for press-7, not for press-8"),
            "{}",
            letter.reason
        );
        assert_eq!(letter.count, 3);
        let elsewhere = read("plant/anything", payload);
        assert_eq!(elsewhere.readings.len(), 3, "no pattern fits");
        let own = read("edge/pump", r#"{"machine_id":"pump","sensor_id":"t","value":1}"#);
        assert_eq!((own.readings.len(), own.dead_letter), (1, None));
        let other = read("edge/pump", r#"{"machine_id":"Pump","sensor_id":"t","value":1}"#);
        let reason = other.dead_letter.map(|letter| letter.reason);
        assert_eq!(reason.as_deref(), Some("machine: the topic is for pump, not for Pump"));
    }

    proptest! {
        #[test]
        fn nothing_of_another_machine_is_kept(topic in "(edge|factory/a/b)/[a-c]", machines in prop::collection::vec("[a-c]", 0..6)) {
            let readings: Vec<_> = machines
                .iter()
                .map(|machine| serde_json::json!({"machine_id": machine, "sensor_id": "s", "value": 1}))
                .collect();
            let parsed = read(&topic, &serde_json::json!({ "batch": readings }).to_string());
            let own = topics().machine(&topic).unwrap_or_default();
            prop_assert!(parsed.readings.iter().all(|reading| reading.sensor.machine == own));
            prop_assert_eq!(parsed.readings.len(), machines.iter().filter(|machine| *machine == own).count());
        }
    }
}
