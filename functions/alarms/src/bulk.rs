//! One change to many alarms.

use crate::{
    act::{Problem, act},
    change::{doing, read},
};
use http::StatusCode;
use pm_api::AlarmId;
use pm_domain::alarm::workflow::Action;
use pm_web::{Call, Fields, Outcome, Refusal, empty};
use serde_json::Value;
use std::collections::BTreeSet;

const MOST: usize = 1000;

/// `POST /alarms/bulk`, all or nothing. The body is `{"payload": [change], "ids": […]}`, or the payload alone with the
/// ids in the query; the first change is for all alarms.
pub(crate) async fn change(call: &Call) -> Outcome {
    let (payload, ids) = parts(call)?;
    let ids: Vec<_> = read_ids(ids)?.into_iter().collect();
    let payload = payload.as_array().and_then(|changes| changes.first()).cloned();
    let payload = payload.ok_or_else(|| {
        Refusal::field("too_short", &["body", "payload"], "List should have at least 1 item", Value::Null)
    })?;
    let change = read(Fields::parse(payload.to_string().as_bytes())?)?;
    let db = call.db().await?;
    let actor = doing(call.actor(&db).await?, &change);
    match act(&db, &actor, &ids, &Action::Update(change)).await? {
        Ok(_) => Ok(empty(StatusCode::NO_CONTENT)),
        Err(problems) => {
            let problems: Vec<_> = problems
                .into_iter()
                .map(|(id, problem)| match problem {
                    Problem::Missing => format!("{id}: there is no such alarm"),
                    Problem::Forbidden(reason) => format!("{id}: {reason}"),
                })
                .collect();
            Err(Refusal::BadRequest(format!("No alarm was changed. {}", problems.join("; "))))
        }
    }
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

/// Each alarm once.
fn read_ids(ids: Value) -> Result<BTreeSet<AlarmId>, Refusal> {
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
