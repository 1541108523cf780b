//! The mappings in force, as the functions gave them with the last tick. They are in a file too: a bridge that starts while
//! the functions do not answer reads payloads as before.

use crate::health::Health;
use crate::payload::{Mapping, Mappings};
use pm_api::mapping::MappingsInForce;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How long a bridge without a file waits for the first answer to a tick before it receives messages.
const FIRST_ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The mappings that messages are read with; each message gets the newest ones.
#[derive(Debug, Clone)]
pub struct InForce(watch::Receiver<Arc<Mappings>>);

impl InForce {
    /// The newest ones.
    #[must_use]
    pub fn now(&self) -> Arc<Mappings> {
        self.0.borrow().clone()
    }
}

/// Where the newest mappings are put.
#[derive(Debug)]
pub struct MappingStore {
    file: PathBuf,
    version: String,
    sender: watch::Sender<Arc<Mappings>>,
    health: Arc<Health>,
}

impl MappingStore {
    /// The mappings in `file`, none if there is no such file.
    #[must_use]
    pub fn open(file: PathBuf, health: Arc<Health>) -> Self {
        let stored = fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let sender = watch::Sender::new(Arc::default());
        let mut store = Self { file, version: String::new(), sender, health };
        if let Some(stored) = stored {
            store.take(stored);
        }
        store
    }

    /// Gives the newest mappings from now on.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        InForce(self.sender.subscribe())
    }

    /// Version of the mappings in force; empty before any came.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Puts mappings into force that came with the answer to a tick.
    pub fn renew(&mut self, mappings: MappingsInForce) {
        let new = self.file.with_extension("new");
        let text = serde_json::to_vec(&mappings).unwrap_or_default();
        if let Err(error) = fs::write(&new, text).and_then(|()| fs::rename(&new, &self.file)) {
            self.health.failed(format!("the mappings cannot be stored: {error}"));
        }
        tracing::info!(count = mappings.rules.len(), "mappings in force");
        self.take(mappings);
    }

    fn take(&mut self, mappings: MappingsInForce) {
        let ready = mappings.rules.iter().filter_map(|rules| match Mapping::new(rules) {
            Ok(mapping) => Some(mapping),
            Err((field, reason)) => {
                self.health
                    .failed(format!("the mapping of {} cannot be used: {field}: {reason}", rules.topic));
                None
            }
        });
        let ready = Mappings::new(ready.collect());
        self.version = mappings.version;
        self.sender.send_replace(Arc::new(ready));
    }
}

/// Waits until mappings are in force, or the functions do not answer for some seconds.
pub async fn first_answer(mappings: &mut InForce, has_file: bool) {
    if !has_file {
        let _ = tokio::time::timeout(FIRST_ANSWER_TIMEOUT, mappings.0.changed()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::mapping::MappingRules;

    #[test]
    fn mappings_outlive_the_process() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let open = || MappingStore::open(folder.path().join("mappings"), Arc::default());
        let mut store = open();
        let in_force = store.in_force();
        assert_eq!((store.version(), in_force.now().of_topic("a").is_some()), ("", false));
        let rules = |topic: &str| MappingRules { topic: topic.to_owned(), ..MappingRules::default() };
        let rules = vec![rules("a/#/b"), rules("a")];
        store.renew(MappingsInForce { version: "1".to_owned(), rules });
        assert!(in_force.now().of_topic("a").is_some(), "the other one cannot be used and is left out");
        let store = open();
        assert_eq!((store.version(), store.in_force().now().of_topic("a").is_some()), ("1", true));
        Ok(())
    }
}
