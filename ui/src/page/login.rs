//! Sign in. After the end of a session it leads back to the page that was shown.

use crate::{
    api::ApiError,
    components::{brand::brand, form},
    page::sign_in,
    state::app,
};
use leptos::{html, prelude::*, task::spawn_local};
use pm_ui_core::route::{BASE, Route};

/// The form.
#[component]
pub fn Login(
    /// Is it shown over the page of a user whose session has ended?
    #[prop(default = false)]
    again: bool,
) -> impl IntoView {
    let app = app();
    let known = app.api.session.user.with_untracked(|user| user.as_ref().map(|user| user.email.clone()));
    let email = RwSignal::new(known.filter(|_| again).unwrap_or_default());
    let password = RwSignal::new(String::new());
    let code = RwSignal::new(String::new());
    let needs_code = RwSignal::new(false);
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let first = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(input) = first.get() {
            let _ = input.focus();
        }
    });
    let next = move || {
        let next = untrack(|| app.nav.param("next")).filter(|next| next.starts_with(BASE));
        next.unwrap_or_else(|| Route::Overview.to_string())
    };
    Effect::new(move |_| {
        if app.api.session.signed_in.get() && !again {
            app.nav.replace(&next());
        }
    });
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        problem.set(None);
        spawn_local(async move {
            let (name, secret, code) =
                (email.get_untracked(), password.get_untracked(), code.get_untracked());
            let answer = app.api.login(name.trim(), &secret, code.trim()).await;
            busy.try_set(false);
            if let Err(error) = answer {
                if matches!(error, ApiError::SecondFactor(_)) {
                    needs_code.try_set(true);
                }
                problem.try_set(Some(match error {
                    ApiError::Refused { status: 401, .. } => "Mail address or password is wrong.".to_owned(),
                    other => other.to_string(),
                }));
            }
        });
    };
    view! {
        <div class="login" role=if again { "dialog" } else { "main" } aria-labelledby="login-title">
            <form on:submit=submit class="login-card" aria-labelledby="login-title">
                {brand("44")}
                <h1 id="login-title">"Predictive Maintenance"</h1>
                <p class="muted">
                    {if again {
                        "Your session has ended. Sign in to continue; what you typed is still there."
                    } else {
                        "Sign in to see your machines."
                    }}
                </p>
                <label class="field">
                    <span>"Mail address"</span>
                    <input
                        node_ref=first
                        class="input"
                        type="email"
                        name="username"
                        autocomplete="username"
                        required
                        bind:value=email
                    />
                </label>
                {form::password_field("Password", "current-password", password)}
                {move || {
                    needs_code
                        .get()
                        .then(|| {
                            view! {
                                <label class="field">
                                    <span>"Code"</span>
                                    <input
                                        class="input"
                                        name="code"
                                        autocomplete="one-time-code"
                                        required
                                        autofocus
                                        bind:value=code
                                    />
                                    <small class="muted">"Of your authenticator app, or a recovery code."</small>
                                </label>
                            }
                        })
                }}
                {form::problem(problem)}
                <button class="button primary wide" type="submit" disabled=move || busy.get()>
                    {move || if busy.get() { "Signing in…" } else { "Sign in" }}
                </button>
                {sign_in::providers(move || if again { app.nav.address() } else { next() }, problem)}
                <a class="link" href=Route::ResetPassword.to_string()>
                    "Forgotten your password?"
                </a>
            </form>
        </div>
    }
    .into_any()
}
