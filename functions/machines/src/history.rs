//! What a machine measured and what was said of it.

use pm_api::{
    MachineId, SensorId,
    list::{ListQuery, Page},
    prediction::{MachinePrediction, Prediction},
    sensor_data::{MachineReading, SensorData},
    sort::{PredictionSort, ReadingSort},
};
use pm_store::{Db, machine, prediction, reading, sensor};
use pm_web::{Call, Outcome, Refusal, json_page};

/// Rows of a list by default.
const LIMIT: i64 = 100;

/// The newest predictions, oldest of them first, under the names that existing clients know here.
pub(crate) async fn predictions(call: &Call) -> Outcome {
    let (mut page, query) = listed_predictions(call).await?;
    if query.descending {
        page.items.reverse();
    }
    Ok(json_page(&page.map(MachinePrediction::from)))
}

/// Predictions over a range, newest first.
pub(crate) async fn past_predictions(call: &Call) -> Outcome {
    Ok(json_page(&listed_predictions(call).await?.0))
}

async fn listed_predictions(call: &Call) -> Result<(Page<Prediction>, ListQuery<PredictionSort>), Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = prediction::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time("start_time")?,
        to: call.query.time("end_time")?,
        ..prediction::Filter::default()
    };
    let query = call.query.list::<PredictionSort>(LIMIT)?;
    let db = known_machine(call, id).await?;
    Ok((prediction::list(&db, &filter, &query).await?, query))
}

/// The newest readings; existing clients know the id of this list as a text.
pub(crate) async fn sensor_data(call: &Call) -> Outcome {
    Ok(json_page(&listed_readings(call, ("start", "end")).await?.map(MachineReading::from)))
}

/// Readings over a range, newest first.
pub(crate) async fn readings(call: &Call) -> Outcome {
    Ok(json_page(&listed_readings(call, ("start_time", "end_time")).await?))
}

async fn listed_readings(call: &Call, (start, end): (&str, &str)) -> Result<Page<SensorData>, Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = reading::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: Some(id),
        from: call.query.time(start)?,
        to: call.query.time(end)?,
    };
    let query = call.query.list::<ReadingSort>(LIMIT)?;
    let db = known_machine(call, id).await?;
    Ok(reading::list(&db, &filter, &query).await?)
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
    let query = call.query.list::<ReadingSort>(LIMIT)?;
    let db = call.db().await?;
    sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json_page(&reading::list(&db, &filter, &query).await?))
}
