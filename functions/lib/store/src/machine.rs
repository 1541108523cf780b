//! Machines.

use crate::{
    Actor, Db, StoreError,
    closed::alarm_is_open,
    list::{Id, Key, List, Total, lists},
    statement::{actor, contains_text, statements},
    value::{Columns, id, json, optional, text},
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
use serde::Serialize;
use uuid::Uuid;

/// The columns that clients set, named as the fields of [`NewMachine`] and [`MachineChange`]. The last one is the date.
macro_rules! set_by_clients {
    () => {
        "name, location, description, machine_class, status, criticality, metadata, last_service_date"
    };
}

/// The columns that [`machine`] reads.
macro_rules! columns {
    () => {
        concat!(set_by_clients!(), "::text, id, created_at at time zone 'utc', updated_at at time zone 'utc'")
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
        insert into machines (id, mqtt_id, ", set_by_clients!(), ")
        select id,
               -- payloads know the first machine of a name by that name
               case when row_number() over (partition by name order by id) = 1
                     and not exists (select from machines m where m.mqtt_id = n.name) then name end,
               ", set_by_clients!(), "
        from ", actor!(), ", jsonb_populate_recordset(null::machines, $2::jsonb) n
        returning ", columns!());
    UPDATE = concat!("
        with changed as (
            update machines m
            -- fields that the change leaves out stay as they are
            set (", set_by_clients!(), ") = (select ", set_by_clients!(), " from jsonb_populate_record(m, $3::jsonb))
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
        machine_class: c.take()?,
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

/// A new machine as a row of the table: with an id, and with what it is unless the client says otherwise.
#[derive(Serialize)]
struct Row {
    id: Uuid,
    #[serde(flatten)]
    machine: NewMachine,
}

impl From<&NewMachine> for Row {
    fn from(new: &NewMachine) -> Self {
        let machine = NewMachine {
            status: new.status.or(Some(MachineStatus::Online)),
            criticality: new.criticality.or(Some(Criticality::Medium)),
            ..new.clone()
        };
        Self { id: Uuid::now_v7(), machine }
    }
}

/// Creates a machine.
pub async fn create(db: &Db, actor: &Actor, new: &NewMachine) -> Result<Machine, StoreError> {
    db.one(CREATE, vec![actor.setting(), json(&[Row::from(new)])?], machine).await
}

/// Creates machines, all or none, and gives them in the same order.
pub async fn create_all(db: &Db, actor: &Actor, new: &[NewMachine]) -> Result<Vec<Machine>, StoreError> {
    let rows: Vec<_> = new.iter().map(Row::from).collect();
    let mut machines = db.rows(CREATE, vec![actor.setting(), json(&rows)?], machine).await?;
    machines.sort_unstable_by_key(|m| m.id);
    Ok(machines)
}

/// Changes a machine; `None` if there is no such machine.
pub async fn update(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    change: &MachineChange,
) -> Result<Option<Machine>, StoreError> {
    let params = vec![actor.setting(), id(machine_id.0), json(change)?];
    db.first(UPDATE, params, machine).await
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
