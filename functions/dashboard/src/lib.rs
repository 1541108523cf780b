//! Component `dashboard`: counts for the overview, and the reset of what they count.
//!
//! Invariant: a count is at most as old as the setting `dashboard.cache_s` says (0 unless set: always counted anew).
//! Counts are cheap; predictions, of which there are many, are counted by the clock once a second.

mod reuse;

use http::StatusCode;
use pm_api::sensor_data::ResetReport;
use pm_auth::Op;
use pm_domain::rollup::MAX_COUNT_HOURS;
use pm_store::{dashboard, reset};
use pm_web::{Answer, Refusal, Request, json, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("dashboard", request, |op, call| async move {
        match op {
            Op::DashboardOverview => reuse::answer(&call, op, 0, dashboard::overview).await,
            Op::DashboardMachines => reuse::answer(&call, op, 0, dashboard::machines).await,
            Op::DashboardSensors => reuse::answer(&call, op, 0, dashboard::sensors).await,
            Op::DashboardPredictions => {
                let hours = call.query.integer("hours", 24, 1, MAX_COUNT_HOURS)?;
                reuse::answer(&call, op, hours, async |db| dashboard::predictions(db, hours).await).await
            }
            Op::SystemReset => {
                let db = call.db().await?;
                let actor = call.actor(&db).await?.doing("system_reset");
                let (tickets_deleted, alarms_deleted) = reset::reset(&db, &actor).await?;
                Ok(json(StatusCode::OK, &ResetReport { ok: true, tickets_deleted, alarms_deleted }))
            }
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
