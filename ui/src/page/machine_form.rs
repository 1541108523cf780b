//! The form of a machine: add, change, delete.

use super::machine_fields::{Draft, blank};
use crate::{
    api::Query,
    components::{confirm::Dialog, form, icon::Icon, undo},
    shell::Machines,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role,
    machine::Machine,
    route::{op, request},
};
use pm_ui_core::{change::changes, route::Route};

/// A button that opens the form for a new machine, for users who may add one.
#[component]
pub fn AddMachine() -> impl IntoView {
    form_button("Add machine", Icon::Plus, None, None)
}

/// A button that opens the form of a machine, for users who may change it.
#[component]
pub fn EditMachine(
    /// The machine as it is.
    machine: Machine,
    /// Fetched again when the machine has changed.
    query: Query<Machine>,
) -> impl IntoView {
    form_button("Edit", Icon::Wrench, Some(machine), Some(query))
}

fn form_button(
    label: &'static str,
    icon: Icon,
    machine: Option<Machine>,
    query: Option<Query<Machine>>,
) -> AnyView {
    let open = RwSignal::new(false);
    let machine = StoredValue::new(machine);
    view! {
        {form::opener(label, icon, Role::Engineer, move || open.set(true))}
        <Dialog open title=if query.is_some() { "Machine" } else { "New machine" }>
            <Form open machine=machine.get_value() query />
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>, machine: Option<Machine>, query: Option<Query<Machine>>) -> impl IntoView {
    let app = app();
    let directory = expect_context::<Machines>();
    let known = machine.is_some();
    let old = machine.unwrap_or_else(blank);
    let draft = Draft::of(&old);
    let problem = RwSignal::new(None::<String>);
    let id = old.id;
    let old = StoredValue::new(old);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let old = old.get_value();
        let new = draft.onto(old.clone());
        let (body, before) = (changes(&old, &new), changes(&new, &old));
        if body.is_empty() {
            return open.set(false);
        }
        spawn_local(async move {
            let change = request(op::UpdateMachine, [&id]);
            let answer = if known {
                app.api.send_changes(change.clone(), &body).await
            } else {
                app.api.send_changes(request(op::CreateMachine, []), &body).await
            };
            match answer {
                Ok(saved) => {
                    open.set(false);
                    directory.query.refetch();
                    let done = format!("{} saved.", saved.name);
                    match query {
                        Some(query) => {
                            query.refetch();
                            undo::offer(app, done, change, before);
                        }
                        None => {
                            app.toasts.done(done);
                            app.nav.go(&Route::Machine(saved.id).to_string());
                        }
                    }
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteMachine, [&id])).await {
                Ok(()) => {
                    app.toasts.done("Machine deleted.");
                    directory.query.refetch();
                    app.nav.go(&Route::Machines.to_string());
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {draft.inputs()}
            {form::problem(problem)}
            {form::foot(open, "Save", known.then(|| form::sure_button("Delete", "Delete it and all its readings", remove)))}
        </form>
    }
    .into_any()
}
