//! One sensor: its history with limits, envelope and alarm marks, and its figures.

use super::{limits_form::EditLimits, machine::IntervalPicker};
use crate::{
    api::{Query, Refresh},
    chart::{Chart, Group, SensorSeries, Span, limits},
    live::Topic,
    page::predictions::PredictionTable,
    parts::{badge, loaded::Loaded, time::ms},
    shell::Machines,
};
use leptos::prelude::*;
use pm_api::{SensorId, Severity, alarm::Alarm, prediction::Prediction, sensor::Sensor};
use pm_ui_core::{
    route::Route,
    text::{count, reading, title},
};

/// The page.
#[component]
pub fn SensorPage(
    /// Which sensor.
    id: SensorId,
) -> impl IntoView {
    let machines = expect_context::<Machines>();
    let sensor = Query::<Sensor>::new(move || Some(format!("/sensors/{id}")), &[Refresh::Pulse]);
    let alarms =
        Query::<Vec<Alarm>>::new(|| Some("/alarms?limit=1000".to_owned()), &[Refresh::On(Topic::Alarms)]);
    let predictions = Query::<Vec<Prediction>>::new(
        move || Some(format!("/predictions?sensor_id={id}&limit=12&sort=desc")),
        &[Refresh::Pulse],
    );
    // Changes only when the sensor itself does, not with its newest reading.
    let steady = Memo::new(move |_| sensor.data.get().map(|s| Sensor { latest: None, ..s }));
    let interval = RwSignal::new("1h");
    let group = Group::new(Span::Last(3_600_000.0));
    let source = SensorSeries::follow(id, interval.into());
    let marks = Signal::derive(move || {
        let mine = alarms.items().into_iter().filter(|alarm| alarm.sensor_id == Some(id));
        mine.map(|alarm| (ms(alarm.triggered_at), alarm.severity)).collect::<Vec<(f64, Severity)>>()
    });
    let newest = move || source.series.with(|s| s.points().last().map(|p| reading(p.value)));
    let status = move || sensor.data.with(|s| s.as_ref().and_then(|s| s.latest.as_ref().map(|l| l.status)));
    let figure = move |name: &'static str, pick: fn(&pm_api::sensor::TrendStatistics) -> String| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{move || source.statistics.get().map_or_else(|| "–".to_owned(), |s| pick(&s))}</dd>
            </div>
        }
    };
    view! {
        <Loaded phase=sensor.phase() retry=sensor.retry() lines=8>
            {move || {
                steady
                    .get()
                    .map(|s| {
                        let machine = s.machine_id;
                        let lines = limits(&s);
                        let unit = s.unit.clone().unwrap_or_default();
                        let unit_text = unit.clone();
                        view! {
                            <nav class="crumbs" aria-label="Breadcrumb">
                                <a href=Route::Machines.to_string()>"Machines"</a>
                                <span aria-hidden="true">"/"</span>
                                <a href=Route::Machine(machine).to_string()>
                                    {move || machines.name(machine)}
                                </a>
                            </nav>
                            <header class="page-head">
                                <div>
                                    <h1>
                                        {s.name.clone()} " "
                                        {move || status().map(|status| badge::judged(status.as_str()))}
                                    </h1>
                                    <p class="muted">{title(&s.sensor_type)}</p>
                                </div>
                                <div class="page-side">
                                    <output class="value large">
                                        {newest} " " <small>{unit_text}</small>
                                    </output>
                                    <EditLimits sensor=s.clone() query=sensor />
                                </div>
                            </header>
                            <dl class="strip">
                                {figure("Smallest", |s| reading(s.min))} {figure("Mean", |s| reading(s.avg))}
                                {figure("Largest", |s| reading(s.max))} {figure("Readings", |s| count(s.count))}
                                {lines
                                    .iter()
                                    .map(|limit| {
                                        let sign = if limit.low { "≤" } else { "≥" };
                                        view! {
                                            <div class="fact">
                                                <dt>{title(limit.severity.as_str())} " limit"</dt>
                                                <dd>{format!("{sign} {}", reading(limit.value))}</dd>
                                            </div>
                                        }
                                    })
                                    .collect_view()}
                            </dl>
                            <section class="panel">
                                <header class="panel-head">
                                    <h2>"History"</h2>
                                    <IntervalPicker interval group />
                                </header>
                                <Loaded phase=source.query.phase() retry=source.query.retry() lines=6>
                                    <Chart
                                        series=source.series
                                        group
                                        name=s.name.clone()
                                        unit=unit.clone()
                                        limits=Signal::stored(lines.clone())
                                        marks
                                        height=340
                                    />
                                </Loaded>
                                <p class="hint muted">
                                    "Drag to zoom, double-click for the whole range. The band spans the smallest and
                                    largest reading of each point; triangles mark alarms."
                                </p>
                            </section>
                        }
                    })
            }}
        </Loaded>
        <section class="panel">
            <header class="panel-head">
                <h2>"Predictions"</h2>
            </header>
            <Loaded phase=predictions.phase() retry=predictions.retry()>
                <PredictionTable predictions brief=false />
            </Loaded>
        </section>
    }
    .into_any()
}
