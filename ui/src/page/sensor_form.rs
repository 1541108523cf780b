//! A sensor is added, changed, removed: its name, its kind and its limits.

use crate::{
    api::Query,
    components::{
        confirm::Dialog,
        form::{self, text_field},
        icon::Icon,
        undo,
    },
    shell::Machines,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    MachineId, Role, Timestamp,
    route::{op, request},
    score::Limits,
    sensor::Sensor,
};
use pm_ui_core::{
    change::{changes, given, number},
    route::Route,
};

/// A button that opens the form for a new sensor, for those who may add one.
#[component]
pub fn AddSensor(
    /// Of this machine; else the form asks.
    #[prop(optional)]
    machine: Option<MachineId>,
) -> impl IntoView {
    form_button("Add sensor", Icon::Plus, blank(machine.unwrap_or(uuid::Uuid::nil().into())), None)
}

/// A button that opens the form of a sensor, for those who may change it.
#[component]
pub fn EditSensor(
    /// The sensor as it is.
    sensor: Sensor,
    /// Fetched again when the sensor has changed.
    query: Query<Sensor>,
) -> impl IntoView {
    form_button("Edit", Icon::Wrench, sensor, Some(query))
}

fn form_button(label: &'static str, icon: Icon, sensor: Sensor, query: Option<Query<Sensor>>) -> AnyView {
    let open = RwSignal::new(false);
    let sensor = StoredValue::new(sensor);
    view! {
        {form::opener(label, icon, Role::Engineer, move || open.set(true))}
        <Dialog open title=if query.is_some() { "Sensor" } else { "New sensor" }>
            <Form open sensor=sensor.get_value() query />
        </Dialog>
    }
    .into_any()
}

fn blank(machine_id: MachineId) -> Sensor {
    Sensor {
        machine_id,
        name: String::new(),
        sensor_type: String::new(),
        unit: None,
        min_threshold: None,
        max_threshold: None,
        warning_threshold: None,
        critical_threshold: None,
        warning_low: None,
        critical_low: None,
        limits: Limits::default(),
        limits_inherited: false,
        metadata: None,
        id: uuid::Uuid::nil().into(),
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        latest: None,
    }
}

#[component]
fn Form(open: RwSignal<bool>, sensor: Sensor, query: Option<Query<Sensor>>) -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let text = |value: Option<f64>| RwSignal::new(value.map(|v| v.to_string()).unwrap_or_default());
    let name = RwSignal::new(sensor.name.clone());
    let kind = RwSignal::new(sensor.sensor_type.clone());
    let unit = RwSignal::new(sensor.unit.clone().unwrap_or_default());
    let (warning, critical) = (text(sensor.warning_threshold), text(sensor.critical_threshold));
    // The older field for the low side is shown where the newer one is empty, and is moved there when saved.
    let (low, critical_low) = (text(sensor.warning_low.or(sensor.min_threshold)), text(sensor.critical_low));
    let problem = RwSignal::new(None::<String>);
    let (id, known, asks) = (sensor.id, query.is_some(), sensor.machine_id.0.is_nil());
    let home = sensor.machine_id;
    let machine = RwSignal::new(sensor.machine_id.to_string());
    // What the form is compared with; a new sensor's machine is always sent.
    let old = StoredValue::new(if known { sensor } else { blank(uuid::Uuid::nil().into()) });
    let read = move || -> Result<Sensor, String> {
        Ok(Sensor {
            machine_id: machine.get_untracked().parse().map_err(|_| "Choose a machine.".to_owned())?,
            name: name.get_untracked().trim().to_owned(),
            sensor_type: kind.get_untracked().trim().to_owned(),
            unit: given(&unit.get_untracked()),
            warning_threshold: number(&warning.get_untracked())?,
            critical_threshold: number(&critical.get_untracked())?,
            warning_low: number(&low.get_untracked())?,
            critical_low: number(&critical_low.get_untracked())?,
            min_threshold: None,
            ..old.get_value()
        })
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let new = match read() {
            Ok(new) => new,
            Err(text) => return problem.set(Some(text)),
        };
        let old = old.get_value();
        let (body, before) = (changes(&old, &new), changes(&new, &old));
        if body.is_empty() {
            return open.set(false);
        }
        spawn_local(async move {
            let change = request(op::UpdateSensor, [&id]);
            let answer = if known {
                app.api.send_changes(change.clone(), &body).await
            } else {
                app.api.send_changes(request(op::CreateSensor, []), &body).await
            };
            match answer {
                Ok(saved) => {
                    open.set(false);
                    let done = format!("{} saved.", saved.name);
                    match query {
                        Some(query) => {
                            query.refetch();
                            undo::offer(app, done, change, before);
                        }
                        None => {
                            app.toasts.done(done);
                            app.nav.go(&Route::Sensor(saved.id).to_string());
                        }
                    }
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteSensor, [&id])).await {
                Ok(()) => {
                    app.toasts.done("Sensor deleted.");
                    app.nav.go(&Route::Machine(home).to_string());
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let field = |label: &'static str, value: RwSignal<String>| {
        view! {
            <label class="field">
                <span>{label}</span>
                <input class="input" inputmode="decimal" autocomplete="off" bind:value=value />
            </label>
        }
    };
    view! {
        <form class="form" on:submit=submit>
            {asks
                .then(|| {
                    view! {
                        <label class="field">
                            <span>"Machine"</span>
                            <select class="input" required on:change=move |event| machine.set(event_target_value(&event))>
                                <option value="">"Choose"</option>
                                {move || {
                                    machines
                                        .query
                                        .items()
                                        .into_iter()
                                        .map(|m| view! { <option value=m.id.to_string()>{m.name}</option> })
                                        .collect_view()
                                }}
                            </select>
                        </label>
                    }
                })}
            {text_field("Name", "text", true, name)}
            <div class="form-row">
                {text_field("Kind, e.g. temperature", "text", true, kind)} {text_field("Unit", "text", false, unit)}
            </div>
            <div class="form-row">
                {field("Warning at or above", warning)} {field("Critical at or above", critical)}
            </div>
            <div class="form-row">
                {field("Warning at or below", low)} {field("Critical at or below", critical_low)}
            </div>
            <p class="muted small">"Without limits of its own, the machine's limits for this kind count."</p>
            {form::problem(problem)}
            {form::foot(open, "Save", known.then(|| form::sure_button("Delete", "Delete it and all its readings", remove)))}
        </form>
    }
    .into_any()
}
