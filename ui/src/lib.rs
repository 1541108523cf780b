//! The web UI: a Leptos application that runs in the browser and talks to the HTTP API under `/api`.
//!
//! Invariants: every view has an address ([`pm_ui_core::route`]); every request goes through [`api`], which renews
//! the session once and only once; everything live comes from one event stream for the whole page ([`live`]);
//! colour marks the abnormal and never stands alone (ISA-101).
//!
//! Deliberately absent: rules and numbers (pm-ui-core), server-side rendering, anything loaded from another host.

pub mod api;
pub mod app;
pub mod browser;
pub mod chart;
pub mod chunk;
pub mod components;
pub mod live;
pub mod nav;
pub mod page;
pub mod shell;
pub mod state;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs the application in the page's body.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(app::Root);
}
