//! Stored readings, for people.
//!
//! Statements share their parameters: limit, offset, from, to, the cursor's time and sensor, then the filter's ids. A page
//! is ordered by time and sensor, which is a reading's key, so a cursor names one place in the list for ever.

use crate::{
    Db, Listing, Slicing, StoreError,
    statement::statements,
    value::{Columns, at, id, optional},
};
use pm_api::{MachineId, Metadata, SensorId, Timestamp, sensor_data::SensorData};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns of a reading `d` with its sensor `s`.
macro_rules! columns {
    () => {
        "d.sensor_id, d.machine_id, d.time at time zone 'utc', d.value, d.status, d.metadata, d.id,
         s.name, s.sensor_type, s.unit, s.metadata"
    };
}

/// Of all sensors. Rows of one time at the edge of the page are all looked at before it is cut.
macro_rules! of_all {
    ($compare:literal, $order:literal) => {
        concat!(
            "select ",
            columns!(),
            ", (select count_readings(null, null, epoch_us($3), epoch_us($4)))
             from (select * from sensor_data
                   where time >= epoch_us($3) and time <= epoch_us($4)
                     and time ",
            $compare,
            "= epoch_us($5) and (time, sensor_id) ",
            $compare,
            " (epoch_us($5), $6::uuid)
                     and sensor_id <> all (array(select sensor_id from deleted_sensors))
                   order by time ",
            $order,
            " fetch first ($1::int8 + $2::int8) rows with ties) d
             join sensors s on s.id = d.sensor_id
             order by d.time ",
            $order,
            ", d.sensor_id ",
            $order,
            " limit $1 offset $2"
        )
    };
}

/// Of one sensor, and of one machine if that is given too.
macro_rules! of_sensor {
    ($compare:literal, $order:literal) => {
        concat!(
            "select ",
            columns!(),
            ", (select count_readings($7::uuid, $8::uuid, epoch_us($3), epoch_us($4)))
             from sensor_data d join sensors s on s.id = d.sensor_id
             where d.sensor_id = $7::uuid and ($8::uuid is null or d.machine_id = $8::uuid)
               and d.time >= epoch_us($3) and d.time <= epoch_us($4)
               and d.time ",
            $compare,
            "= epoch_us($5) and (d.time, d.sensor_id) ",
            $compare,
            " (epoch_us($5), $6::uuid)
             order by d.time ",
            $order,
            " limit $1 offset $2"
        )
    };
}

/// Of one machine.
macro_rules! of_machine {
    ($compare:literal, $order:literal) => {
        concat!(
            "select ",
            columns!(),
            ", (select count_readings(null, $7::uuid, epoch_us($3), epoch_us($4)))
             from sensors s cross join lateral (
                 select * from sensor_data
                 where sensor_id = s.id and time >= epoch_us($3) and time <= epoch_us($4)
                   and time ",
            $compare,
            "= epoch_us($5) and (time, sensor_id) ",
            $compare,
            " (epoch_us($5), $6::uuid)
                 order by time ",
            $order,
            " limit $1::int8 + $2::int8) d
             where s.machine_id = $7::uuid
             order by d.time ",
            $order,
            ", d.sensor_id ",
            $order,
            " limit $1 offset $2"
        )
    };
}

statements! {
    // The beginning of the newest-first list of everything, where the last hour fills it: only chunks of that hour are
    // looked at. The limits are queries, so that no plan is made for each of them: together less than half the time.
    NEWEST = concat!("
        select ", columns!(), ", (select count_readings(null, null, 'epoch', 'infinity'))
        from (select * from sensor_data
              where time > now() - interval '1 hour'
                and sensor_id <> all (array(select sensor_id from deleted_sensors))
              order by time desc fetch first (select $1::int8 + $2::int8) rows with ties) d
        join sensors s on s.id = d.sensor_id
        order by d.time desc, d.sensor_id desc limit (select $1::int8) offset (select $2::int8)");
    ALL_DESC = of_all!("<", "desc");
    ALL_ASC = of_all!(">", "asc");
    SENSOR_DESC = of_sensor!("<", "desc");
    SENSOR_ASC = of_sensor!(">", "asc");
    MACHINE_DESC = of_machine!("<", "desc");
    MACHINE_ASC = of_machine!(">", "asc");
    COUNT = "select count_readings($1::uuid, $2::uuid, epoch_us($3), epoch_us($4))";
    GET = concat!(
        "select ", columns!(),
        " from sensor_data d join sensors s on s.id = d.sensor_id where d.sensor_id = $1 and d.time = epoch_us($2)"
    );
}

/// Which readings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this sensor.
    pub sensor_id: Option<SensorId>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Not earlier than this.
    pub from: Option<Timestamp>,
    /// Not later than this.
    pub to: Option<Timestamp>,
}

/// The field that orders readings.
pub const SORTS: &[&str] = &["timestamp"];

/// Earliest and latest times that chunk exclusion and arithmetic can take: 1970 and 2200.
pub(crate) const WIDEST: (Timestamp, Timestamp) = (Timestamp(0), Timestamp(7_258_118_400_000_000));

/// The time and id after which a page of a list ordered by time begins.
///
/// # Errors
/// [`StoreError::Invalid`] for a cursor of another list.
pub(crate) fn begin(paging: &Slicing) -> Result<(Timestamp, Uuid), StoreError> {
    match &paging.after {
        None if paging.descending => Ok((WIDEST.1, Uuid::max())),
        None => Ok((Timestamp(-1), Uuid::nil())),
        Some(cursor) => {
            let time = cursor.key.parse().ok().filter(|us| (-1..=WIDEST.1.0).contains(us));
            let time = time.ok_or_else(|| StoreError::Invalid("a cursor of another list".to_owned()))?;
            Ok((Timestamp(time), cursor.id))
        }
    }
}

/// A slice of the readings, by time, with what is known of their sensors. The length of the whole is exact up to 10,000
/// readings; beyond, whole hours are counted at the edges of the range.
///
/// # Errors
/// [`StoreError::Invalid`] for a cursor of another list.
pub async fn list(db: &Db, filter: &Filter, paging: &Slicing) -> Result<Listing<SensorData>, StoreError> {
    let row = |c: &mut Columns| Ok((sensor_data(c)?, c.take::<i64>()?));
    if *filter == Filter::default() && paging.descending && paging.after.is_none() {
        let rows = db.rows(NEWEST, vec![paging.limit.into(), paging.offset.into()], row).await?;
        if let Some((_, total)) = rows.last().filter(|_| rows.len() as i64 == paging.limit) {
            let total = *total;
            return Ok(listing(paging, rows, total));
        }
    }
    let (from, to) = (filter.from.unwrap_or(WIDEST.0), filter.to.unwrap_or(WIDEST.1));
    let (time, sensor) = begin(paging)?;
    let mut params: Vec<ParameterValue> =
        vec![paging.limit.into(), paging.offset.into(), at(from), at(to), at(time), id(sensor)];
    let statement = match (filter.sensor_id, filter.machine_id, paging.descending) {
        (None, None, true) => ALL_DESC,
        (None, None, false) => ALL_ASC,
        (Some(_), _, true) => SENSOR_DESC,
        (Some(_), _, false) => SENSOR_ASC,
        (None, Some(_), true) => MACHINE_DESC,
        (None, Some(_), false) => MACHINE_ASC,
    };
    let ids = || [optional(filter.sensor_id, |s| id(s.0)), optional(filter.machine_id, |m| id(m.0))];
    match (filter.sensor_id, filter.machine_id) {
        (None, None) => {}
        (Some(_), _) => params.extend(ids()),
        (None, Some(machine)) => params.push(id(machine.0)),
    }
    let rows = db.rows(statement, params, row).await?;
    let total = match rows.first() {
        Some((_, total)) => *total,
        None => db.one(COUNT, ids().into_iter().chain([at(from), at(to)]).collect(), |c| c.take()).await?,
    };
    Ok(listing(paging, rows, total))
}

fn listing(paging: &Slicing, rows: Vec<(SensorData, i64)>, total: i64) -> Listing<SensorData> {
    let readings = rows.into_iter().map(|(reading, _)| reading).collect();
    paging.by_time(readings, total, |d: &SensorData| (d.timestamp, d.sensor_id.0))
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
        metadata: c.take::<Option<Metadata>>()?.unwrap_or_default(),
        id: c.take()?,
    };
    for key in ["sensor_name", "sensor_type", "sensor_unit"] {
        data.metadata.insert(key.to_owned(), c.take::<Option<String>>()?.into());
    }
    data.metadata.extend(c.take::<Option<Metadata>>()?.unwrap_or_default());
    Ok(data)
}
