//! From the newest operating cycles to the input of the network: standardised, smoothed, taken some cycles apart.

use serde::{Deserialize, Serialize};

/// A quantity that the network sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name, as a machine's metadata maps it to a sensor.
    pub name: String,
    /// Mean over the cycles learned from.
    pub mean: f64,
    /// Standard deviation over the same.
    pub spread: f64,
    /// Lowest and highest of the same: outside of them nothing was learned.
    pub range: [f64; 2],
}

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

/// Standardised values are cut off here: nothing learned lies beyond.
const CUT: f64 = 6.0;

/// The window after the last of `history`'s cycles, place by place, oldest first, then the operating time. `channels` are
/// the columns of the history; the last of them is the operating time, in cycles since new. An empty history gives
/// zeros.
#[must_use]
pub fn window(channels: &[Channel], input: &Input, taps: usize, history: &[Vec<f64>]) -> Vec<f32> {
    let history = &history[history.len().saturating_sub(input.context)..];
    let Some((time, sensors)) = channels.split_last() else { return Vec::new() };
    let mut mean = vec![0.0; sensors.len()];
    let mut weight = 0.0;
    let mut smooth: Vec<Vec<f32>> = Vec::with_capacity(history.len());
    for cycle in history {
        weight += input.smoothing * (1.0 - weight);
        for (i, channel) in sensors.iter().enumerate() {
            mean[i] += input.smoothing * (standard(channel, cycle.get(i)) - mean[i]);
        }
        // Divided by the weight that is there yet, or the first cycles would be drawn towards 0.
        smooth.push(mean.iter().map(|m| (m / weight) as f32).collect());
    }
    let mut window = Vec::with_capacity(taps * sensors.len() + 1);
    for back in (0..taps).rev() {
        let at = smooth.len().saturating_sub(1 + back * input.spacing);
        match smooth.get(at) {
            Some(place) => window.extend_from_slice(place),
            None => window.resize(window.len() + sensors.len(), 0.0),
        }
    }
    window.push(standard(time, history.last().and_then(|c| c.get(sensors.len()))) as f32);
    window
}

fn standard(channel: &Channel, value: Option<&f64>) -> f64 {
    value.map_or(0.0, |v| ((v - channel.mean) / channel.spread).clamp(-CUT, CUT))
}
