//! Mail: [`relay`] sends one mail by SMTP, [`queue`] holds the mails in progress and their results between two ticks.

pub mod queue;
pub mod relay;
