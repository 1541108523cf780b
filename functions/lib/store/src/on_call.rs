//! On-call schedules. `pm_domain::on_call` says who is on call.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, at, id, json, text, texts},
};
use pm_api::{
    OnCallScheduleId, Timestamp, UserId,
    input::Day,
    list::{ListQuery, Page},
    on_call::{Holiday, NewOnCallOverride, OnCallOverride, OnCallPlan, OnCallSchedule, Person},
    sort::OnCallScheduleSort,
};
use pm_domain::on_call::on_call;
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`schedule`] reads, of `on_call_schedules s`. Of the overrides, those that have not ended long ago.
macro_rules! columns {
    () => {
        "s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc', s.name, s.zone, s.people, s.turn_days,
         s.starts_on, s.hand_over_minute, s.holidays,
         (select coalesce(jsonb_agg(jsonb_build_object('id', o.id, 'user_id', o.user_id, 'starts_at', o.starts_at,
                                                       'ends_at', o.ends_at) order by o.starts_at, o.id), '[]')
          from on_call_overrides o where o.schedule_id = s.id and o.ends_at > now() - interval '92 days'),
         (select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'name', coalesce(nullif(u.full_name, ''), u.email),
                                                       'is_active', u.is_active) order by u.id), '[]')
          from users u
          where u.id::text = any (s.people) or s.holidays @> jsonb_build_array(jsonb_build_object('user_id', u.id))
             or exists (select from on_call_overrides o where o.schedule_id = s.id and o.user_id = u.id))"
    };
}

