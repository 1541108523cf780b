//! Versions of models: registry, weights, what they are trained from, drift.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    sensor::{in_force, threshold_columns},
    statement::{actor, statements},
    value::{Columns, at, id, ints, json, optional, text},
};
use pm_api::{
    MachineId, ModelId, SensorId, Timestamp,
    ai::{
        AiLogLine, ClassFalseAlarms, DriftReport, FalseAlarms, FeatureDrift, ModelVersion, NewModel,
        ShadowDay, ValidationReport,
    },
    list::{ListQuery, Page},
    sort::{AuditSort, DriftSort, ModelSort},
};
use pm_domain::{
    alarm::fault,
    duration::{DAY_S, HOUR_S},
    false_alarms::{self, MONTH_DAYS},
    limits::Thresholds,
    reliability,
    settings::{self, Values},
};
use spin_sdk::pg::{DbValue, ParameterValue};

/// The event of a drift is raised at most once in this time, seconds.
const DRIFT_EVENT_EVERY_S: i64 = DAY_S;

/// The columns that [`version`] reads, of a model `m`.
macro_rules! columns {
    () => {
        "m.id, m.name, m.version, m.description, m.path, m.metadata, m.created_at at time zone 'utc', m.status,
         m.machine_class, m.machine_id, m.activated_at at time zone 'utc',
         m.path is not null and m.card is not null or exists (select from model_records where model_id = m.id),
         (m.report ->> 'passed')::bool"
    };
}

