//! Every page's address, in one place: parsed when the address changes, printed when a link is made.

use pm_api::{AlarmId, MachineId, PredictionId, Role, SensorId, TicketId};
use std::fmt;

/// Where the application lives.
pub const BASE: &str = "/app";

/// A page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route {
    /// Counts, live charts, active alarms.
    Overview,
    /// Sign in.
    Login,
    /// A new password for one that was forgotten; mails link to it with `#token=`.
    ResetPassword,
    /// Where an identity provider sends the browser back to.
    SignIn,
    /// All machines.
    Machines,
    /// One machine.
    Machine(MachineId),
    /// All sensors.
    Sensors,
    /// One sensor with its history.
    Sensor(SensorId),
    /// Predictions of the models.
    Predictions,
    /// Why one prediction was made.
    Prediction(PredictionId),
    /// The alarm queue.
    Alarms,
    /// The alarm queue with one alarm open.
    Alarm(AlarmId),
    /// Maintenance tickets.
    Tickets,
    /// The tickets with one open.
    Ticket(TicketId),
    /// Reports: made, downloaded, scheduled.
    Reports,
    /// Versions of the models.
    Models,
    /// Who is on call, and whom the system tells of alarms.
    OnCall,
    /// Receivers of events.
    Webhooks,
    /// How payloads are read, and those that could not be.
    Mappings,
    /// Settings of the platform.
    Settings,
    /// Accounts and roles.
    Users,
    /// Who did what.
    Audit,
    /// State of functions, database, broker, bridge and model.
    System,
    /// The signed-in user.
    Profile,
    /// How to publish the first reading.
    Start,
    /// No such page.
    NotFound,
}

/// A piece of the program that is fetched when the first of its pages is shown. Code that several chunks use is fetched
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Chunk {
    /// The plant as a whole: overview, list of machines, the first reading.
    Plant,
    /// One machine, its sensors and its predictions.
    Sensing,
    /// Alarms and tickets.
    Work,
    /// Reports, models, webhooks, payloads, system state.
    Operations,
    /// Settings, accounts, audit log, one's own account.
    Admin,
    /// On-call schedules, escalation chains, notices of alarms.
    OnCall,
}

impl Chunk {
    /// The name in its files' names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plant => "plant",
            Self::Sensing => "sensing",
            Self::Work => "work",
            Self::Operations => "operations",
            Self::Admin => "admin",
            Self::OnCall => "on_call",
        }
    }
}

impl Route {
    /// The pages without an id in their address, in the order in which the palette lists them.
    pub const PAGES: &[Self] = &[
        Self::Overview,
        Self::Machines,
        Self::Sensors,
        Self::Predictions,
        Self::Alarms,
        Self::Tickets,
        Self::Reports,
        Self::Models,
        Self::OnCall,
        Self::Webhooks,
        Self::Mappings,
        Self::Settings,
        Self::Users,
        Self::Audit,
        Self::System,
        Self::Start,
        Self::Profile,
    ];

    /// The page that shows it: a drawer is shown by its list's page.
    #[must_use]
    pub fn page(self) -> Self {
        match self {
            Self::Alarm(_) => Self::Alarms,
            Self::Ticket(_) => Self::Tickets,
            Self::Prediction(_) => Self::Predictions,
            other => other,
        }
    }

    /// The chunk of the program that holds the page; `None` for pages in the file that is fetched first.
    #[must_use]
    pub fn chunk(self) -> Option<Chunk> {
        match self {
            Self::Login | Self::ResetPassword | Self::SignIn | Self::NotFound => None,
            Self::Overview | Self::Machines | Self::Start => Some(Chunk::Plant),
            Self::Machine(_) | Self::Sensors | Self::Sensor(_) | Self::Predictions | Self::Prediction(_) => {
                Some(Chunk::Sensing)
            }
            Self::Alarms | Self::Alarm(_) | Self::Tickets | Self::Ticket(_) => Some(Chunk::Work),
            Self::Reports | Self::Models | Self::Webhooks | Self::Mappings | Self::System => {
                Some(Chunk::Operations)
            }
            Self::Settings | Self::Users | Self::Audit | Self::Profile => Some(Chunk::Admin),
            Self::OnCall => Some(Chunk::OnCall),
        }
    }

    /// The least role that may use the page.
    #[must_use]
    pub fn least_role(self) -> Role {
        match self {
            Self::Users | Self::Audit => Role::Admin,
            Self::Models | Self::Webhooks | Self::Mappings | Self::Settings => Role::Engineer,
            Self::Reports => Role::Viewer,
            _ => Role::Operator,
        }
    }

