//! What can go wrong with a statement.

use spin_sdk::pg::{Error, PgError, QueryError};

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