lists! {
    LIST: ModelSort = List {
        columns: columns!(),
        rows: "from models m where true",
        id: Id::Uuid("m.id"),
        key: |sort| match sort {
            ModelSort::CreatedAt => Key::Time("m.created_at"),
            ModelSort::Version => Key::Text("m.version"),
        },
        total: Total::Exact,
        one_plan: false,
    };
    LOG: AuditSort = List {
        columns: "created_at at time zone 'utc', action_type, details, metadata",
        rows: "
            from audit_log
            where (resource_type = 'ai_model'
                   or (resource_type = 'job' and metadata #>> '{after,job_type}' = 'retrain'))",
        id: Id::Uuid("id"),
        key: |AuditSort::CreatedAt| Key::Time("created_at"),
        total: Total::Exact,
        one_plan: false,
    };
    DRIFT: DriftSort = List {
        columns: "created_at at time zone 'utc', model_version, sensors, rows_used, worst, features",
        rows: "from model_drift where true",
        id: Id::Uuid("id"),
        key: |DriftSort::CreatedAt| Key::Time("created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

/// Times and values of a sample of a sensor's readings that leaves out the spans $5 to $6 (`left_out`).
macro_rules! sample {
    ($sample:literal) => {
        concat!(
            "
        with left_out as materialized (
            select tstzrange(epoch_us(from_us), epoch_us(to_us), '[]') as span
            from unnest($5::int8[], $6::int8[]) l (from_us, to_us)),
        sample as (",
            $sample,
            ")
        select coalesce(array_agg((extract(epoch from time) * 1000000)::int8 order by time), '{}'),
               coalesce(string_agg(value::text, ',' order by time), '')
        from sample"
        )
    };
}

statements! {
    FALSE_ALARMS = "
        select (select value from settings where key = 'model.false_alarms_per_machine_month'),
               (select value from settings where key = 'model.false_alarms_by_class'),
               m.machine_class, sum(a.alarms)::int8, sum(a.dismissed)::int8, sum(a.open)::int8,
               coalesce(sum(extract(epoch from least(now() - m.created_at, $1::int8 * interval '1 second'))) / 86400, 0)::float8,
               count(m.id)
        from (select) always
        left join machines m on $2::uuid is null or m.id = $2
        cross join lateral (
            select count(*) as alarms, count(*) filter (where verdict = 'false_alarm') as dismissed,
                   count(*) filter (where verdict is null) as open
            from alarms
            where kind = 'prediction' and machine_id = m.id and triggered_at > now() - $1::int8 * interval '1 second') a
        group by m.machine_class order by m.machine_class nulls last";
    BY_VERSION = concat!("
        select ", columns!(), " from models m where m.version = $1
        order by m.name <> 'isolation-forest', m.created_at desc limit 1");
    REGISTER = concat!("
        insert into models (name, version, description, path)
        select $2, $3, $4, $5 from ", actor!(), "
        returning id");
    LIST_BUILTIN = "select list_builtin_model($1, $2, $3, $4::jsonb)";
    ACTIVATE = concat!("select activate_model($2) from ", actor!());
    RETIRE = concat!("
        update models set status = 'retired'
        from ", actor!(), " where id = $2 and status = 'active'");
    STORE_TRAINED = "
        with model as (
            insert into models (name, version, description, machine_class, machine_id, card, report)
            values ('isolation-forest', $1, $2, $3, $4, $5::jsonb, $6::jsonb)
            on conflict (name, version) do update set card = excluded.card, report = excluded.report
            returning id),
        weights as (
            insert into model_records (model_id, record) select id, $7 from model
            on conflict (model_id) do update set record = excluded.record)
        select id from model";
    CHALLENGE = "select challenge_with_model($1)";
    RECORD = "
        select m.card::text, r.record from models m join model_records r on r.model_id = m.id where m.id = $1";
    ACTIVE_FOR = "
        select m.id from models m join model_records r on r.model_id = m.id
        where m.status = 'active' and m.name = 'isolation-forest'
          and ((m.machine_id is null and m.machine_class is null) or m.machine_id = $1 or m.machine_class = $2)
        order by m.machine_id is null, m.machine_class is null limit 1";
    REPORT = "select m.report from models m where m.id = $1";
    SHADOW_DAYS = "
        select day::text, scored, active_anomalous, challenger_anomalous, both_anomalous, difference / greatest(scored, 1)
        from model_shadow where model_id = $1 order by day desc limit 60";
    TRAINING_SENSORS = concat!("
        select s.id, ", threshold_columns!(), "
        from sensors s join machines m on m.id = s.machine_id join sensor_latest l on l.sensor_id = s.id
        where ($1::uuid is null or m.id = $1) and ($2::text is null or m.machine_class = $2)
        order by md5(s.id::text || $3::text) limit $4");
    CLOSED_ALARMS = "
        select a.triggered_at at time zone 'utc', a.last_seen_at at time zone 'utc', a.resolved_at at time zone 'utc', a.verdict
        from alarms a join sensors s on s.id = $1
        where a.machine_id = s.machine_id and (a.sensor_id = $1 or a.sensor_id is null) and a.status = 'resolved'
          and greatest(a.resolved_at, a.triggered_at) > epoch_us($2)";
    READINGS = sample!("
            select time, value from sensor_data d
            where sensor_id = $1 and quality = 0 and time > epoch_us($2) and time <= epoch_us($3)
              and not exists (select from left_out where span @> d.time)
            order by time desc limit $4");
    SPREAD_READINGS = sample!("
            select max(last_time) as time, last(last, last_time) as value
            from readings_1m m
            where sensor_id = $1 and bucket >= epoch_us($2) and bucket < epoch_us($3)
              and not exists (select from left_out where span && tstzrange(m.bucket, m.bucket + interval '1 minute'))
            group by time_bucket($4::int8 * interval '1 second', bucket)");
    JUDGED_ALARMS = "
        select a.triggered_at at time zone 'utc', a.resolved_at at time zone 'utc', a.verdict = 'true_fault'
        from alarms a
        where a.sensor_id = $1 and a.status = 'resolved' and a.verdict in ('true_fault', 'false_alarm')
        order by a.resolved_at desc limit 10";
    STORE_DRIFT = "
        with before as (
            select exists (
                select from model_drift
                where created_at > now() - $7::int8 * interval '1 second' and worst >= $4::float8 and model_version = $1) as told),
        stored as (
            insert into model_drift (model_version, sensors, rows_used, worst, features)
            values ($1, $2, $3, $5, $6::jsonb) returning created_at)
        insert into outbox (event_type, data)
        select 'model.drift', jsonb_build_object('model_version', $1::text, 'worst', $5::float8, 'features', $6::jsonb,
                                                 'created_at', stored.created_at)
        from stored, before where $5 >= $4 and not told";
    WORK_DUE = "
        select exists (
                   select from jobs
                   where job_type = 'retrain' and (status = 'pending' or (status = 'running' and lease_until < now()))),
               exists (select from sensor_state where scored_through > now() - $1::int8 * interval '1 second')";
}

/// What is registered from the files that came with the program.
#[derive(Debug, Clone, Copy)]
pub struct Builtin<'b> {
    /// Kind of model.
    pub name: &'b str,
    /// Version.
    pub version: &'b str,
    /// Folder of its files.
    pub path: &'b str,
    /// card.json.
    pub card: &'b serde_json::Value,
}

/// Which machines a version is for; neither: all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scope {
    /// Class of machines.
    pub machine_class: Option<String>,
    /// One machine.
    pub machine_id: Option<MachineId>,
}

/// A version that was trained here.
#[derive(Debug)]
pub struct Trained<'t> {
    /// Version.
    pub version: &'t str,
    /// For people.
    pub description: &'t str,
    /// For which machines.
    pub scope: &'t Scope,
    /// Its card.
    pub card: serde_json::Value,
    /// Its examination.
    pub report: &'t ValidationReport,
    /// Its Burn record.
    pub record: Vec<u8>,
}

/// Which readings of a span are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Sample {
    /// The newest so many.
    Newest(i64),
    /// The last one of every so many seconds (whole minutes), from the roll-ups.
    LastOfEvery(i64),
}

/// What is wanted of a sensor's readings.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// Later than this.
    pub from: Timestamp,
    /// Not later than this.
    pub to: Timestamp,
    /// Which of them.
    pub sample: Sample,
    /// Leave out what belongs to resolved alarms, but for those judged false?
    pub without_faults: bool,
}

/// A closed alarm with a verdict.
#[derive(Debug, Clone, Copy)]
pub struct AlarmWithVerdict {
    /// When it was raised.
    pub from: Timestamp,
    /// When it was closed.
    pub to: Timestamp,
    /// A true fault, or a false alarm?
    pub true_fault: bool,
}

/// What `models` may have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// A job to train waits.
    pub retrain: bool,
    /// Sensors report, so drift can be measured.
    pub drift: bool,
}

fn version(c: &mut Columns) -> Result<ModelVersion, StoreError> {
    Ok(ModelVersion {
        id: c.take()?,
        name: c.take()?,
        version: c.take()?,
        description: c.take()?,
        path: c.take()?,
        metadata: c.take()?,
        created_at: c.take()?,
        status: c.take()?,
        machine_class: c.take()?,
        machine_id: c.take()?,
        activated_at: c.take()?,
        has_weights: c.take()?,
        passed: c.take()?,
    })
}

/// A page of the versions.
pub async fn list(db: &Db, query: &ListQuery<ModelSort>) -> Result<Page<ModelVersion>, StoreError> {
    LIST.page(db, query, Vec::new(), version).await
}

/// A version by its name; where two kinds of model have it, the forest's.
pub async fn by_version(db: &Db, name: &str) -> Result<Option<ModelVersion>, StoreError> {
    db.first(BY_VERSION, vec![text(name)], version).await
}

/// Registers a version without weights.
///
/// # Errors
/// Constraint `models_name_version_unique` when it is known already.
pub async fn register(db: &Db, actor: &Actor, new: &NewModel) -> Result<ModelId, StoreError> {
    let params = vec![
        actor.setting(),
        text(&*new.name),
        text(&*new.version),
        optional(new.description.as_deref(), text),
        optional(new.path.as_deref(), text),
    ];
    db.one(REGISTER, params, |c| c.take()).await
}

/// Lists the version that came with the program.
pub async fn list_builtin(db: &Db, builtin: Builtin<'_>) -> Result<ModelId, StoreError> {
    let params = vec![text(builtin.name), text(builtin.version), text(builtin.path), json(builtin.card)?];
    db.one(LIST_BUILTIN, params, |c| c.take()).await
}

/// Makes a version the active one of its scope; the one before is retired. `actor` says whether that is an activation or a
/// roll-back.
pub async fn activate(db: &Db, actor: &Actor, model: ModelId) -> Result<bool, StoreError> {
    db.one(ACTIVATE, vec![actor.setting(), id(model.0)], |c| c.take()).await
}

/// Takes an active version out of use; what is active for more machines judges again. False: it is not active.
pub async fn retire(db: &Db, actor: &Actor, model: ModelId) -> Result<bool, StoreError> {
    Ok(db.execute(RETIRE, vec![actor.setting(), id(model.0)]).await? > 0)
}

/// Stores a trained version with its weights. The same version again replaces it (a job that was begun twice).
pub async fn store_trained(db: &Db, new: Trained<'_>) -> Result<ModelId, StoreError> {
    let params = vec![
        text(new.version),
        text(new.description),
        optional(new.scope.machine_class.clone(), text),
        optional(new.scope.machine_id, |m| id(m.0)),
        json(&new.card)?,
        json(new.report)?,
        ParameterValue::Binary(new.record),
    ];
    db.one(STORE_TRAINED, params, |c| c.take()).await
}

/// Lets a version judge beside the active one of its scope.
pub async fn challenge(db: &Db, model: ModelId) -> Result<bool, StoreError> {
    db.one(CHALLENGE, vec![id(model.0)], |c| c.take()).await
}

/// Card and Burn record of a version with weights of its own.
pub async fn record(db: &Db, model: ModelId) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    db.first(RECORD, vec![id(model.0)], |c| Ok((c.take()?, c.take()?))).await
}

/// The active version with weights of its own for such machines; `None`: the one that came with the program.
pub async fn active_for(db: &Db, scope: &Scope) -> Result<Option<ModelId>, StoreError> {
    let params = vec![optional(scope.machine_id, |m| id(m.0)), optional(scope.machine_class.clone(), text)];
    db.first(ACTIVE_FOR, params, |c| c.take()).await
}

/// The examination of a version after its training.
///
/// # Errors
/// Whatever the database says, or that the stored report is none.
pub async fn report(db: &Db, model: ModelId) -> Result<Option<ValidationReport>, StoreError> {
    let stored = db.first(REPORT, vec![id(model.0)], |c| c.take::<Option<serde_json::Value>>()).await?;
    let read = |v| serde_json::from_value(v).map_err(|e| StoreError::Failed(format!("stored report: {e}")));
    stored.flatten().map(read).transpose()
}

/// What a version said beside the active one, newest day first.
pub async fn shadow_days(db: &Db, model: ModelId) -> Result<Vec<ShadowDay>, StoreError> {
    db.rows(SHADOW_DAYS, vec![id(model.0)], |c| {
        Ok(ShadowDay {
            day: c.take()?,
            scored: c.take()?,
            active_anomalous: c.take()?,
            challenger_anomalous: c.take()?,
            both_anomalous: c.take()?,
            mean_difference: c.take()?,
        })
    })
    .await
}

/// A page of what was done with models.
pub async fn log(db: &Db, query: &ListQuery<AuditSort>) -> Result<Page<AiLogLine>, StoreError> {
    LOG.page(db, query, Vec::new(), |c| {
        Ok(AiLogLine { timestamp: c.take()?, action: c.take()?, details: c.take()?, metadata: c.take()? })
    })
    .await
}

/// Sensors to learn from, with the thresholds that count for them: a choice that `seed` decides, at most `limit`.
pub async fn training_sensors(
    db: &Db,
    scope: &Scope,
    seed: u64,
    limit: i64,
) -> Result<Vec<(SensorId, Thresholds)>, StoreError> {
    let params = vec![
        optional(scope.machine_id, |m| id(m.0)),
        optional(scope.machine_class.clone(), text),
        text(seed.to_string()),
        limit.into(),
    ];
    db.rows(TRAINING_SENSORS, params, |c| Ok((c.take()?, in_force(c)?))).await
}

struct Times(Vec<i64>);

impl crate::value::FromDb for Times {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::ArrayInt64(times) => Ok(Self(times.into_iter().flatten().collect())),
            other => Err(other),
        }
    }
}

/// The spans since `from` in which readings of a sensor may show a fault, as its closed alarms say.
async fn faults(db: &Db, sensor: SensorId, from: Timestamp) -> Result<Vec<reliability::Span>, StoreError> {
    let alarms = db.rows(CLOSED_ALARMS, vec![id(sensor.0), at(from)], |c| {
        Ok(fault::Closed {
            triggered_at: c.take()?,
            last_seen_at: c.take()?,
            resolved_at: c.take()?,
            verdict: c.optional_word()?,
        })
    });
    Ok(alarms.await?.iter().filter_map(fault::span).collect())
}

/// Readings of a sensor, oldest first: time in µs and value.
pub async fn readings(db: &Db, sensor: SensorId, span: Span) -> Result<Vec<(i64, f64)>, StoreError> {
    let faults = if span.without_faults { faults(db, sensor, span.from).await? } else { Vec::new() };
    let (statement, sample) = match span.sample {
        Sample::Newest(readings) => (READINGS, readings),
        Sample::LastOfEvery(seconds) => (SPREAD_READINGS, seconds),
    };
    let params = vec![
        id(sensor.0),
        at(span.from),
        at(span.to),
        sample.into(),
        ints(faults.iter().map(|f| f.from.0)),
        ints(faults.iter().map(|f| f.to.0)),
    ];
    db.one(statement, params, |c| {
        let (times, values) = (c.take::<Times>()?.0, c.take::<String>()?);
        let values = values.split(',').filter_map(|v| v.parse::<f64>().ok());
        Ok(times.into_iter().zip(values).collect())
    })
    .await
}

/// Closed alarms of a sensor that people judged, newest first.
pub async fn alarms_with_verdicts(db: &Db, sensor: SensorId) -> Result<Vec<AlarmWithVerdict>, StoreError> {
    db.rows(JUDGED_ALARMS, vec![id(sensor.0)], |c| {
        Ok(AlarmWithVerdict { from: c.take()?, to: c.take()?, true_fault: c.take()? })
    })
    .await
}

/// Stores a measurement of drift. From `moved` on an event `model.drift` is raised, at most one a day.
pub async fn store_drift(
    db: &Db,
    model_version: &str,
    (sensors, rows): (i32, i32),
    features: &[FeatureDrift],
    moved: f64,
) -> Result<(), StoreError> {
    let worst = features.iter().map(|f| f.psi).fold(0.0, f64::max);
    let params = vec![
        text(model_version),
        sensors.into(),
        rows.into(),
        moved.into(),
        worst.into(),
        json(&features)?,
        DRIFT_EVENT_EVERY_S.into(),
    ];
    db.execute(STORE_DRIFT, params).await.map(|_| ())
}

/// A page of the measurements of drift.
pub async fn drift(db: &Db, query: &ListQuery<DriftSort>) -> Result<Page<DriftReport>, StoreError> {
    DRIFT
        .page(db, query, Vec::new(), |c| {
            let (created_at, model_version, sensors) = (c.take()?, c.take()?, c.take()?);
            let (rows_used, worst, features) = (c.take()?, c.take::<f64>()?, c.take::<serde_json::Value>()?);
            let verdict = match worst {
                w if w >= 0.25 => "moved",
                w if w >= 0.1 => "moving",
                _ => "stable",
            };
            Ok(DriftReport {
                created_at,
                model_version,
                sensors,
                rows_used,
                worst,
                verdict: verdict.to_owned(),
                features: serde_json::from_value(features).unwrap_or_default(),
            })
        })
        .await
}

/// Is there work?
pub async fn due(db: &Db) -> Result<Due, StoreError> {
    db.one(WORK_DUE, vec![HOUR_S.into()], |c| Ok(Due { retrain: c.take()?, drift: c.take()? })).await
}

/// False alarms of the models over the last month, of all machines or of one.
pub async fn false_alarms(db: &Db, machine_id: Option<MachineId>) -> Result<FalseAlarms, StoreError> {
    let params = vec![(MONTH_DAYS * DAY_S).into(), optional(machine_id, |m| id(m.0))];
    let mut general = 0;
    let mut by_class = Vec::new();
    let rows = db.rows(FALSE_ALARMS, params, |c| {
        let mut stored = Vec::new();
        for key in [settings::Key::ModelFalseAlarmsPerMachineMonth, settings::Key::ModelFalseAlarmsByClass] {
            stored.push((key.definition().key.to_owned(), c.take()?));
        }
        let settings = Values::new(stored);
        let machine_class: Option<String> = c.take()?;
        let (alarms, false_alarms, without_verdict) = (c.take()?, c.take()?, c.take()?);
        let (machine_days, machines) = (c.take()?, c.take::<i64>()?);
        let of_class = ClassFalseAlarms {
            promised: false_alarms::of_machine(&settings, machine_class.as_deref()),
            machine_class,
            counted: false_alarms::per_machine_and_month(false_alarms, machine_days),
            alarms,
            false_alarms,
            without_verdict,
            machine_days,
        };
        Ok((false_alarms::of_machine(&settings, None), (machines > 0).then_some(of_class)))
    });
    for (promised, of_class) in rows.await? {
        general = promised;
        by_class.extend(of_class);
    }
    let sum = |count: fn(&ClassFalseAlarms) -> i64| by_class.iter().map(count).sum::<i64>();
    let (alarms, false_alarms) = (sum(|c| c.alarms), sum(|c| c.false_alarms));
    let machine_days = by_class.iter().map(|c| c.machine_days).sum();
    let of_machine = by_class.first().filter(|_| machine_id.is_some());
    Ok(FalseAlarms {
        promised: of_machine.map_or(general, |c| c.promised),
        counted: false_alarms::per_machine_and_month(false_alarms, machine_days),
        alarms,
        false_alarms,
        without_verdict: sum(|c| c.without_verdict),
        machine_days,
        by_class,
    })
}
