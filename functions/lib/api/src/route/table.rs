//! The table of routes. Paths are as documented; each is also served under `/api`.
//!
//! A row reads: name of the operation, method, path, access, `query` (parameters besides those of a list), `body`, `=>` answer,
//! `refuses` (what the types do not tell). The sentence above it is its summary. To add a route, add a row here and a
//! handler to the component: docs/add-a-route.md.

use super::{
    Operation, Route,
    access::{ADMIN, ENGINEER, METRICS, PUBLIC, REGISTRATION, SERVICE, STREAM, TOKEN, VIEWER},
    operation::{
        self, Accepted, Attempt, Bytes, Created, CreatedOrKept, Download, Form, Json, Lines, List, Message,
        NoBody, NoContent, NoQuery, OptionalJson, Partial, Probe, SignIn, Upload,
    },
};
use crate::{
    ai, alarm, alarm_rule, api_key, attachment, audit, backtest, comment, dashboard, escalation, event,
    import, ingest,
    input::{ByName, Many},
    job, machine, maintenance, mapping, metrics, notification, on_call, prediction, reference, report, role,
    second_factor, sensor, sensor_data, session, setting, sign_in,
    sort::{
        AlarmNoticeSort, AlarmRuleSort, AlarmSort, ApiKeySort, AttachmentSort, AuditSort, BacktestSort,
        CommentSort, DeadLetterSort, DeliverySort, DriftSort, EscalationChainSort, HistorySort, JobSort,
        MachineSort, MaintenanceWindowSort, MappingSort, ModelSort, NoticeChannelSort, OnCallScheduleSort,
        PredictionSort, ReadingSort, ReportScheduleSort, ReportSort, RoleSort, SensorSort, SessionSort,
        SettingSort, SuppressedSort, TicketSort, UserSort, WaveformSort, WebhookSort,
    },
    status, tick, ticket, user, vibration, webhook,
};

/// The first of some types.
macro_rules! first {
    ($first:ty $(, $other:ty)*) => {
        $first
    };
}

