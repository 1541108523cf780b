//! Maintenance tickets: as a board with one column for each state of the work, or as a list.

use super::{ticket_drawer::TicketDrawer, ticket_form::AddTicket};
use crate::{
    api::{Query, Refresh},
    components::{
        badge, form,
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        rows::{self, Row},
        time::{Ago, ms},
    },
    live::Topic,
    shell::Machines,
    state::{App, app},
};
use leptos::prelude::*;
use pm_api::{
    TicketStatus,
    input::CommaSeparated,
    route::{op, request},
    sort::TicketSort,
    ticket::{Ticket, TicketFilter},
};
use pm_ui_core::route::Route;

/// Tickets on one page of the list, and at first in a column of the board.
const TICKETS_PER_PAGE: usize = 50;
/// Tickets in a column of the board at most.
const MAX_TICKETS_PER_COLUMN: usize = 1000;

/// The columns of the board: name, states, and what orders them.
const COLUMNS: &[(&str, &[TicketStatus], TicketSort)] = &[
    ("To do", &[TicketStatus::Open, TicketStatus::Assigned], TicketSort::Priority),
    ("In progress", &[TicketStatus::InProgress], TicketSort::Priority),
    ("Done", &[TicketStatus::Resolved, TicketStatus::Closed, TicketStatus::Cancelled], TicketSort::UpdatedAt),
];

/// The page.
#[component]
pub fn Tickets() -> impl IntoView {
    let app = app();
    let open = Memo::new(move |_| match app.nav.route.get() {
        Route::Ticket(id) => Some(id),
        _ => None,
    });
    let as_list = Memo::new(move |_| app.nav.param("view").as_deref() == Some("list"));
    let mine = move || app.nav.param("mine").is_some();
    let arrangement = |word: &'static str, label: &'static str| {
        form::segment(label, move || as_list.get() == (word == "list"), move || pager::filter("view", word))
    };
    view! {
        <header class="page-head">
            <h1>"Tickets"</h1>
            <div class="filters">
                <div class="segmented" role="group" aria-label="Arrangement">
                    {arrangement("board", "Board")} {arrangement("list", "List")}
                </div>
                <button
                    class="button small"
                    aria-pressed=move || mine().to_string()
                    on:click=move |_| pager::filter("mine", if untrack(mine) { "" } else { "1" })
                >
                    {Icon::User.view()}
                    "Assigned to me"
                </button>
                {pager::search("Filter by text")}
                <AddTicket />
            </div>
        </header>
        {move || if as_list.get() { view! { <List /> }.into_any() } else { view! { <Board /> }.into_any() }}
        {move || open.get().map(|id| view! { <TicketDrawer id /> })}
    }
    .into_any()
}

/// The filters in the page's address; nothing while the assignee is not known. Reactive.
fn filter(app: App) -> Option<TicketFilter> {
    let me = || app.api.session.user.with(|user| user.as_ref().map(|user| user.email.clone()));
    let assignee = match app.nav.param("mine") {
        Some(_) => Some(me()?.into()),
        None => None,
    };
    Some(TicketFilter { assignee, q: pager::words(), ..TicketFilter::default() })
}

/// Are there none, as far as is known? Reactive.
fn none(tickets: Query<Vec<Ticket>>) -> bool {
    tickets.data.with(|tickets| tickets.as_ref().is_some_and(Vec::is_empty))
}

fn nothing() -> AnyView {
    view! {
        <Empty icon=Icon::Ticket title="No tickets here">
            "Nothing matches this filter. An alarm that needs maintenance opens a ticket automatically."
        </Empty>
    }
    .into_any()
}

