//! Lists in pages; the page number is kept in the address.

use crate::{nav::Nav, state::app};
use leptos::prelude::*;
use pm_api::{
    input::Text,
    list::SortWord,
    route::{Request, operation::List},
};
use std::str::FromStr;

/// The page that the address names, from 1. Reactive.
#[must_use]
pub fn page(nav: Nav) -> usize {
    nav.param("page").and_then(|p| p.parse::<usize>().ok()).unwrap_or(1).max(1)
}

/// The request of a list for the page that the address names. Reactive.
#[must_use]
pub fn paged<Q, B, T, S: SortWord, const LIMIT: i64>(
    list: Request<Q, B, List<T, S, LIMIT>>,
    size: usize,
) -> Request<Q, B, List<T, S, LIMIT>> {
    list.limit(size).offset((page(app().nav) - 1) * size)
}

/// A filter that the address names; one that is no word of its vocabulary does not filter. Reactive.
#[must_use]
pub fn word<W: FromStr>(key: &str) -> Option<W> {
    app().nav.param(key)?.parse().ok()
}

/// The words that the address searches for. Reactive.
#[must_use]
pub fn words<const MIN: usize, const MAX: usize>() -> Option<Text<MIN, MAX>> {
    app().nav.param("q").map(Into::into)
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
