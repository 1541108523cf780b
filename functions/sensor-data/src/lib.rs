//! Component `sensor-data`: stored readings, readings by HTTP, and making a machine report as if it failed.
//!
//! Invariants: a list is ordered by time and sensor, so a cursor never shows a reading twice; an export holds a slice at a
//! time. Deliberately absent: judging and storing (component `ingest`, to which new readings are handed).

mod create;
mod export;
mod failure;
mod test_data;

use pm_api::{sensor_data::ReadingFilter, sort::ReadingSort};
use pm_auth::Op;
use pm_store::reading;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json_page, serve, variable};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("sensor-data", request, |op, call| async move {
        match op {
            Op::ListSensorData | Op::SensorDataLogs => list(&call).await,
            Op::CreateSensorData => create::one(&call).await,
            Op::CreateSensorDataBatch => create::many(&call).await,
            Op::ExportSensorData => export::export(&call).await,
            Op::GenerateTestData => {
                require_simulator().await?;
                test_data::generate(&call).await
            }
            Op::TriggerFailure => {
                require_simulator().await?;
                failure::trigger(&call).await
            }
            _ => Err(Refusal::NotFound),
        }
    })
    .await
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

async fn list(call: &Call) -> Outcome {
    let filter = ReadingFilter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: call.query.id("machine_id")?,
        start_date: call.query.time("start_date")?,
        end_date: call.query.time("end_date")?,
    };
    let query = call.query.list::<ReadingSort>(100)?;
    Ok(json_page(&reading::list(&call.db().await?, &filter, &query).await?))
}
