//! What a component holds of the database.

use super::pool::Connections;
use deadpool::managed::Object;
use std::sync::Arc;

/// A connection.
pub struct Connection(pub(crate) Arc<Object<Connections>>);

/// An address that a component is about to connect to.
pub struct ConnectionBuilder {
    /// The address.
    pub(crate) address: String,
}
