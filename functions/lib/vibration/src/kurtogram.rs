//! The band in which a signal is most impulsive, by spectral kurtosis.
//!
//! J. Antoni, «Fast computation of the kurtogram for the detection of transient faults», Mechanical Systems and Signal
//! Processing 21 (2007): bands of 1, 1/2, 1/3, 1/4, 1/6, 1/8 … of the spectrum, and for each the kurtosis of its complex
//! envelope, less the 2 that noise gives. Here a band is cut out of one transform of the whole burst in place of a tree of
//! filters: the bands are the same, and their edges are sharper.

use crate::{condition::detrend, fft::Fft};

/// A band of the spectrum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// Lower edge, Hz.
    pub from_hz: f64,
    /// Upper edge, Hz.
    pub to_hz: f64,
}

/// A band and how impulsive the signal is in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Impulsiveness {
    /// The band.
    pub band: Band,
    /// Spectral kurtosis: 0 for noise, -1 for one steady line, above 0 for impacts.
    pub kurtosis: f64,
}

/// Into how many bands the spectrum is divided, coarse to fine.
const DIVISIONS: [usize; 9] = [1, 2, 3, 4, 6, 8, 12, 16, 24];

/// All bands that are at least `narrowest_hz` wide.
#[must_use]
pub fn kurtogram(fft: &mut Fft, values: &[f64], rate_hz: f64, narrowest_hz: f64) -> Vec<Impulsiveness> {
    let n = values.len();
    let mut values = values.to_vec();
    detrend(&mut values);
    let bins = fft.forward(&values);
    let half = n / 2;
    let mut found = Vec::new();
    for parts in DIVISIONS {
        if rate_hz / 2.0 / (parts as f64) < narrowest_hz {
            break;
        }
        for part in 0..parts {
            let (from, to) = ((half * part / parts).max(1), half * (part + 1) / parts);
            let envelope = fft.analytic(&bins, from, to, n, (2 * (to - from)).next_power_of_two());
            let (mut second, mut fourth) = (0.0, 0.0);
            for z in &envelope {
                second += z.norm_sqr();
                fourth += z.norm_sqr().powi(2);
            }
            let points = envelope.len() as f64;
            let kurtosis = if second == 0.0 { 0.0 } else { fourth * points / (second * second) - 2.0 };
            let hz = |bin: usize| bin as f64 * rate_hz / n as f64;
            found.push(Impulsiveness { band: Band { from_hz: hz(from), to_hz: hz(to) }, kurtosis });
        }
    }
    found
}

/// The most impulsive band; of equal ones the widest.
#[must_use]
pub fn best(bands: &[Impulsiveness]) -> Option<Impulsiveness> {
    bands.iter().copied().reduce(|best, b| if b.kurtosis > best.kurtosis { b } else { best })
}
