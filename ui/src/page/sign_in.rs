//! Sign-in by an identity provider: the buttons of the page to sign in, and the page to which the provider sends the browser
//! back.

use crate::{
    browser::{keep_in_tab, kept_in_tab},
    components::{brand::brand, form},
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    route::{op, request},
    sign_in::{SignInCompletion, SignInProvider},
};
use pm_ui_core::route::{BASE, Route};

/// What this tab keeps while the browser is at the provider: the secret by which it is known when it comes back, …
const CODE_VERIFIER: &str = "sign_in_code_verifier";
/// … and where it goes then.
const NEXT: &str = "sign_in_next";

/// A button for each provider; nothing without one. `next`: where to go after the sign-in, asked when it begins.
pub fn providers(
    next: impl Fn() -> String + Copy + Send + Sync + 'static,
    problem: RwSignal<Option<String>>,
) -> AnyView {
    let app = app();
    let providers = RwSignal::new(Vec::<SignInProvider>::new());
    spawn_local(async move {
        // without an answer people sign in by password
        if let Ok(found) = app.api.call(request(op::ListSignInProviders, [])).await {
            providers.try_set(found);
        }
    });
    let begin = move |name: String| {
        problem.set(None);
        spawn_local(async move {
            match app.api.call(request(op::BeginSignIn, [&name])).await {
                Ok(begun) => {
                    keep_in_tab(CODE_VERIFIER, Some(&begun.code_verifier));
                    keep_in_tab(NEXT, Some(&next()));
                    let _ = window().location().assign(&begun.authorization_url);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    (move || {
        let button = move |provider: SignInProvider| {
            let name = provider.name;
            view! {
                <button class="button wide" type="button" on:click=move |_| begin(name.clone())>
                    {format!("Sign in with {}", provider.label)}
                </button>
            }
        };
        providers.get().into_iter().map(button).collect_view()
    })
    .into_any()
}

/// Completes a sign-in with what the provider has put into the address.
#[component]
pub fn SignIn() -> impl IntoView {
    let app = app();
    let problem = RwSignal::new(None::<String>);
    let (code, state, iss, error) = untrack(|| {
        let value = |name| app.nav.param(name);
        (value("code"), value("state"), value("iss"), value("error_description").or_else(|| value("error")))
    });
    let (code_verifier, next) = (kept_in_tab(CODE_VERIFIER), kept_in_tab(NEXT));
    keep_in_tab(CODE_VERIFIER, None);
    keep_in_tab(NEXT, None);
    // the code does not stay in the history
    app.nav.replace(&Route::SignIn.to_string());
    match (code, state, code_verifier) {
        (Some(code), Some(state), Some(code_verifier)) => {
            let returned = SignInCompletion {
                code: code.into(),
                state: state.into(),
                code_verifier: code_verifier.into(),
                iss: iss.map(Into::into),
            };
            spawn_local(async move {
                match app.api.complete_sign_in(&returned).await {
                    Ok(()) => {
                        let next = next.filter(|next| next.starts_with(BASE));
                        app.nav.replace(&next.unwrap_or_else(|| Route::Overview.to_string()));
                    }
                    Err(error) => {
                        problem.try_set(Some(error.to_string()));
                    }
                }
            });
        }
        _ => problem.set(Some(match error {
            Some(error) => format!("The identity provider did not sign you in: {error}"),
            None => "This sign-in was not begun in this tab.".to_owned(),
        })),
    }
    view! {
        <main class="login" id="main">
            <div class="login-card">
                {brand("44")} <h1>"Sign in"</h1>
                {move || problem.with(Option::is_none).then(|| view! { <p role="status">"Signing in…"</p> })}
                {form::problem(problem)} <a class="link" href=Route::Login.to_string()>
                    "To the sign-in"
                </a>
            </div>
        </main>
    }
    .into_any()
}
