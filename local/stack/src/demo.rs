//! Demonstration data, only when asked for: the documented users and the plant that the simulator publishes.

use anyhow::{Context, Result};
use pm_migrations::account::{add_user, has_password};
use pm_migrations::{connect, sentence};

/// The documented demonstration users: address, password, name, role.
pub const USERS: [(&str, &str, &str, &str); 3] = [
    ("admin@example.com", "admin123", "Demo Admin", "admin"),
    ("engineer@example.com", "engineer123", "Demo Engineer", "engineer"),
    ("viewer@example.com", "viewer123", "Demo Viewer", "viewer"),
];

/// The demonstration users who can still log in with the password that everybody knows.
pub async fn users_with_known_passwords(url: &str) -> Result<Vec<&'static str>> {
    let client = connect(url).await?;
    let mut known = Vec::new();
    for (email, password, ..) in USERS {
        if has_password(&client, email, password).await? {
            known.push(email);
        }
    }
    Ok(known)
}

/// Adds what is not there yet; a user or machine that was changed since stays as it is.
pub async fn seed(url: &str) -> Result<()> {
    let client = connect(url).await?;
    for (email, password, full_name, role) in USERS {
        add_user(&client, email, password, full_name, role)
            .await
            .with_context(|| format!("cannot add {email}"))?;
    }
    client
        .batch_execute(include_str!("demo.sql"))
        .await
        .map_err(sentence)
        .context("cannot add the demonstration plant")
}
