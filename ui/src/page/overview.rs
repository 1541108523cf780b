//! The overview: counts, live charts of chosen sensors, the newest readings, active alarms, the system's health.

use super::live_table::LiveTable;
use crate::{
    api::{Query, Refresh},
    browser,
    chart::{Chart, Group, Range, SensorSeries, Span, ZoomedOut, limits},
    components::{
        form::segment,
        icon::Icon,
        loaded::{Empty, Loaded},
        picker::Picker,
    },
    live::Topic,
    page::alarms::AlarmList,
    shell::{ActiveAlarms, Machines},
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    MachineId, Role, SensorId,
    dashboard::Overview as Counts,
    route::{op, request},
    sensor::{Sensor, SensorFilter},
    sort::SensorSort,
    word::Interval,
};
use pm_ui_core::{route::Route, text::count, urgency};
use std::collections::HashMap;

const CHOSEN: &str = "overview_sensors";
const MAX_CHARTS: usize = 6;
/// Sensors that the page loads unless the user searches: those whose newest reading has the highest severity.
const MAX_SENSORS: usize = 60;

/// The page.
#[component]
pub fn Overview() -> impl IntoView {
    let sensors = Query::new(
        || Some(request(op::ListSensors, []).descending(SensorSort::Status).limit(MAX_SENSORS)),
        &[Refresh::Pulse],
    );
    let names = expect_context::<Machines>().names;
    // An operator may not ask for the counts of the whole plant.
    let session = app().api.session;
    let counted = Memo::new(move |_| session.may(Role::Viewer));
    let nothing = Memo::new(move |_| sensors.data.with(|s| s.as_ref().is_some_and(Vec::is_empty)));
    view! {
        <h1 class="visually-hidden">"Overview"</h1>
        {move || counted.get().then(|| view! { <Tiles /> })}
        {move || {
            if nothing.get() {
                view! { <super::start::Start /> }.into_any()
            } else {
                view! {
                    <div class="columns">
                        <div class="column-wide">
                            <LiveCharts sensors names />
                            <LiveTable sensors names />
                        </div>
                        <div class="column-side">
                            <Waiting />
                            <Health />
                        </div>
                    </div>
                }
                .into_any()
            }
        }}
    }
    .into_any()
}

