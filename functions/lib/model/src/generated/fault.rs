//! Slow and sudden faults laid over a healthy signal.

/// A fault; sizes are in σ of the signal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The level moves by so many σ an hour.
    Drift(f64),
    /// The scatter grows to so many times within so many hours, and stays.
    Scatter(f64, f64),
    /// The level leaves its place as ½ σ · 2^(t / 12 h).
    Wear,
    /// The level jumps by so many σ and stays.
    Step(f64),
    /// The sensor repeats its last value.
    Stuck,
    /// Every 17th reading is 12 σ off.
    Spikes,
}

impl Fault {
    /// Every fault of the benchmark with its name.
    pub const ALL: [(Self, &'static str); 13] = [
        (Self::Drift(0.1), "drift 0.1 σ/h"),
        (Self::Drift(0.3), "drift 0.3 σ/h"),
        (Self::Drift(1.0), "drift 1 σ/h"),
        (Self::Drift(3.0), "drift 3 σ/h"),
        (Self::Scatter(3.0, 6.0), "scatter ×3 in 6 h"),
        (Self::Scatter(3.0, 24.0), "scatter ×3 in 24 h"),
        (Self::Scatter(5.0, 6.0), "scatter ×5 in 6 h"),
        (Self::Scatter(5.0, 24.0), "scatter ×5 in 24 h"),
        (Self::Wear, "wear, doubling in 12 h"),
        (Self::Step(5.0), "step 5 σ"),
        (Self::Step(10.0), "step 10 σ"),
        (Self::Stuck, "stuck"),
        (Self::Spikes, "spikes"),
    ];

    /// The faulty value `hours` after the beginning; `held` is the last value before it, `count` the number of readings
    /// since, `noise` a standard normal number.
    #[must_use]
    pub fn apply(self, value: f64, hours: f64, held: f64, count: u64, noise: f64, sigma: f64) -> f64 {
        match self {
            // no physical quantity drifts without end
            Self::Drift(rate) => value + sigma * (rate * hours).min(60.0),
            Self::Scatter(times, within) => {
                let factor = 1.0 + (times - 1.0) * (hours / within).min(1.0);
                value + sigma * (factor * factor - 1.0).sqrt() * noise
            }
            Self::Wear => value + sigma * (0.5 * 2f64.powf(hours / 12.0)).min(60.0),
            Self::Step(size) => value + sigma * size,
            Self::Stuck => held,
            Self::Spikes if count % 17 == 3 => value + 12.0 * sigma,
            Self::Spikes => value,
        }
    }

    /// Hours after the beginning within which it should be seen.
    #[must_use]
    pub fn within_h(self) -> f64 {
        match self {
            Self::Drift(rate) => (30.0 / rate).clamp(24.0, 240.0),
            Self::Scatter(_, hours) => hours + 24.0,
            Self::Wear => 72.0,
            Self::Step(_) | Self::Stuck | Self::Spikes => 24.0,
        }
    }
}
