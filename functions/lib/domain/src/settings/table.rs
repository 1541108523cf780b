//! The table.

use super::{
    Definition,
    Kind::{
        self, Addresses, Boolean, Integer, Numbers, Origins, ProviderSecrets, Providers, Text, Texts,
        Thresholds, Url, Word,
    },
    Visibility::{self, Private, Public, Secret},
};
use pm_api::user::MIN_PASSWORD_CHARS;

macro_rules! known {
    ($($id:ident = $key:literal, $kind:expr, $default:expr, $visibility:expr, $description:literal;)*) => {
        /// The key of a setting that the functions obey.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Key {
            $(#[doc = $description] $id,)*
        }

        /// Every setting that the functions obey.
        pub const DEFINITIONS: &[Definition] = &[$({
            const KIND: Kind = $kind;
            const VISIBILITY: Visibility = $visibility;
            Definition {
                id: Key::$id,
                key: $key,
                kind: KIND,
                default: $default,
                visibility: VISIBILITY,
                description: $description,
            }
        },)*];
    };
}

known! {
    AttachmentsAccountMaxMib = "attachments.account_max_mib", Integer(1, 10_000_000), "2048",
        Private, "What the attachments of one account may take in all, MiB.";
    AttachmentsAllowedTypes = "attachments.allowed_types", Texts,
        r#"["image/png","image/jpeg","image/gif","image/webp","application/pdf","image/tiff","video/mp4","text/plain","text/csv","application/json","application/zip","application/gzip","application/vnd.openxmlformats-officedocument.spreadsheetml.sheet","application/vnd.openxmlformats-officedocument.wordprocessingml.document","application/vnd.openxmlformats-officedocument.presentationml.presentation","application/vnd.oasis.opendocument.text","application/vnd.oasis.opendocument.spreadsheet"]"#,
        Public, "Content types that may be attached; the content is looked at, not the name.";
    AttachmentsMaxBytes = "attachments.max_bytes", Integer(1024, 25 * 1024 * 1024), "10485760",
        Public, "Largest attachment, bytes.";
    AttachmentsS3AccessKeyId = "attachments.s3_access_key_id", Text(200), "",
        Private, "Access key of the object store.";
    AttachmentsS3Bucket = "attachments.s3_bucket", Text(100), "",
        Private, "Bucket of the object store.";
    AttachmentsS3Endpoint = "attachments.s3_endpoint", Url, "",
        Private, "Address of the S3-compatible object store.";
    AttachmentsS3Region = "attachments.s3_region", Text(100), "us-east-1",
        Private, "Region of the object store.";
    AttachmentsS3SecretAccessKey = "attachments.s3_secret_access_key", Text(500), "",
        Secret, "Secret key of the object store.";
    AttachmentsStore = "attachments.store", Word(&["database", "s3"]), "database",
        Private, "Where the content of new attachments is kept.";
    AttachmentsTotalMaxMib = "attachments.total_max_mib", Integer(1, 100_000_000), "51200",
        Private, "What the attachments of all accounts may take, MiB.";

    CorsOrigins = "cors.origins", Origins, "[]",
        Private, "Web origins whose pages may call the API from a browser, in addition to those of the variable CORS_ALLOWED_ORIGINS. [\"*\"] allows any origin, without credentials. A change takes effect within seconds.";

    DashboardCacheS = "dashboard.cache_s", Integer(0, 300), "0",
        Private, "Seconds for which the counts of the dashboard may be reused; 0 counts anew each time.";

    EventsStreamsPerAccount = "events.streams_per_account", Integer(1, 1000), "100",
        Private, "Event streams that one account may hold open at the same time, in all its browsers.";

    GeneralPublicUrl = "general.public_url", Url, "http://127.0.0.1:8000",
        Public, "Where people reach this system; links in mails begin with it.";

    IngestMaxSensors = "ingest.max_sensors", Integer(0, 1_000_000), "50000",
        Private, "Most sensors in all; beyond, sensors are not registered by their readings.";
    IngestMaxSensorsPerMachine = "ingest.max_sensors_per_machine", Integer(0, 100_000), "2000",
        Private, "Most sensors of a machine; beyond, sensors are not registered by their readings.";
    IngestMaxSensorsPerMinute = "ingest.max_sensors_per_minute", Integer(0, 100_000), "20000",
        Private, "Most sensors that are registered by their readings within a minute.";
    IngestRegistration = "ingest.registration", Word(&["on", "known_machines", "off"]), "on",
        Private, "What is registered by its readings: machines and sensors, sensors of known machines only, or nothing.";

    LoginAccountFailures = "login.account_failures", Integer(3, 100), "10",
        Private, "Failed logins to one account from one address within 15 minutes after which further ones from there are slowed down.";
    LoginAddressFailures = "login.address_failures", Integer(10, 10_000), "20",
        Private, "Failed logins from one address within 15 minutes after which further ones from there are slowed down.";
    LoginProviderSecrets = "login.provider_secrets", ProviderSecrets, "{}",
        Secret, "What each identity provider has given this system as a secret: a JSON object from the provider's name to it. A provider that is not named has none.";
    LoginProviders = "login.providers", Providers, "[]",
        Private, "Identity providers (OpenID Connect) by which people may sign in; docs/configuration.md says what each consists of.";
    LoginSecondFactor = "login.second_factor", Word(&["optional", "operator", "viewer", "engineer", "admin"]), "optional",
        Private, "The lowest role whose accounts must have a second factor; «optional»: none must.";

    ModelFalseAlarmsByClass = "model.false_alarms_by_class", Numbers(1, 100), "{}",
        Private, "The same for machines of some classes: a JSON object from the machine class to the number, such as {\"pump\": 3}. Other machines follow model.false_alarms_per_machine_month.";
    ModelFalseAlarmsPerMachineMonth = "model.false_alarms_per_machine_month", Integer(1, 100), "1",
        Private, "False alarms of the models per machine and month that are put up with: the fewer, the farther a sensor may leave its reference before it is an alarm.";
    ModelLearningDays = "model.learning_days", Integer(1, 60), "7",
        Private, "Days for which the healthy reference of a new sensor is learned; until then only limits and sudden changes raise alarms.";

    NotificationsMailEnabled = "notifications.mail_enabled", Boolean, "true",
        Private, "Send mail.";
    NotificationsMinSeverity = "notifications.min_severity", Word(pm_api::Severity::WORDS), "warning",
        Private, "Lowest severity of an alarm that is told by mail and Slack.";
    NotificationsRecipients = "notifications.recipients", Addresses, "[]",
        Private, "Mail addresses that are told of alarms besides the users who ask for it.";
    NotificationsSlackEnabled = "notifications.slack_enabled", Boolean, "false",
        Private, "Tell a Slack-compatible chat of alarms.";
    NotificationsSlackUrl = "notifications.slack_url", Url, "",
        Secret, "Incoming-webhook address of the chat; whoever knows it can write there.";
    NotificationsWebhooksEnabled = "notifications.webhooks_enabled", Boolean, "true",
        Private, "Deliver events to webhooks.";

    PasswordChangeFirst = "password.change_first", Boolean, "true",
        Private, "Accounts whose password was chosen by an administrator can be used for nothing else until it is changed.";
    PasswordMinLength = "password.min_length", Integer(MIN_PASSWORD_CHARS as i64, 64), "8",
        Public, "Fewest characters of a new password.";

    RegistrationPolicy = "registration.policy", Word(&["admin", "open"]), "admin",
        Public, "Who may create accounts: administrators only, or anybody (then with the role operator).";

    ReportsAccountMaxMib = "reports.account_max_mib", Integer(64, 10_000_000), "2048",
        Private, "What the reports of one account, scheduled ones too, may take in all, MiB.";
    ReportsKeepDays = "reports.keep_days", Integer(1, 3650), "30",
        Private, "Days after which a report is removed.";
    ReportsTotalMaxMib = "reports.total_max_mib", Integer(64, 100_000_000), "20480",
        Private, "What the reports of all accounts may take, MiB.";

    RetentionAuditDays = "retention.audit_days", Integer(30, 36_500), "1095",
        Private, "Days for which entries of the audit log are kept.";
    RetentionDeadLetterDays = "retention.dead_letter_days", Integer(1, 3650), "30",
        Private, "Days for which dead letters are kept.";
    RetentionHourDays = "retention.hour_days", Integer(1, 36_500), "3650",
        Private, "Days for which one-hour summaries of readings are kept.";
    RetentionMinuteDays = "retention.minute_days", Integer(1, 36_500), "365",
        Private, "Days for which one-minute summaries of readings are kept.";
    RetentionPredictionDays = "retention.prediction_days", Integer(1, 36_500), "90",
        Private, "Days for which predictions are kept.";
    RetentionRawDays = "retention.raw_days", Integer(1, 36_500), "90",
        Private, "Days for which single readings are kept.";
    RetentionWaveformDays = "retention.waveform_days", Integer(1, 3650), "30",
        Private, "Days for which bursts of vibration samples are kept. Their features are readings and stay as long as these.";

    SensorsDefaultThresholds = "sensors.default_thresholds", Thresholds, "{}",
        Private, "Thresholds that a new sensor gets by its type when it comes without any.";

    SessionAccessMinutes = "session.access_minutes", Integer(5, 1440), "60",
        Private, "Life of an access token, minutes.";
    SessionIdleMinutes = "session.idle_minutes", Integer(0, 525_600), "0",
        Private, "Minutes without use after which people have to sign in again; 0 is any time.";
    SessionRefreshDays = "session.refresh_days", Integer(1, 365), "30",
        Private, "Days after which people have to sign in again.";
}

impl Key {
    /// What is known of it.
    #[must_use]
    pub fn definition(self) -> &'static Definition {
        // the variants are declared in the order of the table
        &DEFINITIONS[self as usize]
    }
}
