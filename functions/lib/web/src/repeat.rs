//! `Idempotency-Key`: a request that a client sends again, because it did not get the answer, is done once.
//!
//! A key belongs to the user who sent it and to one request, and is remembered for a day. The answer of a request that
//! succeeded is given again; one that was refused may be sent again with the same key.

use crate::{
    Answer, Call, Outcome, Refusal, log_warning,
    reply::{CompleteBody, bytes},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use pm_api::route::Op;
use pm_store::{
    Db,
    idempotency::{self, Claim, Request},
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// Longest key, bytes.
const MAX_KEY_BYTES: usize = 255;
/// Largest answer that is remembered, bytes.
const MAX_ANSWER_BYTES: usize = 256 * 1024;
/// In an answer that was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Lets `handle` do the request, unless it was done before.
pub(crate) async fn once<F>(op: Op, call: Call, handle: impl FnOnce(Op, Call) -> F) -> Outcome
where
    F: Future<Output = Outcome>,
{
    let Some(request) = request(&call)? else { return handle(op, call).await };
    let db = call.db().await?;
    match idempotency::claim(&db, &request).await? {
        Claim::New => {}
        Claim::Running => {
            let text = "The request with this Idempotency-Key is still being answered";
            return Err(Refusal::Conflict(text.to_owned()));
        }
        Claim::OfAnother => {
            let text = "This Idempotency-Key was used for another request";
            let place = &["header", "idempotency-key"];
            return Err(Refusal::field("value_error", place, text, request.key.into()));
        }
        Claim::Done(status, body) => return Ok(replayed(status, body)),
    }
    let outcome = handle(op, call).await;
    let noted = match &outcome {
        Ok(answer) if answer.status().is_success() => remember(&db, &request, answer).await,
        _ => idempotency::release(&db, &request).await.map_err(|e| e.to_string()),
    };
    if let Err(error) = noted {
        log_warning(&format!("the answer to a request with an Idempotency-Key was not noted: {error}"));
    }
    outcome
}

/// The request, if it may be repeated and names a key.
fn request(call: &Call) -> Result<Option<Request>, Refusal> {
    let Some(key) = call.headers.get("idempotency-key").filter(|_| call.route.is_repeatable()) else {
        return Ok(None);
    };
    let key = key.to_str().ok().map(str::trim).filter(|k| !k.is_empty() && k.len() <= MAX_KEY_BYTES);
    let Some(key) = key else {
        let text = format!("An Idempotency-Key has 1 to {MAX_KEY_BYTES} visible ASCII characters");
        let place = &["header", "idempotency-key"];
        return Err(Refusal::field("value_error", place, text, serde_json::Value::Null));
    };
    let mut hasher = DefaultHasher::new();
    (call.route.path, call.params(), call.query.pairs(), &call.body[..]).hash(&mut hasher);
    let user_id = call.identity()?.user_id;
    Ok(Some(Request { user_id, key: key.to_owned(), fingerprint: hasher.finish().cast_signed() }))
}

async fn remember(db: &Db, request: &Request, answer: &Answer) -> Result<(), String> {
    let body = answer.extensions().get().map(|CompleteBody(body)| body.to_vec()).unwrap_or_default();
    if body.len() > MAX_ANSWER_BYTES {
        return Err(format!("it has {} bytes", body.len()));
    }
    idempotency::complete(db, request, answer.status().as_u16().into(), &body)
        .await
        .map_err(|e| e.to_string())
}

fn replayed(status: i32, body: Vec<u8>) -> Answer {
    let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let status = status.unwrap_or(StatusCode::OK);
    let mut answer = if body.is_empty() { crate::empty(status) } else { bytes(status, JSON, body) };
    answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    answer.headers_mut().insert(header::CACHE_CONTROL, crate::NO_STORE);
    answer
}
