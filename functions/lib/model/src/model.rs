//! A trained model on disk: `<root>/isolation-forest/ACTIVE` names the version, `<version>/card.json` says what it is,
//! `<version>/forest.bpk` is the Burn record.

use crate::{
    calibration::Calibration,
    drift::Reference,
    features::COUNT,
    flat::FlatForest,
    forest::{Forest, Shape},
};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Folder of the model under the models' root.
pub const NAME: &str = "isolation-forest";
/// File with the Burn record.
pub const RECORD: &str = "forest.bpk";

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file is missing or unreadable.
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    /// The card is not what it should be.
    #[error("card.json: {0}")]
    Card(String),
    /// The weights are not a Burn record of that shape.
    #[error("record: {0}")]
    Record(String),
}

/// The part of card.json that scoring needs; the rest of the card is for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version, as reported with every prediction.
    pub version: String,
    /// Size of the forest.
    pub shape: Shape,
    /// Names of the columns, in order.
    pub features: Vec<String>,
    /// Calibration of the score.
    pub calibration: Calibration,
    /// Where the features lay in training, to notice that they have moved.
    #[serde(default)]
    pub reference: Reference,
}

/// The files of a version.
#[derive(Debug, Clone)]
pub struct Files {
    /// card.json.
    pub card: Vec<u8>,
    /// The Burn record.
    pub record: Vec<u8>,
}

impl Files {
    /// Reads the active version under a models' root.
    ///
    /// # Errors
    /// When a file is missing.
    pub fn read(root: &Path) -> Result<Self, ModelError> {
        let folder = root.join(NAME);
        let read = |path: &Path| {
            std::fs::read(path).map_err(|e| {
                let name = path.strip_prefix(root).unwrap_or(path);
                ModelError::File(name.display().to_string(), e)
            })
        };
        let version = String::from_utf8_lossy(&read(&folder.join("ACTIVE"))?).trim().to_owned();
        let folder = folder.join(version);
        Ok(Self { card: read(&folder.join("card.json"))?, record: read(&folder.join(RECORD))? })
    }
}

/// A model ready to score.
#[derive(Debug, Clone)]
pub struct Model {
    /// Version from the card.
    pub version: String,
    /// The forest.
    pub forest: FlatForest,
    /// The calibration.
    pub calibration: Calibration,
}

impl Model {
    /// Loads the active version under a models' root.
    ///
    /// # Errors
    /// When a file is missing or does not fit.
    pub fn load(root: &Path) -> Result<Self, ModelError> {
        let files = Files::read(root)?;
        Self::from_bytes(&files.card, files.record)
    }

    /// Builds a model from the bytes of its card and its record.
    ///
    /// # Errors
    /// When they do not fit this code or each other.
    pub fn from_bytes(card: &[u8], record: Vec<u8>) -> Result<Self, ModelError> {
        let card: Card = serde_json::from_slice(card).map_err(|e| ModelError::Card(e.to_string()))?;
        if card.features != crate::features::NAMES {
            return Err(ModelError::Card("its features are not the features of this program".into()));
        }
        let Shape { trees, depth, sample } = card.shape;
        if !(1..=10_000).contains(&trees) || !(1..=16).contains(&depth) || sample < 2 {
            return Err(ModelError::Card("its shape is out of range".into()));
        }
        if !card.calibration.is_valid() {
            return Err(ModelError::Card("its calibration is not ascending".into()));
        }
        let forest = Forest::from_bytes(card.shape, record).map_err(|e| ModelError::Record(e.to_string()))?;
        Self::new(card.version, &forest, card.calibration)
            .ok_or_else(|| ModelError::Record("its numbers are no forest".into()))
    }

    /// Puts a forest and its calibration together. `None` when the forest is not one over the 25 features.
    #[must_use]
    pub fn new(version: String, forest: &Forest, calibration: Calibration) -> Option<Self> {
        Some(Self { version, forest: FlatForest::new(forest, COUNT)?, calibration })
    }

    /// Calibrated anomaly score of relative features and how surprising they are for the sensor, 0 to 1.
    #[must_use]
    pub fn score(&self, row: &[f32; COUNT], surprise: f64) -> f64 {
        self.calibration.score(self.forest.score(row), surprise)
    }
}
