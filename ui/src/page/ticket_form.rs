//! The form of a new ticket.

use crate::{
    components::{
        confirm::Dialog,
        form::{self, choice, text_field},
        icon::Icon,
    },
    live::Topic,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Priority, Role, Timestamp,
    route::{op, request},
    ticket::NewTicket,
};
use pm_ui_core::{change::given, route::Route};

/// A button that opens the form, for users who may open tickets.
#[component]
pub fn AddTicket() -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        {form::opener("New ticket", Icon::Plus, Role::Engineer, move || open.set(true))}
        <Dialog open title="New ticket">
            <Form open />
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>) -> impl IntoView {
    let app = app();
    let text = || RwSignal::new(String::new());
    let (title, description, assignee, due, machine) = (text(), text(), text(), text(), text());
    let priority = RwSignal::new(Priority::Medium);
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Ok(machine_id) = machine.get_untracked().parse() else {
            return problem.set(Some("Choose a machine.".to_owned()));
        };
        let body = NewTicket {
            machine_id,
            title: title.get_untracked().trim().to_owned(),
            alarm_id: None,
            priority: Some(priority.get_untracked()),
            assignee: given(&assignee.get_untracked()),
            description: given(&description.get_untracked()),
            due_at: given(&due.get_untracked()).and_then(|day| day.parse::<Timestamp>().ok()),
            auto_created: None,
            metadata: None,
        };
        spawn_local(async move {
            match app.api.send(request(op::CreateTicket, []), &body).await {
                Ok(ticket) => {
                    app.live.touch(Topic::Tickets);
                    open.set(false);
                    app.nav.go(&untrack(|| app.nav.to(Route::Ticket(ticket.id))));
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {text_field("Title", "text", true, title)}
            {form::machine_choice("Choose", true, machine)}
            {text_field("Description", "text", false, description)}
            <div class="form-row">
                {choice("Priority", Priority::WORDS, move || priority.get().as_str(), move |word| {
                    if let Ok(word) = word.parse() {
                        priority.set(word);
                    }
                })}
                {text_field("Due", "date", false, due)}
            </div>
            {text_field("Assigned to (mail address)", "email", false, assignee)} {form::problem(problem)}
            {form::foot(open, "Open it", None)}
        </form>
    }
    .into_any()
}
