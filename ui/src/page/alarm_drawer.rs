//! The drawer of one alarm: what happened, the trend around it, and what to do.

use super::{
    alarm_notices::NoticesOfAlarm,
    case_alarms::CaseAlarms,
    discussion::{Discussion, Subject},
    guidance::Guidance,
    queue::AlarmActions,
    similar_alarms::SimilarAlarms,
};
use crate::{
    api::{Query, Refresh},
    chart::{Chart, Group, Range, SensorSeries, Span, limits},
    components::{
        badge,
        drawer::Drawer,
        icon::Icon,
        loaded::Loaded,
        time::{Ago, Clock, ms},
    },
    live::Topic,
    shell::Machines,
    state::app,
};
use leptos::{html, prelude::*, task::spawn_local};
use pm_api::{
    AlarmId, AlarmKind, AlarmStatus, Role, Verdict,
    alarm::{Alarm, AlarmResolution},
    route::{op, request},
};
use pm_ui_core::{change::given, route::Route, text, urgency};

/// The drawer.
#[component]
pub fn AlarmDrawer(
    /// Which alarm.
    id: AlarmId,
    /// The queue behind it.
    list: Query<Vec<Alarm>>,
) -> impl IntoView {
    let app = app();
    let alarm = Query::new(move || Some(request(op::GetAlarm, [&id])), &[Refresh::On(Topic::Alarms)]);
    let close = Callback::new(move |()| {
        app.nav.set_param("resolve", None);
        app.nav.go(&untrack(|| app.nav.to(Route::Alarms)));
    });
    let queue = AlarmActions::of(list);
    let acknowledge = move |_| {
        queue.acknowledge(vec![id]);
        alarm.amend(|alarm| alarm.status = AlarmStatus::Acknowledged);
    };
    // An alarm may change every second: charts and forms depend on a few of its fields, so that they are not made again.
    let about = Memo::new(move |_| {
        alarm.data.with(|a| a.as_ref().and_then(|a| Some((a.sensor_id?, ms(a.triggered_at), a.severity))))
    });
    let case = Memo::new(move |_| alarm.data.with(|a| a.as_ref().map(|a| a.case_id)));
    let may = move || app.api.session.may(Role::Engineer);
    let open =
        Memo::new(move |_| may() && alarm.data.with(|a| a.iter().any(|a| a.status == AlarmStatus::Open)));
    let active = Memo::new(move |_| may() && alarm.data.with(|a| a.iter().any(urgency::is_active)));
    view! {
        <Drawer label="Alarm" heading="Alarm" close>
            <Loaded phase=alarm.phase() retry=alarm.retry() lines=6>
                {move || alarm.data.get().map(|found| head(&found))}
                {move || about.get().map(|(sensor, at, severity)| view! { <Around sensor around=at mark=(at, severity) /> })}
                {move || alarm.data.get().map(|found| view! { <Facts found /> })}
                {move || about.get().map(|(sensor, ..)| view! { <Guidance sensor /> })}
                {move || {
                    open.get()
                        .then(|| {
                            view! {
                                <button class="button wide" on:click=acknowledge>
                                    {Icon::Check.view()}
                                    "Acknowledge"
                                </button>
                            }
                        })
                }}
                {move || active.get().then(|| view! { <Resolve alarm queue id /> })}
            </Loaded>
            {move || case.get().map(|case_id| view! { <CaseAlarms case_id heading="The same trouble" least=2 shown=id queue /> })}
            <NoticesOfAlarm id />
            <SimilarAlarms id />
            <Discussion subject=Subject::Alarm(id) />
        </Drawer>
    }
    .into_any()
}

/// Severity, status and message.
fn head(alarm: &Alarm) -> AnyView {
    let back_to_normal = urgency::is_active(alarm) && !alarm.condition_active;
    view! {
        <div class="badges">
            {badge::severity(alarm.severity)} {badge::alarm_status(alarm.status)}
            {back_to_normal.then(|| view! { <span class="badge off">"Back to normal"</span> })}
        </div>
        <p class="alarm-message">{alarm.message.clone()}</p>
    }
    .into_any()
}

