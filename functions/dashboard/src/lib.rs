//! Component `dashboard`: counts for the overview.
//!
//! Invariant: a count is at most as old as the setting `dashboard.cache_s` says (0 unless set: always counted anew).

mod reuse;

use pm_auth::Op;
use pm_store::dashboard;
use pm_web::{Answer, Refusal, Request, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("dashboard", request, |op, call| async move {
        match op {
            Op::DashboardOverview => reuse::answer(&call, op, 0, dashboard::overview).await,
            Op::DashboardMachines => reuse::answer(&call, op, 0, dashboard::machines).await,
            Op::DashboardSensors => reuse::answer(&call, op, 0, dashboard::sensors).await,
            Op::DashboardPredictions => {
                let hours = call.query.integer("hours", 24, 1, 168)?;
                reuse::answer(&call, op, hours, async |db| dashboard::predictions(db, hours).await).await
            }
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
