//! The periodic tasks of the system: what they are called, and how often each is due.
//!
//! This is the one table of «what is due when». A tick (once a second) runs the tasks that are due. Reports on a schedule
//! and jobs are no tasks of their own: they are rows that people create, and the tasks of this table look for them.

use crate::duration::{HOUR_S, MINUTE_S};

/// A task that the tick runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Storing what the bridge reports about itself.
    BridgeReport,
    /// Handing the mappings in force to the bridge.
    Mappings,
    /// Planning deliveries of new events to webhooks.
    Webhooks,
    /// Planning notices of new events, and mails of notices.
    Notices,
    /// Telling people of alarms until somebody answers.
    Escalations,
    /// Handing mails to the bridge, and storing what became of them.
    Mails,
    /// Deleting expired rows.
    Housekeeping,
    /// Making scheduled reports that are due, and deleting expired reports.
    Reports,
    /// Evaluating delays of alarm rules that have run out.
    AlarmDelays,
    /// Looking for sensors that send nothing.
    Silence,
    /// Rolling up readings by minute and hour.
    RollUps,
    /// Refreshing counts of many rows.
    Counts,
    /// Deleting the data of deleted sensors.
    Clearing,
    /// Dropping data that is older than the settings keep.
    Retention,
    /// Measuring how far readings have moved from those that the active model was trained on.
    Drift,
}

/// A task that fails is due again after this time at the latest, seconds.
pub const RETRY_AFTER_S: i64 = MINUTE_S;
/// `/status` names a task for this long after its last failure, seconds.
pub const SHOWN_FOR_S: i64 = 2 * RETRY_AFTER_S;
/// A bridge that has not reported for this long is not there, seconds. It reports every second.
pub const BRIDGE_SILENT_AFTER_S: f64 = 10.0;
/// A time that lies further ahead than a task's interval and this was written by a clock that was set back since, seconds.
pub const CLOCK_STEP_S: i64 = MINUTE_S;

impl Task {
    /// Its name, in the database, in the log and in `/status`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BridgeReport => "bridge report",
            Self::Mappings => "mappings",
            Self::Webhooks => "webhooks",
            Self::Notices => "notices",
            Self::Escalations => "escalations",
            Self::Mails => "mails",
            Self::Housekeeping => "housekeeping",
            Self::Reports => "reports",
            Self::AlarmDelays => "alarm delays",
            Self::Silence => "silence",
            Self::RollUps => "roll-ups",
            Self::Counts => "counts",
            Self::Clearing => "clearing",
            Self::Retention => "retention",
            Self::Drift => "drift",
        }
    }

    /// Time between two runs, seconds; 0: every tick.
    #[must_use]
    pub fn interval_s(self) -> i64 {
        match self {
            Self::BridgeReport
            | Self::Mappings
            | Self::Webhooks
            | Self::Notices
            | Self::Escalations
            | Self::Mails
            | Self::Reports
            | Self::AlarmDelays
            | Self::Silence
            | Self::RollUps
            | Self::Counts
            | Self::Clearing => 0,
            Self::Housekeeping => MINUTE_S,
            Self::Retention => 10 * MINUTE_S,
            Self::Drift => HOUR_S,
        }
    }
}