#[component]
fn Facts(found: Alarm) -> impl IntoView {
    let machines = expect_context::<Machines>();
    let machine = found.machine_id;
    view! {
        <dl class="facts">
            <dt>"Machine"</dt>
            <dd>
                <a href=Route::Machine(machine).to_string()>{move || machines.name(machine)}</a>
            </dd>
            <dt>"Raised"</dt>
            <dd><Clock at=found.triggered_at /> ", " <Ago at=found.triggered_at /></dd>
            <dt>"Last seen"</dt>
            <dd><Ago at=found.last_seen_at /></dd>
            <dt>"Occurrences"</dt>
            <dd>{text::count(found.occurrences)}</dd>
            <dt>"Kind"</dt>
            <dd>
                {text::title(&found.kind)}
                {found
                    .prediction_id
                    .map(|id| {
                        view! {
                            ", "
                            <a href=Route::Prediction(id).to_string()>"explanation of the prediction"</a>
                        }
                    })}
            </dd>
            {found
                .acknowledged_at
                .map(|at| {
                    view! {
                        <dt>"Acknowledged"</dt>
                        <dd><Ago at /></dd>
                    }
                })}
            {found
                .resolved_at
                .map(|at| {
                    view! {
                        <dt>"Resolved"</dt>
                        <dd><Ago at /></dd>
                    }
                })}
            {found
                .verdict
                .map(|verdict| {
                    view! {
                        <dt>"Cause"</dt>
                        <dd>{text::title(verdict.as_str())}</dd>
                    }
                })}
            {found
                .resolution_notes
                .map(|notes| {
                    view! {
                        <dt>"Notes"</dt>
                        <dd>{notes}</dd>
                    }
                })}
        </dl>
    }
    .into_any()
}

/// The sensor's trend around the event.
#[component]
fn Around(sensor: pm_api::SensorId, around: f64, mark: (f64, pm_api::Severity)) -> impl IntoView {
    let app = app();
    let known = Query::new(move || Some(request(op::GetSensor, [&sensor])), &[]);
    let half = 10.0 * 60_000.0;
    let (from, to) = (around - half, (around + half).min(app.now.get_untracked() + 60_000.0));
    let range = Range::between(from, to);
    let source = SensorSeries::follow(sensor, Signal::stored(range));
    let group = Group::new(Span::Fixed(from, to));
    let lines = Signal::derive(move || known.data.with(|s| s.as_ref().map(limits).unwrap_or_default()));
    view! {
        <Loaded phase=known.phase() retry=known.retry() lines=3>
            {move || {
                known
                    .data
                    .get()
                    .map(|sensor| {
                        let unit = sensor.unit.unwrap_or_default();
                        view! {
                            <section class="lane">
                                <header class="lane-head">
                                    <a href=Route::Sensor(sensor.id).to_string()>{sensor.name.clone()}</a>
                                    <span class="muted">{unit.clone()}</span>
                                </header>
                                <Chart
                                    series=source.series
                                    doubtful=source.doubtful
                                    group
                                    name=sensor.name
                                    unit
                                    limits=lines
                                    marks=Signal::stored(vec![mark])
                                    height=180
                                />
                            </section>
                        }
                    })
            }}
        </Loaded>
    }
    .into_any()
}

#[component]
fn Resolve(alarm: Query<Alarm>, queue: AlarmActions, id: AlarmId) -> impl IntoView {
    let app = app();
    let notes = RwSignal::new(String::new());
    let verdict = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get()
            && untrack(|| app.nav.param("resolve")).is_some()
        {
            let _ = field.focus();
        }
    });
    // only what a model found can become part of its reference
    let by_model = move || {
        alarm.data.with_untracked(|a| a.as_ref().is_some_and(|a| a.kind == AlarmKind::Prediction.as_str()))
    };
    let resolve = move |verdict: Option<Verdict>| {
        busy.set(true);
        spawn_local(async move {
            let body =
                AlarmResolution { resolution_notes: given(&notes.get_untracked()).map(Into::into), verdict };
            let answer = app.api.send(request(op::ResolveAlarm, [&id]), &Some(body)).await;
            busy.try_set(false);
            match answer {
                Ok(resolved) => {
                    app.toasts.done("Alarm resolved.");
                    alarm.data.try_set(Some(resolved));
                    queue.refetch();
                }
                Err(error) => app.toasts.failed(format!("Not resolved: {error}")),
            }
        });
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        resolve(verdict.get_untracked().parse().ok());
    };
    view! {
        {by_model()
            .then(|| {
                view! {
                    <button
                        class="button wide"
                        type="button"
                        title="Resolves the alarm as false. What the sensor shows now belongs to its reference from now on."
                        disabled=move || busy.get()
                        on:click=move |_| resolve(Some(Verdict::FalseAlarm))
                    >
                        {Icon::Check.view()}
                        "This is normal"
                    </button>
                }
            })}
        <form class="resolve" on:submit=submit>
            <label class="field">
                <span>"What was found and done"</span>
                <textarea
                    node_ref=field
                    class="input"
                    rows="3"
                    placeholder="e.g. bearing greased, limit was too tight"
                    prop:value=move || notes.get()
                    on:input=move |event| notes.set(event_target_value(&event))
                ></textarea>
            </label>
            <label class="field">
                <span>"Cause"</span>
                <select class="input" on:change=move |event| verdict.set(event_target_value(&event))>
                    <option value="">"Not specified"</option>
                    {Verdict::WORDS
                        .iter()
                        .map(|word| view! { <option value=*word>{text::title(word)}</option> })
                        .collect_view()}
                </select>
            </label>
            <button class="button primary wide" type="submit" disabled=move || busy.get()>
                {Icon::CheckAll.view()}
                "Resolve"
            </button>
        </form>
    }
    .into_any()
}
