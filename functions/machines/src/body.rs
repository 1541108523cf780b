//! Bodies of requests about machines.

use pm_api::{Criticality, MachineStatus, Metadata, machine::ThresholdsByType, sensor::Thresholds};
use pm_domain::{cycle::network_problem, limits};
use pm_store::machine::{MachineChange, NewMachine};
use pm_web::{Fields, Presence, Refusal};

const NAME: usize = 200;
const TEXT: usize = 2000;
/// The free object is accepted under both names that clients use.
const METADATA: &[&str] = &["metadata", "metadata_json"];

pub(crate) fn new_machine(mut fields: Fields) -> Result<NewMachine, Refusal> {
    let new = NewMachine {
        name: fields.required_text("name", NAME),
        location: fields.text("location", TEXT).flatten(),
        description: fields.text("description", TEXT).flatten(),
        status: fields.word("status").unwrap_or(MachineStatus::Online),
        criticality: fields.word("criticality").unwrap_or(Criticality::Medium),
        metadata: metadata(&mut fields).flatten(),
        last_service_date: fields.date("last_service_date").flatten(),
    };
    fields.end().map(|()| new)
}

pub(crate) fn machine_change(mut fields: Fields) -> Result<MachineChange, Refusal> {
    let name = fields.text("name", NAME).flatten();
    if name.as_ref().is_some_and(|n| n.trim().is_empty()) {
        fields.refuse("string_too_short", "name", "String should have at least 1 character");
    }
    let change = MachineChange {
        name,
        location: fields.text("location", TEXT),
        description: fields.text("description", TEXT),
        status: fields.word("status"),
        criticality: fields.word("criticality"),
        metadata: metadata(&mut fields),
        last_service_date: fields.date("last_service_date"),
    };
    fields.end().map(|()| change)
}

/// Thresholds by sensor type; a threshold that is misspelled or contradicts another one is refused.
pub(crate) fn thresholds(mut fields: Fields) -> Result<ThresholdsByType, Refusal> {
    let mut all = ThresholdsByType::new();
    for sensor_type in fields.names() {
        if sensor_type.is_empty() || sensor_type.len() > NAME || sensor_type.contains('\0') {
            fields.refuse("value_error", &sensor_type, "A sensor type has 1 to 200 bytes and no NUL");
            continue;
        }
        let Some(mut of_type) = fields.inner(&sensor_type) else { continue };
        for name in of_type.names() {
            if !Thresholds::NAMES.contains(&name.as_str()) {
                let known = Thresholds::NAMES.join("', '");
                of_type.refuse("extra_forbidden", &name, format!("Thresholds are '{known}'"));
            }
        }
        let thresholds = Thresholds {
            warning: of_type.number("warning").flatten(),
            critical: of_type.number("critical").flatten(),
            warning_low: of_type.number("warning_low").flatten(),
            critical_low: of_type.number("critical_low").flatten(),
            min: of_type.number("min").flatten(),
            max: of_type.number("max").flatten(),
        };
        if let Some((field, message)) = limits::contradiction(&thresholds) {
            of_type.refuse("value_error", field, format!("Input {message}"));
        }
        fields.take_errors(of_type);
        all.insert(sensor_type, thresholds);
    }
    fields.end().map(|()| all)
}

/// The free object; the entries in it that name a network have to be complete.
fn metadata(fields: &mut Fields) -> Presence<Metadata> {
    let metadata = fields.object(METADATA);
    let problem = metadata.as_ref().and_then(|m| m.as_ref()).and_then(network_problem);
    if let Some(problem) = problem {
        fields.refuse("value_error", "metadata", problem);
    }
    metadata
}
