//! A machine's tickets, and its history in the order of time.

use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        time::Ago,
    },
    live::Topic,
};
use leptos::prelude::*;
use pm_api::{
    MachineId, Timestamp,
    alarm::Alarm,
    route::{op, request},
    ticket::{Ticket, TicketFilter},
};
use pm_ui_core::route::Route;
use std::cmp::Reverse;

/// Entries of the history at most.
const MAX_ENTRIES: usize = 20;

/// Tickets and history.
#[component]
pub fn MachineHistory(
    /// Which machine.
    id: MachineId,
    /// Its alarms.
    own: Memo<Vec<Alarm>>,
) -> impl IntoView {
    let tickets = Query::new(
        move || {
            let filter = TicketFilter { machine_id: Some(id), ..TicketFilter::default() };
            Some(request(op::ListTickets, []).query(&filter).limit(100))
        },
        &[Refresh::On(Topic::Tickets), Refresh::On(Topic::Alarms)],
    );
    let entries = move || {
        let mut list = own.with(|alarms| alarms.iter().flat_map(of_alarm).collect::<Vec<_>>());
        tickets.data.with(|tickets| list.extend(tickets.iter().flatten().map(of_ticket)));
        list.sort_by_key(|entry| Reverse(entry.0));
        list.truncate(MAX_ENTRIES);
        list
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Tickets"</h2>
            </header>
            <Loaded phase=tickets.phase() retry=tickets.retry() lines=2>
                <ul class="pairs">
                    <For each=move || tickets.items().into_iter().take(8) key=|t| (t.id, t.updated_at) children=ticket />
                </ul>
                {move || {
                    tickets
                        .items()
                        .is_empty()
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Ticket title="No tickets">
                                    "An alarm that needs maintenance opens one automatically."
                                </Empty>
                            }
                        })
                }}
            </Loaded>
        </section>
        <section class="panel">
            <header class="panel-head">
                <h2>"History"</h2>
            </header>
            <ol class="pairs">
                <For each=entries key=|entry| (entry.0, entry.1, entry.2.clone()) children=shown />
            </ol>
            {move || entries().is_empty().then(|| view! { <p class="muted">"Nothing has happened yet."</p> })}
        </section>
    }
    .into_any()
}

/// When, what, about what, and where that is.
type Entry = (Timestamp, &'static str, String, Route);

fn of_alarm(alarm: &Alarm) -> Vec<Entry> {
    let times = [
        (Some(alarm.triggered_at), "Alarm"),
        (alarm.acknowledged_at, "Acknowledged"),
        (alarm.resolved_at, "Resolved"),
    ];
    let known = times.into_iter().filter_map(|(at, what)| Some((at?, what)));
    known.map(|(at, what)| (at, what, alarm.message.clone(), Route::Alarm(alarm.id))).collect()
}

fn of_ticket(ticket: &Ticket) -> Entry {
    (ticket.created_at, "Ticket", ticket.title.clone(), Route::Ticket(ticket.id))
}

fn shown((at, what, text, route): Entry) -> AnyView {
    view! {
        <li>
            <span class="muted small history-what">{what}</span>
            <a href=route.to_string()>{text}</a>
            <span class="muted small"><Ago at /></span>
        </li>
    }
    .into_any()
}

fn ticket(ticket: Ticket) -> AnyView {
    let priority = badge::priority(&ticket);
    view! {
        <li>
            <a href=Route::Ticket(ticket.id).to_string()>{ticket.title}</a>
            <span class="badges">{priority} {badge::ticket_status(ticket.status)}</span>
        </li>
    }
    .into_any()
}
