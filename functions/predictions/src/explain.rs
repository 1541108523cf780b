//! A prediction in words.

use pm_api::prediction::{Explained, Explanation, Prediction};

/// Puts a prediction into words: what was seen, what it means, what to do.
pub(crate) fn explain(prediction: Prediction) -> Explained {
    let said = prediction.contributing_features.get("reason").and_then(|r| r.as_str());
    let reasoning = match (said, prediction.status.as_str()) {
        (Some(reason), _) => reason.to_owned(),
        (None, "buffering") => "Too few readings yet to judge this sensor.".to_owned(),
        (None, _) => {
            format!("The smoothed anomaly score is {:.2} (0 is normal, 1 is anomalous).", prediction.score)
        }
    };
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
        },
        metadata: prediction.metadata,
    }
}
