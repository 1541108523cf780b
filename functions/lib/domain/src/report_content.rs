//! What a PDF or XLSX report holds, as plain values: the store fills it, `pm-report` renders it.

use crate::reliability::{Failure, Reliability, Span, reliability};
use pm_api::{
    AlarmStatus, Criticality, MachineId, MachineStatus, Priority, SensorId, Severity, TicketStatus,
    Timestamp, score::Limits,
};

/// What a report is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// Title.
    pub title: String,
    /// The period; its end excluded.
    pub period: Span,
    /// Interval of observation, seconds; silence of more than three of them is unobserved.
    pub interval_s: i64,
    /// Local time minus UTC, minutes: in this zone times are written.
    pub utc_offset_minutes: i64,
    /// When it was made.
    pub generated_at: Timestamp,
    /// Who had it made, for people.
    pub generated_by: String,
    /// What it is narrowed to, for people, e.g. «All machines».
    pub scope: String,
}

/// A machine.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineRow {
    /// Identifier.
    pub id: MachineId,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub location: Option<String>,
    /// How much depends on it.
    pub criticality: Criticality,
    /// Operating state now.
    pub status: MachineStatus,
    /// Spans in which readings came.
    pub observed: Vec<Span>,
    /// Critical alarms that a reading or a person raised, also those from before the period that reach into it.
    pub failures: Vec<Failure>,
}

impl MachineRow {
    /// Availability, MTBF and MTTR in the period.
    #[must_use]
    pub fn reliability(&self, period: Span) -> Reliability {
        reliability(period, &self.observed, &self.failures)
    }
}

/// A sensor and its readings of the period. Values in its unit.
#[derive(Debug, Clone, PartialEq)]
pub struct SensorRow {
    /// Identifier.
    pub id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Its machine's name.
    pub machine: String,
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: Option<String>,
    /// Limits in force now.
    pub limits: Limits,
    /// What was measured; `None` without readings.
    pub measured: Option<Measured>,
    /// Trend of the values; only for the sensors that were in the worst state.
    pub trend: Vec<TrendPoint>,
}

/// A sensor's readings of the period.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Deserialize)]
pub struct Measured {
    /// Readings.
    pub count: i64,
    /// Smallest.
    pub min: f64,
    /// Arithmetic mean of all readings.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
    /// Standard deviation of the sample; 0 for a single reading.
    pub std: f64,
    /// Time in warning, seconds: in each interval of observation the share of its readings that were.
    pub warning_s: f64,
    /// Time in critical, seconds.
    pub critical_s: f64,
}

/// Readings of one interval of a chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendPoint {
    /// Begin of the interval.
    pub at: Timestamp,
    /// Smallest.
    pub min: f64,
    /// Mean.
    pub mean: f64,
    /// Greatest.
    pub max: f64,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRow {
    /// Its machine.
    pub machine_id: MachineId,
    /// Its machine's name.
    pub machine: String,
    /// Its sensor's name.
    pub sensor: Option<String>,
    /// threshold, prediction or manual.
    pub kind: String,
    /// Gravest severity.
    pub severity: Severity,
    /// For people.
    pub message: String,
    /// What people did about it.
    pub status: AlarmStatus,
    /// When it was raised.
    pub triggered_at: Timestamp,
    /// When its condition ended or it was resolved, whichever was first; `None` while it lasts.
    pub ended_at: Option<Timestamp>,
    /// When it was acknowledged.
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it.
    pub acknowledged_by: Option<String>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// Who resolved it.
    pub resolved_by: Option<String>,
    /// What was found.
    pub resolution_notes: Option<String>,
    /// How often its condition was seen.
    pub occurrences: i64,
}

/// Predictions of one sensor in the period.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionRow {
    /// Its machine's name.
    pub machine: String,
    /// Its name.
    pub sensor: String,
    /// Predictions by class: normal, warning, critical, and buffering (too few readings to judge).
    pub classes: [i64; 4],
    /// Mean anomaly score, 0 to 1, of those that judged.
    pub mean_score: Option<f64>,
    /// Greatest anomaly score.
    pub max_score: Option<f64>,
    /// Newest health, percent.
    pub health_percent: Option<f64>,
    /// Newest remaining useful life, hours.
    pub remaining_hours: Option<f64>,
    /// Version of the newest model.
    pub model_version: Option<String>,
}

/// A ticket.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketRow {
    /// Its machine's name.
    pub machine: String,
    /// Short text.
    pub title: String,
    /// Urgency.
    pub priority: Priority,
    /// Workflow state.
    pub status: TicketStatus,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it should be done.
    pub due_at: Option<Timestamp>,
    /// What was done.
    pub resolution_notes: Option<String>,
}

/// A reading.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadingRow {
    /// When it was measured.
    pub at: Timestamp,
    /// Its sensor.
    pub sensor_id: SensorId,
    /// The value in the sensor's unit.
    pub value: f64,
    /// Its status.
    pub status: pm_api::ReadingStatus,
}

/// The first entries of a list, with the length of the whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Excerpt<T> {
    /// The entries.
    pub rows: Vec<T>,
    /// Length of the whole list.
    pub total: i64,
}

impl<T> Default for Excerpt<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), total: 0 }
    }
}

/// A whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// What it is about.
    pub cover: Cover,
    /// Machines by name.
    pub machines: Excerpt<MachineRow>,
    /// Sensors by machine and name.
    pub sensors: Excerpt<SensorRow>,
    /// Alarms that were raised in the period or reach into it, newest first.
    pub alarms: Excerpt<AlarmRow>,
    /// Predictions by sensor, the worst first.
    pub predictions: Excerpt<PredictionRow>,
    /// Tickets that were opened in the period or were open at its begin, newest first.
    pub tickets: Excerpt<TicketRow>,
    /// Newest readings, ascending (XLSX only).
    pub readings: Excerpt<ReadingRow>,
}

impl Content {
    /// Readings of the period.
    #[must_use]
    pub fn reading_count(&self) -> i64 {
        self.sensors.rows.iter().filter_map(|s| s.measured.as_ref()).map(|m| m.count).sum()
    }
}
