//! A prediction in words.

use pm_api::prediction::{Contributing, Explained, Explanation, MachineAssessment, Prediction, SensorShare};

/// Puts a prediction into words: what was seen, what it means, what to do. `sensors` are the scores of the machine's
/// sensors at that moment.
pub(crate) fn explain(
    prediction: Prediction,
    sensors: Vec<SensorShare>,
    machine: Option<MachineAssessment>,
) -> Explained {
    let said = serde_json::from_value::<Contributing>(prediction.contributing_features.clone().into()).ok();
    let mut reasoning = match (&said, prediction.status.as_str()) {
        (Some(said), _) => said.reason.clone(),
        (None, "buffering") => "Too few readings yet to judge this sensor.".to_owned(),
        (None, _) => {
            format!("The smoothed anomaly score is {:.2} (0 is normal, 1 is anomalous).", prediction.score)
        }
    };
    if let Some(most) = sensors.first().filter(|s| s.sensor_id != prediction.sensor_id && s.score > 0.5) {
        reasoning += &format!(
            " On this machine {} stands out most (score {:.2}): look there first.",
            most.name, most.score
        );
    }
    if machine.as_ref().is_some_and(|m| m.score >= 0.5) {
        reasoning += " The machine's sensors no longer move together as they used to.";
    }
    let recommended_action = match prediction.status.as_str() {
        "critical" => Some("Inspect the machine now and plan its stop; see the open ticket."),
        "warning" => Some("Plan an inspection of this sensor's part within the next shift."),
        _ => None,
    };
    Explained {
        prediction_id: prediction.id,
        explanation: Explanation {
            predicted_class: match prediction.status.as_str() {
                "buffering" => "normal".to_owned(),
                class => class.to_owned(),
            },
            confidence: prediction.confidence,
            feature_importance: prediction.contributing_features,
            model_version: prediction.model_version,
            reasoning,
            recommended_action: recommended_action.map(str::to_owned),
            features: said.map(|s| s.features).unwrap_or_default(),
            sensors,
            machine,
        },
        metadata: prediction.metadata,
    }
}
