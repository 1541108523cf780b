//! Bridge → `notifier`, once a second (JSON): the clock of the serverless side, and the bridge's own health.

use crate::{
    Timestamp,
    mail::{MailReport, OutgoingMail},
    mapping::MappingsInForce,
};
use serde::{Deserialize, Serialize};

/// One tick.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tick {
    /// The bridge's report about itself.
    pub bridge: BridgeHealth,
    /// Mails it sent, and whether it takes more.
    #[serde(default)]
    pub mail: MailReport,
    /// Version of the mappings that it uses.
    #[serde(default)]
    pub mappings_version: String,
}

/// The answer to a tick.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TickAnswer {
    /// Mails to send now; each is the bridge's until its lease ends.
    pub mails: Vec<OutgoingMail>,
    /// Is something due that `POST /internal/deliver` would send?
    #[serde(default)]
    pub deliveries_due: bool,
    /// The mappings in force, if they are others than the bridge uses.
    #[serde(default)]
    pub mappings: Option<MappingsInForce>,
}

/// State and counters of a bridge since its start.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BridgeHealth {
    /// Name of this bridge, made from its MQTT client id, which it does not show.
    pub name: String,
    /// When it started.
    pub started_at: Timestamp,
    /// Connected to the broker now?
    pub connected: bool,
    /// Broker host.
    pub broker_host: String,
    /// Broker port.
    pub broker_port: u16,
    /// Subscribed topic filters.
    pub topics: Vec<String>,
    /// MQTT messages received.
    pub messages_received: u64,
    /// MQTT messages acknowledged.
    pub messages_acknowledged: u64,
    /// Readings found in them.
    pub readings: u64,
    /// Readings committed by `ingest`.
    pub readings_committed: u64,
    /// Payloads sent to dead letters.
    pub dead_letters: u64,
    /// Messages that hold fields besides readings.
    #[serde(default)]
    pub messages_with_ignored_fields: u64,
    /// These fields by topic, for at most 50 topics.
    #[serde(default)]
    pub ignored_fields: Vec<IgnoredFields>,
    /// Messages waiting in memory.
    pub queue_size: u64,
    /// Batches waiting on disk.
    pub spool_batches: u64,
    /// Bytes waiting on disk.
    pub spool_bytes: u64,
    /// Failed posts to `ingest`.
    pub post_failures: u64,
    /// Does it know an SMTP server?
    #[serde(default)]
    pub mail_configured: bool,
    /// Mails that the SMTP server took.
    #[serde(default)]
    pub mails_sent: u64,
    /// Failed attempts to send a mail.
    #[serde(default)]
    pub mail_failures: u64,
    /// The last failure, for people.
    pub last_error: Option<String>,
}

/// Fields of accepted messages that are no measured value, or say that there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IgnoredFields {
    /// Topic of the messages.
    pub topic: String,
    /// Names of the fields, at most 32.
    pub names: Vec<String>,
    /// Messages that had one of them.
    pub messages: u64,
}
