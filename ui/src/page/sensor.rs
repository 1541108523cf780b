//! One sensor: its history with limits, envelope and alarm marks, and its figures.

use super::sensor_form::EditSensor;
use crate::{
    api::{Query, Refresh},
    chart::{self, Chart, RangePicker, SensorSeries, StatusTime, limits},
    chunk::{ChunkedPanel, Panel},
    components::{badge, loaded::Loaded, time::ms},
    live::Topic,
    page::predictions::PredictionTable,
    shell::Machines,
};
use leptos::prelude::*;
use pm_api::{
    SensorId, Severity, SpanStatus,
    alarm::AlarmFilter,
    prediction::PredictionFilter,
    route::{op, request},
    sensor::Sensor,
};
use pm_ui_core::{
    route::Route,
    text::{count, kind, reading, title},
};

/// The page.
#[component]
pub fn SensorPage(
    /// Which sensor.
    id: SensorId,
) -> impl IntoView {
    let machines = expect_context::<Machines>();
    let sensor = Query::new(move || Some(request(op::GetSensor, [&id])), &[Refresh::Pulse]);
    let alarms = Query::new(
        move || {
            let filter = AlarmFilter { sensor_id: Some(id), ..AlarmFilter::default() };
            Some(request(op::ListAlarms, []).query(&filter).limit(200))
        },
        &[Refresh::On(Topic::Alarms)],
    );
    let predictions = Query::new(
        move || {
            let filter = PredictionFilter { sensor_id: Some(id), ..PredictionFilter::default() };
            Some(request(op::ListPredictions, []).query(&filter).limit(12))
        },
        &[Refresh::Pulse],
    );
    // Changes only when the sensor itself does, not with its newest reading.
    let steady = Memo::new(move |_| sensor.data.get().map(|s| Sensor { latest: None, ..s }));
    let (range, group) = chart::start();
    let source = SensorSeries::follow(id, range.into());
    let timeline = Query::new(
        move || Some(request(op::SensorTimeline, [&id]).query(&range.get().timeline())),
        &[Refresh::Pulse],
    );
    let spans = Signal::derive(move || {
        timeline.data.with(|timeline| {
            let spans = timeline.iter().flat_map(|timeline| &timeline.spans);
            spans.map(|s| (ms(s.start), ms(s.end), s.status)).collect::<Vec<StatusTime>>()
        })
    });
    let marks = Signal::derive(move || {
        let mine = alarms.items().into_iter();
        mine.map(|alarm| (ms(alarm.triggered_at), alarm.severity)).collect::<Vec<(f64, Severity)>>()
    });
    let newest = move || {
        let known = sensor.data.with(|s| s.as_ref().and_then(|s| s.latest.as_ref().map(|l| l.value)));
        let value = source.series.with(|s| s.points().last().map(|p| p.value)).or(known);
        value.map_or_else(|| "–".to_owned(), reading)
    };
    let status = move || sensor.data.with(|s| s.as_ref().and_then(|s| s.latest.as_ref().map(|l| l.status)));
    let unit =
        Signal::derive(move || steady.with(|s| s.as_ref().and_then(|s| s.unit.clone()).unwrap_or_default()));
    let fact = |name: String, figure: AnyView| {
        view! {
            <div class="fact">
                <dt>{name}</dt>
                <dd>{figure}</dd>
            </div>
        }
    };
    let with_unit = |figure: String, unit: String| view! { {figure} " " <small class="muted">{unit}</small> };
    let figure = move |name: &str, pick: fn(&pm_api::sensor::TrendStatistics) -> String, unit: &str| {
        let unit = unit.to_owned();
        let shown = move || match source.statistics.get() {
            Some(s) => with_unit(pick(&s), unit.clone()).into_any(),
            None => "–".into_any(),
        };
        fact(name.to_owned(), shown.into_any())
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
                                        {move || status().map(|status| badge::status(status.as_str()))}
                                    </h1>
                                    <p class="muted">{kind(&s.sensor_type)}</p>
                                </div>
                                <div class="page-side">
                                    <output class="value large">
                                        {newest} " " <small>{unit_text}</small>
                                    </output>
                                    <EditSensor sensor=s.clone() query=sensor />
                                </div>
                            </header>
                            <dl class="strip">
                                {figure("Smallest", |s| reading(s.min), &unit)}
                                {figure("Mean", |s| reading(s.avg), &unit)}
                                {figure("Largest", |s| reading(s.max), &unit)}
                                {figure("Readings", |s| count(s.count), "")}
                                {lines
                                    .iter()
                                    .map(|limit| {
                                        let sign = if limit.low { "≤" } else { "≥" };
                                        let name = format!("{} limit", title(limit.severity.as_str()));
                                        let figure = format!("{sign} {}", reading(limit.value));
                                        fact(name, with_unit(figure, unit.clone()).into_any())
                                    })
                                    .collect_view()}
                            </dl>
                            <section class="panel">
                                <header class="panel-head">
                                    <h2>"History"</h2>
                                    <RangePicker range group />
                                </header>
                                <Loaded phase=source.query.phase() retry=source.query.retry() lines=6>
                                    <Chart
                                        series=source.series
                                        doubtful=source.doubtful
                                        group
                                        name=s.name.clone()
                                        unit=unit.clone()
                                        limits=Signal::stored(lines.clone())
                                        marks
                                        spans
                                        height=340
                                    />
                                </Loaded>
                                {shares(spans)}
                                <p class="hint muted">
                                    "Drag to zoom, double-click for the whole range. The band spans the smallest and
                                    largest reading of each point; triangles mark alarms."
                                </p>
                            </section>
                        }
                    })
            }}
        </Loaded>
        <ChunkedPanel panel=Panel::AlarmRule(id, unit) />
        <ChunkedPanel panel=Panel::TryOnHistory(id, unit) />
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

/// How much of the time each status took, in words: the strip's legend.
fn shares(spans: Signal<Vec<StatusTime>>) -> AnyView {
    let words = move || {
        spans.with(|spans| {
            let all: f64 = spans.iter().map(|(from, to, _)| to - from).sum();
            let share = |status: SpanStatus| {
                let time: f64 = spans.iter().filter(|s| s.2 == status).map(|(from, to, _)| to - from).sum();
                let share = time / all.max(1.0) * 100.0;
                (share > 0.0).then(|| {
                    let class = format!("share {}", status.as_str());
                    let share = if share < 0.1 { "< 0.1".to_owned() } else { format!("{share:.1}") };
                    view! { <span class=class>{title(status.as_str())} " " {share} " %"</span> }
                })
            };
            [SpanStatus::Normal, SpanStatus::Warning, SpanStatus::Critical, SpanStatus::NoData]
                .map(share)
                .collect_view()
        })
    };
    view! { <p class="shares small">"Of the time: " {words}</p> }.into_any()
}
