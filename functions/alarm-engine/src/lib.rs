//! Component `alarm-engine` (private): turns conditions into alarms, tickets and outbox events.
//!
//! Invariants: what happens is decided by `pm_domain::alarm::machine::step`; all that follows from a batch of conditions is
//! written in one statement, and only if the states are still those that the decision was made on. Deliberately absent:
//! judging readings (the caller, by the rules of pm-domain) and routes for people (component `alarms`). It is reachable
//! from other components only, so it asks for no token.

use http::{Method, StatusCode};
use pm_api::alarm_engine::{Condition, Conditions, ConditionsReport};
use pm_domain::alarm::machine::{Change, Effects, step};
use pm_store::{
    Db, StoreError,
    alarm_engine::{self, Decided},
};
use pm_web::{Answer, Outcome, Refusal, Request, database, json, now, serve_private, text, traceparent};

/// How often the states are read before the caller is asked to come again.
const MAX_ATTEMPTS: u32 = 5;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve_private("alarm-engine", request, |request| async move {
        match (request.method(), request.uri().path()) {
            (&Method::POST, "/conditions") => apply(request.body()).await,
            (_, "/conditions") => Err(Refusal::MethodNotAllowed(vec!["POST"])),
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn apply(body: &[u8]) -> Outcome {
    let conditions: Conditions = match postcard::from_bytes(body) {
        Ok(conditions) => conditions,
        Err(error) => return Ok(text(StatusCode::UNPROCESSABLE_ENTITY, &format!("conditions: {error}"))),
    };
    match decide(&database().await?, &conditions.items).await {
        Ok(report) => Ok(json(StatusCode::OK, &report)),
        // a machine or sensor is deleted by now: the caller looks it up again
        Err(StoreError::Constraint(name)) => Ok(text(StatusCode::CONFLICT, &name)),
        Err(error) => Err(Refusal::Unavailable(format!("conditions not applied: {error}"))),
    }
}

/// Reads the state of each cause, asks the state machine, and writes what it decided; from the start if a state was changed
/// before that.
async fn decide(db: &Db, conditions: &[Condition]) -> Result<ConditionsReport, StoreError> {
    for _ in 0..MAX_ATTEMPTS {
        let states = alarm_engine::states(db, conditions).await?;
        let now = now();
        let decided: Vec<_> = conditions
            .iter()
            .zip(&states)
            .map(|(condition, known)| Decided { condition, known, step: step(&known.state, condition, now) })
            .collect();
        if alarm_engine::apply(db, &decided, traceparent()).await? {
            return Ok(report(&decided));
        }
    }
    Err(StoreError::Unavailable(format!("the alarms were changed by others {MAX_ATTEMPTS} times")))
}

fn report(decided: &[Decided<'_>]) -> ConditionsReport {
    let count = |of: fn(&Effects) -> bool| decided.iter().filter(|d| of(&d.step.effects)).count() as u64;
    let raised = count(|e| e.change == Some(Change::Raised));
    ConditionsReport {
        raised,
        updated: count(|e| e.change.is_some()) - raised,
        tickets: count(|e| e.ticket.is_some()),
    }
}