#[component]
fn List() -> impl IntoView {
    let app = app();
    let tickets = Query::new(
        move || {
            let list = request(op::ListTickets, []).query(&filter(app)?).descending(TicketSort::Priority);
            Some(pager::paged(list, TICKETS_PER_PAGE))
        },
        &[Refresh::On(Topic::Tickets)],
    );
    view! {
        <section class="panel flush">
            <Loaded phase=tickets.phase() retry=tickets.retry() lines=8>
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
                            <For each=move || tickets.items() key=|t| (t.id, t.updated_at) children=line />
                        </tbody>
                    </table>
                </div>
                {move || none(tickets).then(nothing)}
                <Pager total=Signal::derive(move || tickets.count()) size=TICKETS_PER_PAGE />
            </Loaded>
        </section>
    }
    .into_any()
}

fn line(ticket: Ticket) -> AnyView {
    let app = app();
    let machines = expect_context::<Machines>();
    let machine = ticket.machine_id;
    let route = Route::Ticket(ticket.id);
    let due = due(&ticket);
    let priority = badge::priority(&ticket);
    view! {
        <Row route>
            <td class="main-cell">
                <a href=move || app.nav.to(route)>{ticket.title}</a>
            </td>
            <td class="wide">{move || machines.name(machine)}</td>
            <td>{priority}</td>
            <td>{badge::ticket_status(ticket.status)}</td>
            <td class="wide muted">{ticket.assignee}</td>
            <td class="wide when">{due}</td>
        </Row>
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

#[component]
fn Board() -> impl IntoView {
    let (columns, queries): (Vec<_>, Vec<_>) =
        COLUMNS.iter().map(|(name, states, order)| column(name, states, *order)).unzip();
    let empty = move || queries.iter().all(|tickets| none(*tickets));
    view! {
        <div class="board">{columns}</div>
        {move || empty().then(nothing)}
    }
    .into_any()
}

/// A column, and its tickets as the server has them.
fn column(
    name: &'static str,
    states: &'static [TicketStatus],
    order: TicketSort,
) -> (AnyView, Query<Vec<Ticket>>) {
    let app = app();
    let most = RwSignal::new(TICKETS_PER_PAGE);
    let tickets = Query::new(
        move || {
            let filter = TicketFilter { status: Some(CommaSeparated(states.to_vec())), ..filter(app)? };
            Some(request(op::ListTickets, []).query(&filter).descending(order).limit(most.get()))
        },
        &[Refresh::On(Topic::Tickets)],
    );
    let more = move || most.get() < tickets.count().min(MAX_TICKETS_PER_COLUMN);
    let view = view! {
        <section class="board-column">
            <h2>{name} " " <span class="muted">{move || tickets.total.get()}</span></h2>
            <Loaded phase=tickets.phase() retry=tickets.retry() lines=6>
                <For each=move || tickets.items() key=|t| (t.id, t.updated_at) children=card />
                {move || {
                    more()
                        .then(|| {
                            view! {
                                <button
                                    class="button small"
                                    on:click=move |_| most.update(|most| *most = (*most + TICKETS_PER_PAGE).min(MAX_TICKETS_PER_COLUMN))
                                >
                                    "Show more"
                                </button>
                            }
                        })
                }}
            </Loaded>
        </section>
    };
    (view.into_any(), tickets)
}

fn card(ticket: Ticket) -> AnyView {
    let app = app();
    let machines = expect_context::<Machines>();
    let machine = ticket.machine_id;
    let done = ticket.status >= TicketStatus::Resolved;
    let due = due(&ticket);
    let route = Route::Ticket(ticket.id);
    let priority = badge::priority(&ticket);
    view! {
        <article class="card" data-row tabindex="-1" on:keydown=move |event| rows::open(&event, app.nav, route)>
            <a href=move || app.nav.to(route)>{ticket.title}</a>
            <p class="muted">{move || machines.name(machine)}</p>
            <div class="badges">
                {priority} {(!done).then(|| badge::ticket_status(ticket.status))}
            </div>
            <p class="muted small card-foot">{ticket.assignee} {due}</p>
        </article>
    }
    .into_any()
}