lists! {
    LIST: OnCallScheduleSort = List {
        columns: columns!(),
        rows: "from on_call_schedules s where true",
        id: Id::Uuid("s.id"),
        key: |sort| match sort {
            OnCallScheduleSort::Name => Key::Text("s.name"),
            OnCallScheduleSort::CreatedAt => Key::Time("s.created_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from on_call_schedules s where s.id = $1");
    ALL_SCHEDULES = concat!("select ", columns!(), " from on_call_schedules s");
    CREATE = concat!("
        insert into on_call_schedules as s (id, name, zone, people, turn_days, starts_on, hand_over_minute, holidays)
        select $2, $3, $4, $5::text[], $6, $7, $8, $9 from ", actor!(), "
        returning ", columns!());
    UPDATE = concat!("
        update on_call_schedules s set
            name = $3, zone = $4, people = $5::text[], turn_days = $6, starts_on = $7, hand_over_minute = $8, holidays = $9
        from ", actor!(), " where s.id = $2
        returning ", columns!());
    DELETE = concat!("
        with used as (
            select exists (select from escalation_chains c
                           where c.steps @> jsonb_build_array(jsonb_build_object('schedule_id', $2::uuid))) as is_used),
        gone as (
            delete from on_call_schedules s using used, ", actor!(), " where s.id = $2 and not used.is_used returning s.id)
        select is_used, exists (select from gone) from used");
    CREATE_OVERRIDE = concat!("
        insert into on_call_overrides (id, schedule_id, user_id, starts_at, ends_at)
        select $2, $3, $4, epoch_us($5), epoch_us($6) from ", actor!(), "
        returning id, user_id, starts_at at time zone 'utc', ends_at at time zone 'utc'");
    DELETE_OVERRIDE = concat!("
        delete from on_call_overrides using ", actor!(), " where schedule_id = $2 and id = $3");
    PEOPLE = "
        select id, coalesce(nullif(full_name, ''), email), is_active from users
        where is_active and not is_service order by 2, 1 limit 2000";
}

/// What people decide about a schedule.
#[derive(Debug, Clone)]
pub struct Decided {
    /// For people.
    pub name: String,
    /// Who is on call when. Its overrides are rows of their own.
    pub plan: OnCallPlan,
}

impl Decided {
    fn params(&self) -> Result<Vec<ParameterValue>, StoreError> {
        let plan = &self.plan;
        Ok(vec![
            text(&self.name),
            text(&plan.zone),
            texts(&plan.people),
            plan.turn_days.into(),
            text(&plan.starts_on.0),
            plan.hand_over_minute.into(),
            json(&plan.holidays)?,
        ])
    }
}

fn schedule(c: &mut Columns, now: Timestamp) -> Result<OnCallSchedule, StoreError> {
    let odd = |e: serde_json::Error| StoreError::Failed(e.to_string());
    let (id, created_at, updated_at, name) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let (zone, people) = (c.take()?, c.take::<Vec<String>>()?);
    let plan = OnCallPlan {
        zone,
        people: people.iter().filter_map(|id| id.parse::<UserId>().ok()).collect(),
        turn_days: c.take()?,
        starts_on: Day(c.take()?),
        hand_over_minute: c.take()?,
        holidays: serde_json::from_value::<Vec<Holiday>>(c.take()?).map_err(odd)?,
        overrides: serde_json::from_value::<Vec<OnCallOverride>>(c.take()?).map_err(odd)?,
    };
    let names: Vec<Person> = serde_json::from_value(c.take()?).map_err(odd)?;
    let on_call = on_call(&plan, now).0;
    Ok(OnCallSchedule { id, created_at, updated_at, name, plan, names, on_call })
}

/// A page of the schedules; `now` says who is on call.
pub async fn list(
    db: &Db,
    query: &ListQuery<OnCallScheduleSort>,
    now: Timestamp,
) -> Result<Page<OnCallSchedule>, StoreError> {
    LIST.page(db, query, Vec::new(), |c| schedule(c, now)).await
}

/// Every schedule.
pub async fn all(db: &Db, now: Timestamp) -> Result<Vec<OnCallSchedule>, StoreError> {
    db.rows(ALL_SCHEDULES, vec![], |c| schedule(c, now)).await
}

/// One schedule.
pub async fn get(
    db: &Db,
    schedule_id: OnCallScheduleId,
    now: Timestamp,
) -> Result<Option<OnCallSchedule>, StoreError> {
    db.first(GET, vec![id(schedule_id.0)], |c| schedule(c, now)).await
}

/// Creates a schedule.
///
/// # Errors
/// Constraint `on_call_schedules_name_unique`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: &Decided,
    now: Timestamp,
) -> Result<OnCallSchedule, StoreError> {
    let params = [vec![actor.setting(), id(Uuid::now_v7())], new.params()?].concat();
    db.one(CREATE, params, |c| schedule(c, now)).await
}

/// Changes a schedule; `None`: there is no such schedule.
///
/// # Errors
/// Constraint `on_call_schedules_name_unique`.
pub async fn update(
    db: &Db,
    actor: &Actor,
    schedule_id: OnCallScheduleId,
    new: &Decided,
    now: Timestamp,
) -> Result<Option<OnCallSchedule>, StoreError> {
    let params = [vec![actor.setting(), id(schedule_id.0)], new.params()?].concat();
    db.first(UPDATE, params, |c| schedule(c, now)).await
}

/// What became of a wish to delete something that steps may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    Done,
    /// A step of a chain names it.
    InUse,
    /// There is no such thing.
    Unknown,
}

impl Deletion {
    pub(crate) fn read(c: &mut Columns) -> Result<Self, StoreError> {
        let (in_use, gone): (bool, bool) = (c.take()?, c.take()?);
        Ok(if in_use {
            Self::InUse
        } else if gone {
            Self::Done
        } else {
            Self::Unknown
        })
    }
}

/// Deletes a schedule with its overrides, unless a step names it.
pub async fn delete(db: &Db, actor: &Actor, schedule_id: OnCallScheduleId) -> Result<Deletion, StoreError> {
    db.one(DELETE, vec![actor.setting(), id(schedule_id.0)], Deletion::read).await
}

/// Has somebody stand in.
///
/// # Errors
/// Constraints `on_call_overrides_schedule_exists`, `on_call_overrides_user_exists`.
pub async fn create_override(
    db: &Db,
    actor: &Actor,
    schedule_id: OnCallScheduleId,
    new: &NewOnCallOverride,
) -> Result<OnCallOverride, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        id(schedule_id.0),
        id(new.user_id.0),
        at(new.starts_at),
        at(new.ends_at),
    ];
    db.one(CREATE_OVERRIDE, params, |c| {
        Ok(OnCallOverride { id: c.take()?, user_id: c.take()?, starts_at: c.take()?, ends_at: c.take()? })
    })
    .await
}

/// Removes an override. False: there is no such override.
pub async fn delete_override(
    db: &Db,
    actor: &Actor,
    schedule_id: OnCallScheduleId,
    override_id: Uuid,
) -> Result<bool, StoreError> {
    let params = vec![actor.setting(), id(schedule_id.0), id(override_id)];
    Ok(db.execute(DELETE_OVERRIDE, params).await? > 0)
}

/// The people who can be on call, by name.
pub async fn people(db: &Db) -> Result<Vec<Person>, StoreError> {
    db.rows(PEOPLE, vec![], |c| Ok(Person { id: c.take()?, name: c.take()?, is_active: c.take()? })).await
}
