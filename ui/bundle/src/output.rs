//! Hashed names, compressed siblings, the page and the manifest.

use crate::{
    compile::{Bindings, LINK, MAIN, Split},
    inputs::hex,
};
use anyhow::{Context, Result, ensure};
use pm_api::assets::{Asset, AssetManifest};
use pm_ui_core::route::{Chunk, Route};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, fs, num::NonZeroU64, path::Path};

/// Where the `site` component serves the bundle.
const BASE: &str = "/app/";
/// An id, for the address of a page of one thing.
const ANY_ID: &str = "00000000-0000-0000-0000-000000000000";
/// The style sheets, in the order of their cascade.
const STYLES: &[&str] = &["tokens", "base", "shell", "components", "forms", "chart", "pages"];

/// Writes the bundle. Returns for each chunk the bytes that the first visit of one of its pages loads with gzip.
pub(crate) fn write(
    ui: &Path,
    dist: &Path,
    split: &Split,
    bindings: &Bindings,
) -> Result<BTreeMap<String, u64>> {
    if dist.exists() {
        fs::remove_dir_all(dist)?;
    }
    fs::create_dir_all(dist.join("assets"))?;
    let mut out = Writer::new("ui", dist, Effort::Thorough);

    let mut link = split.link.clone();
    let mut modules = BTreeMap::new();
    for (name, wasm) in &split.modules {
        let file = out.hashed(name, "wasm", wasm)?;
        link = swap(&link, &format!("./{name}.wasm"), &format!("{BASE}{file}"))?;
        modules.insert(name.as_str(), file);
    }
    let mut chunks = BTreeMap::new();
    let mut first_loads = BTreeMap::new();
    for (chunk, names) in &split.chunks {
        let files: Vec<&String> = names.iter().filter_map(|name| modules.get(name.as_str())).collect();
        first_loads.insert(chunk.clone(), files.iter().map(|file| out.gzip_bytes(file)).sum::<u64>());
        chunks.insert(chunk.as_str(), files);
    }
    let module_bytes: u64 = modules.values().map(|file| out.gzip_bytes(file)).sum();

    let wasm = out.hashed("pm-ui", "wasm", &bindings.wasm)?;
    let mut js = bindings.js.clone();
    for (address, text) in &bindings.snippets {
        js = js.replace(address, &format!("{BASE}{}", out.hashed("snippet", "js", text.as_bytes())?));
    }
    // These two import each other, so both carry the hash of both.
    let hash = short_hash(&[js.as_bytes(), link.as_bytes()]);
    let (js_name, link_name) = (format!("assets/pm-ui-{hash}.js"), format!("assets/chunks-{hash}.js"));
    let js = swap(&js, &format!("from \"{LINK}\""), &format!("from \"{BASE}{link_name}\""))?;
    let link = swap(&link, MAIN, &format!("{BASE}{js_name}"))?;
    out.put(js_name.clone(), "js", js.as_bytes(), true)?;
    out.put(link_name.clone(), "js", link.as_bytes(), true)?;

    let mut css = String::new();
    for name in STYLES {
        let path = ui.join("styles").join(name).with_extension("css");
        css += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let boot = fs::read_to_string(ui.join("static/boot.js"))?;
    let boot = swap(&boot, "{{JS}}", &format!("{BASE}{js_name}"))?;
    let boot = swap(&boot, "{{WASM}}", &format!("{BASE}{wasm}"))?;
    let boot = swap(&boot, "\"{{FILES}}\"", &serde_json::to_string(&files_of_pages(&chunks))?)?;
    let names = [
        ("BOOT", out.hashed("boot", "js", boot.as_bytes())?),
        ("THEME", out.hashed("theme", "js", &fs::read(ui.join("static/theme.js"))?)?),
        ("CSS", out.hashed("pm-ui", "css", minify(&css).as_bytes())?),
        ("ICON", out.hashed("icon", "svg", &fs::read(ui.join("static/icon.svg"))?)?),
        ("JS", js_name),
        ("LINK", link_name),
        ("WASM", wasm),
    ];
    let mut page = fs::read_to_string(ui.join("index.html"))?;
    for (key, name) in names {
        page = swap(&page, &format!("{{{{{key}}}}}"), &format!("{BASE}{name}"))?;
    }
    out.put("index.html".to_owned(), "html", page.as_bytes(), false)?;
    let shared = out.all_gzip_bytes() - module_bytes;
    for bytes in first_loads.values_mut() {
        *bytes += shared;
    }
    out.finish()?;
    Ok(first_loads)
}

/// The first segment of a page's address below [`BASE`], with a slash for the pages of one thing (`machines/`) → the
/// addresses of the files of its chunk.
fn files_of_pages(chunks: &BTreeMap<&str, Vec<&String>>) -> BTreeMap<String, Vec<String>> {
    let files =
        |chunk: Chunk| chunks.get(chunk.name()).into_iter().flatten().map(|file| format!("{BASE}{file}"));
    let of = |segment: String, page: Route| Some((segment, files(page.chunk()?).collect()));
    Route::PAGES
        .iter()
        .filter_map(|page| Some((page.to_string().strip_prefix(BASE)?.to_owned(), *page)))
        .flat_map(|(segment, page)| {
            let one = format!("{segment}/");
            let page_of_one = Route::parse(&format!("{BASE}{one}{ANY_ID}"));
            [of(segment, page), of(one, page_of_one)]
        })
        .flatten()
        .collect()
}

/// `text` with `old`, which stands in it, replaced by `new`.
fn swap(text: &str, old: &str, new: &str) -> Result<String> {
    ensure!(text.contains(old), "the bundler looks for {old} and does not find it");
    Ok(text.replace(old, new))
}

/// Twelve digits of the hash of all `contents`.
fn short_hash(contents: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    contents.iter().for_each(|content| hasher.update(content));
    let mut hash = hex(&hasher.finalize());
    hash.truncate(12);
    hash
}

/// Rounds of optimisation of the gzip files.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Effort {
    /// For what every visitor loads: costs seconds where an ordinary gzip takes a fraction of one, and saves 4 per cent.
    Thorough,
    /// For the rest.
    Quick,
}

