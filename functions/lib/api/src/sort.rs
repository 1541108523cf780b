//! What can order each list of the API. The first word of a vocabulary is its list's default.

use crate::{
    list::SortWord,
    word::{UnknownWord, words},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

words! {
    /// Order of a list of accounts.
    UserSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By the last change.
        UpdatedAt = "updated_at",
        /// By mail address.
        Email = "email",
        /// By name; accounts without one come first.
        FullName = "full_name",
        /// By built-in role: operator, viewer, engineer, admin.
        Role = "role",
    }
    /// Order of a list of sessions.
    SessionSort {
        /// By the time of signing in (the default).
        CreatedAt = "created_at",
        /// By the last use.
        LastUsedAt = "last_used_at",
    }
    /// Order of a list of API keys.
    ApiKeySort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
    }
    /// Order of a list of machines.
    MachineSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By the last change.
        UpdatedAt = "updated_at",
        /// By name.
        Name = "name",
        /// By location; machines without one come first.
        Location = "location",
        /// By operating state, alphabetically.
        Status = "status",
        /// By criticality: low, medium, high, critical.
        Criticality = "criticality",
    }
    /// Order of a list of sensors.
    SensorSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By the last change.
        UpdatedAt = "updated_at",
        /// By name.
        Name = "name",
        /// By kind of quantity.
        SensorType = "sensor_type",
        /// By the name of the machine.
        Machine = "machine",
        /// By the status of the newest reading: none, normal, warning, critical.
        Status = "status",
    }
    /// Order of a list of readings.
    ReadingSort {
        /// By the time of measurement.
        Timestamp = "timestamp",
    }
    /// Order of a list of waveforms.
    WaveformSort {
        /// By the time of the first sample.
        Timestamp = "timestamp",
    }
    /// Order of a list of predictions.
    PredictionSort {
        /// By the time of the reading that was judged.
        Timestamp = "timestamp",
    }
    /// Order of a list of alarms.
    AlarmSort {
        /// By the time of the reading that raised it (the default).
        TriggeredAt = "triggered_at",
        /// By severity: info, warning, critical.
        Severity = "severity",
        /// By the last change.
        UpdatedAt = "updated_at",
        /// By how often the condition was seen.
        Occurrences = "occurrences",
        /// By need of attention: resolved, acknowledged, open; then by severity; then by whether the condition holds.
        Urgency = "need",
    }
    /// Order of the history of an alarm or a ticket.
    HistorySort {
        /// By time (the default).
        At = "at",
    }
    /// Order of a list of files.
    AttachmentSort {
        /// By the time of upload (the default).
        CreatedAt = "created_at",
        /// By name.
        Filename = "filename",
        /// By size.
        FileSize = "file_size",
    }
    /// Order of a list of comments.
    CommentSort {
        /// By the time of writing (the default).
        CreatedAt = "created_at",
        /// By the last change.
        UpdatedAt = "updated_at",
    }
    /// Order of a list of tickets.
    TicketSort {
        /// By the time of opening (the default).
        CreatedAt = "created_at",
        /// By urgency: low, medium, high, critical.
        Priority = "priority",
        /// By the due date; tickets without one come last in ascending order.
        DueAt = "due_at",
        /// By the last change.
        UpdatedAt = "updated_at",
    }
    /// Order of a list of reports.
    ReportSort {
        /// By the time of making (the default).
        CreatedAt = "created_at",
        /// By title.
        Title = "title",
        /// By size of the file.
        FileSize = "file_size",
    }
    /// Order of a list of maintenance windows.
    MaintenanceWindowSort {
        /// By begin of the first one (the default).
        StartsAt = "starts_at",
    }
    /// Order of a list of suppressed conditions.
    SuppressedSort {
        /// By when they were last seen (the default).
        LastSeenAt = "last_seen_at",
    }
    /// Order of a list of schedules of reports.
    ReportScheduleSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By name.
        Name = "name",
        /// By when it is due next.
        NextRunAt = "next_run_at",
    }
    /// Order of a list of roles.
    RoleSort {
        /// Built-in roles before custom ones, then by name (the default).
        Kind = "kind",
        /// By name.
        Name = "name",
        /// By the time of creation.
        CreatedAt = "created_at",
    }
    /// Order of a list of settings.
    SettingSort {
        /// By name (the default).
        Key = "key",
        /// By group, then by name.
        Category = "category",
    }
    /// Order of a list of jobs.
    JobSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By the last change.
        UpdatedAt = "updated_at",
    }
    /// Order of the audit log, and of the log of models.
    AuditSort {
        /// By time.
        CreatedAt = "created_at",
    }
    /// Order of a list of webhooks.
    WebhookSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By name.
        Name = "name",
    }
    /// Order of a list of alarm rules.
    AlarmRuleSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By the type of the sensors.
        SensorType = "sensor_type",
    }
    /// Order of a list of back-tests.
    BacktestSort {
        /// By the time of creation.
        CreatedAt = "created_at",
    }
    /// Order of a list of on-call schedules.
    OnCallScheduleSort {
        /// By name (the default).
        Name = "name",
        /// By the time of creation.
        CreatedAt = "created_at",
    }
    /// Order of a list of escalation chains.
    EscalationChainSort {
        /// By name (the default).
        Name = "name",
        /// By the time of creation.
        CreatedAt = "created_at",
    }
    /// Order of a list of notice channels.
    NoticeChannelSort {
        /// By name (the default).
        Name = "name",
        /// By the time of creation.
        CreatedAt = "created_at",
    }
    /// Order of a list of notices of alarms.
    AlarmNoticeSort {
        /// By when they became due (the default).
        CreatedAt = "created_at",
    }
    /// Order of a list of mappings.
    MappingSort {
        /// By the time of creation (the default).
        CreatedAt = "created_at",
        /// By name.
        Name = "name",
    }
    /// Order of the delivery log of a webhook.
    DeliverySort {
        /// By the time of the event.
        CreatedAt = "created_at",
    }
    /// Order of a list of versions of models.
    ModelSort {
        /// By the time of registration (the default).
        CreatedAt = "created_at",
        /// By version.
        Version = "version",
    }
    /// Order of a list of measurements of drift.
    DriftSort {
        /// By time (the default).
        CreatedAt = "created_at",
    }
    /// Order of a list of dead letters.
    DeadLetterSort {
        /// By the time of receipt (the default).
        ReceivedAt = "received_at",
    }
}

