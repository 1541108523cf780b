//! Stored readings, for people. A list is ordered by time and sensor, which is a reading's key, so a cursor names one
//! place in it for ever.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::statements,
    value::{Columns, at, id, optional},
};
use pm_api::{
    Metadata, SensorId, Timestamp,
    list::{ListQuery, Page},
    sensor_data::{ReadingFilter, SensorData},
    sort::ReadingSort,
};

/// The columns of a reading `d` with its sensor `s`.
macro_rules! columns {
    () => {
        "d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.quality,
         d.received_at at time zone 'utc', d.metadata, d.id,
         s.name, s.sensor_type, s.unit, s.metadata"
    };
}

/// A list of readings. Its rows are found by time alone, as they are indexed, before their sensors are looked up.
macro_rules! readings {
    ($rows:literal, total: $total:literal, one_plan: $one_plan:literal) => {
        List {
            columns: columns!(),
            rows: $rows,
            id: Id::Uuid("d.sensor_id"),
            key: |ReadingSort::Timestamp| Key::Time("d.time"),
            total: Total::Expression($total),
            one_plan: $one_plan,
        }
    };
}

lists! {
    /// The beginning of the list of everything, newest first, where the last hour fills it: only chunks of that hour are
    /// looked at.
    NEWEST: ReadingSort = readings!("
        from (select d.* from sensor_data d
              where d.time > now() - interval '1 hour'
                and d.sensor_id <> all (array(select sensor_id from deleted_sensors)){after}{first}) d
        join sensors s on s.id = d.sensor_id",
        total: "count_readings(null, null, 'epoch', 'infinity')", one_plan: true);
    /// Of all sensors.
    OF_ALL: ReadingSort = readings!("
        from (select d.* from sensor_data d
              where d.time >= epoch_us($1) and d.time <= epoch_us($2)
                and d.sensor_id <> all (array(select sensor_id from deleted_sensors)){after}{first}) d
        join sensors s on s.id = d.sensor_id",
        total: "count_readings(null, null, epoch_us($1), epoch_us($2))", one_plan: false);
    /// Of one sensor, and of one machine if that is given too.
    OF_SENSOR: ReadingSort = readings!("
        from sensor_data d join sensors s on s.id = d.sensor_id
        where d.time >= epoch_us($1) and d.time <= epoch_us($2)
          and d.sensor_id = $3::uuid and ($4::uuid is null or d.machine_id = $4::uuid)",
        total: "count_readings($3::uuid, $4::uuid, epoch_us($1), epoch_us($2))", one_plan: false);
    /// Of one machine.
    OF_MACHINE: ReadingSort = readings!("
        from sensors s cross join lateral (
            select d.* from sensor_data d
            where d.sensor_id = s.id and d.time >= epoch_us($1) and d.time <= epoch_us($2){after}{first}) d
        where s.machine_id = $3::uuid",
        total: "count_readings(null, $3::uuid, epoch_us($1), epoch_us($2))", one_plan: false);
}

statements! {
    GET = concat!(
        "select ", columns!(),
        " from sensor_data d join sensors s on s.id = d.sensor_id where d.sensor_id = $1 and d.time = epoch_us($2)"
    );
}

/// Earliest and latest times that chunk exclusion and arithmetic can take: 1970 and 2200.
pub(crate) const WIDEST: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(7_258_118_400_000_000));

/// A page of the readings, with what is known of their sensors. The length of the whole is exact up to 10,000 readings;
/// beyond, whole hours are counted at the edges of the range.
pub async fn list(
    db: &Db,
    filter: &ReadingFilter,
    query: &ListQuery<ReadingSort>,
) -> Result<Page<SensorData>, StoreError> {
    if *filter == ReadingFilter::default() && query.descending && query.after.is_none() {
        let newest = NEWEST.rows(db, query, Vec::new(), sensor_data).await?;
        if newest.next.is_some() {
            return Ok(newest);
        }
    }
    let mut params = vec![at(filter.start_date.unwrap_or(WIDEST.0)), at(filter.end_date.unwrap_or(WIDEST.1))];
    let rows = match (filter.sensor_id, filter.machine_id) {
        (None, None) => OF_ALL,
        (Some(sensor), machine) => {
            params.extend([id(sensor.0), optional(machine, |m| id(m.0))]);
            OF_SENSOR
        }
        (None, Some(machine)) => {
            params.push(id(machine.0));
            OF_MACHINE
        }
    };
    rows.page(db, query, params, sensor_data).await
}

/// The reading of a sensor at a time.
pub async fn get(db: &Db, sensor_id: SensorId, time: Timestamp) -> Result<Option<SensorData>, StoreError> {
    db.first(GET, vec![id(sensor_id.0), at(time)], sensor_data).await
}

fn sensor_data(c: &mut Columns) -> Result<SensorData, StoreError> {
    let mut data = SensorData {
        sensor_id: c.take()?,
        machine_id: c.take()?,
        timestamp: c.take()?,
        value: c.take()?,
        status: c.take()?,
        quality: c.take()?,
        received_at: c.take()?,
        metadata: c.take::<Option<Metadata>>()?.unwrap_or_default(),
        id: c.take()?,
    };
    for key in ["sensor_name", "sensor_type", "sensor_unit"] {
        data.metadata.insert(key.to_owned(), c.take::<Option<String>>()?.into());
    }
    data.metadata.extend(c.take::<Option<Metadata>>()?.unwrap_or_default());
    Ok(data)
}
