//! The schema as the migrations give it, as text that is the same on every machine.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::database::database;

/// Migrates a fresh database and dumps its schema.
pub async fn dump() -> Result<String> {
    let database = database().await?;
    let output = Command::new(database.programs().path("pg_dump"))
        .args(["--schema-only", "--no-owner", "--schema=public", "--restrict-key=schema"])
        .args(["--exclude-table=schema_migrations", "--dbname", database.url()])
        .output()
        .context("cannot run pg_dump")?;
    ensure!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(normalise(&String::from_utf8_lossy(&output.stdout)))
}

/// Leaves out comments, psql's own commands, session settings and repeated empty lines: what depends on the program's
/// version and not on the schema.
fn normalise(dump: &str) -> String {
    let mut text = String::from(
        "-- What the migrations give, for reading and review. Written by `./pm schema`; a test compares.\n",
    );
    let mut empty = false;
    for line in dump.lines().map(str::trim_end) {
        let noise = line.starts_with("--")
            || line.starts_with('\\')
            || line.starts_with("SET ")
            || line.starts_with("SELECT pg_catalog.set_config");
        if noise {
            continue;
        }
        if line.is_empty() {
            empty = true;
            continue;
        }
        if std::mem::take(&mut empty) {
            text.push('\n');
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}
