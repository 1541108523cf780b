//! Every operation: what it takes and gives beyond what the route table says.

use crate::{
    bodies,
    operation::{Operation, creates, deletes, lists, reads, sends, streams},
};
use pm_api::{
    AlarmStatus, JobStatus, JobType, Role, Severity, TicketStatus,
    ai::AiStatus,
    alarm::{Alarm, AlarmUpdate},
    audit::AuditEntry,
    dashboard::{MachineStats, Overview, PredictionStats, Total},
    event::{LiveEvent, StreamTicket},
    ingest::{BATCH_CONTENT_TYPE, BatchReport},
    job::{Job, NewJob},
    machine::{Machine, MachineSummary},
    metrics::Metrics,
    prediction::{Explained, Prediction},
    role::{NewRole, Permissions, RoleChange, RoleDetail},
    sensor::{Sensor, Trend},
    sensor_data::SensorData,
    setting::{NewSetting, Setting, SettingChange},
    status::{Health, Liveness, MqttOverview, Readiness, SystemStatus},
    tick::Tick,
    ticket::Ticket,
    user::{
        LoginForm, Message, NewUser, PasswordChange, ProfileChange, RefreshRequest, TokenPair, User,
        UserChange,
    },
};
use pm_auth::Op;
use serde_json::json;

const SORT: &[&str] = &["asc", "desc"];
const INTERVALS: &[&str] = &["1h", "6h", "24h", "7d", "30d"];

