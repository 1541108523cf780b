//! No such page, or no permission to see it.

use crate::components::{icon::Icon, loaded::Empty};
use leptos::prelude::*;
use pm_ui_core::{route::Route, text::title};

/// The message, and a link to the overview.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Empty icon=Icon::Search title="There is no such page">
            <a class="button" href=Route::Overview.to_string()>
                "To the overview"
            </a>
        </Empty>
    }
    .into_any()
}

/// Says who may use the page.
#[component]
pub fn NotForYou(
    /// The page.
    route: Route,
) -> impl IntoView {
    let who = title(route.least_role().as_str());
    view! {
        <header class="page-head">
            <h1>{route.name()}</h1>
        </header>
        <Empty icon=Icon::User title="This page is not for your role">
            <p>{format!("{who} is the least role that may use it. An administrator can give it to you.")}</p>
        </Empty>
    }
    .into_any()
}
