//! A database connection and what can go wrong with it.

use crate::value::Columns;
use pm_api::UserId;
use serde::Serialize;
use spin_sdk::{
    pg::{Connection, Error, ParameterValue, PgError, QueryError},
    wit_bindgen::StreamResult,
};

/// Rows that cross from the host at once, if that many are there: each crossing costs more than a row.
const ROWS_AT_ONCE: usize = 128;

/// What a statement can fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or not now; the same call may succeed later.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// A constraint of the schema, by its name.
    #[error("constraint {0} violated")]
    Constraint(String),
    /// A value that the database cannot take (out of range, not representable).
    #[error("invalid value: {0}")]
    Invalid(String),
    /// Anything else: an error of ours.
    #[error("statement failed: {0}")]
    Failed(String),
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Decode(text) => Self::Failed(text),
            Error::PgError(PgError::QueryFailed(QueryError::DbError(e))) => {
                let detail = || format!("{} ({})", e.message, e.code);
                match e.code.get(..2) {
                    Some("23") => Self::Constraint(
                        e.extras
                            .iter()
                            .find(|(key, _)| key.contains("constraint"))
                            .map(|(_, name)| name.clone())
                            .or_else(|| quoted_last(&e.message))
                            .unwrap_or_default(),
                    ),
                    Some("22") => Self::Invalid(detail()),
                    // connection lost, resources, shutdown, read-only or overtaken transaction
                    Some("08" | "53" | "57" | "58" | "25" | "40" | "55") => Self::Unavailable(detail()),
                    _ => Self::Failed(detail()),
                }
            }
            Error::PgError(
                PgError::QueryFailed(QueryError::Text(text))
                | PgError::ConnectionFailed(text)
                | PgError::Other(text),
            ) => Self::Unavailable(text),
            Error::PgError(other) => Self::Failed(other.to_string()),
        }
    }
}

/// The last quoted name of a message such as `… violates unique constraint "users_email_unique"`.
fn quoted_last(message: &str) -> Option<String> {
    message.rsplit('"').nth(1).map(str::to_owned)
}

/// On whose behalf a change is made. Written to the audit log by the schema's triggers.
#[derive(Debug, Clone, Serialize)]
pub struct Actor {
    /// The user.
    pub user_id: UserId,
    /// A word for the audit log instead of create, update or delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<&'static str>,
    /// Where the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// What sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Actor {
    /// The same actor, with its own word for what it does.
    #[must_use]
    pub fn doing(&self, action: &'static str) -> Self {
        Self { action: Some(action), ..self.clone() }
    }

    /// The value of the setting `pm.actor`.
    pub(crate) fn setting(&self) -> ParameterValue {
        ParameterValue::Str(serde_json::to_string(self).unwrap_or_default())
    }
}

/// A connection from the host's pool.
pub struct Db {
    connection: Connection,
}

impl Db {
    /// Takes a connection to `address` (a URL or a libpq string).
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is none to be had.
    pub async fn open(address: &str) -> Result<Self, StoreError> {
        Ok(Self { connection: Connection::open(address).await? })
    }

    /// Runs a statement and reads each row.
    pub(crate) async fn rows<T>(
        &self,
        sql: &str,
        params: Vec<ParameterValue>,
        read: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut result = self.connection.query(sql, params).await?;
        let mut rows = Vec::new();
        loop {
            let (state, taken) = result.rows().read(Vec::with_capacity(ROWS_AT_ONCE)).await;
            for row in taken {
                rows.push(read(&mut Columns::new(row))?);
            }
            if state == StreamResult::Dropped {
                break;
            }
        }
        result.result().await?;
        Ok(rows)
    }

    /// Runs a statement that gives at most one row of interest.
    pub(crate) async fn first<T>(
        &self,
        sql: &str,
        params: Vec<ParameterValue>,
        read: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.rows(sql, params, read).await?.into_iter().next())
    }

    /// Runs a statement that always gives a row.
    pub(crate) async fn one<T>(
        &self,
        sql: &str,
        params: Vec<ParameterValue>,
        read: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let row = self.first(sql, params, read).await?;
        row.ok_or_else(|| StoreError::Failed("a statement that always gives a row gave none".to_owned()))
    }

    /// Runs a statement and counts the rows it changed.
    pub(crate) async fn execute(&self, sql: &str, params: Vec<ParameterValue>) -> Result<u64, StoreError> {
        Ok(self.connection.execute(sql, params).await?)
    }
}
