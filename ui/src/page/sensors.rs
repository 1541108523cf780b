//! All sensors with their newest readings.

use super::{live_table::follow, sensor_form::AddSensor};
use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        rows::Row,
        time::ms,
    },
    shell::Machines,
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    ReadingStatus, SensorId,
    route::{op, request},
    sensor::{LatestReading, Sensor, SensorFilter},
    sort::SensorSort,
};
use pm_ui_core::{
    route::Route,
    scale::exact,
    text::{ago, kind, reading, title},
};
use std::collections::HashMap;

/// Sensors on one page of the list.
const ROWS_PER_PAGE: usize = 50;

/// The page.
#[component]
pub fn Sensors() -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let sensors = Query::new(
        move || {
            let filter =
                SensorFilter { status: pager::word("status"), q: pager::words(), ..SensorFilter::default() };
            let list = request(op::ListSensors, []).query(&filter).ascending(SensorSort::Machine);
            Some(pager::paged(list, ROWS_PER_PAGE))
        },
        &[Refresh::Pulse],
    );
    let latest = follow(sensors);
    // Changes only when a sensor itself does, not with its newest reading.
    let shown = Memo::new(move |_| {
        let names = machines.names.get();
        let name = |s: &Sensor| names.get(&s.machine_id).cloned().unwrap_or_default();
        let list = sensors.items().into_iter().map(|s| (name(&s), Sensor { latest: None, ..s }));
        list.collect::<Vec<(String, Sensor)>>()
    });
    view! {
        <header class="page-head">
            <h1>"Sensors"</h1>
            <div class="filters">
                <select
                    class="input small"
                    aria-label="Status"
                    prop:value=move || app.nav.param("status").unwrap_or_default()
                    on:change=move |event| pager::filter("status", &event_target_value(&event))
                >
                    <option value="">"Any status"</option>
                    {ReadingStatus::WORDS
                        .iter()
                        .map(|word| view! { <option value=*word>{title(word)}</option> })
                        .collect_view()}
                </select>
                {pager::search("Sensor, machine or kind")}
                <AddSensor />
            </div>
        </header>
        <section class="panel flush">
            <Loaded phase=sensors.phase() retry=sensors.retry() lines=10>
                <div class="table-box">
                    <table class="table cards">
                        <thead>
                            <tr>
                                <th>"Sensor"</th>
                                <th class="wide">"Machine"</th>
                                <th class="wide">"Kind"</th>
                                <th class="num">"Value"</th>
                                <th>"Status"</th>
                                <th class="wide when">"Measured"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=move || shown.get()
                                key=|(machine, s)| (s.id, s.updated_at, machine.clone())
                                children=move |(machine, sensor)| row(machine, sensor, latest)
                            />
                        </tbody>
                    </table>
                </div>
                {move || {
                    shown
                        .with(Vec::is_empty)
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Sensor title="No sensors here">
                                    "Change the filter, or " <a href=Route::Start.to_string()>"publish a reading"</a> "."
                                </Empty>
                            }
                        })
                }}
                <Pager total=Signal::derive(move || sensors.count()) size=ROWS_PER_PAGE />
            </Loaded>
        </section>
    }
    .into_any()
}

fn row(machine: String, sensor: Sensor, latest: RwSignal<HashMap<SensorId, LatestReading>>) -> AnyView {
    let app = app();
    let id = sensor.id;
    let now = Memo::new(move |_| latest.with(|map| map.get(&id).cloned()));
    let status = Memo::new(move |_| now.with(|now| now.as_ref().map(|r| r.status)));
    let at = move || now.with(|now| now.as_ref().map(|r| ms(r.timestamp)));
    view! {
        <Row route=Route::Sensor(id) class=Signal::derive(move || status.get().map_or("", ReadingStatus::as_str))>
            <td class="main-cell">
                <a href=Route::Sensor(id).to_string()>{sensor.name}</a>
                <small class="under muted">{machine.clone()}</small>
            </td>
            <td class="wide">
                <a class="plain" href=Route::Machine(sensor.machine_id).to_string()>
                    {machine.clone()}
                </a>
            </td>
            <td class="wide muted">{kind(&sensor.sensor_type)}</td>
            <td class="num">
                <output>{move || now.with(|now| now.as_ref().map(|r| reading(r.value)))}</output>
                " "
                <small class="muted">{sensor.unit}</small>
            </td>
            <td>{move || status.get().map(|status| badge::status(status.as_str()))}</td>
            <td class="wide when muted" title=move || at().map(|at| exact(at, app.offset_min))>
                {move || at().map_or_else(|| "never".to_owned(), |at| ago(app.now.get(), at))}
            </td>
        </Row>
    }
    .into_any()
}
