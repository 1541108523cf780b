//! Every operation: what it takes and gives beyond what the route table says.

use crate::{
    bodies,
    operation::{Operation, accepts, creates, deletes, lists, reads, sends, streams},
};
use pm_api::{
    AlarmKind, AlarmStatus, Criticality, JobStatus, JobType, MachineStatus, Priority, ReadingStatus,
    Resource, Role, Severity, TicketStatus, Verdict, ai, alarm, attachment, audit, comment, dashboard, event,
    ingest, job,
    list::SortWord,
    machine, metrics, notification, prediction, report, role, sensor, sensor_data, setting,
    sort::{
        AlarmSort, AttachmentSort, AuditSort, CommentSort, DeadLetterSort, DeliverySort, DriftSort,
        HistorySort, JobSort, MachineSort, ModelSort, PredictionSort, ReadingSort, ReportScheduleSort,
        ReportSort, RoleSort, SensorSort, SettingSort, TicketSort, UserSort, WebhookSort,
    },
    status, tick, ticket, user, webhook,
};
use pm_auth::Op;
use serde_json::json;

const PREDICTED: &[&str] = &["normal", "warning", "critical", "buffering"];
const INTERVALS: &[&str] = &["1h", "6h", "24h", "7d", "30d"];

/// The description of an operation.
#[must_use]
pub fn describe(op: Op) -> Option<Operation> {
    Some(match op {
        // health
        Op::Health => reads::<status::Health>(),
        Op::HealthLive => reads::<status::Liveness>(),
        Op::HealthReady => reads::<status::Readiness>(),
        Op::SystemStatus => reads::<status::SystemStatus>(),
        Op::MqttStatus => reads::<status::MqttOverview>(),
        Op::AiStatus => reads::<ai::AiStatus>(),
        Op::ListDeadLetters => lists::<status::DeadLetter>().paged::<DeadLetterSort>(100),

        // site
        Op::SystemInformation => reads::<status::SystemInformation>().also("text/html"),

        // auth, users
        Op::Login => reads::<user::TokenPair>()
            .takes_form::<user::LoginForm>()
            .refuses(401, "Invalid credentials")
            .refuses(429, "Too many failed attempts; retry-after says when to try again"),
        Op::Refresh => reads::<user::TokenPair>()
            .takes::<user::RefreshRequest>()
            .refuses(401, "Invalid or expired refresh token"),
        Op::Logout => reads::<user::Message>().takes::<user::RefreshRequest>(),
        Op::ChangePassword => reads::<user::Message>().takes::<user::PasswordChange>(),
        Op::RequestPasswordReset => reads::<user::Message>()
            .takes::<user::PasswordResetRequest>()
            .refuses(429, "Too many requests from this address; retry-after says when to try again"),
        Op::ConfirmPasswordReset => reads::<user::Message>()
            .takes::<user::PasswordResetConfirm>()
            .refuses(429, "Too many failed attempts; retry-after says when to try again")
            .refuses(400, "The token is unknown, spent or expired"),
        Op::CreateUser => creates::<user::User>().takes::<user::NewUser>(),
        Op::ListUsers => lists::<user::User>()
            .word("role", Role::WORDS, "With this built-in role")
            .query("is_active", json!({ "type": "boolean" }), "Accounts that can, or cannot, be used")
            .searched("With this text in address or name")
            .paged::<UserSort>(1000),
        Op::GetUser => reads::<user::User>(),
        Op::UpdateUser => reads::<user::User>().takes::<user::UserChange>(),
        Op::DeleteUser => deletes(),
        Op::GetMe => reads::<user::User>(),
        Op::UpdateMe => reads::<user::User>().takes::<user::ProfileChange>(),

        // machines
        Op::ListMachines => lists::<machine::Machine>()
            .word("status", MachineStatus::WORDS, "In this state")
            .word("criticality", Criticality::WORDS, "Of this criticality")
            .searched("With this text in name, location or description")
            .paged::<MachineSort>(1000),
        Op::CreateMachines => creates::<Vec<machine::Machine>>().takes::<Vec<bodies::NewMachine>>(),
        Op::MachineThresholds => reads::<machine::MachineThresholds>(),
        Op::SetMachineThresholds => {
            reads::<machine::MachineThresholds>().takes::<machine::ThresholdsByType>()
        }
        Op::PreviewMachineDeletion | Op::PreviewSensorDeletion => reads::<machine::DeletionPreview>(),
        Op::MachineReadingHistory => past::<sensor_data::SensorData, ReadingSort>("start_time", "end_time")
            .id("sensor_id", "Of this sensor"),
        Op::MachinePredictionHistory => {
            past::<prediction::Prediction, PredictionSort>("start_time", "end_time")
                .id("sensor_id", "Of this sensor")
        }
        Op::SensorHistory => past::<sensor_data::SensorData, ReadingSort>("start_time", "end_time"),
        Op::CreateMachine => creates::<machine::Machine>().takes::<bodies::NewMachine>(),
        Op::GetMachine => reads::<machine::Machine>(),
        Op::UpdateMachine => reads::<machine::Machine>().takes::<bodies::MachineChange>(),
        Op::DeleteMachine => deletes(),
        Op::MachineSummary => reads::<machine::MachineSummary>(),
        Op::MachinePredictions => {
            past::<prediction::MachinePrediction, PredictionSort>("start_time", "end_time")
                .id("sensor_id", "Of this sensor")
        }
        Op::MachineSensorData => {
            past::<sensor_data::MachineReading, ReadingSort>("start", "end").id("sensor_id", "Of this sensor")
        }

        // sensors
        Op::ListSensors => lists::<sensor::Sensor>()
            .ids("ids", 200, "These alone, as far as they exist")
            .id("machine_id", "Of this machine")
            .short("sensor_type", 200, "Of this type")
            .searched("With this text in name, type or the machine's name")
            .word("status", ReadingStatus::WORDS, "Whose newest reading is of this status")
            .paged::<SensorSort>(1000),
        Op::CreateSensor => creates::<sensor::Sensor>().takes::<bodies::NewSensor>(),
        Op::GetSensor => reads::<sensor::Sensor>(),
        Op::UpdateSensor => reads::<sensor::Sensor>().takes::<bodies::SensorChange>(),
        Op::DeleteSensor => deletes(),
        Op::SensorTrend => {
            ranged(reads::<sensor::Trend>()).integer("points", (1000, 2, 1000), "At most this many points")
        }
        Op::SensorTimeline => ranged(reads::<sensor::StatusTimeline>()).integer(
            "gap_seconds",
            (300, 1, 86_400),
            "Silence longer than this is no data",
        ),

        // sensor-data
        Op::ListSensorData | Op::SensorDataLogs => {
            past::<sensor_data::SensorData, ReadingSort>("start_date", "end_date")
                .id("sensor_id", "Of this sensor")
                .id("machine_id", "Of this machine")
        }
        Op::CreateSensorData => creates::<sensor_data::SensorData>()
            .takes::<sensor_data::NewReading>()
            .or::<sensor_data::SensorData>(200, "Just this reading was stored before")
            .refuses(409, "The sensor has another value at this time"),
        Op::CreateSensorDataBatch => creates::<ingest::BatchReport>().takes::<sensor_data::NewReadings>(),
        Op::ExportSensorData => sends("text/csv")
            .id("sensor_id", "Of this sensor")
            .id("machine_id", "Of this machine")
            .time("start_date", "Not earlier than this")
            .time("end_date", "Not later than this")
            .word(
                "resolution",
                &["raw", "1m", "1h", "auto"],
                "Readings or roll-ups; auto: the finest that is kept",
            ),
        Op::GenerateTestData => {
            reads::<sensor_data::TestData>().integer("count", (10, 1, 1000), "Batches of ten readings")
        }
        Op::TriggerFailure => reads::<sensor_data::FailureTriggered>().takes::<bodies::FailureTrigger>(),

        // predictions
        Op::ListPredictions => lists::<prediction::Prediction>()
            .id("sensor_id", "Of this sensor")
            .id("machine_id", "Of this machine")
            .word("status", PREDICTED, "Of this status")
            .between("start_time", "end_time")
            .paged::<PredictionSort>(200),
        Op::CreatePrediction => creates::<prediction::Prediction>()
            .takes::<prediction::NewPrediction>()
            .refuses(409, "There is a prediction of this sensor at this time"),
        Op::TriggerPredictions => lists::<prediction::Prediction>().takes::<prediction::TriggerPredictions>(),
        Op::ExportPredictions => sends("text/csv")
            .id("sensor_id", "Of this sensor")
            .id("machine_id", "Of this machine")
            .word("status", PREDICTED, "Of this status")
            .time("start_time", "Not earlier than this")
            .time("end_time", "Not later than this"),
        Op::GetPrediction => reads::<prediction::Prediction>(),
        Op::ExplainPrediction => reads::<prediction::Explained>(),

        // alarms
        Op::ListAlarms => {
            let words: Vec<_> = AlarmStatus::WORDS.iter().copied().chain(["active"]).collect();
            lists::<alarm::Alarm>()
                .word("status", &words, "In this state; active: open or acknowledged")
                .id("machine_id", "Of this machine")
                .id("sensor_id", "Of this sensor")
                .word("severity", Severity::WORDS, "Of this severity")
                .word("kind", AlarmKind::WORDS, "Raised by this")
                .word("verdict", Verdict::WORDS, "That were found to be this")
                .query("condition_active", boolean(), "Whose condition holds, or does not")
                .query("acknowledged", boolean(), "That somebody acknowledged, or nobody did")
                .query("shelved", boolean(), "That are shelved now, or are not")
                .time("start_date", "Raised at or after")
                .time("end_date", "Raised before")
                .searched("With this text in the message")
                .paged::<AlarmSort>(200)
        }
        Op::CreateAlarm => creates::<alarm::Alarm>().takes::<alarm::NewAlarm>(),
        Op::GetAlarm => reads::<alarm::Alarm>(),
        Op::UpdateAlarm => reads::<alarm::Alarm>().takes::<alarm::AlarmUpdate>(),
        Op::AcknowledgeAlarm => reads::<alarm::Alarm>(),
        Op::ResolveAlarm => reads::<alarm::Alarm>()
            .may_take::<alarm::AlarmResolution>()
            .short("resolution_notes", 4000, "What was found and done")
            .word("verdict", Verdict::WORDS, "What the cause turned out to be"),
        Op::ChangeAlarms => deletes()
            .takes::<alarm::AlarmBulk>()
            .text("ids", "The alarms, by commas; then the body is the payload alone, an array of one change"),
        Op::ShelveAlarm => reads::<alarm::Alarm>().takes::<alarm::AlarmShelving>(),
        Op::UnshelveAlarm => reads::<alarm::Alarm>(),
        Op::AlarmHistory => lists::<alarm::AlarmTransition>().paged::<HistorySort>(1000),
        Op::AlarmsOfPrediction => lists::<alarm::Alarm>().paged::<AlarmSort>(200),

        // attachments
        Op::UploadAttachment => stores()
            .word("resource_type", Resource::WORDS, "What it belongs to (general)")
            .id("resource_id", "The alarm or ticket"),
        Op::AttachToAlarm | Op::AttachToTicket => stores(),
        Op::ListAttachments => lists::<attachment::Attachment>()
            .word("resource_type", Resource::WORDS, "Belonging to things of this kind")
            .id("resource_id", "Belonging to this alarm or ticket")
            .id("uploaded_by", "Stored by this user")
            .paged::<AttachmentSort>(200),
        Op::AlarmAttachments | Op::TicketAttachments => {
            lists::<attachment::Attachment>().paged::<AttachmentSort>(200)
        }
        Op::GetAttachment => reads::<attachment::Attachment>(),
        Op::DownloadAttachment => sends("*/*"),
        Op::DeleteAttachment => deletes().refuses(403, "Not authorized to delete this attachment"),

        // comments
        Op::AlarmComments | Op::TicketComments => lists::<comment::Comment>().paged::<CommentSort>(1000),
        Op::CommentAlarm | Op::CommentTicket => creates::<comment::Comment>()
            .takes::<comment::NewComment>()
            .refuses(403, "Internal, and the caller may not read it"),
        Op::UpdateAlarmComment | Op::UpdateTicketComment => reads::<comment::Comment>()
            .takes::<comment::CommentUpdate>()
            .refuses(403, "Not authorized to change this comment"),
        Op::DeleteAlarmComment | Op::DeleteTicketComment => {
            deletes().refuses(403, "Not authorized to delete this comment")
        }

        // tickets
        Op::ListTickets => lists::<ticket::Ticket>()
            .words("status", TicketStatus::WORDS, "In one of these states")
            .word("priority", Priority::WORDS, "Of this urgency")
            .id("machine_id", "Of this machine")
            .id("alarm_id", "About this alarm")
            .short("assignee", 320, "Assigned to this address")
            .query("overdue", boolean(), "That should have ended and have not, or all others")
            .query("auto_created", boolean(), "Opened by the system, or by people")
            .time("start_date", "Opened at or after")
            .time("end_date", "Opened before")
            .searched("With this text in title or description")
            .paged::<TicketSort>(1000),
        Op::CreateTicket => creates::<ticket::Ticket>()
            .takes::<ticket::NewTicket>()
            .refuses(409, "The alarm has its automatic ticket already"),
        Op::GetTicket => reads::<ticket::Ticket>(),
        Op::UpdateTicket => reads::<ticket::Ticket>()
            .takes::<ticket::TicketUpdate>()
            .refuses(409, "Somebody else changed the ticket meanwhile"),
        Op::TicketHistory => lists::<ticket::TicketTransition>().paged::<HistorySort>(1000),

        // reports
        Op::GenerateReport => reads::<report::GeneratedReport>()
            .takes::<report::ReportRequest>()
            .refuses(404, "No such machine or sensor"),
        Op::ListReports => lists::<report::Report>()
            .word("format", report::ReportFormat::WORDS, "Of this format")
            .paged::<ReportSort>(100),
        Op::DownloadReport | Op::ReportFile => {
            report_file().refuses(403, "Invalid file path, or the role may not")
        }
        Op::DownloadReportById => report_file(),
        Op::DeleteReport => deletes(),
        Op::ListReportSchedules => lists::<report::ReportSchedule>().paged::<ReportScheduleSort>(100),
        Op::CreateReportSchedule => {
            creates::<report::ReportSchedule>().takes::<report::ReportScheduleRequest>()
        }
        Op::GetReportSchedule => reads::<report::ReportSchedule>(),
        Op::UpdateReportSchedule => {
            reads::<report::ReportSchedule>().takes::<report::ReportScheduleRequest>()
        }
        Op::DeleteReportSchedule => deletes(),
        Op::RunReports => reads::<report::ReportsRun>(),

        // dashboard
        Op::DashboardOverview => reads::<dashboard::Overview>(),
        Op::DashboardMachines => reads::<dashboard::MachineStats>(),
        Op::DashboardSensors => reads::<dashboard::Total>(),
        Op::SystemReset => reads::<sensor_data::ResetReport>(),
        Op::DashboardPredictions => {
            reads::<dashboard::PredictionStats>().integer("hours", (24, 1, 168), "Length of the period")
        }

        // roles, settings, jobs, audit
        Op::ListRoles => lists::<role::RoleDetail>().paged::<RoleSort>(1000),
        Op::CreateRole => creates::<role::RoleDetail>().takes::<role::NewRole>(),
        Op::GetRole => reads::<role::RoleDetail>(),
        Op::UpdateRole => reads::<role::RoleDetail>().takes::<role::RoleChange>(),
        Op::DeleteRole => deletes(),
        Op::ListRolePermissions => lists::<String>(),
        Op::AddRolePermissions | Op::SetRolePermissions => lists::<String>().takes::<role::Permissions>(),
        Op::ListSettings => {
            lists::<setting::Setting>().text("category", "Of this category").paged::<SettingSort>(1000)
        }
        Op::CreateSetting => creates::<setting::Setting>().takes::<setting::NewSetting>(),
        Op::GetSetting => {
            reads::<setting::Setting>().refuses(403, "A setting that is not public, for engineers and above")
        }
        Op::UpdateSetting => reads::<setting::Setting>().takes::<setting::SettingChange>(),
        Op::DeleteSetting => deletes(),
        Op::ListJobs => lists::<job::Job>()
            .word("job_type", JobType::WORDS, "Of this type")
            .word("status", JobStatus::WORDS, "In this state")
            .paged::<JobSort>(50),
        Op::CreateJob => creates::<job::Job>().takes::<job::NewJob>(),
        Op::GetJob => reads::<job::Job>(),
        Op::RetryJob => reads::<job::Job>().refuses(400, "job::Job is not in failed state"),
        Op::ListAuditLogs => lists::<audit::AuditEntry>()
            .id("user_id", "Done by this user")
            .short("action_type", 200, "What was done: create, update, delete, login, …")
            .short("resource_type", 200, "To which kind of thing")
            .short("resource_id", 200, "To which one")
            .time("start_date", "Not earlier than this")
            .time("end_date", "Not later than this")
            .searched("With this text anywhere in it")
            .paged::<AuditSort>(100),

        // webhooks, notifications
        Op::ListWebhooks => lists::<webhook::Webhook>()
            .query("is_active", json!({ "type": "boolean" }), "Those that are, or are not, delivered to")
            .paged::<WebhookSort>(1000),
        Op::CreateWebhook => creates::<webhook::Webhook>().takes::<webhook::WebhookRequest>(),
        Op::GetWebhook | Op::RotateWebhookSecret => reads::<webhook::Webhook>(),
        Op::UpdateWebhook => reads::<webhook::Webhook>().takes::<webhook::WebhookRequest>(),
        Op::DeleteWebhook => deletes(),
        Op::TestWebhook => reads::<webhook::TestResult>().or::<webhook::TestResult>(502, "It did not arrive"),
        Op::ListDeliveries => lists::<webhook::Delivery>()
            .word("status", &["pending", "delivered", "failed"], "In this state")
            .paged::<DeliverySort>(100),
        Op::GetDelivery => reads::<webhook::Delivery>(),
        Op::ReplayDelivery => accepts::<webhook::Delivery>().refuses(409, "The delivery is still pending"),
        Op::TestEmail => reads::<webhook::TestResult>()
            .may_take::<notification::TestEmailRequest>()
            .or::<webhook::TestResult>(400, "No mail server is configured")
            .or::<webhook::TestResult>(502, "The mail server did not take it"),
        Op::TestAddress => reads::<webhook::TestResult>()
            .takes::<notification::TestAddressRequest>()
            .or::<webhook::TestResult>(502, "It did not arrive"),
        Op::GetPreferences => reads::<notification::Preferences>(),
        Op::UpdatePreferences => {
            reads::<notification::Preferences>().takes::<notification::PreferencesChange>()
        }

        // events
        Op::EventStream | Op::RealtimeEvents => streams::<event::LiveEvent>("text/event-stream")
            .text("events", "Only these, e.g. alarm.*,ticket.created")
            .integer(
                "last_event_id",
                (0, 0, i64::MAX),
                "Resume after this event; the header Last-Event-ID wins",
            ),
        Op::StreamTicket => reads::<event::StreamTicket>(),
        Op::Updates => {
            Operation::default().refuses(426, "There is no WebSocket here; the body names the event stream")
        }

        // docs, metrics
        Op::OpenApi => reads::<serde_json::Value>(),
        Op::Docs | Op::Redoc => sends("text/html"),
        Op::DocsFile => sends("text/javascript").also("text/css"),
        Op::Metrics => sends("text/plain"),
        Op::MetricsJson => reads::<metrics::Metrics>(),

        // models
        Op::ListModels => lists::<ai::ModelVersion>().paged::<ModelSort>(500),
        Op::RegisterModel => reads::<ai::ModelRegistered>()
            .may_take::<ai::NewModel>()
            .short("name", 120, "Kind of model; here or in the body")
            .short("version", 120, "Version; here or in the body")
            .text("description", "For people")
            .text("path", "Where its files lie")
            .refuses(400, "Model version already registered"),
        Op::ModelReport => reads::<ai::ModelReport>(),
        Op::ActivateModel => reads::<ai::ModelChanged>()
            .query("force", json!({ "type": "boolean" }), "Even if it has not passed its validation")
            .refuses(400, "It has no weights, or has not passed its validation"),
        Op::RollbackModel => {
            reads::<ai::ModelChanged>().refuses(400, "It has no weights, or was never active")
        }
        Op::Retrain => reads::<ai::RetrainQueued>().may_take::<ai::RetrainRequest>(),
        Op::AiLogs => lists::<ai::AiLogLine>().paged::<AuditSort>(100),
        Op::Drift => lists::<ai::DriftReport>().paged::<DriftSort>(24),

        // for the bridge alone
        Op::Score => reads::<ingest::Scored>().takes_bytes("application/octet-stream"),
        Op::Ingest => reads::<ingest::BatchReport>().takes_bytes(ingest::BATCH_CONTENT_TYPE),
        Op::Tick => reads::<tick::TickAnswer>().takes::<tick::Tick>(),
        Op::ModelWork => reads::<ai::WorkDone>(),
        Op::Deliver => reads::<webhook::DeliverReport>().takes::<webhook::DeliverRequest>(),
        _ => return None,
    })
}

fn report_file() -> Operation {
    sends("text/csv")
        .also("application/pdf")
        .also("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
}

/// A list by time over a range.
fn past<T: schemars::JsonSchema, S: SortWord>(start: &'static str, end: &'static str) -> Operation {
    lists::<T>().time(start, "Not earlier than this").time(end, "Not later than this").paged::<S>(100)
}

/// Takes an interval up to now, or a range.
fn ranged(operation: Operation) -> Operation {
    operation
        .word("interval", INTERVALS, "How far back (24h), where start is not given")
        .time("start", "Begin of the range")
        .time("end", "Its end, now unless given; at most ten years later")
}

fn boolean() -> serde_json::Value {
    json!({ "type": "boolean" })
}

/// Stores a file.
fn stores() -> Operation {
    creates::<attachment::Attachment>()
        .takes_upload()
        .refuses(413, "Larger than attachments.max_bytes")
        .refuses(415, "The content is of no accepted type")
}
