//! Webhooks: receivers of events, their deliveries, and tests. Engineers read, administrators change.

use super::deliveries::Deliveries;
use crate::{
    api::{Query, Refresh},
    components::{
        confirm::{Dialog, OpenState},
        form::{self, Only, text_field},
        icon::Icon,
        loaded::{Empty, Loaded},
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role, WebhookId,
    input::Many,
    route::{op, request},
    webhook::{Webhook, WebhookChange},
};
use pm_ui_core::change::given;

/// What the dialog shows.
#[derive(Clone)]
enum Shown {
    New,
    Known(Box<Webhook>),
    Secret(String),
    Deliveries(WebhookId),
}

/// The page.
#[component]
pub fn Webhooks() -> impl IntoView {
    let hooks = Query::new(|| Some(request(op::ListWebhooks, [])), &[Refresh::Pulse]);
    let shown = RwSignal::new(None::<Shown>);
    view! {
        <header class="page-head">
            <h1>"Webhooks"</h1>
            {form::opener("Add receiver", Icon::Plus, Role::Admin, move || shown.set(Some(Shown::New)))}
        </header>
        <Loaded phase=hooks.phase() retry=hooks.retry() lines=6>
            <For
                each=move || hooks.items()
                key=|hook| (hook.id, hook.updated_at)
                children=move |hook| panel(hook, hooks, shown)
            />
            {move || {
                hooks
                    .items()
                    .is_empty()
                    .then(|| {
                        view! {
                            <Empty icon=Icon::Webhook title="No webhooks">
                                "A webhook receives alarms, tickets and anomalies as signed HTTP requests."
                            </Empty>
                        }
                    })
            }}
        </Loaded>
        <Dialog open=shown title="Webhook">
            {move || match shown.get() {
                None => ().into_any(),
                Some(Shown::New) => view! { <Form old=None hooks shown /> }.into_any(),
                Some(Shown::Known(hook)) => view! { <Form old=Some(*hook) hooks shown /> }.into_any(),
                Some(Shown::Secret(secret)) => secret_note(secret),
                Some(Shown::Deliveries(id)) => view! { <Deliveries id /> }.into_any(),
            }}
        </Dialog>
    }
    .into_any()
}

fn secret_note(secret: String) -> AnyView {
    view! {
        <p>"This secret signs the deliveries. It is shown only once; copy it to the receiver:"</p>
        <p><code>{secret}</code></p>
    }
    .into_any()
}

fn panel(hook: Webhook, hooks: Query<Vec<Webhook>>, shown: RwSignal<Option<Shown>>) -> AnyView {
    let app = app();
    let id = hook.id;
    let known = StoredValue::new(hook.clone());
    let test = move |_| {
        spawn_local(async move {
            match app.api.call(request(op::TestWebhook, [&id])).await {
                Ok(result) if result.ok => app.toasts.done("The receiver answered."),
                Ok(result) => {
                    app.toasts.failed(result.error.unwrap_or_else(|| "The test failed.".to_owned()))
                }
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let rotate = move || {
        spawn_local(async move {
            match app.api.call(request(op::RotateWebhookSecret, [&id])).await {
                Ok(hook) => {
                    hooks.refetch();
                    shown.set(Some(Shown::Secret(hook.secret.unwrap_or_default())));
                }
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>{hook.name}</h2>
                {if hook.is_active {
                    view! { <span class="badge calm">{Icon::Check.view()} "active"</span> }.into_any()
                } else {
                    view! { <span class="badge off">{Icon::Pause.view()} "off"</span> }.into_any()
                }}
            </header>
            <dl class="facts">
                <dt>"Address"</dt>
                <dd><code>{hook.url}</code></dd>
                <dt>"Events"</dt>
                <dd>{hook.events.join(", ")}</dd>
                {hook
                    .disabled_reason
                    .map(|reason| {
                        view! {
                            <dt>"Disabled"</dt>
                            <dd>{reason}</dd>
                        }
                    })}
            </dl>
            <footer class="form-foot">
                <button class="button small" on:click=move |_| shown.set(Some(Shown::Deliveries(id)))>
                    "Deliveries"
                </button>
                <Only least=Role::Admin>
                    <button class="button small" on:click=test>
                        {Icon::Send.view()}
                        "Test"
                    </button>
                    {form::sure_button("New secret", "Really make a new secret", rotate)}
                    <button
                        class="button small"
                        on:click=move |_| shown.set(Some(Shown::Known(Box::new(known.get_value()))))
                    >
                        "Change"
                    </button>
                </Only>
            </footer>
        </section>
    }
    .into_any()
}

#[component]
fn Form(old: Option<Webhook>, hooks: Query<Vec<Webhook>>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
    let app = app();
    let text = |value: Option<&String>| RwSignal::new(value.cloned().unwrap_or_default());
    let name = text(old.as_ref().map(|h| &h.name));
    let url = text(old.as_ref().map(|h| &h.url));
    let events =
        RwSignal::new(old.as_ref().map_or_else(|| "alarm.*, ticket.*".to_owned(), |h| h.events.join(", ")));
    let active = RwSignal::new(old.as_ref().is_none_or(|h| h.is_active));
    let problem = RwSignal::new(None::<String>);
    let open = OpenState::from(shown);
    let id = old.as_ref().map(|h| h.id);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let list = events.with_untracked(|e| e.split([',', ' ']).filter_map(given).map(Into::into).collect());
        // what both forms of the body have: a new webhook needs these three, a change may hold them
        let body = WebhookChange {
            name: given(&name.get_untracked()).map(Into::into),
            url: given(&url.get_untracked()).map(Into::into),
            events: Some(Many(list)),
            is_active: Some(active.get_untracked()),
            ..WebhookChange::default()
        };
        spawn_local(async move {
            let answer = match id {
                Some(id) => app.api.send_changes(request(op::UpdateWebhook, [&id]), &body).await,
                None => app.api.send_changes(request(op::CreateWebhook, []), &body).await,
            };
            match answer {
                Ok(hook) => {
                    hooks.refetch();
                    let secret = hook.secret.filter(|_| id.is_none());
                    shown.set(secret.map(Shown::Secret));
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let remove = move || {
        let Some(id) = id else { return };
        spawn_local(async move {
            match app.api.call(request(op::DeleteWebhook, [&id])).await {
                Ok(()) => {
                    hooks.refetch();
                    open.close();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {text_field("Name", "text", true, name)} {text_field("Address", "url", true, url)}
            {text_field("Events, separated by commas", "text", true, events)}
            <p class="muted small">"Such as alarm.created, ticket.*, prediction.anomaly, machine.status, or * for all."</p>
            {form::check("Deliver", active)} {form::problem(problem)}
            {form::foot(
                open,
                "Save",
                id.map(|_| form::sure_button("Delete", "Delete it and its deliveries", remove)),
            )}
        </form>
    }
    .into_any()
}
