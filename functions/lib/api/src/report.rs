//! Reports and their schedules.

use crate::input::input;
pub use crate::word::{Cadence, ReportFormat};
use crate::{MachineId, ReportId, ReportScheduleId, SensorId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// Body of `POST /reports/generate`. A field that is absent does not narrow the report.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportRequest {
    /// csv (the default): readings, a row each; pdf and xlsx: machines, sensors, alarms, predictions, tickets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ReportFormat>,
    /// Begin of the period; absent: for csv the beginning, for pdf and xlsx 30 days before its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_from: Option<Timestamp>,
    /// End of the period; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_to: Option<Timestamp>,
    /// Only this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<MachineId>,
    /// Only this sensor (and its machine).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_id: Option<SensorId>,
    /// Title of the report, at most 120 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Local time minus UTC, minutes, −720 to 840: in this zone times are written (csv: always UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i64>,
}

/// Answer of `POST /reports/generate`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GeneratedReport {
    /// Name of the file.
    pub report_name: String,
    /// Where it can be had: `/reports/download/{report_name}`.
    pub url: String,
    /// When it was made: UTC without zone, as clients know it (`2026-11-23T10:23:12.593607`).
    pub generated_at: String,
    /// Identifier.
    pub id: ReportId,
    /// Size, bytes.
    pub file_size: i64,
    /// Readings in the period; for csv those in the file. 0: the report says that there are none.
    pub readings: i64,
    /// Were there more readings than the file may hold? (csv: the newest 1,000,000.)
    pub truncated: bool,
    /// When it will be removed.
    pub expires_at: Timestamp,
}

/// A stored report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Identifier.
    pub id: ReportId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Name of the file.
    pub report_name: String,
    /// Where it can be had.
    pub url: String,
    /// Format of the file.
    pub format: ReportFormat,
    /// Its title.
    pub title: String,
    /// Begin of its period; absent: the beginning.
    pub date_from: Option<Timestamp>,
    /// End of its period.
    pub date_to: Option<Timestamp>,
    /// Its machine, if it has but one.
    pub machine_id: Option<MachineId>,
    /// Its sensor, if it has but one.
    pub sensor_id: Option<SensorId>,
    /// Readings in the period; for csv those in the file.
    pub readings: i64,
    /// Were there more readings than the file may hold?
    pub truncated: bool,
    /// Size, bytes.
    pub file_size: i64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Who had it made.
    pub created_by: Option<UserId>,
    /// The schedule that had it made.
    pub schedule_id: Option<ReportScheduleId>,
    /// When it will be removed.
    pub expires_at: Timestamp,
}

/// Body of `POST /reports/schedules`, and, with every field free to be absent, of `PATCH /reports/schedules/{id}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportScheduleRequest {
    /// Name; the title of its reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Format of its reports (pdf unless given).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<ReportFormat>,
    /// daily or weekly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cadence: Option<Cadence>,
    /// For weekly ones the local day, 0 (Monday, the default) to 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekday: Option<i64>,
    /// Local hour, 0 to 23 (6 unless given).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<i64>,
    /// Local time minus UTC, minutes, −720 to 840 (0 unless given).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_minutes: Option<i64>,
    /// Only this machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<MachineId>,
    /// Only this sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_id: Option<SensorId>,
    /// Mail addresses, 1 to 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients: Option<Vec<String>>,
    /// Does it run? (true unless given)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A schedule: a report of the past day or week, made at a local hour and sent by mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportSchedule {
    /// Identifier.
    pub id: ReportScheduleId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Name; the title of its reports.
    pub name: String,
    /// Format of its reports.
    pub format: ReportFormat,
    /// daily or weekly.
    pub cadence: Cadence,
    /// For weekly ones the local day, 0 (Monday) to 6.
    pub weekday: i64,
    /// Local hour, 0 to 23.
    pub hour: i64,
    /// Local time minus UTC, minutes.
    pub utc_offset_minutes: i64,
    /// Only this machine.
    pub machine_id: Option<MachineId>,
    /// Only this sensor.
    pub sensor_id: Option<SensorId>,
    /// Mail addresses.
    pub recipients: Vec<String>,
    /// Does it run?
    pub is_active: bool,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// When it is due.
    pub next_run_at: Timestamp,
    /// When it ran last.
    pub last_run_at: Option<Timestamp>,
    /// Why the last run failed, if it did.
    pub last_error: Option<String>,
}

/// Answer of `reports` to the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReportsRun {
    /// Was a scheduled report worked on?
    pub made: bool,
    /// Is there more to do?
    pub more: bool,
}

input! {
    /// Filters of `GET /reports`.
    ReportFilter {
        optional {
            /// Of this format.
            format: ReportFormat,
        }
    }
}
