//! Faults laid over healthy readings, to measure how soon a model sees them.

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The level jumps and stays.
    Shift,
    /// The readings scatter more and more (bearing).
    Scatter,
    /// The level runs away.
    Drift,
    /// Single readings are far off.
    Spikes,
    /// The sensor repeats one value.
    Stuck,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Shift, Self::Scatter, Self::Drift, Self::Spikes, Self::Stuck];

    /// Name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Shift => "level shift",
            Self::Scatter => "growing scatter",
            Self::Drift => "drift",
            Self::Spikes => "spikes",
            Self::Stuck => "stuck sensor",
        }
    }

    /// The faulty value, `since` readings after the fault began; `held` is the last value before it. `amplitude` is the size
    /// of the sensor's own regular changes, in its unit: nothing smaller could be told from them.
    #[must_use]
    pub fn apply(self, value: f64, since: u64, held: f64, amplitude: f64) -> f64 {
        let t = since as f64;
        match self {
            Self::Shift => value + 5.0 * amplitude,
            Self::Scatter => value + (value - held) * (t / 60.0).min(4.0),
            Self::Drift => value + 0.05 * t * amplitude,
            Self::Spikes if since % 17 == 3 => value + 12.0 * amplitude,
            Self::Spikes => value,
            Self::Stuck => held,
        }
    }
}
