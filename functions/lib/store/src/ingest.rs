//! Readings on their way in: which sensor a name means, and storing a batch.

use crate::{
    Db, StoreError,
    alarm_rule::{self, rules_of_sensor},
    registration,
    sensor::{in_force, threshold_columns},
    statement::statements,
    value::{Columns, at, floats, ints, optional_ints, optional_texts, quality_code, status_code, texts},
};
use pm_api::{
    MachineId, Quality, ReadingStatus, SensorId, Timestamp, alarm_rule::RuleValues, ingest::SensorRef,
    sensor::Thresholds,
};
use pm_domain::{
    alarm::{
        condition::State,
        monitored::{Evaluation, MonitoredSensor},
        rule,
    },
    freshness::late_before,
};
use spin_sdk::pg::ParameterValue;

/// The columns that [`known_sensor`] reads, of `sensors s`, `machines m` and what is [`remembered`].
macro_rules! known {
    () => {
        concat!(
            "s.id, s.machine_id, s.name, s.sensor_type, s.unit, ",
            threshold_columns!(),
            ", coalesce(st.threshold_condition, 0::int2), coalesce(st.prediction_condition, 0::int2),
             coalesce(st.reported_condition, 0::int2), st.evaluated_through at time zone 'utc', st.scored_through at time zone 'utc', l.time at time zone 'utc',
             l.value, l.status, m.metadata->>'rul_model' is not null, coalesce(st.stale_condition, 0::int2), st.delay_state, ",
            rules_of_sensor!("jsonb_strip_nulls(to_jsonb(r) - '{created_at,updated_at,cause,consequence,response,link}'::text[])")
        )
    };
}
pub(crate) use known;

/// What is remembered of the sensors `s`.
macro_rules! remembered {
    () => {
        " left join sensor_state st on st.sensor_id = s.id left join sensor_latest l on l.sensor_id = s.id"
    };
}

pub(crate) use remembered;

/// The machine that a name in a payload means, as the subquery `named`: by its MQTT id, else by its id.
macro_rules! named_machine {
    ($name:literal) => {
        concat!(
            "(select id from machines where mqtt_id = ",
            $name,
            " union all select id from machines where id = (select ",
            $name,
            "::uuid where pg_input_is_valid(",
            $name,
            ", 'uuid')) limit 1) named"
        )
    };
}
pub(crate) use named_machine;

