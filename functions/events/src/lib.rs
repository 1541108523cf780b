//! Component `events`: live events as server-sent events, for any number of listeners.
//!
//! Invariants: every listener gets every outbox event that its filter lets through, in order, once, and resumes after
//! the `Last-Event-ID` it names; the newest reading of a sensor is sent at most once a poll. The listeners of an
//! instance share one look at the database ([`hub`]); a slow one costs nobody else. A stream ends after an hour, so
//! that who has lost access does not listen on for ever.
//!
//! Deliberately absent: WebSockets (a function cannot take over a connection), events of the past without an id.

mod filter;
mod hub;
mod listener;

use filter::Filter;
use http::{HeaderName, HeaderValue, StatusCode};
use pm_api::{error::Detail, event::StreamTicket};
use pm_auth::{Op, token::TICKET_S};
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, serve, spawn, stream};

const NO_WEBSOCKET: &str =
    "WebSocket is not served here: live events are a stream of server-sent events at /ws/events/stream";

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("events", request, |op, call| async move {
        match op {
            Op::EventStream | Op::RealtimeEvents => listen(&call).await,
            Op::StreamTicket => ticket(&call).await,
            Op::Updates => {
                Ok(json(StatusCode::UPGRADE_REQUIRED, &Detail { detail: NO_WEBSOCKET.to_owned() }))
            }
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn listen(call: &Call) -> Outcome {
    let filter = Filter::parse(call.query.text("events"))?;
    let in_header = call.header("last-event-id").and_then(|id| id.trim().parse().ok()).filter(|id| *id >= 0);
    let in_query = call.query.integer("last_event_id", -1, 0, i64::MAX)?;
    let resume_after = in_header.or(Some(in_query).filter(|id| *id >= 0));
    let listener = listener::Listener::start(filter, resume_after).await?;
    let (mut answer, feed) = stream(HeaderValue::from_static("text/event-stream"));
    // a proxy that gathers answers would hold events back
    answer.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    spawn(listener.run(feed));
    Ok(answer)
}

async fn ticket(call: &Call) -> Outcome {
    let ticket =
        call.signer().await?.ticket(call.identity()?).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(json(StatusCode::OK, &StreamTicket { ticket, expires_in_s: TICKET_S }))
}
