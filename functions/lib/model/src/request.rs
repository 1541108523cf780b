//! A request to the scorer: its sensors one by one, then its machines as a whole.

use crate::{
    Model,
    explain::{self, Sensor},
    machine::{Apart, Machine, Present},
    reference::Keeping,
    score::{FARTHEST_OUTSIDE, UNCALIBRATED},
    scorer, sensitivity,
};
use pm_api::{
    ReadingStatus, SensorId,
    score::{MachineItem, MachineResult, ScoreItem, ScoreRequest, ScoreResponse, ScoreResult},
};

/// Least score of a sensor that has left the others.
const MIN_OUTSIDE_SCORE: f64 = 0.77;

/// Answers a request. `models` gives the active model of an item and its challenger, where there are any.
#[must_use]
pub fn answer<'m>(
    request: &ScoreRequest,
    models: impl Fn(&ScoreItem) -> (Option<&'m Model>, Option<&'m Model>),
) -> ScoreResponse {
    let mut items: Vec<ScoreResult> = request
        .items
        .iter()
        .map(|item| {
            let (active, challenger) = models(item);
            scorer::score_beside(active, challenger, item)
        })
        .collect();
    let machines = request.machines.iter().map(|m| machine(m, &request.items, &mut items)).collect();
    ScoreResponse { items, machines }
}

/// Judges a machine from what its sensors show, and marks the sensors that have left the others.
fn machine(of: &MachineItem, items: &[ScoreItem], results: &mut [ScoreResult]) -> MachineResult {
    let mine = || items.iter().enumerate().filter(|(_, item)| item.machine_id == of.machine_id);
    let now: Vec<Present> = mine()
        .filter_map(|(at, item)| {
            let result = results.get(at)?;
            Some(Present {
                sensor: item.sensor_id,
                relative: result.relative?,
                time: result.time,
                level: result.level?,
                accepted: item.accepted,
                restarted: item.restarted,
            })
        })
        .collect();
    // the settings are the same for all of its sensors
    let keeping = mine().next().map_or(Keeping { learn_us: 0, widening: 1.0 }, |(_, item)| Keeping {
        learn_us: 1_000_000 * item.learning_s,
        widening: sensitivity::widening(item.false_alarms_per_month),
    });
    let mut machine = of.state.as_deref().map(Machine::from_bytes).unwrap_or_default();
    let assessment = machine.advance(&now, keeping);
    for (rank, apart) in machine.apart().into_iter().enumerate() {
        let Some((at, item)) = mine().find(|(_, item)| item.sensor_id == apart.sensor) else { continue };
        if let Some(result) = results.get_mut(at).filter(|r| !r.buffering) {
            let named = |id: &SensorId| items.iter().find(|i| i.sensor_id == *id).map(|i| i.name.as_str());
            let others: Option<Vec<&str>> = apart.follows.iter().map(named).collect();
            // the farthest stands out
            let score = (FARTHEST_OUTSIDE - 0.02 * rank as f64).max(MIN_OUTSIDE_SCORE);
            mark(result, &apart, score, (Sensor::of(item), &others.unwrap_or_default()));
        }
    }
    MachineResult {
        machine_id: of.machine_id,
        score: assessment.as_ref().map(|j| j.score),
        shares: assessment.map(|j| j.shares).unwrap_or_default(),
        explained: machine.explained(),
        state: machine.to_bytes(),
    }
}

/// `named`: the sensor, and the names of the others that its level follows.
fn mark(result: &mut ScoreResult, apart: &Apart, score: f64, named: (Sensor, &[&str])) {
    if result.class == ReadingStatus::Normal {
        result.class = ReadingStatus::Warning;
        result.confidence = UNCALIBRATED;
    }
    result.score = result.score.max(score);
    result.health_percent = result.health_percent.min(scorer::health_percent(result.score));
    if let Some(level) = result.level {
        result.contributing_features = explain::apart(&result.contributing_features, level, apart, named);
    }
}
