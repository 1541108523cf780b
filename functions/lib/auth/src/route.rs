//! The table of routes. Paths are as documented; each is also served under `/api`.

use crate::access::{ADMIN, Access, ENGINEER, VIEWER};
use pm_api::Role;

/// One route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The operation it starts.
    pub op: Op,
    /// The component that serves it.
    pub component: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path; segments in braces are parameters.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it does, for people.
    pub summary: &'static str,
}

macro_rules! routes {
    ($($component:literal { $($(#[doc = $doc:literal])+ $op:ident: $method:ident $path:literal $access:expr;)* })*) => {
        /// The operations of the API. More may come: whoever matches on them has an arm for the others.
        #[non_exhaustive]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Op {
            $($($(#[doc = $doc])+ $op,)*)*
        }

        /// Every route of the system.
        pub const ROUTES: &[Route] = &[$($(Route {
            op: Op::$op,
            component: $component,
            method: stringify!($method),
            path: $path,
            access: $access,
            summary: concat!($($doc),+),
        },)*)*];
    };
}

routes! {
    "health" {
        /// Is the service there?
        Health: GET "/health" Access::Public;
        /// Does the process live?
        HealthLive: GET "/health/live" Access::Public;
        /// Can it serve (database reachable)?
        HealthReady: GET "/health/ready" Access::Public;
        /// State of every part.
        SystemStatus: GET "/status" Access::Public;
        /// State of broker and bridge.
        MqttStatus: GET "/mqtt/status" ENGINEER;
        /// State of the scorer.
        AiStatus: GET "/ai/status" VIEWER;
        /// Payloads that could not be read.
        ListDeadLetters: GET "/mqtt/dead-letters" ENGINEER;
    }
    "site" {
        /// What this is and where its parts are; a browser gets the page instead.
        SystemInformation: GET "/" Access::Public;
    }
    "auth" {
        /// Exchange mail address and password for tokens.
        Login: POST "/users/login" Access::Public;
        /// Exchange a refresh token for a new pair.
        Refresh: POST "/users/refresh" Access::Public;
        /// Revoke the login that a refresh token descends from.
        Logout: POST "/users/logout" Access::Token;
        /// Change one's own password.
        ChangePassword: POST "/users/change-password" Access::Token;
        /// Ask for a mail with a link to set a new password.
        RequestPasswordReset: POST "/users/password-reset/request" Access::Public;
        /// Set a new password with the token of such a link.
        ConfirmPasswordReset: POST "/users/password-reset/confirm" Access::Public;
        /// Create an account.
        CreateUser: POST "/users" Access::Registration;
        /// All accounts, newest first.
        ListUsers: GET "/users" ADMIN;
        /// One account.
        GetUser: GET "/users/{user_id}" ADMIN;
        /// Change an account: role, custom roles, name, password, active or not.
        UpdateUser: PATCH "/users/{user_id}" ADMIN;
        /// Delete an account.
        DeleteUser: DELETE "/users/{user_id}" ADMIN;
    }
    "users" {
        /// One's own account.
        GetMe: GET "/users/me" Access::Token;
        /// Change one's own name.
        UpdateMe: PATCH "/users/me" Access::Token;
    }
    "machines" {
        /// Machines, newest first.
        ListMachines: GET "/machines" Access::Token;
        /// Create a machine.
        CreateMachine: POST "/machines" ENGINEER;
        /// One machine.
        GetMachine: GET "/machines/{machine_id}" Access::Token;
        /// Change a machine.
        UpdateMachine: PATCH "/machines/{machine_id}" ENGINEER;
        /// Delete a machine with its sensors, readings, predictions, alarms and tickets.
        DeleteMachine: DELETE "/machines/{machine_id}" ENGINEER;
        /// A machine in short.
        MachineSummary: GET "/machines/{machine_id}/summary" Access::Token;
        /// Newest predictions of a machine.
        MachinePredictions: GET "/machines/{machine_id}/predictions" Access::Token;
        /// Newest readings of a machine.
        MachineSensorData: GET "/machines/{machine_id}/sensor-data" Access::Token;
        /// Create machines, all or none.
        CreateMachines: POST "/machines/bulk" ENGINEER;
        /// Thresholds for a machine's sensors, by sensor type.
        MachineThresholds: GET "/machines/{machine_id}/thresholds" Access::Token;
        /// Give a machine thresholds for its sensors that have none of their own.
        SetMachineThresholds: PATCH "/machines/{machine_id}/thresholds" ENGINEER;
        /// What deleting a machine would take along.
        PreviewMachineDeletion: GET "/machines/{machine_id}/deletion-preview" ENGINEER;
        /// Readings of a machine over a range.
        MachineReadingHistory: GET "/history/machines/{machine_id}/sensor-data" Access::Token;
        /// Predictions of a machine over a range.
        MachinePredictionHistory: GET "/history/machines/{machine_id}/predictions" Access::Token;
        /// Readings of a sensor over a range.
        SensorHistory: GET "/history/sensors/{sensor_id}" Access::Token;
    }
    "sensors" {
        /// Sensors, newest first.
        ListSensors: GET "/sensors" Access::Token;
        /// Create a sensor.
        CreateSensor: POST "/sensors" ENGINEER;
        /// One sensor.
        GetSensor: GET "/sensors/{sensor_id}" Access::Token;
        /// Change a sensor.
        UpdateSensor: PATCH "/sensors/{sensor_id}" ENGINEER;
        /// Delete a sensor with its readings, predictions and alarms.
        DeleteSensor: DELETE "/sensors/{sensor_id}" ENGINEER;
        /// Course of a sensor's values over an interval.
        SensorTrend: GET "/sensors/{sensor_id}/trend" Access::Token;
        /// Times in which a sensor was normal, warning, critical or silent.
        SensorTimeline: GET "/sensors/{sensor_id}/status-timeline" Access::Token;
        /// What deleting a sensor would take along.
        PreviewSensorDeletion: GET "/sensors/{sensor_id}/deletion-preview" ENGINEER;
    }
    "sensor-data" {
        /// Readings, filtered, in either order.
        ListSensorData: GET "/sensor-data" VIEWER;
        /// Readings, filtered, newest first.
        SensorDataLogs: GET "/sensor-data/logs" VIEWER;
        /// Store a reading.
        CreateSensorData: POST "/sensor-data" ENGINEER;
        /// Store readings, all or none.
        CreateSensorDataBatch: POST "/sensor-data/batch" ENGINEER;
        /// Readings or their roll-ups as CSV.
        ExportSensorData: GET "/sensor-data/export.csv" VIEWER;
        /// Make a test machine report readings.
        GenerateTestData: POST "/simulator/generate-test-data" ENGINEER;
        /// Make a machine report readings as if it failed.
        TriggerFailure: POST "/simulator/trigger-failure" ENGINEER;
    }
    "predictions" {
        /// Predictions, newest first.
        ListPredictions: GET "/predictions" Access::Token;
        /// One prediction.
        GetPrediction: GET "/predictions/{prediction_id}" Access::Token;
        /// Why a prediction was made.
        ExplainPrediction: GET "/predictions/{prediction_id}/explain" Access::Token;
        /// Judge a value that a sensor might report.
        CreatePrediction: POST "/predictions" ENGINEER;
        /// Judge now what a machine's sensors have reported.
        TriggerPredictions: POST "/predictions/trigger" ENGINEER;
        /// Predictions as CSV.
        ExportPredictions: GET "/predictions/export.csv" VIEWER;
    }
    "alarms" {
        /// Alarms, newest first.
        ListAlarms: GET "/alarms" Access::Token;
        /// Raise an alarm by hand.
        CreateAlarm: POST "/alarms" ENGINEER;
        /// One alarm.
        GetAlarm: GET "/alarms/{alarm_id}" Access::Token;
        /// Acknowledge or resolve an alarm.
        UpdateAlarm: PATCH "/alarms/{alarm_id}" ENGINEER;
        /// Acknowledge an alarm.
        AcknowledgeAlarm: POST "/alarms/{alarm_id}/acknowledge" ENGINEER;
        /// Resolve an alarm with notes and a verdict.
        ResolveAlarm: POST "/alarms/{alarm_id}/resolve" ENGINEER;
        /// Make one change to many alarms, or to none.
        ChangeAlarms: POST "/alarms/bulk" ENGINEER;
        /// Keep an alarm out of sight for a limited time.
        ShelveAlarm: POST "/alarms/{alarm_id}/shelve" ENGINEER;
        /// End the shelving of an alarm.
        UnshelveAlarm: DELETE "/alarms/{alarm_id}/shelve" ENGINEER;
        /// What happened to an alarm, oldest first.
        AlarmHistory: GET "/alarms/{alarm_id}/history" Access::Token;
        /// Alarms raised by a prediction.
        AlarmsOfPrediction: GET "/alarms/prediction/{prediction_id}" Access::Token;
    }
    "attachments" {
        /// Store a file (multipart form).
        UploadAttachment: POST "/attachments" Access::Token;
        /// Files, newest first.
        ListAttachments: GET "/attachments" Access::Token;
        /// One file's particulars.
        GetAttachment: GET "/attachments/{attachment_id}" Access::Token;
        /// A file itself.
        DownloadAttachment: GET "/attachments/{attachment_id}/download" Access::Token;
        /// Delete a file; one's own, or any as an administrator.
        DeleteAttachment: DELETE "/attachments/{attachment_id}" Access::Token;
        /// Attach a file to an alarm.
        AttachToAlarm: POST "/alarms/{alarm_id}/attachments" Access::Token;
        /// Files of an alarm, newest first.
        AlarmAttachments: GET "/alarms/{alarm_id}/attachments" Access::Token;
        /// Attach a file to a ticket.
        AttachToTicket: POST "/tickets/{ticket_id}/attachments" Access::Token;
        /// Files of a ticket, newest first.
        TicketAttachments: GET "/tickets/{ticket_id}/attachments" Access::Token;
    }
    "comments" {
        /// Comments on an alarm, newest first.
        AlarmComments: GET "/alarms/{alarm_id}/comments" Access::Token;
        /// Comment on an alarm.
        CommentAlarm: POST "/alarms/{alarm_id}/comments" Access::Token;
        /// Change a comment; one's own, or any as an administrator.
        UpdateAlarmComment: PATCH "/alarms/{alarm_id}/comments/{comment_id}" Access::Token;
        /// Delete a comment; one's own, or any as an administrator.
        DeleteAlarmComment: DELETE "/alarms/{alarm_id}/comments/{comment_id}" Access::Token;
        /// Comments on a ticket, newest first.
        TicketComments: GET "/tickets/{ticket_id}/comments" Access::Token;
        /// Comment on a ticket.
        CommentTicket: POST "/tickets/{ticket_id}/comments" Access::Token;
        /// Change a comment; one's own, or any as an administrator.
        UpdateTicketComment: PATCH "/tickets/{ticket_id}/comments/{comment_id}" Access::Token;
        /// Delete a comment; one's own, or any as an administrator.
        DeleteTicketComment: DELETE "/tickets/{ticket_id}/comments/{comment_id}" Access::Token;
    }
    "tickets" {
        /// Tickets, newest first.
        ListTickets: GET "/tickets" Access::Token;
        /// Open a ticket by hand.
        CreateTicket: POST "/tickets" ENGINEER;
        /// One ticket.
        GetTicket: GET "/tickets/{ticket_id}" Access::Token;
        /// Change a ticket: state, assignee, priority, due date, notes.
        UpdateTicket: PATCH "/tickets/{ticket_id}" ENGINEER;
        /// What happened to a ticket, oldest first.
        TicketHistory: GET "/tickets/{ticket_id}/history" Access::Token;
    }
    "reports" {
        /// Make a report.
        GenerateReport: POST "/reports/generate" VIEWER;
        /// Reports that the caller may read, newest first.
        ListReports: GET "/reports" VIEWER;
        /// The file of a report, by its name.
        DownloadReport: GET "/reports/download/{filename}" VIEWER;
        /// The file of a report, by its id.
        DownloadReportById: GET "/reports/{report_id}/download" VIEWER;
        /// The file of a report, by its name, as the old static folder gave it.
        ReportFile: GET "/reports/{report}" VIEWER;
        /// Remove a report, by its name or its id.
        DeleteReport: DELETE "/reports/{report}" VIEWER;
        /// Schedules of reports, newest first.
        ListReportSchedules: GET "/reports/schedules" ENGINEER;
        /// Create a schedule of reports.
        CreateReportSchedule: POST "/reports/schedules" ENGINEER;
        /// One schedule of reports.
        GetReportSchedule: GET "/reports/schedules/{schedule_id}" ENGINEER;
        /// Change a schedule of reports.
        UpdateReportSchedule: PATCH "/reports/schedules/{schedule_id}" ENGINEER;
        /// Remove a schedule of reports; its reports stay.
        DeleteReportSchedule: DELETE "/reports/schedules/{schedule_id}" ENGINEER;
        /// Make the scheduled reports that are due, and remove expired ones.
        RunReports: POST "/internal/reports" Access::Service;
    }
    "dashboard" {
        /// Counts for the overview.
        DashboardOverview: GET "/dashboard/overview" VIEWER;
        /// Machines by status and criticality.
        DashboardMachines: GET "/dashboard/machines/stats" VIEWER;
        /// Number of sensors.
        DashboardSensors: GET "/dashboard/sensors/stats" VIEWER;
        /// Predictions by class.
        DashboardPredictions: GET "/dashboard/predictions/stats" VIEWER;
        /// Delete all alarms and tickets.
        SystemReset: POST "/system/reset" ADMIN;
    }
    "roles" {
        /// Built-in and custom roles with what they permit.
        ListRoles: GET "/roles" ADMIN;
        /// Create a custom role.
        CreateRole: POST "/roles" ADMIN;
        /// One role.
        GetRole: GET "/roles/{role_id}" ADMIN;
        /// Change a custom role.
        UpdateRole: PATCH "/roles/{role_id}" ADMIN;
        /// Delete a custom role; whoever holds it loses what it permits.
        DeleteRole: DELETE "/roles/{role_id}" ADMIN;
        /// What a role permits.
        ListRolePermissions: GET "/roles/{role_id}/permissions" ADMIN;
        /// Add permissions to a custom role.
        AddRolePermissions: POST "/roles/{role_id}/permissions" ADMIN;
        /// Replace the permissions of a custom role.
        SetRolePermissions: PATCH "/roles/{role_id}/permissions" ADMIN;
    }
    "settings" {
        /// Settings: all of them for engineers, the public ones for everybody.
        ListSettings: GET "/settings" Access::Token;
        /// Add a setting of one's own.
        CreateSetting: POST "/settings" ADMIN;
        /// One setting; a public one for everybody.
        GetSetting: GET "/settings/{key}" Access::Token;
        /// Change a setting.
        UpdateSetting: PATCH "/settings/{key}" ADMIN;
        /// Remove a setting; one that the functions obey gets its default back.
        DeleteSetting: DELETE "/settings/{key}" ADMIN;
    }
    "jobs" {
        /// Jobs, newest first.
        ListJobs: GET "/jobs" ENGINEER;
        /// Ask for a job.
        CreateJob: POST "/jobs" ADMIN;
        /// One job.
        GetJob: GET "/jobs/{job_id}" ENGINEER;
        /// Put a failed job back to the start.
        RetryJob: POST "/jobs/{job_id}/retry" ADMIN;
    }
    "audit" {
        /// Who did what, newest first.
        ListAuditLogs: GET "/audit/logs" ADMIN;
    }
    "events" {
        /// Live events (SSE); the token may stand in the query, since browsers cannot set headers here.
        EventStream: GET "/ws/events/stream" Access::Stream;
        /// Live events under a second name.
        RealtimeEvents: GET "/realtime/events" Access::Stream;
        /// A ticket that opens an event stream, for the query.
        StreamTicket: POST "/realtime/ticket" Access::Token;
        /// Where the old WebSocket was: says where live events are.
        Updates: GET "/ws/updates" Access::Public;
    }
    "system-metrics" {
        /// Figures of the system for Prometheus.
        Metrics: GET "/metrics" Access::Metrics;
        /// The documented figures as JSON.
        MetricsJson: GET "/metrics/json" Access::Metrics;
    }
    "docs" {
        /// This document.
        OpenApi: GET "/openapi.json" Access::Public;
        /// The API to read and try, with Swagger UI.
        Docs: GET "/docs" Access::Public;
        /// A script or style sheet of the two pages.
        DocsFile: GET "/docs/{file}" Access::Public;
        /// The API to read, with Redoc.
        Redoc: GET "/redoc" Access::Public;
    }
    "webhooks" {
        /// Webhooks, newest first.
        ListWebhooks: GET "/webhooks" ENGINEER;
        /// Create a webhook.
        CreateWebhook: POST "/webhooks" ADMIN;
        /// One webhook.
        GetWebhook: GET "/webhooks/{webhook_id}" ENGINEER;
        /// Change a webhook.
        UpdateWebhook: PATCH "/webhooks/{webhook_id}" ADMIN;
        /// Delete a webhook with its delivery log.
        DeleteWebhook: DELETE "/webhooks/{webhook_id}" ADMIN;
        /// Make a new secret; the former one is valid for a day more.
        RotateWebhookSecret: POST "/webhooks/{webhook_id}/rotate-secret" ADMIN;
        /// Send a test event now.
        TestWebhook: POST "/webhooks/{webhook_id}/test" ENGINEER;
        /// What was sent to a webhook, newest first.
        ListDeliveries: GET "/webhooks/{webhook_id}/deliveries" ENGINEER;
        /// One delivery.
        GetDelivery: GET "/webhooks/{webhook_id}/deliveries/{delivery_id}" ENGINEER;
        /// Send an event once more.
        ReplayDelivery: POST "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay" ENGINEER;
    }
    "notifications" {
        /// Send a test mail now.
        TestEmail: POST "/notifications/test-email" ADMIN;
        /// Send a test event to an address now.
        TestAddress: POST "/notifications/test-webhook" ENGINEER;
        /// Which mails one gets.
        GetPreferences: GET "/notifications/preferences" Access::Token;
        /// Choose which mails one gets.
        UpdatePreferences: PATCH "/notifications/preferences" Access::Token;
    }
    "ingest" {
        /// Store a batch of readings.
        Ingest: POST "/internal/ingest" Access::Service;
        /// Score sensors, or a value that one of them might report.
        Score: POST "/internal/score" Access::Service;
    }
    "models" {
        /// Versions of the models, newest first.
        ListModels: GET "/ai/models" ENGINEER;
        /// Register a version.
        RegisterModel: POST "/ai/models" ADMIN;
        /// Examination of a version, and what it said in the shadow.
        ModelReport: GET "/ai/models/{version}/report" ENGINEER;
        /// Let a version judge from now on.
        ActivateModel: POST "/ai/models/{version}/activate" ADMIN;
        /// Go back to a version that judged before.
        RollbackModel: POST "/ai/models/{version}/rollback" ADMIN;
        /// Queue a job that trains a version on stored readings.
        Retrain: POST "/ai/retrain" ADMIN;
        /// What was done with models, newest first.
        AiLogs: GET "/ai/logs" ENGINEER;
        /// How far features have moved from those learned from.
        Drift: GET "/ai/drift" ENGINEER;
        /// Do what is due: train for a job, measure drift.
        ModelWork: POST "/internal/models/work" Access::Service;
    }
    "notifier" {
        /// The clock: one tick a second.
        Tick: POST "/internal/tick" Access::Service;
        /// Send what is due to webhooks.
        Deliver: POST "/internal/deliver" Access::Service;
    }
}

impl Route {
    /// May a signed-in user with this built-in role and these permissions of custom roles use the route?
    #[must_use]
    pub fn allows(&self, role: Role, permissions: &[String]) -> bool {
        self.access.allows(role)
            || (!permissions.is_empty()
                && crate::permission::of(self).is_some_and(|needed| permissions.contains(&needed)))
    }
}

/// Parameters of a matched path, in the order of the path.
pub type PathParams<'p> = Vec<(&'static str, &'p str)>;

/// What a request's method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub enum Match<'p> {
    /// A route.
    Found(&'static Route, PathParams<'p>),
    /// The path is known, the method is not.
    OtherMethod(Vec<&'static str>),
    /// No such path.
    Unknown,
}

/// Finds the route for a method and path. A leading `/api` and a trailing slash are ignored. A fixed segment wins
/// over a parameter (`/users/me` over `/users/{user_id}`).
#[must_use]
pub fn find<'p>(method: &str, path: &'p str) -> Match<'p> {
    let path = strip_api(path);
    let matching: Vec<_> =
        ROUTES.iter().filter_map(|route| matches(route.path, path).map(|params| (route, params))).collect();
    // what a fixed path does not know is not looked for among ids
    let fewest = matching.iter().map(|(_, params)| params.len()).min();
    let mut methods = Vec::new();
    for (route, params) in matching {
        if Some(params.len()) == fewest {
            if route.method == method {
                return Match::Found(route, params);
            }
            methods.push(route.method);
        }
    }
    if methods.is_empty() { Match::Unknown } else { Match::OtherMethod(methods) }
}

/// The path without a leading `/api`.
#[must_use]
pub fn strip_api(path: &str) -> &str {
    match path.strip_prefix("/api") {
        Some("") => "/",
        Some(rest) if rest.starts_with('/') => rest,
        _ => path,
    }
}

fn matches<'p>(pattern: &'static str, path: &'p str) -> Option<PathParams<'p>> {
    // every pattern begins with a fixed segment, and most with another letter
    if pattern.as_bytes().get(1) != path.as_bytes().get(1) {
        return None;
    }
    let mut params = Vec::new();
    let mut segments = path.trim_end_matches('/').split('/');
    for expected in pattern.split('/') {
        let given = segments.next()?;
        match expected.strip_prefix('{').and_then(|e| e.strip_suffix('}')) {
            Some(name) if !given.is_empty() => params.push((name, given)),
            None if expected == given => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn op(method: &str, path: &str) -> Option<Op> {
        match find(method, path) {
            Match::Found(route, _) => Some(route.op),
            _ => None,
        }
    }

    #[test]
    fn routing() {
        assert_eq!(op("GET", "/machines"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/machines/"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/api/machines"), Some(Op::ListMachines));
        assert_eq!(op("GET", "/users/me"), Some(Op::GetMe));
        assert_eq!(op("GET", "/apimachines"), None);
        assert_eq!(find("GET", "/machines/x/y/z"), Match::Unknown);
        assert_eq!(find("PUT", "/health"), Match::OtherMethod(vec!["GET"]));
        assert_eq!(find("DELETE", "/users/refresh"), Match::OtherMethod(vec!["POST"]));
        let Match::Found(_, params) = find("GET", "/alarms/prediction/7") else { panic!("not found") };
        assert_eq!(params, [("prediction_id", "7")]);
    }

    #[test]
    fn no_two_routes_are_the_same() {
        for (i, a) in ROUTES.iter().enumerate() {
            assert!(!a.path.starts_with("/{"), "{}", a.path);
            for b in &ROUTES[..i] {
                assert!(a.method != b.method || a.path != b.path, "{} {}", a.method, a.path);
                assert_ne!(a.op, b.op);
                // the host routes by path alone
                assert!(a.path != b.path || a.component == b.component, "{}", a.path);
            }
        }
    }

    #[test]
    fn only_these_routes_are_open() {
        let open: Vec<_> = ROUTES.iter().filter(|r| r.access == Access::Public).map(|r| r.path).collect();
        assert_eq!(
            open,
            [
                "/health",
                "/health/live",
                "/health/ready",
                "/status",
                "/",
                "/users/login",
                "/users/refresh",
                "/users/password-reset/request",
                "/users/password-reset/confirm",
                "/ws/updates",
                "/openapi.json",
                "/docs",
                "/docs/{file}",
                "/redoc"
            ]
        );
    }
}