/// Writes files with their compressed siblings, and what is known of them into `assets.json`.
pub(crate) struct Writer<'a> {
    what: &'static str,
    dist: &'a Path,
    effort: Effort,
    manifest: AssetManifest,
    gzip_bytes: BTreeMap<String, u64>,
}

impl<'a> Writer<'a> {
    /// A writer into `dist`; `what` stands before its messages.
    pub(crate) fn new(what: &'static str, dist: &'a Path, effort: Effort) -> Self {
        Self { what, dist, effort, manifest: AssetManifest::default(), gzip_bytes: BTreeMap::new() }
    }

    /// Writes the manifest.
    pub(crate) fn finish(self) -> Result<()> {
        fs::write(self.dist.join("assets.json"), serde_json::to_string_pretty(&self.manifest)?)?;
        Ok(())
    }

    /// The bytes of a file with gzip.
    fn gzip_bytes(&self, name: &str) -> u64 {
        self.gzip_bytes.get(name).copied().unwrap_or_default()
    }

    /// The bytes of all files with gzip.
    fn all_gzip_bytes(&self) -> u64 {
        self.gzip_bytes.values().sum()
    }

    fn hashed(&mut self, stem: &str, extension: &str, content: &[u8]) -> Result<String> {
        let name = format!("assets/{stem}-{}.{extension}", short_hash(&[content]));
        self.put(name.clone(), extension, content, true)?;
        Ok(name)
    }

    /// Writes one file.
    pub(crate) fn put(
        &mut self,
        name: String,
        extension: &str,
        content: &[u8],
        immutable: bool,
    ) -> Result<()> {
        let mut gzip = Vec::new();
        let (rounds, quality) = match self.effort {
            Effort::Thorough => (5, 11),
            Effort::Quick => (1, 9),
        };
        let iteration_count = NonZeroU64::new(rounds).unwrap_or(NonZeroU64::MIN);
        let effort = zopfli::Options { iteration_count, ..Default::default() };
        zopfli::compress(effort, zopfli::Format::Gzip, content, &mut gzip)?;
        let mut brotli = Vec::new();
        let parameters = brotli::enc::BrotliEncoderParams { quality, lgwin: 22, ..Default::default() };
        brotli::BrotliCompress(&mut &content[..], &mut brotli, &parameters)?;

        println!(
            "{}: {name}: {} bytes, gzip {}, brotli {}",
            self.what,
            content.len(),
            gzip.len(),
            brotli.len()
        );
        self.gzip_bytes.insert(name.clone(), gzip.len() as u64);
        let mut encodings = BTreeMap::new();
        for (encoding, suffix, bytes) in [("br", "br", &brotli), ("gzip", "gz", &gzip)] {
            let file = format!("{name}.{suffix}");
            fs::write(self.dist.join(&file), bytes)?;
            encodings.insert(encoding.to_owned(), file);
        }
        fs::write(self.dist.join(&name), content)?;
        let etag = format!("\"{}\"", &hex(&Sha256::digest(content))[..16]);
        let length = content.len() as u64;
        let content_type = content_type(extension).to_owned();
        self.manifest.files.insert(name, Asset { content_type, etag, immutable, length, encodings });
        Ok(())
    }
}

fn content_type(extension: &str) -> &'static str {
    match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}

/// Drops comments and indentation; the compressors do the rest.
fn minify(css: &str) -> String {
    let mut rest = css;
    let mut text = String::with_capacity(css.len());
    while let Some(start) = rest.find("/*") {
        text += &rest[..start];
        rest = rest[start..].find("*/").map_or("", |end| &rest[start + end + 2..]);
    }
    text += rest;
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minify_drops_comments_and_indentation() {
        assert_eq!(minify("a {\n  /* why */ b: c;\n\n}\n/* end"), "a {\nb: c;\n}");
    }
}
