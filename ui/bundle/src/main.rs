//! `cargo run -p pm-ui-bundle`: builds the web UI and writes `ui/dist`, ready to serve; fills `functions/docs/files` with
//! openapi.json and the pages that show it.
//!
//! Invariants: every file but `index.html` carries its content's hash in its name, has `.br` and `.gz` siblings, and
//! stands in `assets.json` ([`pm_api::assets`]). Nothing is done when no input changed. The program is split into chunks
//! ([`pm_ui_core::route::Chunk`]): a browser loads what all pages share and the chunk of the page it opens. The build
//! fails when that exceeds 560 kB compressed with gzip for any page.
//!
//! Deliberately absent: a watcher, a development server, source maps.

mod compile;
mod docs;
mod inputs;
mod output;

use anyhow::{Context, Result, ensure};
use std::{env, fs, path::PathBuf};

/// Most bytes that the first visit of any page may load, compressed with gzip.
const BUDGET_BYTES: u64 = 560_000;

fn main() -> Result<()> {
    let bundle =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").context("run this with `cargo run -p pm-ui-bundle`")?);
    let ui = bundle.parent().context("the bundler lies in ui/bundle")?.to_path_buf();
    let root = ui.parent().context("ui lies in the workspace")?.to_path_buf();
    let dist = ui.join("dist");
    docs::write(&root)?;

    let inputs = inputs::hash(&root, &ui)?;
    let inputs_file = dist.join(".inputs");
    if fs::read_to_string(&inputs_file).is_ok_and(|old| old == inputs) && dist.join("assets.json").exists() {
        println!("ui: nothing changed");
        return Ok(());
    }

    println!("ui: compiling");
    let wasm = compile::compile(&root)?;
    let split = compile::split(&wasm)?;
    let bindings = compile::bind(&split)?;
    for (chunk, bytes) in output::write(&ui, &dist, &split, &bindings)? {
        println!("ui: first load of {chunk}: {} kB gzip of at most {} kB", bytes / 1000, BUDGET_BYTES / 1000);
        ensure!(bytes <= BUDGET_BYTES, "the first load of {chunk} is too large: {bytes} bytes gzip");
    }
    fs::write(inputs_file, inputs)?;
    Ok(())
}
