//! Sensors.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, contains_text, statements},
    value::{Columns, id, json, optional, status_code, text, texts},
};
use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    list::{ListQuery, Page},
    score::Limits,
    sensor::{LatestReading, NewSensor, Sensor, SensorChange, SensorFilter, Thresholds},
    sort::SensorSort,
};
use pm_domain::limits;
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`thresholds`] and [`in_force`] read, of `sensors s` and `machines m`: a sensor's own, then its
/// machine's for the sensor's type.
macro_rules! threshold_columns {
    () => {
        "s.min_threshold, s.max_threshold, s.warning_threshold, s.critical_threshold, s.warning_low, s.critical_low,
         case when jsonb_typeof(m.thresholds -> s.sensor_type) = 'object' then m.thresholds -> s.sensor_type end"
    };
}
pub(crate) use threshold_columns;

/// The columns that [`sensor`] reads, of `sensors s`, `machines m` and `sensor_latest l`.
macro_rules! columns {
    () => {
        concat!(
            "s.machine_id, s.name, s.sensor_type, s.unit, ",
            threshold_columns!(),
            ", s.metadata, s.id, s.created_at at time zone 'utc', s.updated_at at time zone 'utc',
             l.time at time zone 'utc', l.value, l.status"
        )
    };
}

/// Where the columns are from.
macro_rules! rows {
    () => {
        "from sensors s join machines m on m.id = s.machine_id left join sensor_latest l on l.sensor_id = s.id"
    };
}

