//! Rust → wasm → wasm in chunks → wasm with JavaScript bindings.

use anyhow::{Context, Result, anyhow, ensure};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};
use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;

/// By this name the program asks for its chunks.
pub(crate) const LINK: &str = "./chunks.js";
/// By this name the module that fetches chunks asks for the program.
pub(crate) const MAIN: &str = "./main.js";

/// A program in chunks ([`split`]).
pub(crate) struct Split {
    /// The module that is loaded first, without bindings.
    main: PathBuf,
    /// The JavaScript module that fetches chunks; it names each file as `./NAME.wasm`, and the program as [`MAIN`].
    pub link: String,
    /// The other modules by name.
    pub modules: BTreeMap<String, Vec<u8>>,
    /// The chunk's name → the modules it consists of.
    pub chunks: BTreeMap<String, Vec<String>>,
}

/// The two files that are loaded first.
pub(crate) struct Bindings {
    /// The JavaScript module; it imports [`LINK`].
    pub(crate) js: String,
    /// The WebAssembly module.
    pub(crate) wasm: Vec<u8>,
    /// Scripts that dependencies bring: the address by which `js` imports each, and its text.
    pub(crate) snippets: Vec<(String, String)>,
}

/// The cargo that runs this program, or the one that is found, in the folder of the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root);
    cargo
}

/// Compiles `pm-ui`; the path of the module.
pub(crate) fn compile(root: &Path) -> Result<PathBuf> {
    let output = cargo(root)
        .args(["rustc", "--target", "wasm32-unknown-unknown", "--profile", "web", "-p", "pm-ui"])
        .args(["--message-format", "json-render-diagnostics"])
        // The linker notes which function refers to which: by that the program is split.
        .args(["--", "-C", "link-args=--emit-relocs"])
        // Views behind pointers: quicker to compile and smaller than one nested type for each page.
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg erase_components")
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

/// Splits the module where the program marks it.
pub(crate) fn split(module: &Path) -> Result<Split> {
    let folder = module.with_file_name("pm_ui_chunks");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let main = folder.join("main.wasm");
    let input = fs::read(module)?;
    let mut options = wasm_split_cli_support::Options::new(&input);
    options.output_dir = &folder;
    options.main_out_path = &main;
    options.link_name = LINK;
    options.main_module = MAIN;
    let output = wasm_split_cli_support::transform(options)
        .map_err(|e| anyhow!("{e:#}"))
        .context("the program cannot be split")?;
    let mut modules = BTreeMap::new();
    for path in output.split_modules {
        let name = path.file_stem().and_then(|name| name.to_str()).context("a module has no name")?;
        modules.insert(name.to_owned(), compact(&path)?);
    }
    let link = fs::read_to_string(folder.join(LINK))?;
    Ok(Split { main, link, modules, chunks: output.prefetch_map.into_iter().collect() })
}

/// The module without names and without the room that the linker left in its numbers.
fn compact(module: &Path) -> Result<Vec<u8>> {
    let mut config = ModuleConfig::new();
    config.generate_name_section(false).generate_producers_section(false);
    Ok(config.parse_file(module)?.emit_wasm())
}

/// Makes the JavaScript bindings.
pub(crate) fn bind(split: &Split) -> Result<Bindings> {
    let mut output = Bindgen::new()
        .input_path(&split.main)
        .out_name("pm_ui")
        .web(true)?
        .typescript(false)
        // the other modules share the table of functions
        .keep_lld_exports(true)
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
