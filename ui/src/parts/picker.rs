//! What folds out of a button: hidden until it is pressed, gone with Escape.

use super::icon::Icon;
use leptos::{html, prelude::*};

/// A button with what there is to choose below it.
#[component]
pub fn Picker(
    /// The button's label.
    label: &'static str,
    /// Its drawing.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Is what was chosen in force?
    #[prop(into, optional)]
    chosen: Signal<bool>,
    /// Is it folded out?
    open: RwSignal<bool>,
    /// What there is to choose.
    children: Children,
) -> impl IntoView {
    let button = NodeRef::<html::Button>::new();
    let escape = move |event: web_sys::KeyboardEvent| {
        if event.key() == "Escape" && open.get_untracked() {
            event.stop_propagation();
            open.set(false);
            if let Some(button) = button.get_untracked() {
                let _ = button.focus();
            }
        }
    };
    view! {
        <div class="picker" on:keydown=escape>
            <button
                node_ref=button
                class="button small"
                class:pressed=move || chosen.get()
                aria-expanded=move || open.get().to_string()
                on:click=move |_| open.update(|open| *open = !*open)
            >
                {icon.map(Icon::view)}
                {label}
            </button>
            <div class="picker-list" hidden=move || !open.get()>
                {children()}
            </div>
        </div>
    }
    .into_any()
}
