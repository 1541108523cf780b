//! Where one is signed in, one's API keys, and the second factor.

use crate::{
    api::{Query, Refresh},
    components::{
        confirm::{Dialog, OpenState},
        form::{self, text_field},
        icon::Icon,
        loaded::{Empty, Entries, Loaded},
        time::{Ago, Clock},
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    api_key::{ApiKey, NewApiKey},
    input::{Many, Whole},
    role::Permission,
    route::{op, permission, request},
    second_factor::{CurrentPassword, SecondFactor, SecondFactorCode},
    session::Session,
};

/// The sessions that go on.
#[component]
pub fn Sessions() -> impl IntoView {
    let app = app();
    let sessions = Query::new(|| Some(request(op::MySessions, [])), &[Refresh::Pulse]);
    let end_all = move || {
        spawn_local(async move {
            match app.api.call(request(op::EndMySessions, [])).await {
                Ok(_) => app.api.session.end(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Sessions"</h2>
                {form::sure_button("Sign out everywhere", "End all sessions", end_all)}
            </header>
            <Entries
                list=sessions
                key=|session| (session.id, session.last_used_at)
                row=session_row
                lines=2
                none=|| ().into_any()
            />
        </section>
    }
    .into_any()
}

fn session_row(session: Session, list: Query<Vec<Session>>) -> AnyView {
    let app = app();
    let id = session.id;
    let end = move || {
        spawn_local(async move {
            match app.api.call(request(op::EndMySession, [&id])).await {
                Ok(()) => {
                    app.toasts.done("Session ended.");
                    list.refetch();
                }
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let device = session.user_agent.unwrap_or_else(|| "Unknown program".to_owned());
    view! {
        <li class="session">
            <div>
                <strong>{pm_ui_core::text::device(&device)}</strong>
                <small class="muted">
                    {session.ip_address} " · last used " <Ago at=session.last_used_at />
                </small>
            </div>
            {if session.is_current {
                view! { <span class="badge">"This session"</span> }.into_any()
            } else {
                form::sure_button("End", "End the session", end)
            }}
        </li>
    }
    .into_any()
}

/// API keys, made and ended.
#[component]
pub fn ApiKeys() -> impl IntoView {
    let keys = Query::new(|| Some(request(op::MyApiKeys, [])), &[Refresh::Pulse]);
    let adding = RwSignal::new(false);
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"API keys"</h2>
                <button class="button" on:click=move |_| adding.set(true)>
                    {Icon::Plus.view()}
                    "New key"
                </button>
            </header>
            <Entries
                list=keys
                key=|key| (key.id, key.last_used_at)
                row=key_row
                lines=2
                none=|| {
                    view! {
                        <Empty icon=Icon::System title="No API keys">
                            "A program shows a key instead of signing in."
                        </Empty>
                    }
                        .into_any()
                }
            />
        </section>
        <Dialog open=adding title="New API key">
            <KeyForm open=adding.into() keys />
        </Dialog>
    }
    .into_any()
}

fn key_row(key: ApiKey, list: Query<Vec<ApiKey>>) -> AnyView {
    let app = app();
    let id = key.id;
    let end = move || {
        spawn_local(async move {
            match app.api.call(request(op::EndMyApiKey, [&id])).await {
                Ok(()) => list.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <li class="session">
            <div>
                <strong>{key.name}</strong>
                " "
                <code>{key.prefix} "…"</code>
                <small class="muted">
                    {key.permissions.join(", ")} " · until " <Clock at=key.expires_at /> " · "
                    {key
                        .last_used_at
                        .map_or_else(
                            || "never used".into_any(),
                            |at| view! { "last used " <Ago at /> }.into_any(),
                        )}
                </small>
            </div>
            {form::sure_button("End", "End the key", end)}
        </li>
    }
    .into_any()
}

#[component]
fn KeyForm(open: OpenState, keys: Query<Vec<ApiKey>>) -> impl IntoView {
    let app = app();
    let (name, days) = (RwSignal::new(String::new()), RwSignal::new("90".to_owned()));
    let problem = RwSignal::new(None::<String>);
    let made = RwSignal::new(None::<String>);
    let permissions: Vec<_> = permission::grantable().map(|name| (name, RwSignal::new(false))).collect();
    let boxes = permissions
        .iter()
        .map(|(name, chosen)| {
            let (name, chosen) = (*name, *chosen);
            view! {
                <label class="check">
                    <input type="checkbox" on:change=move |event| chosen.set(event_target_checked(&event)) />
                    <span>{name}</span>
                </label>
            }
        })
        .collect_view();
    let permissions = StoredValue::new(permissions);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let chosen = permissions.with_value(|all| {
            let chosen = all.iter().filter(|(_, chosen)| chosen.get_untracked());
            Many(chosen.map(|(name, _)| Permission((*name).to_owned())).collect())
        });
        let body = NewApiKey {
            name: name.get_untracked().into(),
            permissions: chosen,
            valid_days: days.get_untracked().trim().parse().ok().map(Whole),
        };
        spawn_local(async move {
            match app.api.send(request(op::CreateMyApiKey, []), &body).await {
                Ok(key) => {
                    made.try_set(Some(key.key));
                    keys.refetch();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit class:hidden=move || made.with(Option::is_some)>
            {text_field("Name", "text", true, name)} {text_field("Valid for days", "number", true, days)}
            <fieldset class="choices">
                <legend>"What it is for"</legend>
                {boxes}
            </fieldset>
            {form::problem(problem)} {form::foot(open, "Make the key", None)}
        </form>
        {move || {
            made.get()
                .map(|key| {
                    view! {
                        <div class="form" role="status">
                            <p>"This is the key. It is not shown again."</p>
                            <code class="secret">{key}</code>
                            <footer class="form-foot">
                                <button class="button primary" type="button" on:click=move |_| open.close()>
                                    "Done"
                                </button>
                            </footer>
                        </div>
                    }
                })
        }}
    }
    .into_any()
}

/// The second factor: set up, or removed.
#[component]
pub fn SecondFactorPanel() -> impl IntoView {
    let state = Query::new(|| Some(request(op::GetSecondFactor, [])), &[]);
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Second factor"</h2>
            </header>
            <Loaded phase=state.phase() retry=state.retry() lines=2>
                {move || {
                    state
                        .data
                        .get()
                        .map(|known| match known.confirmed_at {
                            Some(at) => {
                                view! {
                                    <p>
                                        "A sign-in asks for a code since " <Clock at /> ". "
                                        {known.recovery_codes_left} " recovery codes are left."
                                    </p>
                                    <Remove state />
                                }
                                    .into_any()
                            }
                            None => view! { <SetUp required=known.is_required state /> }.into_any(),
                        })
                }}
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn Remove(state: Query<SecondFactor>) -> impl IntoView {
    let app = app();
    let (password, problem) = (RwSignal::new(String::new()), RwSignal::new(None::<String>));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = CurrentPassword { current_password: password.get_untracked().into() };
        spawn_local(async move {
            match app.api.send(request(op::RemoveSecondFactor, []), &body).await {
                Ok(()) => state.refetch(),
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {form::password_field("Password", "current-password", password)} {form::problem(problem)}
            <footer class="form-foot">
                <button class="button" type="submit">
                    "Remove the second factor"
                </button>
            </footer>
        </form>
    }
    .into_any()
}

#[component]
fn SetUp(required: bool, state: Query<SecondFactor>) -> impl IntoView {
    let app = app();
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let problem = RwSignal::new(None::<String>);
    let secret = RwSignal::new(None::<(String, String)>);
    let recovery = RwSignal::new(None::<Vec<String>>);
    let begin = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = CurrentPassword { current_password: password.get_untracked().into() };
        spawn_local(async move {
            match app.api.send(request(op::BeginSecondFactor, []), &body).await {
                Ok(begun) => {
                    problem.try_set(None);
                    secret.try_set(Some((begun.secret, begun.uri)));
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let confirm = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = SecondFactorCode { code: code.get_untracked().into() };
        spawn_local(async move {
            match app.api.send(request(op::ConfirmSecondFactor, []), &body).await {
                Ok(done) => {
                    app.api.session.action_required.set(None);
                    recovery.try_set(Some(done.recovery_codes));
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        {move || match (secret.get(), recovery.get()) {
            (_, Some(codes)) => {
                view! {
                    <div class="form" role="status">
                        <p>
                            "Keep these codes. Each works once instead of a code of the app; they are not shown again."
                        </p>
                        <pre class="secret">{codes.join("\n")}</pre>
                        <footer class="form-foot">
                            <button class="button primary" type="button" on:click=move |_| state.refetch()>
                                "I have kept them"
                            </button>
                        </footer>
                    </div>
                }
                    .into_any()
            }
            (Some((key, uri)), None) => {
                view! {
                    <form class="form" on:submit=confirm>
                        <p>
                            "Enter this key in your authenticator app, or " <a class="link" href=uri>
                                "open it on this device"
                            </a> ". Then enter the code that it shows."
                        </p>
                        <code class="secret">{key}</code>
                        {text_field("Code", "text", true, code)} {form::problem(problem)}
                        <footer class="form-foot">
                            <button class="button primary" type="submit">
                                "Switch it on"
                            </button>
                        </footer>
                    </form>
                }
                    .into_any()
            }
            (None, None) => {
                view! {
                    <form class="form" on:submit=begin>
                        <p class="muted">
                            {if required {
                                "Your role needs a second factor: a code of an authenticator app at each sign-in."
                            } else {
                                "With a second factor, a sign-in asks for a code of an authenticator app as well."
                            }}
                        </p>
                        {form::password_field("Password", "current-password", password)} {form::problem(problem)}
                        <footer class="form-foot">
                            <button class="button" type="submit">
                                "Set it up"
                            </button>
                        </footer>
                    </form>
                }
                    .into_any()
            }
        }}
    }
    .into_any()
}
