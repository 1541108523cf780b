//! Lists by keyboard: j and k move the focus from row to row, Enter opens.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

/// Moves the focus to the next (or previous) element marked `data-row`.
pub fn step(forward: bool) {
    let Ok(found) = document().query_selector_all("main [data-row]") else { return };
    let rows: Vec<HtmlElement> =
        (0..found.length()).filter_map(|i| found.item(i)?.dyn_into::<HtmlElement>().ok()).collect();
    let focused = document().active_element().and_then(|e| e.closest("[data-row]").ok().flatten());
    let at = focused.and_then(|row| rows.iter().position(|r| *AsRef::<Element>::as_ref(r) == row));
    let next = match (at, forward) {
        (None, true) => 0,
        (None, false) => rows.len().saturating_sub(1),
        (Some(i), true) => (i + 1).min(rows.len().saturating_sub(1)),
        (Some(i), false) => i.saturating_sub(1),
    };
    if let Some(row) = rows.get(next) {
        let _ = row.focus();
    }
}

/// Is the user typing?
#[must_use]
pub fn typing() -> bool {
    document().active_element().is_some_and(|element| {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
            || element.has_attribute("contenteditable")
    })
}
