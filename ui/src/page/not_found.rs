//! No such page.

use crate::parts::{icon::Icon, loaded::Empty};
use leptos::prelude::*;
use pm_ui_core::route::Route;

/// Says so, and the way back.
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
