//! A panel below a button: hidden until the button is pressed, closed with Escape.

use super::icon::Icon;
use leptos::{html, prelude::*};

/// A button with a panel of choices below it.
#[component]
pub fn Picker(
    /// The button's label.
    label: &'static str,
    /// Its drawing.
    #[prop(optional)]
    icon: Option<Icon>,
    /// Is a choice in force?
    #[prop(into, optional)]
    chosen: Signal<bool>,
    /// Is the panel open?
    open: RwSignal<bool>,
    /// The choices.
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
