//! Predictions that a person asks for. `ingest` makes them, as it makes all.

use http::StatusCode;
use pm_api::{
    MachineId, SensorId,
    ingest::{ScoreNow, Scored, SensorRef},
};
use pm_domain::freshness::{Freshness, freshness};
use pm_store::{Db, machine, prediction, sensor};
use pm_web::{Call, Fields, Outcome, Peer, Refusal, json, now, variable};

/// Sensors of a machine that one request scores.
const MOST_SENSORS: i64 = 1000;

/// `POST /predictions`: judges a value that a sensor might report next, with all that is known of the sensor. The
/// prediction is stored; the sensor's state stays as it is and no alarm is raised.
pub(crate) async fn supposed(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let sensor_id = fields.required_id::<SensorId>("sensor_id");
    let machine_id = fields.required_id::<MachineId>("machine_id");
    let time = fields.required_time("timestamp");
    let value = fields.required_number("value");
    if time.is_some_and(|t| freshness(t, now()) == Freshness::Future) {
        fields.refuse("value_error", "timestamp", "Input should lie between 1970 and ten minutes from now");
    }
    let (Some(sensor_id), Some(machine_id), Some(time), Some(value)) = (sensor_id, machine_id, time, value)
    else {
        return fields.end().and(Err(Refusal::Internal("a required field is missing unnoticed".to_owned())));
    };
    let db = call.db().await?;
    call.actor(&db).await?;
    check(&db, &mut fields, machine_id, sensor_id).await?;
    fields.end()?;
    let ask = ScoreNow { sensors: vec![named(machine_id, sensor_id)], supposed: Some((time, value)) };
    let scored = ask_ingest(&ask).await?;
    if let Some(through) = scored.scored_through {
        let message = format!("Input should be later than {through}, which the sensor was scored through");
        return Err(Refusal::field("value_error", &["body", "timestamp"], message, time.to_string().into()));
    }
    let Some(id) = scored.predictions.first() else {
        return Err(Refusal::Conflict("There is a prediction of this sensor at this time".to_owned()));
    };
    let stored = prediction::get(&db, *id).await?;
    let stored = stored.ok_or_else(|| Refusal::Unavailable("the prediction was not stored".to_owned()))?;
    Ok(json(StatusCode::CREATED, &stored))
}

/// Names the field that is wrong if the sensor is not one of the machine's.
async fn check(
    db: &Db,
    fields: &mut Fields,
    machine_id: MachineId,
    sensor_id: SensorId,
) -> Result<(), Refusal> {
    match sensor::machines_of(db, &[sensor_id]).await?.first() {
        None => fields.refuse("value_error", "sensor_id", "There is no sensor with this id"),
        Some((_, machine)) if *machine != machine_id => {
            fields.refuse("value_error", "machine_id", "The sensor is not of this machine");
        }
        Some(_) => {}
    }
    Ok(())
}

/// `POST /predictions/trigger`: judges what a machine's sensors (or one of them) have reported since they were last
/// judged, as the next batch of readings would, alarms included. Answers with the newest prediction of each.
pub(crate) async fn trigger(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let machine_id = fields.required_id::<MachineId>("machine_id");
    let sensor_id = fields.id::<SensorId>("sensor_id");
    let Some(machine_id) = machine_id else {
        return fields.end().and(Err(Refusal::Internal("a required field is missing unnoticed".to_owned())));
    };
    let db = call.db().await?;
    call.actor(&db).await?;
    let sensors = match sensor_id {
        Some(sensor_id) => {
            check(&db, &mut fields, machine_id, sensor_id).await?;
            vec![sensor_id]
        }
        None => {
            if machine::get(&db, machine_id).await?.is_none() {
                fields.refuse("value_error", "machine_id", "There is no machine with this id");
            }
            sensor::of_machine(&db, machine_id, MOST_SENSORS).await?
        }
    };
    fields.end()?;
    let named = sensors.iter().map(|s| named(machine_id, *s)).collect();
    ask_ingest(&ScoreNow { sensors: named, supposed: None }).await?;
    Ok(json(StatusCode::OK, &prediction::newest(&db, &sensors).await?))
}

fn named(machine_id: MachineId, sensor_id: SensorId) -> SensorRef {
    SensorRef { machine: machine_id.to_string(), sensor: sensor_id.to_string(), ..SensorRef::default() }
}

async fn ask_ingest(ask: &ScoreNow) -> Result<Scored, Refusal> {
    let token = variable("service_token").await?;
    Peer("ingest")
        .post_postcard_for_json("/internal/score", ask, "application/octet-stream", Some(&token))
        .await
        .map_err(|e| Refusal::Unavailable(format!("ingest {e}")))
}
