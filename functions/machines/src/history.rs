//! What a machine measured and was predicted.

use pm_api::{
    MachineId, SensorId, Timestamp,
    list::{ListQuery, Page},
    machine::MachineHistoryFilter,
    prediction::{MachinePrediction, Prediction, PredictionFilter},
    route::op,
    sensor_data::{MachineReading, ReadingFilter, SensorData},
    sort::{PredictionSort, ReadingSort},
};
use pm_store::{Db, machine, prediction, reading, sensor};
use pm_web::{Call, Input, Refusal};

/// The newest predictions, oldest of them first, under the names that existing clients know here.
pub(crate) async fn predictions(
    input: Input<op::MachinePredictions>,
) -> Result<Page<MachinePrediction>, Refusal> {
    let mut page = listed_predictions(&input, &input.query, &input.page).await?;
    if input.page.descending {
        page.items.reverse();
    }
    Ok(page.map(MachinePrediction::from))
}

/// Predictions over a range, newest first.
pub(crate) async fn past_predictions(
    input: Input<op::MachinePredictionHistory>,
) -> Result<Page<Prediction>, Refusal> {
    listed_predictions(&input, &input.query, &input.page).await
}

async fn listed_predictions(
    call: &Call,
    query: &MachineHistoryFilter,
    page: &ListQuery<PredictionSort>,
) -> Result<Page<Prediction>, Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = PredictionFilter {
        sensor_id: query.sensor_id,
        machine_id: Some(id),
        start_time: query.start_time,
        end_time: query.end_time,
        status: None,
    };
    let db = known_machine(call, id).await?;
    Ok(prediction::list(&db, &filter, page).await?)
}

/// The newest readings; existing clients know the id of this list as a text.
pub(crate) async fn readings_with_text_ids(
    input: Input<op::MachineSensorData>,
) -> Result<Page<MachineReading>, Refusal> {
    let range = (input.query.start, input.query.end);
    let page = listed_readings(&input, input.query.sensor_id, range, &input.page).await?;
    Ok(page.map(MachineReading::from))
}

/// Readings over a range, newest first.
pub(crate) async fn readings(input: Input<op::MachineReadingHistory>) -> Result<Page<SensorData>, Refusal> {
    let range = (input.query.start_time, input.query.end_time);
    listed_readings(&input, input.query.sensor_id, range, &input.page).await
}

async fn listed_readings(
    call: &Call,
    sensor_id: Option<SensorId>,
    (start_date, end_date): (Option<Timestamp>, Option<Timestamp>),
    page: &ListQuery<ReadingSort>,
) -> Result<Page<SensorData>, Refusal> {
    let id: MachineId = call.id("machine_id")?;
    let filter = ReadingFilter { sensor_id, machine_id: Some(id), start_date, end_date };
    let db = known_machine(call, id).await?;
    Ok(reading::list(&db, &filter, page).await?)
}

async fn known_machine(call: &Call, id: MachineId) -> Result<Db, Refusal> {
    let db = call.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(db)
}

/// Readings of a sensor over a range, newest first.
pub(crate) async fn sensor(input: Input<op::SensorHistory>) -> Result<Page<SensorData>, Refusal> {
    let id: SensorId = input.id("sensor_id")?;
    let filter = ReadingFilter {
        sensor_id: Some(id),
        machine_id: None,
        start_date: input.query.start_time,
        end_date: input.query.end_time,
    };
    let db = input.db().await?;
    sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(reading::list(&db, &filter, &input.page).await?)
}
