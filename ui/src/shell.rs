//! The frame around every page: menu, title, connection, theme, user.

use crate::{
    api::{Query, Refresh},
    components::{brand::brand, icon::Icon},
    live::{Connection, Topic},
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    MachineId,
    alarm::{Alarm, AlarmFilter, StatusOrActive},
    machine::Machine,
    route::{op, request},
    sort::AlarmSort,
};
use pm_ui_core::{route::Route, text, urgency};
use std::collections::HashMap;

/// Most active alarms that the menu and the machines' list load, the most urgent first.
const MAX_ACTIVE_ALARMS: usize = 200;

/// The entries of the menu; each is shown to users who may use its page.
const MENU: &[(Route, Icon)] = &[
    (Route::Overview, Icon::Overview),
    (Route::Machines, Icon::Machine),
    (Route::Alarms, Icon::Alarm),
    (Route::Sensors, Icon::Sensor),
    (Route::Predictions, Icon::Prediction),
    (Route::Tickets, Icon::Ticket),
    (Route::Reports, Icon::Report),
    (Route::Models, Icon::Robot),
    (Route::OnCall, Icon::Clock),
    (Route::Webhooks, Icon::Webhook),
    (Route::Mappings, Icon::Clip),
    (Route::Settings, Icon::Settings),
    (Route::Users, Icon::Users),
    (Route::Audit, Icon::Audit),
    (Route::System, Icon::System),
];

/// The frame.
#[component]
pub fn Shell(
    /// The page.
    children: Children,
) -> impl IntoView {
    let app = app();
    let alarms = Query::new(
        || {
            let active = AlarmFilter { status: Some(StatusOrActive::Active), ..AlarmFilter::default() };
            let list = request(op::ListAlarms, []).query(&active);
            Some(list.descending(AlarmSort::Urgency).limit(MAX_ACTIVE_ALARMS))
        },
        &[Refresh::On(Topic::Alarms)],
    );
    provide_context(ActiveAlarms(alarms));
    let machines = Query::new(|| Some(request(op::ListMachines, []).limit(1000)), &[Refresh::Pulse]);
    let names = Memo::new(move |_| machines.items().into_iter().map(|m| (m.id, m.name)).collect());
    provide_context(Machines { query: machines, names });
    let more = RwSignal::new(false);
    Effect::new(move |_| {
        app.nav.route.track();
        more.set(false);
    });
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <div class="frame" inert=move || app.api.session.expired.get()>
            <nav class="menu" class:expanded=move || more.get() aria-label="Main">
                <a class="brand" href=Route::Overview.to_string() aria-label="Predictive Maintenance, overview">
                    {brand("26")}
                    <span>"Predictive" <br /> "Maintenance"</span>
                </a>
                <ul>
                    {MENU.iter().map(|(route, icon)| entry(*route, *icon, alarms)).collect_view()}
                    <li class="menu-more">
                        <button
                            class="menu-link"
                            aria-expanded=move || more.get().to_string()
                            on:click=move |_| more.update(|open| *open = !*open)
                        >
                            {Icon::More.view()}
                            <span>"More"</span>
                        </button>
                    </li>
                </ul>
                <div class="menu-foot">
                    <a class="menu-link" href=Route::Start.to_string()>
                        {Icon::Plus.view()}
                        <span>"Connect a sensor"</span>
                    </a>
                    <UserMenu />
                </div>
            </nav>
            <div class="stage">
                <header class="top">
                    <p class="where">{move || app.nav.route.get().section().name()}</p>
                    <ConnectionState />
                    <button
                        class="quiet"
                        aria-label=move || if app.dark() { "Use light colours" } else { "Use dark colours" }
                        title="Light or dark (t)"
                        on:click=move |_| app.toggle_theme()
                    >
                        {move || if app.dark() { Icon::Sun.view() } else { Icon::Moon.view() }}
                    </button>
                </header>
                <OfflineBanner />
                <main id="main" tabindex="-1">
                    {children()}
                </main>
            </div>
        </div>
    }
    .into_any()
}

