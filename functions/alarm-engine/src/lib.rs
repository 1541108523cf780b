//! Component `alarm-engine` (private): turns conditions into alarms, tickets and outbox events.
//!
//! Invariants: one open alarm per machine, sensor and kind; a repeat raises its count and, if graver, its severity; a
//! new alarm and its ticket and its event are written in one statement. Deliberately absent: judging readings (the
//! caller, by the rules of pm-domain) and routes for people (component `alarms`). It is reachable from other
//! components only, so it asks for no token.

use http::StatusCode;
use http_body_util::BodyExt;
use pm_api::alarm_engine::Conditions;
use pm_domain::ticket::auto_ticket;
use pm_store::{
    Db, StoreError,
    alarm::{self, ConditionWithTicket},
};
use pm_web::{Answer, Request, json, text, variable};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let known = request.method() == "POST" && request.uri().path() == "/conditions";
    if !known {
        return text(StatusCode::NOT_FOUND, "POST /conditions");
    }
    let Ok(body) = request.into_body().collect().await else {
        return text(StatusCode::BAD_REQUEST, "the body could not be read");
    };
    match postcard::from_bytes::<Conditions>(&body.to_bytes()) {
        Ok(conditions) => apply(conditions).await,
        Err(error) => text(StatusCode::UNPROCESSABLE_ENTITY, &format!("conditions: {error}")),
    }
}

async fn apply(conditions: Conditions) -> Answer {
    let items: Vec<_> = conditions
        .items
        .into_iter()
        .map(|condition| {
            let ticket = auto_ticket(condition.severity, &condition.message);
            ConditionWithTicket { condition, ticket }
        })
        .collect();
    match store(&items).await {
        Ok(report) => json(StatusCode::OK, &report),
        // the machine or sensor was deleted meanwhile: the caller looks it up again
        Err(StoreError::Constraint(name)) => text(StatusCode::CONFLICT, &name),
        Err(error) => {
            eprintln!("conditions not applied: {error}");
            text(StatusCode::SERVICE_UNAVAILABLE, "the database is not available")
        }
    }
}

async fn store(items: &[ConditionWithTicket]) -> Result<pm_api::alarm_engine::ConditionsReport, StoreError> {
    let address = variable("database_url")
        .await
        .map_err(|_| StoreError::Failed("database_url is not set".to_owned()))?;
    alarm::apply(&Db::open(&address).await?, items).await
}
