//! What spin.toml needs to know of a component besides its routes.

/// A component.
pub(crate) struct Component {
    /// Its name: of the crate, of the folder in `functions/`, in the table of routes.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) purpose: &'static str,
    /// Components that it calls.
    pub(crate) calls: &'static [&'static str],
    /// Other addresses that it may reach.
    pub(crate) reaches: &'static [&'static str],
    /// Variables besides those that follow from its routes and calls.
    pub(crate) variables: &'static [&'static str],
    /// Folder of the repository and where the component finds it.
    pub(crate) files: Option<(&'static str, &'static str)>,
    /// The group of components as which it logs in to the database; none if it does not use it. What a group may do there
    /// is in migrations/0019_roles.sql.
    pub(crate) database: Option<&'static str>,
}

const fn component(name: &'static str, purpose: &'static str) -> Component {
    Component { name, purpose, calls: &[], reaches: &[], variables: &[], files: None, database: Some("work") }
}

const AUTH: Option<&str> = Some("auth");
const INGEST: Option<&str> = Some("ingest");
const READ: Option<&str> = Some("read");

/// A heading and the components below it.
pub(crate) type Group = (&'static str, &'static [Component]);

/// Every component, by groups, in the order of spin.toml.
pub(crate) const GROUPS: &[Group] = &[
    (
        "State of the system, and the documentation of its API",
        &[
            Component { calls: &["score"], database: READ, ..component("health", "health and status") },
            Component {
                variables: &["metrics_token"],
                database: READ,
                ..component("system-metrics", "figures for Prometheus")
            },
            Component {
                files: Some(("functions/docs/files", "/docs")),
                database: None,
                ..component("docs", "openapi.json and its pages")
            },
        ],
    ),
    (
        "Accounts",
        &[
            Component {
                calls: &["notifier"],
                variables: &["bcrypt_cost"],
                database: AUTH,
                ..component("auth", "login, tokens, passwords, accounts")
            },
            Component { database: AUTH, ..component("users", "one's own account") },
            Component { database: AUTH, ..component("roles", "built-in and custom roles") },
        ],
    ),
    (
        "The plant",
        &[
            component("machines", "machines and what was measured on them"),
            component("sensors", "sensors, trends, timelines"),
            Component {
                calls: &["ingest"],
                ..component("vibration", "bursts of vibration samples, their spectra and diagnoses")
            },
            Component {
                calls: &["ingest"],
                ..component("mappings", "how payloads are read, and those that could not be")
            },
            Component {
                calls: &["ingest"],
                variables: &["simulator"],
                ..component("sensor-data", "stored readings, export, simulated failures")
            },
            Component {
                calls: &["ingest"],
                ..component("predictions", "predictions and their explanations")
            },
        ],
    ),
    (
        "Alarms and work",
        &[
            component("alarms", "acknowledge, resolve, shelve alarms"),
            component("backtests", "alarm rules tried on stored readings"),
            component("tickets", "maintenance tickets"),
            component("comments", "comments on alarms and tickets"),
            Component {
                reaches: &["{{ object_store_host }}"],
                ..component("attachments", "files of alarms and tickets")
            },
            component("reports", "PDF, CSV and Excel, at once or scheduled"),
        ],
    ),
    (
        "Overview and administration",
        &[
            component("dashboard", "counts for the overview"),
            component("settings", "settings"),
            component("jobs", "background jobs"),
            Component { database: READ, ..component("audit", "the audit log") },
            Component {
                files: Some(("models", "/models")),
                ..component("models", "versions of models: register, train, activate")
            },
        ],
    ),
    (
        "Events and notifications",
        &[
            Component {
                database: READ,
                variables: &["event_stream_s"],
                ..component("events", "live events (SSE)")
            },
            Component {
                calls: &["notifier"],
                variables: &["webhook_allow_private"],
                ..component("webhooks", "webhooks and their deliveries")
            },
            Component {
                calls: &["notifier"],
                variables: &["notification_email_to", "webhook_allow_private"],
                ..component("notifications", "test messages, mail preferences")
            },
        ],
    ),
    (
        "For the bridge and for other components",
        &[
            Component {
                calls: &["score", "alarm-engine"],
                database: INGEST,
                ..component("ingest", "stores batches of readings")
            },
            Component {
                // webhooks and identity providers are anywhere; pm_domain::target decides which addresses it calls
                reaches: &["http://*:*", "https://*:*"],
                calls: &["reports", "alarm-engine"],
                variables: &[
                    "notification_email_to",
                    "slack_webhook_url",
                    "webhook_allow_private",
                    "identity_provider_allow_private",
                ],
                ..component("notifier", "what is due: webhooks, mails, reports, housekeeping")
            },
            Component {
                files: Some(("models", "/models")),
                database: INGEST,
                ..component("score", "scores readings with the models; private")
            },
            Component { database: INGEST, ..component("alarm-engine", "raises and clears alarms; private") },
        ],
    ),
    (
        "The web page, and every path that no other component serves",
        &[Component {
            files: Some(("ui/dist", "/ui")),
            database: None,
            ..component("site", "files of the web page")
        }],
    ),
];

