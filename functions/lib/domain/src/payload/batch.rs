//! Readings of messages as the batch that `ingest` takes.

use super::ParsedReading;
use pm_api::ingest::{Batch, DeadLetter, Reading, SensorRef};
use std::collections::HashMap;

/// Collects readings and dead letters; each sensor is named once.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    batch: Batch,
    index: HashMap<SensorRef, u32>,
}

impl BatchBuilder {
    /// Adds a reading.
    pub fn add(&mut self, parsed: ParsedReading) {
        let (sensor, reading) = parsed.split();
        let sensor = match self.index.get(&sensor) {
            Some(index) => *index,
            None => {
                let index = self.batch.sensors.len() as u32;
                self.batch.sensors.push(sensor.clone());
                self.index.insert(sensor, index);
                index
            }
        };
        self.batch.readings.push(Reading { sensor, ..reading });
    }

    /// Adds a dead letter.
    pub fn add_letter(&mut self, letter: DeadLetter) {
        self.batch.dead_letters.push(letter);
    }

    /// How many readings and dead letters there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.readings.len() + self.batch.dead_letters.len()
    }

    /// Is there nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batch.
    #[must_use]
    pub fn finish(self) -> Batch {
        self.batch
    }
}
