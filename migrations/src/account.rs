//! The first accounts of a platform: its API creates accounts only for an administrator.

use anyhow::{Result, ensure};
use tokio_postgres::Client;

use crate::{connect, sentence};

/// bcrypt's work factor: 2^12 rounds.
const BCRYPT_COST: u32 = 12;

/// Adds an administrator when there is no active one; returns whether it did.
///
/// `password` must have eight characters or more, as the functions ask of others. The administrator has to change it at the
/// first sign-in.
pub async fn first_admin(url: &str, email: &str, password: &str) -> Result<bool> {
    ensure!(email.contains('@'), "PM_ADMIN_EMAIL is no mail address: {email}");
    ensure!(
        password.chars().count() >= 8,
        "PM_ADMIN_PASSWORD has fewer than 8 characters: choose a longer one"
    );
    let client = connect(url).await?;
    let known = client.query_opt("select from users where role = 'admin' and is_active limit 1", &[]).await;
    if known.map_err(sentence)?.is_some() {
        return Ok(false);
    }
    add_user(&client, email, password, "Administrator", "admin").await?;
    let first = "update users set password_change_required = true where lower(email) = lower($1)";
    client.execute(first, &[&email]).await.map_err(sentence)?;
    Ok(true)
}

/// Adds an active user, unless there is one with this address.
pub async fn add_user(
    client: &Client,
    email: &str,
    password: &str,
    full_name: &str,
    role: &str,
) -> Result<()> {
    let known = "select from users where lower(email) = lower($1)";
    if client.query_opt(known, &[&email]).await.map_err(sentence)?.is_some() {
        return Ok(());
    }
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || bcrypt::hash(password, BCRYPT_COST)).await??;
    let insert = "insert into users (email, full_name, role, password_hash) values ($1, $2, $3, $4)
        on conflict (lower(email)) do nothing";
    client.execute(insert, &[&email, &full_name, &role, &hash]).await.map_err(sentence)?;
    Ok(())
}

/// Whether there is an active user with this address and this password.
pub async fn has_password(client: &Client, email: &str, password: &str) -> Result<bool> {
    let statement = "select password_hash from users where lower(email) = lower($1) and is_active";
    let Some(row) = client.query_opt(statement, &[&email]).await.map_err(sentence)? else { return Ok(false) };
    let (password, hash): (String, String) = (password.to_owned(), row.get(0));
    Ok(tokio::task::spawn_blocking(move || bcrypt::verify(password, &hash)).await?.unwrap_or(false))
}
