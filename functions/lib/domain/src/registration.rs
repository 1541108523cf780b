//! How many machines and sensors may register themselves by sending readings.

use crate::settings::{Key, Values};

/// What the settings allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Who may register.
    pub policy: Policy,
    /// Most sensors in all.
    pub max_sensors: i64,
    /// Most sensors of a machine.
    pub max_sensors_per_machine: i64,
    /// Most sensors in a minute.
    pub max_sensors_per_minute: i64,
}

/// Who may register by sending readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// New machines and sensors.
    On,
    /// New sensors of machines that are known.
    KnownMachines,
    /// None.
    Off,
}

impl Rules {
    /// The settings that they are made of.
    pub const KEYS: [Key; 4] = [
        Key::IngestRegistration,
        Key::IngestMaxSensors,
        Key::IngestMaxSensorsPerMachine,
        Key::IngestMaxSensorsPerMinute,
    ];

    /// The rules that the settings make.
    #[must_use]
    pub fn of(values: &Values) -> Self {
        Self {
            policy: match values.text(Key::IngestRegistration) {
                "off" => Policy::Off,
                "known_machines" => Policy::KnownMachines,
                _ => Policy::On,
            },
            max_sensors: values.integer(Key::IngestMaxSensors),
            max_sensors_per_machine: values.integer(Key::IngestMaxSensorsPerMachine),
            max_sensors_per_minute: values.integer(Key::IngestMaxSensorsPerMinute),
        }
    }
}

/// How many sensors there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In all.
    pub sensors: i64,
    /// That were created within the last minute.
    pub within_a_minute: i64,
}

/// The machine of a sensor that wants to register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applicant {
    /// Is the machine registered?
    pub machine_known: bool,
    /// Its sensors, with those of the same batch that come before this one.
    pub sensors_of_machine: i64,
}

/// Decides on a sensor, and counts it. `Err`: the reason for its dead letter.
///
/// # Errors
/// The limit that is reached.
pub fn register(rules: &Rules, counts: &mut Counts, applicant: Applicant) -> Result<(), &'static str> {
    match rules.policy {
        Policy::Off => {
            return Err("not registered: sensors are not registered by their readings (ingest.registration)");
        }
        Policy::KnownMachines if !applicant.machine_known => {
            return Err("not registered: the machine is not known (ingest.registration)");
        }
        Policy::On | Policy::KnownMachines => {}
    }
    if applicant.sensors_of_machine >= rules.max_sensors_per_machine {
        return Err("not registered: limit of sensors per machine (ingest.max_sensors_per_machine)");
    }
    if counts.sensors >= rules.max_sensors {
        return Err("not registered: limit of sensors in all (ingest.max_sensors)");
    }
    if counts.within_a_minute >= rules.max_sensors_per_minute {
        return Err("not registered: limit of new sensors per minute (ingest.max_sensors_per_minute)");
    }
    counts.sensors += 1;
    counts.within_a_minute += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        policy: Policy::On,
        max_sensors: 100,
        max_sensors_per_machine: 10,
        max_sensors_per_minute: 50,
    };

    #[test]
    fn each_limit_refuses_with_its_name() {
        let new = Applicant { machine_known: false, sensors_of_machine: 0 };
        let few = Counts::default();
        for (rules, mut counts, applicant, word) in [
            (Rules { policy: Policy::Off, ..RULES }, few, new, "ingest.registration"),
            (Rules { policy: Policy::KnownMachines, ..RULES }, few, new, "not known"),
            (RULES, few, Applicant { sensors_of_machine: 10, ..new }, "per machine"),
            (RULES, Counts { sensors: 100, ..few }, new, "in all"),
            (RULES, Counts { within_a_minute: 50, ..few }, new, "per minute"),
        ] {
            let before = counts;
            let refused = register(&rules, &mut counts, applicant);
            assert!(refused.is_err_and(|r| r.starts_with("not registered: ") && r.contains(word)), "{word}");
            assert_eq!(counts, before);
        }
        let known = Rules { policy: Policy::KnownMachines, ..RULES };
        let applicant = Applicant { machine_known: true, ..new };
        assert_eq!(register(&known, &mut Counts::default(), applicant), Ok(()));
    }

    proptest! {
        #[test]
        fn no_limit_is_passed(
            wanted in 0..300_usize, sensors in 0..120_i64, within_a_minute in 0..60_i64,
        ) {
            let mut counts = Counts { sensors, within_a_minute };
            let new = Applicant { machine_known: false, sensors_of_machine: 0 };
            let registered = (0..wanted).filter(|_| register(&RULES, &mut counts, new).is_ok()).count() as i64;
            prop_assert!(registered <= (100 - sensors).max(0).min((50 - within_a_minute).max(0)));
            prop_assert_eq!(counts, Counts { sensors: sensors + registered, within_a_minute: within_a_minute + registered });
        }
    }
}
