//! A drawer, which opens over a part of a list. Escape, the backdrop and the cross close it. Its heading has the focus
//! while it is open, and the row that opened it afterwards.

use super::{icon::Icon, rows};
use leptos::{ev, html, prelude::*};

/// A drawer.
#[component]
pub fn Drawer(
    /// What it shows, for screen readers.
    label: &'static str,
    /// Its heading.
    heading: &'static str,
    /// Called when it is closed.
    close: Callback<()>,
    /// What it shows.
    children: Children,
) -> impl IntoView {
    rows::come_back();
    let handle = window_event_listener(ev::keydown, move |event| {
        if event.key() == "Escape" && !event.default_prevented() {
            close.run(());
        }
    });
    on_cleanup(move || handle.remove());
    let at = NodeRef::<html::H2>::new();
    Effect::new(move |_| {
        if let Some(at) = at.get() {
            let _ = at.focus();
        }
    });
    view! {
        <div class="drawer-ground" on:click=move |_| close.run(())></div>
        <aside class="drawer" aria-label=label>
            <header class="drawer-head">
                <h2 node_ref=at tabindex="-1">
                    {heading}
                </h2>
                <button class="quiet" aria-label="Close" on:click=move |_| close.run(())>
                    {Icon::Close.view()}
                </button>
            </header>
            {children()}
        </aside>
    }
    .into_any()
}
