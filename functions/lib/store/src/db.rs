//! A database connection, and on whose behalf it makes a change.

use crate::{error::StoreError, value::Columns};
use pm_api::UserId;
use serde::Serialize;
use spin_sdk::{
    pg::{Connection, ParameterValue},
    wit_bindgen::StreamResult,
};

/// Rows that cross from the host at once, if that many are there: each crossing costs more than a row.
const ROWS_AT_ONCE: usize = 128;

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
