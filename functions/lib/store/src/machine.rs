//! Machines.

use crate::{
    Actor, Db, StoreError,
    closed::alarm_is_open,
    list::{Id, Key, List, Total, lists},
    statement::{actor, contains_text, statements},
    value::{Columns, id, json, optional, optional_texts, text, texts},
};
use pm_api::{
    Criticality, MachineId, MachineStatus, Metadata, Timestamp,
    list::{ListQuery, Page},
    machine::{
        Machine, MachineChange, MachineFilter, MachineSummary, NewMachine, SummaryMachine, SummaryPrediction,
        SummaryReading, ThresholdsByType,
    },
    sort::MachineSort,
};
use pm_domain::reliability::{REPORTING_HOURS, reporting_percent};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`machine`] reads.
macro_rules! columns {
    () => {
        "name, location, description, status, criticality, metadata, last_service_date::text, id,
         created_at at time zone 'utc', updated_at at time zone 'utc'"
    };
}

lists! {
    LIST: MachineSort = List {
        columns: columns!(),
        rows: concat!("
            from machines
            where ($1::text is null or status = $1) and ($2::text is null or criticality = $2)
              and ", contains_text!("$3" in "name, location, description")),
        id: Id::Uuid("id"),
        key: |sort| match sort {
            MachineSort::CreatedAt => Key::Time("created_at"),
            MachineSort::UpdatedAt => Key::Time("updated_at"),
            MachineSort::Name => Key::Text("name"),
            MachineSort::Location => Key::Text("coalesce(location, '')"),
            MachineSort::Status => Key::Text("status"),
            MachineSort::Criticality => Key::Rank("criticality", Criticality::WORDS.to_vec()),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from machines where id = $1");
    CREATE = concat!("
        insert into machines (id, name, location, description, status, criticality, metadata, last_service_date, mqtt_id)
        select $2, $3, $4, $5, $6, $7, $8, $9::text::date,
               -- payloads know the first machine of a name by that name
               case when not exists (select from machines where mqtt_id = $3) then $3 end
        from ", actor!(), "
        returning ", columns!());
    CREATE_ALL = concat!("
        insert into machines (id, name, location, description, status, criticality, metadata, last_service_date, mqtt_id)
        select u.id::uuid, u.name, u.location, u.description, u.status, u.criticality, u.metadata::jsonb, u.day::date,
               case when row_number() over (partition by u.name order by u.ord) = 1
                     and not exists (select from machines where mqtt_id = u.name) then u.name end
        from ", actor!(), ",
             unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
                 with ordinality u (id, name, location, description, status, criticality, metadata, day, ord)
        returning ", columns!());
    UPDATE = concat!("
        with changed as (
            update machines m set
                name = coalesce($3, m.name),
                location = case when $4 then $5 else m.location end,
                description = case when $6 then $7 else m.description end,
                status = coalesce($8, m.status),
                criticality = coalesce($9, m.criticality),
                metadata = case when $10 then $11::jsonb else m.metadata end,
                last_service_date = case when $12 then $13::text::date else m.last_service_date end
            from ", actor!(), "
            where m.id = $2
            returning m.*)
        select ", columns!(), " from changed");
    THRESHOLDS = "select coalesce(thresholds, '{}') from machines where id = $1";
    SET_THRESHOLDS = concat!("
        update machines set thresholds = $3::jsonb
        from ", actor!(), "
        where id = $2");
    SUMMARY = concat!("
        select m.id, m.name, m.status, m.criticality,
               r.time at time zone 'utc', r.value, r.sensor_id,
               p.time at time zone 'utc', p.status, p.confidence, p.model_version,
               f.remaining_hours, f.remaining_lower_hours, f.remaining_upper_hours, f.remaining_method, f.remaining_model,
               (select count(*) from alarms a where a.machine_id = m.id and ", alarm_is_open!("a."), "),
               m.created_at at time zone 'utc', now() at time zone 'utc',
               (select count(*) from generate_series(1, $2::int8) hour
                where exists (
                    select from sensors s join sensor_data d on d.sensor_id = s.id
                    where s.machine_id = m.id and d.time > now() - hour * interval '1 hour'
                      and d.time <= now() - (hour - 1) * interval '1 hour'))
        from machines m
        left join lateral (
            select l.time, l.value, l.sensor_id from sensors s join sensor_latest l on l.sensor_id = s.id
            where s.machine_id = m.id order by l.time desc limit 1) r on true
        left join lateral (
            select p.* from sensors s
            cross join lateral (
                select time, status, confidence, model_version from predictions
                where sensor_id = s.id order by time desc limit 1) p
            where s.machine_id = m.id order by p.time desc limit 1) p on true
        left join lateral (
            select p.* from sensors s
            cross join lateral (
                select remaining_hours, remaining_lower_hours, remaining_upper_hours, remaining_method, remaining_model
                from predictions where sensor_id = s.id order by time desc limit 1) p
            where s.machine_id = m.id and p.remaining_method is not null
            order by p.remaining_method = 'network' desc, p.remaining_hours limit 1) f on true
        where m.id = $1");
}

fn machine(c: &mut Columns) -> Result<Machine, StoreError> {
    Ok(Machine {
        name: c.take()?,
        location: c.take()?,
        description: c.take()?,
        status: c.word()?,
        criticality: c.word()?,
        metadata: c.take()?,
        last_service_date: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
    })
}

/// A page of the machines.
pub async fn list(
    db: &Db,
    filter: &MachineFilter,
    query: &ListQuery<MachineSort>,
) -> Result<Page<Machine>, StoreError> {
    let filter = vec![
        optional(filter.status, |s| text(s.as_str())),
        optional(filter.criticality, |c| text(c.as_str())),
        optional(filter.q.as_deref(), text),
    ];
    LIST.page(db, query, filter, machine).await
}

/// One machine.
pub async fn get(db: &Db, machine_id: MachineId) -> Result<Option<Machine>, StoreError> {
    db.first(GET, vec![id(machine_id.0)], machine).await
}

fn status(new: &NewMachine) -> MachineStatus {
    new.status.unwrap_or(MachineStatus::Online)
}

fn criticality(new: &NewMachine) -> Criticality {
    new.criticality.unwrap_or(Criticality::Medium)
}

/// Creates a machine.
pub async fn create(db: &Db, actor: &Actor, new: &NewMachine) -> Result<Machine, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(&*new.name),
        optional(new.location.as_deref(), text),
        optional(new.description.as_deref(), text),
        text(status(new).as_str()),
        text(criticality(new).as_str()),
        new.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
        optional(new.last_service_date.as_ref(), |day| text(&*day.0)),
    ];
    db.one(CREATE, params, machine).await
}

/// Changes a machine; `None` if there is no such machine.
pub async fn update(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    change: &MachineChange,
) -> Result<Option<Machine>, StoreError> {
    let params = vec![
        actor.setting(),
        id(machine_id.0),
        optional(change.name.as_deref(), text),
        (!change.location.is_absent()).into(),
        optional(change.location.given().map(|l| &**l), text),
        (!change.description.is_absent()).into(),
        optional(change.description.given().map(|d| &**d), text),
        optional(change.status, |s| text(s.as_str())),
        optional(change.criticality, |s| text(s.as_str())),
        (!change.metadata.is_absent()).into(),
        change.metadata.given().map_or(Ok(ParameterValue::DbNull), json)?,
        (!change.last_service_date.is_absent()).into(),
        optional(change.last_service_date.given(), |day| text(&*day.0)),
    ];
    db.first(UPDATE, params, machine).await
}

/// Creates machines, all or none, and gives them in the same order.
pub async fn create_all(db: &Db, actor: &Actor, new: &[NewMachine]) -> Result<Vec<Machine>, StoreError> {
    let metadata = new.iter().map(|m| m.metadata.as_ref().map(serde_json::to_string).transpose());
    let metadata: Vec<_> =
        metadata.collect::<Result<_, _>>().map_err(|e| StoreError::Failed(e.to_string()))?;
    let params = vec![
        actor.setting(),
        texts(new.iter().map(|_| Uuid::now_v7())),
        texts(new.iter().map(|m| &*m.name)),
        optional_texts(new.iter().map(|m| m.location.as_deref())),
        optional_texts(new.iter().map(|m| m.description.as_deref())),
        texts(new.iter().map(status)),
        texts(new.iter().map(criticality)),
        optional_texts(metadata.iter().map(Option::as_deref)),
        optional_texts(new.iter().map(|m| m.last_service_date.as_ref().map(|day| &*day.0))),
    ];
    let mut machines = db.rows(CREATE_ALL, params, machine).await?;
    machines.sort_unstable_by_key(|m| m.id);
    Ok(machines)
}

/// The thresholds that a machine has for its sensors, by sensor type; `None` if there is no such machine.
pub async fn thresholds(db: &Db, machine_id: MachineId) -> Result<Option<ThresholdsByType>, StoreError> {
    let stored: Option<serde_json::Value> =
        db.first(THRESHOLDS, vec![id(machine_id.0)], |c| c.take()).await?;
    Ok(stored.map(|stored| serde_json::from_value(stored).unwrap_or_default()))
}

/// Gives a machine thresholds for its sensors, in place of those it had. False: no such machine.
pub async fn set_thresholds(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    thresholds: &ThresholdsByType,
) -> Result<bool, StoreError> {
    let params = vec![actor.setting(), id(machine_id.0), json(thresholds)?];
    Ok(db.execute(SET_THRESHOLDS, params).await? > 0)
}

/// A machine in short. Uptime is the share of the last 24 hours (or of the machine's life) in which readings came.
pub async fn summary(db: &Db, machine_id: MachineId) -> Result<Option<MachineSummary>, StoreError> {
    db.first(SUMMARY, vec![id(machine_id.0), REPORTING_HOURS.into()], |c| {
        let machine = SummaryMachine {
            id: c.take()?,
            name: c.take()?,
            status: c.word()?,
            criticality: c.word()?,
            ai: Metadata::new(),
        };
        let reading: (Option<_>, Option<f64>, Option<_>) = (c.take()?, c.take()?, c.take()?);
        let prediction: (Option<_>, Option<String>, Option<f64>, Option<String>) =
            (c.take()?, c.take()?, c.take()?, c.take()?);
        let (_, remaining_life) = crate::prediction::remaining_life(c)?;
        Ok(MachineSummary {
            machine,
            last_reading: match reading {
                (Some(timestamp), Some(value), Some(sensor_id)) => {
                    Some(SummaryReading { timestamp, value, sensor_id })
                }
                _ => None,
            },
            last_prediction: match prediction {
                (Some(timestamp), Some(status), confidence, model_version) => {
                    Some(SummaryPrediction { timestamp, status, confidence, model_version })
                }
                _ => None,
            },
            remaining_life,
            active_alarms: c.take()?,
            uptime_percent: {
                let (created_at, now): (Timestamp, Timestamp) = (c.take()?, c.take()?);
                reporting_percent(c.take()?, created_at, now)
            },
        })
    })
    .await
}
