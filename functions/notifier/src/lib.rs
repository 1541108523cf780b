//! Component `notifier`: what happens by the clock. The bridge sends one tick a second.
//!
//! Invariants: a tick is short and may be missed or doubled; when one of its tasks fails, the others run; two notifiers at
//! work do nothing twice, because work is claimed with a lease in one statement; it is the only component that reaches the outside, and only addresses that
//! `pm_domain::target` lets pass. Deliberately absent: a clock of its own, and SMTP: the answer to a tick hands claimed
//! mails to the bridge, and the next tick says what became of them.

mod alarms;
mod deliver;
mod escalation;
mod identity_provider;
mod mails;
mod maintenance;
mod reports;
mod settings;
mod slack;
mod tasks;

use pm_api::{
    mapping::MappingsInForce,
    route::op,
    tick::{Tick, TickAnswer},
};
use pm_domain::clock::Task;
use pm_store::{delivery, health, housekeeping, mapping};
use pm_web::{Answer, Input, Refusal, Request, handlers, now, serve};
use settings::Settings;
use tasks::Tasks;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Tick => tick,
        Deliver => deliver::deliver,
        AskIdentityProvider => identity_provider::ask,
    };
    serve("notifier", request, handlers).await
}

/// Stores the bridge's report for `/status`, tells of alarms that begin or end without a reading, plans what new events lead to, plans notices of alarms that nobody answered, deletes what has expired, wakes `reports`, keeps
/// roll-ups and counts, and hands out mails to send. Only mails are needed for the answer: if they fail, so does the
/// tick, and the bridge repeats what it reported about them.
async fn tick(input: Input<op::Tick>) -> Result<TickAnswer, Refusal> {
    let tick: &Tick = &input.body;
    let db = input.db().await?;
    let mut tasks = Tasks::begin(&db).await;
    tasks.ended(Task::BridgeReport, health::report_bridge(&db, &tick.bridge).await);
    let mappings = tasks.ended(Task::Mappings, mapping::in_force(&db, &tick.mappings_version).await);
    let mappings = mappings.and_then(|(version, rules)| Some(MappingsInForce { version, rules: rules? }));
    let settings = Settings::read(&db).await;
    if let Ok(settings) = &settings {
        tasks.ended(Task::Webhooks, delivery::fan_out(&db, settings.webhooks).await);
        tasks.ended(Task::Notices, mails::notices(&db, &settings.audience).await);
        tasks.ended(Task::Notices, mails::summaries(&db, settings).await);
        tasks.ended(Task::Escalations, escalation::run(&db, settings.audience.mail).await);
    }
    if tasks.is_due(Task::Housekeeping) {
        tasks.ended(Task::Housekeeping, housekeeping::tidy(&db, now()).await);
    }
    tasks.ended(Task::Reports, reports::wake(&db).await);
    alarms::run(&db, &tick.bridge, &mut tasks).await;
    maintenance::run(&db, &mut tasks).await;
    let webhooks_due = tasks.ended(Task::Webhooks, delivery::any_due(&db).await).unwrap_or_default();
    let notices_due = tasks.ended(Task::Escalations, escalation::any_due(&db).await).unwrap_or_default();
    let deliveries_due = webhooks_due || notices_due;
    let mails = match settings {
        Ok(settings) => mails::exchange(&db, &tick.mail, &settings).await.map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    if let Err(refusal) = &mails {
        tasks.ended(Task::Mails, Err::<(), _>(refusal));
    }
    tasks.end().await;
    Ok(TickAnswer { mails: mails?, deliveries_due, mappings })
}
