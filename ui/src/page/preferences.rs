//! Mail preferences of a user, and the password.

use crate::{
    api::{Query, Refresh},
    components::{
        form::{self, choice},
        loaded::Loaded,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Severity,
    notification::Preferences,
    route::{op, request},
    user::PasswordChange,
};
use pm_ui_core::change::changes;

/// Which emails the user gets.
#[component]
pub fn MailPreferences() -> impl IntoView {
    let preferences = Query::new(|| Some(request(op::GetPreferences, [])), &[Refresh::Pulse]);
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Mails"</h2>
            </header>
            <Loaded phase=preferences.phase() retry=preferences.retry() lines=4>
                {move || preferences.data.get().map(|old| view! { <Mails old preferences /> })}
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn Mails(old: Preferences, preferences: Query<Preferences>) -> impl IntoView {
    let app = app();
    let (alarms, predictions) = (RwSignal::new(old.alarms), RwSignal::new(old.predictions));
    let tickets = RwSignal::new(old.ticket_assignments);
    let least = RwSignal::new(old.minimum_severity);
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let new = Preferences {
            alarms: alarms.get_untracked(),
            predictions: predictions.get_untracked(),
            ticket_assignments: tickets.get_untracked(),
            minimum_severity: least.get_untracked(),
        };
        let body = changes(&old, &new);
        spawn_local(async move {
            match app.api.send_changes(request(op::UpdatePreferences, []), &body).await {
                Ok(saved) => {
                    preferences.data.try_set(Some(saved));
                    app.toasts.done("Saved.");
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let test = move |_| {
        spawn_local(async move {
            match app.api.send(request(op::TestEmail, []), &None).await {
                Ok(_) => app.toasts.done("A mail was sent."),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {form::check("Alarms from limits", alarms)} {form::check("Anomalies found by the model", predictions)}
            {form::check("Tickets assigned to me", tickets)}
            {choice("Minimum severity", Severity::WORDS, move || least.get().as_str(), move |word| {
                if let Ok(word) = word.parse() {
                    least.set(word);
                }
            })}
            {form::problem(problem)}
            <footer class="form-foot">
                {move || {
                    app.api
                        .session
                        .may(pm_api::Role::Admin)
                        .then(|| {
                            view! {
                                <button class="button" type="button" on:click=test>
                                    "Send me a test mail"
                                </button>
                            }
                        })
                }}
                <button class="button primary" type="submit">
                    "Save"
                </button>
            </footer>
        </form>
    }
    .into_any()
}

/// Change of one's own password.
#[component]
pub fn Password() -> impl IntoView {
    let app = app();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = PasswordChange {
            current_password: current.get_untracked().into(),
            new_password: new.get_untracked().into(),
        };
        spawn_local(async move {
            match app.api.send(request(op::ChangePassword, []), &body).await {
                Ok(done) => {
                    app.toasts.done(done.message);
                    // All sessions of the account have ended, this one too.
                    let email =
                        app.api.session.user.with_untracked(|user| user.as_ref().map(|u| u.email.clone()));
                    app.api.session.action_required.set(None);
                    if app.api.login(&email.unwrap_or_default(), &new.get_untracked(), "").await.is_err() {
                        app.api.session.expire();
                    }
                    current.try_set(String::new());
                    new.try_set(String::new());
                    problem.try_set(None);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Password"</h2>
            </header>
            <form class="form" on:submit=submit>
                {form::password_field("Current password", "current-password", current)}
                {form::password_field("New password", "new-password", new)} {form::problem(problem)}
                <footer class="form-foot">
                    <button class="button primary" type="submit">
                        "Change password"
                    </button>
                </footer>
            </form>
        </section>
    }
    .into_any()
}
