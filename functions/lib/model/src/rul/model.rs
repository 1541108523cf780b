//! A stored network: `<root>/<name>/<version>/card.json` says what it is, `networks.bpk` is its Burn record.

use super::{
    condition::{self, Condition},
    network::{Ensemble, Network, Shape},
    window,
};
use crate::ModelError;
use pm_api::{
    RulMethod, Timestamp,
    remaining_life::{CONFIDENCE_LEVEL, RemainingLife, RulItem},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A channel's mean over this many of the newest cycles must lie in the range of what was learned from.
const NEWEST_CYCLES: usize = 5;

/// File with the Burn record.
pub const RECORD: &str = "networks.bpk";

/// The part of card.json that evaluation needs; the rest of the card is for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Name of the folder.
    pub name: String,
    /// Version.
    pub version: String,
    /// What a cycle holds first, in order; the last is the operating time in cycles since new.
    pub channels: Vec<String>,
    /// What it holds after them: the settings that tell the operating conditions apart. May be none.
    pub settings: Vec<String>,
    /// The operating conditions that were learned: at least one.
    pub conditions: Vec<Condition>,
    /// Size of each network.
    pub shape: Shape,
    /// Number of networks.
    pub networks: usize,
    /// How the cycles become a window.
    pub input: window::Input,
    /// Remaining cycles are learned up to this; more is told as this and without upper limit.
    pub cap: f64,
    /// Cycles that the lower and the upper quantile are moved outwards (conformal).
    pub margins: [f64; 2],
}

/// Remaining operating cycles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Cycles {
    /// Expected value, at most the cap.
    pub expected: f64,
    /// Lower confidence limit.
    pub lower: f64,
    /// Upper confidence limit; the cap stands for «no limit».
    pub upper: f64,
}

/// A network ready to use.
#[derive(Debug, Clone)]
pub struct RulModel {
    /// Its card.
    pub card: Card,
    ensemble: Ensemble,
}

