//! Component `dashboard`: counts for the overview, and the reset of what they count.
//!
//! Invariant: a count is at most as old as the setting `dashboard.cache_s` says (0 unless set: every request counts).
//! Counts are cheap; predictions, of which there are many, are counted by the clock once a second.

mod cache;

use cache::Cache;
use pm_api::{
    dashboard::{MachineStats, Overview, PredictionStats, Total},
    route::op,
    sensor_data::ResetReport,
};
use pm_store::{dashboard, reset};
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

/// Period of the counts of predictions where the request names none, hours.
const DEFAULT_HOURS: i64 = 24;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        DashboardOverview => overview,
        DashboardMachines => machines,
        DashboardSensors => sensors,
        DashboardPredictions => predictions,
        SystemReset => system_reset,
    };
    serve("dashboard", request, handlers).await
}

async fn overview(input: Input<op::DashboardOverview>) -> Result<Overview, Refusal> {
    static CACHE: Cache<Overview> = Cache::new();
    CACHE.get(&input, 0, dashboard::overview).await
}

async fn machines(input: Input<op::DashboardMachines>) -> Result<MachineStats, Refusal> {
    static CACHE: Cache<MachineStats> = Cache::new();
    CACHE.get(&input, 0, dashboard::machines).await
}

async fn sensors(input: Input<op::DashboardSensors>) -> Result<Total, Refusal> {
    static CACHE: Cache<Total> = Cache::new();
    CACHE.get(&input, 0, dashboard::sensors).await
}

async fn predictions(input: Input<op::DashboardPredictions>) -> Result<PredictionStats, Refusal> {
    static CACHE: Cache<PredictionStats> = Cache::new();
    let hours = input.query.hours.map_or(DEFAULT_HOURS, |hours| hours.0);
    CACHE.get(&input, hours, async |db| dashboard::predictions(db, hours).await).await
}

async fn system_reset(input: Input<op::SystemReset>) -> Result<ResetReport, Refusal> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("system_reset");
    let (tickets_deleted, alarms_deleted) = reset::reset(&db, &actor).await?;
    Ok(ResetReport { ok: true, tickets_deleted, alarms_deleted })
}
