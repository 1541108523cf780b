//! Times: relative to now, exact on hover.

use crate::state::app;
use leptos::prelude::*;
use pm_api::Timestamp;
use pm_ui_core::{scale, text};

/// Milliseconds since 1970.
#[must_use]
pub fn ms(at: Timestamp) -> f64 {
    at.0 as f64 / 1000.0
}

/// `12 s ago`, with the exact local time and its zone on hover.
#[component]
pub fn Ago(
    /// The time.
    at: Timestamp,
) -> impl IntoView {
    let app = app();
    let at_ms = ms(at);
    view! {
        <time datetime=at.to_string() title=scale::exact(at_ms, app.offset_min)>
            {move || text::ago(app.now.get(), at_ms)}
        </time>
    }
    .into_any()
}

/// `14:05:30`, with the date and the zone on hover.
#[component]
pub fn Clock(
    /// The time.
    at: Timestamp,
) -> impl IntoView {
    let app = app();
    let at_ms = ms(at);
    let shown = scale::clock(at_ms, app.now.get_untracked(), app.offset_min);
    view! {
        <time datetime=at.to_string() title=scale::exact(at_ms, app.offset_min)>
            {shown}
        </time>
    }
    .into_any()
}