lists! {
    LIST: SensorSort = List {
        columns: columns!(),
        rows: concat!(rows!(), "
            where ($1::uuid is null or s.machine_id = $1) and ($2::text is null or s.sensor_type = $2)
              and ", contains_text!("$3" in "s.name, s.sensor_type, m.name"), "
              and ($4::int8 is null or l.status = $4)
              and ($5::text[] is null or s.id = any ($5::text[]::uuid[]))"),
        id: Id::Uuid("s.id"),
        key: |sort| match sort {
            SensorSort::CreatedAt => Key::Time("s.created_at"),
            SensorSort::UpdatedAt => Key::Time("s.updated_at"),
            SensorSort::Name => Key::Text("s.name"),
            SensorSort::SensorType => Key::Text("s.sensor_type"),
            SensorSort::Machine => Key::Text("m.name"),
            SensorSort::Status => Key::Number("coalesce(l.status, -1)"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!(
        "select ", columns!(), " ", rows!(), " where s.id = $1"
    );
    CREATE = concat!("
        insert into sensors (id, machine_id, name, sensor_type, unit, min_threshold, max_threshold,
                             warning_threshold, critical_threshold, warning_low, critical_low, metadata, mqtt_id)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
               case when not exists (select from sensors where machine_id = $3 and mqtt_id = $4) then $4 end
        from ", actor!());
    UPDATE = concat!("
        update sensors s set
            name = coalesce($3, name),
            sensor_type = coalesce($4, sensor_type),
            unit = case when $5 then $6 else unit end,
            min_threshold = case when $7 then $8 else min_threshold end,
            max_threshold = case when $9 then $10 else max_threshold end,
            warning_threshold = case when $11 then $12 else warning_threshold end,
            critical_threshold = case when $13 then $14 else critical_threshold end,
            warning_low = case when $15 then $16 else warning_low end,
            critical_low = case when $17 then $18 else critical_low end,
            metadata = case when $19 then $20::jsonb else metadata end
        from ", actor!(), "
        where s.id = $2");
    MACHINES_OF = "select id, machine_id from sensors where id = any ($1::text[]::uuid[])";
    OF_NAMED_MACHINE = concat!("
        select coalesce(s.mqtt_id, s.id::text), ", threshold_columns!(), "
        from machines m join sensors s on s.machine_id = m.id
        where m.mqtt_id = $1 or m.id::text = $1
        order by 1 limit 1000");
    OF_MACHINE = "select id from sensors where machine_id = $1 order by created_at, id limit $2";
}

fn sensor(c: &mut Columns) -> Result<Sensor, StoreError> {
    let (machine_id, name, sensor_type, unit) = (c.take()?, c.take()?, c.take()?, c.take()?);
    let own = thresholds(c)?;
    let (effective, limits_inherited) = effective(own, c.take()?);
    let mut sensor = Sensor {
        machine_id,
        name,
        sensor_type,
        unit,
        min_threshold: own.min,
        max_threshold: own.max,
        warning_threshold: own.warning,
        critical_threshold: own.critical,
        warning_low: own.warning_low,
        critical_low: own.critical_low,
        limits: limits::limits(effective),
        limits_inherited,
        metadata: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        latest: None,
    };
    let latest: (Option<Timestamp>, Option<f64>, Option<ReadingStatus>) = (c.take()?, c.take()?, c.take()?);
    if let (Some(timestamp), Some(value), Some(status)) = latest {
        sensor.latest = Some(LatestReading { timestamp, value, status });
    }
    Ok(sensor)
}

/// A sensor's own thresholds, in the order `min, max, warning, critical, warning_low, critical_low`.
fn thresholds(c: &mut Columns) -> Result<Thresholds, StoreError> {
    Ok(Thresholds {
        min: c.take()?,
        max: c.take()?,
        warning: c.take()?,
        critical: c.take()?,
        warning_low: c.take()?,
        critical_low: c.take()?,
    })
}

/// The thresholds that count, from the columns of `threshold_columns!`.
pub(crate) fn in_force(c: &mut Columns) -> Result<Thresholds, StoreError> {
    let own = thresholds(c)?;
    Ok(effective(own, c.take()?).0)
}

/// The thresholds that count, and whether they are the machine's (its object for the sensor's type, if it has one).
fn effective(own: Thresholds, of_machine: Option<serde_json::Value>) -> (Thresholds, bool) {
    let of_machine = of_machine.and_then(|t| serde_json::from_value::<Thresholds>(t).ok());
    let effective = limits::effective(own, of_machine);
    (effective, own.is_empty() && !effective.is_empty())
}

/// A page of the sensors.
pub async fn list(
    db: &Db,
    filter: &SensorFilter,
    query: &ListQuery<SensorSort>,
) -> Result<Page<Sensor>, StoreError> {
    let filter = vec![
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.sensor_type.as_deref(), text),
        optional(filter.q.as_deref(), text),
        optional(filter.status, |s| i64::from(status_code(s)).into()),
        optional(filter.ids.as_ref(), |ids| texts(&ids.0)),
    ];
    LIST.page(db, query, filter, sensor).await
}

/// The machines of those of the given sensors that exist.
pub async fn machines_of(db: &Db, sensors: &[SensorId]) -> Result<Vec<(SensorId, MachineId)>, StoreError> {
    db.rows(MACHINES_OF, vec![texts(sensors)], |c| Ok((c.take()?, c.take()?))).await
}

/// The sensors of a machine, at most `limit`, oldest first.
pub async fn of_machine(db: &Db, machine_id: MachineId, limit: i64) -> Result<Vec<SensorId>, StoreError> {
    db.rows(OF_MACHINE, vec![id(machine_id.0), limit.into()], |c| c.take()).await
}

/// The sensors of the machine that a payload would name so, by the names of payloads, with the limits that count for
/// them; by name, at most 1,000.
pub async fn of_named_machine(db: &Db, machine: &str) -> Result<Vec<(String, Limits)>, StoreError> {
    db.rows(OF_NAMED_MACHINE, vec![text(machine)], |c| {
        let name = c.take()?;
        Ok((name, limits::limits(in_force(c)?)))
    })
    .await
}

/// One sensor.
pub async fn get(db: &Db, sensor_id: SensorId) -> Result<Option<Sensor>, StoreError> {
    db.first(GET, vec![id(sensor_id.0)], sensor).await
}

/// Creates a sensor with these thresholds of its own.
///
/// # Errors
/// Constraint `sensors_machine_exists` for an unknown machine.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: &NewSensor,
    thresholds: &Thresholds,
) -> Result<Sensor, StoreError> {
    let sensor_id = SensorId(Uuid::now_v7());
    let params = vec![
        actor.setting(),
        id(sensor_id.0),
        id(new.machine_id.0),
        text(new.name.trim()),
        text(new.sensor_type()),
        optional(new.unit.as_deref(), text),
        thresholds.min.into(),
        thresholds.max.into(),
        thresholds.warning.into(),
        thresholds.critical.into(),
        thresholds.warning_low.into(),
        thresholds.critical_low.into(),
        new.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
    ];
    db.execute(CREATE, params).await?;
    get(db, sensor_id)
        .await?
        .ok_or_else(|| StoreError::Unavailable("the sensor was deleted at once".to_owned()))
}

/// Changes a sensor; `None` if there is no such sensor.
pub async fn update(
    db: &Db,
    actor: &Actor,
    sensor_id: SensorId,
    change: &SensorChange,
) -> Result<Option<Sensor>, StoreError> {
    let mut params = vec![
        actor.setting(),
        id(sensor_id.0),
        optional(change.name.as_deref(), text),
        optional(change.sensor_type.as_deref(), text),
        (!change.unit.is_absent()).into(),
        optional(change.unit.given().map(|unit| &**unit), text),
    ];
    for threshold in [
        &change.min_threshold,
        &change.max_threshold,
        &change.warning_threshold,
        &change.critical_threshold,
        &change.warning_low,
        &change.critical_low,
    ] {
        params.push((!threshold.is_absent()).into());
        params.push(threshold.given().map(|number| number.0).into());
    }
    params.push((!change.metadata.is_absent()).into());
    params.push(change.metadata.given().map_or(Ok(ParameterValue::DbNull), json)?);
    db.execute(UPDATE, params).await?;
    get(db, sensor_id).await
}
