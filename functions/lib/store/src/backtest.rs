//! Back-tests: which sensors and readings they are about, the alarms and faults that there were, and what came of them.
//!
//! Readings come as two arrays for each sensor in the binary form of the database, so that millions of them cross to a component
//! in seconds.

use crate::{
    Actor, Db, StoreError,
    alarm_rule::rules_of_sensor,
    closed::alarm_is_open,
    ingest::{KnownSensor, known, known_sensor, remembered},
    list::{Id, Key, List, Total, lists},
    sensor::threshold_columns,
    statement::{actor, statements},
    value::{Columns, Times, at, bytes, id, json, optional, text, texts},
};
use pm_api::{
    AlarmChangeKind, BacktestId, JobId, JobType, MachineId, ReadingStatus, SensorId, Timestamp,
    backtest::{AlarmSpan, Backtest, BacktestOutcome, BacktestScope, TriedRule},
    list::{ListQuery, Page},
    sort::BacktestSort,
};
use pm_domain::alarm::backtest::tally::spans;
use serde_json::Value;
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`backtest`] reads, of `backtests b` and their `jobs j`.
macro_rules! columns {
    () => {
        "b.id, b.created_at at time zone 'utc', b.created_by, b.name, b.starts_at at time zone 'utc',
         b.ends_at at time zone 'utc', b.scope, b.rules, b.sensors, b.job_id, coalesce(j.status, 'failed'),
         coalesce(j.progress, 0), j.error_message"
    };
}

