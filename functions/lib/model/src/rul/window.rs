//! From the newest operating cycles to the input of the network: standardised, smoothed, taken some cycles apart.

use super::condition::{Condition, nearest};
use serde::{Deserialize, Serialize};

/// How cycles become a window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Weight of the newest cycle in the exponential mean; 1 is unsmoothed.
    pub smoothing: f64,
    /// Cycles between two places of the window.
    pub spacing: usize,
    /// Cycles looked back on, at most; the mean begins at the oldest of them.
    pub context: usize,
    /// Fewer cycles than this give no estimate. Places before the oldest cycle show the oldest cycle.
    pub least: usize,
}

impl Input {
    /// Are the numbers in range?
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.smoothing > 0.0
            && self.smoothing <= 1.0
            && (1..=512).contains(&self.spacing)
            && (1..=4096).contains(&self.context)
            && self.least >= 1
    }
}

/// The window after the last of `history`'s cycles, place by place, oldest first, then the operating time. A cycle holds the
/// channels, the last of them the operating time in cycles since new, and then the settings that tell the operating conditions
/// apart. An empty history gives zeros.
#[must_use]
pub fn window(conditions: &[Condition], input: &Input, taps: usize, history: &[Vec<f64>]) -> Vec<f32> {
    let history = &history[history.len().saturating_sub(input.context)..];
    let Some(sensors) = conditions.first().and_then(|c| c.channels.len().checked_sub(1)) else {
        return Vec::new();
    };
    let mut mean = vec![0.0; sensors];
    let (mut weight, mut time) = (0.0, 0.0);
    let mut smooth: Vec<Vec<f32>> = Vec::with_capacity(history.len());
    for cycle in history {
        let Some(condition) = nearest(conditions, cycle.get(sensors + 1..).unwrap_or_default()) else {
            continue;
        };
        let standard = |at: usize| cycle.get(at).map_or(0.0, |v| condition.channels[at].standard(*v));
        weight += input.smoothing * (1.0 - weight);
        for (at, mean) in mean.iter_mut().enumerate() {
            *mean += input.smoothing * (standard(at) - *mean);
        }
        time = standard(sensors);
        // Divided by the weight that is there yet, or the first cycles would be drawn towards 0.
        smooth.push(mean.iter().map(|m| (m / weight) as f32).collect());
    }
    let mut window = Vec::with_capacity(taps * sensors + 1);
    for back in (0..taps).rev() {
        let at = smooth.len().saturating_sub(1 + back * input.spacing);
        match smooth.get(at) {
            Some(place) => window.extend_from_slice(place),
            None => window.resize(window.len() + sensors, 0.0),
        }
    }
    window.push(time as f32);
    window
}
