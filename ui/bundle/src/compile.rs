//! Rust → wasm → wasm with JavaScript bindings.

use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use wasm_bindgen_cli_support::Bindgen;

/// The two files that make the application.
pub struct Bindings {
    /// The JavaScript module.
    pub js: String,
    /// The WebAssembly module.
    pub wasm: Vec<u8>,
    /// Scripts that dependencies bring: the address by which `js` imports each, and its text.
    pub snippets: Vec<(String, String)>,
}

/// Compiles `pm-ui`; the path of the module.
pub fn compile(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["build", "--target", "wasm32-unknown-unknown", "--profile", "web", "-p", "pm-ui"])
        .args(["--message-format", "json-render-diagnostics"])
        // Views behind pointers: quicker to compile and smaller than one nested type for each page.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg erase_components")
        .current_dir(root)
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "pm-ui does not compile");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == "pm_ui")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|e| e == "wasm"))
        .context("cargo named no wasm file for pm-ui")
}

/// Makes the JavaScript bindings.
pub fn bind(module: &Path) -> Result<Bindings> {
    let mut output = Bindgen::new()
        .input_path(module)
        .out_name("pm_ui")
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()?;
    ensure!(
        output.local_modules().is_empty(),
        "a dependency brings JavaScript modules; the bundler copies none"
    );
    let js = output.js().to_owned();
    let snippets = output
        .snippets()
        .iter()
        .flat_map(|(folder, texts)| {
            let name = move |i| format!("./snippets/{folder}/inline{i}.js");
            texts.iter().enumerate().map(move |(i, text)| (name(i), text.clone()))
        })
        .collect();
    Ok(Bindings { js, wasm: output.wasm_mut().emit_wasm(), snippets })
}
