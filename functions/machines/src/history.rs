//! What a machine measured and what was said of it.

use pm_api::{
    MachineId, SensorId,
    prediction::{MachinePrediction, Prediction},
    sensor_data::{MachineReading, SensorData},
};
use pm_store::{Db, Listing, Slicing, machine, prediction, reading, sensor};
use pm_web::{Call, Outcome, Refusal, json_listing};

/// Rows of a list by default and at most.
const LIMITS: (i64, i64) = (100, 1000);

/// The newest predictions, oldest of them first, under the names that existing clients know here.
pub(crate) async fn predictions(call: &Call) -> Outcome {
    let mut newest = listed_predictions(call).await?;
    if newest.1.descending {
        newest.0.items.reverse();
    }
    let Listing { items, total, next } = newest.0;
    let items = items.into_iter().map(MachinePrediction::from).collect();
    Ok(json_listing(&Listing { items, total, next }))
}

/// Predictions over a range, newest first.
pub(crate) async fn past_predictions(call: &Call) -> Outcome {
    Ok(json_listing(&listed_predictions(call).await?.0))
}

async fn listed_predictions(call: &Call) -> Result<(Listing<Prediction>, Slicing), Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = prediction::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
        ..prediction::Filter::default()
    };
    let paging = call.query.slicing(LIMITS, prediction::SORTS)?;
    let db = known_machine(call, id).await?;
    Ok((prediction::list(&db, &filter, &paging).await?, paging))
}

/// The newest readings; existing clients know the id of this list as a text.
pub(crate) async fn sensor_data(call: &Call) -> Outcome {
    let Listing { items, total, next } = listed_readings(call, ("start", "end")).await?;
    let items = items.into_iter().map(MachineReading::from).collect();
    Ok(json_listing(&Listing { items, total, next }))
}

/// Readings over a range, newest first.
pub(crate) async fn readings(call: &Call) -> Outcome {
    Ok(json_listing(&listed_readings(call, ("start_time", "end_time")).await?))
}

async fn listed_readings(call: &Call, (start, end): (&str, &str)) -> Result<Listing<SensorData>, Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = reading::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time(start)?,
        to: call.query.time(end)?,
    };
    let paging = call.query.slicing(LIMITS, reading::SORTS)?;
    let db = known_machine(call, id).await?;
    Ok(reading::list(&db, &filter, &paging).await?)
}

async fn known_machine(call: &Call, id: MachineId) -> Result<Db, Refusal> {
    let db = call.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(db)
}

/// Readings of a sensor over a range, newest first.
pub(crate) async fn sensor(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let filter = reading::Filter {
        sensor_id: Some(id),
        machine_id: None,
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
    };
    let paging = call.query.slicing(LIMITS, reading::SORTS)?;
    let db = call.db().await?;
    sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json_listing(&reading::list(&db, &filter, &paging).await?))
}