impl RulModel {
    /// Loads `name/version` under a models' root.
    ///
    /// # Errors
    /// When the name is none, a file is missing, or something does not fit.
    pub fn load(root: &Path, id: &str) -> Result<Self, ModelError> {
        let plain = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        };
        let Some((name, version)) = id.split_once('/').filter(|(n, v)| plain(n) && plain(v)) else {
            return Err(ModelError::Card("a network is named NAME/VERSION".into()));
        };
        let read = |file: &str| {
            std::fs::read(root.join(name).join(version).join(file))
                .map_err(|e| ModelError::File(format!("{id}/{file}"), e))
        };
        Self::from_bytes(&read("card.json")?, read(RECORD)?)
    }

    /// Builds a model from the bytes of its card and its record.
    ///
    /// # Errors
    /// When they do not fit this code or each other.
    pub fn from_bytes(card: &[u8], record: Vec<u8>) -> Result<Self, ModelError> {
        let card: Card = serde_json::from_slice(card).map_err(|e| ModelError::Card(e.to_string()))?;
        let shaped = card.shape.is_valid()
            && (1..=32).contains(&card.networks)
            && card.channels.len() == card.shape.channels + 1
            && condition::are_valid(&card.conditions, card.channels.len(), card.settings.len())
            && card.input.is_valid()
            && card.cap > 0.0
            && card.margins.iter().all(|m| m.is_finite());
        if !shaped {
            return Err(ModelError::Card("its numbers are out of range".into()));
        }
        let ensemble = Ensemble::from_bytes(card.shape, card.networks, record)
            .map_err(|e| ModelError::Record(e.to_string()))?;
        Ok(Self { card, ensemble })
    }

    /// Puts a trained ensemble and its card together.
    #[must_use]
    pub fn new(card: Card, ensemble: Ensemble) -> Self {
        Self { card, ensemble }
    }

    /// The weights as a Burn record.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelError> {
        self.ensemble.to_bytes().map_err(|e| ModelError::Record(e.to_string()))
    }

    /// Each network alone, with the same margins.
    #[must_use]
    pub fn singles(&self) -> Vec<Self> {
        let alone = |network: &Network| Self {
            card: Card { networks: 1, ..self.card.clone() },
            ensemble: Ensemble { networks: vec![network.clone()] },
        };
        self.ensemble.networks.iter().map(alone).collect()
    }

    /// Remaining cycles after each of many histories (cycles of one value per channel, oldest first), all at once.
    #[must_use]
    pub fn estimate(&self, histories: &[&[Vec<f64>]]) -> Vec<Cycles> {
        let windows: Vec<_> = histories.iter().map(|h| self.window(h)).collect();
        self.estimate_windows(&windows)
    }

    /// The same from windows made before.
    #[must_use]
    pub fn estimate_windows(&self, windows: &[Vec<f32>]) -> Vec<Cycles> {
        let outputs = self.ensemble.evaluate(self.card.shape, windows);
        (0..windows.len())
            .map(|i| {
                let of = |k: usize| {
                    let sum: f64 = outputs.iter().filter_map(|n| n.get(i)).map(|o| f64::from(o[k])).sum();
                    sum / outputs.len() as f64 * self.card.cap
                };
                interval([of(0), of(1), of(2)], self.card.margins, self.card.cap)
            })
            .collect()
    }

    /// Input of the networks after a history.
    #[must_use]
    pub fn window(&self, history: &[Vec<f64>]) -> Vec<f32> {
        window::window(&self.card.conditions, &self.card.input, self.card.shape.taps, history)
    }

    /// Does a history lie where the network has learned? The condition of each of the newest cycles must be known, and every
    /// channel's mean over them must be in its range.
    fn applies_to(&self, history: &[Vec<f64>]) -> Result<(), String> {
        let newest = &history[history.len().saturating_sub(NEWEST_CYCLES)..];
        let (channels, conditions) = (self.card.channels.len(), &self.card.conditions);
        let mut known = Vec::with_capacity(newest.len());
        for cycle in newest {
            let settings = cycle.get(channels..).unwrap_or_default();
            if let Some((at, value)) = condition::unknown_setting(conditions, settings) {
                return Err(format!(
                    "not applicable: {} is {value:.4}, and the network learned of no such operating condition",
                    self.card.settings[at]
                ));
            }
            known.extend(condition::nearest(conditions, settings));
        }
        let mean =
            |values: &dyn Fn(usize) -> f64| (0..newest.len()).map(values).sum::<f64>() / newest.len() as f64;
        for (at, name) in self.card.channels.iter().enumerate() {
            let value = mean(&|k| newest[k][at]);
            let [low, high] = [0, 1].map(|end| mean(&|k| known[k].channels[at].range[end]));
            if !(low..=high).contains(&value) {
                return Err(format!(
                    "not applicable: {name} is {value:.4}, and the network learned from {low:.4} to {high:.4}"
                ));
            }
        }
        Ok(())
    }

    /// The prognosis for a machine.
    ///
    /// # Errors
    /// A sentence that says what the network lacks: a channel, cycles, or that it is not applicable to such values.
    pub fn prognosis(&self, item: &RulItem) -> Result<RemainingLife, String> {
        let place = |name: &String| {
            let found = item.channels.iter().position(|n| n == name);
            found.ok_or_else(|| format!("the machine has no sensor for {name}"))
        };
        let columns = self.card.channels.iter().chain(&self.card.settings);
        let places = columns.map(place).collect::<Result<Vec<_>, _>>()?;
        if item.cycles.len() < self.card.input.least {
            return Err(format!(
                "{} cycles of {} with a reading of every sensor",
                item.cycles.len(),
                self.card.input.least
            ));
        }
        let history: Vec<Vec<f64>> = item
            .cycles
            .iter()
            .map(|(_, values)| places.iter().map(|&p| values.get(p).copied().unwrap_or(f64::NAN)).collect())
            .collect();
        if history.iter().flatten().any(|v| !v.is_finite()) {
            return Err("a cycle lacks a value".into());
        }
        self.applies_to(&history)?;
        let hours = item.hours_per_cycle.filter(|h| h.is_finite() && *h > 0.0);
        let hours = hours.or_else(|| mean_distance_hours(&item.cycles)).ok_or("the cycles have no length")?;
        let cycles = *self.estimate(&[&history]).first().ok_or("no estimate")?;
        Ok(RemainingLife {
            method: RulMethod::Network,
            hours: cycles.expected * hours,
            lower_hours: cycles.lower * hours,
            upper_hours: (cycles.upper < self.card.cap).then_some(cycles.upper * hours),
            confidence_level: CONFIDENCE_LEVEL,
            model: Some(format!("{}/{}", self.card.name, self.card.version)),
        })
    }
}

/// Moves raw quantiles (cycles) by the conformal margins and puts the three numbers in order within 0 and the cap.
#[must_use]
pub fn interval(raw: [f64; 3], margins: [f64; 2], cap: f64) -> Cycles {
    let expected = if raw[1].is_finite() { raw[1].clamp(0.0, cap) } else { cap };
    let lower = (raw[0] - margins[0]).max(0.0).min(expected);
    let upper = (raw[2] + margins[1]).min(cap).max(expected);
    Cycles { expected, lower, upper }
}

fn mean_distance_hours(cycles: &[(Timestamp, Vec<f64>)]) -> Option<f64> {
    let steps = cycles.len().checked_sub(1).filter(|s| *s > 0)?;
    let whole = cycles.last()?.0.seconds_since(cycles.first()?.0);
    (whole > 0.0).then_some(whole / 3600.0 / steps as f64)
}
