//! Component `sensor-data`: stored readings, readings by HTTP, and making a machine report as if it failed.
//!
//! Invariants: a list is ordered by time and sensor, so a cursor never shows a reading twice; an export holds a slice at a
//! time. Deliberately absent: judging and storing (component `ingest`, to which new readings are handed).

mod create;
mod export;
mod failure;
mod test_data;
mod write;

use pm_api::{list::Page, route::op, sensor_data::SensorData};
use pm_store::reading;
use pm_web::{Answer, Input, Refusal, Request, handlers, serve, variable};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListSensorData => list,
        SensorDataLogs => logs,
        CreateSensorData => create::one,
        CreateSensorDataBatch => create::many,
        WriteLines => write::write,
        WriteLinesV1 => write::write,
        ExportSensorData => export::export,
        GenerateTestData => test_data::generate,
        TriggerFailure => failure::trigger,
    };
    serve("sensor-data", request, handlers).await
}

async fn list(input: Input<op::ListSensorData>) -> Result<Page<SensorData>, Refusal> {
    Ok(reading::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn logs(input: Input<op::SensorDataLogs>) -> Result<Page<SensorData>, Refusal> {
    Ok(reading::list(&input.db().await?, &input.query, &input.page).await?)
}

/// Simulated readings raise real alarms, so they are possible only where the operator of the system says so.
///
/// # Errors
/// 403 where the variable `simulator` does not say `true`.
async fn require_simulator() -> Result<(), Refusal> {
    if variable("simulator").await? == "true" {
        return Ok(());
    }
    Err(Refusal::Forbidden("Simulated readings are switched off (variable SIMULATOR)".to_owned()))
}
