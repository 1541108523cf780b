//! The signed-in user, and how this browser shows things.

use super::{
    preferences::{MailPreferences, Password},
    security::{ApiKeys, SecondFactorPanel, Sessions},
};
use crate::{
    components::{icon::Icon, time::Clock},
    state::{Theme, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_ui_core::{scale::zone, text::title};

/// The page.
#[component]
pub fn Profile() -> impl IntoView {
    let app = app();
    let user = app.api.session.user;
    let choice = move |theme: Option<Theme>, label: &'static str| {
        view! {
            <button
                aria-pressed=move || (app.theme.get() == theme).to_string()
                on:click=move |_| app.theme.set(theme)
            >
                {label}
            </button>
        }
    };
    view! {
        <header class="page-head">
            <h1>"Profile"</h1>
        </header>
        {move || {
            app.api
                .session
                .action_required
                .get()
                .map(|what| view! { <p class="form-problem" role="alert">{Icon::Warning.view()} {what}</p> })
        }}
        <section class="panel narrow">
            {move || {
                user.get()
                    .map(|u| {
                        view! {
                            <dl class="facts">
                                <dt>"Name"</dt>
                                <dd>{u.full_name.unwrap_or_else(|| "–".to_owned())}</dd>
                                <dt>"Mail address"</dt>
                                <dd>{u.email}</dd>
                                <dt>"Role"</dt>
                                <dd>{title(u.role.as_str())}</dd>
                                <dt>"Member since"</dt>
                                <dd><Clock at=u.created_at /></dd>
                                <dt>"Time zone"</dt>
                                <dd>{zone(app.offset_min)}</dd>
                                <dt>"Colours"</dt>
                                <dd>
                                    <div class="segmented" role="group" aria-label="Colours">
                                        {choice(None, "System")} {choice(Some(Theme::Light), "Light")}
                                        {choice(Some(Theme::Dark), "Dark")}
                                    </div>
                                </dd>
                            </dl>
                        }
                    })
            }}
            <button class="button" on:click=move |_| spawn_local(app.api.logout())>
                {Icon::Logout.view()}
                "Sign out"
            </button>
        </section>
        <MailPreferences />
        <Password />
        <SecondFactorPanel />
        <Sessions />
        <ApiKeys />
    }
    .into_any()
}
