//! One ticket beside the board: what is to be done, by whom, and how far it is.

use super::discussion::Discussion;
use crate::{
    api::Query,
    parts::{
        badge, form,
        icon::Icon,
        time::{Ago, Clock},
    },
    shell::Machines,
    state::app,
};
use gloo_net::http::Method;
use leptos::{ev, html, prelude::*, task::spawn_local};
use pm_api::{
    Priority, Role, TicketStatus, Timestamp,
    ticket::{Ticket, TicketUpdate},
};
use pm_ui_core::{change::given, route::Route};

/// The drawer.
#[component]
pub fn Drawer(
    /// The ticket.
    ticket: Ticket,
    /// The board behind it.
    list: Query<Vec<Ticket>>,
) -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    let close = move || app.nav.go(&Route::Tickets.to_string());
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" {
            close();
        }
    });
    on_cleanup(move || handle.remove());
    let heading = NodeRef::<html::H2>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
    let (id, machine) = (ticket.id, ticket.machine_id);
    let known = StoredValue::new(ticket.clone());
    view! {
        <div class="drawer-ground" on:click=move |_| close()></div>
        <aside class="drawer" aria-label="Ticket">
            <header class="drawer-head">
                <h2 node_ref=heading tabindex="-1">
                    "Ticket"
                </h2>
                <button class="quiet" aria-label="Close" on:click=move |_| close()>
                    {Icon::Close.view()}
                </button>
            </header>
            <div class="badges">{badge::priority(ticket.priority)} {badge::ticket_status(ticket.status)}</div>
            <p class="alarm-message">{ticket.title}</p>
            <p>{ticket.description}</p>
            <dl class="facts">
                <dt>"Machine"</dt>
                <dd>
                    <a href=Route::Machine(machine).to_string()>{move || machines.name(machine)}</a>
                </dd>
                {ticket
                    .alarm_id
                    .map(|id| {
                        view! {
                            <dt>"Alarm"</dt>
                            <dd>
                                <a href=Route::Alarm(id).to_string()>"The alarm that opened it"</a>
                            </dd>
                        }
                    })}
                <dt>"Assigned to"</dt>
                <dd>{ticket.assignee.unwrap_or_else(|| "nobody".to_owned())}</dd>
                {ticket
                    .due_at
                    .map(|at| {
                        view! {
                            <dt>"Due"</dt>
                            <dd><Clock at /> ", " <Ago at /></dd>
                        }
                    })}
                <dt>"Opened"</dt>
                <dd>
                    <Clock at=ticket.created_at /> {if ticket.auto_created { " by the system" } else { "" }}
                </dd>
                {ticket
                    .resolution_notes
                    .map(|notes| {
                        view! {
                            <dt>"Done"</dt>
                            <dd>{notes}</dd>
                        }
                    })}
            </dl>
            {move || {
                app.api.session.may(Role::Engineer).then(|| view! { <Work ticket=known.get_value() list /> })
            }}
            <Discussion path=format!("/tickets/{id}") />
        </aside>
    }
    .into_any()
}

/// The next steps that the workflow allows, each with the word on its button.
fn steps(status: TicketStatus) -> &'static [(TicketStatus, &'static str)] {
    use TicketStatus::{Assigned, Cancelled, Closed, InProgress, Open, Resolved};
    match status {
        Open | Assigned => &[(InProgress, "Start"), (Resolved, "Done"), (Cancelled, "Cancel it")],
        InProgress => &[(Resolved, "Done"), (Cancelled, "Cancel it")],
        Resolved => &[(Closed, "Close"), (InProgress, "Not done yet")],
        Closed | Cancelled => &[(Open, "Open again")],
    }
}

#[component]
fn Work(ticket: Ticket, list: Query<Vec<Ticket>>) -> impl IntoView {
    let app = app();
    let id = ticket.id;
    let assignee = RwSignal::new(ticket.assignee.clone().unwrap_or_default());
    let day = ticket.due_at.map(|at| at.to_string().chars().take(10).collect::<String>());
    let due = RwSignal::new(day.unwrap_or_default());
    let priority = RwSignal::new(ticket.priority);
    let notes = RwSignal::new(ticket.resolution_notes.clone().unwrap_or_default());
    let problem = RwSignal::new(None::<String>);
    let send = move |body: TicketUpdate| {
        spawn_local(async move {
            match app.api.send::<_, Ticket>(Method::PATCH, &format!("/tickets/{id}"), &body).await {
                Ok(_) => {
                    app.toasts.done("Ticket saved.");
                    list.refetch();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let details = move || TicketUpdate {
        assignee: given(&assignee.get_untracked()),
        due_at: given(&due.get_untracked()).and_then(|day| day.parse::<Timestamp>().ok()),
        priority: Some(priority.get_untracked()),
        resolution_notes: given(&notes.get_untracked()),
        ..TicketUpdate::default()
    };
    let buttons = steps(ticket.status)
        .iter()
        .enumerate()
        .map(|(i, (status, label))| {
            view! {
                <button
                    class=if i == 0 { "button primary" } else { "button" }
                    type="button"
                    on:click=move |_| send(TicketUpdate { status: Some(*status), ..details() })
                >
                    {*label}
                </button>
            }
        })
        .collect_view();
    view! {
        <form
            class="form resolve"
            on:submit=move |event: web_sys::SubmitEvent| {
                event.prevent_default();
                send(details());
            }
        >
            <div class="form-row">
                {form::text_field("Assigned to", "email", false, assignee)} {form::text_field("Due", "date", false, due)}
            </div>
            {form::choice("Priority", Priority::WORDS, move || priority.get().as_str(), move |word| {
                if let Ok(word) = word.parse() {
                    priority.set(word);
                }
            })}
            {form::text_field("What was done", "text", false, notes)} {form::problem(problem)}
            <footer class="form-foot">
                <button class="button" type="submit">
                    "Save"
                </button>
                {buttons}
            </footer>
        </form>
    }
    .into_any()
}
