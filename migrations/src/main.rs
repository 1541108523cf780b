//! `pm-migrate`: brings the database at DATABASE_URL up to date.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Parser;
use pm_migrations::{account, enable_roles, migrate};

/// Bring the database at DATABASE_URL up to date. The roles of the functions get passwords that follow from PM_ROLE_SECRET;
/// PM_ADMIN_EMAIL and PM_ADMIN_PASSWORD make the first administrator.
#[derive(Parser)]
#[command(name = "pm-migrate", version)]
struct Arguments {}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {} = Arguments::parse();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pm-migrate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

async fn run() -> Result<()> {
    let url = variable("DATABASE_URL").context("set DATABASE_URL=postgres://user:password@host:port/name")?;
    let url = url.as_str();
    let outcome = migrate(url).await?;
    outcome.applied.iter().for_each(|name| println!("applied {name}"));
    println!("{} migrations applied, {} before", outcome.applied.len(), outcome.already);
    if let Some(secret) = variable("PM_ROLE_SECRET") {
        enable_roles(url, &secret).await?;
        println!("The roles of the functions have their passwords.");
    }
    match (variable("PM_ADMIN_EMAIL"), variable("PM_ADMIN_PASSWORD")) {
        (Some(email), Some(password)) => match account::first_admin(url, &email, &password).await? {
            true => println!("{email} is the first administrator."),
            false => println!("There is an administrator already."),
        },
        (None, None) => {}
        _ => bail!("PM_ADMIN_EMAIL and PM_ADMIN_PASSWORD belong together: give both"),
    }
    Ok(())
}
