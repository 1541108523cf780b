//! The way to the database.

use crate::{Refusal, variable};
use pm_store::Db;

/// A connection to the database, also for work that goes on after the answer.
///
/// # Errors
/// 503 if there is none.
pub async fn database() -> Result<Db, Refusal> {
    Ok(Db::open(&variable("database_url").await?).await?)
}
