//! Readings on their way in: which sensor a name means, and storing a batch.

use crate::{
    Db, StoreError,
    sensor::{in_force, threshold_columns},
    setting,
    statement::statements,
    value::{Columns, at, floats, ints, optional_texts, status_code, texts},
};
use pm_api::{
    MachineId, ReadingStatus, SensorId, Timestamp,
    ingest::SensorRef,
    sensor::{Thresholds, UNKNOWN_SENSOR_TYPE},
};
use pm_domain::{freshness::late_before, limits, settings::Key};
use spin_sdk::pg::ParameterValue;
use std::collections::{HashMap, HashSet};

/// The columns that [`known_sensor`] reads, of `sensors s`, `machines m` and `sensor_state st`.
macro_rules! known {
    () => {
        concat!(
            "s.id, s.machine_id, s.name, s.sensor_type, s.unit, ",
            threshold_columns!(),
            ", coalesce(st.threshold_condition, 0::int2), coalesce(st.prediction_condition, 0::int2),
             st.evaluated_through at time zone 'utc', st.scored_through at time zone 'utc',
             m.metadata->>'rul_model' is not null"
        )
    };
}

statements! {
    RESOLVE = concat!("select r.ord, ", known!(), "
        from unnest($1::text[], $2::text[]) with ordinality r (machine, sensor, ord)
        join machines m on m.mqtt_id = r.machine
        join sensors s on s.machine_id = m.id and s.mqtt_id = r.sensor
        left join sensor_state st on st.sensor_id = s.id");
    RESOLVE_BY_ID = concat!("select r.ord, ", known!(), "
        from unnest($1::text[], $2::text[]) with ordinality r (machine, sensor, ord)
        join machines m on m.id = (select r.machine::uuid where pg_input_is_valid(r.machine, 'uuid')) or m.mqtt_id = r.machine
        join sensors s on s.machine_id = m.id
            and (s.id = (select r.sensor::uuid where pg_input_is_valid(r.sensor, 'uuid')) or s.mqtt_id = r.sensor)
        left join sensor_state st on st.sensor_id = s.id");
    REGISTER_MACHINES = "
        insert into machines (name, mqtt_id, location)
        select distinct on (r.machine) r.machine, r.machine, coalesce(r.location, '')
        from unnest($1::text[], $2::text[]) r (machine, location)
        where not exists (select from machines m where m.id::text = r.machine)
        on conflict (mqtt_id) do nothing";
    HAVE_THRESHOLDS = "
        select r.ord, coalesce(m.thresholds, '{}') ? r.sensor_type
        from unnest($1::text[], $2::text[]) with ordinality r (machine, sensor_type, ord)
        join machines m on m.mqtt_id = r.machine or m.id::text = r.machine";
    REGISTER_SENSORS = "
        insert into sensors (machine_id, name, mqtt_id, sensor_type, unit, metadata, min_threshold, max_threshold,
                             warning_threshold, critical_threshold)
        select distinct on (m.id, r.sensor) m.id, r.sensor, r.sensor, r.sensor_type, r.unit,
               jsonb_build_object('original_sensor_id', r.sensor), r.min, r.max, r.warning, r.critical
        from (select machine, sensor, sensor_type, unit, nullif(min, 'NaN') as min, nullif(max, 'NaN') as max,
                     nullif(warning, 'NaN') as warning, nullif(critical, 'NaN') as critical
              from unnest($1::text[], $2::text[], $3::text[], $4::text[], string_to_array($5, ',')::float8[],
                          string_to_array($6, ',')::float8[], string_to_array($7, ',')::float8[],
                          string_to_array($8, ',')::float8[])
                  u (machine, sensor, sensor_type, unit, min, max, warning, critical)) r
        join machines m on m.mqtt_id = r.machine or m.id::text = r.machine
        where not exists (select from sensors s where s.machine_id = m.id and s.id::text = r.sensor)
        on conflict (machine_id, mqtt_id) do nothing";
    STORE = "
        with ids as materialized (
            select ord, sensor_id::uuid, machine_id::uuid
            from unnest($1::text[], $2::text[]) with ordinality i (sensor_id, machine_id, ord)),
        input as materialized (
            select r.ord, ids.sensor_id, ids.machine_id, r.value, r.status::int2 as status, r.metadata::jsonb as metadata,
                   timestamptz 'epoch' + r.us * interval '1 microsecond' as time
            from unnest($3::int8[], $4::int8[], string_to_array($5, ',')::float8[], $6::int8[], $7::text[])
                with ordinality r (sensor, us, value, status, metadata, ord)
            join ids on ids.ord = r.sensor),
        stored as (
            insert into sensor_data (time, sensor_id, machine_id, value, status, metadata)
            select time, sensor_id, machine_id, value, status, metadata from input
            on conflict (sensor_id, time) do nothing
            returning sensor_id, time),
        -- late readings change the roll-up of their sensor alone (see roll_up)
        changed as (
            insert into rollup_changes (minute, sensor_id, readings)
            select time_bucket('1 minute', time),
                   case when time < epoch_us($8) then sensor_id end, count(*)
            from stored group by 1, 2),
        latest as (
            insert into sensor_latest as l (sensor_id, time, value, status)
            select distinct on (sensor_id) sensor_id, time, value, status from input order by sensor_id, time desc
            on conflict (sensor_id) do update
            set time = excluded.time, value = excluded.value, status = excluded.status, updated_at = now()
            where excluded.time > l.time)
        select input.ord from input left join stored using (sensor_id, time) where stored.time is null";
}

/// A sensor that a payload named, as the database knows it.
#[derive(Debug, Clone)]
pub struct KnownSensor {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Name for people.
    pub name: String,
    /// Kind of quantity.
    pub sensor_type: String,
    /// Unit of the values.
    pub unit: Option<String>,
    /// The thresholds that count for it: its own or its machine's.
    pub thresholds: Thresholds,
    /// What the alarm engine was last told of its limits.
    pub threshold_condition: ReadingStatus,
    /// What the alarm engine was last told of its predictions.
    pub prediction_condition: ReadingStatus,
    /// Readings up to here have been judged for alarms.
    pub evaluated_through: Option<Timestamp>,
    /// Readings up to here have been scored.
    pub scored_through: Option<Timestamp>,
    /// Does its machine name a network for its remaining life?
    pub has_network: bool,
}

/// One reading to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReading {
    /// Index into the batch's known sensors.
    pub sensor: usize,
    /// When it was measured.
    pub time: Timestamp,
    /// The value, finite.
    pub value: f64,
    /// Its status.
    pub status: ReadingStatus,
    /// A JSON object as text.
    pub metadata: Option<String>,
}

/// Finds the sensors that `refs` mean and registers those that are new, with their machines.
/// The result has the order of `refs`; an entry is `None` only if its machine was deleted meanwhile.
pub async fn resolve(db: &Db, refs: &[SensorRef]) -> Result<Vec<Option<KnownSensor>>, StoreError> {
    let mut known = vec![None; refs.len()];
    find(db, RESOLVE, refs, &mut known).await?;
    let looks_like_id = |r: &SensorRef| r.machine.len() == 36 || r.sensor.len() == 36;
    if refs.iter().zip(&known).any(|(r, k)| k.is_none() && looks_like_id(r)) {
        find(db, RESOLVE_BY_ID, refs, &mut known).await?;
    }
    if known.iter().any(Option::is_none) {
        register(db, refs, &known).await?;
        find(db, RESOLVE_BY_ID, refs, &mut known).await?;
    }
    Ok(known)
}

async fn find(
    db: &Db,
    statement: &str,
    refs: &[SensorRef],
    known: &mut [Option<KnownSensor>],
) -> Result<(), StoreError> {
    let missing: Vec<usize> = (0..refs.len()).filter(|&i| known[i].is_none()).collect();
    let params = vec![
        texts(missing.iter().map(|&i| &refs[i].machine)),
        texts(missing.iter().map(|&i| &refs[i].sensor)),
    ];
    for (ord, sensor) in db.rows(statement, params, |c| Ok((c.take::<i64>()?, known_sensor(c)?))).await? {
        let index = usize::try_from(ord - 1).ok().and_then(|i| missing.get(i));
        if let Some(slot) = index.and_then(|&i| known.get_mut(i)) {
            *slot = Some(sensor);
        }
    }
    Ok(())
}

async fn register(db: &Db, refs: &[SensorRef], known: &[Option<KnownSensor>]) -> Result<(), StoreError> {
    let new = || refs.iter().zip(known).filter(|(_, k)| k.is_none()).map(|(r, _)| r);
    let machines =
        vec![texts(new().map(|r| &r.machine)), optional_texts(new().map(|r| r.location.as_deref()))];
    db.execute(REGISTER_MACHINES, machines).await?;
    let defaults = setting::read(db, &[Key::SensorsDefaultThresholds]).await?;
    let defaults = defaults.json(Key::SensorsDefaultThresholds);
    let sensor_type = |r: &SensorRef| r.sensor_type.clone().unwrap_or_else(|| UNKNOWN_SENSOR_TYPE.to_owned());
    let types = vec![texts(new().map(|r| &r.machine)), texts(new().map(sensor_type))];
    let have = db.rows(HAVE_THRESHOLDS, types, |c| Ok((c.take::<i64>()?, c.take::<bool>()?))).await?;
    let have: HashMap<i64, bool> = have.into_iter().collect();
    let thresholds: Vec<_> = (1..)
        .zip(new())
        .map(|(ord, r)| {
            let machine_has = have.get(&ord).copied().unwrap_or_default();
            limits::of_new_sensor(&defaults, &sensor_type(r), machine_has)
        })
        .collect();
    let limit =
        |of: fn(&Thresholds) -> Option<f64>| floats(thresholds.iter().map(|t| of(t).unwrap_or(f64::NAN)));
    let sensors = vec![
        texts(new().map(|r| &r.machine)),
        texts(new().map(|r| &r.sensor)),
        texts(new().map(sensor_type)),
        optional_texts(new().map(|r| r.unit.as_deref())),
        limit(|t| t.min),
        limit(|t| t.max),
        limit(|t| t.warning),
        limit(|t| t.critical),
    ];
    db.execute(REGISTER_SENSORS, sensors).await?;
    Ok(())
}

fn known_sensor(c: &mut Columns) -> Result<KnownSensor, StoreError> {
    Ok(KnownSensor {
        sensor_id: c.take()?,
        machine_id: c.take()?,
        name: c.take()?,
        sensor_type: c.take()?,
        unit: c.take()?,
        thresholds: in_force(c)?,
        threshold_condition: c.take()?,
        prediction_condition: c.take()?,
        evaluated_through: c.take()?,
        scored_through: c.take()?,
        has_network: c.take()?,
    })
}

/// Stores readings (no two of the same sensor and time) and keeps the newest of each sensor. Returns the indices of
/// those that were stored already.
///
/// # Errors
/// Whatever the database says; then nothing is stored.
pub async fn store(
    db: &Db,
    sensors: &[KnownSensor],
    readings: &[NewReading],
    now: Timestamp,
) -> Result<HashSet<usize>, StoreError> {
    let no_metadata = readings.iter().all(|r| r.metadata.is_none());
    let metadata = if no_metadata {
        ParameterValue::ArrayStr(Vec::new())
    } else {
        optional_texts(readings.iter().map(|r| r.metadata.as_deref()))
    };
    let params = vec![
        texts(sensors.iter().map(|s| s.sensor_id)),
        texts(sensors.iter().map(|s| s.machine_id)),
        ints(readings.iter().map(|r| r.sensor as i64 + 1)),
        ints(readings.iter().map(|r| r.time.0)),
        floats(readings.iter().map(|r| r.value)),
        ints(readings.iter().map(|r| i64::from(status_code(r.status)))),
        metadata,
        at(late_before(now)),
    ];
    let repeated = db.rows(STORE, params, |c| c.take::<i64>()).await?;
    Ok(repeated.into_iter().filter_map(|ord| usize::try_from(ord - 1).ok()).collect())
}
