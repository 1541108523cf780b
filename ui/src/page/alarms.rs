//! The alarm queue: the most urgent first, filtered by the address, acknowledged and resolved one by one or together.

use super::{alarm_drawer::AlarmDrawer, queue::AlarmActions};
use crate::{
    api::{Query, Refresh},
    components::{
        badge, form,
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        rows,
        time::Ago,
    },
    live::Topic,
    shell::Machines,
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    AlarmId, AlarmStatus, Role,
    alarm::{Alarm, AlarmFilter, StatusOrActive},
    route::{op, request},
    sort::AlarmSort,
};
use pm_ui_core::{route::Route, urgency};
use std::collections::HashSet;

/// Alarms on one page of the queue.
const ROWS_PER_PAGE: usize = 50;

/// The page.
#[component]
pub fn Alarms() -> impl IntoView {
    let app = app();
    let alarms = Query::new(
        move || {
            let filter = AlarmFilter {
                status: match app.nav.param("status").as_deref() {
                    None | Some("active") => Some(StatusOrActive::Active),
                    Some(word) => word.parse().ok().map(StatusOrActive::Is),
                },
                severity: pager::word("severity"),
                machine_id: pager::word("machine_id"),
                q: pager::words(),
                ..AlarmFilter::default()
            };
            let list = request(op::ListAlarms, []).query(&filter).descending(AlarmSort::Urgency);
            Some(pager::paged(list, ROWS_PER_PAGE))
        },
        &[Refresh::On(Topic::Alarms)],
    );
    let chosen = RwSignal::new(HashSet::<AlarmId>::new());
    provide_context(Chosen(chosen));
    let open = Memo::new(move |_| match app.nav.route.get() {
        Route::Alarm(id) => Some(id),
        _ => None,
    });
    let queue = AlarmActions::of(alarms);
    let bulk = move |_| {
        let ids: Vec<AlarmId> = chosen.get_untracked().into_iter().collect();
        chosen.update(HashSet::clear);
        queue.acknowledge(ids);
    };
    view! {
        <header class="page-head">
            <h1>"Alarms"</h1>
            <Filters />
        </header>
        <div class="bulk" class:shown=move || chosen.with(|c| !c.is_empty())>
            <span>{move || format!("{} selected", chosen.with(HashSet::len))}</span>
            <button class="link" on:click=move |_| chosen.set(unseen(alarms).collect())>
                "Select all unacknowledged on this page"
            </button>
            <button class="button small" on:click=bulk>
                {Icon::Check.view()}
                "Acknowledge"
            </button>
            <button class="link" on:click=move |_| chosen.update(HashSet::clear)>
                "Clear selection"
            </button>
        </div>
        <section class="panel flush">
            <Loaded phase=alarms.phase() retry=alarms.retry() lines=8>
                <AlarmList alarms most=ROWS_PER_PAGE />
                {move || {
                    alarms
                        .items()
                        .is_empty()
                        .then(|| {
                            let filtered = ["status", "severity", "machine_id", "q"].iter().any(|name| app.nav.param(name).is_some());
                            let (title, words) = if filtered {
                                ("No alarms here", "No alarm matches this filter.")
                            } else {
                                ("No active alarms", "Every alarm is resolved.")
                            };
                            view! { <Empty icon=Icon::Check title>{words}</Empty> }
                        })
                }}
                <Pager total=Signal::derive(move || alarms.count()) size=ROWS_PER_PAGE />
            </Loaded>
        </section>
        {move || open.get().map(|id| view! { <AlarmDrawer id list=alarms /> })}
    }
    .into_any()
}

/// The unacknowledged alarms of a list.
fn unseen(alarms: Query<Vec<Alarm>>) -> impl Iterator<Item = AlarmId> {
    alarms.items().into_iter().filter(|alarm| alarm.status == AlarmStatus::Open).map(|alarm| alarm.id)
}

/// The alarms selected for a common action.
#[derive(Clone, Copy)]
pub struct Chosen(pub RwSignal<HashSet<AlarmId>>);

