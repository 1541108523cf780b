//! Short messages in a corner; they never take the focus.

use super::icon::Icon;
use crate::state::app;
use leptos::prelude::*;
use std::time::Duration;

/// The messages on show.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

#[derive(Clone)]
struct Toast {
    id: u32,
    bad: bool,
    text: String,
    undo: Option<Callback<()>>,
}

impl Default for Toasts {
    fn default() -> Self {
        Self::new()
    }
}

impl Toasts {
    /// No messages.
    #[must_use]
    pub fn new() -> Self {
        Self { list: RwSignal::new(Vec::new()), next: StoredValue::new(0) }
    }

    /// Something was done.
    pub fn done(self, text: impl Into<String>) {
        self.add(false, text.into(), None, 5);
    }

    /// Something was done that can be taken back.
    pub fn undoable(self, text: impl Into<String>, undo: Callback<()>) {
        self.add(false, text.into(), Some(undo), 8);
    }

    /// Something did not work.
    pub fn failed(self, text: impl Into<String>) {
        self.add(true, text.into(), None, 12);
    }

    fn add(self, bad: bool, text: String, undo: Option<Callback<()>>, seconds: u64) {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| list.push(Toast { id, bad, text, undo }));
        set_timeout(move || self.remove(id), Duration::from_secs(seconds));
    }

    fn remove(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// The corner where messages stand.
#[component]
pub fn ToastList() -> impl IntoView {
    let toasts = app().toasts;
    view! {
        <div class="toasts" role="status" aria-live="polite">
            <For
                each=move || toasts.list.get()
                key=|toast| toast.id
                children=move |toast| {
                    let id = toast.id;
                    view! {
                        <div class="toast" class:bad=toast.bad>
                            {if toast.bad { Icon::Warning.view() } else { Icon::Check.view() }}
                            <span>{toast.text}</span>
                            {toast
                                .undo
                                .map(|undo| {
                                    view! {
                                        <button
                                            class="link"
                                            on:click=move |_| {
                                                undo.run(());
                                                toasts.remove(id);
                                            }
                                        >
                                            "Undo"
                                        </button>
                                    }
                                })}
                            <button class="quiet" aria-label="Dismiss" on:click=move |_| toasts.remove(id)>
                                {Icon::Close.view()}
                            </button>
                        </div>
                    }
                }
            />
        </div>
    }
    .into_any()
}
