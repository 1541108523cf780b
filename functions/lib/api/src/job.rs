//! Jobs (`/jobs`): work that takes longer than a request.

use crate::input::input;
use crate::{JobId, JobStatus, JobType, Metadata, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Job {
    /// Identifier.
    pub id: JobId,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When anything about it last changed.
    pub updated_at: Timestamp,
    /// What is to be done.
    pub job_type: JobType,
    /// pending, running, completed or failed.
    pub status: JobStatus,
    /// Percent done, 0 to 100.
    pub progress: i32,
    /// What came of it; its shape depends on the type.
    pub result: Option<Value>,
    /// Why it failed, for people.
    pub error_message: Option<String>,
    /// When a worker first began with it (after a retry: began again).
    pub started_at: Option<Timestamp>,
    /// When it was completed or failed.
    pub completed_at: Option<Timestamp>,
    /// Who asked for it; nobody when the system did.
    pub created_by: Option<UserId>,
    /// What the job is to work with; its shape depends on the type.
    pub metadata: Option<Metadata>,
    /// How often a worker has begun with it since it was asked for or retried.
    pub attempts: i32,
}

input! {
    /// Body of `POST /jobs`.
    NewJob {
        required {
            /// What is to be done.
            job_type: JobType,
        }
        optional {
            /// What the job is to work with; its shape depends on the type. `metadata_json` is the same.
            metadata: Metadata,
        }
    }
    /// Filters of `GET /jobs`.
    JobFilter {
        optional {
            /// Of this type.
            job_type: JobType,
            /// In this state.
            status: JobStatus,
        }
    }
}
