//! Component `notifier`: what happens by the clock. The bridge sends one tick a second.
//!
//! Invariants: a tick is short and may be missed or doubled; two notifiers at work do nothing twice, because work is
//! claimed with a lease in one statement; it is the only component that reaches the outside, and only addresses that
//! `pm_domain::target` lets pass. Deliberately absent: a clock of its own, and SMTP: the answer to a tick hands claimed
//! mails to the bridge, and the next tick says what became of them.

mod deliver;
mod mails;
mod maintenance;
mod random;
mod reports;
mod settings;
mod slack;

use http::StatusCode;
use pm_api::tick::{Tick, TickAnswer};
use pm_auth::Op;
use pm_store::{delivery, health, housekeeping};
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, now, serve};
use settings::Settings;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("notifier", request, |op, call| async move {
        match op {
            Op::Tick => tick(&call).await,
            Op::Deliver => deliver::deliver(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Keeps the bridge's report for `/status`, plans what new events lead to, tidies up, wakes `reports`, keeps roll-ups and
/// counts, and hands out mails to send.
async fn tick(call: &Call) -> Outcome {
    let tick: Tick = serde_json::from_slice(&call.body)
        .map_err(|e| Refusal::field("value_error", &["body"], e.to_string(), serde_json::Value::Null))?;
    let db = call.db().await?;
    health::report_bridge(&db, &tick.bridge).await?;
    let settings = Settings::read(&db).await?;
    delivery::fan_out(&db, settings.webhooks).await?;
    mails::notices(&db, &settings.audience).await?;
    housekeeping::tidy(&db, now()).await?;
    reports::wake(&db).await?;
    let deliveries_due = delivery::any_due(&db).await?;
    maintenance::run(&db).await;
    let mails = mails::exchange(&db, &tick.mail, &settings).await?;
    Ok(json(StatusCode::OK, &TickAnswer { mails, deliveries_due }))
}
