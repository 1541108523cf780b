//! Stored readings, for people.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Columns, at, id},
};
use pm_api::{MachineId, Metadata, SensorId, Timestamp, sensor_data::SensorData};
use spin_sdk::pg::ParameterValue;

statements! {
    ALL_DESC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from (select * from sensor_data where time > epoch_us($3) and time <= epoch_us($4)
              order by time desc limit $1 offset $2) d
        left join sensors s on s.id = d.sensor_id
        order by d.time desc, d.id desc";
    ALL_ASC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from (select * from sensor_data where time > epoch_us($3) and time <= epoch_us($4)
              order by time limit $1 offset $2) d
        left join sensors s on s.id = d.sensor_id
        order by d.time, d.id";
    SENSOR_DESC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from sensor_data d left join sensors s on s.id = d.sensor_id
        where d.sensor_id = $5 and d.time > epoch_us($3) and d.time <= epoch_us($4)
        order by d.time desc limit $1 offset $2";
    SENSOR_ASC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from sensor_data d left join sensors s on s.id = d.sensor_id
        where d.sensor_id = $5 and d.time > epoch_us($3) and d.time <= epoch_us($4)
        order by d.time limit $1 offset $2";
    MACHINE_DESC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from sensors s cross join lateral (
            select * from sensor_data where sensor_id = s.id and time > epoch_us($3) and time <= epoch_us($4)
            order by time desc limit $1::int8 + $2::int8) d
        where s.machine_id = $5
        order by d.time desc, d.id desc limit $1 offset $2";
    MACHINE_ASC = "
        select d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
               s.name, s.sensor_type, s.unit, s.metadata
        from sensors s cross join lateral (
            select * from sensor_data where sensor_id = s.id and time > epoch_us($3) and time <= epoch_us($4)
            order by time limit $1::int8 + $2::int8) d
        where s.machine_id = $5
        order by d.time, d.id limit $1 offset $2";
}

/// Which readings, in which order.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Of this sensor (wins over the machine).
    pub sensor_id: Option<SensorId>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Later than this.
    pub from: Option<Timestamp>,
    /// Not later than this.
    pub to: Option<Timestamp>,
    /// Oldest first?
    pub ascending: bool,
    /// At most this many.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
}

/// Earliest and latest times that chunk exclusion and arithmetic can take: 1970 and 2200.
const WIDEST: (Timestamp, Timestamp) = (Timestamp(-1), Timestamp(7_258_118_400_000_000));

/// Readings with what is known of their sensors.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, filter: &Filter) -> Result<Vec<SensorData>, StoreError> {
    let mut params: Vec<ParameterValue> = vec![
        filter.limit.into(),
        filter.offset.into(),
        at(filter.from.unwrap_or(WIDEST.0)),
        at(filter.to.unwrap_or(WIDEST.1)),
    ];
    let statement = match (filter.sensor_id, filter.machine_id, filter.ascending) {
        (None, None, false) => ALL_DESC,
        (None, None, true) => ALL_ASC,
        (Some(_), _, false) => SENSOR_DESC,
        (Some(_), _, true) => SENSOR_ASC,
        (None, Some(_), false) => MACHINE_DESC,
        (None, Some(_), true) => MACHINE_ASC,
    };
    if let Some(key) = filter.sensor_id.map(|s| s.0).or(filter.machine_id.map(|m| m.0)) {
        params.push(id(key));
    }
    db.rows(statement, params, sensor_data).await
}

fn sensor_data(c: &mut Columns) -> Result<SensorData, StoreError> {
    let mut data = SensorData {
        sensor_id: c.take()?,
        machine_id: c.take()?,
        timestamp: c.take()?,
        value: c.take()?,
        status: c.take()?,
        metadata: c.take::<Option<Metadata>>()?.unwrap_or_default(),
        id: c.take()?,
    };
    for key in ["sensor_name", "sensor_type", "sensor_unit"] {
        data.metadata.insert(key.to_owned(), c.take::<Option<String>>()?.into());
    }
    data.metadata.extend(c.take::<Option<Metadata>>()?.unwrap_or_default());
    Ok(data)
}
