//! What a component holds of the database.

use super::pool::Connections;
use deadpool::managed::Object;
use std::sync::Arc;

/// A pooled connection; it goes back when the last of its users drops it.
pub(crate) type SharedClient = Arc<Object<Connections>>;

/// A connection.
pub struct Connection(pub(crate) SharedClient);

/// An address that a component is about to connect to.
pub struct ConnectionBuilder {
    /// The address.
    pub(crate) address: String,
}
