//! Lists in pages; the page number is kept in the address.

use crate::{nav::Nav, state::app};
use leptos::prelude::*;

/// The page that the address names, from 1. Reactive.
#[must_use]
pub fn page(nav: Nav) -> usize {
    nav.param("page").and_then(|p| p.parse::<usize>().ok()).unwrap_or(1).max(1)
}

/// `limit` and `offset` of the present page, for a list's address. Reactive.
#[must_use]
pub fn window(size: usize) -> String {
    format!("limit={size}&offset={}", (page(app().nav) - 1) * size)
}

/// Sets a filter and goes back to the first page.
pub fn filter(key: &'static str, value: &str) {
    let nav = app().nav;
    nav.set_param("page", None);
    nav.set_param(key, Some(value));
}

/// A search field that filters a list; its text is kept in the address.
#[must_use]
pub fn search(label: &'static str) -> AnyView {
    let nav = app().nav;
    view! {
        <input
            class="input small"
            type="search"
            placeholder=label
            aria-label=label
            prop:value=move || nav.param("q").unwrap_or_default()
            on:input=move |event| filter("q", &event_target_value(&event))
        />
    }
    .into_any()
}

/// Buttons to turn pages, where there is more than one.
#[component]
pub fn Pager(
    /// How many there are.
    #[prop(into)]
    total: Signal<usize>,
    /// How many stand on a page.
    size: usize,
) -> impl IntoView {
    let app = app();
    let pages = move || total.get().div_ceil(size).max(1);
    let now = move || page(app.nav);
    let turn = move |to: usize| app.nav.set_param("page", Some(&to.to_string()));
    move || {
        (pages() > 1).then(|| {
            view! {
                <footer class="pager">
                    <button class="button small" disabled=move || now() <= 1 on:click=move |_| turn(now() - 1)>
                        "Previous"
                    </button>
                    <span class="muted">{move || format!("Page {} of {}", now(), pages())}</span>
                    <button class="button small" disabled=move || pages() <= now() on:click=move |_| turn(now() + 1)>
                        "Next"
                    </button>
                </footer>
            }
        })
    }
}
