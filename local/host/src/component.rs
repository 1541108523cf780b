//! A component of the manifest, with everything that its instances are given.

use super::allow::AllowedHosts;
use super::block::BlockedNetworks;
use super::files::Mount;
use super::options::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What all instances of one component share.
#[derive(Debug)]
pub(crate) struct ComponentInfo {
    /// The component's id.
    pub(crate) id: Arc<str>,
    /// Component variables with their final values.
    pub(crate) variables: BTreeMap<String, String>,
    /// Environment variables.
    pub(crate) environment: Vec<(String, String)>,
    /// Folders the component may read.
    pub(crate) mounts: Vec<Mount>,
    /// Where it may connect to.
    pub(crate) allowed: Arc<AllowedHosts>,
    /// Where it may not connect to, whatever is allowed.
    pub(crate) blocked: Arc<BlockedNetworks>,
    /// Memory and time.
    pub(crate) limits: Limits,
}
