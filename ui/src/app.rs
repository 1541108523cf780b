//! From address to page.

use crate::{
    page,
    part::PageOf,
    parts::{help::Help, palette::Palette, toast::ToastList},
    shell::Shell,
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::user::User;
use pm_ui_core::route::Route;

/// The whole application.
#[component]
pub fn Root() -> impl IntoView {
    let app = App::start();
    let session = app.api.session;
    Effect::new(move |_| {
        if !session.signed_in.get() || session.user.with(Option::is_some) {
            return;
        }
        spawn_local(async move {
            if let Ok(me) = app.api.get::<User>("/users/me").await {
                session.user.set(Some(me.body));
            }
        });
    });
    Effect::new(move |_| {
        let route = app.nav.route.get();
        if !session.signed_in.get() && !matches!(route, Route::Login | Route::ResetPassword) {
            let back = app.nav.address();
            let back = crate::browser::encode(&back);
            app.nav.replace(&format!("{}?next={back}", Route::Login));
        }
        document().set_title(&format!("{} · Predictive Maintenance", route.name()));
    });
    // What stands in place of the frame and its page.
    let instead = Memo::new(move |_| match app.nav.route.get() {
        Route::ResetPassword => Some(Route::ResetPassword),
        Route::Login => Some(Route::Login),
        _ => (!session.signed_in.get()).then_some(Route::Login),
    });
    view! {
        {move || {
            match instead.get() {
                Some(Route::ResetPassword) => view! { <page::reset_password::ResetPassword /> }.into_any(),
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
    let shown = Memo::new(move |_| match app.nav.route.get() {
        Route::Alarm(_) => Route::Alarms,
        Route::Ticket(_) => Route::Tickets,
        Route::Prediction(_) => Route::Predictions,
        other => other,
    });
    let session = app.api.session;
    let refused = Memo::new(move |_| session.user.with(Option::is_some) && !session.may_see(shown.get()));
    move || {
        let route = shown.get();
        match route.part() {
            Some(_) if refused.get() => view! { <page::not_found::NotForYou route /> }.into_any(),
            Some(part) => view! { <PageOf part route /> }.into_any(),
            None => view! { <page::not_found::NotFound /> }.into_any(),
        }
    }
}
