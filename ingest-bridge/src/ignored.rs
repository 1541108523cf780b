//! What accepted messages hold besides readings, by topic: fields that are no measured value or say that there is none.
//! Each name is logged once, and all are in the bridge's report.

use pm_api::tick::IgnoredFields;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Most topics with their names; fields on further topics are only counted.
const MAX_TOPICS: usize = 50;
/// Most names of a topic.
const MAX_NAMES: usize = 32;

/// The ignored fields since the start.
#[derive(Debug, Default)]
pub struct Ignored(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<String, IgnoredFields>,
    messages: u64,
}

impl Ignored {
    /// Notes the names that a message on `topic` brought.
    pub fn note(&self, topic: &str, names: &[String]) {
        if names.is_empty() {
            return;
        }
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.messages += 1;
        if !state.topics.contains_key(topic) {
            if state.topics.len() >= MAX_TOPICS {
                return;
            }
            let fields = IgnoredFields { topic: topic.to_owned(), names: Vec::new(), messages: 0 };
            state.topics.insert(topic.to_owned(), fields);
        }
        let Some(known) = state.topics.get_mut(topic) else { return };
        known.messages += 1;
        let is_new = |name: &&String| !known.names.contains(name);
        let new: Vec<String> =
            names.iter().filter(is_new).take(MAX_NAMES - known.names.len()).cloned().collect();
        if !new.is_empty() {
            tracing::info!(topic, "ignored: {}", new.join(", "));
            known.names.extend(new);
        }
    }

    /// Messages with ignored fields, and these fields by topic.
    #[must_use]
    pub fn report(&self) -> (u64, Vec<IgnoredFields>) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.messages, state.topics.values().cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_collected_by_topic_within_bounds() {
        let ignored = Ignored::default();
        let names = |range: std::ops::Range<usize>| range.map(|n| format!("n{n}")).collect::<Vec<_>>();
        ignored.note("a", &names(0..2));
        ignored.note("a", &names(1..3));
        ignored.note("b", &[]);
        let expected = IgnoredFields { topic: "a".to_owned(), names: names(0..3), messages: 2 };
        assert_eq!(ignored.report(), (2, vec![expected]));
        for n in 0..200 {
            ignored.note(&format!("t{n}"), &names(0..100));
        }
        let (messages, topics) = ignored.report();
        assert_eq!((messages, topics.len()), (202, MAX_TOPICS));
        assert!(topics.iter().all(|topic| topic.names.len() <= MAX_NAMES));
    }
}