macro_rules! routes {
    (($d:tt) $($component:literal { $(
        $(#[doc = $doc:literal])+
        $op:ident: $method:ident $path:literal $access:ident $(, query $query:ty)? $(, body $body:ty)? => $answer:ty
        $(, refuses $status:literal $reason:literal)*;
    )* })*) => {
        /// The operations of the API.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Op {
            $($($(#[doc = $doc])+ $op,)*)*
        }

        /// A type for each operation, which tells what it takes and gives.
        pub mod op {
            $($($(#[doc = $doc])+ #[derive(Debug, Clone, Copy)] pub struct $op;)*)*
        }

        $($(impl Operation for op::$op {
            const OP: Op = Op::$op;
            type Query = first!($($query,)? NoQuery);
            type Body = first!($($body,)? NoBody);
            type Answer = $answer;
        })*)*

        /// Every route of the system, in the order of [`Op`].
        pub const ROUTES: &[Route] = &[$($(Route {
            op: Op::$op,
            component: $component,
            method: stringify!($method),
            path: $path,
            access: $access,
            summary: concat!($($doc),+),
            refusals: &[$(($status, $reason)),*],
        },)*)*];

        /// Calls a macro with the name of every operation.
        #[macro_export]
        macro_rules! for_each_operation {
            ($d callback:ident) => { $d callback! { $($($op)*)* } };
        }
    };
}

impl Op {
    /// Its row of the table.
    #[must_use]
    pub fn route(self) -> &'static Route {
        &ROUTES[self as usize]
    }

    /// May it be used by a person who has to choose a password, or set up a second factor, before anything else?
    #[must_use]
    pub fn is_open_while_restricted(self) -> bool {
        matches!(
            self,
            Self::GetMe
                | Self::Logout
                | Self::ChangePassword
                | Self::GetSecondFactor
                | Self::BeginSecondFactor
                | Self::ConfirmSecondFactor
                | Self::MySessions
                | Self::EndMySessions
                | Self::EndMySession
        )
    }
}

routes! { ($)
    "health" {
        /// Is the service there?
        Health: GET "/health" PUBLIC => Json<status::Health>;
        /// Does the process live?
        HealthLive: GET "/health/live" PUBLIC => Json<status::Liveness>;
        /// Can it serve (database reachable)?
        HealthReady: GET "/health/ready" PUBLIC => Probe<status::Readiness>;
        /// State of every part.
        SystemStatus: GET "/status" PUBLIC => Json<status::SystemStatus>;
        /// State of broker and bridge; the bridge's counters are for engineers.
        MqttStatus: GET "/mqtt/status" VIEWER => Json<status::MqttOverview>;
        /// State of the scorer.
        AiStatus: GET "/ai/status" VIEWER => Json<ai::AiStatus>;
    }
    "mappings" {
        /// All mappings of payloads.
        ListMappings: GET "/mappings" ENGINEER => List<mapping::Mapping, MappingSort, 1000>;
        /// Say where machine, sensor and value stand in the payloads of a topic.
        CreateMapping: POST "/mappings" ENGINEER, body Json<mapping::NewMapping> => Created<mapping::Mapping>;
        /// What a payload gives by a mapping, or by those in force, and why values fall out. Nothing is stored.
        PreviewMapping: POST "/mappings/preview" ENGINEER, body Json<mapping::PreviewRequest> => Json<mapping::Preview>;
        /// One mapping.
        GetMapping: GET "/mappings/{mapping_id}" ENGINEER => Json<mapping::Mapping>;
        /// Change a mapping; the bridge takes it up within seconds.
        UpdateMapping: PATCH "/mappings/{mapping_id}" ENGINEER, body Json<mapping::MappingChange> => Json<mapping::Mapping>;
        /// Delete a mapping.
        DeleteMapping: DELETE "/mappings/{mapping_id}" ENGINEER => NoContent;
        /// Payloads that could not be read.
        ListDeadLetters: GET "/mqtt/dead-letters" ENGINEER => List<status::DeadLetter, DeadLetterSort, 100>;
        /// The same by topic and reason, at most 200 of them, the newest first.
        DeadLetterGroups: GET "/mqtt/dead-letters/groups" ENGINEER => Json<Vec<status::DeadLetterGroup>>;
        /// Remove the dead letters of a topic with this reason.
        DeleteDeadLetters: DELETE "/mqtt/dead-letters" ENGINEER, query status::DeadLetterCause => NoContent,
            refuses 404 "No dead letter of this topic has this reason";
        /// Read the payloads of dead letters again, with the mappings that are in force now, and store their values. At most 100
        /// dead letters; what is stored already stays as it is.
        ReplayDeadLetters: POST "/mqtt/dead-letters/replay" ENGINEER, body Json<status::DeadLetterReplay> => Json<status::ReplayReport>;
        /// Begin an import of history. Its parts are sent next; nothing is stored before it is started.
        CreateImport: POST "/imports" ENGINEER, body Json<import::NewImport> => Created<import::Import>;
        /// An import, and how far it has come.
        GetImport: GET "/imports/{import_id}" ENGINEER => Json<import::Import>;
        /// Send a part of an import: lines of CSV. The same number again replaces it.
        PutImportPart: PUT "/imports/{import_id}/parts/{number}" ENGINEER, body Lines => NoContent,
            refuses 409 "The import was started";
        /// Have the parts stored by a job, in the order of their numbers. Sent again, it tells the same job.
        StartImport: POST "/imports/{import_id}/start" ENGINEER => Json<import::Import>,
            refuses 409 "The import has no parts";
        /// Delete an import that was not started, or is done. What it stored stays.
        DeleteImport: DELETE "/imports/{import_id}" ENGINEER => NoContent,
            refuses 409 "Its job is not done";
        /// Store the next parts of imports.
        WorkOnImports: POST "/internal/imports/work" SERVICE => Json<import::ImportWork>;
    }
    "site" {
        /// What this is and where its parts are; a browser gets the page instead.
        SystemInformation: GET "/" PUBLIC => operation::JsonOrPage<status::SystemInformation>;
    }
    "auth" {
        /// Exchange mail address and password for tokens.
        Login: POST "/users/login" PUBLIC, body Form<user::LoginForm> => SignIn<user::TokenPair>,
            refuses 401 "Invalid credentials; or the account has a second factor and its code is missing or not good (`second_factor_required` is true in the body)",
            refuses 429 "Too many failed attempts; retry-after says when to try again";
        /// Identity providers by which people may sign in.
        ListSignInProviders: GET "/users/sign-in/providers" PUBLIC => Json<Vec<sign_in::SignInProvider>>;
        /// Begin to sign in by an identity provider.
        BeginSignIn: POST "/users/sign-in/providers/{provider}" PUBLIC => Json<sign_in::SignInBegun>,
            refuses 404 "There is no such provider",
            refuses 502 "The provider gives no answer that can be used";
        /// Exchange what an identity provider has sent with the browser for tokens.
        CompleteSignIn: POST "/users/sign-in" PUBLIC, body Json<sign_in::SignInCompletion> => SignIn<user::TokenPair>,
            refuses 401 "The sign-in was begun elsewhere, is too old or was completed before; or the provider's answer is not to be trusted",
            refuses 403 "The person has no account here, or none that this provider may open",
            refuses 429 "Too many failed attempts; retry-after says when to try again",
            refuses 502 "The provider gives no answer that can be used";
        /// Exchange a refresh token for a new pair.
        Refresh: POST "/users/refresh" PUBLIC, body Json<user::RefreshRequest> => Json<user::TokenPair>,
            refuses 401 "Invalid or expired refresh token";
        /// Revoke the login that a refresh token descends from.
        Logout: POST "/users/logout" TOKEN, body Json<user::RefreshRequest> => Json<user::Message>;
        /// Change one's own password.
        ChangePassword: POST "/users/change-password" TOKEN, body Json<user::PasswordChange> => Json<user::Message>;
        /// Ask for a mail with a link to set a new password.
        RequestPasswordReset: POST "/users/password-reset/request" PUBLIC, body Json<user::PasswordResetRequest> => Json<user::Message>,
            refuses 429 "Too many requests from this address; retry-after says when to try again";
        /// Set a new password with the token of such a link.
        ConfirmPasswordReset: POST "/users/password-reset/confirm" PUBLIC, body Json<user::PasswordResetConfirm> => Json<user::Message>,
            refuses 400 "The token is unknown, spent or expired",
            refuses 429 "Too many failed attempts; retry-after says when to try again";
        /// Create an account.
        CreateUser: POST "/users" REGISTRATION, body Json<user::NewUser> => Created<user::User>;
        /// All accounts, newest first.
        ListUsers: GET "/users" ADMIN, query user::UserFilter => List<user::User, UserSort, 1000>;
        /// One account.
        GetUser: GET "/users/{user_id}" ADMIN => Json<user::User>;
        /// Change an account: role, custom roles, name, password, active or not.
        UpdateUser: PATCH "/users/{user_id}" ADMIN, body Json<user::UserChange> => Json<user::User>;
        /// Delete an account.
        DeleteUser: DELETE "/users/{user_id}" ADMIN => NoContent;
        /// Mail the invitation to an account without a password again.
        InviteUser: POST "/users/{user_id}/invitation" ADMIN => NoContent,
            refuses 409 "The account has a password, or is one of programs";
        /// Where one is signed in.
        MySessions: GET "/users/me/sessions" TOKEN => List<session::Session, SessionSort, 100>;
        /// End one's own sessions.
        EndMySessions: DELETE "/users/me/sessions" TOKEN, query session::EndSessions => Json<session::SessionsEnded>;
        /// End one of one's own sessions.
        EndMySession: DELETE "/users/me/sessions/{session_id}" TOKEN => NoContent;
        /// Where an account is signed in.
        UserSessions: GET "/users/{user_id}/sessions" ADMIN => List<session::Session, SessionSort, 100>;
        /// End all sessions of an account.
        EndUserSessions: DELETE "/users/{user_id}/sessions" ADMIN => Json<session::SessionsEnded>;
        /// End a session of an account.
        EndUserSession: DELETE "/users/{user_id}/sessions/{session_id}" ADMIN => NoContent;
        /// One's own API keys.
        MyApiKeys: GET "/users/me/api-keys" TOKEN => List<api_key::ApiKey, ApiKeySort, 100>;
        /// Make an API key for oneself; it is shown this once.
        CreateMyApiKey: POST "/users/me/api-keys" TOKEN, body Json<api_key::NewApiKey> => Created<api_key::NewApiKeyShown>;
        /// End one of one's own API keys.
        EndMyApiKey: DELETE "/users/me/api-keys/{key_id}" TOKEN => NoContent;
        /// API keys of an account.
        UserApiKeys: GET "/users/{user_id}/api-keys" ADMIN => List<api_key::ApiKey, ApiKeySort, 100>;
        /// Make an API key for an account of programs; it is shown this once.
        CreateUserApiKey: POST "/users/{user_id}/api-keys" ADMIN, body Json<api_key::NewApiKey> => Created<api_key::NewApiKeyShown>,
            refuses 409 "People make their own API keys";
        /// End an API key of an account.
        EndUserApiKey: DELETE "/users/{user_id}/api-keys/{key_id}" ADMIN => NoContent;
        /// Has one's own account a second factor?
        GetSecondFactor: GET "/users/me/second-factor" TOKEN => Json<second_factor::SecondFactor>;
        /// Begin to set up a second factor.
        BeginSecondFactor: POST "/users/me/second-factor" TOKEN, body Json<second_factor::CurrentPassword> => Json<second_factor::SecondFactorSecret>,
            refuses 409 "The account has a second factor";
        /// Finish it with a first code; gives recovery codes.
        ConfirmSecondFactor: POST "/users/me/second-factor/confirm" TOKEN, body Json<second_factor::SecondFactorCode> => Json<second_factor::RecoveryCodes>,
            refuses 409 "There is nothing to confirm";
        /// Remove one's own second factor.
        RemoveSecondFactor: POST "/users/me/second-factor/remove" TOKEN, body Json<second_factor::CurrentPassword> => NoContent;
        /// Remove the second factor of an account, whose person has lost the device.
        RemoveUserSecondFactor: DELETE "/users/{user_id}/second-factor" ADMIN => NoContent;
    }
    "users" {
        /// One's own account.
        GetMe: GET "/users/me" TOKEN => Json<user::User>;
        /// Change one's own name.
        UpdateMe: PATCH "/users/me" TOKEN, body Json<user::ProfileChange> => Json<user::User>;
    }
    "machines" {
        /// Machines, newest first.
        ListMachines: GET "/machines" TOKEN, query machine::MachineFilter => List<machine::Machine, MachineSort, 1000>;
        /// Create a machine.
        CreateMachine: POST "/machines" ENGINEER, body Json<machine::NewMachine> => Created<machine::Machine>;
        /// One machine.
        GetMachine: GET "/machines/{machine_id}" TOKEN => Json<machine::Machine>;
        /// Change a machine.
        UpdateMachine: PATCH "/machines/{machine_id}" ENGINEER, body Json<machine::MachineChange> => Json<machine::Machine>;
        /// Change a machine as `PATCH` does, for older clients.
        PutMachine: PUT "/machines/{machine_id}" ENGINEER, body Json<machine::MachineChange> => Json<machine::Machine>;
        /// Delete a machine with its sensors, readings, predictions, alarms and tickets.
        DeleteMachine: DELETE "/machines/{machine_id}" ENGINEER => NoContent;
        /// A machine in short.
        MachineSummary: GET "/machines/{machine_id}/summary" TOKEN => Json<machine::MachineSummary>;
        /// Newest predictions of a machine.
        MachinePredictions: GET "/machines/{machine_id}/predictions" TOKEN, query machine::MachineHistoryFilter => List<prediction::MachinePrediction, PredictionSort, 100>;
        /// Alarms of a machine, newest first.
        MachineAlarms: GET "/machines/{machine_id}/alarms" TOKEN => List<alarm::Alarm, AlarmSort, 100>;
        /// Newest readings of a machine.
        MachineSensorData: GET "/machines/{machine_id}/sensor-data" TOKEN, query machine::MachineReadingFilter => List<sensor_data::MachineReading, ReadingSort, 100>;
        /// Create machines, all or none.
        CreateMachines: POST "/machines/bulk" ENGINEER, body Json<Many<machine::NewMachine, 1, 1000>> => Created<Vec<machine::Machine>>;
        /// Thresholds for a machine's sensors, by sensor type.
        MachineThresholds: GET "/machines/{machine_id}/thresholds" TOKEN => Json<machine::MachineThresholds>;
        /// Give a machine thresholds for its sensors that have none of their own.
        SetMachineThresholds: PATCH "/machines/{machine_id}/thresholds" ENGINEER, body Json<ByName<sensor::Thresholds>> => Json<machine::MachineThresholds>;
        /// What deleting a machine would take along.
        PreviewMachineDeletion: GET "/machines/{machine_id}/deletion-preview" ENGINEER => Json<machine::DeletionPreview>;
        /// What each sensor of a machine shows beside its healthy reference.
        MachineReferences: GET "/machines/{machine_id}/references" TOKEN => Json<Vec<reference::SensorReference>>;
        /// Start the healthy references of all sensors of a machine anew, after an overhaul.
        RestartMachineReferences: POST "/machines/{machine_id}/references/restart" ENGINEER, body Json<reference::RestartReference> => Created<reference::ReferenceRestart>;
        /// Readings of a machine over a range.
        MachineReadingHistory: GET "/history/machines/{machine_id}/sensor-data" TOKEN, query machine::MachineHistoryFilter => List<sensor_data::SensorData, ReadingSort, 100>;
        /// Predictions of a machine over a range.
        MachinePredictionHistory: GET "/history/machines/{machine_id}/predictions" TOKEN, query machine::MachineHistoryFilter => List<prediction::Prediction, PredictionSort, 100>;
        /// Readings of a sensor over a range.
        SensorHistory: GET "/history/sensors/{sensor_id}" TOKEN, query sensor::SensorHistoryFilter => List<sensor_data::SensorData, ReadingSort, 100>;
    }
    "sensors" {
        /// Sensors, newest first.
        ListSensors: GET "/sensors" TOKEN, query sensor::SensorFilter => List<sensor::Sensor, SensorSort, 1000>;
        /// Create a sensor.
        CreateSensor: POST "/sensors" ENGINEER, body Json<sensor::NewSensor> => Created<sensor::Sensor>;
        /// One sensor.
        GetSensor: GET "/sensors/{sensor_id}" TOKEN => Json<sensor::Sensor>;
        /// Change a sensor.
        UpdateSensor: PATCH "/sensors/{sensor_id}" ENGINEER, body Json<sensor::SensorChange> => Json<sensor::Sensor>;
        /// Change a sensor as `PATCH` does, for older clients.
        PutSensor: PUT "/sensors/{sensor_id}" ENGINEER, body Json<sensor::SensorChange> => Json<sensor::Sensor>;
        /// Delete a sensor with its readings, predictions and alarms.
        DeleteSensor: DELETE "/sensors/{sensor_id}" ENGINEER => NoContent;
        /// Course of a sensor's values over an interval.
        SensorTrend: GET "/sensors/{sensor_id}/trend" TOKEN, query sensor::TrendQuery => Json<sensor::Trend>;
        /// Times in which a sensor was normal, warning, critical or silent.
        SensorTimeline: GET "/sensors/{sensor_id}/status-timeline" TOKEN, query sensor::TimelineQuery => Json<sensor::StatusTimeline>;
        /// Start the healthy reference of a sensor anew, after it was replaced.
        RestartSensorReference: POST "/sensors/{sensor_id}/reference/restart" ENGINEER, body Json<reference::RestartReference> => Created<reference::ReferenceRestart>;
        /// What deleting a sensor would take along.
        PreviewSensorDeletion: GET "/sensors/{sensor_id}/deletion-preview" ENGINEER => Json<machine::DeletionPreview>;
    }
    "vibration" {
        /// Store a burst of vibration samples; it is analysed at once, and its features become readings.
        CreateWaveform: POST "/sensors/{sensor_id}/waveforms" ENGINEER, body Json<vibration::NewWaveform> => CreatedOrKept<vibration::Waveform>,
            refuses 409 "The sensor has another burst at this time";
        /// Bursts of a sensor, newest first, without their samples.
        ListWaveforms: GET "/sensors/{sensor_id}/waveforms" TOKEN => List<vibration::Waveform, WaveformSort, 100>;
        /// The course of a burst, reduced for a picture.
        WaveformCurve: GET "/sensors/{sensor_id}/waveforms/{waveform_id}/curve" TOKEN, query vibration::PointsQuery => Json<vibration::WaveformCurve>;
        /// The amplitude spectrum of a burst, with the frequencies of the machine's elements.
        WaveformSpectrum: GET "/sensors/{sensor_id}/waveforms/{waveform_id}/spectrum" TOKEN, query vibration::SpectrumQuery => Json<vibration::VibrationSpectrum>;
        /// The envelope spectrum of a burst in its most impulsive band.
        WaveformEnvelope: GET "/sensors/{sensor_id}/waveforms/{waveform_id}/envelope" TOKEN, query vibration::PointsQuery => Json<vibration::VibrationSpectrum>;
        /// The diagnosis of a burst with the elements that the machine has now.
        WaveformDiagnosis: GET "/sensors/{sensor_id}/waveforms/{waveform_id}/diagnosis" TOKEN => Json<vibration::VibrationDiagnosis>;
        /// Bearings, gears, blades and belts of a machine, with the orders at which they show.
        MachineElements: GET "/machines/{machine_id}/elements" TOKEN => Json<Vec<vibration::MachineElement>>;
        /// Say which bearings, gears, blades and belts a machine has; replaces what was said before.
        PutMachineElements: PUT "/machines/{machine_id}/elements" ENGINEER, body Json<vibration::NewElements> => Json<Vec<vibration::MachineElement>>;
        /// Bearings whose inner geometry is published.
        ListKnownBearings: GET "/bearings" TOKEN => Json<Vec<vibration::KnownBearing>>;
    }
    "sensor-data" {
        /// Readings, filtered, in either order.
        ListSensorData: GET "/sensor-data" VIEWER, query sensor_data::ReadingFilter => List<sensor_data::SensorData, ReadingSort, 100>;
        /// Readings, filtered, newest first.
        SensorDataLogs: GET "/sensor-data/logs" VIEWER, query sensor_data::ReadingFilter => List<sensor_data::SensorData, ReadingSort, 100>;
        /// Store a reading.
        CreateSensorData: POST "/sensor-data" ENGINEER, body Json<sensor_data::NewReading> => CreatedOrKept<sensor_data::SensorData>,
            refuses 409 "The sensor has another value at this time";
        /// Store readings, all or none.
        CreateSensorDataBatch: POST "/sensor-data/batch" ENGINEER, body Json<sensor_data::NewReadings> => Created<ingest::BatchReport>;
        /// Store values in Influx line protocol, as InfluxDB 2 takes them.
        WriteLines: POST "/v2/write" ENGINEER, query sensor_data::WriteQuery, body Lines => Partial<sensor_data::WriteProblem>,
            refuses 415 "The body is packed in another way than gzip";
        /// Store values in Influx line protocol, as InfluxDB 1 takes them.
        WriteLinesV1: POST "/write" ENGINEER, query sensor_data::WriteQuery, body Lines => Partial<sensor_data::WriteProblem>,
            refuses 415 "The body is packed in another way than gzip";
        /// Readings or their roll-ups as CSV.
        ExportSensorData: GET "/sensor-data/export.csv" VIEWER, query sensor_data::ReadingExport => Download<operation::Csv>;
        /// Make a test machine report readings.
        GenerateTestData: POST "/simulator/generate-test-data" ENGINEER, query sensor_data::TestDataQuery => Json<sensor_data::TestData>;
        /// Make a machine report readings as if it failed.
        TriggerFailure: POST "/simulator/trigger-failure" ENGINEER, body OptionalJson<sensor_data::FailureTrigger> => Json<sensor_data::FailureTriggered>;
    }
    "predictions" {
        /// Predictions, newest first.
        ListPredictions: GET "/predictions" TOKEN, query prediction::PredictionFilter => List<prediction::Prediction, PredictionSort, 200>;
        /// One prediction.
        GetPrediction: GET "/predictions/{prediction_id}" TOKEN => Json<prediction::Prediction>;
        /// Why a prediction was made.
        ExplainPrediction: GET "/predictions/{prediction_id}/explain" TOKEN => Json<prediction::Explained>;
        /// Judge a value that a sensor might report.
        CreatePrediction: POST "/predictions" ENGINEER, body Json<prediction::NewPrediction> => Created<prediction::Prediction>,
            refuses 409 "There is a prediction of this sensor at this time";
        /// Judge now what a machine's sensors have reported.
        TriggerPredictions: POST "/predictions/trigger" ENGINEER, body Json<prediction::TriggerPredictions> => Json<Vec<prediction::Prediction>>;
        /// Predictions as CSV.
        ExportPredictions: GET "/predictions/export.csv" VIEWER, query prediction::PredictionFilter => Download<operation::Csv>;
    }
    "alarms" {
        /// Planned maintenance, newest first.
        ListMaintenanceWindows: GET "/maintenance-windows" TOKEN => List<maintenance::MaintenanceWindow, MaintenanceWindowSort, 200>;
        /// Plan maintenance: conditions raise no alarm meanwhile.
        CreateMaintenanceWindow: POST "/maintenance-windows" ENGINEER, body Json<maintenance::NewMaintenanceWindow> => Created<maintenance::MaintenanceWindow>;
        /// Change planned maintenance.
        UpdateMaintenanceWindow: PATCH "/maintenance-windows/{window_id}" ENGINEER, body Json<maintenance::MaintenanceWindowChange> => Json<maintenance::MaintenanceWindow>;
        /// Remove planned maintenance: what is suppressed by it raises its alarm with the next reading.
        DeleteMaintenanceWindow: DELETE "/maintenance-windows/{window_id}" ENGINEER => NoContent;
        /// Conditions that raised no alarm because their machine was under maintenance, newest first.
        ListSuppressedConditions: GET "/suppressed-conditions" TOKEN, query maintenance::SuppressedFilter => List<maintenance::SuppressedCondition, SuppressedSort, 200>;
        /// Alarms, newest first.
        ListAlarms: GET "/alarms" TOKEN, query alarm::AlarmFilter => List<alarm::Alarm, AlarmSort, 200>;
        /// Raise an alarm by hand.
        CreateAlarm: POST "/alarms" ENGINEER, body Json<alarm::NewAlarm> => Created<alarm::Alarm>;
        /// One alarm.
        GetAlarm: GET "/alarms/{alarm_id}" TOKEN => Json<alarm::Alarm>;
        /// Acknowledge or resolve an alarm.
        UpdateAlarm: PATCH "/alarms/{alarm_id}" ENGINEER, body Json<alarm::AlarmUpdate> => Json<alarm::Alarm>;
        /// Acknowledge an alarm.
        AcknowledgeAlarm: POST "/alarms/{alarm_id}/acknowledge" ENGINEER => Json<alarm::Alarm>;
        /// Resolve an alarm with notes and a verdict.
        ResolveAlarm: POST "/alarms/{alarm_id}/resolve" ENGINEER, query alarm::AlarmResolution, body OptionalJson<alarm::AlarmResolution> => Json<alarm::Alarm>;
        /// Make one change to many alarms, or to none.
        ChangeAlarms: POST "/alarms/bulk" ENGINEER, query alarm::AlarmBulkQuery, body Json<alarm::AlarmBulkBody> => NoContent;
        /// Keep an alarm out of sight for a limited time.
        ShelveAlarm: POST "/alarms/{alarm_id}/shelve" ENGINEER, body Json<alarm::AlarmShelving> => Json<alarm::Alarm>;
        /// End the shelving of an alarm.
        UnshelveAlarm: DELETE "/alarms/{alarm_id}/shelve" ENGINEER => Json<alarm::Alarm>;
        /// What happened to an alarm, oldest first.
        AlarmHistory: GET "/alarms/{alarm_id}/history" TOKEN => List<alarm::AlarmTransition, HistorySort, 1000>;
        /// Resolved alarms of the same machine, sensor and kind that were raised before an alarm, newest first.
        SimilarAlarms: GET "/alarms/{alarm_id}/similar" TOKEN => List<alarm::Alarm, AlarmSort, 20>;
        /// Alarms raised by a prediction.
        AlarmsOfPrediction: GET "/alarms/prediction/{prediction_id}" TOKEN => List<alarm::Alarm, AlarmSort, 200>;
        /// Alarm rules, newest first.
        ListAlarmRules: GET "/alarm-rules" TOKEN, query alarm_rule::AlarmRuleFilter => List<alarm_rule::AlarmRule, AlarmRuleSort, 200>;
        /// Say how the readings of some sensors become alarms.
        CreateAlarmRule: POST "/alarm-rules" ENGINEER, body Json<alarm_rule::NewAlarmRule> => Created<alarm_rule::AlarmRule>,
            refuses 409 "There is a rule for these sensors";
        /// One alarm rule.
        GetAlarmRule: GET "/alarm-rules/{rule_id}" TOKEN => Json<alarm_rule::AlarmRule>;
        /// Change what an alarm rule says.
        UpdateAlarmRule: PATCH "/alarm-rules/{rule_id}" ENGINEER, body Json<alarm_rule::AlarmRuleChange> => Json<alarm_rule::AlarmRule>;
        /// Delete an alarm rule.
        DeleteAlarmRule: DELETE "/alarm-rules/{rule_id}" ENGINEER => NoContent;
        /// The alarm rule that counts for a sensor, and where each of its values is from.
        SensorAlarmRule: GET "/sensors/{sensor_id}/alarm-rule" TOKEN => Json<alarm_rule::SensorAlarmRule>;
    }
    "backtests" {
        /// Back-tests, newest first.
        ListBacktests: GET "/backtests" TOKEN => List<backtest::Backtest, BacktestSort, 50>;
        /// Try alarm rules on stored readings of some sensors. A job does it; `progress` tells how far it has come.
        CreateBacktest: POST "/backtests" ENGINEER, body Json<backtest::NewBacktest> => Created<backtest::Backtest>;
        /// One back-test, with what came of it.
        GetBacktest: GET "/backtests/{backtest_id}" TOKEN => Json<backtest::BacktestDetail>;
        /// Delete a back-test; one that is not done is cancelled by it.
        DeleteBacktest: DELETE "/backtests/{backtest_id}" ENGINEER => NoContent;
        /// Try an alarm rule on the stored readings of one sensor, at once.
        TrySensorRule: GET "/backtests/sensors/{sensor_id}" ENGINEER, query backtest::SensorBacktestQuery => Json<backtest::SensorTrial>,
            refuses 409 "The period holds too many readings to try them at once";
        /// The warning limit and on-delay with which a sensor would have raised at most a wanted number of alarms.
        SuggestLimit: GET "/backtests/sensors/{sensor_id}/suggestion" ENGINEER, query backtest::SuggestionQuery => Json<backtest::Suggestion>;
        /// Evaluate the next readings of back-tests.
        WorkOnBacktests: POST "/internal/backtests/work" SERVICE => Json<backtest::BacktestWork>;
    }
    "attachments" {
        /// Store a file (multipart form).
        UploadAttachment: POST "/attachments" TOKEN, query attachment::AttachmentTarget, body Upload => Created<attachment::Attachment>,
            refuses 409 "The attachments of the account, or of all, have reached attachments.account_max_mib or attachments.total_max_mib",
            refuses 413 "Larger than attachments.max_bytes",
            refuses 415 "The content is of no accepted type";
        /// Files, newest first.
        ListAttachments: GET "/attachments" TOKEN, query attachment::AttachmentFilter => List<attachment::Attachment, AttachmentSort, 200>;
        /// One file's particulars.
        GetAttachment: GET "/attachments/{attachment_id}" TOKEN => Json<attachment::Attachment>;
        /// A file itself.
        DownloadAttachment: GET "/attachments/{attachment_id}/download" TOKEN => Download<operation::StoredFile>;
        /// Delete a file; one's own, or any as an administrator.
        DeleteAttachment: DELETE "/attachments/{attachment_id}" TOKEN => NoContent,
            refuses 403 "Not authorized to delete this attachment";
        /// Attach a file to an alarm.
        AttachToAlarm: POST "/alarms/{alarm_id}/attachments" TOKEN, body Upload => Created<attachment::Attachment>,
            refuses 409 "The attachments of the account, or of all, have reached attachments.account_max_mib or attachments.total_max_mib",
            refuses 413 "Larger than attachments.max_bytes",
            refuses 415 "The content is of no accepted type";
        /// Files of an alarm, newest first.
        AlarmAttachments: GET "/alarms/{alarm_id}/attachments" TOKEN => List<attachment::Attachment, AttachmentSort, 200>;
        /// Attach a file to a ticket.
        AttachToTicket: POST "/tickets/{ticket_id}/attachments" TOKEN, body Upload => Created<attachment::Attachment>,
            refuses 409 "The attachments of the account, or of all, have reached attachments.account_max_mib or attachments.total_max_mib",
            refuses 413 "Larger than attachments.max_bytes",
            refuses 415 "The content is of no accepted type";
        /// Files of a ticket, newest first.
        TicketAttachments: GET "/tickets/{ticket_id}/attachments" TOKEN => List<attachment::Attachment, AttachmentSort, 200>;
    }
    "comments" {
        /// Comments on an alarm, newest first.
        AlarmComments: GET "/alarms/{alarm_id}/comments" TOKEN => List<comment::Comment, CommentSort, 1000>;
        /// Comment on an alarm.
        CommentAlarm: POST "/alarms/{alarm_id}/comments" TOKEN, body Json<comment::NewComment> => Created<comment::Comment>,
            refuses 403 "Internal, and the caller may not read it";
        /// Change a comment; one's own, or any as an administrator.
        UpdateAlarmComment: PATCH "/alarms/{alarm_id}/comments/{comment_id}" TOKEN, body Json<comment::CommentUpdate> => Json<comment::Comment>,
            refuses 403 "Not authorized to change this comment";
        /// Delete a comment; one's own, or any as an administrator.
        DeleteAlarmComment: DELETE "/alarms/{alarm_id}/comments/{comment_id}" TOKEN => NoContent,
            refuses 403 "Not authorized to delete this comment";
        /// Comments on a ticket, newest first.
        TicketComments: GET "/tickets/{ticket_id}/comments" TOKEN => List<comment::Comment, CommentSort, 1000>;
        /// Comment on a ticket.
        CommentTicket: POST "/tickets/{ticket_id}/comments" TOKEN, body Json<comment::NewComment> => Created<comment::Comment>,
            refuses 403 "Internal, and the caller may not read it";
        /// Change a comment; one's own, or any as an administrator.
        UpdateTicketComment: PATCH "/tickets/{ticket_id}/comments/{comment_id}" TOKEN, body Json<comment::CommentUpdate> => Json<comment::Comment>,
            refuses 403 "Not authorized to change this comment";
        /// Delete a comment; one's own, or any as an administrator.
        DeleteTicketComment: DELETE "/tickets/{ticket_id}/comments/{comment_id}" TOKEN => NoContent,
            refuses 403 "Not authorized to delete this comment";
    }
    "tickets" {
        /// Tickets, newest first.
        ListTickets: GET "/tickets" TOKEN, query ticket::TicketFilter => List<ticket::Ticket, TicketSort, 1000>;
        /// Open a ticket by hand.
        CreateTicket: POST "/tickets" ENGINEER, body Json<ticket::NewTicket> => Created<ticket::Ticket>,
            refuses 409 "The alarm has its automatic ticket already";
        /// One ticket.
        GetTicket: GET "/tickets/{ticket_id}" TOKEN => Json<ticket::Ticket>;
        /// Change a ticket: state, assignee, priority, due date, notes.
        UpdateTicket: PATCH "/tickets/{ticket_id}" ENGINEER, body Json<ticket::TicketUpdate> => Json<ticket::Ticket>,
            refuses 409 "The ticket was changed in the meantime";
        /// What happened to a ticket, oldest first.
        TicketHistory: GET "/tickets/{ticket_id}/history" TOKEN => List<ticket::TicketTransition, HistorySort, 1000>;
    }
    "reports" {
        /// Make a report.
        GenerateReport: POST "/reports/generate" VIEWER, body Json<report::ReportRequest> => Json<report::GeneratedReport>,
            refuses 404 "No such machine or sensor",
            refuses 409 "The reports of the account, or of all, have reached reports.account_max_mib or reports.total_max_mib";
        /// Reports that the caller may read, newest first.
        ListReports: GET "/reports" VIEWER, query report::ReportFilter => List<report::Report, ReportSort, 100>;
        /// The file of a report, by its name.
        DownloadReport: GET "/reports/download/{filename}" VIEWER => Download<operation::ReportFile>,
            refuses 403 "Invalid file path, or the role may not";
        /// The file of a report, by its id.
        DownloadReportById: GET "/reports/{report_id}/download" VIEWER => Download<operation::ReportFile>;
        /// The file of a report, by its name, as the old static folder gave it.
        ReportFile: GET "/reports/{report}" VIEWER => Download<operation::ReportFile>,
            refuses 403 "Invalid file path, or the role may not";
        /// Remove a report, by its name or its id.
        DeleteReport: DELETE "/reports/{report}" VIEWER => NoContent;
        /// Schedules of reports, newest first.
        ListReportSchedules: GET "/reports/schedules" ENGINEER => List<report::ReportSchedule, ReportScheduleSort, 100>;
        /// Create a schedule of reports.
        CreateReportSchedule: POST "/reports/schedules" ENGINEER, body Json<report::NewReportSchedule> => Created<report::ReportSchedule>;
        /// One schedule of reports.
        GetReportSchedule: GET "/reports/schedules/{schedule_id}" ENGINEER => Json<report::ReportSchedule>;
        /// Change a schedule of reports.
        UpdateReportSchedule: PATCH "/reports/schedules/{schedule_id}" ENGINEER, body Json<report::ReportScheduleChange> => Json<report::ReportSchedule>;
        /// Remove a schedule of reports; its reports stay.
        DeleteReportSchedule: DELETE "/reports/schedules/{schedule_id}" ENGINEER => NoContent;
        /// Make the scheduled reports that are due, and remove expired ones.
        RunReports: POST "/internal/reports" SERVICE => Json<report::ReportsRun>;
    }
    "dashboard" {
        /// Counts for the overview.
        DashboardOverview: GET "/dashboard/overview" VIEWER => Json<dashboard::Overview>;
        /// Machines by status and criticality.
        DashboardMachines: GET "/dashboard/machines/stats" VIEWER => Json<dashboard::MachineStats>;
        /// Number of sensors.
        DashboardSensors: GET "/dashboard/sensors/stats" VIEWER => Json<dashboard::Total>;
        /// Predictions by class.
        DashboardPredictions: GET "/dashboard/predictions/stats" VIEWER, query dashboard::PredictionStatsQuery => Json<dashboard::PredictionStats>;
        /// Delete all alarms and tickets.
        SystemReset: POST "/system/reset" ADMIN => Json<sensor_data::ResetReport>;
    }
    "roles" {
        /// Built-in and custom roles with what they permit.
        ListRoles: GET "/roles" ADMIN => List<role::RoleDetail, RoleSort, 1000>;
        /// Create a custom role.
        CreateRole: POST "/roles" ADMIN, body Json<role::NewRole> => Created<role::RoleDetail>;
        /// One role.
        GetRole: GET "/roles/{role_id}" ADMIN => Json<role::RoleDetail>;
        /// Change a custom role.
        UpdateRole: PATCH "/roles/{role_id}" ADMIN, body Json<role::RoleChange> => Json<role::RoleDetail>;
        /// Delete a custom role; whoever holds it loses what it permits.
        DeleteRole: DELETE "/roles/{role_id}" ADMIN => NoContent;
        /// What a role permits.
        ListRolePermissions: GET "/roles/{role_id}/permissions" ADMIN => Json<Vec<String>>;
        /// Add permissions to a custom role.
        AddRolePermissions: POST "/roles/{role_id}/permissions" ADMIN, body Json<role::Permissions> => Json<Vec<String>>;
        /// Replace the permissions of a custom role.
        SetRolePermissions: PATCH "/roles/{role_id}/permissions" ADMIN, body Json<role::Permissions> => Json<Vec<String>>;
    }
    "settings" {
        /// Settings: all of them for engineers, the public ones for everybody.
        ListSettings: GET "/settings" TOKEN, query setting::SettingFilter => List<setting::Setting, SettingSort, 1000>;
        /// Add a setting of one's own.
        CreateSetting: POST "/settings" ADMIN, body Json<setting::NewSetting> => Created<setting::Setting>;
        /// One setting; a public one for everybody.
        GetSetting: GET "/settings/{key}" TOKEN => Json<setting::Setting>,
            refuses 403 "A setting that is not public, for engineers and above";
        /// Change a setting.
        UpdateSetting: PATCH "/settings/{key}" ADMIN, body Json<setting::SettingChange> => Json<setting::Setting>;
        /// Remove a setting; one that the functions obey gets its default back.
        DeleteSetting: DELETE "/settings/{key}" ADMIN => NoContent;
    }
    "jobs" {
        /// Jobs, newest first.
        ListJobs: GET "/jobs" ENGINEER, query job::JobFilter => List<job::Job, JobSort, 50>;
        /// Ask for a job.
        CreateJob: POST "/jobs" ADMIN, body Json<job::NewJob> => Created<job::Job>;
        /// One job.
        GetJob: GET "/jobs/{job_id}" ENGINEER => Json<job::Job>;
        /// Put a failed job back to the start.
        RetryJob: POST "/jobs/{job_id}/retry" ADMIN => Json<job::Job>,
            refuses 400 "The job is not in failed state";
    }
    "audit" {
        /// Who did what, newest first.
        ListAuditLogs: GET "/audit/logs" ADMIN, query audit::AuditFilter => List<audit::AuditEntry, AuditSort, 100>;
    }
    "events" {
        /// Live events (SSE); the token may stand in the query, since browsers cannot set headers here.
        EventStream: GET "/ws/events/stream" STREAM, query event::StreamQuery => operation::EventStream<event::LiveEvent>;
        /// Live events under a second name.
        RealtimeEvents: GET "/realtime/events" STREAM, query event::StreamQuery => operation::EventStream<event::LiveEvent>;
        /// A ticket that opens an event stream, for the query.
        StreamTicket: POST "/realtime/ticket" TOKEN => Json<event::StreamTicket>;
        /// Where the old WebSocket was: says where live events are.
        Updates: GET "/ws/updates" PUBLIC => Download<operation::Nothing>,
            refuses 426 "There is no WebSocket here; the body names the event stream";
    }
    "system-metrics" {
        /// Figures of the system for Prometheus.
        Metrics: GET "/metrics" METRICS => Download<operation::PrometheusText>;
        /// The documented figures as JSON.
        MetricsJson: GET "/metrics/json" METRICS => Json<metrics::Metrics>;
    }
    "docs" {
        /// This document.
        OpenApi: GET "/openapi.json" PUBLIC => Download<operation::JsonDocument>;
        /// The API to read and try, with Swagger UI.
        Docs: GET "/docs" PUBLIC => Download<operation::Html>;
        /// A script or style sheet of the two pages.
        DocsFile: GET "/docs/{file}" PUBLIC => Download<operation::PageFile>;
        /// The API to read, with Redoc.
        Redoc: GET "/redoc" PUBLIC => Download<operation::Html>;
    }
    "webhooks" {
        /// Webhooks, newest first.
        ListWebhooks: GET "/webhooks" ENGINEER, query webhook::WebhookFilter => List<webhook::Webhook, WebhookSort, 1000>;
        /// Create a webhook.
        CreateWebhook: POST "/webhooks" ADMIN, body Json<webhook::NewWebhook> => Created<webhook::Webhook>;
        /// One webhook.
        GetWebhook: GET "/webhooks/{webhook_id}" ENGINEER => Json<webhook::Webhook>;
        /// Change a webhook.
        UpdateWebhook: PATCH "/webhooks/{webhook_id}" ADMIN, body Json<webhook::WebhookChange> => Json<webhook::Webhook>,
            refuses 409 "Its secret was changed in the meantime";
        /// Delete a webhook with its delivery log.
        DeleteWebhook: DELETE "/webhooks/{webhook_id}" ADMIN => NoContent;
        /// Make a new secret; the former one is valid for a day more.
        RotateWebhookSecret: POST "/webhooks/{webhook_id}/rotate-secret" ADMIN => Json<webhook::Webhook>,
            refuses 409 "Its secret was changed in the meantime";
        /// Send a test event now.
        TestWebhook: POST "/webhooks/{webhook_id}/test" ADMIN => Attempt<webhook::TestResult>;
        /// What was sent to a webhook, newest first.
        ListDeliveries: GET "/webhooks/{webhook_id}/deliveries" ENGINEER, query webhook::DeliveryFilter => List<webhook::Delivery, DeliverySort, 100>;
        /// One delivery.
        GetDelivery: GET "/webhooks/{webhook_id}/deliveries/{delivery_id}" ENGINEER => Json<webhook::Delivery>;
        /// Send an event once more.
        ReplayDelivery: POST "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay" ENGINEER => Accepted<webhook::Delivery>,
            refuses 409 "The delivery is still pending";
    }
    "notifications" {
        /// Send a test mail now.
        TestEmail: POST "/notifications/test-email" ADMIN, body OptionalJson<notification::TestEmailRequest> => Attempt<webhook::TestResult>;
        /// Send a test event to an address now.
        TestAddress: POST "/notifications/test-webhook" ADMIN, body Json<notification::TestAddressRequest> => Attempt<webhook::TestResult>;
        /// Which mails one gets.
        GetPreferences: GET "/notifications/preferences" TOKEN => Json<notification::Preferences>;
        /// Choose which mails one gets.
        UpdatePreferences: PATCH "/notifications/preferences" TOKEN, body Json<notification::PreferencesChange> => Json<notification::Preferences>;
        /// On-call schedules, with who is on call now.
        ListOnCallSchedules: GET "/on-call/schedules" TOKEN => List<on_call::OnCallSchedule, OnCallScheduleSort, 200>;
        /// Create an on-call schedule.
        CreateOnCallSchedule: POST "/on-call/schedules" ENGINEER, body Json<on_call::NewOnCallSchedule> => Created<on_call::OnCallSchedule>;
        /// One on-call schedule.
        GetOnCallSchedule: GET "/on-call/schedules/{schedule_id}" TOKEN => Json<on_call::OnCallSchedule>;
        /// Change an on-call schedule.
        UpdateOnCallSchedule: PATCH "/on-call/schedules/{schedule_id}" ENGINEER, body Json<on_call::OnCallScheduleChange> => Json<on_call::OnCallSchedule>;
        /// Delete an on-call schedule.
        DeleteOnCallSchedule: DELETE "/on-call/schedules/{schedule_id}" ENGINEER => NoContent,
            refuses 409 "A step of an escalation chain names it";
        /// Who is on call when, for the next two weeks or a span of up to 92 days.
        OnCallShifts: GET "/on-call/schedules/{schedule_id}/shifts" TOKEN, query on_call::ShiftsQuery => Json<Vec<on_call::Shift>>;
        /// Have somebody stand in for a span of time.
        CreateOnCallOverride: POST "/on-call/schedules/{schedule_id}/overrides" ENGINEER, body Json<on_call::NewOnCallOverride> => Created<on_call::OnCallOverride>;
        /// Remove an override.
        DeleteOnCallOverride: DELETE "/on-call/schedules/{schedule_id}/overrides/{override_id}" ENGINEER => NoContent;
        /// The people who can be on call, by name.
        OnCallPeople: GET "/on-call/people" ENGINEER => Json<Vec<on_call::Person>>;
        /// Escalation chains.
        ListEscalationChains: GET "/escalation-chains" TOKEN => List<escalation::EscalationChain, EscalationChainSort, 200>;
        /// Say whom the system tells of alarms until somebody answers.
        CreateEscalationChain: POST "/escalation-chains" ENGINEER, body Json<escalation::NewEscalationChain> => Created<escalation::EscalationChain>;
        /// One escalation chain.
        GetEscalationChain: GET "/escalation-chains/{chain_id}" TOKEN => Json<escalation::EscalationChain>;
        /// Change an escalation chain. Escalations that run go on by the changed chain.
        UpdateEscalationChain: PATCH "/escalation-chains/{chain_id}" ENGINEER, body Json<escalation::EscalationChainChange> => Json<escalation::EscalationChain>;
        /// Delete an escalation chain. Escalations that run by it end.
        DeleteEscalationChain: DELETE "/escalation-chains/{chain_id}" ENGINEER => NoContent;
        /// Services that notices of alarms go to.
        ListNoticeChannels: GET "/notice-channels" ENGINEER => List<escalation::NoticeChannel, NoticeChannelSort, 200>;
        /// Add a service that notices of alarms go to.
        CreateNoticeChannel: POST "/notice-channels" ADMIN, body Json<escalation::NewNoticeChannel> => Created<escalation::NoticeChannel>;
        /// Change a notice channel.
        UpdateNoticeChannel: PATCH "/notice-channels/{channel_id}" ADMIN, body Json<escalation::NoticeChannelChange> => Json<escalation::NoticeChannel>;
        /// Delete a notice channel.
        DeleteNoticeChannel: DELETE "/notice-channels/{channel_id}" ADMIN => NoContent,
            refuses 409 "A step of an escalation chain names it";
        /// Send a test notice now.
        TestNoticeChannel: POST "/notice-channels/{channel_id}/test" ADMIN => Attempt<webhook::TestResult>;
        /// Notices of alarms and what became of them, newest first.
        ListAlarmNotices: GET "/alarm-notices" ADMIN, query escalation::AlarmNoticeFilter => List<escalation::AlarmNotice, AlarmNoticeSort, 100>;
        /// Who was told of an alarm and its case, newest first.
        NoticesOfAlarm: GET "/alarms/{alarm_id}/notices" TOKEN => List<escalation::AlarmNotice, AlarmNoticeSort, 100>;
    }
    "ingest" {
        /// Store a batch of readings.
        Ingest: POST "/internal/ingest" SERVICE, body Bytes => Json<ingest::BatchReport>;
        /// Score sensors, or a value that one of them might report.
        Score: POST "/internal/score" SERVICE, body Bytes => Json<ingest::Scored>;
    }
    "models" {
        /// Versions of the models, newest first.
        ListModels: GET "/ai/models" ENGINEER => List<ai::ModelVersion, ModelSort, 500>;
        /// Register a version.
        RegisterModel: POST "/ai/models" ADMIN, query ai::NewModelQuery, body OptionalJson<ai::NewModel> => Json<ai::ModelRegistered>,
            refuses 400 "Model version already registered";
        /// Examination of a version, and what it said in the shadow.
        ModelReport: GET "/ai/models/{version}/report" ENGINEER => Json<ai::ModelReport>;
        /// Let a version judge from now on.
        ActivateModel: POST "/ai/models/{version}/activate" ADMIN, query ai::ActivateQuery => Json<ai::ModelChanged>,
            refuses 400 "It has no weights, or has not passed its validation";
        /// Go back to a version that judged before.
        RollbackModel: POST "/ai/models/{version}/rollback" ADMIN => Json<ai::ModelChanged>,
            refuses 400 "It has no weights, or was never active";
        /// Queue a job that trains a version on stored readings.
        Retrain: POST "/ai/retrain" ADMIN, body OptionalJson<ai::RetrainRequest> => Json<ai::RetrainQueued>;
        /// What was done with models, newest first.
        AiLogs: GET "/ai/logs" ENGINEER => List<ai::AiLogLine, AuditSort, 100>;
        /// How far features have moved from those learned from.
        Drift: GET "/ai/drift" ENGINEER => List<ai::DriftReport, DriftSort, 24>;
        /// False alarms of the models, promised and counted over the last 30 days.
        FalseAlarms: GET "/ai/false-alarms" VIEWER, query ai::FalseAlarmsQuery => Json<ai::FalseAlarms>;
        /// Do what is due: train for a job, measure drift.
        ModelWork: POST "/internal/models/work" SERVICE => Json<ai::WorkDone>;
    }
    "notifier" {
        /// The clock: one tick a second.
        Tick: POST "/internal/tick" SERVICE, body Message<tick::Tick> => Json<tick::TickAnswer>;
        /// Send what is due to webhooks.
        Deliver: POST "/internal/deliver" SERVICE, body Message<webhook::DeliverRequest> => Json<webhook::DeliverReport>;
        /// Ask an identity provider.
        AskIdentityProvider: POST "/internal/identity-provider" SERVICE, body Message<sign_in::ProviderRequest> => Json<sign_in::ProviderAnswer>;
    }
}
