//! Planned maintenance of a machine: when what its sensors show raises no alarm, and what was suppressed.

use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        confirm::Dialog,
        form::{self, Only, choice, text_field},
        icon::Icon,
        loaded::{Empty, Entries, Loaded},
        time::{Ago, Clock},
    },
    live::Topic,
    shell::Machines,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    MachineId, Role, Timestamp,
    maintenance::{MaintenanceWindow, NewMaintenanceWindow, SuppressedCondition, SuppressedFilter},
    report::Cadence,
    route::{op, request},
};
use pm_ui_core::{route::Route, text};

/// How often a window comes again, first that it does not.
const REPETITIONS: [&str; 3] = ["once", Cadence::WORDS[0], Cadence::WORDS[1]];

/// The panel of a machine.
#[component]
pub fn Maintenance(
    /// Which machine.
    id: MachineId,
) -> impl IntoView {
    let windows = Query::new(|| Some(request(op::ListMaintenanceWindows, [])), &[Refresh::Pulse]);
    let suppressed = Query::new(
        move || {
            let filter = SuppressedFilter { machine_id: Some(id), since: None };
            Some(request(op::ListSuppressedConditions, []).query(&filter).limit(5))
        },
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let open = RwSignal::new(false);
    let machines = expect_context::<Machines>();
    let of_machine = Memo::new(move |_| {
        let machine = machines.query.items().into_iter().find(|machine| machine.id == id);
        let class = machine.and_then(|machine| machine.machine_class);
        let covers = |window: &MaintenanceWindow| match (window.machine_id, &window.machine_class) {
            (Some(machine), _) => machine == id,
            (None, Some(of)) => class.as_ref() == Some(of),
            (None, None) => true,
        };
        windows.items().into_iter().filter(covers).collect::<Vec<_>>()
    });
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Planned maintenance"</h2>
                <Only least=Role::Engineer>
                    <button class="button small" on:click=move |_| open.set(true)>
                        {Icon::Plus.view()}
                        "Plan"
                    </button>
                </Only>
            </header>
            <Loaded phase=windows.phase() retry=windows.retry() lines=2>
                <ul class="entries">
                    <For each=move || of_machine.get() key=|w| (w.id, w.updated_at, w.is_on) children=move |w| row(w, windows) />
                </ul>
                {move || {
                    of_machine
                        .with(Vec::is_empty)
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Clock title="Nothing planned">
                                    "Meanwhile, what the sensors show raises no alarm."
                                </Empty>
                            }
                        })
                }}
            </Loaded>
            <Suppressed suppressed />
        </section>
        <Dialog open title="Plan maintenance">
            <Form id open windows />
        </Dialog>
    }
    .into_any()
}

/// The newest conditions that raised no alarm, where there are any.
#[component]
fn Suppressed(suppressed: Query<Vec<SuppressedCondition>>) -> impl IntoView {
    let any = Memo::new(move |_| suppressed.data.with(|list| list.iter().flatten().next().is_some()));
    move || {
        any.get().then(|| {
            view! {
                <h3>"Suppressed"</h3>
                <Entries list=suppressed key=|s: &SuppressedCondition| (s.id, s.last_seen_at) row=suppressed_row lines=1 none=|| ().into_any() />
            }
        })
    }
}

fn suppressed_row(of: SuppressedCondition, _: Query<Vec<SuppressedCondition>>) -> AnyView {
    view! {
        <li>
            <div>
                {badge::severity(of.severity)} " "
                <a href=Route::Sensor(of.sensor_id).to_string()>{of.message}</a>
                <p class="muted small">
                    {text::count(of.occurrences)} " times, last " <Ago at=of.last_seen_at />
                </p>
            </div>
        </li>
    }
    .into_any()
}

fn row(window: MaintenanceWindow, windows: Query<Vec<MaintenanceWindow>>) -> AnyView {
    let app = app();
    let id = window.id;
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteMaintenanceWindow, [&id])).await {
                Ok(()) => windows.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let scope = match (&window.machine_id, &window.machine_class) {
        (Some(_), _) => String::new(),
        (None, Some(class)) => format!(", every {class}"),
        (None, None) => ", the whole site".to_owned(),
    };
    let repeats = window.repeats.map(|r| format!(", {} by the clocks of {}", r.as_str(), window.zone));
    view! {
        <li>
            <div>
                <strong>{window.reason}</strong> " " {window.is_on.then(|| view! { <span class="badge off">"On now"</span> })}
                <p class="muted small">
                    <Clock at=window.starts_at /> " to " <Clock at=window.ends_at /> {repeats} {scope}
                </p>
            </div>
            <div class="acts">
                <Only least=Role::Engineer>{form::sure_button("Remove", "Really remove", remove)}</Only>
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Form(id: MachineId, open: RwSignal<bool>, windows: Query<Vec<MaintenanceWindow>>) -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let (reason, from, to) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let repeats = RwSignal::new(REPETITIONS[0]);
    let whole_site = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        // the browser reads such a time in its own zone
        let read = |text: RwSignal<String>| js_sys::Date::parse(&text.get_untracked());
        let (begin, end) = (read(from), read(to));
        if begin.is_nan() || end.is_nan() || end <= begin {
            problem.set(Some("The end must be later than the begin.".to_owned()));
            return;
        }
        let at = |milliseconds: f64| Timestamp(milliseconds as i64 * 1000);
        let body = NewMaintenanceWindow {
            reason: reason.get_untracked().trim().into(),
            starts_at: at(begin),
            ends_at: at(end),
            machine_id: (!whole_site.get_untracked()).then_some(id),
            machine_class: None,
            repeats: repeats.get_untracked().parse().ok(),
            repeats_until: None,
            zone: crate::browser::time_zone().map(|zone| zone.as_str().into()),
        };
        spawn_local(async move {
            match app.api.send(request(op::CreateMaintenanceWindow, []), &body).await {
                Ok(_) => {
                    windows.refetch();
                    open.set(false);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <p class="muted">{move || machines.name(id)}</p>
            {text_field("What is done", "text", true, reason)}
            <div class="form-row">{form::moment_field("From", from)} {form::moment_field("To", to)}</div>
            {choice("Repeats", &REPETITIONS, move || repeats.get(), move |word| {
                repeats.set(REPETITIONS.iter().copied().find(|known| *known == word).unwrap_or(REPETITIONS[0]));
            })}
            {form::check("For every machine of the site", whole_site)}
            {form::problem(problem)}
            {form::foot(open, "Plan it", None)}
        </form>
    }
    .into_any()
}
