//! What reports hold. Readings are summed up here, in one pass over them, and never leave the database row by row; where
//! they were dropped, their roll-ups are summed up.

use crate::{
    Db, StoreError,
    closed::{alarm_is_open, ticket_is_open},
    sensor::{in_force, threshold_columns},
    statement::statements,
    value::{Columns, at, id, optional},
};
use pm_api::{MachineId, SensorId, Timestamp};
use pm_domain::{
    alarm,
    limits::limits,
    reliability::{Failure, SILENT_INTERVALS, Span},
    report_content::{
        AlarmRow, Excerpt, MachineRow, Measured, PredictionRow, ReadingRow, SensorRow, TicketRow, TrendPoint,
    },
};
use spin_sdk::pg::ParameterValue;
use std::collections::HashMap;

statements! {
    // Readings by sensor and interval ($5 seconds), and from these: figures of each sensor, spans in which each machine
    // was observed (silence up to $8 seconds is none), and the course ($6 seconds a point) of the $7 sensors that were
    // in the worst state. Values are bounded by summand, since their squares have no room else. Where readings were dropped,
    // their minutes or hours stand in for them: with the worst state for the whole of it, an hour evenly over its intervals,
    // and without what the values strayed within it.
    MEASURED = "
        with kept as materialized (
            select max(dropped_before) filter (where class = 'readings') as raw_from,
                   max(dropped_before) filter (where class = 'readings_1m') as minutes_from
            from retention_marks),
        rolled as (
            select sensor_id, bucket as time, count::float8 as n, sum / count as mean, min as low, max as high, worst
            from readings_1m, kept
            where (select raw_from from kept) > epoch_us($1) and bucket >= epoch_us($1) and bucket < epoch_us($2)
              and bucket < raw_from and bucket >= minutes_from
            union all
            select sensor_id, piece, count * least($5::float8 / 3600, 1), sum / count, min, max, worst
            from readings_1h, kept,
                 generate_series(bucket, bucket + interval '3599 seconds', $5::int8 * interval '1 second') piece
            where (select least(raw_from, minutes_from) from kept) > epoch_us($1)
              and bucket >= epoch_us($1) and bucket < epoch_us($2) and bucket < least(raw_from, minutes_from)),
        parts as materialized (
            select s.id as sensor_id, s.machine_id, time_bucket($5::int8 * interval '1 second', r.time) as bucket,
                   sum(r.n) as n, sum(r.n * v.mean) / sum(r.n) as mean, coalesce(var_pop(v.mean), 0) * sum(r.n) as squares,
                   min(r.low) as low, max(r.high) as high, coalesce(sum(r.n) filter (where r.worst = 1), 0) as warning,
                   coalesce(sum(r.n) filter (where r.worst = 2), 0) as critical
            from sensors s
            join rolled r on r.sensor_id = s.id
            cross join lateral (select summand(r.mean) as mean) v
            where ($3::uuid is null or s.machine_id = $3) and ($4::uuid is null or s.id = $4)
            group by s.id, s.machine_id, 3
            union all
            select s.id, s.machine_id, time_bucket($5::int8 * interval '1 second', d.time) as bucket, count(*)::float8,
                   avg(v.value), coalesce(var_samp(v.value), 0) * (count(*) - 1), min(d.value), max(d.value),
                   count(*) filter (where d.status = 1)::float8, count(*) filter (where d.status = 2)::float8
            from sensors s
            join sensor_data d on d.sensor_id = s.id
            cross join lateral (select summand(d.value) as value) v
            where d.time >= epoch_us($1) and d.time < epoch_us($2) and d.quality = 0
              and ($3::uuid is null or s.machine_id = $3) and ($4::uuid is null or s.id = $4)
            group by s.id, s.machine_id, bucket),
        means as (
            select sensor_id, sum(n) as n, sum(n * mean) / sum(n) as mean from parts group by sensor_id),
        figures as materialized (
            select p.sensor_id, m.n, m.mean, min(p.low) as low, max(p.high) as high,
                   case when m.n > 1 then sqrt(sum(p.squares + p.n * (p.mean - m.mean) ^ 2) / (m.n - 1)) else 0 end as std,
                   sum(p.warning / p.n) * $5 as warning_s, sum(p.critical / p.n) * $5 as critical_s
            from parts p join means m using (sensor_id)
            group by p.sensor_id, m.n, m.mean),
        islands as (
            select machine_id, bucket, sum(begins) over (partition by machine_id order by bucket) as island
            from (
                select machine_id, bucket, coalesce(bucket - lag(bucket) over (partition by machine_id order by bucket)
                           > $8::int8 * interval '1 second', true)::int as begins
                from (select distinct machine_id, bucket from parts) seen) marked),
        spans as (
            select machine_id, (extract(epoch from min(bucket)) * 1000000)::int8 as from_us,
                   (extract(epoch from max(bucket)) * 1000000)::int8 + $5::int8 * 1000000 as to_us
            from islands group by machine_id, island),
        courses as (
            select p.sensor_id, time_bucket($6::int8 * interval '1 second', p.bucket) as bucket, min(p.low) as low,
                   sum(p.n * p.mean) / sum(p.n) as mean, max(p.high) as high
            from (select sensor_id from figures
                  order by critical_s desc, warning_s desc, std / greatest(abs(mean), 1e-9) desc, sensor_id limit $7) worst
            join parts p using (sensor_id)
            group by p.sensor_id, 2)
        select 'figures', sensor_id, jsonb_build_object('count', n::int8, 'min', low, 'mean', mean, 'max', high, 'std', std,
                                                        'warning_s', warning_s, 'critical_s', critical_s)
        from figures
        union all
        select 'observed', machine_id, jsonb_agg(jsonb_build_array(from_us, to_us) order by from_us)
        from spans group by machine_id
        union all
        select 'course', sensor_id, jsonb_agg(jsonb_build_array((extract(epoch from bucket) * 1000000)::int8, low, mean, high)
                                              order by bucket)
        from courses group by sensor_id";
    MACHINES = "
        select m.id, m.name, m.location, m.criticality, m.status, count(*) over ()
        from machines m
        where ($1::uuid is null or m.id = $1)
          and ($2::uuid is null or m.id = (select machine_id from sensors where id = $2))
        order by m.name, m.id limit $3";
    SENSORS = concat!("
        select s.id, s.machine_id, m.name, s.name, s.unit, ", threshold_columns!(), ", count(*) over ()
        from sensors s join machines m on m.id = s.machine_id
        where ($1::uuid is null or s.machine_id = $1) and ($2::uuid is null or s.id = $2)
        order by m.name, m.id, s.name, s.id limit $3");
    // Alarms from the time they were critical.
    FAILURES = concat!("
        select a.machine_id,
               coalesce(t.escalated_at, a.triggered_at) at time zone 'utc', a.condition_active,
               t.ended_at at time zone 'utc', a.last_seen_at at time zone 'utc', a.resolved_at at time zone 'utc'
        from alarms a
        left join lateral (
            select min(at) filter (where change = 'escalated' and note = 'critical') as escalated_at,
                   max(at) filter (where change = 'condition ended') as ended_at
            from alarm_transitions where alarm_id = a.id) t on true
        where a.severity = 'critical' and a.kind <> 'prediction' and a.triggered_at < epoch_us($2)
          and (", alarm_is_open!("a."), " or a.resolved_at >= epoch_us($1))
          and ($3::uuid is null or a.machine_id = $3) and ($4::uuid is null or a.sensor_id = $4)
        order by a.triggered_at desc limit 100000");
    ALARMS = concat!("
        select a.machine_id, m.name, s.name, a.kind, a.severity, a.message, a.status, a.triggered_at at time zone 'utc',
               a.condition_active, t.ended_at at time zone 'utc', a.last_seen_at at time zone 'utc',
               a.resolved_at at time zone 'utc', a.acknowledged_at at time zone 'utc', coalesce(k.full_name, k.email), a.resolved_at at time zone 'utc',
               coalesce(r.full_name, r.email), a.resolution_notes, a.occurrences, a.whole
        from (
            select *, count(*) over () as whole from alarms
            where triggered_at < epoch_us($2)
              and (triggered_at >= epoch_us($1) or ", alarm_is_open!(), " or resolved_at >= epoch_us($1))
              and ($3::uuid is null or machine_id = $3) and ($4::uuid is null or sensor_id = $4)
            order by triggered_at desc, id desc limit $5) a
        join machines m on m.id = a.machine_id
        left join sensors s on s.id = a.sensor_id
        left join users k on k.id = a.acknowledged_by
        left join users r on r.id = a.resolved_by
        left join lateral (
            select max(at) as ended_at from alarm_transitions where alarm_id = a.id and change = 'condition ended') t on true
        order by a.triggered_at desc, a.id desc");
    PREDICTIONS = "
        select m.name, s.name, p.normal, p.warning, p.critical, p.buffering, p.mean_score, p.max_score, p.health,
               p.remaining, p.model, count(*) over ()
        from (
            select sensor_id, count(*) filter (where status = 'normal') as normal,
                   count(*) filter (where status = 'warning') as warning,
                   count(*) filter (where status = 'critical') as critical,
                   count(*) filter (where status = 'buffering') as buffering,
                   avg(score) filter (where status <> 'buffering') as mean_score,
                   max(score) filter (where status <> 'buffering') as max_score,
                   last(health_percent, time) as health, last(remaining_hours, time) as remaining,
                   last(model_version, time) as model
            from predictions where time >= epoch_us($1) and time < epoch_us($2) group by sensor_id) p
        join sensors s on s.id = p.sensor_id
        join machines m on m.id = s.machine_id
        where ($3::uuid is null or s.machine_id = $3) and ($4::uuid is null or s.id = $4)
        order by p.critical desc, p.warning desc, p.mean_score desc nulls last, m.name, s.name, s.id limit $5";
    TICKETS = concat!("
        select m.name, t.title, t.priority, t.status, t.assignee, t.created_at at time zone 'utc',
               t.due_at at time zone 'utc', t.resolution_notes, count(*) over ()
        from tickets t join machines m on m.id = t.machine_id left join alarms a on a.id = t.alarm_id
        where t.created_at < epoch_us($2)
          and (t.created_at >= epoch_us($1) or ", ticket_is_open!("t."), ")
          and ($3::uuid is null or t.machine_id = $3) and ($4::uuid is null or a.sensor_id = $4)
        order by t.created_at desc, t.id desc limit $5");
    READINGS = "
        select * from (
            select d.time at time zone 'utc' as time, d.sensor_id, d.value, d.status from sensor_data d
            where d.time >= epoch_us($1) and d.time < epoch_us($2) and d.quality = 0
              and ($3::uuid is null or d.machine_id = $3) and ($4::uuid is null or d.sensor_id = $4)
            order by d.time desc, d.sensor_id desc limit $5) newest
        order by time, sensor_id";
}

/// What a report is narrowed to.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// The period; its end excluded.
    pub period: Span,
    /// Only this machine.
    pub machine_id: Option<MachineId>,
    /// Only this sensor.
    pub sensor_id: Option<SensorId>,
}

impl Scope {
    fn assets(&self) -> [ParameterValue; 2] {
        [optional(self.machine_id, |m| id(m.0)), optional(self.sensor_id, |s| id(s.0))]
    }

    pub(crate) fn params(&self) -> Vec<ParameterValue> {
        let [machine, sensor] = self.assets();
        vec![at(self.period.from), at(self.period.to), machine, sensor]
    }

    fn with(&self, more: impl IntoIterator<Item = ParameterValue>) -> Vec<ParameterValue> {
        self.params().into_iter().chain(more).collect()
    }
}

/// How finely readings are summed up.
#[derive(Debug, Clone, Copy)]
pub struct Resolution {
    /// Interval of observation, seconds.
    pub interval_s: i64,
    /// Interval of a chart's point, seconds; a multiple of it.
    pub point_s: i64,
    /// Sensors whose course is wanted.
    pub charts: i64,
}

fn list<T>(rows: Vec<(T, i64)>) -> Excerpt<T> {
    let total = rows.first().map_or(0, |row| row.1);
    Excerpt { rows: rows.into_iter().map(|row| row.0).collect(), total }
}

/// Machines and sensors with what was measured, up to `most` of each.
pub async fn assets(
    db: &Db,
    scope: &Scope,
    resolution: Resolution,
    most: i64,
) -> Result<(Excerpt<MachineRow>, Excerpt<SensorRow>), StoreError> {
    let [machine, sensor] = scope.assets();
    let mut machines = list(db.rows(MACHINES, vec![machine, sensor, most.into()], machine_row).await?);
    let [machine, sensor] = scope.assets();
    let mut sensors = list(db.rows(SENSORS, vec![machine, sensor, most.into()], sensor_row).await?);
    let of_machine: HashMap<_, _> = machines.rows.iter().enumerate().map(|(i, m)| (m.id.0, i)).collect();
    let of_sensor: HashMap<_, _> = sensors.rows.iter().enumerate().map(|(i, s)| (s.id.0, i)).collect();
    let silence_s = SILENT_INTERVALS * resolution.interval_s;
    let resolution =
        [resolution.interval_s.into(), resolution.point_s.into(), resolution.charts.into(), silence_s.into()];
    let measured = db.rows(MEASURED, scope.with(resolution), |c| {
        Ok((c.take::<String>()?, c.take::<uuid::Uuid>()?, c.take::<serde_json::Value>()?))
    });
    for (what, asset, value) in measured.await? {
        let sensor = of_sensor.get(&asset).and_then(|i| sensors.rows.get_mut(*i));
        let machine = of_machine.get(&asset).and_then(|i| machines.rows.get_mut(*i));
        match (what.as_str(), sensor, machine) {
            ("figures", Some(sensor), _) => sensor.measured = Some(read(value)?),
            ("course", Some(sensor), _) => {
                let points: Vec<(i64, f64, f64, f64)> = read(value)?;
                let point = |(us, min, mean, max)| TrendPoint { at: Timestamp(us), min, mean, max };
                sensor.trend = points.into_iter().map(point).collect();
            }
            ("observed", _, Some(machine)) => {
                let spans: Vec<(i64, i64)> = read(value)?;
                let span = |(from, to)| Span { from: Timestamp(from), to: Timestamp(to) };
                machine.observed = spans.into_iter().map(span).collect();
            }
            // beyond `most`
            _ => {}
        }
    }
    let failures = db.rows(FAILURES, scope.params(), |c| {
        Ok((c.take::<MachineId>()?, Failure { from: c.take()?, restored: condition_end(c)? }))
    });
    for (machine_id, failure) in failures.await? {
        if let Some(machine) = of_machine.get(&machine_id.0).and_then(|i| machines.rows.get_mut(*i)) {
            machine.failures.push(failure);
        }
    }
    Ok((machines, sensors))
}

fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|e| StoreError::Failed(e.to_string()))
}

fn machine_row(c: &mut Columns) -> Result<(MachineRow, i64), StoreError> {
    let row = MachineRow {
        id: c.take()?,
        name: c.take()?,
        location: c.take()?,
        criticality: c.word()?,
        status: c.word()?,
        observed: Vec::new(),
        failures: Vec::new(),
    };
    Ok((row, c.take()?))
}

fn sensor_row(c: &mut Columns) -> Result<(SensorRow, i64), StoreError> {
    let row = SensorRow {
        id: c.take()?,
        machine_id: c.take()?,
        machine: c.take()?,
        name: c.take()?,
        unit: c.take()?,
        limits: limits(in_force(c)?),
        measured: None::<Measured>,
        trend: Vec::new(),
    };
    Ok((row, c.take()?))
}

/// When the condition of an alarm ended, from the four columns that say so.
fn condition_end(c: &mut Columns) -> Result<Option<Timestamp>, StoreError> {
    let (active, ended_at, last_seen_at, resolved_at) = (c.take()?, c.take()?, c.take()?, c.take()?);
    Ok(alarm::condition_end(active, ended_at, last_seen_at, resolved_at))
}

/// Alarms, newest first, up to `most`.
pub async fn alarms(db: &Db, scope: &Scope, most: i64) -> Result<Excerpt<AlarmRow>, StoreError> {
    let rows = db.rows(ALARMS, scope.with([most.into()]), |c| {
        let row = AlarmRow {
            machine_id: c.take()?,
            machine: c.take()?,
            sensor: c.take()?,
            kind: c.take()?,
            severity: c.word()?,
            message: c.take()?,
            status: c.word()?,
            triggered_at: c.take()?,
            ended_at: condition_end(c)?,
            acknowledged_at: c.take()?,
            acknowledged_by: c.take()?,
            resolved_at: c.take()?,
            resolved_by: c.take()?,
            resolution_notes: c.take()?,
            occurrences: c.take()?,
        };
        Ok((row, c.take()?))
    });
    Ok(list(rows.await?))
}

/// Predictions by sensor, the worst first, up to `most` sensors.
pub async fn predictions(db: &Db, scope: &Scope, most: i64) -> Result<Excerpt<PredictionRow>, StoreError> {
    let rows = db.rows(PREDICTIONS, scope.with([most.into()]), |c| {
        let row = PredictionRow {
            machine: c.take()?,
            sensor: c.take()?,
            classes: [c.take()?, c.take()?, c.take()?, c.take()?],
            mean_score: c.take()?,
            max_score: c.take()?,
            health_percent: c.take()?,
            remaining_hours: c.take()?,
            model_version: c.take()?,
        };
        Ok((row, c.take()?))
    });
    Ok(list(rows.await?))
}

/// Tickets, newest first, up to `most`.
pub async fn tickets(db: &Db, scope: &Scope, most: i64) -> Result<Excerpt<TicketRow>, StoreError> {
    let rows = db.rows(TICKETS, scope.with([most.into()]), |c| {
        let row = TicketRow {
            machine: c.take()?,
            title: c.take()?,
            priority: c.word()?,
            status: c.word()?,
            assignee: c.take()?,
            created_at: c.take()?,
            due_at: c.take()?,
            resolution_notes: c.take()?,
        };
        Ok((row, c.take()?))
    });
    Ok(list(rows.await?))
}

/// The newest readings, ascending, up to `most`.
pub async fn readings(db: &Db, scope: &Scope, most: i64) -> Result<Vec<ReadingRow>, StoreError> {
    db.rows(READINGS, scope.with([most.into()]), |c| {
        Ok(ReadingRow { at: c.take()?, sensor_id: c.take()?, value: c.take()?, status: c.take()? })
    })
    .await
}
