//! The healthy references of a machine's sensors: what each is expected to show, and starting one anew.

use crate::input::{Text, input};
use crate::prediction::ReferenceState;
use crate::word::{PredictionStatus, RestartReason};
use crate::{MachineId, SensorId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A sensor beside its healthy reference: `GET /machines/{machine_id}/references`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SensorReference {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its name.
    pub name: String,
    /// Unit of the values.
    pub unit: Option<String>,
    /// Time of the newest reading that was scored since the reference was started; absent: none.
    pub at: Option<Timestamp>,
    /// How it was judged then.
    pub status: Option<PredictionStatus>,
    /// Why, in a sentence.
    pub reason: Option<String>,
    /// The sensor against its reference; absent while there are too few readings.
    pub reference: Option<ReferenceState>,
    /// The level that the machine's other sensors explain; absent while that is learned, and for a machine with a single sensor.
    pub explained: Option<f64>,
    /// When a person last started the reference anew; absent: never.
    pub restart: Option<ReferenceRestart>,
}

/// A person started references anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReferenceRestart {
    /// Identifier.
    pub id: Uuid,
    /// The machine.
    pub machine_id: MachineId,
    /// The sensor; absent: all of the machine's.
    pub sensor_id: Option<SensorId>,
    /// Why.
    pub reason: RestartReason,
    /// More about it.
    pub note: Option<String>,
    /// Readings after this time are learned from.
    pub created_at: Timestamp,
    /// Who.
    pub by_user: Option<UserId>,
}

input! {
    /// Body of `POST /machines/{machine_id}/references/restart` and `POST /sensors/{sensor_id}/reference/restart`.
    RestartReference {
        required {
            /// Why.
            reason: RestartReason,
        }
        optional {
            /// More about it.
            note: Text<0, 1000>,
        }
    }
}
