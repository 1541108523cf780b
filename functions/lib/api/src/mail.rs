//! Mails on their way from `notifier` to the bridge, which sends them by SMTP. They travel inside ticks, JSON.

use crate::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a bridge says about sending mail, with every tick.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailReport {
    /// Does it know an SMTP server?
    pub configured: bool,
    /// How many more mails it takes now.
    pub room: u32,
    /// What became of mails it took.
    pub results: Vec<MailResult>,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MailResult {
    /// The mail.
    pub id: Uuid,
    /// The attempt, as handed over.
    pub attempt: i32,
    /// Why it was not sent; `None`: the server has taken it.
    pub error: Option<String>,
    /// The error will be the same next time (an address that does not exist, a mail that cannot be written).
    pub permanent: bool,
}

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutgoingMail {
    /// Identifier; the same for every attempt, and part of the Message-ID.
    pub id: Uuid,
    /// 1 for the first attempt.
    pub attempt: i32,
    /// Address of the recipient.
    pub to: String,
    /// Subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same for mail programs that show HTML.
    pub html: Option<String>,
}

/// Several notices for one recipient, sent as one mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Digest {
    /// How many notices there are; `items` holds those of the highest severity and the newest of them.
    pub total: u64,
    /// The notices to list.
    pub items: Vec<Notice>,
}

/// One thing that a person is told.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Notice {
    /// alarm, prediction or ticket.
    pub kind: String,
    /// info, warning or critical.
    pub severity: String,
    /// One line.
    pub title: String,
    /// Where: name of the machine, if there is one.
    pub machine: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// Where to look, below the product's address, e.g. `/app/alarms`.
    pub path: String,
}
