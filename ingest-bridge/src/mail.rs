//! Mail: [`relay`] sends one by SMTP, [`desk`] keeps those under way between two ticks.

pub mod desk;
pub mod relay;
