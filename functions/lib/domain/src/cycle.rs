//! Operating cycles of a machine that has a network for its remaining life: which network, which sensors, and the times
//! at which all of them reported together.

use pm_api::{Metadata, Timestamp};
use std::collections::HashMap;

/// One sensor's readings, oldest first.
pub type Column = Vec<(Timestamp, f64)>;

/// Cycles, oldest first, with one value per column: a time that a column lacks is no cycle. No columns, no cycles.
#[must_use]
pub fn cycles(columns: &[Column]) -> Vec<(Timestamp, Vec<f64>)> {
    let Some((first, others)) = columns.split_first() else { return Vec::new() };
    let others: Vec<HashMap<Timestamp, f64>> = others.iter().map(|c| c.iter().copied().collect()).collect();
    first
        .iter()
        .filter_map(|(time, value)| {
            let rest: Option<Vec<f64>> = others.iter().map(|c| c.get(time).copied()).collect();
            Some((*time, std::iter::once(*value).chain(rest?).collect()))
        })
        .collect()
}

/// What is wrong with the entries of a machine's metadata that name its network: `rul_model` (`NAME/VERSION`),
/// `rul_sensors` (channel → sensor) and `rul_hours_per_cycle` (a number above 0, or none). Without `rul_model` the
/// others mean nothing.
#[must_use]
pub fn network_problem(metadata: &Metadata) -> Option<&'static str> {
    let given = |name: &str| metadata.get(name).filter(|v| !v.is_null());
    let model = given("rul_model")?;
    let named = model.as_str().and_then(|m| m.split_once('/'));
    if named.is_none_or(|(name, version)| name.is_empty() || version.is_empty()) {
        return Some("rul_model should be NAME/VERSION");
    }
    let sensors = given("rul_sensors").and_then(|s| s.as_object());
    if sensors.is_none_or(|s| s.is_empty() || s.values().any(|v| !v.is_string())) {
        return Some("rul_sensors should map the network's channels to names of sensors");
    }
    let hours = given("rul_hours_per_cycle");
    if hours.is_some_and(|h| h.as_f64().is_none_or(|h| h <= 0.0)) {
        return Some("rul_hours_per_cycle should be a number greater than 0");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_named_completely_or_not_at_all() {
        let good = r#"{"rul_model":"a/1","rul_sensors":{"s2":"x"},"rul_hours_per_cycle":2}"#;
        for (text, fine) in [
            ("{}", true),
            (good, true),
            (r#"{"rul_model":null,"rul_sensors":1}"#, true),
            (r#"{"rul_model":"a/1","rul_sensors":{"s2":"x"}}"#, true),
            (r#"{"rul_model":7,"rul_sensors":{"s2":"x"}}"#, false),
            (r#"{"rul_model":"a","rul_sensors":{"s2":"x"}}"#, false),
            (r#"{"rul_model":"a/1"}"#, false),
            (r#"{"rul_model":"a/1","rul_sensors":{}}"#, false),
            (r#"{"rul_model":"a/1","rul_sensors":{"s2":3}}"#, false),
            (r#"{"rul_model":"a/1","rul_sensors":{"s2":"x"},"rul_hours_per_cycle":0}"#, false),
            (r#"{"rul_model":"a/1","rul_sensors":{"s2":"x"},"rul_hours_per_cycle":"2"}"#, false),
        ] {
            let metadata: Metadata = serde_json::from_str(text).expect("an object");
            assert_eq!(network_problem(&metadata).is_none(), fine, "{text}");
        }
    }

    #[test]
    fn a_cycle_needs_every_column() {
        let at = |t: &[i64]| t.iter().map(|&t| (Timestamp(t), t as f64)).collect::<Column>();
        assert_eq!(cycles(&[]), vec![]);
        assert_eq!(cycles(&[at(&[1, 2]), vec![]]), vec![]);
        assert_eq!(
            cycles(&[at(&[1, 2, 3, 5]), at(&[2, 3, 4, 5]), at(&[0, 2, 5])]),
            vec![(Timestamp(2), vec![2.0; 3]), (Timestamp(5), vec![5.0; 3])]
        );
    }
}
