//! A dialog: the browser's own, so that focus stays inside and Escape closes.

use super::icon::Icon;
use leptos::{html, prelude::*};

/// A dialog that is open while `open` is set.
#[component]
pub fn Dialog(
    /// Is it open?
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// An additional class.
    #[prop(default = "")]
    class: &'static str,
    /// The content; made anew each time it opens.
    children: ChildrenFn,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let Some(dialog) = node.get() else { return };
        if open.get() {
            if !dialog.open() {
                let _ = dialog.show_modal();
            }
        } else if dialog.open() {
            dialog.close();
        }
    });
    let label = title.clone();
    view! {
        <dialog
            node_ref=node
            class=format!("dialog {class}")
            aria-label=label
            on:close=move |_| open.set(false)
            on:click=move |event| {
                // A click on the backdrop has the dialog itself as its target.
                let inside = event
                    .target()
                    .zip(node.get_untracked())
                    .is_none_or(|(target, dialog)| target != *AsRef::<web_sys::EventTarget>::as_ref(&dialog));
                if !inside {
                    open.set(false);
                }
            }
        >
            <div class="dialog-body">
                <header class="dialog-head">
                    <h2>{title}</h2>
                    <button class="quiet" type="button" aria-label="Close" on:click=move |_| open.set(false)>
                        {Icon::Close.view()}
                    </button>
                </header>
                {move || open.get().then(|| children())}
            </div>
        </dialog>
    }
    .into_any()
}
