//! What is remembered of a sensor between two scorings: an opaque blob of at most 8 KiB, kept by the caller.
//!
//! Layout: version byte, postcard, FNV-1a checksum (4 bytes, little endian). Anything else reads as «nothing known».

use crate::{
    baseline::Baseline,
    ceiling::Ceiling,
    counter::Counter,
    history::History,
    reference::{Keeping, LEARNING_S, Reference},
    track::Track,
    window::Window,
};
use serde::{Deserialize, Serialize};

/// Version of the layout and of the meaning of the numbers. A blob of another version is started afresh.
const VERSION: u8 = 6;

/// The state of one sensor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Newest readings.
    pub window: Window,
    /// What is normal.
    pub baseline: Baseline,
    /// Levels over hours and days.
    pub history: History,
    /// Code of the unit of the values, where it is known.
    pub unit: Option<u32>,
    /// Smoothed score and class.
    pub track: Track,
    /// The same by a challenger that judges beside the active model; absent without one.
    pub shadow: Option<Track>,
    /// What it showed while it was learned, in hours and days.
    pub reference: Reference,
    /// How high the forest's score goes in its ordinary life.
    pub ceiling: Ceiling,
    /// How long the reference is learned, s.
    pub learning_s: i64,
    /// Factor on what is ordinary ([`crate::sensitivity`]).
    pub widening: f64,
    /// Time (µs) of the newest verdict «normal» that the reference knows of.
    pub accepted_us: Option<i64>,
    /// Time (µs) from which on the sensor is known: when it was last replaced, or its machine overhauled.
    pub restarted_us: Option<i64>,
    /// Whether the sensor only counts up: then all of this is about how fast it counts.
    pub counter: Counter,
}

impl Default for State {
    fn default() -> Self {
        Self {
            window: Window::default(),
            baseline: Baseline::default(),
            history: History::default(),
            unit: None,
            track: Track::default(),
            shadow: None,
            reference: Reference::default(),
            ceiling: Ceiling::default(),
            learning_s: LEARNING_S,
            widening: 1.0,
            accepted_us: None,
            restarted_us: None,
            counter: Counter::default(),
        }
    }
}

impl State {
    /// Nothing known of the sensor's readings; what people said stays.
    #[must_use]
    pub fn anew(&self) -> Self {
        Self {
            unit: self.unit,
            learning_s: self.learning_s,
            widening: self.widening,
            accepted_us: self.accepted_us,
            restarted_us: self.restarted_us,
            ..Self::default()
        }
    }

    /// How the reference is kept.
    #[must_use]
    pub fn keeping(&self) -> Keeping {
        Keeping { learn_us: 1_000_000 * self.learning_s, widening: self.widening }
    }

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
            && state.reference.is_valid()
            && state.ceiling.is_valid()
            && state.track.is_valid()
            && state.shadow.is_none_or(|t| t.is_valid());
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

/// A unit as a number: another number means another unit.
#[must_use]
pub fn unit_code(unit: &str) -> u32 {
    checksum(unit.trim().as_bytes())
}

fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193))
}
