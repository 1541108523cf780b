//! One machine: its state, its sensors' trends under one crosshair, predictions and alarms.

use crate::{
    api::{Query, Refresh},
    chart::{self, Chart, Group, Range, RangePicker, SensorSeries, limits},
    chunk::{ChunkedPanel, Panel},
    components::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        time::{Ago, ms},
    },
    live::Topic,
    page::{
        alarms::AlarmList, machine_fields::FIELDS, machine_form::EditMachine, predictions::PredictionTable,
        sensor_form::AddSensor,
    },
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    MachineId, RulMethod, Severity,
    alarm::{Alarm, AlarmFilter},
    machine::Machine,
    prediction::PredictionFilter,
    remaining_life::RemainingLife,
    route::{op, request},
    sensor::{Sensor, SensorFilter},
};
use pm_ui_core::{
    route::Route,
    text::{self, reading},
    urgency,
};

/// Sensors that are shown at most.
const MAX_SENSORS: usize = 200;

/// The page.
#[component]
pub fn MachinePage(
    /// Which machine.
    id: MachineId,
) -> impl IntoView {
    let machine = Query::new(move || Some(request(op::GetMachine, [&id])), &[Refresh::Pulse]);
    let alarms = Query::new(
        move || {
            let filter = AlarmFilter { machine_id: Some(id), ..AlarmFilter::default() };
            Some(request(op::ListAlarms, []).query(&filter).limit(200))
        },
        &[Refresh::On(Topic::Alarms)],
    );
    let app = app();
    let sensors = Query::new(
        move || {
            let filter = SensorFilter { machine_id: Some(id), ..SensorFilter::default() };
            Some(request(op::ListSensors, []).query(&filter).limit(MAX_SENSORS))
        },
        &[Refresh::Pulse],
    );
    // A reading of an unknown sensor: it has just been registered.
    Effect::new(move |_| {
        let batch = app.live.readings.get();
        let strange = sensors.data.with_untracked(|known| {
            let known = known.as_deref().filter(|known| known.len() < MAX_SENSORS)?;
            batch.iter().find(|r| r.machine_id == id && known.iter().all(|s| s.id != r.sensor_id)).map(|_| ())
        });
        if strange.is_some() {
            sensors.refetch();
        }
    });
    let own = Memo::new(move |_| alarms.items());
    Effect::new(move |_| {
        if let Some(name) = machine.data.with(|m| m.as_ref().map(|m| m.name.clone())) {
            document().set_title(&format!("{name} · Predictive Maintenance"));
        }
    });
    view! {
        <nav class="crumbs" aria-label="Breadcrumb">
            <a href=Route::Machines.to_string()>"Machines"</a>
        </nav>
        <Loaded phase=machine.phase() retry=machine.retry() lines=2>
            <Head id machine sensors own />
        </Loaded>
        <div class="columns">
            <div class="column-wide">
                <Trends id sensors own />
                <ChunkedPanel panel=Panel::References(id) />
                <ChunkedPanel panel=Panel::Maintenance(id) />
                <ChunkedPanel panel=Panel::History(id, own) />
            </div>
            <div class="column-side">
                <section class="panel">
                    <header class="panel-head">
                        <h2>"Alarms"</h2>
                    </header>
                    <Loaded phase=alarms.phase() retry=alarms.retry()>
                        <AlarmList alarms most=8 />
                        {move || {
                            own.with(Vec::is_empty)
                                .then(|| {
                                    view! {
                                        <Empty icon=Icon::Check title="No alarms">
                                            "This machine has raised none."
                                        </Empty>
                                    }
                                })
                        }}
                    </Loaded>
                </section>
                <LatestPredictions id />
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Head(
    id: MachineId,
    machine: Query<Machine>,
    sensors: Query<Vec<Sensor>>,
    own: Memo<Vec<Alarm>>,
) -> impl IntoView {
    let summary = Query::new(
        move || Some(request(op::MachineSummary, [&id])),
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let severity = move || own.with(|list| urgency::highest_severity(list));
    let fact = move |name: &'static str, value: AnyView| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let facts = move |machine: &Machine| {
        let shown = FIELDS.iter().filter(|field| field.fact);
        shown.map(|field| fact(field.label, (field.view)(machine))).collect_view()
    };
    let last = move || {
        summary.data.with(|s| {
            Some(match &s.as_ref()?.last_reading {
                Some(last) => {
                    let (name, unit) = sensors.data.with(|list| {
                        let sensor = list.iter().flatten().find(|s| s.id == last.sensor_id);
                        sensor
                            .map(|s| (s.name.clone(), s.unit.clone().unwrap_or_default()))
                            .unwrap_or_default()
                    });
                    view! {
                        <span title=name>{reading(last.value)} " " {unit}</span>
                        <small class="age muted"><Ago at=last.timestamp /></small>
                    }
                    .into_any()
                }
                None => none_yet("No reading yet"),
            })
        })
    };
    let last_class = move || {
        summary.data.with(|s| {
            Some(match &s.as_ref()?.last_prediction {
                Some(last) => badge::status(&last.status),
                None => none_yet("No prediction yet"),
            })
        })
    };
    let share = move || summary.data.with(|s| s.as_ref().map(|s| format!("{:.1} %", s.uptime_percent)));
    let waiting = move || summary.data.with(|s| s.as_ref().map(|s| s.active_alarms));
    let life = move || summary.data.with(|s| s.as_ref()?.remaining_life.as_ref().map(life));
    view! {
        {move || {
            machine
                .data
                .get()
                .map(|m| {
                    view! {
                        <header class="page-head">
                            <div>
                                <h1>{m.name.clone()} " " {badge::machine(m.status)} {severity().map(badge::severity)}</h1>
                                <p class="muted">
                                    {m.location.clone().filter(|l| !l.is_empty())}
                                    {m.description.clone().filter(|d| !d.is_empty()).map(|d| format!(" · {d}"))}
                                </p>
                            </div>
                            <EditMachine machine=m.clone() query=machine />
                        </header>
                        <dl class="strip">
                            {facts(&m)}
                            {fact("Prediction", last_class.into_any())}
                            {fact("Remaining life", (move || life().unwrap_or_else(unknown_life)).into_any())}
                            {fact("Active alarms", waiting.into_any())}
                            {fact("Newest reading", last.into_any())}
                            {fact("Reporting, 24 h", share.into_any())}
                        </dl>
                    }
                })
        }}
    }
    .into_any()
}

/// The time to failure with its interval.
fn life(life: &RemainingLife) -> AnyView {
    let hours = |hours: f64| text::duration(hours * 3_600_000.0);
    let range = match life.upper_hours {
        Some(upper) => format!("{} to {}", hours(life.lower_hours), hours(upper)),
        None => format!("at least {}", hours(life.lower_hours)),
    };
    let made = match life.method {
        RulMethod::Trend => "extrapolated from its trend",
        RulMethod::Network => "by a network that learned from run-to-failure histories",
    };
    let exact = format!("{:.0} % confidence, {made}", life.confidence_level * 100.0);
    view! {
        <span title=exact>{hours(life.hours)} <small class="under muted">{range}</small></span>
    }
    .into_any()
}

fn none_yet(words: &'static str) -> AnyView {
    view! { <span class="muted">{words}</span> }.into_any()
}

fn unknown_life() -> AnyView {
    view! { <span class="muted" title="No level moves towards its limit">"No limit expected"</span> }
        .into_any()
}

#[component]
fn Trends(id: MachineId, sensors: Query<Vec<Sensor>>, own: Memo<Vec<Alarm>>) -> impl IntoView {
    let (range, group) = chart::start();
    // Changes only when a sensor itself does, not with its newest reading.
    let shown = Memo::new(move |_| {
        let mut list: Vec<Sensor> =
            sensors.items().into_iter().map(|s| Sensor { latest: None, ..s }).collect();
        list.sort_by(|a, b| a.name.cmp(&b.name));
        list
    });
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Sensors"</h2>
                <AddSensor machine=id />
                <RangePicker range group />
            </header>
            <Loaded phase=sensors.phase() retry=sensors.retry() lines=8>
                <div class="lanes">
                    <For
                        each=move || shown.get()
                        key=|s| (s.id, s.updated_at)
                        children=move |sensor| view! { <SensorLane sensor range group own /> }
                    />
                </div>
                {move || {
                    shown
                        .with(Vec::is_empty)
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Sensor title="No sensors yet">
                                    <a href=Route::Start.to_string()>"How to publish the first reading"</a>
                                </Empty>
                            }
                        })
                }}
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn SensorLane(sensor: Sensor, range: RwSignal<Range>, group: Group, own: Memo<Vec<Alarm>>) -> impl IntoView {
    let id = sensor.id;
    let source = SensorSeries::follow(id, range.into());
    let newest = move || source.series.with(|s| s.points().last().map(|p| p.value));
    let marks = Signal::derive(move || {
        own.with(|alarms| {
            let mine = alarms.iter().filter(|alarm| alarm.sensor_id == Some(id));
            mine.map(|alarm| (ms(alarm.triggered_at), alarm.severity)).collect::<Vec<(f64, Severity)>>()
        })
    });
    let lines = limits(&sensor);
    let unit = sensor.unit.clone().unwrap_or_default();
    let unit_text = unit.clone();
    view! {
        <div class="lane">
            <header class="lane-head">
                <a href=Route::Sensor(id).to_string()>{sensor.name.clone()}</a>
                <span class="muted">{text::kind(&sensor.sensor_type)}</span>
                <output class="value">
                    {move || newest().map_or_else(|| "–".to_owned(), reading)} " "
                    <small>{unit_text.clone()}</small>
                </output>
            </header>
            <Chart
                series=source.series
                doubtful=source.doubtful
                group
                name=sensor.name
                unit
                limits=Signal::stored(lines)
                marks
                height=150
            />
        </div>
    }
    .into_any()
}

#[component]
fn LatestPredictions(id: MachineId) -> impl IntoView {
    let predictions = Query::new(
        move || {
            let filter = PredictionFilter { machine_id: Some(id), ..PredictionFilter::default() };
            Some(request(op::ListPredictions, []).query(&filter).limit(8))
        },
        &[Refresh::Pulse],
    );
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Predictions"</h2>
                <a class="link" href=format!("{}?machine={id}", Route::Predictions)>
                    "All"
                </a>
            </header>
            <Loaded phase=predictions.phase() retry=predictions.retry()>
                <PredictionTable predictions brief=true />
            </Loaded>
        </section>
    }
    .into_any()
}
