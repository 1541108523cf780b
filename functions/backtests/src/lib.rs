//! Component `backtests`: alarm rules tried on stored readings: of many sensors by a job, of one sensor at once; and the warning
//! limit that keeps a sensor to a wanted number of alarms.
//!
//! Invariants: every alarm comes from `pm_domain::alarm::backtest`, which asks the functions that judge readings live; readings
//! are read in windows of time of bounded size, so that memory does not grow with the period; a step of a job ends within seconds
//! and leaves what it has come to in the database. It is a component of its own because it computes: requests of others would
//! wait. Deliberately absent: applying a rule (alarm rules are written by component `alarms`, limits by `sensors`), a clock (the
//! bridge asks for steps).

mod history;
mod request;
mod sensor;
mod work;

use pm_api::{
    BacktestId,
    backtest::{Backtest, BacktestDetail, MAX_SENSORS, TriedRule},
    route::op,
};
use pm_domain::alarm::backtest::trial;
use pm_store::{Db, backtest};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListBacktests => list,
        CreateBacktest => create,
        GetBacktest => get,
        DeleteBacktest => delete,
        TrySensorRule => sensor::try_rule,
        SuggestLimit => sensor::suggest,
        WorkOnBacktests => work::work,
    };
    serve("backtests", request, handlers).await
}

async fn list(input: Input<op::ListBacktests>) -> Given<op::ListBacktests> {
    Ok(backtest::list(&input.db().await?, &input.page).await?)
}

async fn get(input: Input<op::GetBacktest>) -> Result<BacktestDetail, Refusal> {
    let id: BacktestId = input.id("backtest_id")?;
    let db = input.db().await?;
    let backtest = shown(&db, id).await?;
    Ok(BacktestDetail { backtest, outcome: backtest::outcome(&db, id).await? })
}

async fn shown(db: &Db, id: BacktestId) -> Result<Backtest, Refusal> {
    backtest::get(db, id).await?.ok_or(Refusal::NotFound)
}

async fn create(input: Input<op::CreateBacktest>) -> Result<Backtest, Refusal> {
    let rules: Vec<TriedRule> = input.body.rules.iter().map(TriedRule::from).collect();
    let of_rule = |(index, rule): (usize, &TriedRule)| {
        trial::faults(rule).into_iter().map(move |fault| request::in_rule(index, fault))
    };
    let faults: Vec<_> = rules.iter().enumerate().flat_map(of_rule).collect();
    if !faults.is_empty() {
        return Err(Refusal::Invalid(faults));
    }
    let period = request::period(input.body.from, input.body.to, "body")?;
    let scope = request::scope(&input.body)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = backtest::sensors(&db, &scope, MAX_SENSORS as i64 + 1).await?;
    request::check_sensors(&scope, &found)?;
    let progress = work::begin(found.into_iter().map(|(_, sensor)| sensor.sensor_id), period)?;
    let new = backtest::NewBacktest {
        name: input.body.name.as_ref().map(|name| name.trim()).filter(|name| !name.is_empty()),
        period,
        scope: &scope,
        rules: &rules,
        sensors: progress.sensors,
        progress: &progress.stored,
    };
    let id = backtest::create(&db, &actor, &new).await?;
    shown(&db, id).await
}

async fn delete(input: Input<op::DeleteBacktest>) -> Result<(), Refusal> {
    let id: BacktestId = input.id("backtest_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    shown(&db, id).await?;
    Ok(backtest::delete(&db, &actor, id).await?)
}
