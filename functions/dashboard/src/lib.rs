//! Component `dashboard`: counts for the overview.
//!
//! Deliberately absent: a cache. The counts are cheap and always true.

use http::StatusCode;
use pm_auth::Op;
use pm_store::dashboard;
use pm_web::{Answer, Refusal, Request, json, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("dashboard", request, |op, call| async move {
        let db = call.db().await?;
        match op {
            Op::DashboardOverview => Ok(json(StatusCode::OK, &dashboard::overview(&db).await?)),
            Op::DashboardMachines => Ok(json(StatusCode::OK, &dashboard::machines(&db).await?)),
            Op::DashboardSensors => Ok(json(StatusCode::OK, &dashboard::sensors(&db).await?)),
            Op::DashboardPredictions => {
                let hours = call.query.integer("hours", 24, 1, 168)?;
                Ok(json(StatusCode::OK, &dashboard::predictions(&db, hours).await?))
            }
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
