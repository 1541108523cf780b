//! Component `sensor-data`: stored readings, and making a machine report as if it failed.
//!
//! Deliberately absent: storing (component `ingest`).

mod failure;

use http::StatusCode;
use pm_auth::Op;
use pm_store::reading;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, serve};
use serde_json::json as value;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("sensor-data", request, |op, call| async move {
        match op {
            Op::ListSensorData => {
                let ascending = ascending(&call)?;
                list(&call, ascending).await
            }
            Op::SensorDataLogs => list(&call, false).await,
            Op::TriggerFailure => failure::trigger(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

fn ascending(call: &Call) -> Result<bool, Refusal> {
    match call.query.text("sort") {
        None | Some("desc") => Ok(false),
        Some("asc") => Ok(true),
        Some(other) => Err(Refusal::field(
            "string_pattern_mismatch",
            &["query", "sort"],
            "String should match pattern '^(asc|desc)$'",
            value!(other),
        )),
    }
}

async fn list(call: &Call, ascending: bool) -> Outcome {
    let filter = reading::Filter {
        sensor_id: call.query.id("sensor_id")?,
        machine_id: call.query.id("machine_id")?,
        from: call.query.time("start_date")?,
        to: call.query.time("end_date")?,
        ascending,
        limit: call.query.integer("limit", 100, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    Ok(json(StatusCode::OK, &reading::list(&call.db().await?, &filter).await?))
}
