//! The product's logo.

use leptos::prelude::*;

/// The logo, `size` pixels high and wide.
#[must_use]
pub fn brand(size: &'static str) -> AnyView {
    view! {
        <svg viewBox="0 0 32 32" width=size height=size aria-hidden="true">
            <rect width="32" height="32" rx="7" class="brand-ground" />
            <path d="M5 18h5l3-9 5 15 3.5-10 1.5 4h4" class="brand-line" />
        </svg>
    }
    .into_any()
}
