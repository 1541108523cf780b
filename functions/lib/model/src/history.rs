//! The sensor's level over hours and days in at most [`BUCKETS`] means: the healthy range, and what a trend is seen by.
//!
//! The buckets start one second long; whenever they run out, neighbours are merged and the length doubles, up to 4096 s
//! (two days in all), after which the oldest goes. So the whole past of a new sensor and the last two days of an
//! old one are there in under 1 kB.

use crate::stats::{quantile, sorted};
use serde::{Deserialize, Serialize};

/// Buckets kept.
pub const BUCKETS: usize = 48;
const SECOND: i64 = 1_000_000;
const MAX_BUCKET_US: i64 = 4096 * SECOND;
const HOUR: f64 = 3600.0 * SECOND as f64;

/// Mean level of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bucket {
    /// Start divided by the bucket length.
    index: i64,
    mean: f64,
    count: u32,
    /// Readings among them that looked healthy.
    healthy: u32,
}

/// Levels over time, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct History {
    length_us: i64,
    buckets: Vec<Bucket>,
}

impl Default for History {
    fn default() -> Self {
        Self { length_us: SECOND, buckets: Vec::new() }
    }
}

impl History {
    /// Adds a reading.
    pub fn add(&mut self, time_us: i64, value: f64, healthy: bool) {
        let mut index = time_us.div_euclid(self.length_us);
        if self.buckets.last().is_none_or(|b| b.index < index) && self.buckets.len() == BUCKETS {
            if self.length_us < MAX_BUCKET_US {
                self.halve();
                index = time_us.div_euclid(self.length_us);
            } else {
                self.buckets.remove(0);
            }
        }
        let healthy = u32::from(healthy);
        match self.buckets.last_mut() {
            Some(b) if b.index >= index => {
                b.count = b.count.saturating_add(1);
                b.healthy += healthy;
                b.mean += (value - b.mean) / f64::from(b.count);
            }
            _ => self.buckets.push(Bucket { index, mean: value, count: 1, healthy }),
        }
    }

    fn halve(&mut self) {
        while self.buckets.len() == BUCKETS && self.length_us < MAX_BUCKET_US {
            self.length_us *= 2;
            let mut merged: Vec<Bucket> = Vec::with_capacity(BUCKETS);
            for b in &self.buckets {
                let index = b.index.div_euclid(2);
                match merged.last_mut() {
                    Some(m) if m.index == index => {
                        let count = m.count.saturating_add(b.count);
                        m.mean += (b.mean - m.mean) * f64::from(b.count) / f64::from(count);
                        m.count = count;
                        m.healthy += b.healthy;
                    }
                    _ => merged.push(Bucket { index, ..*b }),
                }
            }
            self.buckets = merged;
        }
        if self.buckets.len() == BUCKETS {
            self.buckets.remove(0);
        }
    }

    fn healthy_means(&self) -> Vec<f64> {
        let closed = self.buckets.len().saturating_sub(1);
        let healthy = self.buckets[..closed].iter().filter(|b| b.healthy >= b.count.div_ceil(2));
        sorted(&healthy.map(|b| b.mean).collect::<Vec<_>>())
    }

    /// What the healthy past looked like: its range and its middle and spread; absent with fewer than eight buckets.
    #[must_use]
    pub fn past(&self) -> Option<Past> {
        let means = self.healthy_means();
        (means.len() >= 8).then(|| {
            let middle = quantile(&means, 0.5);
            let off: Vec<f64> = means.iter().map(|m| (m - middle).abs()).collect();
            Past {
                low: means[0],
                high: means[means.len() - 1],
                middle,
                spread: 1.4826 * quantile(&sorted(&off), 0.5),
            }
        })
    }

    /// Levels as (hours from `now_us`, mean of the stretch around that time), oldest first. The first stretch and the one
    /// under way are left out while they hold less than half of what their neighbour holds.
    #[must_use]
    pub fn levels(&self, now_us: i64) -> Vec<(f64, f64)> {
        let mut buckets = self.buckets.as_slice();
        if let [rest @ .., before, last] = buckets
            && last.count.saturating_mul(2) < before.count
        {
            buckets = &buckets[..=rest.len()];
        }
        if let [first, second, ..] = buckets
            && first.count.saturating_mul(2) < second.count
        {
            buckets = &buckets[1..];
        }
        let level = |b: &Bucket| {
            let start = b.index.saturating_mul(self.length_us);
            let end = start.saturating_add(self.length_us).min(now_us.max(start));
            ((0.5 * (start as f64 + end as f64) - now_us as f64) / HOUR, b.mean)
        };
        buckets.iter().map(level).collect()
    }

    /// Do the parts belong together? (False for a damaged state.)
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.buckets.len() <= BUCKETS
            && (SECOND..=MAX_BUCKET_US).contains(&self.length_us)
            && self.length_us % SECOND == 0
            && (self.length_us / SECOND).count_ones() == 1
            && self.buckets.iter().all(|b| b.mean.is_finite() && b.count >= 1)
            && self.buckets.windows(2).all(|b| b[0].index < b[1].index)
    }
}

/// The healthy past of a sensor's level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    /// Lowest level.
    pub low: f64,
    /// Highest level.
    pub high: f64,
    /// Median level.
    pub middle: f64,
    /// Robust spread of the levels (1.4826 · median absolute deviation).
    pub spread: f64,
}
