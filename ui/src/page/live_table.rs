//! The newest reading of each sensor, changing as readings arrive; the abnormal ones first.

use crate::{
    api::Query,
    browser::now_ms,
    components::{badge, loaded::Loaded, rows::Row, time::ms},
    shell::Machines,
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    MachineId, SensorId, Timestamp,
    sensor::{LatestReading, Sensor},
};
use pm_ui_core::{
    route::Route,
    scale::exact,
    text::{ago, reading},
};
use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
};

/// Longest page of sensors: a list of this length may go on.
const MAX_SENSORS_PER_PAGE: usize = 50;

/// The table.
#[component]
pub fn LiveTable(
    /// The sensors with their newest readings.
    sensors: Query<Vec<Sensor>>,
    /// Names of the machines.
    names: Memo<HashMap<MachineId, String>>,
    /// How many rows at most.
    #[prop(default = 16)]
    most: usize,
) -> impl IntoView {
    let latest = follow(sensors);
    // The order changes when a status changes, not with every value.
    let order = Memo::new(move |_| {
        let known = sensors.items();
        let mut ids: Vec<(SensorId, _)> = latest
            .with(|latest| known.iter().filter_map(|s| Some((s.id, latest.get(&s.id)?.status))).collect());
        ids.sort_by_key(|(id, status)| (Reverse(*status), *id));
        ids.truncate(most);
        ids.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    });
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Newest readings"</h2>
                <a class="link" href=Route::Sensors.to_string()>
                    "All sensors"
                </a>
            </header>
            <Loaded phase=sensors.phase() retry=sensors.retry() lines=8>
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th>"Sensor"</th>
                                <th class="wide">"Machine"</th>
                                <th class="num">"Value"</th>
                                <th>"Status"</th>
                                <th class="wide when">"Measured"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=move || order.get()
                                key=|id| *id
                                children=move |id| {
                                    let sensor = sensors.items().into_iter().find(|s| s.id == id);
                                    sensor.map(|sensor| row(sensor, latest, names))
                                }
                            />
                        </tbody>
                    </table>
                </div>
            </Loaded>
        </section>
    }
    .into_any()
}

/// The newest reading of every sensor: from the list, then from the stream.
#[must_use]
pub fn follow(sensors: Query<Vec<Sensor>>) -> RwSignal<HashMap<SensorId, LatestReading>> {
    let app = app();
    let machines = expect_context::<Machines>();
    let latest = RwSignal::new(HashMap::new());
    let refetched_ms = StoredValue::new(0.0_f64);
    let known = StoredValue::new(HashSet::<SensorId>::new());
    let newer = |map: &HashMap<SensorId, LatestReading>, id: SensorId, at: Timestamp| {
        map.get(&id).is_none_or(|old| old.timestamp <= at)
    };
    Effect::new(move |_| {
        let known = sensors.items();
        latest.update(|map| {
            map.retain(|id, _| known.iter().any(|s| s.id == *id));
            for sensor in known {
                if let Some(reading) = sensor.latest.filter(|r| newer(map, sensor.id, r.timestamp)) {
                    map.insert(sensor.id, reading);
                }
            }
        });
    });
    Effect::new(move |_| {
        let batch = app.live.readings.get();
        if batch.is_empty() {
            return;
        }
        let shown = sensors.data.with_untracked(|known| {
            known.as_ref().map(|known| known.iter().map(|s| s.id).collect::<HashSet<_>>())
        });
        let Some(shown) = shown else { return };
        // A sensor's first reading may mean that it was just registered. When the list is full and more sensors exist,
        // it is most likely one of the others.
        let full = shown.len() >= MAX_SENSORS_PER_PAGE;
        let registered = known.try_update_value(|known| {
            let new = batch.iter().filter(|r| known.insert(r.sensor_id)).collect::<Vec<_>>();
            new.iter().any(|r| !shown.contains(&r.sensor_id))
        }) == Some(true);
        let now = now_ms();
        if registered && !full && now - refetched_ms.get_value() > 2_000.0 {
            refetched_ms.set_value(now);
            sensors.refetch();
            machines.query.refetch();
        }
        if !batch.iter().any(|r| shown.contains(&r.sensor_id)) {
            return;
        }
        latest.update(|map| {
            for live in batch.iter().filter(|r| shown.contains(&r.sensor_id)) {
                if !newer(map, live.sensor_id, live.timestamp) {
                    continue;
                }
                let reading =
                    LatestReading { timestamp: live.timestamp, value: live.value, status: live.status };
                map.insert(live.sensor_id, reading);
            }
        });
    });
    latest
}

fn row(
    sensor: Sensor,
    latest: RwSignal<HashMap<SensorId, LatestReading>>,
    names: Memo<HashMap<MachineId, String>>,
) -> AnyView {
    let app = app();
    let id = sensor.id;
    let machine = sensor.machine_id;
    let now = Memo::new(move |_| latest.with(|map| map.get(&id).cloned()));
    let status = Memo::new(move |_| now.with(|now| now.as_ref().map(|r| r.status)));
    let at = move || now.with(|now| now.as_ref().map_or(0.0, |r| ms(r.timestamp)));
    let unit = sensor.unit.unwrap_or_default();
    view! {
        <Row route=Route::Sensor(id) class=Signal::derive(move || status.get().map_or("", pm_api::ReadingStatus::as_str))>
            <td>
                <a href=Route::Sensor(id).to_string()>{sensor.name}</a>
                <small class="under muted">{move || names.with(|n| n.get(&machine).cloned())}</small>
            </td>
            <td class="wide">
                <a class="plain" href=Route::Machine(machine).to_string()>
                    {move || names.with(|n| n.get(&machine).cloned())}
                </a>
            </td>
            <td class="num">
                <output>{move || now.with(|now| now.as_ref().map(|r| reading(r.value)))}</output>
                " "
                <small class="muted">{unit}</small>
            </td>
            <td>{move || status.get().map(|status| badge::status(status.as_str()))}</td>
            <td class="wide when muted" title=move || exact(at(), app.offset_min)>
                {move || ago(app.now.get(), at())}
            </td>
        </Row>
    }
    .into_any()
}
