//! What a machine measured and what was said of it.

use http::StatusCode;
use pm_api::MachineId;
use pm_store::{machine, prediction, reading};
use pm_web::{Call, Outcome, Refusal, json};

pub(crate) async fn predictions(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let filter = prediction::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
        ascending: false,
        limit: call.query.integer("limit", 100, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    let db = call.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let mut newest = prediction::list(&db, &filter).await?;
    newest.reverse();
    Ok(json(StatusCode::OK, &newest))
}

pub(crate) async fn sensor_data(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let filter = reading::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time("start")?,
        to: call.query.time("end")?,
        ascending: false,
        limit: call.query.integer("limit", 100, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    let db = call.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let readings = reading::list(&db, &filter).await?;
    let mut list = serde_json::to_value(&readings).map_err(|e| Refusal::Internal(e.to_string()))?;
    // existing clients know the id of this list as a text
    for reading in list.as_array_mut().into_iter().flatten() {
        reading["id"] = reading["id"].to_string().into();
    }
    Ok(json(StatusCode::OK, &list))
}
