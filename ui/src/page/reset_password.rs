//! Password reset: without a token a link is requested, with the token of the mailed link a new password is set.

use crate::{
    components::{brand::brand, form, icon::Icon},
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    route::{op, request},
    user::{PasswordResetConfirm, PasswordResetRequest},
};
use pm_ui_core::route::Route;

/// The page.
#[component]
pub fn ResetPassword() -> impl IntoView {
    let token = crate::browser::fragment_value("token");
    let done = RwSignal::new(None::<&'static str>);
    let title = if token.is_some() { "Choose a new password" } else { "Forgotten your password?" };
    let form = StoredValue::new(token);
    view! {
        <main class="login" id="main">
            <div class="login-card">
                {brand("44")} <h1>{title}</h1>
                {move || match (done.get(), form.get_value()) {
                    (Some(text), _) => {
                        view! {
                            <p class="arrived" role="status">
                                {Icon::Check.view()}
                                <span>{text}</span>
                            </p>
                        }
                        .into_any()
                    }
                    (None, Some(token)) => view! { <Choose token done /> }.into_any(),
                    (None, None) => view! { <Ask done /> }.into_any(),
                }}
                <a class="link" href=Route::Login.to_string()>
                    "To the sign-in"
                </a>
            </div>
        </main>
    }
    .into_any()
}

#[component]
fn Ask(done: RwSignal<Option<&'static str>>) -> impl IntoView {
    let app = app();
    let email = RwSignal::new(String::new());
    let (busy, problem) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = PasswordResetRequest { email: email.get_untracked().trim().into() };
        busy.set(true);
        spawn_local(async move {
            match app.api.send(request(op::RequestPasswordReset, []), &body).await {
                Ok(_) => done.set(Some(
                    "If there is an account with this address, a mail with a link is on its way. The link works for ten \
                     minutes, once.",
                )),
                Err(error) => problem.set(Some(error.to_string())),
            }
            busy.set(false);
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <p class="muted">"We mail you a link with which you choose a new one."</p>
            {form::text_field("Mail address", "email", true, email)} {form::problem(problem)}
            <button class="button primary wide" type="submit" disabled=move || busy.get()>
                "Send the link"
            </button>
        </form>
    }
    .into_any()
}

#[component]
fn Choose(token: String, done: RwSignal<Option<&'static str>>) -> impl IntoView {
    let app = app();
    let password = RwSignal::new(String::new());
    let (busy, problem) = (RwSignal::new(false), RwSignal::new(None::<String>));
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = PasswordResetConfirm {
            token: token.clone().into(),
            new_password: password.get_untracked().into(),
        };
        busy.set(true);
        spawn_local(async move {
            match app.api.send(request(op::ConfirmPasswordReset, []), &body).await {
                Ok(_) => {
                    // The token is used up and all logins of the account have ended.
                    app.nav.replace(&Route::ResetPassword.to_string());
                    app.api.session.end();
                    done.set(Some("Your password is changed. Sign in with the new one."));
                }
                Err(error) => problem.set(Some(error.to_string())),
            }
            busy.set(false);
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <p class="muted">"It ends all sessions of the account."</p>
            {form::password_field("New password", "new-password", password)} {form::problem(problem)}
            <button class="button primary wide" type="submit" disabled=move || busy.get()>
                "Set the password"
            </button>
        </form>
    }
    .into_any()
}
