//! A dialog: the browser's own, so that focus stays inside and Escape closes.

use super::icon::Icon;
use leptos::{html, prelude::*};

/// Whether a dialog is open, and how it is closed. It wraps a flag, or an optional value that the dialog shows: then the
/// dialog is open while there is a value.
#[derive(Clone, Copy)]
pub struct OpenState {
    open: Signal<bool>,
    close: Callback<()>,
}

impl OpenState {
    /// Is it open? Reactive.
    #[must_use]
    pub fn get(self) -> bool {
        self.open.get()
    }

    /// Closes it; no effect when it is closed already.
    pub fn close(self) {
        self.close.try_run(());
    }
}

impl From<RwSignal<bool>> for OpenState {
    fn from(open: RwSignal<bool>) -> Self {
        let close = move |()| {
            open.try_set(false);
        };
        Self { open: open.into(), close: Callback::new(close) }
    }
}

impl<T: Send + Sync + 'static> From<RwSignal<Option<T>>> for OpenState {
    fn from(about: RwSignal<Option<T>>) -> Self {
        let close = move |()| {
            about.try_set(None);
        };
        Self { open: Memo::new(move |_| about.with(Option::is_some)).into(), close: Callback::new(close) }
    }
}

/// A dialog.
#[component]
pub fn Dialog(
    /// Is it open?
    #[prop(into)]
    open: OpenState,
    /// Its heading.
    #[prop(into)]
    title: String,
    /// An additional class.
    #[prop(default = "")]
    class: &'static str,
    /// The content; made again each time it opens.
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
            on:close=move |_| open.close()
            on:click=move |event| {
                // A click on the backdrop has the dialog itself as its target.
                let inside = event
                    .target()
                    .zip(node.get_untracked())
                    .is_none_or(|(target, dialog)| target != *AsRef::<web_sys::EventTarget>::as_ref(&dialog));
                if !inside {
                    open.close();
                }
            }
        >
            <div class="dialog-body">
                <header class="dialog-head">
                    <h2>{title}</h2>
                    <button class="quiet" type="button" aria-label="Close" on:click=move |_| open.close()>
                        {Icon::Close.view()}
                    </button>
                </header>
                {move || open.get().then(|| children())}
            </div>
        </dialog>
    }
    .into_any()
}
