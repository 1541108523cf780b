//! Predictions that a person asks for. `ingest` makes them, as it makes all.

use pm_api::{
    MachineId, SensorId,
    ingest::{ScoreNow, Scored, SensorRef},
    input::FieldFault,
    prediction::Prediction,
    route::op,
};
use pm_domain::freshness::{Freshness, freshness};
use pm_store::{Db, machine, prediction, sensor};
use pm_web::{Component, Input, Refusal, now, variable};
use serde_json::json;

/// Sensors of a machine that one request scores.
const MOST_SENSORS: i64 = 1000;

/// `POST /predictions`: judges a value that a sensor might report next, with all that is known of the sensor. The
/// prediction is stored; the sensor's state stays as it is and no alarm is raised.
pub(crate) async fn hypothetical(input: Input<op::CreatePrediction>) -> Result<Prediction, Refusal> {
    let body = &input.body;
    let mut faults = Vec::new();
    if matches!(freshness(body.timestamp, now()), Freshness::Refused(_)) {
        let message = "Input should lie between 2001 and ten minutes from now";
        faults.push(FieldFault::new("timestamp", message, json!(body.timestamp)));
    }
    let db = input.db().await?;
    input.actor(&db).await?;
    faults.extend(wrong_sensor(&db, body.machine_id, body.sensor_id).await?);
    if !faults.is_empty() {
        return Err(Refusal::in_body(faults));
    }
    let hypothetical = Some((body.timestamp, body.value.0));
    let ask = ScoreNow { sensors: vec![named(body.machine_id, body.sensor_id)], hypothetical };
    let scored = ask_ingest(&ask).await?;
    if let Some(through) = scored.scored_through {
        let message = format!("Input should be later than {through}, which the sensor was scored through");
        let fault = FieldFault::new("timestamp", message, json!(body.timestamp));
        return Err(Refusal::in_body(vec![fault]));
    }
    let Some(id) = scored.predictions.first() else {
        return Err(Refusal::Conflict("There is a prediction of this sensor at this time".to_owned()));
    };
    let stored = prediction::get(&db, *id).await?;
    stored.ok_or_else(|| Refusal::Unavailable("the prediction was not stored".to_owned()))
}

/// The fault of a sensor that is not one of the machine's.
async fn wrong_sensor(
    db: &Db,
    machine_id: MachineId,
    sensor_id: SensorId,
) -> Result<Option<FieldFault>, Refusal> {
    Ok(match sensor::machines_of(db, &[sensor_id]).await?.first() {
        None => Some(FieldFault::new("sensor_id", "There is no sensor with this id", json!(sensor_id))),
        Some((_, machine)) if *machine != machine_id => {
            Some(FieldFault::new("machine_id", "The sensor is not of this machine", json!(machine_id)))
        }
        Some(_) => None,
    })
}

/// `POST /predictions/trigger`: judges what a machine's sensors (or one of them) have reported since they were last
/// judged, as the next batch of readings would, alarms included. Answers with the newest prediction of each.
pub(crate) async fn trigger(input: Input<op::TriggerPredictions>) -> Result<Vec<Prediction>, Refusal> {
    let machine_id = input.body.machine_id;
    let db = input.db().await?;
    input.actor(&db).await?;
    let sensors = match input.body.sensor_id {
        Some(sensor_id) => {
            if let Some(fault) = wrong_sensor(&db, machine_id, sensor_id).await? {
                return Err(Refusal::in_body(vec![fault]));
            }
            vec![sensor_id]
        }
        None => {
            if machine::get(&db, machine_id).await?.is_none() {
                let message = "There is no machine with this id";
                let fault = FieldFault::new("machine_id", message, json!(machine_id));
                return Err(Refusal::in_body(vec![fault]));
            }
            sensor::of_machine(&db, machine_id, MOST_SENSORS).await?
        }
    };
    let named = sensors.iter().map(|s| named(machine_id, *s)).collect();
    ask_ingest(&ScoreNow { sensors: named, hypothetical: None }).await?;
    Ok(prediction::newest(&db, &sensors).await?)
}

fn named(machine_id: MachineId, sensor_id: SensorId) -> SensorRef {
    SensorRef { machine: machine_id.to_string(), sensor: sensor_id.to_string(), ..SensorRef::default() }
}

async fn ask_ingest(ask: &ScoreNow) -> Result<Scored, Refusal> {
    let token = variable("component_token").await?;
    Component("ingest")
        .post_postcard_for_json("/internal/score", ask, "application/octet-stream", Some(&token))
        .await
        .map_err(|e| Refusal::Unavailable(format!("ingest {e}")))
}
