//! Writes spin.toml to the file named, or to standard output.

use std::{env, fs, io};

fn main() -> io::Result<()> {
    let text = pm_manifest::manifest();
    match env::args().nth(1) {
        Some(path) => fs::write(path, text),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}