macro_rules! sort_words {
    ($($name:ident $descending:literal),* $(,)?) => {$(
        impl SortWord for $name {
            const NAME: &'static str = stringify!($name);
            const ALL: &'static [Self] = Self::ALL;
            const WORDS: &'static [&'static str] = Self::WORDS;
            const DEFAULT: Self = Self::ALL[0];
            const DESCENDING: bool = $descending;

            fn as_str(self) -> &'static str {
                self.as_str()
            }
        }
    )*};
}

sort_words! {
    UserSort true,
    SessionSort true,
    ApiKeySort true,
    MachineSort true,
    SensorSort true,
    ReadingSort true,
    WaveformSort true,
    PredictionSort true,
    AlarmSort true,
    HistorySort false,
    AttachmentSort true,
    CommentSort true,
    TicketSort true,
    ReportSort true,
    MaintenanceWindowSort true,
    SuppressedSort true,
    ReportScheduleSort true,
    RoleSort false,
    SettingSort false,
    JobSort true,
    AuditSort true,
    WebhookSort true,
    AlarmRuleSort true,
    BacktestSort true,
    OnCallScheduleSort false,
    EscalationChainSort false,
    NoticeChannelSort false,
    AlarmNoticeSort true,
    MappingSort true,
    DeliverySort true,
    ModelSort true,
    DriftSort true,
    DeadLetterSort true,
}
