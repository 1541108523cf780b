//! Planned maintenance, and the conditions that raise no alarm because of it.

use crate::{
    AlarmKind, MachineId, MaintenanceWindowId, SensorId, Severity, Timestamp, UserId,
    input::{FieldFault, Patch, Text, input},
    report::Cadence,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// The longest maintenance window, seconds: 31 days.
pub const MAX_WINDOW_S: i64 = 31 * 24 * 3600;

/// A span of time in which conditions raise no alarm: of a machine, of a class of equipment, or of the whole site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MaintenanceWindow {
    /// Identifier.
    pub id: MaintenanceWindowId,
    /// When it was planned.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What is done.
    pub reason: String,
    /// Only this machine.
    pub machine_id: Option<MachineId>,
    /// Only machines of this class.
    pub machine_class: Option<String>,
    /// Begin of the first one.
    pub starts_at: Timestamp,
    /// End of the first one.
    pub ends_at: Timestamp,
    /// How often it comes again; absent: it does not.
    pub repeats: Option<Cadence>,
    /// The last one begins at or before; absent: without end.
    pub repeats_until: Option<Timestamp>,
    /// Time zone whose clocks repetitions follow, e.g. Europe/Berlin.
    pub zone: String,
    /// Who planned it.
    pub created_by: Option<UserId>,
    /// Is it on now?
    pub is_on: bool,
}

/// A condition that raised no alarm because its machine was under maintenance, by day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SuppressedCondition {
    /// Identifier.
    pub id: Uuid,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor.
    pub sensor_id: SensorId,
    /// What saw the condition.
    pub kind: AlarmKind,
    /// The maintenance window, which may be deleted by now; absent: the machine's status was `maintenance`.
    pub window_id: Option<MaintenanceWindowId>,
    /// Severity of the newest one.
    pub severity: Severity,
    /// For people; of the newest one.
    pub message: String,
    /// When it was first seen on that day.
    pub first_seen_at: Timestamp,
    /// When it was last seen on that day.
    pub last_seen_at: Timestamp,
    /// How often it was seen.
    pub occurrences: i64,
}

input! {
    /// Body of `POST /maintenance-windows`. Without machine and class it is for the whole site.
    NewMaintenanceWindow check one_scope_and_a_span {
        required {
            /// What is done.
            reason: Text<1, 500>,
            /// Begin of the first one.
            starts_at: Timestamp,
            /// End of the first one; at most 31 days later.
            ends_at: Timestamp,
        }
        optional {
            /// Only this machine.
            machine_id: MachineId,
            /// Only machines of this class.
            machine_class: Text<1, 120>,
            /// How often it comes again, daily or weekly; left out: it does not.
            repeats: Cadence,
            /// The last one begins at or before; left out: without end.
            repeats_until: Timestamp,
            /// Time zone whose clocks repetitions follow, e.g. Europe/Berlin; UTC unless given.
            zone: Text<1, 64>,
        }
    }
    /// Body of `PATCH /maintenance-windows/{window_id}`: what is left out stays as it is.
    MaintenanceWindowChange {
        optional {
            /// What is done.
            reason: Text<1, 500>,
            /// Begin of the first one.
            starts_at: Timestamp,
            /// End of the first one; at most 31 days later.
            ends_at: Timestamp,
            /// Time zone whose clocks repetitions follow.
            zone: Text<1, 64>,
        }
        patch {
            /// How often it comes again; null: it does not.
            repeats: Cadence,
            /// The last one begins at or before; null: without end.
            repeats_until: Timestamp,
        }
    }
    /// Filters of `GET /suppressed-conditions`.
    SuppressedFilter {
        optional {
            /// Of this machine.
            machine_id: MachineId,
            /// Seen at or after.
            since: Timestamp,
        }
    }
}

/// Why a window cannot last from `starts_at` to `ends_at`, at its field.
///
/// # Errors
/// It ends before it begins, or is too long.
pub fn check_span(starts_at: Timestamp, ends_at: Timestamp) -> Result<(), FieldFault> {
    let fault = |message: &str| Err(FieldFault::new("ends_at", message, json!(ends_at)));
    match ends_at {
        _ if ends_at <= starts_at => fault("Input should be later than starts_at"),
        _ if ends_at > starts_at.plus_seconds(MAX_WINDOW_S) => {
            fault("Input should be at most 31 days after starts_at")
        }
        _ => Ok(()),
    }
}

fn one_scope_and_a_span(new: &NewMaintenanceWindow) -> Result<(), FieldFault> {
    if let (Some(_), Some(class)) = (new.machine_id, &new.machine_class) {
        return Err(FieldFault::new(
            "machine_class",
            "A window is for a machine or for a class, not for both",
            json!(class.0),
        ));
    }
    check_span(new.starts_at, new.ends_at)
}
