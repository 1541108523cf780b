//! Placeholders for data: a skeleton, an error with a button to try again, or a hint what to do.

use super::icon::Icon;
use crate::{
    api::{Phase, Query, Received},
    state::App,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::route::{Request, operation::NoBody};
use serde::de::DeserializeOwned;
use std::hash::Hash;

/// Its children once there is data; a skeleton before, the error when there is none.
#[component]
pub fn Loaded(
    /// What can be shown.
    phase: Signal<Phase>,
    /// Tries again.
    retry: Callback<()>,
    /// Lines of the skeleton.
    #[prop(default = 4)]
    lines: usize,
    /// The content.
    children: ChildrenFn,
) -> impl IntoView {
    move || match phase.get() {
        Phase::Ready => children().into_any(),
        Phase::Loading => skeleton(lines),
        Phase::Failed(error) => failure(error.to_string(), retry),
    }
}

/// A list of fetched items.
#[component]
pub fn Entries<T, K>(
    /// The items.
    list: Query<Vec<T>>,
    /// The key of an item: it is drawn again when the key changes.
    key: fn(&T) -> K,
    /// The view of an item.
    row: fn(T, Query<Vec<T>>) -> AnyView,
    /// Lines of the skeleton.
    lines: usize,
    /// Shown when there are no items.
    none: fn() -> AnyView,
) -> impl IntoView
where
    T: Clone + DeserializeOwned + PartialEq + Send + Sync + 'static,
    K: Eq + Hash + Send + 'static,
{
    view! {
        <Loaded phase=list.phase() retry=list.retry() lines>
            <ul class="pairs">
                <For each=move || list.items() key children=move |thing| row(thing, list) />
            </ul>
            {move || list.items().is_empty().then(none)}
        </Loaded>
    }
    .into_any()
}

/// Sends a request that repeats the work of a list's item, and fetches the list again.
pub fn again<Q, T, A>(
    app: App,
    repeat: Request<Q, NoBody, A>,
    list: Query<Vec<T>>,
    done: &'static str,
    failed: &'static str,
) where
    Q: 'static,
    T: DeserializeOwned + PartialEq + Send + Sync + 'static,
    A: Received<Value = T> + 'static,
{
    spawn_local(async move {
        match app.api.call(repeat).await {
            Ok(_) => {
                app.toasts.done(done);
                list.refetch();
            }
            Err(error) => app.toasts.failed(format!("{failed}: {error}")),
        }
    });
}

/// What went wrong, and a button to try again.
#[must_use]
pub fn failure(text: String, retry: Callback<()>) -> AnyView {
    view! {
        <div class="problem" role="alert">
            {Icon::Offline.view()} <p>{text}</p>
            <button class="button" on:click=move |_| retry.run(())>
                {Icon::Refresh.view()}
                "Try again"
            </button>
        </div>
    }
    .into_any()
}

/// Grey lines where text will be.
#[must_use]
pub fn skeleton(lines: usize) -> AnyView {
    let widths = ["92%", "78%", "85%", "64%", "88%", "71%"];
    let lines = (0..lines)
        .map(|i| view! { <div class="bone" style:width=widths[i % widths.len()]></div> })
        .collect_view();
    view! {
        <div class="skeleton" aria-busy="true" aria-label="Loading">
            {lines}
        </div>
    }
    .into_any()
}

/// Nothing here, and what to do about it.
#[component]
pub fn Empty(
    /// A drawing.
    icon: Icon,
    /// What is missing.
    title: &'static str,
    /// What to do, if anything.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            {icon.view()} <h3>{title}</h3> <div class="muted">{children()}</div>
        </div>
    }
    .into_any()
}
