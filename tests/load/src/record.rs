//! Results that are kept: figures as JSON, a picture as SVG.

use anyhow::{Context, Result};
use serde::Serialize;
use std::{fs, path::Path};

/// Writes both into a folder.
pub(crate) fn keep(folder: &Path, name: &str, report: &impl Serialize, picture: &str) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (json, svg) = (folder.join(format!("{name}.json")), folder.join(format!("{name}.svg")));
    let text = serde_json::to_string_pretty(&rounded(serde_json::to_value(report)?))? + "\n";
    fs::write(&json, text).with_context(|| format!("cannot write {}", json.display()))?;
    fs::write(&svg, picture).with_context(|| format!("cannot write {}", svg.display()))?;
    println!("\nkept in {} and {}", json.display(), svg.display());
    Ok(())
}

/// Numbers to three decimals: more are noise.
fn rounded(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(n) if n.is_f64() => {
            Value::from((n.as_f64().unwrap_or_default() * 1000.0).round() / 1000.0)
        }
        Value::Array(items) => items.into_iter().map(rounded).collect(),
        Value::Object(fields) => fields.into_iter().map(|(k, v)| (k, rounded(v))).collect(),
        other => other,
    }
}
