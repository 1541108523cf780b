//! One change to many alarms.

use crate::change::{doing, from, read};
use http::StatusCode;
use pm_api::AlarmId;
use pm_domain::alarm::refusal;
use pm_store::alarm_change;
use pm_web::{Call, Fields, Outcome, Refusal, empty};
use serde_json::Value;

const MOST: usize = 1000;

/// `POST /alarms/bulk`, all or nothing. The body is `{"payload": [change], "ids": […]}`, or the payload alone with the
/// ids in the query; the first change is for all alarms.
pub(crate) async fn change(call: &Call) -> Outcome {
    let (payload, ids) = parts(call)?;
    let ids = read_ids(ids)?;
    let payload = payload.as_array().and_then(|changes| changes.first()).cloned();
    let payload = payload.ok_or_else(|| {
        Refusal::field("too_short", &["body", "payload"], "List should have at least 1 item", Value::Null)
    })?;
    let change = read(Fields::parse(payload.to_string().as_bytes())?)?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    let changed = alarm_change::change(&db, &actor, &ids, &from(&change), &change).await?;
    if changed.done {
        return Ok(empty(StatusCode::NO_CONTENT));
    }
    let allowed = from(&change);
    let problems: Vec<_> = changed
        .was
        .iter()
        .filter_map(|(id, was)| match was {
            None => Some(format!("{id}: there is no such alarm")),
            Some(was) if !allowed.contains(was) => Some(format!("{id}: {}", refusal(*was, change.status))),
            Some(_) => None,
        })
        .collect();
    Err(Refusal::BadRequest(format!("No alarm was changed. {}", problems.join("; "))))
}

/// The payload and the list of ids, from body and query.
fn parts(call: &Call) -> Result<(Value, Value), Refusal> {
    let in_query =
        || call.query.text("ids").map_or(Value::Null, |ids| ids.split(',').map(str::trim).collect());
    match serde_json::from_slice(&call.body) {
        Ok(Value::Array(payload)) => Ok((payload.into(), in_query())),
        Ok(Value::Object(mut body)) => {
            let ids = body.remove("ids").unwrap_or_else(in_query);
            Ok((body.remove("payload").unwrap_or_default(), ids))
        }
        // refused with the usual words
        _ => Fields::parse(&call.body).map(|_| (Value::Null, Value::Null)),
    }
}

fn read_ids(ids: Value) -> Result<Vec<AlarmId>, Refusal> {
    let Value::Array(list) = ids else {
        let message = "A list of ids is required, in the body or as ?ids=a,b";
        return Err(Refusal::field("missing", &["body", "ids"], message, ids));
    };
    if list.is_empty() || list.len() > MOST {
        let message = format!("List should have 1 to {MOST} items");
        return Err(Refusal::field("too_long", &["body", "ids"], message, Value::Null));
    }
    list.into_iter()
        .map(|id| {
            id.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
                Refusal::field("uuid_parsing", &["body", "ids"], "Input should be a valid UUID", id)
            })
        })
        .collect()
}
