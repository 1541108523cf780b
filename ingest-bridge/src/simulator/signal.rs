//! The value of a sensor at a moment.
//!
//! Noise that remembers is value noise: random numbers on a lattice of times, joined smoothly; its autocorrelation
//! falls to zero over one lattice step (Perlin 1985, in one dimension, with values instead of gradients). Being a
//! function of time, it needs no state, and every term is bounded, so that the healthy range can be proven.

use super::fault::Fault;
use super::plant::SensorKind;
use pm_api::{ReadingStatus, Timestamp};
use std::f64::consts::TAU;

/// Fast noise reaches this multiple of [`SensorKind::noise`].
const NOISE_REACH: f64 = 2.5;
/// Slow noise and trend together reach this multiple of [`SensorKind::drift`].
const DRIFT_REACH: f64 = 2.0;
const DAY_S: f64 = 86_400.0;

/// The value that the sensor shows at `at`, with the faults that concern it.
#[must_use]
pub fn value(
    seed: u64,
    machine: &str,
    sensor: &str,
    kind: &SensorKind,
    at: Timestamp,
    faults: &[Fault],
) -> f64 {
    let mine = || faults.iter().filter(|f| f.concerns(machine, sensor) && f.severity(at) > 0.0);
    // A stuck sensor shows what it showed when it got stuck.
    let at = mine().filter(|f| f.sticks()).map(|f| f.start).min().unwrap_or(at);
    let mut value = healthy(seed, machine, sensor, kind, at);
    let mut shake = 0.0;
    for fault in mine() {
        let effect = fault.effect(kind, at);
        value = value * effect.factor + effect.offset;
        shake += effect.shake;
    }
    if shake > 0.0 {
        let stream = hash(&[seed, text(machine), text(sensor), 0xfa]);
        value += shake * white(stream, at);
    }
    // Six digits are more than any such sensor resolves.
    (value * 1e4).round() / 1e4
}

/// The value without faults; always inside [`bounds`].
#[must_use]
pub fn healthy(seed: u64, machine: &str, sensor: &str, kind: &SensorKind, at: Timestamp) -> f64 {
    let of_machine = hash(&[seed, text(machine)]);
    let stream = hash(&[of_machine, text(sensor)]);
    let drift = 0.6 * lattice(stream ^ 1, at, 300.0) + 0.4 * lattice(stream ^ 2, at, 60.0);
    let trend = lattice(stream ^ 3, at, 3.0 * DAY_S);
    let noise = 0.5 * lattice(stream ^ 4, at, 2.0) + 0.5 * white(stream ^ 5, at);
    let day = (seconds(at) / DAY_S - 0.375).fract();
    kind.base
        + kind.load * load(of_machine, at)
        + kind.daily * (TAU * day).sin()
        + kind.drift * (drift + (DRIFT_REACH - 1.0) * trend)
        + kind.noise * NOISE_REACH * noise
}

/// Bounds of the healthy value.
#[must_use]
pub fn bounds(kind: &SensorKind) -> (f64, f64) {
    let reach = kind.load.abs() + kind.daily + DRIFT_REACH * kind.drift + NOISE_REACH * kind.noise;
    (kind.base - reach, kind.base + reach)
}

/// The status of the value by the sensor's documented limits.
#[must_use]
pub fn status(kind: &SensorKind, value: f64) -> ReadingStatus {
    let (warning, critical) = kind.limits;
    let beyond = |limit: f64| if kind.falls() { value <= limit } else { value >= limit };
    match (beyond(critical), beyond(warning)) {
        (true, _) => ReadingStatus::Critical,
        (false, true) => ReadingStatus::Warning,
        _ => ReadingStatus::Normal,
    }
}

/// Load of a machine, −1 to 1: two day shifts and a quiet night, and changes of order every twenty minutes or so.
fn load(of_machine: u64, at: Timestamp) -> f64 {
    let hour = (seconds(at) / 3600.0).rem_euclid(24.0);
    let ramp = |from: f64| ((hour - from) / 0.5).clamp(0.0, 1.0);
    let shift = 1.6 * (ramp(6.0) - ramp(22.0)) - 0.8;
    (0.6 * shift + 0.5 * lattice(of_machine ^ 6, at, 1200.0)).clamp(-1.0, 1.0)
}

