//! What each sensor of a machine shows beside its healthy reference, and the buttons that start references anew.

use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        form::{self, Only},
        icon::Icon,
        loaded::{Empty, Loaded},
        time::{Ago, Clock},
    },
    live::Topic,
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    MachineId, RestartReason, Role, SensorId,
    prediction::UsualLevels,
    reference::{ReferenceRestart, RestartReference, SensorReference},
    route::{op, request},
};
use pm_ui_core::{
    route::Route,
    text::{learning, reading, title},
};

/// The panel of a machine.
#[component]
pub fn References(
    /// Which machine.
    id: MachineId,
) -> impl IntoView {
    let app = app();
    let references = Query::new(
        move || Some(request(op::MachineReferences, [&id])),
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let overhauled = move || {
        spawn_local(async move {
            let body = RestartReference { reason: RestartReason::Overhaul, note: None };
            let restarted = app.api.send(request(op::RestartMachineReferences, [&id]), &body).await;
            tell(app, restarted.map_err(|e| e.to_string()), references);
        });
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Expected and measured"</h2>
                <Only least=Role::Engineer>
                    {form::sure_button("After overhaul", "Learn all sensors anew", overhauled)}
                </Only>
            </header>
            <Loaded phase=references.phase() retry=references.retry() lines=4>
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th>"Sensor"</th>
                                <th class="num">"Now"</th>
                                <th class="num">"Usual"</th>
                                <th class="num wide">"By the other sensors"</th>
                                <th>"Judgement"</th>
                                <th></th>
                            </tr>
                        </thead>
                        <tbody>
                            {move || references.items().into_iter().map(|of| row(of, references)).collect_view()}
                        </tbody>
                    </table>
                </div>
                {move || {
                    references
                        .items()
                        .is_empty()
                        .then(|| view! { <Empty icon=Icon::Sensor title="No sensors yet">"Sensors appear with their first reading."</Empty> })
                }}
            </Loaded>
        </section>
    }
    .into_any()
}

fn row(of: SensorReference, references: Query<Vec<SensorReference>>) -> AnyView {
    let unit = of.unit.clone().unwrap_or_default();
    let value =
        |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{} {unit}", reading(v)));
    let state = of.reference.clone();
    let now = value(state.as_ref().and_then(|s| s.now));
    let usual = match state.as_ref().and_then(|s| s.usual) {
        Some(UsualLevels { low, high }) => format!("{} to {} {unit}", reading(low), reading(high)),
        None => "–".to_owned(),
    };
    let explained = value(of.explained);
    let sensor = of.sensor_id;
    view! {
        <tr>
            <td class="main-cell">
                <a href=Route::Sensor(sensor).to_string()>{of.name.clone()}</a>
            </td>
            <td class="num">{now}</td>
            <td class="num">{usual}</td>
            <td class="num wide">{explained}</td>
            <td>{judgement(&of)}</td>
            <td class="num">
                <Only least=Role::Engineer>
                    <Replaced sensor references />
                </Only>
            </td>
        </tr>
    }
    .into_any()
}

/// Learning, too few readings, as usual, or what is outside since when.
fn judgement(of: &SensorReference) -> AnyView {
    let restart = of.restart.as_ref().map(restarted);
    let Some(state) = &of.reference else {
        let words =
            if of.at.is_some() { "Too few readings yet" } else { "Learning begins with the next reading" };
        return view! { <span class="muted">{words}</span> {restart} }.into_any();
    };
    let outside = state.outside.is_some();
    let class = of.status.map(|status| status.as_str()).filter(|_| outside);
    let days = state.learning_days_left.filter(|_| !outside);
    let calm = (!outside && days.is_none()).then(|| badge::status("normal"));
    let reason = of.reason.clone().filter(|_| outside);
    let since = state.since.filter(|_| outside);
    view! {
        {days.map(|days| view! { <span class="badge info">{learning(days)}</span> })}
        {class.map(badge::status)}
        {calm}
        {since.map(|at| view! { " since " <Clock at /> ", " <Ago at /> })}
        {reason.map(|reason| view! { <p class="small">{reason}</p> })}
        {restart}
    }
    .into_any()
}

fn restarted(restart: &ReferenceRestart) -> AnyView {
    let at = restart.created_at;
    view! {
        <p class="small muted">{title(restart.reason.as_str())} ", " <Ago at /></p>
    }
    .into_any()
}

/// The button by which a sensor is learned anew.
#[component]
fn Replaced(sensor: SensorId, references: Query<Vec<SensorReference>>) -> impl IntoView {
    let app = app();
    let replaced = move || {
        spawn_local(async move {
            let body = RestartReference { reason: RestartReason::SensorReplaced, note: None };
            let restarted = app.api.send(request(op::RestartSensorReference, [&sensor]), &body).await;
            tell(app, restarted.map_err(|e| e.to_string()), references);
        });
    };
    form::sure_button("Sensor replaced", "Learn it anew", replaced)
}

fn tell(app: App, restarted: Result<ReferenceRestart, String>, references: Query<Vec<SensorReference>>) {
    match restarted {
        Ok(_) => {
            app.toasts.done("Learning begins anew with the next reading.");
            references.refetch();
        }
        Err(error) => app.toasts.failed(format!("Not started anew: {error}")),
    }
}
