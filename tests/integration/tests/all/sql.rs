//! A look into the database, past the functions.

use anyhow::Result;
use tokio_postgres::{Client, NoTls};

/// A connection that lives as long as its client.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}