lists! {
    LIST: BacktestSort = List {
        columns: columns!(),
        rows: "from backtests b left join jobs j on j.id = b.job_id where true",
        id: Id::Uuid("b.id"),
        key: |BacktestSort::CreatedAt| Key::Time("b.created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from backtests b left join jobs j on j.id = b.job_id where b.id = $1");
    OUTCOME = "select outcome from backtest_outcomes where backtest_id = $1";
    CREATE = concat!("
        with job as (
            insert into jobs (id, job_type, created_by, metadata)
            select $3, $4, $5, jsonb_build_object('backtest_id', $2::uuid, 'name', $6::text) from ", actor!(), "
            returning id),
        new as (
            insert into backtests (id, created_by, name, starts_at, ends_at, scope, rules, sensors, job_id)
            select $2, $5, $6, epoch_us($7), epoch_us($8), $9, $10, $11, job.id from job
            returning id)
        insert into backtest_outcomes (backtest_id, progress) select id, $12 from new");
    // its job ends with it
    DELETE = concat!("
        with gone as (delete from backtests b using ", actor!(), " where b.id = $2 returning b.job_id)
        update jobs j set status = 'failed', error_message = 'The back-test was deleted', completed_at = now(),
                          lease_id = null, lease_until = null
        from gone where j.id = gone.job_id and j.status in ('pending', 'running')");
    OF_JOB = "
        select b.id, b.starts_at at time zone 'utc', b.ends_at at time zone 'utc', b.rules, o.progress
        from backtests b join backtest_outcomes o on o.backtest_id = b.id where b.job_id = $1";
    REMEMBER = "update backtest_outcomes set progress = $2 where backtest_id = $1";
    DONE = "update backtest_outcomes set progress = '', outcome = $2 where backtest_id = $1";
    SENSORS = concat!("
        select m.name, ", known!(), "
        from sensors s join machines m on m.id = s.machine_id", remembered!(), "
        where ($1::text[] is null or s.id = any ($1::text[]::uuid[])) and ($2::uuid is null or s.machine_id = $2)
          and ($3::text is null or m.machine_class = $3) and ($4::text is null or s.sensor_type = $4)
        order by m.name, m.id, s.name, s.id limit $5");
    // The quality `implausible` was given by the rule of then; the one that is tried decides anew.
    READINGS = "
        select s.ord, d.times, d.amounts, d.statuses
        from unnest($1::text[]::uuid[]) with ordinality s (id, ord)
        cross join lateral (
            select array_send(array_agg(r.time)) as times, array_send(array_agg(r.value)) as amounts,
                   array_send(array_agg(r.status) filter (where $5)) as statuses
            from (
                select time, value, status from sensor_data
                where sensor_id = s.id and time >= epoch_us($2) and time < epoch_us($3) and quality in (0, 6)
                order by time limit $4) r) d
        where d.times is not null
        order by s.ord";
    READINGS_FROM = "select dropped_before at time zone 'utc' from retention_marks where class = 'readings'";
    RAISED = concat!("
        select a.sensor_id, a.triggered_at at time zone 'utc', a.severity, a.condition_active, h.changes, h.times
        from alarms a
        left join lateral (
            select array_agg(t.change order by t.id) as changes,
                   array_agg((extract(epoch from t.at) * 1000000)::int8 order by t.id) as times
            from alarm_transitions t
            where t.alarm_id = a.id and t.change in ('escalated', 'returned', 'condition ended', 'resolved')) h on true
        where a.sensor_id = any ($1::text[]::uuid[]) and a.kind in ('threshold', 'reported')
          and a.triggered_at < epoch_us($3) and (", alarm_is_open!("a."), " or a.resolved_at >= epoch_us($2))
        order by a.triggered_at limit 100000");
    FAULTS = "
        select machine_id, triggered_at at time zone 'utc' from alarms
        where machine_id = any ($1::text[]::uuid[]) and verdict = 'true_fault'
          and triggered_at >= epoch_us($2) and triggered_at <= epoch_us($3)
        order by triggered_at limit 10000";
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, StoreError> {
    serde_json::from_value(value).map_err(|e| StoreError::Failed(e.to_string()))
}

fn backtest(c: &mut Columns) -> Result<Backtest, StoreError> {
    Ok(Backtest {
        id: c.take()?,
        created_at: c.take()?,
        created_by: c.take()?,
        name: c.take()?,
        from: c.take()?,
        to: c.take()?,
        scope: read(c.take()?)?,
        rules: read(c.take()?)?,
        sensors: c.take()?,
        job_id: c.take()?,
        status: c.word()?,
        progress: c.take()?,
        error_message: c.take()?,
    })
}

/// A page of the back-tests.
pub async fn list(db: &Db, query: &ListQuery<BacktestSort>) -> Result<Page<Backtest>, StoreError> {
    LIST.page(db, query, Vec::new(), backtest).await
}

/// One back-test.
pub async fn get(db: &Db, backtest_id: BacktestId) -> Result<Option<Backtest>, StoreError> {
    db.first(GET, vec![id(backtest_id.0)], backtest).await
}

/// What came of a back-test; `None`: it is not done.
pub async fn outcome(db: &Db, backtest_id: BacktestId) -> Result<Option<BacktestOutcome>, StoreError> {
    let outcome: Option<Option<Value>> = db.first(OUTCOME, vec![id(backtest_id.0)], |c| c.take()).await?;
    outcome.flatten().map(read).transpose()
}

/// What a person wants to be tried.
#[derive(Debug, Clone)]
pub struct NewBacktest<'n> {
    /// For people.
    pub name: Option<&'n str>,
    /// Begin and end.
    pub period: (Timestamp, Timestamp),
    /// Which sensors, as it was asked for.
    pub scope: &'n BacktestScope,
    /// The rules.
    pub rules: &'n [TriedRule],
    /// How many sensors that are.
    pub sensors: i64,
    /// What its job begins with.
    pub progress: &'n [u8],
}

/// Creates a back-test with its job.
pub async fn create(db: &Db, actor: &Actor, new: &NewBacktest<'_>) -> Result<BacktestId, StoreError> {
    let backtest_id = Uuid::now_v7();
    let params = vec![
        actor.setting(),
        id(backtest_id),
        id(Uuid::now_v7()),
        text(JobType::Backtest.as_str()),
        id(actor.user_id.0),
        optional(new.name, text),
        at(new.period.0),
        at(new.period.1),
        json(new.scope)?,
        json(&new.rules)?,
        new.sensors.into(),
        bytes(new.progress),
    ];
    db.execute(CREATE, params).await?;
    Ok(BacktestId(backtest_id))
}

/// Deletes a back-test, and ends its job if that is not done.
pub async fn delete(db: &Db, actor: &Actor, backtest_id: BacktestId) -> Result<(), StoreError> {
    db.execute(DELETE, vec![actor.setting(), id(backtest_id.0)]).await.map(drop)
}

/// A back-test in the hands of its job.
#[derive(Debug, Clone)]
pub struct Work {
    /// The back-test.
    pub id: BacktestId,
    /// Begin and end.
    pub period: (Timestamp, Timestamp),
    /// The rules.
    pub rules: Vec<TriedRule>,
    /// What was last remembered.
    pub progress: Vec<u8>,
}

/// The back-test that a job does.
pub async fn of_job(db: &Db, job_id: JobId) -> Result<Option<Work>, StoreError> {
    db.first(OF_JOB, vec![id(job_id.0)], |c| {
        Ok(Work {
            id: c.take()?,
            period: (c.take()?, c.take()?),
            rules: read(c.take()?)?,
            progress: c.take()?,
        })
    })
    .await
}

/// Keeps how far a back-test has come.
pub async fn remember(db: &Db, backtest_id: BacktestId, progress: &[u8]) -> Result<(), StoreError> {
    db.execute(REMEMBER, vec![id(backtest_id.0), bytes(progress)]).await.map(drop)
}

/// Keeps what came of a back-test.
pub async fn done(db: &Db, backtest_id: BacktestId, outcome: &BacktestOutcome) -> Result<(), StoreError> {
    db.execute(DONE, vec![id(backtest_id.0), json(outcome)?]).await.map(drop)
}

/// The sensors of a scope with the names of their machines, by machine and name; at most `limit`.
pub async fn sensors(
    db: &Db,
    scope: &BacktestScope,
    limit: i64,
) -> Result<Vec<(String, KnownSensor)>, StoreError> {
    let params = vec![
        optional(scope.sensor_ids.as_ref(), texts),
        optional(scope.machine_id, |machine| id(machine.0)),
        optional(scope.machine_class.as_deref(), text),
        optional(scope.sensor_type.as_deref(), text),
        limit.into(),
    ];
    db.rows(SENSORS, params, |c| Ok((c.take()?, known_sensor(c)?))).await
}

/// Readings of one sensor in the order of their times.
#[derive(Debug, Clone)]
pub struct Readings {
    /// Index of the sensor among those that were asked for.
    pub sensor: usize,
    times: Vec<u8>,
    amounts: Vec<u8>,
    statuses: Option<Vec<u8>>,
}

/// Where the elements of an array begin in its binary form: number of dimensions, flags, type, length and lower bound precede.
const ARRAY_HEADER_BYTES: usize = 20;
/// The length of an element precedes it.
const LENGTH_BYTES: usize = 4;
/// Times in binary form count from 2000-01-01, microseconds.
const BINARY_EPOCH_US: i64 = 946_684_800_000_000;

/// The elements of an array in binary form.
fn elements<const N: usize>(array: &[u8]) -> impl Iterator<Item = [u8; N]> {
    let elements = array.get(ARRAY_HEADER_BYTES..).unwrap_or_default();
    elements.chunks_exact(LENGTH_BYTES + N).filter_map(|element| element.last_chunk().copied())
}

impl Readings {
    /// How many they are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.times.len().saturating_sub(ARRAY_HEADER_BYTES) / (LENGTH_BYTES + 8)
    }

    /// The last time.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.times.last_chunk().map(|time| timestamp(*time))
    }

    /// The readings: time, value, and the status where it was asked for.
    pub fn iter(&self) -> impl Iterator<Item = (Timestamp, f64, ReadingStatus)> {
        let mut statuses = self.statuses.as_deref().map(elements::<2>);
        elements(&self.times).zip(elements(&self.amounts)).map(move |(time, value)| {
            let status = match statuses.as_mut().and_then(Iterator::next).map(i16::from_be_bytes) {
                Some(1) => ReadingStatus::Warning,
                Some(2) => ReadingStatus::Critical,
                _ => ReadingStatus::Normal,
            };
            (timestamp(time), f64::from_be_bytes(value), status)
        })
    }
}

fn timestamp(time: [u8; 8]) -> Timestamp {
    Timestamp(i64::from_be_bytes(time).saturating_add(BINARY_EPOCH_US))
}

/// The first `limit` readings of each sensor that are good, or were not plausible, from `from` to before `to`; of sensors
/// without one, nothing. The stored statuses come with them on request only.
pub async fn readings(
    db: &Db,
    sensors: &[SensorId],
    (from, to): (Timestamp, Timestamp),
    limit: i64,
    with_status: bool,
) -> Result<Vec<Readings>, StoreError> {
    let params = vec![texts(sensors), at(from), at(to), limit.into(), with_status.into()];
    db.rows(READINGS, params, |c| {
        let number: i64 = c.take()?;
        Ok(Readings {
            sensor: usize::try_from(number - 1).unwrap_or_default(),
            times: c.take()?,
            amounts: c.take()?,
            statuses: c.take()?,
        })
    })
    .await
}

/// From when on readings are stored; before, there are sums of them at most.
pub async fn readings_from(db: &Db) -> Result<Timestamp, StoreError> {
    Ok(db.first(READINGS_FROM, vec![], |c| c.take()).await?.unwrap_or_default())
}

/// When limits, or the statuses that senders gave, had alarms of these sensors.
pub async fn raised(
    db: &Db,
    sensors: &[SensorId],
    period: (Timestamp, Timestamp),
) -> Result<Vec<(SensorId, AlarmSpan)>, StoreError> {
    let rows = db.rows(RAISED, vec![texts(sensors), at(period.0), at(period.1)], |c| {
        let sensor: SensorId = c.take()?;
        let alarm = (c.take()?, c.word()?, c.take()?);
        let (changes, times): (Option<Vec<String>>, Option<Times>) = (c.take()?, c.take()?);
        let changes = changes.unwrap_or_default().into_iter().filter_map(|change| change.parse().ok());
        let times = times.map_or_else(Vec::new, |times| times.0).into_iter().map(Timestamp);
        let changes: Vec<(AlarmChangeKind, Timestamp)> = changes.zip(times).collect();
        Ok((sensor, spans(alarm, &changes, period)))
    });
    let spans = rows.await?.into_iter();
    Ok(spans.flat_map(|(sensor, spans)| spans.into_iter().map(move |span| (sensor, span))).collect())
}

/// When there were faults of these machines that people have confirmed.
pub async fn faults(
    db: &Db,
    machines: impl IntoIterator<Item = MachineId>,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<(MachineId, Timestamp)>, StoreError> {
    let params: Vec<ParameterValue> = vec![texts(machines), at(from), at(to)];
    db.rows(FAULTS, params, |c| Ok((c.take()?, c.take()?))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An array as the database sends it.
    fn array(elements: &[&[u8]]) -> Vec<u8> {
        let mut array = vec![0; ARRAY_HEADER_BYTES];
        for element in elements {
            array.extend((element.len() as u32).to_be_bytes());
            array.extend(*element);
        }
        array
    }

    #[test]
    fn readings_are_read_from_arrays() {
        let readings = Readings {
            sensor: 0,
            times: array(&[&0_i64.to_be_bytes(), &1_000_000_i64.to_be_bytes()]),
            amounts: array(&[&1.5_f64.to_be_bytes(), &(-2.0_f64).to_be_bytes()]),
            statuses: Some(array(&[&2_i16.to_be_bytes(), &0_i16.to_be_bytes()])),
        };
        let epoch: Timestamp = "2000-01-01T00:00:00Z".parse().unwrap_or_default();
        let expected =
            [(epoch, 1.5, ReadingStatus::Critical), (epoch.plus_seconds(1), -2.0, ReadingStatus::Normal)];
        assert_eq!(readings.iter().collect::<Vec<_>>(), expected);
        assert_eq!((readings.count(), readings.last()), (2, Some(epoch.plus_seconds(1))));
        let without = Readings { statuses: None, ..readings };
        assert!(without.iter().all(|(.., status)| status == ReadingStatus::Normal));
    }
}