    /// The page of an address' path.
    #[must_use]
    pub fn parse(path: &str) -> Self {
        let path = path.strip_prefix(BASE).unwrap_or(path);
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        match segments.as_slice() {
            [] => Self::Overview,
            ["login"] => Self::Login,
            ["reset-password"] => Self::ResetPassword,
            ["sign-in"] => Self::SignIn,
            ["machines"] => Self::Machines,
            ["machines", id] => id.parse().map_or(Self::NotFound, Self::Machine),
            ["sensors"] => Self::Sensors,
            ["sensors", id] => id.parse().map_or(Self::NotFound, Self::Sensor),
            ["predictions"] => Self::Predictions,
            ["predictions", id] => id.parse().map_or(Self::NotFound, Self::Prediction),
            ["alarms"] => Self::Alarms,
            ["alarms", id] => id.parse().map_or(Self::NotFound, Self::Alarm),
            ["tickets"] => Self::Tickets,
            ["tickets", id] => id.parse().map_or(Self::NotFound, Self::Ticket),
            ["reports"] => Self::Reports,
            ["models"] => Self::Models,
            ["on-call"] => Self::OnCall,
            ["webhooks"] => Self::Webhooks,
            ["mappings"] => Self::Mappings,
            ["settings"] => Self::Settings,
            ["users"] => Self::Users,
            ["audit"] => Self::Audit,
            ["system"] => Self::System,
            ["profile"] => Self::Profile,
            ["start"] => Self::Start,
            _ => Self::NotFound,
        }
    }

    /// The entry of the main menu that the page belongs to.
    #[must_use]
    pub fn section(self) -> Self {
        match self {
            Self::Machine(_) => Self::Machines,
            Self::Sensor(_) => Self::Sensors,
            other => other.page(),
        }
    }

    /// The page's name, for menus and the window title.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Login | Self::SignIn => "Sign in",
            Self::ResetPassword => "New password",
            Self::Machines => "Machines",
            Self::Machine(_) => "Machine",
            Self::Sensors => "Sensors",
            Self::Sensor(_) => "Sensor",
            Self::Predictions => "Predictions",
            Self::Prediction(_) => "Prediction",
            Self::Alarms | Self::Alarm(_) => "Alarms",
            Self::Tickets | Self::Ticket(_) => "Tickets",
            Self::Reports => "Reports",
            Self::Models => "Models",
            Self::OnCall => "On call",
            Self::Webhooks => "Webhooks",
            Self::Mappings => "Payloads",
            Self::Settings => "Settings",
            Self::Users => "Users",
            Self::Audit => "Audit log",
            Self::System => "System",
            Self::Profile => "Profile",
            Self::Start => "First reading",
            Self::NotFound => "Not found",
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BASE)?;
        match self {
            Self::Overview => f.write_str("/"),
            Self::Login => f.write_str("/login"),
            Self::ResetPassword => f.write_str("/reset-password"),
            Self::SignIn => f.write_str("/sign-in"),
            Self::Machines => f.write_str("/machines"),
            Self::Machine(id) => write!(f, "/machines/{id}"),
            Self::Sensors => f.write_str("/sensors"),
            Self::Sensor(id) => write!(f, "/sensors/{id}"),
            Self::Predictions => f.write_str("/predictions"),
            Self::Prediction(id) => write!(f, "/predictions/{id}"),
            Self::Alarms => f.write_str("/alarms"),
            Self::Alarm(id) => write!(f, "/alarms/{id}"),
            Self::Tickets => f.write_str("/tickets"),
            Self::Ticket(id) => write!(f, "/tickets/{id}"),
            Self::Reports => f.write_str("/reports"),
            Self::Models => f.write_str("/models"),
            Self::OnCall => f.write_str("/on-call"),
            Self::Webhooks => f.write_str("/webhooks"),
            Self::Mappings => f.write_str("/mappings"),
            Self::Settings => f.write_str("/settings"),
            Self::Users => f.write_str("/users"),
            Self::Audit => f.write_str("/audit"),
            Self::System => f.write_str("/system"),
            Self::Profile => f.write_str("/profile"),
            Self::Start => f.write_str("/start"),
            Self::NotFound => f.write_str("/not-found"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_every_page_leads_back_to_it() {
        let id = "0193588b-7a57-7000-8000-000000000001";
        let pages = [
            Route::Overview,
            Route::Login,
            Route::ResetPassword,
            Route::SignIn,
            Route::Machines,
            Route::Machine(id.parse().unwrap()),
            Route::Sensors,
            Route::Sensor(id.parse().unwrap()),
            Route::Predictions,
            Route::Prediction(id.parse().unwrap()),
            Route::Alarms,
            Route::Alarm(id.parse().unwrap()),
            Route::Tickets,
            Route::Ticket(id.parse().unwrap()),
            Route::Reports,
            Route::Models,
            Route::OnCall,
            Route::Webhooks,
            Route::Mappings,
            Route::Settings,
            Route::Users,
            Route::Audit,
            Route::System,
            Route::Profile,
            Route::Start,
            Route::NotFound,
        ];
        for page in pages {
            assert_eq!(Route::parse(&page.to_string()), page);
            assert!(!page.name().is_empty());
        }
    }

    #[test]
    fn unknown_addresses_are_not_found() {
        for (path, page) in [
            ("/", Route::Overview),
            ("/app", Route::Overview),
            ("/app/machines/", Route::Machines),
            ("/app/machines/no-id", Route::NotFound),
            ("/app/nowhere", Route::NotFound),
        ] {
            assert_eq!(Route::parse(path), page, "{path}");
        }
    }
}
