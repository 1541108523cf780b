//! Reports and their schedules.

use crate::input::{FieldFault, MAX_MAIL_ADDRESS_CHARS, Many, Refused, Text, Whole, input};
pub use crate::word::{Cadence, ReportFormat};
use crate::{MachineId, ReportId, ReportScheduleId, SensorId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

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
    /// Local time minus UTC, minutes, where no zone is given.
    pub utc_offset_minutes: i64,
    /// Time zone whose clocks count, e.g. Europe/Berlin.
    #[serde(default)]
    pub zone: Option<String>,
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
    /// Body of `POST /reports/generate`. A field that is left out does not narrow the report.
    ReportRequest check in_order {
        optional {
            /// csv (unless given): readings, a row each; pdf and xlsx: machines, sensors, alarms, predictions, tickets.
            format: ReportFormat,
            /// Begin of the period; left out: for csv the beginning, for pdf and xlsx 30 days before its end.
            date_from: Timestamp,
            /// End of the period; now unless given.
            date_to: Timestamp,
            /// Only this machine.
            machine_id: MachineId,
            /// Only this sensor (and its machine).
            sensor_id: SensorId,
            /// Title of the report.
            title: Text<0, 120>,
            /// Local time minus UTC, minutes; 0 unless given. Times are written in this zone (csv: always UTC).
            utc_offset_minutes: UtcOffset,
        }
    }
    /// Body of `POST /reports/schedules`.
    NewReportSchedule {
        required {
            /// Name; the title of its reports.
            name: Text<1, 120>,
            /// daily or weekly.
            cadence: Cadence,
            /// Mail addresses.
            recipients: Recipients,
        }
        optional {
            /// Format of its reports; pdf unless given.
            format: ReportFormat,
            /// For weekly ones the local day, 0 (Monday, unless given) to 6.
            weekday: Whole<0, 6>,
            /// Local hour; 6 unless given.
            hour: Whole<0, 23>,
            /// Local time minus UTC, minutes; 0 unless given.
            utc_offset_minutes: UtcOffset,
            /// Time zone whose clocks count, e.g. Europe/Berlin; then the offset does not count. An empty text is no zone.
            zone: Text<0, 64>,
            /// Only this machine.
            machine_id: MachineId,
            /// Only this sensor.
            sensor_id: SensorId,
            /// Does it run? True unless given.
            is_active: bool,
        }
    }
    /// Body of `PATCH /reports/schedules/{id}`: what is left out stays as it is.
    ReportScheduleChange {
        optional {
            /// Name; the title of its reports.
            name: Text<1, 120>,
            /// daily or weekly.
            cadence: Cadence,
            /// Mail addresses.
            recipients: Recipients,
            /// Format of its reports.
            format: ReportFormat,
            /// For weekly ones the local day, 0 (Monday) to 6.
            weekday: Whole<0, 6>,
            /// Local hour.
            hour: Whole<0, 23>,
            /// Local time minus UTC, minutes.
            utc_offset_minutes: UtcOffset,
            /// Time zone whose clocks count, e.g. Europe/Berlin; then the offset does not count. An empty text is no zone.
            zone: Text<0, 64>,
            /// Only this machine.
            machine_id: MachineId,
            /// Only this sensor.
            sensor_id: SensorId,
            /// Does it run?
            is_active: bool,
        }
    }
    /// Filters of `GET /reports`.
    ReportFilter {
        optional {
            /// Of this format.
            format: ReportFormat,
        }
    }
}

/// Local time minus UTC, minutes.
pub type UtcOffset = Whole<-720, 840>;
/// Mail addresses that a scheduled report is sent to.
pub type Recipients = Many<Text<1, MAX_MAIL_ADDRESS_CHARS>, 1, 20>;

fn in_order(request: &ReportRequest) -> Result<(), FieldFault> {
    match (request.date_from, request.date_to) {
        (Some(from), Some(to)) if from > to => Err(FieldFault {
            field: "date_from",
            refused: Refused::new("date_order", "date_from should not be later than date_to"),
            input: from.to_string().into(),
        }),
        _ => Ok(()),
    }
}
