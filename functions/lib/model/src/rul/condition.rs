//! Operating conditions of a machine, told apart by its settings (height, speed, load …), and what its sensors read in each.
//!
//! A sensor is compared with what it reads under the same condition, so that wear is not hidden by a change of load (Heimes 2008;
//! Peel 2008, both on the C-MAPSS sets with six conditions). A machine without settings has one condition.

use serde::{Deserialize, Serialize};

/// Mean, spread and range of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Mean over the cycles learned from.
    pub mean: f64,
    /// Standard deviation over the same.
    pub spread: f64,
    /// Lowest and highest of the same: outside of them nothing was learned.
    pub range: [f64; 2],
}

impl Scale {
    /// The scale of some values; `None` without any. A channel that does not change has a spread of 1.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = crate::stats::mean(values);
        let spread = crate::stats::moment(values, mean, 2).sqrt();
        let range = [
            values.iter().copied().fold(f64::MAX, f64::min),
            values.iter().copied().fold(f64::MIN, f64::max),
        ];
        let spread = if spread > 1e-9 * (1.0 + mean.abs()) { spread } else { 1.0 };
        (!values.is_empty()).then_some(Self { mean, spread, range })
    }

    /// Standardised, cut off where nothing was learned.
    #[must_use]
    pub fn standard(&self, value: f64) -> f64 {
        ((value - self.mean) / self.spread).clamp(-CUT, CUT)
    }

    fn is_valid(&self) -> bool {
        self.mean.is_finite()
            && self.spread > 0.0
            && self.spread.is_finite()
            && self.range[0] <= self.range[1]
    }
}

/// Standardised values are cut off here: nothing learned lies beyond.
const CUT: f64 = 6.0;

/// One operating condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Mean, spread and range of each setting; empty for machines without settings.
    pub settings: Vec<Scale>,
    /// The same of each channel.
    pub channels: Vec<Scale>,
}

/// Two settings that differ by this share of the setting's whole range belong to two conditions.
const APART: f64 = 0.1;
/// More conditions than this are no conditions: the settings change without steps.
pub const MAX_CONDITIONS: usize = 16;
/// Fewer cycles do not show what is usual in a condition.
const MIN_CYCLES: usize = 30;

/// The operating conditions of cycles; each cycle holds the channels, then the settings.
///
/// # Errors
/// A sentence that says why the cycles have no conditions that can be told apart.
pub fn learn(cycles: &[&[f64]], channels: usize) -> Result<Vec<Condition>, String> {
    let settings = cycles.first().map_or(0, |c| c.len().saturating_sub(channels));
    let column = |rows: &[&[f64]], at: usize| rows.iter().map(|c| c[at]).collect::<Vec<_>>();
    let whole: Vec<Scale> = (0..settings).filter_map(|s| Scale::of(&column(cycles, channels + s))).collect();
    let apart = |a: &[f64], b: &[f64]| {
        whole.iter().enumerate().any(|(s, scale)| {
            let width = scale.range[1] - scale.range[0];
            (a[channels + s] - b[channels + s]).abs() > APART * width
        })
    };
    // the first cycle of a condition stands for it
    let mut groups: Vec<Vec<&[f64]>> = Vec::new();
    for cycle in cycles {
        match groups.iter().position(|g| !apart(g[0], cycle)) {
            Some(at) => groups[at].push(cycle),
            None if groups.len() == MAX_CONDITIONS => {
                return Err(format!(
                    "the settings show more than {MAX_CONDITIONS} operating conditions: they change without steps"
                ));
            }
            None => groups.push(vec![cycle]),
        }
    }
    groups.retain(|g| g.len() >= MIN_CYCLES);
    if groups.is_empty() {
        return Err(format!("no operating condition has {MIN_CYCLES} cycles"));
    }
    let scales = |rows: &[&[f64]], columns: std::ops::Range<usize>| {
        columns.filter_map(|at| Scale::of(&column(rows, at))).collect()
    };
    Ok(groups
        .iter()
        .map(|rows| Condition {
            settings: scales(rows, channels..channels + settings),
            channels: scales(rows, 0..channels),
        })
        .collect())
}

