//! Sign in. After the end of a session it leads back to where the user was.

use crate::{api::ApiError, parts::icon::Icon, state::app};
use leptos::{html, prelude::*, task::spawn_local};
use pm_ui_core::route::{BASE, Route};

/// The form.
#[component]
pub fn Login() -> impl IntoView {
    let app = app();
    let email = RwSignal::new(String::new());
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<String>);
    let shown = RwSignal::new(false);
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
        if app.api.session.signed_in.get() {
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
            let answer = app.api.login(email.get_untracked().trim(), &password.get_untracked()).await;
            busy.set(false);
            if let Err(error) = answer {
                problem.set(Some(match error {
                    ApiError::Refused { status: 401, .. } => "Mail address or password is wrong.".to_owned(),
                    other => other.to_string(),
                }));
            }
        });
    };
    view! {
        <main class="login" id="main">
            <form on:submit=submit class="login-card" aria-labelledby="login-title">
                <svg viewBox="0 0 32 32" width="44" height="44" aria-hidden="true">
                    <rect width="32" height="32" rx="7" class="brand-ground" />
                    <path d="M5 18h5l3-9 5 15 3.5-10 1.5 4h4" class="brand-line" />
                </svg>
                <h1 id="login-title">"Predictive Maintenance"</h1>
                <p class="muted">"Sign in to see your machines."</p>
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
                <label class="field">
                    <span>"Password"</span>
                    <div class="joined">
                        <input
                            class="input"
                            type=move || if shown.get() { "text" } else { "password" }
                            name="password"
                            autocomplete="current-password"
                            required
                            bind:value=password
                        />
                        <button
                            class="quiet small"
                            type="button"
                            aria-pressed=move || shown.get().to_string()
                            on:click=move |_| shown.update(|shown| *shown = !*shown)
                        >
                            {move || if shown.get() { "Hide" } else { "Show" }}
                        </button>
                    </div>
                </label>
                <div role="alert">
                    {move || {
                        problem.get().map(|text| view! { <p class="form-problem">{Icon::Warning.view()} {text}</p> })
                    }}
                </div>
                <button class="button primary wide" type="submit" disabled=move || busy.get()>
                    {move || if busy.get() { "Signing in…" } else { "Sign in" }}
                </button>
            </form>
        </main>
    }
    .into_any()
}
