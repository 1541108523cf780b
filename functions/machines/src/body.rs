//! What the types of the bodies do not check.

use pm_api::{
    Metadata,
    error::FieldError,
    input::MAX_FAULTS,
    machine::{NewMachine, ThresholdsByType},
};
use pm_domain::{cycle::network_problem, limits};
use pm_web::Refusal;
use serde_json::Value;

/// Longest sensor type, bytes.
const MAX_TYPE_BYTES: usize = 200;

/// The entries of the free object that name a network have to be complete.
pub(crate) fn check_network(metadata: Option<&Metadata>) -> Result<(), Refusal> {
    network_fault(metadata, &["body", "metadata"]).map_or(Ok(()), |fault| Err(Refusal::Invalid(vec![fault])))
}

/// The same of many machines.
pub(crate) fn check_networks(machines: &[NewMachine]) -> Result<(), Refusal> {
    let fault = |(index, machine): (usize, &NewMachine)| {
        let mut fault = network_fault(machine.metadata.as_ref(), &["body", "metadata"])?;
        fault.loc.insert(1, index.into());
        Some(fault)
    };
    let faults: Vec<_> = machines.iter().enumerate().filter_map(fault).take(MAX_FAULTS).collect();
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}

fn network_fault(metadata: Option<&Metadata>, place: &[&str]) -> Option<FieldError> {
    let metadata = metadata?;
    let problem = network_problem(metadata)?;
    Some(FieldError::new("value_error", place, problem, Value::Object(metadata.clone())))
}

/// Sensor types have to be storable, and thresholds must not contradict each other.
pub(crate) fn check_thresholds(thresholds: &ThresholdsByType) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for (sensor_type, thresholds) in thresholds {
        if sensor_type.is_empty() || sensor_type.len() > MAX_TYPE_BYTES || sensor_type.contains('\0') {
            let message = "A sensor type has 1 to 200 bytes and no NUL";
            faults.push(FieldError::new("value_error", &["body", sensor_type], message, Value::Null));
        } else if let Some((field, message)) = limits::contradiction(thresholds) {
            let message = format!("Input {message}");
            faults.push(FieldError::new("value_error", &["body", sensor_type, field], message, Value::Null));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}