/// Is every condition complete?
#[must_use]
pub fn are_valid(conditions: &[Condition], channels: usize, settings: usize) -> bool {
    let is_complete = |c: &Condition| {
        c.channels.len() == channels
            && c.settings.len() == settings
            && c.channels.iter().chain(&c.settings).all(Scale::is_valid)
    };
    (1..=MAX_CONDITIONS).contains(&conditions.len()) && conditions.iter().all(is_complete)
}

/// The condition whose settings are nearest to a cycle's, each setting measured by its range over all conditions.
#[must_use]
pub fn nearest<'a>(conditions: &'a [Condition], settings: &[f64]) -> Option<&'a Condition> {
    let widths = widths(conditions);
    let distance = |c: &Condition| {
        let shares = c.settings.iter().zip(settings).zip(&widths);
        shares.map(|((scale, value), width)| ((value - scale.mean) / width).powi(2)).sum::<f64>()
    };
    conditions.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))
}

/// The first setting (its place, and its value) that none of the conditions has; `None` when the cycle's condition is known.
#[must_use]
pub fn unknown_setting(conditions: &[Condition], settings: &[f64]) -> Option<(usize, f64)> {
    let nearest = nearest(conditions, settings)?;
    let widths = widths(conditions);
    let outside = |(at, scale): (usize, &Scale)| {
        let value = *settings.get(at)?;
        let tolerance = APART * widths[at];
        (!(scale.range[0] - tolerance..=scale.range[1] + tolerance).contains(&value)).then_some((at, value))
    };
    nearest.settings.iter().enumerate().find_map(outside)
}

fn widths(conditions: &[Condition]) -> Vec<f64> {
    let settings = conditions.first().map_or(0, |c| c.settings.len());
    (0..settings)
        .map(|at| {
            let ranges = || conditions.iter().map(|c| c.settings[at].range);
            let low = ranges().map(|r| r[0]).fold(f64::MAX, f64::min);
            let high = ranges().map(|r| r[1]).fold(f64::MIN, f64::max);
            (high - low).max(1e-9 * (1.0 + high.abs()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cycles of a machine with two loads; the channel reads ten times the load, and a little more every cycle.
    fn cycles() -> Vec<Vec<f64>> {
        (0..200)
            .map(|k| {
                let load = if k % 3 == 0 { 60.0 } else { 100.0 };
                vec![10.0 * load + 0.01 * f64::from(k), load + 0.001 * f64::from(k % 7)]
            })
            .collect()
    }

    fn conditions() -> Vec<Condition> {
        let cycles = cycles();
        learn(&cycles.iter().map(Vec::as_slice).collect::<Vec<_>>(), 1).expect("two conditions")
    }

    #[test]
    fn each_load_is_a_condition_with_its_own_scale() {
        let conditions = conditions();
        assert_eq!(conditions.len(), 2);
        assert!(are_valid(&conditions, 1, 1));
        for load in [60.0, 100.0] {
            let condition = nearest(&conditions, &[load]).expect("one");
            assert!((condition.channels[0].mean - 10.0 * load).abs() < 2.0, "{condition:?}");
            assert!(condition.channels[0].spread < 1.0, "{condition:?}");
        }
    }

    #[test]
    fn a_load_that_was_never_seen_is_named() {
        assert_eq!(unknown_setting(&conditions(), &[60.5]), None);
        assert_eq!(unknown_setting(&conditions(), &[80.0]), Some((0, 80.0)));
    }

    #[test]
    fn settings_without_steps_are_refused() {
        let cycles: Vec<[f64; 3]> = (0..900).map(|k| [0.0, f64::from(k % 30), f64::from(k / 30)]).collect();
        let rows: Vec<&[f64]> = cycles.iter().map(<[f64; 3]>::as_slice).collect();
        assert!(learn(&rows, 1).is_err_and(|e| e.contains("without steps")));
    }

    #[test]
    fn without_settings_there_is_one_condition() {
        let cycles: Vec<[f64; 1]> = (0..40).map(|k| [f64::from(k)]).collect();
        let rows: Vec<&[f64]> = cycles.iter().map(<[f64; 1]>::as_slice).collect();
        let conditions = learn(&rows, 1).expect("one condition");
        assert!(conditions.len() == 1 && conditions[0].settings.is_empty());
        assert_eq!(unknown_setting(&conditions, &[]), None);
    }
}
