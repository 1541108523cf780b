//! All machines.

use super::{
    machine_fields::{FIELDS, Field},
    machine_form::AddMachine,
};
use crate::{
    components::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        rows::Row,
    },
    shell::{ActiveAlarms, Machines as Directory},
    state::app,
};
use leptos::prelude::*;
use pm_api::{MachineStatus, Severity, machine::Machine};
use pm_ui_core::{route::Route, text::title, urgency};
use std::cmp::Reverse;

/// Machines on one page of the list.
const ROWS_PER_PAGE: usize = 50;

/// The page.
#[component]
pub fn Machines() -> impl IntoView {
    let app = app();
    let Directory { query, .. } = expect_context::<Directory>();
    let ActiveAlarms(alarms) = expect_context::<ActiveAlarms>();
    let severity_of = move |machine: &Machine| {
        alarms.data.with(|alarms| {
            urgency::highest_severity(alarms.iter().flatten().filter(|alarm| alarm.machine_id == machine.id))
        })
    };
    let shown = Memo::new(move |_| {
        let words = app.nav.param("q").unwrap_or_default().to_lowercase();
        let status = app.nav.param("status").and_then(|word| word.parse::<MachineStatus>().ok());
        let mut list: Vec<(Option<Severity>, Machine)> = query
            .items()
            .into_iter()
            .filter(|m| status.is_none_or(|wanted| m.status == wanted))
            .filter(|m| {
                let place = m.location.as_deref().unwrap_or_default();
                format!("{} {place}", m.name).to_lowercase().contains(&words)
            })
            .map(|m| (severity_of(&m), m))
            .collect();
        list.sort_by(|(a, x), (b, y)| Reverse(*a).cmp(&Reverse(*b)).then_with(|| x.name.cmp(&y.name)));
        list
    });
    let here = move || {
        let skip = (pager::page(app.nav) - 1) * ROWS_PER_PAGE;
        shown.with(|all| all.iter().skip(skip).take(ROWS_PER_PAGE).cloned().collect::<Vec<_>>())
    };
    view! {
        <header class="page-head">
            <h1>"Machines"</h1>
            <div class="filters">
                <select
                    class="input small"
                    aria-label="State"
                    prop:value=move || app.nav.param("status").unwrap_or_default()
                    on:change=move |event| pager::filter("status", &event_target_value(&event))
                >
                    <option value="">"Any state"</option>
                    {MachineStatus::WORDS
                        .iter()
                        .map(|word| view! { <option value=*word>{title(word)}</option> })
                        .collect_view()}
                </select>
                {pager::search("Name or place")}
                <AddMachine />
            </div>
        </header>
        <section class="panel flush">
            <Loaded phase=query.phase() retry=query.retry() lines=8>
                <div class="table-box">
                    <table class="table cards">
                        <thead>
                            <tr>
                                <th>"Machine"</th>
                                {columns()
                                    .map(|(field, class)| view! { <th class=class>{field.label}</th> })
                                    .collect_view()}
                                <th>"Alarms"</th>
                            </tr>
                        </thead>
                        <tbody>
                            <For
                                each=here
                                key=|(severity, m)| (m.id, m.updated_at, *severity)
                                children=move |(severity, machine)| row(severity, machine)
                            />
                        </tbody>
                    </table>
                </div>
                {move || shown.with(Vec::is_empty).then(|| none(query.items().is_empty()))}
                <Pager total=Signal::derive(move || shown.with(Vec::len)) size=ROWS_PER_PAGE />
            </Loaded>
        </section>
    }
    .into_any()
}

/// The fields that have a column, with its class.
fn columns() -> impl Iterator<Item = (&'static Field, &'static str)> {
    FIELDS.iter().filter_map(|field| Some((field, field.column?)))
}

fn none(no_machine: bool) -> AnyView {
    if no_machine {
        view! {
            <Empty icon=Icon::Machine title="No machines yet">
                "They register themselves with their first reading. "
                <a href=Route::Start.to_string()>"Publish one"</a>
                "."
            </Empty>
        }
        .into_any()
    } else {
        view! {
            <Empty icon=Icon::Search title="No machine matches">
                "Change or clear the filter."
            </Empty>
        }
        .into_any()
    }
}

fn row(severity: Option<Severity>, machine: Machine) -> AnyView {
    let route = Route::Machine(machine.id);
    let cells = columns().map(|(field, class)| view! { <td class=class>{(field.view)(&machine)}</td> });
    let cells = cells.collect_view();
    view! {
        <Row route>
            <td class="main-cell">
                <a href=route.to_string()>{machine.name}</a>
                <small class="under muted">{machine.location}</small>
            </td>
            {cells}
            <td>{match severity { Some(severity) => badge::severity(severity), None => view! { <span class="muted">"none"</span> }.into_any() }}</td>
        </Row>
    }
    .into_any()
}
