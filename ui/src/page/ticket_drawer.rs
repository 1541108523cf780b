//! The drawer of one ticket: the work, its assignee and its state.

use super::{
    case_alarms::CaseAlarms,
    discussion::{Discussion, Subject},
};
use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        drawer::Drawer,
        form,
        loaded::Loaded,
        time::{Ago, Clock},
        undo,
    },
    live::Topic,
    shell::Machines,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    AlarmId, ClosingCode, Priority, Role, TicketId, TicketStatus, Timestamp,
    route::{op, request},
    ticket::Ticket,
};
use pm_ui_core::{
    change::{changes, given, way_back},
    route::Route,
    text::title,
};

/// The drawer.
#[component]
pub fn TicketDrawer(
    /// Which ticket.
    id: TicketId,
) -> impl IntoView {
    let app = app();
    let ticket = Query::new(move || Some(request(op::GetTicket, [&id])), &[Refresh::On(Topic::Tickets)]);
    let alarm = Memo::new(move |_| ticket.data.with(|t| t.as_ref().and_then(|t| t.alarm_id)));
    let close = Callback::new(move |()| app.nav.go(&untrack(|| app.nav.to(Route::Tickets))));
    view! {
        <Drawer label="Ticket" heading="Ticket" close>
            <Loaded phase=ticket.phase() retry=ticket.retry() lines=6>
                {move || ticket.data.get().map(facts)}
                {move || {
                    let known = app.api.session.may(Role::Engineer).then(|| ticket.data.get_untracked());
                    known.flatten().map(|first| view! { <Work first ticket /> })
                }}
            </Loaded>
            {move || alarm.get().map(|id| view! { <TicketAlarms id /> })}
            <Discussion subject=Subject::Ticket(id) />
        </Drawer>
    }
    .into_any()
}

/// The alarms of the trouble that the ticket is about: they stay active when the ticket is resolved, until somebody resolves them.
#[component]
fn TicketAlarms(
    /// The alarm that opened it.
    id: AlarmId,
) -> impl IntoView {
    let alarm = Query::new(move || Some(request(op::GetAlarm, [&id])), &[]);
    let case = Memo::new(move |_| alarm.data.with(|a| a.as_ref().map(|a| a.case_id)));
    move || case.get().map(|case_id| view! { <CaseAlarms case_id heading="Its alarms" least=1 /> })
}

fn facts(ticket: Ticket) -> AnyView {
    let machines = expect_context::<Machines>();
    let machine = ticket.machine_id;
    let priority = badge::priority(&ticket);
    view! {
        <div class="badges">{priority} {badge::ticket_status(ticket.status)}</div>
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
                            <a href=Route::Alarm(id).to_string()>"Alarm that opened it"</a>
                        </dd>
                    }
                })}
            <dt>"Assigned to"</dt>
            <dd>{ticket.assignee.unwrap_or_else(|| "not assigned".to_owned())}</dd>
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
                .closing_code
                .map(|code| {
                    view! {
                        <dt>"Found and done"</dt>
                        <dd>{title(code.as_str())}</dd>
                    }
                })}
            {ticket
                .resolution_notes
                .map(|notes| {
                    view! {
                        <dt>"Done"</dt>
                        <dd>{notes}</dd>
                    }
                })}
        </dl>
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

/// The day on which a ticket is due, as a form has it.
fn day(ticket: &Ticket) -> String {
    ticket.due_at.map(|at| at.to_string().chars().take(10).collect()).unwrap_or_default()
}

/// A field of the form. It holds the ticket's value until the user types, and again when the ticket's value changes.
fn field<T: Clone + PartialEq + Send + Sync + 'static>(
    first: &Ticket,
    ticket: Query<Ticket>,
    pick: fn(&Ticket) -> T,
) -> RwSignal<T> {
    let field = RwSignal::new(pick(first));
    let stored = Memo::new(move |_| ticket.data.with(|ticket| ticket.as_ref().map(pick)));
    Effect::new(move |_| {
        if let Some(stored) = stored.get() {
            field.set(stored);
        }
    });
    field
}

#[component]
fn Work(
    /// The ticket as it was found.
    first: Ticket,
    /// And as it becomes.
    ticket: Query<Ticket>,
) -> impl IntoView {
    let app = app();
    let assignee = field(&first, ticket, |ticket| ticket.assignee.clone().unwrap_or_default());
    let due = field(&first, ticket, day);
    let priority = field(&first, ticket, |ticket| ticket.priority);
    let notes = field(&first, ticket, |ticket| ticket.resolution_notes.clone().unwrap_or_default());
    let status = field(&first, ticket, |ticket| ticket.status);
    let code = field(&first, ticket, |ticket| ticket.closing_code);
    let problem = RwSignal::new(None::<String>);
    let save = move |status: TicketStatus| {
        let Some(old) = ticket.data.get_untracked() else { return };
        let typed = due.get_untracked();
        let new = Ticket {
            status,
            assignee: given(&assignee.get_untracked()),
            // The form shows the day alone; the hour stays with it.
            due_at: if typed == day(&old) {
                old.due_at
            } else {
                given(&typed).and_then(|day| day.parse::<Timestamp>().ok())
            },
            priority: priority.get_untracked(),
            resolution_notes: given(&notes.get_untracked()),
            // it belongs to a ticket whose work has ended
            closing_code: code.get_untracked().filter(|_| status >= TicketStatus::Resolved),
            ..old.clone()
        };
        let (body, before) = (changes(&old, &new), way_back(&new, &old));
        problem.set(None);
        if body.is_empty() {
            return app.toasts.done("Nothing was changed.");
        }
        spawn_local(async move {
            let change = request(op::UpdateTicket, [&old.id]);
            match app.api.send_changes(change.clone(), &body).await {
                Ok(saved) => {
                    ticket.data.try_set(Some(saved));
                    app.live.touch(Topic::Tickets);
                    undo::offer(app, "Ticket saved.".to_owned(), change, before);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let buttons = move || {
        let next = steps(status.get()).iter().enumerate();
        let button = |(i, (step, label)): (usize, &'static (TicketStatus, &'static str))| {
            view! {
                <button
                    class=if i == 0 { "button primary" } else { "button" }
                    type="button"
                    on:click=move |_| save(*step)
                >
                    {*label}
                </button>
            }
        };
        next.map(button).collect_view()
    };
    view! {
        <form
            class="form resolve"
            on:submit=move |event: web_sys::SubmitEvent| {
                event.prevent_default();
                save(status.get_untracked());
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
            {form::text_field("What was done", "text", false, notes)}
            <label class="field">
                <span>"Found and done"</span>
                <select class="input" on:change=move |event| code.set(event_target_value(&event).parse().ok())>
                    <option value="" prop:selected=move || code.get().is_none()>"Not specified"</option>
                    {ClosingCode::ALL
                        .iter()
                        .map(|word| {
                            view! {
                                <option value=word.as_str() prop:selected=move || code.get() == Some(*word)>
                                    {title(word.as_str())}
                                </option>
                            }
                        })
                        .collect_view()}
                </select>
            </label>
            {form::problem(problem)}
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
