//! Imports of history (`/imports`): lines of CSV, sent in parts and stored by a job.

use crate::{
    ImportId, JobId, Timestamp,
    input::{Text, input},
    mapping::{MappingRules, NewMapping},
};
use serde::{Deserialize, Serialize};

/// Most parts of an import.
pub const MAX_IMPORT_PARTS: i64 = 10_000;

input! {
    /// Body of `POST /imports`.
    NewImport {
        required {
            /// For people.
            name: Text<1, 200>,
            /// Where machine, sensor, value and time stand in a line, as in a mapping. The lines are read as if they had come on
            /// `topic`, which has no wildcard. Without `columns`, each part begins with a line that names the columns.
            rules: NewMapping,
        }
    }
}

/// An import of history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Import {
    /// Identifier.
    pub id: ImportId,
    /// When it was created.
    pub created_at: Timestamp,
    /// For people.
    pub name: String,
    /// How its lines are read.
    pub rules: MappingRules,
    /// The job that stores it, once it was started; `GET /jobs/{job_id}` tells its state.
    pub job_id: Option<JobId>,
    /// Parts that were sent.
    pub parts: i64,
    /// Parts that are stored.
    pub parts_stored: i64,
    /// What became of the values so far.
    pub counts: ImportCounts,
    /// Why lines were not read, each reason once, at most 20, with the number of the part and the line in it.
    pub reasons: Vec<String>,
}

/// What became of the values of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportCounts {
    /// Lines.
    pub lines: u64,
    /// Readings that were stored.
    pub stored: u64,
    /// Readings that were there already.
    pub duplicates: u64,
    /// Readings that were not stored; the dead letters say why.
    pub refused: u64,
    /// Lines that could not be read completely.
    pub not_read: u64,
}

/// Answer of `POST /internal/imports/work`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ImportWork {
    /// Parts that were stored by this step.
    pub parts: u64,
    /// Does something wait for the next step?
    pub more: bool,
}
