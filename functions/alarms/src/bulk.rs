//! One change to many alarms.

use crate::{
    act::{Problem, act},
    change::{check_time, doing},
};
use pm_api::{AlarmId, route::op};
use pm_domain::alarm::workflow::Action;
use pm_web::{Input, Refusal};
use serde_json::Value;
use std::collections::BTreeSet;

/// `POST /alarms/bulk`, all or nothing. The ids stand in the body or in the query; the first change is for all alarms.
pub(crate) async fn change(input: Input<op::ChangeAlarms>) -> Result<(), Refusal> {
    let ids = ids(&input)?;
    let change = input.body.payload.first().ok_or(Refusal::NotFound)?.clone();
    check_time(&change, &["body", "payload", "resolved_at"])?;
    let db = input.db().await?;
    let actor = doing(input.actor(&db).await?, &change);
    match act(&db, &actor, &ids, &Action::Update(change)).await? {
        Ok(_) => Ok(()),
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

/// Each alarm once.
fn ids(input: &Input<op::ChangeAlarms>) -> Result<Vec<AlarmId>, Refusal> {
    let ids = match (&input.body.ids, &input.query.ids) {
        (Some(ids), _) => ids.0.iter(),
        (None, Some(ids)) => ids.0.iter(),
        (None, None) => {
            let message = "A list of ids is required, in the body or as ?ids=a,b";
            return Err(Refusal::field("missing", &["body", "ids"], message, Value::Null));
        }
    };
    Ok(ids.copied().collect::<BTreeSet<_>>().into_iter().collect())
}
