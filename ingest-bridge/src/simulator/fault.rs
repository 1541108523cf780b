//! Faults that develop, and failures on demand.

use super::plant::SensorKind;
use anyhow::{Context, bail, ensure};
use pm_api::Timestamp;
use serde::Deserialize;
use std::str::FromStr;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FaultKind {
    /// Vibration grows and becomes rough, the bearing warms up, current and torque rise.
    BearingWear,
    /// Temperatures rise beyond their critical limit, current rises.
    Overheating,
    /// Pressure and level fall, flow rises.
    Leak,
    /// The sensor repeats its last value.
    StuckSensor,
    /// On demand: past the warning limit, short of the critical one.
    Warning,
    /// On demand: past the critical limit, at least by this factor from the usual value.
    Critical {
        /// Factor against the usual value.
        multiplier: f64,
    },
}

/// One fault of one machine, sensor, or all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Machine; none: every machine.
    pub machine: Option<String>,
    /// Sensor; none: every sensor that such a fault touches.
    pub sensor: Option<String>,
    /// When it begins.
    pub start: Timestamp,
    /// Seconds until it is fully developed.
    pub ramp_s: f64,
    /// When it is over.
    pub end: Option<Timestamp>,
}

/// What a fault does to a value: factor, then offset, then roughness (an amplitude).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Factor.
    pub factor: f64,
    /// Added, in the sensor's unit.
    pub offset: f64,
    /// Amplitude of additional noise.
    pub shake: f64,
}

impl Fault {
    /// Does it touch this sensor?
    #[must_use]
    pub fn concerns(&self, machine: &str, sensor: &str) -> bool {
        self.machine.as_deref().is_none_or(|m| m == machine)
            && self.sensor.as_deref().is_none_or(|s| s == sensor)
    }

    /// How far it has developed, 0 to 1: slowly at first, as wear does.
    #[must_use]
    pub fn severity(&self, at: Timestamp) -> f64 {
        if at < self.start || self.end.is_some_and(|end| at >= end) {
            return 0.0;
        }
        if self.ramp_s <= 0.0 {
            return 1.0;
        }
        let part = (at.seconds_since(self.start) / self.ramp_s).clamp(0.0, 1.0);
        // Never quite zero once begun, so that a stuck sensor is stuck from the first moment.
        (part * part).max(f64::MIN_POSITIVE)
    }

    /// Does the sensor repeat its value?
    #[must_use]
    pub fn sticks(&self) -> bool {
        self.kind == FaultKind::StuckSensor
    }

    /// What it does to such a sensor at `at`.
    #[must_use]
    pub fn effect(&self, kind: &SensorKind, at: Timestamp) -> Effect {
        let s = self.severity(at);
        let (warning, critical) = kind.limits;
        let usual = kind.base;
        let by_factor = |factor: f64| Effect { factor: 1.0 + s * factor, offset: 0.0, shake: 0.0 };
        let by_offset = |offset: f64| Effect { factor: 1.0, offset: s * offset, shake: 0.0 };
        let past_critical = by_offset(1.1 * (critical - usual));
        match (self.kind, kind.metric) {
            (FaultKind::BearingWear, "vibration") => Effect { shake: s * 0.15 * critical, ..past_critical },
            (FaultKind::BearingWear, "temperature") => by_offset(0.7 * (warning - usual)),
            (FaultKind::BearingWear, "current" | "torque") => by_factor(0.12),
            (FaultKind::Overheating, "temperature") => past_critical,
            (FaultKind::Overheating, "current") => by_factor(0.2),
            (FaultKind::Leak, "pressure") => by_factor(-0.35),
            (FaultKind::Leak, "flow_rate") => past_critical,
            (FaultKind::Leak, "level") => by_offset(1.2 * (critical - usual)),
            (FaultKind::Warning, _) => {
                Effect { factor: 1.0 - s, offset: s * (warning + critical) / 2.0, shake: 0.0 }
            }
            (FaultKind::Critical { multiplier }, _) => {
                let offset = if kind.falls() {
                    (usual / multiplier).min(0.95 * critical)
                } else {
                    (usual * multiplier).max(1.05 * critical)
                };
                Effect { factor: 1.0 - s, offset: s * offset, shake: 0.0 }
            }
            _ => by_factor(0.0),
        }
    }
}

/// `kind[:machine[:sensor]]` as given on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultSpec {
    kind: FaultKind,
    machine: Option<String>,
    sensor: Option<String>,
}

impl FaultSpec {
    /// The fault, beginning at `start` and fully developed `ramp_s` seconds later.
    #[must_use]
    pub fn starting(self, start: Timestamp, ramp_s: f64) -> Fault {
        Fault { kind: self.kind, machine: self.machine, sensor: self.sensor, start, ramp_s, end: None }
    }
}

impl FromStr for FaultSpec {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut parts = text.splitn(3, ':').map(str::to_owned);
        let kind = match parts.next().as_deref() {
            Some("bearing-wear") => FaultKind::BearingWear,
            Some("overheating") => FaultKind::Overheating,
            Some("leak") => FaultKind::Leak,
            Some("stuck-sensor") => FaultKind::StuckSensor,
            _ => {
                bail!("a fault is bearing-wear, overheating, leak or stuck-sensor, then :machine and :sensor")
            }
        };
        Ok(Self { kind, machine: parts.next(), sensor: parts.next() })
    }
}