statements! {
    RESOLVE = concat!("select r.ord, ", known!(), "
        from unnest($1::text[], $2::text[]) with ordinality r (machine, sensor, ord)
        join machines m on m.mqtt_id = r.machine
        join sensors s on s.machine_id = m.id and s.mqtt_id = r.sensor", remembered!());
    RESOLVE_BY_ID = concat!("select r.ord, ", known!(), "
        from unnest($1::text[], $2::text[]) with ordinality r (machine, sensor, ord)
        cross join lateral ", named_machine!("r.machine"), "
        join machines m on m.id = named.id
        cross join lateral (
            select id from sensors where machine_id = m.id and mqtt_id = r.sensor
            union all
            select id from sensors
            where machine_id = m.id and id = (select r.sensor::uuid where pg_input_is_valid(r.sensor, 'uuid'))
            limit 1) of_machine
        join sensors s on s.id = of_machine.id", remembered!());
    // what is known of a reading besides its value is one number: see marks()
    STORE = "
        with ids as materialized (
            select ord, sensor_id::uuid, machine_id::uuid
            from unnest($1::text[], $2::text[]) with ordinality i (sensor_id, machine_id, ord)),
        input as materialized (
            select r.ord, ids.sensor_id, ids.machine_id, r.value, (r.marks & 3)::int2 as status,
                   (r.marks >> 2 & 15)::int2 as quality, r.marks & 64 <> 0 as history, r.metadata::jsonb as metadata,
                   timestamptz 'epoch' + r.us * interval '1 microsecond' as time
            from unnest($3::int8[], $4::int8[], string_to_array($5, ',')::float8[], $6::int8[], $7::text[])
                with ordinality r (sensor, us, value, marks, metadata, ord)
            join ids on ids.ord = r.sensor),
        stored as (
            insert into sensor_data (time, sensor_id, machine_id, value, received_at, status, quality, history, metadata)
            select time, sensor_id, machine_id, value, epoch_us($9), status, quality, history, metadata from input
            on conflict (sensor_id, time) do nothing
            returning sensor_id, time, value, status, quality),
        -- late readings change the roll-up of their sensor alone (see roll_up)
        changed as (
            insert into rollup_changes (minute, sensor_id, readings)
            select time_bucket('1 minute', time),
                   case when time < epoch_us($8) then sensor_id end, count(*)
            from stored group by 1, 2),
        -- the newest good one, dated at most now
        latest as (
            insert into sensor_latest as l (sensor_id, time, value, status)
            select distinct on (sensor_id) sensor_id, least(time, epoch_us($9)), value, status
            from stored where quality = 0 order by sensor_id, time desc
            on conflict (sensor_id) do update
            set time = excluded.time, value = excluded.value, status = excluded.status, updated_at = now()
            where excluded.time > l.time)
        select input.ord from input left join stored using (sensor_id, time) where stored.time is null";
    // the roll-ups and the newest value follow
    REPLACE = "
        with input as materialized (
            select i.sensor_id::uuid as sensor_id, epoch_us(i.us) as time, i.value, (i.marks & 3)::int2 as status,
                   (i.marks >> 2 & 15)::int2 as quality
            from unnest($1::text[], $2::int8[], string_to_array($3, ',')::float8[], $4::int8[])
                i (sensor_id, us, value, marks)),
        replaced as (
            update sensor_data d
            set value = i.value, status = i.status, quality = i.quality, received_at = epoch_us($5)
            from input i
            where d.sensor_id = i.sensor_id and d.time = i.time and d.time >= epoch_us($6) and d.time <= epoch_us($7)
            returning d.sensor_id, d.time, d.value, d.status, d.quality),
        changed as (
            insert into rollup_changes (minute, sensor_id, readings)
            select time_bucket('1 minute', time),
                   case when time < epoch_us($8) then sensor_id end, count(*)
            from replaced group by 1, 2)
        update sensor_latest l set value = r.value, status = r.status, updated_at = now()
        from replaced r where r.sensor_id = l.sensor_id and r.time = l.time and r.quality = 0";
    STORED = "
        select i.ord, d.value, d.history
        from unnest($1::text[], $2::int8[]) with ordinality i (sensor_id, us, ord)
        join sensor_data d on d.sensor_id = i.sensor_id::uuid and d.time = epoch_us(i.us)
        where d.time >= epoch_us($3) and d.time <= epoch_us($4)";
    REMEMBER_DELAYS = "
        insert into sensor_state as st (sensor_id, delay_state, delay_due_at)
        select s.id, i.state::jsonb, epoch_us(i.due_us)
        from unnest($1::text[], $2::text[], $3::int8[]) i (sensor_id, state, due_us)
        join sensors s on s.id = i.sensor_id::uuid
        order by s.id
        on conflict (sensor_id) do update set delay_state = excluded.delay_state, delay_due_at = excluded.delay_due_at";
    // only where it is still as it was read
    REMEMBER_UNCHANGED = "
        update sensor_state st set delay_state = i.state::jsonb, delay_due_at = epoch_us(i.due_us)
        from unnest($1::text[], $2::text[], $3::int8[], $4::text[]) i (sensor_id, state, due_us, before)
        where st.sensor_id = i.sensor_id::uuid and st.delay_state is not distinct from i.before::jsonb";
    ADOPT_UNITS = "
        update sensors s set unit = u.unit from unnest($1::text[], $2::text[]) u (sensor_id, unit)
        where s.id = u.sensor_id::uuid and coalesce(s.unit, '') = ''";
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
    /// What was last reported to the alarm engine about its limits.
    pub threshold_condition: ReadingStatus,
    /// What was last reported to the alarm engine about its predictions.
    pub prediction_condition: ReadingStatus,
    /// What was last reported to the alarm engine about the statuses that its sender gives.
    pub reported_condition: ReadingStatus,
    /// Readings up to here have been judged for alarms.
    pub evaluated_through: Option<Timestamp>,
    /// Readings up to here have been scored.
    pub scored_through: Option<Timestamp>,
    /// Its newest good reading.
    pub newest: Option<(Timestamp, f64, ReadingStatus)>,
    /// Does its machine name a network for its remaining life?
    pub has_network: bool,
    /// What was last reported to the alarm engine about its silence.
    pub stale_condition: ReadingStatus,
    /// What is remembered of the delays of its alarm rule.
    pub delay_state: Option<State>,
    /// What its alarm rule says about its readings; the guidance for people is left out.
    pub rule: RuleValues,
}

impl KnownSensor {
    /// What decides on its alarms.
    #[must_use]
    pub fn monitored(&self) -> MonitoredSensor {
        MonitoredSensor {
            machine_id: self.machine_id,
            sensor_id: self.sensor_id,
            name: self.name.clone(),
            unit: self.unit.clone(),
            thresholds: self.thresholds,
            rule: self.rule.clone(),
            threshold_condition: self.threshold_condition,
            reported_condition: self.reported_condition,
            stale_condition: self.stale_condition,
            evaluated_through: self.evaluated_through,
            delay_state: self.delay_state,
            newest: self.newest,
        }
    }
}

/// What must be remembered of a sensor's delays, and when the first of them runs out.
#[derive(Debug, Clone, PartialEq)]
pub struct DelayChange {
    /// The sensor.
    pub sensor_id: SensorId,
    /// The state as it was read.
    pub before: Option<State>,
    /// The state; `None`: nothing.
    pub state: Option<State>,
    /// When the first delay runs out, if one runs.
    pub due_at: Option<Timestamp>,
}

impl DelayChange {
    /// What an evaluation of a sensor says that must be remembered, if it does.
    #[must_use]
    pub fn of(sensor: &KnownSensor, evaluation: &Evaluation) -> Option<Self> {
        let (state, due_at) = evaluation.remember?;
        Some(Self { sensor_id: sensor.sensor_id, before: sensor.delay_state, state, due_at })
    }
}

/// What a name in a payload means.
#[derive(Debug, Clone)]
pub enum Resolved {
    /// This sensor.
    Known(Box<KnownSensor>),
    /// None, and it was not registered for this reason.
    Refused(&'static str),
    /// Its machine was deleted in the meantime.
    Gone,
}

/// One reading to store.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReading {
    /// Index into the batch's sensors.
    pub sensor: usize,
    /// When it was measured.
    pub time: Timestamp,
    /// The value, finite, in the sensor's unit.
    pub value: f64,
    /// Its status.
    pub status: ReadingStatus,
    /// How far it can be trusted.
    pub quality: Quality,
    /// Is it only history?
    pub history: bool,
    /// A JSON object as text.
    pub metadata: Option<String>,
    /// Does it replace another value that is stored at this time?
    pub replaces: bool,
}

/// Finds the sensors that `refs` mean and registers those that are new, with their machines, as far as the settings allow.
/// The result has the order of `refs`.
pub async fn resolve(db: &Db, refs: &[&SensorRef]) -> Result<Vec<Resolved>, StoreError> {
    let mut known = vec![None; refs.len()];
    find(db, RESOLVE, refs, &mut known, |_| true).await?;
    let looks_like_id = |r: &SensorRef| r.machine.len() == 36 || r.sensor.len() == 36;
    find(db, RESOLVE_BY_ID, refs, &mut known, looks_like_id).await?;
    let mut refused = vec![None; refs.len()];
    let new: Vec<usize> = (0..refs.len()).filter(|&i| known[i].is_none()).collect();
    if !new.is_empty() {
        let wanted: Vec<&SensorRef> = new.iter().map(|&i| refs[i]).collect();
        for (&i, outcome) in new.iter().zip(registration::register(db, &wanted).await?) {
            refused[i] = outcome.err();
        }
        find(db, RESOLVE, refs, &mut known, |_| true).await?;
        find(db, RESOLVE_BY_ID, refs, &mut known, looks_like_id).await?;
    }
    let resolved = known.into_iter().zip(refused).map(|(known, refused)| match (known, refused) {
        (Some(sensor), _) => Resolved::Known(Box::new(sensor)),
        (None, Some(reason)) => Resolved::Refused(reason),
        (None, None) => Resolved::Gone,
    });
    Ok(resolved.collect())
}

/// Looks up those of `refs` that are not known yet and are `wanted`.
async fn find(
    db: &Db,
    statement: &str,
    refs: &[&SensorRef],
    known: &mut [Option<KnownSensor>],
    wanted: impl Fn(&SensorRef) -> bool,
) -> Result<(), StoreError> {
    let missing: Vec<usize> = (0..refs.len()).filter(|&i| known[i].is_none() && wanted(refs[i])).collect();
    if missing.is_empty() {
        return Ok(());
    }
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

pub(crate) fn known_sensor(c: &mut Columns) -> Result<KnownSensor, StoreError> {
    Ok(KnownSensor {
        sensor_id: c.take()?,
        machine_id: c.take()?,
        name: c.take()?,
        sensor_type: c.take()?,
        unit: c.take()?,
        thresholds: in_force(c)?,
        threshold_condition: c.take()?,
        prediction_condition: c.take()?,
        reported_condition: c.take()?,
        evaluated_through: c.take()?,
        scored_through: c.take()?,
        newest: newest(c.take()?, c.take()?, c.take()?),
        has_network: c.take()?,
        stale_condition: c.take()?,
        delay_state: delay_state(c.take()?)?,
        rule: rule_of_sensor(c.take()?)?,
    })
}

fn newest(
    time: Option<Timestamp>,
    value: Option<f64>,
    status: Option<ReadingStatus>,
) -> Option<(Timestamp, f64, ReadingStatus)> {
    Some((time?, value?, status?))
}

fn delay_state(stored: Option<serde_json::Value>) -> Result<Option<State>, StoreError> {
    stored.map(serde_json::from_value).transpose().map_err(|e| StoreError::Failed(e.to_string()))
}

fn rule_of_sensor(rules: Option<serde_json::Value>) -> Result<RuleValues, StoreError> {
    Ok(rules
        .map(alarm_rule::applicable)
        .transpose()?
        .map_or_else(RuleValues::default, |r| rule::effective(&r).values))
}

/// Status (bits 0 and 1), quality (bits 2 to 5) and history (bit 6) as one number: an array less crosses to the host.
fn marks(reading: &NewReading) -> i64 {
    i64::from(status_code(reading.status))
        | i64::from(quality_code(reading.quality)) << 2
        | i64::from(reading.history) << 6
}

/// Stores readings (no two of the same sensor and time) and keeps the newest of each sensor. Returns the indices of
/// those whose sensor and time are stored already.
///
/// # Errors
/// Whatever the database says; then nothing is stored.
pub async fn store(
    db: &Db,
    sensors: &[KnownSensor],
    readings: &[NewReading],
    now: Timestamp,
) -> Result<Vec<usize>, StoreError> {
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
        ints(readings.iter().map(marks)),
        metadata,
        at(late_before(now)),
        at(now),
    ];
    let repeated = db.rows(STORE, params, |c| c.take::<i64>()).await?;
    Ok(repeated.into_iter().filter_map(|ord| usize::try_from(ord - 1).ok()).collect())
}

/// Puts readings in the place of those that are stored at their sensors and times.
pub async fn replace(
    db: &Db,
    sensors: &[KnownSensor],
    readings: &[&NewReading],
    now: Timestamp,
) -> Result<(), StoreError> {
    let time = || readings.iter().map(|r| r.time);
    let params = vec![
        texts(readings.iter().filter_map(|r| Some(sensors.get(r.sensor)?.sensor_id))),
        ints(time().map(|t| t.0)),
        floats(readings.iter().map(|r| r.value)),
        ints(readings.iter().map(|r| marks(r))),
        at(now),
        at(time().min().unwrap_or_default()),
        at(time().max().unwrap_or_default()),
        at(late_before(now)),
    ];
    db.execute(REPLACE, params).await.map(drop)
}

/// What is stored at the sensors and times of some readings: value, and whether it is only history. `None`: it was deleted.
pub async fn stored(
    db: &Db,
    sensors: &[KnownSensor],
    readings: &[&NewReading],
) -> Result<Vec<Option<(f64, bool)>>, StoreError> {
    let time = || readings.iter().map(|r| r.time);
    let ids: Vec<_> = readings.iter().filter_map(|r| Some(sensors.get(r.sensor)?.sensor_id)).collect();
    let params = vec![
        texts(&ids),
        ints(time().map(|t| t.0)),
        at(time().min().unwrap_or_default()),
        at(time().max().unwrap_or_default()),
    ];
    let mut found = vec![None; readings.len()];
    for (ord, value, history) in
        db.rows(STORED, params, |c| Ok((c.take::<i64>()?, c.take()?, c.take()?))).await?
    {
        if let Some(slot) = usize::try_from(ord - 1).ok().and_then(|i| found.get_mut(i)) {
            *slot = Some((value, history));
        }
    }
    Ok(found)
}

/// Remembers the delays of sensors whose readings were just evaluated.
pub async fn remember_delays(db: &Db, changes: &[DelayChange]) -> Result<(), StoreError> {
    db.execute(REMEMBER_DELAYS, delay_params(changes)?).await.map(drop)
}

/// Remembers the delays of sensors, except of those whose state was changed since it was read.
pub async fn remember_unchanged(db: &Db, changes: &[DelayChange]) -> Result<(), StoreError> {
    let mut params = delay_params(changes)?;
    params.push(states(changes, |change| change.before)?);
    db.execute(REMEMBER_UNCHANGED, params).await.map(drop)
}

fn delay_params(changes: &[DelayChange]) -> Result<Vec<ParameterValue>, StoreError> {
    Ok(vec![
        texts(changes.iter().map(|c| c.sensor_id)),
        states(changes, |change| change.state)?,
        optional_ints(changes.iter().map(|c| c.due_at.map(|at| at.0))),
    ])
}

fn states(
    changes: &[DelayChange],
    pick: impl Fn(&DelayChange) -> Option<State>,
) -> Result<ParameterValue, StoreError> {
    let text = |change| pick(change).map(|state| serde_json::to_string(&state)).transpose();
    let texts: Result<Vec<_>, _> = changes.iter().map(text).collect();
    texts.map(optional_texts).map_err(|e| StoreError::Failed(e.to_string()))
}

/// Gives sensors that have no unit the unit of their values.
pub async fn adopt_units(db: &Db, units: &[(SensorId, String)]) -> Result<(), StoreError> {
    let params = vec![texts(units.iter().map(|u| u.0)), texts(units.iter().map(|u| &u.1))];
    db.execute(ADOPT_UNITS, params).await.map(drop)
}
