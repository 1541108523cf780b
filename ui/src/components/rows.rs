//! Lists by keyboard: j and k move the focus from row to row, Enter opens.

use crate::{browser::now_ms, nav::Nav, state::app};
use leptos::prelude::*;
use pm_ui_core::route::Route;
use std::cell::Cell;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// A row of a table, which Enter opens.
#[component]
pub fn Row(
    /// What it leads to.
    route: Route,
    /// What its state is called.
    #[prop(into, optional)]
    class: Signal<&'static str>,
    /// Its cells.
    children: Children,
) -> impl IntoView {
    let app = app();
    view! {
        <tr
            class=move || class.get()
            data-row
            tabindex="-1"
            on:keydown=move |event| open(&event, app.nav, route)
        >
            {children()}
        </tr>
    }
    .into_any()
}

/// Enter on a row goes where it leads to.
pub fn open(event: &web_sys::KeyboardEvent, nav: Nav, route: Route) {
    if key(event).as_deref() == Some("Enter") {
        nav.go(&untrack(|| nav.to(route)));
    }
}

/// The elements marked `data-row`, and which of them has the focus or holds it.
fn rows() -> (Vec<HtmlElement>, Option<usize>) {
    let Ok(found) = document().query_selector_all("main [data-row]") else { return (Vec::new(), None) };
    let rows: Vec<HtmlElement> =
        (0..found.length()).filter_map(|i| found.item(i)?.dyn_into::<HtmlElement>().ok()).collect();
    let focused = document().active_element().and_then(|e| e.closest("[data-row]").ok().flatten());
    let at = focused.and_then(|row| rows.iter().position(|r| *AsRef::<Element>::as_ref(r) == row));
    (rows, at)
}

fn focus(rows: &[HtmlElement], at: usize) {
    let at = at.min(rows.len().saturating_sub(1));
    if let Some(row) = rows.get(at) {
        let _ = row.focus();
        LAST.set(Some(at));
    }
}

/// Moves the focus to the next (or previous) row; to the place it had last, if that row was made again or is gone.
pub fn step(forward: bool) {
    let (rows, at) = rows();
    let next = match (at, LAST.get()) {
        (Some(i), _) if forward => (i + 1).min(rows.len() - 1),
        (Some(i), _) => i.saturating_sub(1),
        (None, Some(last)) => last,
        (None, None) if forward => 0,
        (None, None) => rows.len(),
    };
    focus(&rows, next);
}

/// Another page is shown: its list begins at its begin.
pub fn forget() {
    LAST.set(None);
}

/// Call this in a drawer: when it is closed, the row that opened it has the focus again.
pub fn come_back() {
    if let (_, Some(at)) = rows() {
        on_cleanup(move || focus(&rows().0, at));
    }
}

thread_local! {
    static LEADER_MS: Cell<f64> = const { Cell::new(0.0) };
    /// Place of the row that had the focus last.
    static LAST: Cell<Option<usize>> = const { Cell::new(None) };
}

/// Remembers that `g` was pressed: the next key names a page.
pub fn lead() {
    LEADER_MS.set(now_ms());
}

/// Was `g` pressed just before?
#[must_use]
pub fn led() -> bool {
    now_ms() - LEADER_MS.get() < 1_200.0
}

/// Forgets that `g` was pressed.
pub fn lead_over() {
    LEADER_MS.set(0.0);
}

/// Is the key meant for the row itself: pressed on it, not on a button or link inside it, and not after `g`?
#[must_use]
pub fn key(event: &web_sys::KeyboardEvent) -> Option<String> {
    let own = event.target() == event.current_target();
    let plain = !(event.ctrl_key() || event.meta_key() || event.alt_key());
    (own && plain && !led()).then(|| event.key())
}

/// Is the user typing?
#[must_use]
pub fn typing() -> bool {
    document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.has_attribute("contenteditable")
    })
}
