//! What is remembered of a sensor between two scorings: an opaque blob of at most 2 kB, kept by the caller.
//!
//! Layout: version byte, postcard, FNV-1a checksum (4 bytes, little endian). Anything else reads as «nothing known».

use crate::{baseline::Baseline, history::History, window::Window};
use pm_api::ReadingStatus;
use serde::{Deserialize, Serialize};

/// Version of the layout and of the meaning of the numbers. A blob of another version is started afresh.
const VERSION: u8 = 2;

/// The state of one sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Newest readings.
    pub window: Window,
    /// What is normal.
    pub baseline: Baseline,
    /// Levels over hours and days.
    pub history: History,
    /// Smoothed score; absent while buffering.
    pub smoothed: Option<f64>,
    /// Class after hysteresis.
    pub class: ReadingStatus,
    /// Reading time (µs) at which that class began.
    pub class_since_us: i64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            window: Window::default(),
            baseline: Baseline::default(),
            history: History::default(),
            smoothed: None,
            class: ReadingStatus::Normal,
            class_since_us: i64::MIN,
        }
    }
}

impl State {
    /// Reads a blob; `None` when it is damaged, or of another version.
    #[must_use]
    pub fn from_bytes(blob: &[u8]) -> Option<Self> {
        let (body, sum) = blob.split_last_chunk::<4>()?;
        let (version, rest) = body.split_first()?;
        if *version != VERSION || checksum(body) != u32::from_le_bytes(*sum) {
            return None;
        }
        let state: Self = postcard::from_bytes(rest).ok()?;
        let valid = state.window.is_valid()
            && state.baseline.is_valid()
            && state.history.is_valid()
            && state.smoothed.is_none_or(|s| (0.0..=1.0).contains(&s));
        valid.then_some(state)
    }

    /// Writes the blob.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut blob = postcard::to_extend(self, vec![VERSION]).unwrap_or_default();
        blob.extend(checksum(&blob).to_le_bytes());
        blob
    }
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193))
}