#[component]
fn Tiles() -> impl IntoView {
    let counts = Query::new(
        || Some(request(op::DashboardOverview, [])),
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let machines = Query::new(|| Some(request(op::DashboardMachines, [])), &[Refresh::Pulse]);
    let predictions = Query::new(|| Some(request(op::DashboardPredictions, [])), &[Refresh::Pulse]);
    let ActiveAlarms(alarms) = expect_context::<ActiveAlarms>();
    let number = move |pick: fn(&Counts) -> i64| {
        move || counts.data.with(|c| c.as_ref().map_or_else(|| "–".to_owned(), |c| count(pick(c))))
    };
    let by_status = move || {
        machines.data.with(|stats| {
            let Some(stats) = stats else { return Vec::new() };
            let s = &stats.by_status;
            [
                ("online", s.online),
                ("degraded", s.degraded),
                ("maintenance", s.maintenance),
                ("offline", s.offline),
            ]
            .into_iter()
            .filter(|(word, n)| *n > 0 || *word == "online")
            .map(|(word, n)| view! { <span>{count(n)} " " {word}</span> })
            .collect()
        })
    };
    let severity =
        move || alarms.data.with(|alarms| urgency::highest_severity(alarms.as_deref().unwrap_or_default()));
    let alarm_counts = move || {
        alarms.data.with(|alarms| {
            let alarms = alarms.as_deref().unwrap_or_default();
            let open = alarms.iter().filter(|a| a.status == pm_api::AlarmStatus::Open).count();
            if alarms.is_empty() { "none".to_owned() } else { format!("{open} unacknowledged") }
        })
    };
    let anomalies = move || {
        predictions.data.with(|stats| {
            stats.as_ref().map(|stats| {
                let by = &stats.by_status;
                format!("{} warning, {} critical", count(by.warning), count(by.critical))
            })
        })
    };
    view! {
        <section class="tiles" aria-label="Counts">
            <a class="tile" href=Route::Machines.to_string()>
                <h2>"Machines"</h2>
                <p class="figure">{number(|c| c.machines.total)}</p>
                <p class="details">{by_status}</p>
            </a>
            <a class="tile" href=Route::Sensors.to_string()>
                <h2>"Sensors"</h2>
                <p class="figure">{number(|c| c.sensors.total)}</p>
                <p class="details"><span>"reporting to the platform"</span></p>
            </a>
            <a
                class=move || format!("tile {}", severity().map_or("", pm_api::Severity::as_str))
                href=Route::Alarms.to_string()
            >
                <h2>"Active alarms"</h2>
                <p class="figure">
                    {move || match severity() {
                        Some(pm_api::Severity::Critical) => Some(Icon::Critical.view()),
                        Some(pm_api::Severity::Warning) => Some(Icon::Warning.view()),
                        _ => None,
                    }}
                    {number(|c| c.alarms.active)}
                </p>
                <p class="details"><span>{alarm_counts}</span></p>
            </a>
            <a class="tile" href=Route::Predictions.to_string()>
                <h2>"Predictions, 24 h"</h2>
                <p class="figure">{number(|c| c.predictions.last_24h)}</p>
                <p class="details"><span>{anomalies}</span></p>
            </a>
        </section>
    }
    .into_any()
}

#[component]
fn LiveCharts(sensors: Query<Vec<Sensor>>, names: Memo<HashMap<MachineId, String>>) -> impl IntoView {
    let group = Group::new(Span::Last(15.0 * 60_000.0));
    let minutes = RwSignal::new(15_u32);
    let stored: Vec<SensorId> = browser::stored(CHOSEN)
        .map(|text| text.split(',').filter_map(|id| id.parse().ok()).collect())
        .unwrap_or_default();
    let chosen = RwSignal::new(stored);
    let choosing = RwSignal::new(false);
    let wanted = RwSignal::new(String::new());
    let matching = Query::new(
        move || {
            let words = Some(wanted.get()).filter(|words| !words.is_empty())?;
            let filter = SensorFilter { q: Some(words.into()), ..SensorFilter::default() };
            Some(request(op::ListSensors, []).query(&filter).ascending(SensorSort::Machine).limit(30))
        },
        &[],
    );
    // Until the user has chosen: the sensors with the highest severity, one of each machine first.
    let shown = Memo::new(move |_| {
        let picked = chosen.get();
        if picked.is_empty() {
            sensors.data.with(|known| default_choice(known.as_deref().unwrap_or_default()))
        } else {
            picked
        }
    });
    // Fixed while the page is shown, so that a change of status elsewhere does not exchange the charts.
    Effect::new(move |_| {
        let ids = shown.get();
        if !ids.is_empty() && chosen.with_untracked(Vec::is_empty) {
            chosen.set(ids);
        }
    });
    let keep = move |ids: Vec<SensorId>| {
        let text: Vec<String> = ids.iter().map(ToString::to_string).collect();
        browser::store(CHOSEN, Some(&text.join(",")));
        chosen.set(ids);
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Live"</h2>
                <div class="segmented" role="group" aria-label="Time shown">
                    {[5_u32, 15, 60]
                        .into_iter()
                        .map(|m| {
                            let press = move || {
                                minutes.set(m);
                                group.show(Span::Last(f64::from(m) * 60_000.0));
                            };
                            segment(format!("{m} min"), move || minutes.get() == m, press)
                        })
                        .collect_view()}
                </div>
                <ZoomedOut label="Back to live" group />
                <Picker label="Choose sensors" open=choosing>
                    <input
                        class="input small"
                        type="search"
                        placeholder="Sensor or machine"
                        aria-label="Sensor or machine"
                        on:input=move |event| wanted.set(event_target_value(&event))
                    />
                    {move || {
                        let list = if wanted.with(String::is_empty) { sensors } else { matching };
                        list.items()
                            .into_iter()
                            .map(|sensor| {
                                let id = sensor.id;
                                let machine = names
                                    .with(|n| n.get(&sensor.machine_id).cloned().unwrap_or_default());
                                let on = move || shown.with(|ids| ids.contains(&id));
                                let full = move || shown.with(|ids| ids.len() >= MAX_CHARTS) && !on();
                                view! {
                                    <label>
                                        <input
                                            type="checkbox"
                                            prop:checked=on
                                            disabled=full
                                            on:change=move |event| {
                                                let mut ids = shown.get_untracked();
                                                ids.retain(|other| *other != id);
                                                if event_target_checked(&event) {
                                                    ids.push(id);
                                                }
                                                keep(ids);
                                            }
                                        />
                                        <span>{sensor.name}</span>
                                        <span class="muted">{machine}</span>
                                    </label>
                                }
                            })
                            .collect_view()
                    }}
                </Picker>
            </header>
            <Loaded phase=sensors.phase() retry=sensors.retry() lines=6>
                <div class="lanes">
                    <For
                        each=move || shown.get()
                        key=|id| *id
                        children=move |id| {
                            let known = sensors.data.with_untracked(|list| {
                                list.iter().flatten().find(|s| s.id == id).cloned()
                            });
                            match known {
                                Some(sensor) => view! { <Lane sensor names group /> }.into_any(),
                                None => view! { <ChosenLane id names group /> }.into_any(),
                            }
                        }
                    />
                </div>
            </Loaded>
        </section>
    }
    .into_any()
}

fn default_choice(known: &[Sensor]) -> Vec<SensorId> {
    let mut ranked: Vec<&Sensor> = known.iter().filter(|s| s.latest.is_some()).collect();
    ranked.sort_by_key(|s| {
        let rank = known.iter().filter(|o| o.machine_id == s.machine_id && o.id > s.id).count();
        (rank, s.machine_id, s.id)
    });
    ranked.iter().take(4).map(|s| s.id).collect()
}

/// A chosen sensor that is not in the loaded list; nothing when it was deleted.
#[component]
fn ChosenLane(id: SensorId, names: Memo<HashMap<MachineId, String>>, group: Group) -> impl IntoView {
    let sensor = Query::new(move || Some(request(op::GetSensor, [&id])), &[]);
    move || sensor.data.get().map(|sensor| view! { <Lane sensor names group /> })
}

#[component]
fn Lane(sensor: Sensor, names: Memo<HashMap<MachineId, String>>, group: Group) -> impl IntoView {
    let source = SensorSeries::follow(sensor.id, Signal::stored(Range::Last(Interval::Hour)));
    let machine = sensor.machine_id;
    let lines = limits(&sensor);
    let unit = sensor.unit.clone().unwrap_or_default();
    let newest = move || source.series.with(|s| s.points().last().map(|p| p.value));
    let unit_text = unit.clone();
    view! {
        <div class="lane">
            <header class="lane-head">
                <a href=Route::Sensor(sensor.id).to_string()>{sensor.name.clone()}</a>
                <span class="muted">{move || names.with(|n| n.get(&machine).cloned())}</span>
                <output class="value">
                    {move || newest().map(pm_ui_core::text::reading)} " "
                    <small>{unit_text.clone()}</small>
                </output>
            </header>
            <Chart series=source.series doubtful=source.doubtful group name=sensor.name unit limits=Signal::stored(lines) height=120 />
        </div>
    }
    .into_any()
}

#[component]
fn Waiting() -> impl IntoView {
    let ActiveAlarms(alarms) = expect_context::<ActiveAlarms>();
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Active alarms"</h2>
                <a class="link" href=Route::Alarms.to_string()>
                    "All alarms"
                </a>
            </header>
            <Loaded phase=alarms.phase() retry=alarms.retry()>
                {move || {
                    alarms
                        .data
                        .with(|a| a.as_ref().is_some_and(Vec::is_empty))
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Check title="No active alarms">
                                    "Every alarm is resolved."
                                </Empty>
                            }
                        })
                }}
                <AlarmList alarms most=6 />
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn Health() -> impl IntoView {
    let status = Query::new(|| Some(request(op::SystemStatus, [])), &[Refresh::Pulse]);
    let rows = move || {
        status.data.with(|status| {
            let s = status.as_ref()?;
            let services = [
                ("Functions", s.backend.status.clone(), s.backend.status == "running"),
                ("Database", s.database.status.clone(), s.database.status == "connected"),
                ("Broker and bridge", s.mqtt.status.clone(), s.mqtt.connected),
                ("Model", s.ai_service.status.clone(), s.ai_service.status == "running"),
                ("Periodic tasks", s.tasks.status.clone(), s.tasks.status == "running"),
            ];
            Some(
                services
                    .into_iter()
                    .map(|(name, word, good)| {
                        view! {
                            <li>
                                <span>{name}</span>
                                <span class=if good { "badge calm" } else { "badge critical" }>
                                    {(!good).then(|| Icon::Critical.view())} {word}
                                </span>
                            </li>
                        }
                    })
                    .collect_view(),
            )
        })
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"System"</h2>
                <a class="link" href=Route::System.to_string()>
                    "Details"
                </a>
            </header>
            <Loaded phase=status.phase() retry=status.retry()>
                <ul class="pairs">{rows}</ul>
            </Loaded>
        </section>
    }
    .into_any()
}
