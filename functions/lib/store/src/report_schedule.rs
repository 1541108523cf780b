//! Schedules of reports. A run is claimed with a lease; what was not finished before the lease ends is run again.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, at, id, optional, text, texts},
};
use pm_api::{
    MachineId, ReportScheduleId, SensorId, Timestamp,
    list::{ListQuery, Page},
    report::{Cadence, ReportFormat, ReportSchedule},
    sort::ReportScheduleSort,
};
use pm_domain::{schedule::Rule, zone::Zone};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`schedule`] reads, of `report_schedules s`.
macro_rules! columns {
    () => {
        "s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc', s.name, s.format, s.cadence, s.weekday,
         s.hour, s.utc_offset_minutes, s.zone, s.machine_id, s.sensor_id, to_jsonb(s.recipients), s.is_active, s.created_by,
         s.next_run_at at time zone 'utc', s.last_run_at at time zone 'utc', s.last_error"
    };
}

lists! {
    LIST: ReportScheduleSort = List {
        columns: columns!(),
        rows: "from report_schedules s where true",
        id: Id::Uuid("s.id"),
        key: |sort| match sort {
            ReportScheduleSort::CreatedAt => Key::Time("s.created_at"),
            ReportScheduleSort::Name => Key::Text("s.name"),
            ReportScheduleSort::NextRunAt => Key::Time("s.next_run_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from report_schedules s where s.id = $1");
    CREATE = concat!("
        insert into report_schedules as s (id, created_by, name, format, cadence, weekday, hour, utc_offset_minutes, machine_id,
                                      sensor_id, recipients, is_active, next_run_at, zone)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text[], $13, epoch_us($14), $15
        from ", actor!(), "
        returning ", columns!());
    UPDATE = concat!("
        update report_schedules s set
            name = $3, format = $4, cadence = $5, weekday = $6, hour = $7, utc_offset_minutes = $8, machine_id = $9,
            sensor_id = $10, recipients = $11::text[], is_active = $12, next_run_at = epoch_us($13), zone = $14
        from ", actor!(), "
        where id = $2
        returning ", columns!());
    DELETE = concat!("
        delete from report_schedules using ", actor!(), " where id = $2");
    WORK_TO_DO = "
        select exists (
                   select from report_schedules
                   where is_active and next_run_at <= now() and (leased_until is null or leased_until < now()))
            or exists (select from reports where expires_at <= now())";
    CLAIM = concat!("
        update report_schedules s set leased_until = now() + $1::int8 * interval '1 second', attempts = attempts + 1
        from (
            select id from report_schedules
            where is_active and next_run_at <= now() and (leased_until is null or leased_until < now())
            order by next_run_at limit 1 for update skip locked) due
        where s.id = due.id
        returning ", columns!(), ", s.attempts, coalesce((select coalesce(u.full_name, u.email) from users u where u.id = s.created_by), '')");
    FINISH = "
        update report_schedules set
            leased_until = null, attempts = 0, last_run_at = now(), last_error = $2,
            next_run_at = case when next_run_at = epoch_us($3) then epoch_us($4) else next_run_at end
        where id = $1";
    FAIL = "update report_schedules set last_error = $2 where id = $1";
}

/// What a person decides about a schedule.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Name; the title of its reports.
    pub name: String,
    /// Format of its reports.
    pub format: ReportFormat,
    /// When it is due.
    pub rule: Rule,
    /// Name of the rule's zone.
    pub zone: Option<String>,
    /// Only this machine.
    pub machine_id: Option<MachineId>,
    /// Only this sensor.
    pub sensor_id: Option<SensorId>,
    /// Mail addresses.
    pub recipients: Vec<String>,
    /// Does it run?
    pub is_active: bool,
    /// When it is due next.
    pub next_run_at: Timestamp,
}

impl Plan {
    fn params(&self) -> Vec<ParameterValue> {
        let small = |n: i64| ParameterValue::Int16(i16::try_from(n).unwrap_or(i16::MAX));
        vec![
            text(&self.name),
            text(self.format.as_str()),
            text(self.rule.cadence.as_str()),
            small(self.rule.weekday),
            small(self.rule.hour),
            small(self.rule.utc_offset_minutes),
            optional(self.machine_id, |m| id(m.0)),
            optional(self.sensor_id, |s| id(s.0)),
            texts(&self.recipients),
            self.is_active.into(),
            at(self.next_run_at),
            optional(self.zone.as_deref(), text),
        ]
    }
}

/// The rule of a schedule.
#[must_use]
pub fn rule(schedule: &ReportSchedule) -> Rule {
    Rule {
        cadence: schedule.cadence,
        weekday: schedule.weekday,
        hour: schedule.hour,
        utc_offset_minutes: schedule.utc_offset_minutes,
        zone: schedule.zone.as_deref().and_then(Zone::named),
    }
}

/// A page of the schedules.
pub async fn list(
    db: &Db,
    query: &ListQuery<ReportScheduleSort>,
) -> Result<Page<ReportSchedule>, StoreError> {
    LIST.page(db, query, Vec::new(), schedule).await
}

/// One schedule.
pub async fn get(db: &Db, schedule_id: ReportScheduleId) -> Result<Option<ReportSchedule>, StoreError> {
    db.first(GET, vec![id(schedule_id.0)], schedule).await
}

/// Creates a schedule.
///
/// # Errors
/// Constraint `report_schedules_machine_exists` or `report_schedules_sensor_exists`; else whatever the database says.
pub async fn create(db: &Db, actor: &Actor, plan: &Plan) -> Result<ReportSchedule, StoreError> {
    let mut params = vec![actor.setting(), id(Uuid::now_v7()), id(actor.user_id.0)];
    params.extend(plan.params());
    db.one(CREATE, params, schedule).await
}

/// Changes a schedule; `None` if there is no such schedule.
///
/// # Errors
/// As [`create`].
pub async fn update(
    db: &Db,
    actor: &Actor,
    schedule_id: ReportScheduleId,
    plan: &Plan,
) -> Result<Option<ReportSchedule>, StoreError> {
    let mut params = vec![actor.setting(), id(schedule_id.0)];
    params.extend(plan.params());
    db.first(UPDATE, params, schedule).await
}

/// Removes a schedule; its reports stay. False: no such schedule.
pub async fn delete(db: &Db, actor: &Actor, schedule_id: ReportScheduleId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(schedule_id.0)]).await? > 0)
}

/// Is a schedule due, or a report to be removed?
pub async fn work_to_do(db: &Db) -> Result<bool, StoreError> {
    db.one(WORK_TO_DO, vec![], Columns::take).await
}

/// A run that was claimed.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The schedule.
    pub schedule: ReportSchedule,
    /// Which attempt at this run it is, from 1.
    pub attempt: i16,
    /// Who made the schedule, for people.
    pub made_by: String,
}

/// Takes the schedule that has been due longest; it is the caller's for `lease_s` seconds.
pub async fn claim(db: &Db, lease_s: i64) -> Result<Option<Claimed>, StoreError> {
    db.first(CLAIM, vec![lease_s.into()], |c| {
        Ok(Claimed { schedule: schedule(c)?, attempt: c.take()?, made_by: c.take()? })
    })
    .await
}

/// Ends a run: the schedule is due next at `next`, unless it was changed meanwhile.
pub async fn finish(
    db: &Db,
    run: &ReportSchedule,
    next: Timestamp,
    error: Option<&str>,
) -> Result<(), StoreError> {
    let params = vec![id(run.id.0), optional(error, text), at(run.next_run_at), at(next)];
    db.execute(FINISH, params).await.map(drop)
}

/// Notes why an attempt failed; it is made again when its lease has ended.
pub async fn fail(db: &Db, schedule_id: ReportScheduleId, error: &str) -> Result<(), StoreError> {
    db.execute(FAIL, vec![id(schedule_id.0), text(error)]).await.map(drop)
}

fn schedule(c: &mut Columns) -> Result<ReportSchedule, StoreError> {
    let small = |c: &mut Columns| c.take::<i16>().map(i64::from);
    Ok(ReportSchedule {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        format: c.word()?,
        cadence: c.word::<Cadence>()?,
        weekday: small(c)?,
        hour: small(c)?,
        utc_offset_minutes: small(c)?,
        zone: c.take()?,
        machine_id: c.take()?,
        sensor_id: c.take()?,
        recipients: serde_json::from_value(c.take()?).map_err(|e| StoreError::Failed(e.to_string()))?,
        is_active: c.take()?,
        created_by: c.take()?,
        next_run_at: c.take()?,
        last_run_at: c.take()?,
        last_error: c.take()?,
    })
}
