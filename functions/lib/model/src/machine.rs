//! A machine as a whole: do its sensors still move together as they used to?
//!
//! Of every sensor two numbers count, both relative to its own past: level and scatter of its window. Their means and
//! covariances over the machine's sensors are learned with exponential forgetting, and Hotelling's T²
//! ([`crate::gaussian`]) says how far the present lies outside. So a temperature that rises without the load that usually
//! raises it stands out, although it is still inside its own range. What T² usually is on this machine is learned
//! as well, and the score is the distance from that.
//!
//! Beside it, [`crate::relations`] holds every sensor's level against what the others explain, by a reference that is
//! learned once; what it finds raises alarms of these sensors.

use crate::{gaussian::Gaussian, reference::Keeping, relations::Relations};
use pm_api::{SensorId, Timestamp};
use serde::{Deserialize, Serialize};

/// Sensors that are looked at together; a machine with more is judged by those that reported first.
pub const SENSORS: usize = 12;
/// Judgements that the memory spans, and those needed before the machine is judged at all.
const MEMORY: f64 = 3600.0;
const YOUNG: f64 = 600.0;
const SHRINK: f64 = 0.1;
const SMOOTHING: f64 = 0.2;
const VERSION: u8 = 3;

/// What is remembered of a machine: an opaque blob for the caller.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Machine {
    sensors: Vec<SensorId>,
    /// Level and scatter of each sensor, as last seen.
    latest: Vec<f32>,
    mean: Vec<f32>,
    covariance: Vec<f32>,
    seen: f64,
    /// Mean and variance of the logarithm of T².
    usual: (f64, f64),
    smoothed: f64,
    relations: Relations,
    /// Per sensor the time (µs) of the newest verdict «normal» that is known of.
    accepted: Vec<Option<i64>>,
    /// Time (µs) from which on it counts: the newest at which one of its sensors was replaced, or it was overhauled.
    restarted_us: Option<i64>,
}

/// What a sensor shows now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Present {
    /// The sensor.
    pub sensor: SensorId,
    /// Level and scatter of its window relative to its past, in spreads.
    pub relative: [f32; 2],
    /// Time of its newest reading.
    pub time: Timestamp,
    /// Mean of its new readings, in its unit.
    pub level: f64,
    /// When a person last called an alarm of it false.
    pub accepted: Option<Timestamp>,
    /// When its reference was last started anew.
    pub restarted: Option<Timestamp>,
}

/// A sensor that is not where the machine's other sensors say it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct Apart {
    /// The sensor.
    pub sensor: SensorId,
    /// Level less what the others explain, in the sensor's unit.
    pub by: f64,
    /// Since when.
    pub since: Timestamp,
    /// The other sensors that its level follows most closely.
    pub follows: Vec<SensorId>,
}

/// The assessment of a machine.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// Smoothed score, 0 (as usual) to 1.
    pub score: f64,
    /// Part of each sensor in T², 0 to 1, largest first.
    pub shares: Vec<(SensorId, f64)>,
}

impl Machine {
    /// Reads a blob; anything unreadable is a machine of which nothing is known.
    #[must_use]
    pub fn from_bytes(blob: &[u8]) -> Self {
        let read = |rest| postcard::from_bytes::<Self>(rest).ok();
        let machine = match blob.split_first() {
            Some((&VERSION, rest)) => read(rest),
            _ => None,
        };
        machine.filter(Self::is_valid).unwrap_or_default()
    }

