//! The types that cross a wire: between browser and functions, bridge and functions, function and function.
//!
//! Invariants: a field's name is spelled here and nowhere else; JSON field names and status words are those of
//! the documented HTTP API; times are UTC, ids are UUIDs. The inner messages (`ingest`, `score`, `alarm_engine`,
//! `tick`) travel as postcard between our own parts and are not part of the public API.
//!
//! Deliberately absent: rules (pm-domain), SQL rows (pm-store), HTTP (pm-web). Nothing here does I/O.

pub mod ai;
pub mod alarm;
pub mod alarm_engine;
pub mod alarm_rule;
pub mod api_key;
pub mod assets;
pub mod attachment;
pub mod audit;
pub mod backtest;
pub mod comment;
pub mod dashboard;
pub mod error;
pub mod escalation;
pub mod event;
pub mod id;
pub mod import;
pub mod ingest;
pub mod input;
pub mod job;
pub mod list;
pub mod machine;
pub mod mail;
pub mod maintenance;
pub mod mapping;
pub mod metrics;
pub mod notification;
pub mod on_call;
pub mod prediction;
pub mod quality;
pub mod reference;
pub mod remaining_life;
pub mod report;
pub mod role;
pub mod route;
pub mod score;
pub mod second_factor;
pub mod sensor;
pub mod sensor_data;
pub mod session;
pub mod setting;
pub mod sign_in;
pub mod sort;
pub mod status;
pub mod tick;
pub mod ticket;
pub mod timestamp;
pub mod user;
pub mod vibration;
pub mod webhook;
pub mod word;

pub use id::{
    AlarmId, AlarmRuleId, AttachmentId, BacktestId, CommentId, EscalationChainId, ImportId, JobId, MachineId,
    MaintenanceWindowId, MappingId, ModelId, NoticeChannelId, OnCallScheduleId, PredictionId, ReportId,
    ReportScheduleId, RoleId, SensorId, SettingId, TicketId, UserId, WaveformId, WebhookId,
};
pub use timestamp::Timestamp;
pub use word::{
    AlarmChangeKind, AlarmKind, AlarmStatus, AnomalyType, ChannelKind, ClosingCode, Criticality, JobStatus,
    JobType, LimitSide, MachineStatus, NoticeFate, NoticeSubject, PayloadFormat, PredictionClass,
    PredictionStatus, Priority, Quality, ReadingStatus, Resource, RestartReason, Role, RulMethod, RuleScope,
    SameTime, SettingType, Severity, SpanStatus, TicketStatus, Verdict, WritePrecision,
};

/// A free JSON object that a client attached to a resource.
pub type Metadata = serde_json::Map<String, serde_json::Value>;
