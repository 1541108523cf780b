//! A component of the manifest, with everything that its instances are given.

use super::allow::AllowedHosts;
use super::files::Mount;
use super::options::Limits;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What all instances of one component share.
#[derive(Debug)]
pub struct ComponentInfo {
    /// The component's id.
    pub id: Arc<str>,
    /// Component variables with their final values.
    pub variables: BTreeMap<String, String>,
    /// Environment variables.
    pub environment: Vec<(String, String)>,
    /// Folders the component may read.
    pub mounts: Vec<Mount>,
    /// Where it may connect to.
    pub allowed: Arc<AllowedHosts>,
    /// Memory and time.
    pub limits: Limits,
}
