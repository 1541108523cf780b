//! Maintenance tickets: as a board with one column for each state of the work, or as a list.

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
    let asked = Memo::new(move |_| match app.nav.route.get() {
        Route::Ticket(id) => Some(id),
        _ => None,
    });
    let known = move |id| tickets.data.with(|t| t.iter().flatten().find(|ticket| ticket.id == id).cloned());
    // One that is too old for the board.
    let other = Query::<Ticket>::new(
        move || {
            let id = asked.get().filter(|id| tickets.data.with(Option::is_some) && known(*id).is_none())?;
            Some(format!("/tickets/{id}"))
        },
        &[Refresh::On(Topic::Tickets)],
    );
    let open = Memo::new(move |_| {
        let id = asked.get()?;
        known(id).or_else(|| other.data.get().filter(|ticket| ticket.id == id))
    });
    let as_list = move || app.nav.param("view").as_deref() == Some("list");
    let view_choice = move |word: &'static str, label: &'static str| {
        view! {
            <button
                aria-pressed=move || (as_list() == (word == "list")).to_string()
                on:click=move |_| app.nav.set_param("view", Some(word))
            >
                {label}
            </button>
        }
    };
    view! {
        <header class="page-head">
            <h1>"Tickets"</h1>
            <div class="filters">
                <div class="segmented" role="group" aria-label="Arrangement">
                    {view_choice("board", "Board")} {view_choice("list", "List")}
                </div>
                <button
                    class="button small"
                    aria-pressed=move || mine().is_some().to_string()
                    on:click=move |_| {
                        app.nav.set_param("mine", untrack(mine).is_none().then_some("1"));
                    }
                >
                    {Icon::User.view()}
                    "Assigned to me"
                </button>
                <AddTicket list=tickets />
            </div>
        </header>
        <Loaded phase=tickets.phase() retry=tickets.retry() lines=8>
            {move || {
                if as_list() {
                    list(tickets)
                } else {
                    let columns = COLUMNS.iter().map(|(name, states)| column(tickets, name, states)).collect_view();
                    view! { <div class="board">{columns}</div> }.into_any()
                }
            }}
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

/// Whose tickets alone are shown, if the address says so: those of the user. Reactive.
fn mine() -> Option<String> {
    let app = app();
    app.nav.param("mine")?;
    app.api.session.user.with(|user| user.as_ref().map(|user| user.email.clone()))
}

/// The tickets in these states, the most urgent first. Reactive.
fn sorted(tickets: Query<Vec<Ticket>>, states: &[TicketStatus]) -> Vec<Ticket> {
    let mine = mine();
    let mut list = tickets.items();
    list.retain(|ticket| {
        states.contains(&ticket.status) && mine.as_ref().is_none_or(|me| ticket.assignee.as_ref() == Some(me))
    });
    list.sort_by_key(|t| (Reverse(t.priority), t.due_at, Reverse(t.created_at)));
    list
}

fn list(tickets: Query<Vec<Ticket>>) -> AnyView {
    let all = move || COLUMNS.iter().flat_map(|(_, states)| sorted(tickets, states)).collect::<Vec<_>>();
    view! {
        <section class="panel flush">
            <div class="table-box">
                <table class="table cards">
                    <thead>
                        <tr>
                            <th>"Ticket"</th>
                            <th class="wide">"Machine"</th>
                            <th>"Priority"</th>
                            <th>"State"</th>
                            <th class="wide">"Assigned to"</th>
                            <th class="wide when">"Due"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=all key=|t| (t.id, t.updated_at) children=line />
                    </tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn line(ticket: Ticket) -> AnyView {
    let app = app();
    let machines = expect_context::<Machines>();
    let machine = ticket.machine_id;
    let address = Route::Ticket(ticket.id).to_string();
    let target = address.clone();
    view! {
        <tr
            data-row
            tabindex="-1"
            on:keydown=move |event| {
                if rows::key(&event).as_deref() == Some("Enter") {
                    app.nav.go(&target);
                }
            }
        >
            <td class="main-cell">
                <a href=address>{ticket.title.clone()}</a>
            </td>
            <td class="wide">{move || machines.name(machine)}</td>
            <td>{badge::priority(ticket.priority)}</td>
            <td>{badge::ticket_status(ticket.status)}</td>
            <td class="wide muted">{ticket.assignee.clone()}</td>
            <td class="wide when">{due(&ticket)}</td>
        </tr>
    }
    .into_any()
}

/// When the work should be done, marked where that is past.
fn due(ticket: &Ticket) -> AnyView {
    let app = app();
    let done = ticket.status >= TicketStatus::Resolved;
    ticket
        .due_at
        .filter(|_| !done)
        .map(|at| {
            let late = move || app.now.get() > ms(at);
            view! {
                <span class="due" class:late=late>
                    {move || if late() { Icon::Warning.view() } else { Icon::Clock.view() }}
                    {move || if late() { "overdue, due " } else { "due " }} <Ago at />
                </span>
            }
        })
        .into_any()
}

fn column(tickets: Query<Vec<Ticket>>, name: &'static str, states: &'static [TicketStatus]) -> AnyView {
    let list = move || sorted(tickets, states);
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
    let due = due(&ticket);
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
