//! Writes the OpenAPI document to the file named, or to standard output.

use std::{env, fs, io, process::ExitCode};

fn main() -> io::Result<ExitCode> {
    let text = serde_json::to_string_pretty(&pm_openapi::document())? + "\n";
    match env::args().nth(1) {
        Some(path) => fs::write(path, text)?,
        None => print!("{text}"),
    }
    Ok(ExitCode::SUCCESS)
}
