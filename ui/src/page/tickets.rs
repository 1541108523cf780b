//! Maintenance tickets as a board: one column for each state of the work.

use super::{ticket_drawer::Drawer, ticket_form::AddTicket};
use crate::{
    api::{Query, Refresh},
    live::Topic,
    parts::{
        badge,
        icon::Icon,
        loaded::{Empty, Loaded},
        rows,
        time::{Ago, ms},
    },
    shell::Machines,
    state::app,
};
use leptos::prelude::*;
use pm_api::{TicketStatus, ticket::Ticket};
use pm_ui_core::route::Route;
use std::cmp::Reverse;

const COLUMNS: &[(&str, &[TicketStatus])] = &[
    ("To do", &[TicketStatus::Open, TicketStatus::Assigned]),
    ("In progress", &[TicketStatus::InProgress]),
    ("Done", &[TicketStatus::Resolved, TicketStatus::Closed, TicketStatus::Cancelled]),
];

/// The page.
#[component]
pub fn Tickets() -> impl IntoView {
    let app = app();
    let tickets = Query::<Vec<Ticket>>::new(
        || Some("/tickets?limit=500".to_owned()),
        &[Refresh::On(Topic::Tickets), Refresh::On(Topic::Alarms)],
    );
    let open = Memo::new(move |_| match app.nav.route.get() {
        Route::Ticket(id) => tickets.items().into_iter().find(|ticket| ticket.id == id),
        _ => None,
    });
    view! {
        <header class="page-head">
            <h1>"Tickets"</h1>
            <AddTicket list=tickets />
        </header>
        <Loaded phase=tickets.phase() retry=tickets.retry() lines=8>
            <div class="board">
                {COLUMNS.iter().map(|(name, states)| column(tickets, name, states)).collect_view()}
            </div>
            {move || {
                tickets
                    .data
                    .with(|t| t.as_ref().is_some_and(Vec::is_empty))
                    .then(|| {
                        view! {
                            <Empty icon=Icon::Ticket title="No tickets">
                                "An alarm that needs work opens one by itself."
                            </Empty>
                        }
                    })
            }}
        </Loaded>
        {move || open.get().map(|ticket| view! { <Drawer ticket list=tickets /> })}
    }
    .into_any()
}

fn column(tickets: Query<Vec<Ticket>>, name: &'static str, states: &'static [TicketStatus]) -> AnyView {
    let list = move || {
        let mut list = tickets.items();
        list.retain(|ticket| states.contains(&ticket.status));
        list.sort_by_key(|t| (Reverse(t.priority), t.due_at, Reverse(t.created_at)));
        list
    };
    view! {
        <section class="board-column">
            <h2>{name} " " <span class="muted">{move || list().len()}</span></h2>
            <For each=list key=|t| (t.id, t.updated_at) children=card />
        </section>
    }
    .into_any()
}

fn card(ticket: Ticket) -> AnyView {
    let app = app();
    let machines = expect_context::<Machines>();
    let machine = ticket.machine_id;
    let done = ticket.status >= TicketStatus::Resolved;
    let due = ticket.due_at.filter(|_| !done).map(|at| {
        let late = move || app.now.get() > ms(at);
        view! {
            <span class:late=late>
                {move || if late() { Icon::Warning.view() } else { Icon::Clock.view() }}
                {move || if late() { "overdue, due " } else { "due " }} <Ago at />
            </span>
        }
    });
    let address = Route::Ticket(ticket.id).to_string();
    let target = address.clone();
    view! {
        <article
            class="card"
            data-row
            tabindex="-1"
            on:keydown=move |event| {
                if rows::key(&event).as_deref() == Some("Enter") {
                    app.nav.go(&target);
                }
            }
        >
            <a href=address>{ticket.title}</a>
            <p class="muted">{move || machines.name(machine)}</p>
            <div class="badges">
                {badge::priority(ticket.priority)} {(!done).then(|| badge::ticket_status(ticket.status))}
            </div>
            <p class="muted small card-foot">{ticket.assignee} {due}</p>
        </article>
    }
    .into_any()
}
