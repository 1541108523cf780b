//! Bursts of vibration samples, and the elements of machines.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, at, bytes, id, json, optional, text},
};
use pm_api::{
    MachineId, SensorId, Timestamp, WaveformId,
    list::{ListQuery, Page},
    sort::WaveformSort,
    vibration::{StoredElement, Waveform, WaveformAnalysis},
};
use serde::de::DeserializeOwned;

/// The columns that [`waveform`] reads, of `waveforms w`.
macro_rules! columns {
    () => {
        "w.id, w.sensor_id, w.machine_id, w.time at time zone 'utc', w.received_at at time zone 'utc', w.rate_hz, w.samples,
         w.unit, w.axis, w.rpm, w.analysis"
    };
}

lists! {
    LIST: WaveformSort = List {
        columns: columns!(),
        rows: "from waveforms w where w.sensor_id = $1 and exists (select from sensors where id = $1)",
        id: Id::Uuid("w.id"),
        key: |WaveformSort::Timestamp| Key::Time("w.time"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    SUBJECT = "
        select s.machine_id, coalesce(s.mqtt_id, s.name), s.unit, coalesce(e.elements, '[]')
        from sensors s left join machine_elements e on e.id = s.machine_id
        where s.id = $1";
    STORE = concat!("
        insert into waveforms as w (time, sensor_id, machine_id, rate_hz, samples, unit, axis, rpm, data, analysis)
        values (epoch_us($1), $2, $3, $4, $5, $6, $7, $8, $9, $10)
        on conflict (sensor_id, time) do nothing
        returning ", columns!());
    AT = concat!("
        select ", columns!(), ", w.data from waveforms w where w.sensor_id = $1 and w.time = epoch_us($2)");
    GET = concat!("
        select ", columns!(), ", w.data from waveforms w
        where w.sensor_id = $1 and w.id = $2 and exists (select from sensors where id = $1)");
    ELEMENTS = "
        select coalesce(e.elements, '[]') from machines m left join machine_elements e on e.id = m.id where m.id = $1";
    SET_ELEMENTS = concat!("
        insert into machine_elements as e (id, elements) select $2, $3 from ", actor!(), "
        on conflict (id) do update set elements = excluded.elements
        returning e.elements");
}

/// What must be known of a sensor to analyse its bursts.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its machine.
    pub machine_id: MachineId,
    /// What the names of its features begin with.
    pub name: String,
    /// Its unit.
    pub unit: Option<String>,
    /// The elements of its machine.
    pub elements: Vec<StoredElement>,
}

/// A burst to store.
#[derive(Debug)]
pub struct NewBurst<'a> {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// When the first sample was taken.
    pub time: Timestamp,
    /// Samples a second.
    pub rate_hz: f64,
    /// Number of samples.
    pub samples: i32,
    /// Unit.
    pub unit: Option<&'a str>,
    /// Axis.
    pub axis: Option<&'a str>,
    /// Speed of the shaft.
    pub rpm: Option<f64>,
    /// The packed samples.
    pub data: &'a [u8],
    /// What was computed.
    pub analysis: &'a WaveformAnalysis,
}

/// The sensor of bursts, with the elements of its machine.
pub async fn subject(db: &Db, sensor_id: SensorId) -> Result<Option<Subject>, StoreError> {
    db.first(SUBJECT, vec![id(sensor_id.0)], |c| {
        Ok(Subject { machine_id: c.take()?, name: c.take()?, unit: c.take()?, elements: parsed(c)? })
    })
    .await
}

/// Stores a burst; `None` if the sensor has one at this time.
pub async fn store(db: &Db, new: &NewBurst<'_>) -> Result<Option<Waveform>, StoreError> {
    let params = vec![
        at(new.time),
        id(new.sensor_id.0),
        id(new.machine_id.0),
        new.rate_hz.into(),
        new.samples.into(),
        optional(new.unit, text),
        optional(new.axis, text),
        optional(new.rpm, Into::into),
        bytes(new.data),
        json(new.analysis)?,
    ];
    db.first(STORE, params, waveform).await
}

/// The burst of a sensor at a time, with its packed samples.
pub async fn at_time(
    db: &Db,
    sensor_id: SensorId,
    time: Timestamp,
) -> Result<Option<(Waveform, Vec<u8>)>, StoreError> {
    db.first(AT, vec![id(sensor_id.0), at(time)], |c| Ok((waveform(c)?, c.take()?))).await
}

/// A burst with its packed samples.
pub async fn get(
    db: &Db,
    sensor_id: SensorId,
    waveform_id: WaveformId,
) -> Result<Option<(Waveform, Vec<u8>)>, StoreError> {
    db.first(GET, vec![id(sensor_id.0), id(waveform_id.0)], |c| Ok((waveform(c)?, c.take()?))).await
}

/// A page of the bursts of a sensor.
pub async fn list(
    db: &Db,
    sensor_id: SensorId,
    query: &ListQuery<WaveformSort>,
) -> Result<Page<Waveform>, StoreError> {
    LIST.page(db, query, vec![id(sensor_id.0)], waveform).await
}

/// The elements of a machine; `None`: no such machine.
pub async fn elements(db: &Db, machine_id: MachineId) -> Result<Option<Vec<StoredElement>>, StoreError> {
    db.first(ELEMENTS, vec![id(machine_id.0)], parsed).await
}

/// Replaces the elements of a machine.
///
/// # Errors
/// Constraint `machine_elements_machine_exists`.
pub async fn set_elements(
    db: &Db,
    actor: &Actor,
    machine_id: MachineId,
    elements: &[StoredElement],
) -> Result<Vec<StoredElement>, StoreError> {
    db.one(SET_ELEMENTS, vec![actor.setting(), id(machine_id.0), json(&elements)?], parsed).await
}

fn waveform(c: &mut Columns) -> Result<Waveform, StoreError> {
    Ok(Waveform {
        id: c.take()?,
        sensor_id: c.take()?,
        machine_id: c.take()?,
        timestamp: c.take()?,
        received_at: c.take()?,
        rate_hz: c.take()?,
        samples: c.take()?,
        unit: c.take()?,
        axis: c.take()?,
        rpm: c.take()?,
        analysis: parsed(c)?,
    })
}

/// The next column, JSON of a type.
fn parsed<T: DeserializeOwned>(c: &mut Columns) -> Result<T, StoreError> {
    serde_json::from_value(c.take()?).map_err(|e| StoreError::Failed(e.to_string()))
}