/// Components without a route of the table; others call them.
pub(crate) const PRIVATE: &[&str] = &["score", "alarm-engine"];

/// The component that answers what no route names.
pub(crate) const FALLBACK: &str = "site";

/// A variable of the application.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// None: it has to be given.
    pub(crate) default: Option<&'static str>,
    pub(crate) secret: bool,
    pub(crate) description: &'static str,
}

const fn variable(name: &'static str, default: &'static str, description: &'static str) -> Variable {
    Variable { name, default: Some(default), secret: false, description }
}

const fn secret(name: &'static str, default: Option<&'static str>, description: &'static str) -> Variable {
    Variable { name, default, secret: true, description }
}

/// Every variable of the application.
pub(crate) const VARIABLES: &[Variable] = &[
    secret("database_url_auth", None, "PostgreSQL URL of the role pm_auth: accounts"),
    secret("database_url_ingest", None, "PostgreSQL URL of the role pm_ingest: readings, scores, alarms"),
    secret("database_url_read", None, "PostgreSQL URL of the role pm_read: what only reads"),
    secret("database_url_work", None, "PostgreSQL URL of the role pm_work: the rest"),
    variable("database_host", "postgres://127.0.0.1:*", "Where the functions may reach the database"),
    secret(
        "jwt_secret",
        None,
        "Signs tokens; 32 bytes or more. Several, with commas: the first signs, all are good",
    ),
    secret("service_token", None, "What the bridge shows to the functions"),
    secret("component_token", None, "What a component shows to another one's internal routes"),
    secret("service_token_previous", Some(""), "Also accepted while the service token rotates"),
    variable(
        "requests_per_minute",
        "6000",
        "Requests that one account, or one address without account, may make; 0: any number",
    ),
    variable(
        "trusted_proxies",
        "",
        "Addresses and networks of proxies in front of the functions, separated by commas; their x-forwarded-for counts",
    ),
    variable("bcrypt_cost", "12", "Cost of new password hashes"),
    variable(
        "cors_allowed_origins",
        "http://localhost:3000,http://127.0.0.1:3000",
        "Origins of other pages that may call, separated by commas; * is any, without credentials",
    ),
    secret("metrics_token", Some(""), "What Prometheus shows to /metrics instead of a login; empty: nothing"),
    variable(
        "object_store_host",
        "https://object-store.invalid",
        "Where the functions may reach an S3-compatible store for attachments (its address and keys are settings)",
    ),
    variable(
        "notification_email_to",
        "",
        "Who gets mail about alarms besides users who ask for it; separated by commas",
    ),
    secret("slack_webhook_url", Some(""), "Slack-compatible webhook that gets alarms"),
    variable(
        "event_stream_s",
        "3600",
        "Seconds after which an event stream ends; clients connect again and resume",
    ),
    variable("simulator", "false", "true: people may make machines report simulated readings"),
    variable(
        "webhook_allow_private",
        "false",
        "true: webhooks may point to private networks and this machine",
    ),
    variable(
        "identity_provider_allow_private",
        "false",
        "true: identity providers may be in private networks and on this machine, and without TLS",
    ),
];
