//! Component `events`: live events as server-sent events, for any number of listeners.
//!
//! Invariants: every listener gets every outbox event that its filter lets through, in order, once, and resumes after
//! the `Last-Event-ID` it names; the newest reading of a sensor is sent at most once a poll. The listeners of an
//! instance share one look at the database ([`hub`]); a slow one costs nobody else. An account has a limited number of
//! streams ([`slot`]). Every 30 s a stream checks that its caller may still listen; it ends after an hour. A ticket opens
//! one stream.
//!
//! Deliberately absent: WebSockets (a function cannot take over a connection), events of the past without an id.

mod hub;
mod listener;
mod slot;

use http::{HeaderName, HeaderValue, StatusCode};
use pm_api::{
    error::Detail,
    event::{StreamQuery, StreamTicket},
    route::op,
};
use pm_auth::token::TICKET_S;
use pm_web::{Answer, Call, Input, Outcome, Refusal, Request, handlers, json, serve, spawn, stream};
use uuid::Uuid;

const NO_WEBSOCKET: &str =
    "WebSocket is not served here: live events are a stream of server-sent events at /ws/events/stream";

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        EventStream => event_stream,
        RealtimeEvents => realtime_events,
        StreamTicket => ticket,
        Updates => no_websocket,
    };
    serve("events", request, handlers).await
}

async fn event_stream(input: Input<op::EventStream>) -> Outcome {
    listen(&input, &input.query).await
}

async fn realtime_events(input: Input<op::RealtimeEvents>) -> Outcome {
    listen(&input, &input.query).await
}

async fn listen(call: &Call, query: &StreamQuery) -> Outcome {
    let in_header = call.header("last-event-id").and_then(|id| id.trim().parse().ok()).filter(|id| *id >= 0);
    let resume_after = in_header.or(query.last_event_id.map(|id| id.0));
    let patterns = query.events.as_deref().unwrap_or_default().to_vec();
    let user_id = call.identity()?.user_id;
    let listener = listener::Listener::start(patterns, call.watch()?, resume_after, user_id).await?;
    let (mut answer, feed) = stream(HeaderValue::from_static("text/event-stream"));
    // a proxy that gathers answers would hold events back
    answer.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    spawn(listener.run(feed));
    Ok(answer)
}

async fn ticket(input: Input<op::StreamTicket>) -> Result<StreamTicket, Refusal> {
    let signer = input.signer().await?;
    let ticket =
        signer.ticket(input.identity()?, Uuid::now_v7()).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(StreamTicket { ticket, expires_in_s: TICKET_S })
}

async fn no_websocket(_: Input<op::Updates>) -> Outcome {
    Ok(json(StatusCode::UPGRADE_REQUIRED, &Detail { detail: NO_WEBSOCKET.to_owned() }))
}
