//! What developers run of the test support: `./pm schema`, and the end of `./pm test`.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Parser;
use pm_test_support::{schema, stop_server};

#[derive(Parser)]
#[command(name = "pm-test-support")]
enum Command {
    /// Write the schema that the migrations give.
    SchemaDump {
        /// Where to.
        #[arg(long, default_value = "tests/snapshots/schema.sql")]
        file: PathBuf,
    },
    /// Stop the database server that tests share.
    DbStop,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Command::parse() {
        Command::SchemaDump { file } => {
            let dump = schema::dump().await?;
            std::fs::write(&file, dump).with_context(|| format!("cannot write {}", file.display()))?;
            println!("Wrote {}.", file.display());
        }
        Command::DbStop => {
            let stopped = stop_server().await?;
            println!(
                "The tests' database {}.",
                if stopped { "is stopped" } else { "is in use by other tests" }
            );
        }
    }
    Ok(())
}
