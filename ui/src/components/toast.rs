//! Short messages in a corner; they never take the focus.

use super::icon::Icon;
use crate::state::app;
use leptos::prelude::*;
use std::{sync::Arc, time::Duration};

/// The messages on show.
#[derive(Clone, Copy)]
pub struct Toasts {
    list: RwSignal<Vec<Toast>>,
    next: StoredValue<u32>,
}

/// Undoes the change that a message is about. It outlives the form that made the change.
type Undo = Arc<dyn Fn() + Send + Sync>;

#[derive(Clone)]
struct Toast {
    id: u32,
    bad: bool,
    text: String,
    undo: Option<Undo>,
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

    /// Something was done that can be undone.
    pub fn undoable(self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        self.add(false, text.into(), Some(Arc::new(undo)), 10);
    }

    /// Undoes the change of the newest message that offers it.
    pub fn undo_newest(self) {
        let newest = self.list.with_untracked(|list| {
            list.iter().rev().find_map(|toast| toast.undo.clone().map(|undo| (toast.id, undo)))
        });
        if let Some((id, undo)) = newest {
            self.remove(id);
            undo();
        }
    }

    /// Something did not work.
    pub fn failed(self, text: impl Into<String>) {
        self.add(true, text.into(), None, 12);
    }

    fn add(self, bad: bool, text: String, undo: Option<Undo>, seconds: u64) {
        let id = self.next.get_value();
        self.next.set_value(id.wrapping_add(1));
        self.list.update(|list| list.push(Toast { id, bad, text, undo }));
        self.expire(id, seconds);
    }

    /// Removes a message after some seconds, but not from under a pointer or the focus.
    fn expire(self, id: u32, seconds: u64) {
        let look = move || {
            let held = document().query_selector(".toasts:is(:hover, :focus-within)");
            if held.ok().flatten().is_some() { self.expire(id, 2) } else { self.remove(id) }
        };
        set_timeout(look, Duration::from_secs(seconds));
    }

    fn remove(self, id: u32) {
        self.list.update(|list| list.retain(|toast| toast.id != id));
    }
}

/// The corner where messages are shown.
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
                                            title="Undo (u)"
                                            on:click=move |_| {
                                                undo();
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