/// A failure on demand, as it comes on the control topic.
#[derive(Debug, Deserialize)]
struct Command {
    #[serde(default = "Command::machine")]
    machine_id: String,
    #[serde(default = "Command::sensor")]
    sensor_id: String,
    #[serde(default = "Command::anomaly")]
    anomaly_type: String,
    #[serde(default = "Command::duration")]
    duration: f64,
    #[serde(default = "Command::multiplier")]
    value_multiplier: f64,
}

impl Command {
    fn machine() -> String {
        "machine-1".to_owned()
    }
    fn sensor() -> String {
        "pressure-head".to_owned()
    }
    fn anomaly() -> String {
        "critical".to_owned()
    }
    fn duration() -> f64 {
        60.0
    }
    fn multiplier() -> f64 {
        2.0
    }
}

/// Reads a failure on demand: `{machine_id, sensor_id, anomaly_type: critical|warning|gradual_drift, duration (s),
/// value_multiplier}`, each with a default. It starts at `now`.
///
/// # Errors
/// Which field is wrong.
pub fn on_demand(payload: &[u8], now: Timestamp) -> anyhow::Result<Fault> {
    let object: serde_json::Map<_, _> = serde_json::from_slice(payload).context("not a JSON object")?;
    let command: Command = serde_json::from_value(object.into()).context("not a failure on demand")?;
    let Command { machine_id, sensor_id, anomaly_type, duration, value_multiplier: multiplier } = command;
    ensure!((0.0..=86_400.0).contains(&duration), "duration: not between 0 and 86400 s");
    ensure!((0.01..=1000.0).contains(&multiplier), "value_multiplier: not between 0.01 and 1000");
    let (kind, ramp_s) = match anomaly_type.as_str() {
        "critical" => (FaultKind::Critical { multiplier }, 0.0),
        "warning" => (FaultKind::Warning, 0.0),
        "gradual_drift" => (FaultKind::Critical { multiplier }, duration * 0.8),
        _ => bail!("anomaly_type: not critical, warning or gradual_drift"),
    };
    let end = Some(Timestamp(now.0 + (duration * Timestamp::SECOND as f64) as i64));
    Ok(Fault { kind, machine: Some(machine_id), sensor: Some(sensor_id), start: now, ramp_s, end })
}

#[cfg(test)]
mod tests {
    use super::super::plant::{KINDS, plant};
    use super::super::signal::{status, value};
    use super::*;
    use pm_api::ReadingStatus;

    const START: Timestamp = Timestamp(1_790_000_000_000_000);

    fn worst(fault: &Fault, machine: usize, after_s: i64) -> ReadingStatus {
        let machine = &plant(4, 4)[machine];
        let at = START.plus_seconds(after_s);
        let shown = |s: &super::super::plant::Sensor| {
            status(&s.kind, value(1, &machine.id, &s.id, &s.kind, at, std::slice::from_ref(fault)))
        };
        machine.sensors.iter().map(shown).max().unwrap_or(ReadingStatus::Normal)
    }

    #[test]
    fn faults_grow_from_normal_to_critical() -> anyhow::Result<()> {
        for (text, machine) in
            [("bearing-wear:machine-1", 0), ("overheating:machine-2", 1), ("leak:machine-3", 2)]
        {
            let fault = text.parse::<FaultSpec>()?.starting(START, 3600.0);
            assert_eq!(worst(&fault, machine, -1), ReadingStatus::Normal, "{text}: before");
            assert_eq!(worst(&fault, machine, 300), ReadingStatus::Normal, "{text}: early");
            assert_eq!(worst(&fault, machine, 7200), ReadingStatus::Critical, "{text}: developed");
            assert_eq!(worst(&fault, 3, 7200), ReadingStatus::Normal, "{text}: another machine");
        }
        assert!("rust:machine-1".parse::<FaultSpec>().is_err());
        Ok(())
    }

    #[test]
    fn a_stuck_sensor_repeats_its_value() -> anyhow::Result<()> {
        let kind = &KINDS[0].sensors[1];
        let fault = "stuck-sensor:machine-1:temp-core".parse::<FaultSpec>()?.starting(START, 0.0);
        let shown =
            |s| value(1, "machine-1", kind.id, kind, START.plus_seconds(s), std::slice::from_ref(&fault));
        assert_eq!(shown(1), shown(5000));
        assert_ne!(shown(-1), shown(-2));
        Ok(())
    }

    #[test]
    fn a_failure_on_request_begins_and_ends() -> anyhow::Result<()> {
        let fault = on_demand(br#"{"machine_id":"machine-3","sensor_id":"oil-level","duration":10}"#, START)?;
        assert_eq!(worst(&fault, 2, 1), ReadingStatus::Critical);
        assert_eq!(worst(&fault, 2, 11), ReadingStatus::Normal, "over");
        assert_eq!(worst(&on_demand(b"{}", START)?, 0, 1), ReadingStatus::Critical);
        let warning = on_demand(br#"{"anomaly_type":"warning"}"#, START)?;
        assert_eq!(worst(&warning, 0, 1), ReadingStatus::Warning);
        let drift = on_demand(br#"{"anomaly_type":"gradual_drift","duration":100}"#, START)?;
        assert_eq!(
            (worst(&drift, 0, 10), worst(&drift, 0, 90)),
            (ReadingStatus::Normal, ReadingStatus::Critical)
        );
        for bad in ["[]", r#"{"duration":-1}"#, r#"{"anomaly_type":"odd"}"#, r#"{"value_multiplier":0}"#] {
            assert!(on_demand(bad.as_bytes(), START).is_err(), "{bad}");
        }
        Ok(())
    }
}
