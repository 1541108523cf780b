//! On-call schedules.

use pm_api::{
    OnCallScheduleId, Timestamp, UserId,
    input::{Day, FieldFault},
    list::Page,
    on_call::{
        Holiday, MAX_SHIFTS_DAYS, OnCallOverride, OnCallPlan, OnCallSchedule, OnCallScheduleChange, Person,
        Shift,
    },
    route::op,
};
use pm_domain::{duration::DAY_S, on_call::shifts as shifts_of, zone};
use pm_store::{
    Db, StoreError,
    on_call::{self, Decided, Deletion},
};
use pm_web::{Input, Refusal, now};
use serde_json::json;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The zone of a schedule that names none.
const DEFAULT_ZONE: &str = "UTC";
/// A turn lasts so long unless somebody says otherwise, days.
const DEFAULT_TURN_DAYS: i64 = 7;
/// Turns are handed over at 08:00 unless somebody says otherwise, minutes after midnight.
const DEFAULT_HAND_OVER_MINUTE: i64 = 8 * 60;
/// Shifts are told for so long unless somebody says otherwise, days.
const DEFAULT_SHIFTS_DAYS: i64 = 14;

pub(crate) async fn list(input: Input<op::ListOnCallSchedules>) -> Result<Page<OnCallSchedule>, Refusal> {
    Ok(on_call::list(&input.db().await?, &input.page, now()).await?)
}

pub(crate) async fn get(input: Input<op::GetOnCallSchedule>) -> Result<OnCallSchedule, Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    on_call::get(&input.db().await?, id, now()).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn create(input: Input<op::CreateOnCallSchedule>) -> Result<OnCallSchedule, Refusal> {
    let new = &input.body;
    let decided = Decided {
        name: new.name.trim().to_owned(),
        plan: OnCallPlan {
            zone: new.zone.as_ref().map_or_else(|| DEFAULT_ZONE.to_owned(), |zone| zone.trim().to_owned()),
            people: new.people.to_vec(),
            turn_days: new.turn_days.map_or(DEFAULT_TURN_DAYS, |days| days.0),
            starts_on: new.starts_on.clone(),
            hand_over_minute: new.hand_over_minute.map_or(DEFAULT_HAND_OVER_MINUTE, |minute| minute.0),
            holidays: new.holidays.as_ref().map(|days| days.to_vec()).unwrap_or_default(),
            overrides: Vec::new(),
        },
    };
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    check(&db, &decided.plan).await?;
    on_call::create(&db, &actor, &decided, now()).await.map_err(|error| taken(error, &decided.name))
}

pub(crate) async fn update(input: Input<op::UpdateOnCallSchedule>) -> Result<OnCallSchedule, Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = on_call::get(&db, id, now()).await?.ok_or(Refusal::NotFound)?;
    let decided = changed(before, &input.body);
    check(&db, &decided.plan).await?;
    let done = on_call::update(&db, &actor, id, &decided, now()).await;
    done.map_err(|error| taken(error, &decided.name))?.ok_or(Refusal::NotFound)
}

fn changed(before: OnCallSchedule, change: &OnCallScheduleChange) -> Decided {
    let OnCallPlan { zone, people, turn_days, starts_on, hand_over_minute, holidays, overrides } =
        before.plan;
    let starts_on: Day = change.starts_on.clone().unwrap_or(starts_on);
    Decided {
        name: change.name.as_ref().map_or(before.name, |name| name.trim().to_owned()),
        plan: OnCallPlan {
            zone: change.zone.as_ref().map_or(zone, |zone| zone.trim().to_owned()),
            people: change.people.as_ref().map_or(people, |people| people.to_vec()),
            turn_days: change.turn_days.map_or(turn_days, |days| days.0),
            starts_on,
            hand_over_minute: change.hand_over_minute.map_or(hand_over_minute, |minute| minute.0),
            holidays: change.holidays.as_ref().map_or(holidays, |days| days.to_vec()),
            overrides,
        },
    }
}

/// A zone has to be one of the IANA database, and people have to be active accounts of people.
async fn check(db: &Db, plan: &OnCallPlan) -> Result<(), Refusal> {
    if let Some(fault) = zone::fault(&plan.zone) {
        return Err(Refusal::in_body(vec![fault]));
    }
    let known: BTreeSet<UserId> = on_call::people(db).await?.into_iter().map(|person| person.id).collect();
    let unknown = |field: &'static str, id: &UserId| {
        FieldFault::new(field, "There is no active account of a person with this id", json!(id))
    };
    let mut faults: Vec<_> =
        plan.people.iter().filter(|id| !known.contains(id)).map(|id| unknown("people", id)).collect();
    let on_holidays = plan.holidays.iter().filter_map(|Holiday { user_id, .. }| user_id.as_ref());
    faults.extend(on_holidays.filter(|id| !known.contains(id)).map(|id| unknown("holidays", id)));
    if faults.is_empty() { Ok(()) } else { Err(Refusal::in_body(faults)) }
}

/// A name that another one has.
pub(crate) fn taken(error: StoreError, name: &str) -> Refusal {
    match error {
        StoreError::Constraint(constraint) if constraint.ends_with("_name_unique") => {
            Refusal::in_body(vec![FieldFault::new("name", "Another one has this name", name)])
        }
        other => other.into(),
    }
}

/// The answer to a wish to delete.
pub(crate) fn deleted(deletion: Deletion) -> Result<(), Refusal> {
    match deletion {
        Deletion::Done => Ok(()),
        Deletion::Unknown => Err(Refusal::NotFound),
        Deletion::InUse => Err(Refusal::Conflict("A step of an escalation chain names it".to_owned())),
    }
}

pub(crate) async fn delete(input: Input<op::DeleteOnCallSchedule>) -> Result<(), Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    deleted(on_call::delete(&db, &actor, id).await?)
}

pub(crate) async fn shifts(input: Input<op::OnCallShifts>) -> Result<Vec<Shift>, Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    let now = now();
    let from: Timestamp = input.query.from.unwrap_or(now);
    let to = input.query.to.unwrap_or(from.plus_seconds(DEFAULT_SHIFTS_DAYS * DAY_S));
    if to <= from || to > from.plus_seconds(MAX_SHIFTS_DAYS * DAY_S) {
        let message = "Input should be later than from, by at most 92 days";
        return Err(Refusal::field("value_error", &["query", "to"], message.to_owned(), json!(to)));
    }
    let schedule = on_call::get(&input.db().await?, id, now).await?.ok_or(Refusal::NotFound)?;
    Ok(shifts_of(&schedule.plan, from, to))
}

pub(crate) async fn stand_in(input: Input<op::CreateOnCallOverride>) -> Result<OnCallOverride, Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    match on_call::create_override(&db, &actor, id, &input.body).await {
        Err(StoreError::Constraint(name)) if name == "on_call_overrides_schedule_exists" => {
            Err(Refusal::NotFound)
        }
        Err(StoreError::Constraint(name)) if name == "on_call_overrides_user_exists" => {
            let message = "There is no account with this id";
            Err(Refusal::in_body(vec![FieldFault::new("user_id", message, json!(input.body.user_id))]))
        }
        done => Ok(done?),
    }
}

pub(crate) async fn remove_override(input: Input<op::DeleteOnCallOverride>) -> Result<(), Refusal> {
    let id: OnCallScheduleId = input.id("schedule_id")?;
    let override_id: Uuid = input.id("override_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = on_call::delete_override(&db, &actor, id, override_id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

pub(crate) async fn people(input: Input<op::OnCallPeople>) -> Result<Vec<Person>, Refusal> {
    Ok(on_call::people(&input.db().await?).await?)
}
