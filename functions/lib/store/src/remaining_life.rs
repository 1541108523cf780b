//! The cycles that a machine's network judges. The machine's metadata say which network (`rul_model`), which sensor is
//! which of its channels (`rul_sensors`, an object channel → sensor) and how long a cycle takes (`rul_hours_per_cycle`).

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Times, texts},
};
use pm_api::{MachineId, SensorId, Timestamp};
use pm_domain::freshness::CYCLES_S;

statements! {
    CHANNELS = "
        with chosen as (
            select distinct on (m.id, k.channel) m.id as machine_id, m.metadata, k.channel, s.id as sensor_id
            from machines m
            cross join lateral jsonb_each_text(
                case when jsonb_typeof(m.metadata->'rul_sensors') = 'object' then m.metadata->'rul_sensors' else '{}' end)
                k (channel, sensor)
            join sensors s on s.machine_id = m.id and (s.mqtt_id = k.sensor or s.name = k.sensor)
            where m.id = any($1::text[]::uuid[]) and m.metadata->>'rul_model' is not null
            order by m.id, k.channel, coalesce(s.mqtt_id = k.sensor, false) desc, s.created_at)
        select c.machine_id, c.metadata->>'rul_model',
               case when jsonb_typeof(c.metadata->'rul_hours_per_cycle') = 'number'
                    then (c.metadata->>'rul_hours_per_cycle')::float8 end,
               c.channel, c.sensor_id, coalesce(w.times, '{}'), coalesce(w.vals, '')
        from chosen c
        cross join lateral (
            select array_agg((extract(epoch from d.time) * 1000000)::int8 order by d.time) as times,
                   string_agg(d.value::text, ',' order by d.time) as vals
            from (
                select time, value from sensor_data
                where sensor_id = c.sensor_id and quality = 0 and time > now() - $3::int8 * interval '1 second' and time <= now()
                order by time desc limit $2) d) w
        order by c.machine_id, c.channel";
}

/// One channel of a machine with a network.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The machine.
    pub machine_id: MachineId,
    /// Name and version of its network.
    pub model: String,
    /// Hours that a cycle takes, if the machine says so.
    pub hours_per_cycle: Option<f64>,
    /// Name of the channel.
    pub channel: String,
    /// The sensor that measures it.
    pub sensor_id: SensorId,
    /// Its newest readings, oldest first.
    pub readings: Vec<(Timestamp, f64)>,
}

/// The channels of the given machines, machine by machine, with at most `most` readings each. Machines without a
/// network, and channels whose sensor is not there, are left out.
pub async fn channels(db: &Db, machines: &[MachineId], most: i64) -> Result<Vec<Channel>, StoreError> {
    db.rows(CHANNELS, vec![texts(machines), most.into(), CYCLES_S.into()], |c| {
        let (machine_id, model, hours_per_cycle) = (c.take()?, c.take()?, c.take()?);
        let (channel, sensor_id, times) = (c.take()?, c.take()?, c.take::<Times>()?.0);
        let values: String = c.take()?;
        let values = values.split(',').map(|v| v.parse::<f64>().unwrap_or(f64::NAN));
        let readings = times.into_iter().map(Timestamp).zip(values).collect();
        Ok(Channel { machine_id, model, hours_per_cycle, channel, sensor_id, readings })
    })
    .await
}
