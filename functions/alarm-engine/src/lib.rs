//! Component `alarm-engine` (private): turns conditions into alarms, tickets and outbox events.
//!
//! Invariants: what happens is decided by `pm_domain::alarm::machine::step`; all that follows from a batch of conditions is
//! written in one statement, and only if the states are still those that the decision was made on. Deliberately absent:
//! judging readings (the caller, by the rules of pm-domain) and routes for people (component `alarms`). It is reachable
//! from other components only, so it asks for no token.

use http::{Method, StatusCode};
use pm_api::{
    AlarmId, MachineId, Timestamp,
    alarm_engine::{Condition, Conditions, ConditionsReport},
};
use pm_domain::alarm::{
    case::{self, Placement},
    machine::{Change, Effects, step, suppressed},
    suppression::suppression,
};
use pm_store::{
    Db, StoreError,
    alarm_engine::{self, Decided},
    maintenance,
};
use pm_web::{Answer, Outcome, Refusal, Request, database, json, now, serve_private, text, traceparent};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};
use uuid::Uuid;

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

/// Reads the state of each cause, asks the state machine, places what it raises in cases, and writes what was decided; from
/// the start if a state was changed before that.
async fn decide(db: &Db, conditions: &[Condition]) -> Result<ConditionsReport, StoreError> {
    for _ in 0..MAX_ATTEMPTS {
        let states = alarm_engine::states(db, conditions).await?;
        let now = now();
        let mut decided: Vec<_> = conditions
            .iter()
            .zip(&states)
            .map(|(condition, known)| Decided {
                condition,
                known,
                step: step(&known.state, condition, now),
                raises: None,
                placement: Placement::default(),
                suppression: None,
            })
            .collect();
        suppress(db, &mut decided, now).await?;
        let newest = place(db, &mut decided, now).await?;
        if alarm_engine::apply(db, &decided, &newest, traceparent()).await? {
            return Ok(report(&decided));
        }
    }
    Err(StoreError::Unavailable(format!("the alarms were changed by others {MAX_ATTEMPTS} times")))
}

/// Takes back what would raise an alarm of a machine that is under maintenance.
async fn suppress(db: &Db, decided: &mut [Decided<'_>], now: Timestamp) -> Result<(), StoreError> {
    let raises = |d: &&mut Decided<'_>| d.step.effects.change == Some(Change::Raised);
    let machines: BTreeSet<_> = decided.iter_mut().filter(raises).map(|d| d.condition.machine_id).collect();
    if machines.is_empty() {
        return Ok(());
    }
    let maintenance = maintenance::of_machines(db, machines, now).await?;
    for d in decided.iter_mut().filter(raises) {
        let Some((status, windows)) = maintenance.get(&d.condition.machine_id) else { continue };
        d.suppression = suppression(*status, windows, now);
        if d.suppression.is_some() {
            d.step = suppressed(&d.known.state);
        }
    }
    Ok(())
}

/// Places the alarms that are raised in the cases of their machines, and finds the tickets that an escalation lifts. Returns
/// the newest alarm of each machine on which one is raised.
async fn place(
    db: &Db,
    decided: &mut [Decided<'_>],
    now: Timestamp,
) -> Result<BTreeMap<MachineId, Option<AlarmId>>, StoreError> {
    let touches_case = |d: &Decided<'_>| {
        d.step.effects.change == Some(Change::Raised) || d.step.effects.ticket_priority.is_some()
    };
    let machines: BTreeSet<_> =
        decided.iter().filter(|d| touches_case(d)).map(|d| d.condition.machine_id).collect();
    if machines.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut cases = alarm_engine::cases(db, machines, now).await?;
    let mut newest = BTreeMap::new();
    // the most severe first, so that the ticket of a new case has the priority of them all
    decided.sort_by_key(|d| (Reverse(d.condition.severity), d.condition.time));
    for d in decided {
        let of_machine = cases.entry(d.condition.machine_id).or_default();
        if d.step.effects.change == Some(Change::Raised) {
            let id = AlarmId(Uuid::now_v7());
            d.placement = case::place(&of_machine.alarms, d.condition, &d.step, now);
            of_machine.alarms.push(case::placed(id, d.condition, &d.placement));
            newest.insert(d.condition.machine_id, of_machine.newest);
            d.raises = Some(id);
        } else if let (Some(case), Some(priority)) = (d.known.case_id(), d.step.effects.ticket_priority) {
            d.placement.changes = case::lifted(&of_machine.alarms, case, priority);
        }
    }
    Ok(newest)
}

fn report(decided: &[Decided<'_>]) -> ConditionsReport {
    let count = |of: fn(&Effects) -> bool| decided.iter().filter(|d| of(&d.step.effects)).count() as u64;
    let raised = count(|e| e.change == Some(Change::Raised));
    ConditionsReport {
        raised,
        updated: count(|e| e.change.is_some()) - raised,
        tickets: decided.iter().filter(|d| d.placement.ticket.is_some()).count() as u64,
    }
}
