//! One machine: its state, its sensors' trends under one crosshair, predictions and alarms.

use crate::{
    api::{Query, Refresh},
    chart::{Chart, Group, SensorSeries, Span, limits},
    live::Topic,
    page::{alarms::AlarmList, machine_form::EditMachine, predictions::PredictionTable},
    parts::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        time::{Ago, ms},
    },
};
use leptos::prelude::*;
use pm_api::{
    MachineId, Severity,
    alarm::Alarm,
    machine::{Machine, MachineSummary},
    prediction::Prediction,
    sensor::Sensor,
};
use pm_ui_core::{
    need,
    route::Route,
    text::{reading, title},
};

/// Intervals of the trend route and their lengths, milliseconds.
pub const INTERVALS: &[(&str, f64)] = &[
    ("1h", 3_600_000.0),
    ("6h", 21_600_000.0),
    ("24h", 86_400_000.0),
    ("7d", 604_800_000.0),
    ("30d", 2_592_000_000.0),
];

/// The page.
#[component]
pub fn MachinePage(
    /// Which machine.
    id: MachineId,
) -> impl IntoView {
    let machine = Query::<Machine>::new(move || Some(format!("/machines/{id}")), &[Refresh::Pulse]);
    let alarms = Query::<Vec<Alarm>>::new(
        move || Some(format!("/alarms?machine_id={id}&limit=200")),
        &[Refresh::On(Topic::Alarms)],
    );
    // A server that does not know the filter answers with everybody's alarms.
    let own = Memo::new(move |_| {
        let mut list = alarms.items();
        list.retain(|alarm| alarm.machine_id == id);
        list
    });
    Effect::new(move |_| {
        let foreign = alarms.data.with(|list| list.iter().flatten().any(|alarm| alarm.machine_id != id));
        if foreign {
            alarms.data.set(Some(own.get_untracked()));
        }
    });
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
            <Head id machine own />
        </Loaded>
        <div class="columns">
            <div class="column-wide">
                <Trends id own />
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
                <Judgements id />
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn Head(id: MachineId, machine: Query<Machine>, own: Memo<Vec<Alarm>>) -> impl IntoView {
    let summary = Query::<MachineSummary>::new(
        move || Some(format!("/machines/{id}/summary")),
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let grave = move || own.with(|list| need::gravest(list));
    let fact = move |name: &'static str, value: AnyView| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{value}</dd>
            </div>
        }
    };
    let last = move || {
        summary.data.with(|s| {
            let last = s.as_ref()?.last_reading.as_ref()?;
            Some(view! { {reading(last.value)} ", " <Ago at=last.timestamp /> })
        })
    };
    let judged =
        move || summary.data.with(|s| s.as_ref()?.last_prediction.as_ref().map(|p| badge::judged(&p.status)));
    let share = move || summary.data.with(|s| s.as_ref().map(|s| format!("{:.1} %", s.uptime_percent)));
    let waiting = move || summary.data.with(|s| s.as_ref().map(|s| s.active_alarms));
    view! {
        {move || {
            machine
                .data
                .get()
                .map(|m| {
                    view! {
                        <header class="page-head">
                            <div>
                                <h1>{m.name.clone()} " " {badge::machine(m.status)} {grave().map(badge::severity)}</h1>
                                <p class="muted">
                                    {m.location.clone().filter(|l| !l.is_empty())}
                                    {m.description.clone().filter(|d| !d.is_empty()).map(|d| format!(" · {d}"))}
                                </p>
                            </div>
                            <EditMachine machine=m.clone() query=machine />
                        </header>
                        <dl class="strip">
                            {fact("Criticality", title(m.criticality.as_str()).into_any())}
                            {fact("Judgement", judged.into_any())}
                            {fact("Active alarms", waiting.into_any())}
                            {fact("Newest reading", last.into_any())}
                            {fact("Reporting, 24 h", share.into_any())}
                            {fact(
                                "Last service",
                                m.last_service_date.unwrap_or_else(|| "not recorded".to_owned()).into_any(),
                            )}
                        </dl>
                    }
                })
        }}
    }
    .into_any()
}

#[component]
fn Trends(id: MachineId, own: Memo<Vec<Alarm>>) -> impl IntoView {
    let sensors = Query::<Vec<Sensor>>::new(
        move || Some(format!("/sensors?machine_id={id}&limit=200")),
        &[Refresh::Pulse],
    );
    let interval = RwSignal::new("1h");
    let group = Group::new(Span::Last(INTERVALS[0].1));
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
                <IntervalPicker interval group />
            </header>
            <Loaded phase=sensors.phase() retry=sensors.retry() lines=8>
                <div class="lanes">
                    <For
                        each=move || shown.get()
                        key=|s| (s.id, s.updated_at)
                        children=move |sensor| view! { <SensorLane sensor interval group own /> }
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

/// Chooses the interval of a group of charts.
#[component]
pub fn IntervalPicker(
    /// The word of the trend route.
    interval: RwSignal<&'static str>,
    /// The charts.
    group: Group,
) -> impl IntoView {
    view! {
        <div class="segmented" role="group" aria-label="Time shown">
            {INTERVALS
                .iter()
                .map(|(word, length)| {
                    view! {
                        <button
                            aria-pressed=move || (interval.get() == *word).to_string()
                            on:click=move |_| {
                                interval.set(word);
                                group.reset();
                                group.base.set(Span::Last(*length));
                            }
                        >
                            {*word}
                        </button>
                    }
                })
                .collect_view()}
        </div>
        {move || {
            group
                .zoom
                .get()
                .map(|_| {
                    view! {
                        <button class="button small" on:click=move |_| group.reset()>
                            {Icon::Zoom.view()}
                            "Whole range"
                        </button>
                    }
                })
        }}
    }
    .into_any()
}

#[component]
fn SensorLane(
    sensor: Sensor,
    interval: RwSignal<&'static str>,
    group: Group,
    own: Memo<Vec<Alarm>>,
) -> impl IntoView {
    let id = sensor.id;
    let source = SensorSeries::follow(id, interval.into());
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
                <span class="muted">{title(&sensor.sensor_type)}</span>
                <output class="value">
                    {move || newest().map(reading)} " "
                    <small>{unit_text.clone()}</small>
                </output>
            </header>
            <Chart
                series=source.series
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
fn Judgements(id: MachineId) -> impl IntoView {
    let predictions = Query::<Vec<Prediction>>::new(
        move || Some(format!("/predictions?machine_id={id}&limit=8&sort=desc")),
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