#[component]
fn Filters() -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let status = move || app.nav.param("status").unwrap_or_else(|| "active".to_owned());
    let severity = move || app.nav.param("severity").unwrap_or_default();
    let choice = |word: &'static str, label: &'static str| {
        form::segment(label, move || status() == word, move || pager::filter("status", word))
    };
    view! {
        <div class="filters">
            <div class="segmented" role="group" aria-label="Status">
                {choice("active", "Active")}
                {choice("open", "Unacknowledged")}
                {choice("resolved", "Resolved")}
                {choice("all", "All")}
            </div>
            <select
                class="input small"
                aria-label="Machine"
                prop:value=move || app.nav.param("machine_id").unwrap_or_default()
                on:change=move |event| pager::filter("machine_id", &event_target_value(&event))
            >
                <option value="">"Any machine"</option>
                {move || {
                    machines
                        .query
                        .items()
                        .into_iter()
                        .map(|m| {
                            let id = m.id.to_string();
                            let chosen = app.nav.param("machine_id").as_deref() == Some(&id);
                            view! { <option value=id selected=chosen>{m.name}</option> }
                        })
                        .collect_view()
                }}
            </select>
            <select
                class="input small"
                aria-label="Severity"
                prop:value=severity
                on:change=move |event| pager::filter("severity", &event_target_value(&event))
            >
                <option value="">"Any severity"</option>
                <option value="critical">"Critical"</option>
                <option value="warning">"Warning"</option>
                <option value="info">"Info"</option>
            </select>
            {pager::search("Filter by text")}
        </div>
    }
    .into_any()
}

fn shown(alarms: Query<Vec<Alarm>>, most: usize) -> Vec<Alarm> {
    let mut list = alarms.items();
    list.sort_by(urgency::by_urgency);
    list.truncate(most);
    list
}

/// Alarms as rows, the most urgent first.
#[component]
pub fn AlarmList(
    /// The alarms.
    alarms: Query<Vec<Alarm>>,
    /// How many rows at most.
    most: usize,
) -> impl IntoView {
    view! {
        <ul class="alarms">
            <For
                each=move || shown(alarms, most)
                key=|alarm| (alarm.id, alarm.updated_at, alarm.status)
                children=move |alarm| view! { <AlarmRow alarm alarms /> }
            />
        </ul>
    }
    .into_any()
}

#[component]
fn AlarmRow(alarm: Alarm, alarms: Query<Vec<Alarm>>) -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let queue = AlarmActions::of(alarms);
    let id = alarm.id;
    let address = move || app.nav.to(Route::Alarm(id));
    let open = alarm.status == AlarmStatus::Open;
    let active = urgency::is_active(&alarm);
    let may = move || app.api.session.may(Role::Engineer);
    let class = format!("alarm {} {}", alarm.severity, alarm.status);
    // Only for users who may act on the selected alarms.
    let chosen = use_context::<Chosen>();
    let choosing = move || {
        let Chosen(chosen) = chosen.filter(|_| may())?;
        Some(view! {
            <input
                type="checkbox"
                aria-label="Select this alarm"
                disabled=!open
                prop:checked=move || chosen.with(|c| c.contains(&id))
                on:change=move |event| {
                    chosen.update(|c| { if event_target_checked(&event) { c.insert(id) } else { c.remove(&id) }; });
                }
            />
        })
    };
    let again = (alarm.occurrences > 1).then(|| view! { <span>{alarm.occurrences} " times"</span> });
    let ended = (active && !alarm.condition_active).then(|| view! { <span>"back to normal"</span> });
    view! {
        <li
            class=class
            data-row
            tabindex="-1"
            on:keydown=move |event| {
                match rows::key(&event).unwrap_or_default().as_str() {
                    "Enter" => app.nav.go(&untrack(address)),
                    "a" if open && may() => queue.acknowledge(vec![id]),
                    "r" if active => {
                        app.nav.go(&untrack(address));
                        app.nav.set_param("resolve", Some("1"));
                    }
                    _ => return,
                }
                event.stop_propagation();
            }
        >
            {choosing}
            <div class="alarm-sign">{badge::severity(alarm.severity)}</div>
            <div class="alarm-text">
                <a href=address>{alarm.message}</a>
                <p class="muted">
                    <span>{move || machines.name(alarm.machine_id)}</span>
                    <Ago at=alarm.triggered_at />
                    {again}
                    {ended}
                </p>
            </div>
            <div class="alarm-state">{badge::alarm_status(alarm.status)}</div>
            <div class="alarm-do">
                {move || {
                    (open && may())
                        .then(|| {
                            view! {
                                <button
                                    class="button small"
                                    on:click=move |_| queue.acknowledge(vec![id])
                                >
                                    "Acknowledge"
                                </button>
                            }
                        })
                }}
            </div>
        </li>
    }
    .into_any()
}