fn seconds(at: Timestamp) -> f64 {
    at.0 as f64 / Timestamp::SECOND as f64
}

/// Smooth noise from −1 to 1 with a lattice of `step_s` seconds.
fn lattice(stream: u64, at: Timestamp, step_s: f64) -> f64 {
    let place = seconds(at) / step_s;
    let (cell, part) = (place.floor(), place - place.floor());
    let corner = |offset: f64| unit(hash(&[stream, (cell + offset) as i64 as u64]));
    let blend = part * part * (3.0 - 2.0 * part);
    corner(0.0) + (corner(1.0) - corner(0.0)) * blend
}

/// Independent noise from −1 to 1 with a bell-like density.
fn white(stream: u64, at: Timestamp) -> f64 {
    let part = |i: u64| unit(hash(&[stream, at.0 as u64, i]));
    (part(0) + part(1) + part(2)) / 3.0
}

/// The text as a number.
fn text(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

/// SplitMix64 over the parts (Steele et al. 2014).
fn hash(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// A hash as a number from −1 to 1.
fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

#[cfg(test)]
mod tests {
    use super::super::plant::KINDS;
    use super::*;
    use proptest::prelude::*;

    const START: i64 = 1_790_000_000_000_000;

    #[test]
    fn healthy_bounds_are_inside_range_and_limits() {
        for kind in KINDS.iter().flat_map(|m| &m.sensors) {
            let (low, high) = bounds(kind);
            assert!(kind.range.0 <= low && high <= kind.range.1, "{}: {low}..{high}", kind.id);
            let margin = 0.02 * kind.limits.0;
            let clear =
                if kind.falls() { low > kind.limits.0 + margin } else { high < kind.limits.0 - margin };
            assert!(clear, "{}: {low}..{high} against {:?}", kind.id, kind.limits);
        }
    }

    proptest! {
        #[test]
        fn healthy_values_keep_their_bounds(seed: u64, us in 0_i64..4_000_000_000_000_000, m in 0_usize..4, s in 0_usize..4) {
            let kind = &KINDS[m].sensors[s];
            let (low, high) = bounds(kind);
            let shown = value(seed, "machine-9", kind.id, kind, Timestamp(us), &[]);
            prop_assert!(low - 1e-4 <= shown && shown <= high + 1e-4, "{shown} outside {low}..{high}");
            prop_assert_eq!(status(kind, shown), ReadingStatus::Normal);
            prop_assert_eq!(shown, value(seed, "machine-9", kind.id, kind, Timestamp(us), &[]), "same again");
        }
    }

    fn series(seed: u64, machine: &str, kind: &SensorKind, count: i64, step_us: i64) -> Vec<f64> {
        (0..count).map(|i| value(seed, machine, kind.id, kind, Timestamp(START + i * step_us), &[])).collect()
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let dot = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
            x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
        };
        dot(a, ma, b, mb) / (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt()
    }

    #[test]
    fn noise_is_correlated_in_time_and_load_between_sensors() {
        let pump = &KINDS[0].sensors;
        let half_seconds = series(7, "machine-1", &pump[0], 2400, 500_000);
        let lag1 = correlation(&half_seconds[1..], &half_seconds[..2399]);
        assert!((0.5..0.999).contains(&lag1), "{lag1}");
        let day = |machine: &str, kind| series(7, machine, kind, 288, 300_000_000);
        let shared = correlation(&day("machine-1", &pump[3]), &day("machine-1", &pump[1]));
        assert!(shared > 0.6, "{shared}");
        assert_ne!(
            series(7, "machine-1", &pump[0], 5, 1),
            series(8, "machine-1", &pump[0], 5, 1),
            "seeds differ"
        );
    }
}
