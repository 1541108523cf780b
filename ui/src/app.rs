//! From address to page.

use crate::{
    chunk::ChunkedPage,
    components::{help::Help, loaded::skeleton, palette::Palette, rows, toast::ToastList},
    page,
    shell::Shell,
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::route::{op, request};
use pm_ui_core::route::Route;

/// The whole application.
#[component]
pub fn Root() -> impl IntoView {
    let app = App::start();
    let session = app.api.session;
    Effect::new(move |_| {
        if !session.signed_in.get() {
            return;
        }
        spawn_local(async move {
            let Ok(me) = app.api.call(request(op::GetMe, [])).await else { return };
            let before = session.user.get_untracked();
            // Another user signed in over the page of the user whose session ended.
            if before.as_ref().is_some_and(|user| user.id != me.id) {
                let _ = window().location().set_href(&Route::Overview.to_string());
            }
            // The same user again: the page stays, with everything that is being typed.
            if before.is_none_or(|user| user.role != me.role) {
                session.user.set(Some(me));
            }
        });
    });
    Effect::new(move |_| {
        let route = app.nav.route.get();
        let open = matches!(route, Route::Login | Route::ResetPassword | Route::SignIn);
        if !(session.signed_in.get() || session.expired.get() || open) {
            let back = app.nav.address();
            let back = crate::browser::encode(&back);
            app.nav.replace(&format!("{}?next={back}", Route::Login));
        }
        document().set_title(&format!("{} · Predictive Maintenance", route.name()));
    });
    Effect::new(move |_| {
        if session.action_required.with(Option::is_some) {
            app.nav.replace(&Route::Profile.to_string());
        }
    });
    // Pages that are shown without the frame.
    let instead = Memo::new(move |_| match app.nav.route.get() {
        Route::ResetPassword => Some(Route::ResetPassword),
        Route::SignIn => Some(Route::SignIn),
        Route::Login => Some(Route::Login),
        _ => (!(session.signed_in.get() || session.expired.get())).then_some(Route::Login),
    });
    view! {
        {move || {
            match instead.get() {
                Some(Route::ResetPassword) => view! { <page::reset_password::ResetPassword /> }.into_any(),
                Some(Route::SignIn) => view! { <page::sign_in::SignIn /> }.into_any(),
                Some(_) => view! { <page::login::Login /> }.into_any(),
                None => {
                    view! {
                        <Shell>
                            <CurrentPage />
                        </Shell>
                    }
                    .into_any()
                }
            }
        }}
        {move || {
            session
                .expired
                .get()
                .then(|| {
                    view! {
                        <div class="relogin">
                            <page::login::Login again=true />
                        </div>
                    }
                })
        }}
        <ToastList />
        <Help />
        <Palette />
    }
    .into_any()
}

#[component]
fn CurrentPage() -> impl IntoView {
    let app = app();
    // An alarm opened in the queue is a drawer over the same page: the page stays.
    let shown = Memo::new(move |_| app.nav.route.get().page());
    let session = app.api.session;
    // Unknown until the user is known.
    let allowed = Memo::new(move |_| {
        let may = session.may_see(shown.get());
        (may || session.user.with(Option::is_some)).then_some(may)
    });
    move || {
        let route = shown.get();
        rows::forget();
        match route.chunk() {
            Some(_) if allowed.get().is_none() => skeleton(8),
            Some(_) if allowed.get() == Some(false) => {
                view! { <page::not_found::NotForYou route /> }.into_any()
            }
            Some(chunk) => view! { <ChunkedPage chunk route /> }.into_any(),
            None => view! { <page::not_found::NotFound /> }.into_any(),
        }
    }
}
