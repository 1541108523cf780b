//! The closed vocabularies of the API: each word once, with its text form.

use crate::input::Refused;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A text that is none of a vocabulary's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Input should be '{}'", .expected.join("', '"))]
pub struct UnknownWord {
    /// The words that would have been accepted.
    pub expected: &'static [&'static str],
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident $(refused as $refused:ident)? {
        $($(#[$vdoc:meta])* $variant:ident = $text:literal $(or $other:literal)?),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $text $(, alias = $other)?)] $variant),*
        }

        impl $name {
            /// Every word, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
            /// The text of every word, in order.
            pub const WORDS: &'static [&'static str] = &[$($text),*];

            /// The word's text form.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(s: &str) -> Result<Self, UnknownWord> {
                match s {
                    $($text $(| $other)? => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { expected: Self::WORDS }),
                }
            }
        }

        impl $crate::input::Scalar for $name {
            fn read(value: &serde_json::Value) -> Result<Self, $crate::input::Refused> {
                $crate::input::word(value)$(.map_err(|_| $refused()))?
            }
        }

        $crate::input::read_as_scalar!($name);
    )*};
}
pub(crate) use words;

words! {
    /// What a user may do. Ordered: a later role may do more.
    Role {
        /// Registered, no rights yet: sees only the own profile and lists open to any account.
        Operator = "operator",
        /// Reads everything but administration.
        Viewer = "viewer",
        /// Maintains machines, sensors, alarms, tickets.
        Engineer = "engineer",
        /// Everything.
        Admin = "admin",
    }
    /// Operating state of a machine.
    MachineStatus {
        /// Running.
        Online = "online",
        /// Not running.
        Offline = "offline",
        /// Under maintenance.
        Maintenance = "maintenance",
        /// Running with reduced function.
        Degraded = "degraded",
    }
    /// How much depends on a machine.
    Criticality {
        /// Low.
        Low = "low",
        /// Medium (the default).
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical",
    }
    /// A reading judged against its sensor's thresholds. Ordered by gravity.
    ReadingStatus {
        /// Inside all limits.
        Normal = "normal",
        /// At or beyond a warning limit.
        Warning = "warning",
        /// At or beyond a critical limit.
        Critical = "critical",
    }
    /// How far a reading can be trusted. One that is not good is stored and shown, and is neither evaluated nor scored.
    Quality {
        /// Usable.
        Good = "good",
        /// The sender doubts it.
        Uncertain = "uncertain",
        /// The sender says that it is wrong.
        Bad = "bad",
        /// The sender repeats an old value.
        Stale = "stale",
        /// The sender's clock is ahead.
        Clock = "clock",
        /// It came in a unit that cannot be converted to the sensor's.
        Unit = "unit",
        /// Outside of what the sensor's alarm rule calls plausible.
        Implausible = "implausible",
    }
    /// How a payload is written.
    PayloadFormat {
        /// JSON, else what the text unmistakably is, else a plain text.
        Auto = "auto",
        /// JSON.
        Json = "json",
        /// Lines of values with a separator.
        Csv = "csv",
        /// Influx line protocol.
        Influx = "influx",
        /// One value as text.
        Text = "text",
    }
    /// What becomes of a value of a sensor that has another one at the same time.
    SameTime {
        /// It is not stored, and told as a dead letter.
        Conflict = "conflict",
        /// It replaces the one before.
        Last = "last",
        /// Both are stored: times in whole seconds are moved within their second.
        Spread = "spread",
    }
    /// What the timestamps of line protocol count.
    WritePrecision {
        /// Nanoseconds.
        Nanosecond = "ns" or "n",
        /// Microseconds.
        Microsecond = "us" or "u",
        /// Milliseconds.
        Millisecond = "ms",
        /// Seconds.
        Second = "s",
        /// Minutes.
        Minute = "m",
        /// Hours.
        Hour = "h",
    }
    /// Class of an anomaly score.
    PredictionStatus {
        /// As usual.
        Normal = "normal",
        /// Unusual.
        Warning = "warning",
        /// Very unusual.
        Critical = "critical",
        /// There are too few readings for a score.
        Buffering = "buffering",
    }
    /// Is a score unusual?
    PredictionClass {
        /// As usual.
        Normal = "normal",
        /// Unusual.
        Anomaly = "anomaly",
    }
    /// Class of an anomaly score in the words of older clients.
    AnomalyType {
        /// As usual.
        Normal = "NORMAL",
        /// Unusual.
        Warning = "WARNING",
        /// Very unusual.
        Critical = "CRITICAL",
        /// There are too few readings for a score.
        Baseline = "BASELINE",
    }
    /// Status of a sensor over a time.
    SpanStatus {
        /// Inside all limits.
        Normal = "normal",
        /// At or beyond a warning limit.
        Warning = "warning",
        /// At or beyond a critical limit.
        Critical = "critical",
        /// Nothing was measured.
        NoData = "no_data",
    }
    /// How a remaining useful life was found.
    RulMethod {
        /// Extrapolation of a sensor's level to its limit.
        Trend = "trend",
        /// A network that learned from machines that ran to failure.
        Network = "network",
    }
    /// A range of time that ends now.
    Interval refused as no_interval {
        /// One hour.
        Hour = "1h",
        /// Six hours.
        SixHours = "6h",
        /// A day.
        Day = "24h",
        /// A week.
        Week = "7d",
        /// Thirty days.
        Month = "30d",
    }
    /// How fine exported readings are.
    Resolution {
        /// Each reading.
        Raw = "raw",
        /// A row a minute.
        Minute = "1m",
        /// A row an hour.
        Hour = "1h",
        /// The finest that is still stored.
        Auto = "auto",
    }
    /// A kind of signal whose values have figures of their own.
    SignalKind {
        /// It only rises, apart from restarts.
        Counter = "counter",
        /// It is 0 or 1.
        Binary = "binary",
    }
    /// What stands between the cells of a CSV text.
    CsvDelimiter {
        /// A comma.
        Comma = "comma" or ",",
        /// A semicolon.
        Semicolon = "semicolon" or ";",
        /// A tabulator.
        Tab = "tab" or "\t",
    }
    /// What stands before the fraction of a number in a CSV text.
    CsvDecimal {
        /// A point.
        Point = "point" or ".",
        /// A comma.
        Comma = "comma" or ",",
    }
    /// Course of a simulated failure.
    SimulatedFailure {
        /// Values jump beyond the critical limit.
        Critical = "critical",
        /// Values rise above the warning limit.
        Warning = "warning",
        /// Values drift away.
        GradualDrift = "gradual_drift",
        /// The same as critical, in the word of older clients.
        SuddenSpike = "sudden_spike",
    }
    /// State of a delivery to a webhook.
    DeliveryStatus {
        /// Waits for its next attempt.
        Pending = "pending",
        /// The receiver accepted it.
        Delivered = "delivered",
        /// Given up.
        Failed = "failed",
    }
    /// Severity of an alarm (ISA-18.2 priority). Ordered by gravity.
    Severity {
        /// For information.
        Info = "info",
        /// Needs attention.
        Warning = "warning",
        /// Needs action now.
        Critical = "critical",
    }
    /// What people have done about an alarm.
    AlarmStatus {
        /// Nobody has acknowledged it.
        Open = "open",
        /// Somebody has seen it.
        Acknowledged = "acknowledged",
        /// Done.
        Resolved = "resolved",
    }
    /// The side that a limit guards.
    LimitSide {
        /// Values at or above it are beyond.
        High = "high",
        /// Values at or below it are beyond.
        Low = "low",
    }
    /// How specific an alarm rule is; the most specific first.
    RuleScope {
        /// For one sensor.
        Sensor = "sensor",
        /// For a machine's sensors of a type.
        Machine = "machine",
        /// For the sensors of a type on machines of a class.
        MachineClass = "machine_class",
        /// For all sensors of a type.
        SensorType = "sensor_type",
    }
    /// A service that notices of alarms go to.
    ChannelKind {
        /// Microsoft Teams: an incoming webhook that takes an adaptive card.
        Teams = "teams",
        /// Slack, or what takes its incoming webhooks.
        Slack = "slack",
        /// `PagerDuty`, events API v2.
        PagerDuty = "pagerduty",
        /// Opsgenie, alert API v2.
        Opsgenie = "opsgenie",
        /// ntfy: the address of a server with the topic.
        Ntfy = "ntfy",
        /// Any receiver of JSON.
        Generic = "generic",
    }
    /// What a notice of an escalation tells.
    NoticeSubject {
        /// An alarm needs an answer.
        Alarm = "alarm",
        /// Somebody answered.
        Answered = "answered",
        /// All alarms of the case are resolved.
        Resolved = "resolved",
    }
    /// What became of a notice.
    NoticeFate {
        /// It waits for its next attempt, or is under way.
        Pending = "pending",
        /// The mail server or the service has taken it.
        Delivered = "delivered",
        /// Given up, or there was nobody to tell.
        Failed = "failed",
        /// Somebody answered before.
        Cancelled = "cancelled",
    }
    /// What raised an alarm.
    AlarmKind {
        /// A reading beyond a limit.
        Threshold = "threshold",
        /// The model's judgement.
        Prediction = "prediction",
        /// The status that a sender gave to a reading of a sensor without limits.
        Reported = "reported",
        /// A sensor that sends nothing.
        Stale = "stale",
        /// A person.
        Manual = "manual",
    }
    /// What the cause of an alarm turned out to be, said by whoever resolved it.
    Verdict {
        /// The machine had a fault.
        TrueFault = "true_fault",
        /// Nothing was wrong.
        FalseAlarm = "false_alarm",
        /// Work on the machine caused it.
        Maintenance = "maintenance",
        /// Nobody knows.
        Unknown = "unknown",
    }
    /// What changed about an alarm.
    AlarmChangeKind {
        /// It was raised.
        Raised = "raised",
        /// Its severity rose.
        Escalated = "escalated",
        /// Its condition holds again.
        Returned = "returned",
        /// Its condition does not hold any more.
        ConditionEnded = "condition ended",
        /// A person acknowledged it.
        Acknowledged = "acknowledged",
        /// A person resolved it.
        Resolved = "resolved",
        /// A person stated its cause.
        Verdict = "verdict",
        /// A person shelved it.
        Shelved = "shelved",
        /// A person ended the shelving.
        Unshelved = "unshelved",
        /// A person changed its notes, time of resolution or metadata.
        Updated = "updated",
    }
    /// What a comment or a file belongs to.
    Resource {
        /// Nothing in particular (files only).
        General = "general",
        /// An alarm.
        Alarm = "alarm",
        /// A ticket.
        Ticket = "ticket",
    }
    /// Workflow state of a ticket.
    TicketStatus {
        /// New.
        Open = "open" or "pending",
        /// Given to somebody.
        Assigned = "assigned",
        /// Being worked on.
        InProgress = "in_progress" or "in-progress",
        /// Work done.
        Resolved = "resolved",
        /// Checked and closed.
        Closed = "closed",
        /// Will not be done.
        Cancelled = "cancelled",
    }
    /// What was found and done at the end of a ticket.
    ClosingCode {
        /// Something was mended, cleaned or adjusted.
        Repaired = "repaired",
        /// A part of the machine was replaced.
        PartReplaced = "part_replaced",
        /// The sensor was replaced: its reference is started anew.
        SensorReplaced = "sensor_replaced",
        /// The machine was overhauled: the references of all of its sensors are started anew.
        Overhaul = "overhaul",
        /// Nothing was wrong.
        NoFaultFound = "no_fault_found",
    }
    /// Why a healthy reference is started anew.
    RestartReason {
        /// The sensor was replaced, moved or adjusted.
        SensorReplaced = "sensor_replaced",
        /// The machine was overhauled and runs differently from now on.
        Overhaul = "overhaul",
    }
    /// How a setting's value is to be read.
    SettingType {
        /// As it is.
        String = "string",
        /// A finite decimal number.
        Number = "number",
        /// true or false.
        Boolean = "boolean",
        /// A JSON document.
        Json = "json",
    }
    /// What a job does. Every word has a worker.
    JobType {
        /// Train a model anew.
        Retrain = "retrain",
        /// Store an import of history.
        Import = "import",
        /// Try alarm rules on stored readings.
        Backtest = "backtest",
    }
    /// Where a job stands.
    JobStatus {
        /// Waits for a worker.
        Pending = "pending",
        /// A worker is at it.
        Running = "running",
        /// Done.
        Completed = "completed",
        /// Given up; can be retried.
        Failed = "failed",
    }
    /// Format of a report.
    ReportFormat {
        /// Readings, a row each.
        Csv = "csv",
        /// A document.
        Pdf = "pdf",
        /// A workbook.
        Xlsx = "xlsx",
    }
    /// How often a scheduled report is made.
    Cadence {
        /// Every day.
        Daily = "daily",
        /// Every week.
        Weekly = "weekly",
    }
    /// Urgency of a ticket.
    Priority {
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// Critical.
        Critical = "critical" or "urgent",
    }
}

/// What is said of a text that is no [`Interval`], as documented.
fn no_interval() -> Refused {
    let pattern = format!("^({})$", Interval::WORDS.join("|"));
    Refused::new("string_pattern_mismatch", format!("String should match pattern '{pattern}'"))
}

impl From<ReadingStatus> for SpanStatus {
    fn from(status: ReadingStatus) -> Self {
        match status {
            ReadingStatus::Normal => Self::Normal,
            ReadingStatus::Warning => Self::Warning,
            ReadingStatus::Critical => Self::Critical,
        }
    }
}

impl From<ReadingStatus> for Severity {
    fn from(status: ReadingStatus) -> Self {
        match status {
            ReadingStatus::Normal => Self::Info,
            ReadingStatus::Warning => Self::Warning,
            ReadingStatus::Critical => Self::Critical,
        }
    }
}

impl Interval {
    /// Its length, seconds.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3600,
            Self::SixHours => 6 * 3600,
            Self::Day => 24 * 3600,
            Self::Week => 7 * 24 * 3600,
            Self::Month => 30 * 24 * 3600,
        }
    }
}
