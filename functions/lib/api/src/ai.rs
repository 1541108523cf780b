//! The scorer about itself.

use serde::{Deserialize, Serialize};

/// `GET /ai/status`, and `GET /health` of the scorer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AiStatus {
    /// healthy, or unhealthy when only rules can judge.
    pub status: String,
    /// Is a model loaded?
    pub model_loaded: bool,
    /// Its version; `rule-based` when none is loaded.
    pub model_version: String,
}
