//! `cargo run -p ui-bundle`: builds the web UI and writes `ui/dist`, ready to serve; fills `functions/docs/files` with
//! the pages of the API's documentation.
//!
//! Invariants: every file but `index.html` carries its content's hash in its name, has `.br` and `.gz` siblings, and
//! stands in `assets.json` ([`pm_api::assets`]). Nothing is done when no input changed. The bundle is refused when
//! what a browser loads first exceeds 500 kB compressed with gzip.
//!
//! Deliberately absent: a watcher, a development server, source maps.

mod compile;
mod docs;
mod inputs;
mod output;

use anyhow::{Context, Result, ensure};
use std::{env, fs, path::PathBuf};

/// What the first visit may cost, bytes, gzip.
const BUDGET_BYTES: u64 = 500_000;

fn main() -> Result<()> {
    let bundle =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").context("run this with `cargo run -p ui-bundle`")?);
    let ui = bundle.parent().context("the bundler lies in ui/bundle")?.to_path_buf();
    let root = ui.parent().context("ui lies in the workspace")?.to_path_buf();
    let dist = ui.join("dist");
    docs::write(&root)?;

    let inputs = inputs::hash(&root, &ui)?;
    let stamp = dist.join(".inputs");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == inputs) && dist.join("assets.json").exists() {
        println!("ui: nothing changed");
        return Ok(());
    }

    println!("ui: compiling");
    let wasm = compile::compile(&root)?;
    let bindings = compile::bind(&wasm)?;
    let first_load = output::write(&ui, &dist, &bindings)?;
    println!("ui: first load {} kB gzip of at most {} kB", first_load / 1000, BUDGET_BYTES / 1000);
    ensure!(first_load <= BUDGET_BYTES, "the bundle is too large: {first_load} bytes gzip");
    fs::write(stamp, inputs)?;
    Ok(())
}
