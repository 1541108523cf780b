//! Doing what a person asks to alarms, by the rule of pm-domain.

use pm_api::{AlarmId, alarm::Alarm};
use pm_domain::alarm::workflow::{self, Action};
use pm_store::{Actor, Db, alarm_change};
use pm_web::{Refusal, now};

/// How often the alarms are read before the person is asked to look again.
const MAX_ATTEMPTS: u32 = 5;

/// Why an alarm stays as it is.
pub(crate) enum Problem {
    /// There is no such alarm.
    Missing,
    /// The rule forbids it, for this reason.
    Forbidden(String),
}

/// Does `action` to all alarms, or to none; returns them as they are after it, or what is wrong with which.
/// `ids` hold no alarm twice.
pub(crate) async fn act(
    db: &Db,
    actor: &Actor,
    ids: &[AlarmId],
    action: &Action,
) -> Result<Result<Vec<Alarm>, Vec<(AlarmId, Problem)>>, Refusal> {
    for _ in 0..MAX_ATTEMPTS {
        let known = alarm_change::read(db, ids).await?;
        let missing = ids.iter().filter(|id| known.iter().all(|k| k.alarm.id != **id));
        let mut problems: Vec<_> = missing.map(|id| (*id, Problem::Missing)).collect();
        let (mut decided, mut unchanged) = (Vec::new(), Vec::new());
        let now = now();
        for known in known {
            match workflow::act(&known.alarm, action, actor.user_id, now) {
                Ok(Some(outcome)) => decided.push((known, outcome)),
                Ok(None) => unchanged.push(known.alarm),
                Err(reason) => problems.push((known.alarm.id, Problem::Forbidden(reason))),
            }
        }
        if !problems.is_empty() {
            return Ok(Err(problems));
        }
        if decided.is_empty() {
            return Ok(Ok(unchanged));
        }
        let metadata = match action {
            Action::Update(update) => update.metadata.as_ref(),
            Action::Shelve { .. } | Action::Unshelve => None,
        };
        if let Some(changed) = alarm_change::change(db, actor, &decided, metadata).await? {
            unchanged.extend(changed);
            return Ok(Ok(unchanged));
        }
    }
    Err(Refusal::Conflict("The alarm was changed by somebody else; look again".to_owned()))
}

/// The same for one alarm.
pub(crate) async fn act_on(db: &Db, actor: &Actor, id: AlarmId, action: &Action) -> Result<Alarm, Refusal> {
    match act(db, actor, &[id], action).await? {
        Ok(alarms) => alarms.into_iter().next().ok_or(Refusal::NotFound),
        Err(problems) => Err(match problems.into_iter().next() {
            Some((_, Problem::Forbidden(reason))) => Refusal::BadRequest(reason),
            Some((_, Problem::Missing)) | None => Refusal::NotFound,
        }),
    }
}
