//! Component `events`: live events as server-sent events, for any number of listeners.
//!
//! Invariants: every listener gets every outbox event, in order, once, and resumes after the `Last-Event-ID` it names;
//! the newest reading of a sensor is sent at most once a poll. Deliberately absent: a queue in memory: each
//! listener reads the database at its own pace, so a slow one costs nobody else.

mod listener;

use http::HeaderValue;
use pm_auth::Op;
use pm_web::{Answer, Call, Outcome, Refusal, Request, serve, spawn, stream};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("events", request, |op, call| async move {
        match op {
            Op::EventStream | Op::RealtimeEvents => listen(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn listen(call: &Call) -> Outcome {
    let resume_after = call.header("last-event-id").and_then(|id| id.trim().parse().ok());
    let listener = listener::Listener::start(call.db().await?, resume_after).await?;
    let (answer, feed) = stream(HeaderValue::from_static("text/event-stream"));
    spawn(listener.run(feed));
    Ok(answer)
}