/// The description of an operation.
#[must_use]
pub fn describe(op: Op) -> Option<Operation> {
    Some(match op {
        // health
        Op::Health => reads::<Health>(),
        Op::HealthLive => reads::<Liveness>(),
        Op::HealthReady => reads::<Readiness>(),
        Op::SystemStatus => reads::<SystemStatus>(),
        Op::MqttStatus => reads::<MqttOverview>(),
        Op::AiStatus => reads::<AiStatus>(),
        Op::ListDeadLetters => lists::<pm_api::status::DeadLetter>().paged(100, 1000),

        // auth, users
        Op::Login => reads::<TokenPair>()
            .takes_form::<LoginForm>()
            .refuses(401, "Invalid credentials")
            .refuses(429, "Too many failed attempts; retry-after says when to try again"),
        Op::Refresh => {
            reads::<TokenPair>().takes::<RefreshRequest>().refuses(401, "Invalid or expired refresh token")
        }
        Op::Logout => reads::<Message>().takes::<RefreshRequest>(),
        Op::ChangePassword => reads::<Message>().takes::<PasswordChange>(),
        Op::CreateUser => creates::<User>().takes::<NewUser>(),
        Op::ListUsers => lists::<User>()
            .word("role", Role::WORDS, "With this built-in role")
            .query("is_active", json!({ "type": "boolean" }), "Accounts that can, or cannot, be used")
            .short("q", 200, "With this text in address or name")
            .paged(1000, 1000)
            .total(),
        Op::GetUser => reads::<User>(),
        Op::UpdateUser => reads::<User>().takes::<UserChange>(),
        Op::DeleteUser => deletes(),
        Op::GetMe => reads::<User>(),
        Op::UpdateMe => reads::<User>().takes::<ProfileChange>(),

        // machines
        Op::ListMachines => lists::<Machine>().paged(1000, 1000).total(),
        Op::CreateMachine => creates::<Machine>().takes::<bodies::NewMachine>(),
        Op::GetMachine => reads::<Machine>(),
        Op::UpdateMachine => reads::<Machine>().takes::<bodies::MachineChange>(),
        Op::DeleteMachine => deletes(),
        Op::MachineSummary => reads::<MachineSummary>(),
        Op::MachinePredictions => lists::<Prediction>()
            .id("sensor_id", "Of this sensor")
            .time("start_time", "Later than this")
            .time("end_time", "Not later than this")
            .paged(100, 1000),
        Op::MachineSensorData => lists::<bodies::MachineReading>()
            .id("sensor_id", "Of this sensor")
            .time("start", "Not earlier than this")
            .time("end", "Not later than this")
            .paged(100, 1000),

        // sensors
        Op::ListSensors => lists::<Sensor>().id("machine_id", "Of this machine").paged(1000, 1000).total(),
        Op::CreateSensor => creates::<Sensor>().takes::<bodies::NewSensor>(),
        Op::GetSensor => reads::<Sensor>(),
        Op::UpdateSensor => reads::<Sensor>().takes::<bodies::SensorChange>(),
        Op::DeleteSensor => deletes(),
        Op::SensorTrend => reads::<Trend>().word("interval", INTERVALS, "How far back (24h)").integer(
            "points",
            (1000, 2, 1000),
            "At most this many points",
        ),

        // sensor-data
        Op::ListSensorData => readings().word("sort", SORT, "Oldest or newest first (desc)"),
        Op::SensorDataLogs => readings(),
        Op::TriggerFailure => {
            reads::<pm_api::sensor_data::FailureTriggered>().takes::<bodies::FailureTrigger>()
        }

        // predictions
        Op::ListPredictions => lists::<Prediction>()
            .id("sensor_id", "Of this sensor")
            .id("machine_id", "Of this machine")
            .time("start_time", "Later than this")
            .time("end_time", "Not later than this")
            .text("sort", "asc: oldest first")
            .paged(200, 1000),
        Op::GetPrediction => reads::<Prediction>(),
        Op::ExplainPrediction => reads::<Explained>(),

        // alarms
        Op::ListAlarms => {
            let words: Vec<_> = AlarmStatus::WORDS.iter().copied().chain(["active"]).collect();
            lists::<Alarm>()
                .word("status", &words, "In this state; active: open or acknowledged")
                .id("machine_id", "Of this machine")
                .id("sensor_id", "Of this sensor")
                .word("severity", Severity::WORDS, "Of this severity")
                .paged(200, 1000)
                .total()
        }
        Op::GetAlarm => reads::<Alarm>(),
        Op::UpdateAlarm => reads::<Alarm>().takes::<AlarmUpdate>(),
        Op::ResolveAlarm => reads::<Alarm>().may_take::<bodies::Resolution>().query(
            "resolution_notes",
            json!({ "type": "string", "maxLength": 4000 }),
            "What was found and done",
        ),
        Op::AlarmsOfPrediction => lists::<Alarm>(),

        // tickets
        Op::ListTickets => lists::<Ticket>()
            .word("status", TicketStatus::WORDS, "In this state")
            .id("machine_id", "Of this machine")
            .paged(1000, 1000)
            .total(),
        Op::GetTicket => reads::<Ticket>(),

        // dashboard
        Op::DashboardOverview => reads::<Overview>(),
        Op::DashboardMachines => reads::<MachineStats>(),
        Op::DashboardSensors => reads::<Total>(),
        Op::DashboardPredictions => {
            reads::<PredictionStats>().integer("hours", (24, 1, 168), "Length of the period")
        }

        // roles, settings, jobs, audit
        Op::ListRoles => lists::<RoleDetail>().paged(1000, 1000).total(),
        Op::CreateRole => creates::<RoleDetail>().takes::<NewRole>(),
        Op::GetRole => reads::<RoleDetail>(),
        Op::UpdateRole => reads::<RoleDetail>().takes::<RoleChange>(),
        Op::DeleteRole => deletes(),
        Op::ListRolePermissions => lists::<String>(),
        Op::AddRolePermissions | Op::SetRolePermissions => lists::<String>().takes::<Permissions>(),
        Op::ListSettings => lists::<Setting>().text("category", "Of this category").paged(1000, 1000).total(),
        Op::CreateSetting => creates::<Setting>().takes::<NewSetting>(),
        Op::GetSetting => {
            reads::<Setting>().refuses(403, "A setting that is not public, for engineers and above")
        }
        Op::UpdateSetting => reads::<Setting>().takes::<SettingChange>(),
        Op::DeleteSetting => deletes(),
        Op::ListJobs => lists::<Job>()
            .word("job_type", JobType::WORDS, "Of this type")
            .word("status", JobStatus::WORDS, "In this state")
            .paged(50, 1000)
            .total(),
        Op::CreateJob => creates::<Job>().takes::<NewJob>(),
        Op::GetJob => reads::<Job>(),
        Op::RetryJob => reads::<Job>().refuses(400, "Job is not in failed state"),
        Op::ListAuditLogs => lists::<AuditEntry>()
            .id("user_id", "Done by this user")
            .short("action_type", 200, "What was done: create, update, delete, login, …")
            .short("resource_type", 200, "To which kind of thing")
            .short("resource_id", 200, "To which one")
            .time("start_date", "Not earlier than this")
            .time("end_date", "Not later than this")
            .short("q", 200, "With this text anywhere in it")
            .paged(100, 1000)
            .total(),

        // events
        Op::EventStream | Op::RealtimeEvents => streams::<LiveEvent>("text/event-stream")
            .text("events", "Only these, e.g. alarm.*,ticket.created")
            .integer(
                "last_event_id",
                (0, 0, i64::MAX),
                "Resume after this event; the header Last-Event-ID wins",
            ),
        Op::StreamTicket => reads::<StreamTicket>(),
        Op::Updates => {
            Operation::default().refuses(426, "There is no WebSocket here; the body names the event stream")
        }

        // docs, metrics
        Op::OpenApi => reads::<serde_json::Value>(),
        Op::Docs | Op::Redoc => sends("text/html"),
        Op::DocsFile => sends("text/javascript").also("text/css"),
        Op::Metrics => sends("text/plain"),
        Op::MetricsJson => reads::<Metrics>(),

        // for the bridge alone
        Op::Ingest => reads::<BatchReport>().takes_bytes(BATCH_CONTENT_TYPE),
        Op::Tick => reads::<pm_api::tick::Ticked>().takes::<Tick>(),
        _ => return None,
    })
}

fn readings() -> Operation {
    lists::<SensorData>()
        .id("sensor_id", "Of this sensor")
        .id("machine_id", "Of this machine")
        .time("start_date", "Not earlier than this")
        .time("end_date", "Not later than this")
        .paged(100, 1000)
}