    /// Writes the blob.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    fn is_valid(&self) -> bool {
        let columns = 2 * self.sensors.len();
        self.sensors.len() <= SENSORS
            && self.relations.is_valid(self.sensors.len())
            && self.accepted.len() == self.sensors.len()
            && self.latest.len() == columns
            && self.mean.len() == columns
            && self.covariance.len() == columns * columns
            && self.latest.iter().chain(&self.mean).chain(&self.covariance).all(|v| v.is_finite())
            && [self.seen, self.usual.0, self.usual.1, self.smoothed].iter().all(|v| v.is_finite())
    }

    /// Takes what sensors show now and judges the machine. `None` while it is new or has a single sensor. `keeping`: how
    /// the relations between its sensors are kept.
    ///
    /// A sensor that is new to it, or was replaced, makes the machine new, since nothing is known of how the two belong together.
    pub fn advance(&mut self, now: &[Present], keeping: Keeping) -> Option<Assessment> {
        let restarted_us = now.iter().filter_map(|p| p.restarted).map(|t| t.0).max();
        if restarted_us > self.restarted_us {
            *self = Self { restarted_us, ..Self::default() };
        }
        let mut levels = Vec::with_capacity(now.len());
        for present in now {
            let at = match self.sensors.iter().position(|s| *s == present.sensor) {
                Some(at) => at,
                None if self.sensors.len() < SENSORS => self.add(present.sensor),
                None => continue,
            };
            self.latest[2 * at..2 * at + 2].copy_from_slice(&present.relative);
            levels.push((at, present.time.0, present.level));
            if let Some(accepted) = present.accepted.map(|t| t.0).filter(|t| self.accepted[at] < Some(*t)) {
                self.accepted[at] = Some(accepted);
                self.relations.accept(at, accepted);
            }
        }
        self.relations.push(&levels, keeping);
        if self.sensors.len() < 2 {
            return None;
        }
        let assessment = (self.seen >= YOUNG).then(|| self.assess()).flatten();
        // A machine that stands out teaches little of what is usual.
        self.learn(if assessment.as_ref().is_some_and(|s| s.score >= 0.5) { 0.02 } else { 1.0 });
        assessment
    }

    /// The sensors that have left the others, farthest first.
    #[must_use]
    pub fn apart(&self) -> Vec<Apart> {
        let known = |a: crate::relations::Apart| {
            let follows = self.relations.follows(a.place);
            Some(Apart {
                sensor: *self.sensors.get(a.place)?,
                by: a.by,
                since: Timestamp(a.since_us),
                follows: follows.into_iter().filter_map(|at| self.sensors.get(at).copied()).collect(),
            })
        };
        self.relations.apart().into_iter().filter_map(known).collect()
    }

    /// The level of each sensor that the others explain; empty while that is learned.
    #[must_use]
    pub fn explained(&self) -> Vec<(SensorId, f64)> {
        let all = self.sensors.iter().copied().zip(self.relations.explained());
        all.filter_map(|(sensor, level)| Some((sensor, level?))).collect()
    }

    fn add(&mut self, sensor: SensorId) -> usize {
        self.sensors.push(sensor);
        let columns = 2 * self.sensors.len();
        self.latest.resize(columns, 0.0);
        self.mean = vec![0.0; columns];
        self.covariance = vec![0.0; columns * columns];
        self.seen = 0.0;
        self.usual = (0.0, 0.0);
        self.smoothed = 0.0;
        self.relations = Relations::of(self.sensors.len());
        self.accepted = vec![None; self.sensors.len()];
        self.sensors.len() - 1
    }

    fn assess(&mut self) -> Option<Assessment> {
        let wide = |v: &[f32]| v.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        let gaussian = Gaussian::from_moments(wide(&self.mean), &wide(&self.covariance), SHRINK)?;
        let credit = gaussian.contributions(&wide(&self.latest));
        let t2 = credit.iter().sum::<f64>().max(1e-6);
        let (mean, variance) = self.usual;
        let known = self.seen >= 2.0 * YOUNG;
        // 3 spreads beyond the usual are half, 6 are certain; at least a factor of e^0.5 in T².
        let beyond = (t2.ln() - mean) / variance.sqrt().max(0.5);
        let raw = if known { (beyond / 6.0).clamp(0.0, 1.0) } else { 0.0 };
        self.smoothed += SMOOTHING * (raw - self.smoothed);
        let rate = 1.0 / (self.seen - YOUNG + 2.0).min(MEMORY);
        let weight = if known && self.smoothed >= 0.5 { 0.02 } else { 1.0 };
        let off = t2.ln() - mean;
        self.usual.0 += weight * rate * off;
        self.usual.1 += weight * rate * (off * off - variance);
        let mut shares: Vec<(SensorId, f64)> = self
            .sensors
            .iter()
            .zip(credit.chunks_exact(2))
            .map(|(s, c)| (*s, (c[0] + c[1]).max(0.0)))
            .collect();
        let all = shares.iter().map(|s| s.1).sum::<f64>().max(f64::MIN_POSITIVE);
        shares.iter_mut().for_each(|s| s.1 /= all);
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        Some(Assessment { score: self.smoothed.clamp(0.0, 1.0), shares })
    }

    fn learn(&mut self, weight: f64) {
        self.seen = (self.seen + weight).min(MEMORY + 2.0 * YOUNG);
        let rate = (weight / self.seen.clamp(2.0, MEMORY)) as f32;
        let off: Vec<f32> = self.latest.iter().zip(&self.mean).map(|(v, m)| v - m).collect();
        self.mean.iter_mut().zip(&off).for_each(|(m, d)| *m += rate * d);
        for (line, a) in self.covariance.chunks_exact_mut(off.len()).zip(&off) {
            line.iter_mut().zip(&off).for_each(|(c, b)| *c += rate * (a * b - *c));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEPING: Keeping = Keeping { learn_us: 7 * 86_400_000_000, widening: 1.0 };

    fn id(n: u128) -> SensorId {
        SensorId(uuid::Uuid::from_u128(n))
    }

    fn present(k: usize, n: u32, level: f32, scatter: f32) -> Present {
        Present {
            sensor: id(u128::from(n)),
            relative: [level, scatter],
            time: Timestamp(1_700_000_000_000_000 + 60_000_000 * k as i64),
            level: 50.0 + 4.0 * f64::from(level),
            accepted: None,
            restarted: None,
        }
    }

    /// Three sensors that follow one load, each with a little of its own.
    fn now(k: usize) -> Vec<Present> {
        let wave = |f: f64, n: f64| ((k as f64 * f + n).sin()) as f32;
        let load = wave(0.031, 0.0) + wave(0.0077, 1.0);
        (0..3u32)
            .map(|n| {
                let own = 0.15 * wave(0.9 + 0.13 * f64::from(n), f64::from(n));
                present(k, n, load + own, 0.3 * wave(0.5 + 0.1 * f64::from(n), 2.0))
            })
            .collect()
    }

    fn settled() -> Machine {
        let mut machine = Machine::default();
        for k in 0..6000 {
            let assessment = machine.advance(&now(k), KEEPING);
            if k > 2000 {
                let score = assessment.expect("known by now").score;
                assert!(score < 0.5, "{k}: {score}");
            }
        }
        machine
    }

    #[test]
    fn a_sensor_that_leaves_the_others_stands_out_inside_its_own_range() {
        let mut machine = settled();
        let mut last = None;
        for k in 6000..6060 {
            let mut present = now(k);
            // It shows the opposite of what the load asks for: a value that it often has.
            present[1].relative[0] = 0.9 - present[1].relative[0];
            last = machine.advance(&present, KEEPING);
        }
        let assessment = last.expect("known");
        assert!(assessment.score > 0.75, "{assessment:?}");
        assert_eq!(assessment.shares[0].0, id(1), "{assessment:?}");
    }

    #[test]
    fn the_blob_brings_it_back_and_nonsense_is_a_new_machine() {
        let machine = settled();
        let blob = machine.to_bytes();
        assert!(blob.len() < 8192, "{} bytes", blob.len());
        assert_eq!(Machine::from_bytes(&blob), machine);
        for bad in [&b""[..], b"x", &blob[..20]] {
            assert_eq!(Machine::from_bytes(bad), Machine::default());
        }
    }

    #[test]
    fn a_replaced_sensor_makes_the_machine_new_once() {
        let mut machine = settled();
        let replaced = |k: usize| {
            let mut present = now(k);
            present[2].restarted = Some(Timestamp(1_700_360_000_000_000));
            present
        };
        assert!(machine.advance(&replaced(6000), KEEPING).is_none());
        for k in 6001..8000 {
            machine.advance(&replaced(k), KEEPING);
        }
        assert!(machine.advance(&replaced(8000), KEEPING).is_some(), "it has learned since");
    }

    #[test]
    fn one_sensor_is_no_machine_and_a_new_sensor_makes_it_new() {
        let mut machine = Machine::default();
        assert!((0..3000).all(|k| machine.advance(&now(k)[..1], KEEPING).is_none()));
        let mut machine = settled();
        let mut present = now(7000);
        present.push(self::present(7000, 9, 0.0, 0.0));
        assert!(machine.advance(&present, KEEPING).is_none());
    }
}
