//! Keyboard: the keys that work everywhere, and the page that lists them.

use super::{confirm::Dialog, rows};
use crate::state::app;
use leptos::{ev, prelude::*};
use pm_ui_core::route::Route;

const KEYS: &[(&str, &str)] = &[
    ("Ctrl K", "Go to a page, machine or sensor"),
    ("j  k", "Next or previous row of a list"),
    ("Enter", "Open the row"),
    ("a", "Acknowledge the alarm of the row"),
    ("r", "Resolve the alarm of the row"),
    ("g o", "Overview"),
    ("g m", "Machines"),
    ("g s", "Sensors"),
    ("g a", "Alarms"),
    ("g t", "Tickets"),
    ("u", "Undo the newest change"),
    ("t", "Light or dark"),
    ("← →", "On a chart: move the crosshair"),
    ("+ −", "On a chart: zoom in or out; Esc for the whole range"),
    ("?", "This list"),
];

/// The list of keys, and the keys themselves.
#[component]
pub fn Help() -> impl IntoView {
    let app = app();
    let open = RwSignal::new(false);
    let handle = window_event_listener(ev::keydown, move |event| {
        if rows::typing() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        let after_g = rows::led();
        rows::lead_over();
        let target = match event.key().as_str() {
            "o" if after_g => Some(Route::Overview),
            "m" if after_g => Some(Route::Machines),
            "s" if after_g => Some(Route::Sensors),
            "a" if after_g => Some(Route::Alarms),
            "t" if after_g => Some(Route::Tickets),
            _ => None,
        };
        if let Some(route) = target {
            event.stop_propagation();
            app.nav.go(&route.to_string());
            return;
        }
        match event.key().as_str() {
            "g" => rows::lead(),
            "j" => rows::step(true),
            "k" => rows::step(false),
            "t" => app.toggle_theme(),
            "u" => app.toasts.undo_newest(),
            "?" => open.set(true),
            _ => return,
        }
        event.prevent_default();
    });
    on_cleanup(move || handle.remove());
    view! {
        <Dialog open title="Keyboard">
            <dl class="keys">
                {KEYS
                    .iter()
                    .map(|(keys, what)| {
                        view! {
                            <dt>
                                {keys.split_whitespace().map(|key| view! { <kbd>{key}</kbd> }).collect_view()}
                            </dt>
                            <dd>{*what}</dd>
                        }
                    })
                    .collect_view()}
            </dl>
        </Dialog>
    }
    .into_any()
}
