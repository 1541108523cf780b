//! How far a series of harmonics stands above what the same spectrum shows elsewhere.
//!
//! A single high line means little: among thousands some are high, and other parts of a machine make lines too. A comb adds
//! up the lines at f, 2f, 3f …, and is compared with the combs of frequencies that no part of the machine has, in the same
//! spectrum. So a busy or a short spectrum asks for more evidence by itself, and no amplitude needs a limit.

use crate::stats::robust;

/// A spectrum prepared for combs.
#[derive(Clone, Debug)]
pub struct Comb {
    /// Distance of two bins, orders.
    df: f64,
    /// ln(1 + power over noise) less its median: large lines count, and none outweighs all others.
    value: Vec<f64>,
    /// Standard deviation of a value that is noise.
    spread: f64,
}

/// The best comb near an order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Sum of its lines, each less what is usual, over the square root of their number.
    pub score: f64,
    /// Its fundamental, orders.
    pub order: f64,
}

/// Lines nearer to 0 than this many bins belong to the mean and to the window.
const FIRST_BIN: usize = 3;
/// Half-width of what belongs to a harmonic of the shaft, orders.
pub const SHAFT_HALF_WIDTH: f64 = 0.02;
/// Least spread of the best combs at other frequencies, over that of a value: the greatest of some dozen independent sums
/// varies by about half as much as one of them. A spread that a few dozen combs give can be far too small by chance.
const LEAST_SPREAD: f64 = 0.6;
/// From how many standard deviations on a slower series is one.
const SLOWER_SERIES: f64 = 3.0;
/// Fewest other frequencies for a comparison.
const FEWEST: usize = 20;

impl Comb {
    /// Of power ratios.
    #[must_use]
    pub fn new(df: f64, ratio: &[f64]) -> Self {
        let mut value: Vec<f64> = ratio.iter().map(|r| r.ln_1p()).collect();
        let (middle, spread) = robust(&value);
        value.iter_mut().for_each(|v| *v -= middle);
        Self { df, value, spread }
    }

    /// Levels the harmonics of a shaft that turns at `order`: they are strong in many machines, healthy ones too, and would
    /// count for a part whose frequency is near.
    pub fn level(&mut self, order: f64) {
        let width = (SHAFT_HALF_WIDTH / self.df).ceil() as usize + 1;
        let mut k = 1;
        loop {
            let at = (f64::from(k) * order / self.df).round() as usize;
            if at >= self.value.len() + width || k > 200 {
                return;
            }
            let last = (at + width).min(self.value.len().saturating_sub(1));
            for v in &mut self.value[at.saturating_sub(width).min(last)..=last] {
                *v = v.min(0.0);
            }
            k += 1;
        }
    }

    /// Highest order.
    #[must_use]
    pub fn max_order(&self) -> f64 {
        self.value.len() as f64 * self.df
    }

    /// The best comb of up to `harmonics` lines with a fundamental within `width` of an order.
    #[must_use]
    pub fn fit(&self, order: f64, width: f64, harmonics: usize) -> Fit {
        let steps = (2.0 * width * harmonics as f64 / self.df).ceil().max(8.0) as usize + 1;
        let mut best = Fit { score: f64::MIN, order };
        for step in 0..steps {
            let at = order + width * (2.0 * step as f64 / (steps - 1) as f64 - 1.0);
            let (mut sum, mut count) = (0.0, 0.0_f64);
            for h in 1..=harmonics {
                let bin = (h as f64 * at / self.df).round() as usize;
                if bin >= FIRST_BIN
                    && let Some(&v) = self.value.get(bin)
                {
                    sum += v;
                    count += 1.0;
                }
            }
            let score = sum / count.max(1.0).sqrt();
            if score > best.score {
                best = Fit { score, order: at };
            }
        }
        best
    }

    /// Sum, over the square root of their number, of the lines that a series of `1/parts` of an order would have between
    /// its multiples; 0 where they are no more than noise.
    fn between(&self, order: f64, parts: usize, lines: usize) -> f64 {
        let at = |k: usize| self.value.get((k as f64 * order / parts as f64 / self.df).round() as usize);
        let found: Vec<f64> = (1..).filter(|k| k % parts != 0).take(lines).map_while(at).copied().collect();
        let score = found.iter().sum::<f64>() / (found.len().max(1) as f64).sqrt();
        if score > SLOWER_SERIES * self.spread { score } else { 0.0 }
    }

    /// By how many standard deviations the best comb within `width` of `order` exceeds the best combs as near to the orders
    /// `elsewhere`; nothing where they are too few to compare with. Where the lines are every second, third or fourth of a
    /// slower series at least as strong (`slower` names which to look for), only what they exceed it by counts: another shaft
    /// makes such.
    #[must_use]
    pub fn strength(
        &self,
        order: f64,
        width: f64,
        harmonics: usize,
        elsewhere: &[f64],
        slower: &[usize],
    ) -> Option<(f64, Fit)> {
        if elsewhere.len() < FEWEST || order + width > self.max_order() {
            return None;
        }
        let fit = self.fit(order, width, harmonics);
        let others: Vec<f64> = elsewhere.iter().map(|o| self.fit(*o, width, harmonics).score).collect();
        let (middle, spread) = robust(&others);
        let between = slower.iter().map(|m| self.between(fit.order, *m, harmonics)).fold(0.0, f64::max);
        let explained = if between >= fit.score { between } else { 0.0 };
        let strength =
            (fit.score - explained - middle) / spread.max(LEAST_SPREAD * self.spread).max(f64::MIN_POSITIVE);
        Some((strength, fit))
    }
}