/// The active alarms; one query for menu and pages.
#[derive(Clone, Copy)]
pub struct ActiveAlarms(pub Query<Vec<Alarm>>);

/// The machines and their names; one query for all pages.
#[derive(Clone, Copy)]
pub struct Machines {
    /// All machines.
    pub query: Query<Vec<Machine>>,
    /// Their names.
    pub names: Memo<HashMap<MachineId, String>>,
}

impl Machines {
    /// The name of a machine, once it is known. Reactive.
    #[must_use]
    pub fn name(self, id: MachineId) -> Option<String> {
        self.names.with(|names| names.get(&id).cloned())
    }
}

fn entry(route: Route, icon: Icon, alarms: Query<Vec<Alarm>>) -> AnyView {
    let app = app();
    let current = move || app.nav.route.get().section() == route;
    let waiting = move || {
        if route != Route::Alarms {
            return None;
        }
        let (open, severity) = alarms.data.with(|data| {
            let data = data.as_deref().unwrap_or_default();
            let open = data.iter().filter(|alarm| alarm.status == pm_api::AlarmStatus::Open).count();
            (open, urgency::highest_severity(data))
        });
        let class = severity.map_or("info", pm_api::Severity::as_str);
        (open > 0).then(|| {
            let open = if open >= MAX_ACTIVE_ALARMS { format!("{open}+") } else { open.to_string() };
            let label = format!("{open} unacknowledged");
            view! { <span class=format!("pill {class}") aria-label=label>{open}</span> }
        })
    };
    view! {
        {move || app.api.session.may_see(route).then(|| {
            view! {
                <li>
                    <a class="menu-link" href=route.to_string() aria-current=move || current().then_some("page")>
                        {icon.view()}
                        <span>{route.name()}</span>
                        {waiting}
                    </a>
                </li>
            }
        })}
    }
    .into_any()
}

#[component]
fn UserMenu() -> impl IntoView {
    let app = app();
    let user = app.api.session.user;
    let name = move || {
        user.with(|user| {
            user.as_ref().map_or_else(String::new, |u| u.full_name.clone().unwrap_or_else(|| u.email.clone()))
        })
    };
    let role = move || user.with(|user| user.as_ref().map_or("", |u| u.role.as_str()));
    view! {
        <div class="user">
            <a class="menu-link" href=Route::Profile.to_string()>
                {Icon::User.view()}
                <span class="user-name">{name} <small class="muted">{role}</small></span>
            </a>
            <button
                class="quiet"
                aria-label="Sign out"
                title="Sign out"
                on:click=move |_| spawn_local(app.api.logout())
            >
                {Icon::Logout.view()}
            </button>
        </div>
    }
    .into_any()
}

#[component]
fn ConnectionState() -> impl IntoView {
    let app = app();
    let shown = move || match app.live.connection.get() {
        Connection::Live => ("live", "Live".to_owned()),
        Connection::Connecting => ("wait", "Connecting".to_owned()),
        Connection::Idle => ("wait", "Paused".to_owned()),
        Connection::Waiting(due) => {
            let left = ((due - app.now.get()) / 1000.0).ceil().max(0.0);
            ("lost", if left > 1.0 { format!("Again in {left:.0} s") } else { "Reconnecting".to_owned() })
        }
    };
    view! {
        <button
            class=move || format!("connection {}", shown().0)
            title="State of the live connection; click to reconnect"
            on:click=move |_| app.live.retry_now()
        >
            <span class="dot" aria-hidden="true"></span>
            <span>{move || shown().1}</span>
        </button>
    }
    .into_any()
}

#[component]
fn OfflineBanner() -> impl IntoView {
    let app = app();
    move || {
        app.api.unreachable.get().then(|| {
            let age = move || text::duration(app.now.get() - app.api.answered_ms.get());
            view! {
                <div class="banner" role="status">
                    {Icon::Offline.view()}
                    <span>"No connection to the server. What you see is " {age} " old."</span>
                    <button class="button small" on:click=move |_| app.live.retry_now()>
                        "Try now"
                    </button>
                </div>
            }
        })
    }
}
