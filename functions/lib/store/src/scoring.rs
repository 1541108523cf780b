//! What the scorer needs and what it says.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{Columns, Times, at, floats, id, ints, optional_texts, text, texts},
};
use base64::Engine as _;
use pm_api::{
    MachineId, ModelId, PredictionId, SensorId, Timestamp, remaining_life::RemainingLife,
    score::MachineResult,
};
use pm_domain::{
    duration::DAY_S,
    false_alarms,
    freshness::FIRST_WINDOW_S,
    settings::{Key, Values},
};

/// What the reference of a sensor `se` is kept by: settings, the number of the machine's sensors as far as it matters, and since
/// when.
macro_rules! keeping {
    () => {
        "(select value from settings where key = 'model.learning_days'),
         (select value from settings where key = 'model.false_alarms_per_machine_month'),
         (select value from settings where key = 'model.false_alarms_by_class'),
         (select machine_class from machines where id = se.machine_id),
         (select count(*) from (select from sensors where machine_id = se.machine_id limit 100) counted),
         (select (extract(epoch from max(x.created_at)) * 1000000)::int8 from reference_restarts x
          where x.machine_id = se.machine_id and (x.sensor_id is null or x.sensor_id = se.id))"
    };
}

statements! {
    WINDOWS = concat!("
        select r.sensor_id, st.score_state, w.times, w.vals,
               model_for(se.machine_id, 'active'), model_for(se.machine_id, 'shadow'),
               ", keeping!(), ",
               (select (extract(epoch from max(a.resolved_at)) * 1000000)::int8 from alarms a
                where a.sensor_id = r.sensor_id and a.kind = 'prediction' and a.verdict = 'false_alarm')
        from unnest($1::text[]::uuid[]) r (sensor_id)
        join sensors se on se.id = r.sensor_id
        left join sensor_state st on st.sensor_id = r.sensor_id
        cross join lateral (
            select array_agg((extract(epoch from d.time) * 1000000)::int8 order by d.time) as times,
                   string_agg(d.value::text, ',' order by d.time) as vals
            from (
                select time, value from sensor_data
                where sensor_id = r.sensor_id and quality = 0
                  and time > coalesce(st.scored_through, epoch_us($2)) and time <= epoch_us($3)
                order by time desc limit 240) d) w
        where w.times is not null");
    STORE = "
        with input as (
            select sensor_id::uuid, machine_id::uuid, timestamptz 'epoch' + us * interval '1 microsecond' as time,
                   decode(state, 'base64') as state, score, status, anomaly_type, prediction, confidence, health,
                   nullif(remaining, 'NaN') as remaining, nullif(lower, 'NaN') as lower, nullif(upper, 'NaN') as upper,
                   method, life_model, features::jsonb, version
            from unnest($1::text[], $2::text[], $3::int8[], $4::text[], string_to_array($5, ',')::float8[], $6::text[],
                        $7::text[], $8::text[], string_to_array($9, ',')::float8[], string_to_array($10, ',')::float8[],
                        string_to_array($11, ',')::float8[], string_to_array($12, ',')::float8[],
                        string_to_array($13, ',')::float8[], $14::text[], $15::text[], $16::text[], $17::text[])
                i (sensor_id, machine_id, us, state, score, status, anomaly_type, prediction, confidence, health,
                   remaining, lower, upper, method, life_model, features, version)),
        advanced as (
            insert into sensor_state as s (sensor_id, score_state, scored_through)
            select sensor_id, state, time from input
            on conflict (sensor_id) do update
            set score_state = excluded.score_state, scored_through = excluded.scored_through
            where s.scored_through is null or s.scored_through < excluded.scored_through
            returning s.sensor_id)
        insert into predictions (time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                                 health_percent, remaining_hours, remaining_lower_hours, remaining_upper_hours,
                                 remaining_method, remaining_model, model_version, response_time_ms,
                                 contributing_features)
        select time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence, health, remaining,
               lower, upper, method, life_model, version, $18, features
        from input join advanced using (sensor_id)
        on conflict (sensor_id, time) do nothing
        returning sensor_id, id";
    MACHINE_STATES = "
        select r.machine_id, s.score_state
        from unnest($1::text[]::uuid[]) r (machine_id) left join machine_state s on s.machine_id = r.machine_id";
    STORE_MACHINES = "
        insert into machine_state as s (machine_id, score_state, time, score, shares, explained)
        select i.machine_id::uuid, decode(i.state, 'base64'), epoch_us($5), nullif(i.score, 'NaN'), i.shares::jsonb,
               i.explained::jsonb
        from unnest($1::text[], $2::text[], string_to_array($3, ',')::float8[], $4::text[], $6::text[])
            i (machine_id, state, score, shares, explained)
        join machines m on m.id = i.machine_id::uuid
        on conflict (machine_id) do update
        set score_state = excluded.score_state, time = excluded.time, score = excluded.score, shares = excluded.shares,
            explained = excluded.explained
        where s.time <= excluded.time";
    STORE_HYPOTHETICAL = "
        insert into predictions (time, sensor_id, machine_id, score, status, anomaly_type, prediction, confidence,
                                 health_percent, remaining_hours, model_version, response_time_ms, contributing_features,
                                 remaining_lower_hours, remaining_upper_hours, remaining_method, remaining_model)
        values (epoch_us($1), $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::text::jsonb, $14, $15, $16, $17)
        on conflict (sensor_id, time) do nothing
        returning id";
    SCORING_STATE = concat!("
        select st.score_state, st.scored_through at time zone 'utc', model_for(se.machine_id, 'active'), ", keeping!(), "
        from sensors se left join sensor_state st on st.sensor_id = se.id where se.id = $1");
}

/// How the healthy reference of a sensor is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// How long it is learned, s.
    pub learning_s: i64,
    /// False alarms of the sensor that are put up with, per month.
    pub false_alarms_per_month: f64,
    /// When it was last started anew.
    pub restarted: Option<Timestamp>,
}

impl Keeping {
    fn by(
        settings: &Values,
        machine_class: Option<&str>,
        sensors_of_machine: i64,
        restarted: Option<Timestamp>,
    ) -> Self {
        let per_machine = false_alarms::of_machine(settings, machine_class);
        Self {
            learning_s: settings.integer(Key::ModelLearningDays) * DAY_S,
            false_alarms_per_month: false_alarms::of_sensor(per_machine, sensors_of_machine),
            restarted,
        }
    }
}

impl Default for Keeping {
    /// That of a machine's only sensor, by the settings' defaults.
    fn default() -> Self {
        Self::by(&Values::default(), None, 1, None)
    }
}

/// The columns of [`keeping!`].
fn keeping(c: &mut Columns) -> Result<Keeping, StoreError> {
    let mut stored = Vec::new();
    for key in [Key::ModelLearningDays, Key::ModelFalseAlarmsPerMachineMonth, Key::ModelFalseAlarmsByClass] {
        stored.push((key.definition().key.to_owned(), c.take()?));
    }
    let settings = Values::new(stored);
    let machine_class: Option<String> = c.take()?;
    Ok(Keeping::by(&settings, machine_class.as_deref(), c.take()?, c.take::<Option<i64>>()?.map(Timestamp)))
}

/// A sensor's new readings and its scoring state.
#[derive(Debug, Clone)]
pub struct Window {
    /// The sensor.
    pub sensor_id: SensorId,
    /// State from the last scoring.
    pub state: Option<Vec<u8>>,
    /// Readings since then (at the first scoring: the newest ones), oldest first.
    pub readings: Vec<(Timestamp, f64)>,
    /// The registered model that is active for the machine, if it is one with weights of its own.
    pub model: Option<ModelId>,
    /// The registered model that judges beside it.
    pub challenger: Option<ModelId>,
    /// How its reference is kept.
    pub keeping: Keeping,
    /// When an alarm of the scorer on this sensor was last called false.
    pub accepted: Option<Timestamp>,
}

/// What the scorer said of one sensor.
#[derive(Debug, Clone)]
pub struct NewPrediction {
    /// The sensor.
    pub sensor_id: SensorId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Version of the model that scored.
    pub model_version: String,
    /// Time of the newest reading scored.
    pub time: Timestamp,
    /// The next state, base64.
    pub state: String,
    /// Smoothed anomaly score.
    pub score: f64,
    /// normal, warning, critical, buffering.
    pub status: &'static str,
    /// NORMAL, WARNING, CRITICAL, BASELINE.
    pub anomaly_type: &'static str,
    /// normal, anomaly.
    pub prediction: &'static str,
    /// 0 to 1.
    pub confidence: f64,
    /// 0 to 100.
    pub health_percent: f64,
    /// Time to failure.
    pub remaining_life: Option<RemainingLife>,
    /// JSON object as text.
    pub contributing_features: String,
}

/// New good readings of the given sensors up to now, with their scoring state. A sensor without new readings is left out.
pub async fn windows(db: &Db, sensors: &[SensorId], now: Timestamp) -> Result<Vec<Window>, StoreError> {
    db.rows(WINDOWS, vec![texts(sensors), at(now.plus_seconds(-FIRST_WINDOW_S)), at(now)], |c| {
        let (sensor_id, state) = (c.take()?, c.take()?);
        let (times, values) = (c.take::<Times>()?.0, c.take::<String>()?);
        let values = values.split(',').map(|v| v.parse::<f64>().unwrap_or(f64::NAN));
        let readings = times.into_iter().map(Timestamp).zip(values).collect();
        Ok(Window {
            sensor_id,
            state,
            readings,
            model: c.take()?,
            challenger: c.take()?,
            keeping: keeping(c)?,
            accepted: c.take::<Option<i64>>()?.map(Timestamp),
        })
    })
    .await
}

/// The states of machines as a whole.
pub async fn machine_states(
    db: &Db,
    machines: &[MachineId],
) -> Result<Vec<(MachineId, Option<Vec<u8>>)>, StoreError> {
    db.rows(MACHINE_STATES, vec![texts(machines)], |c| Ok((c.take()?, c.take()?))).await
}

/// Stores what was said of machines as a whole. A judgement that is older than the stored one is left out.
pub async fn store_machines(db: &Db, time: Timestamp, machines: &[MachineResult]) -> Result<(), StoreError> {
    let encode = |state: &[u8]| base64::engine::general_purpose::STANDARD.encode(state);
    let list = |of: &[(SensorId, f64)]| serde_json::to_string(of).unwrap_or_else(|_| "[]".to_owned());
    let params = vec![
        texts(machines.iter().map(|m| m.machine_id)),
        texts(machines.iter().map(|m| encode(&m.state))),
        floats(machines.iter().map(|m| m.score.unwrap_or(f64::NAN))),
        texts(machines.iter().map(|m| list(&m.shares))),
        crate::value::at(time),
        texts(machines.iter().map(|m| list(&m.explained))),
    ];
    db.execute(STORE_MACHINES, params).await.map(|_| ())
}

/// Stores predictions and the sensors' next scoring states. A sensor that another request has scored further is left
/// alone. Returns the ids of the predictions stored.
pub async fn store(
    db: &Db,
    response_time_ms: f64,
    predictions: &[NewPrediction],
) -> Result<Vec<(SensorId, PredictionId)>, StoreError> {
    let p = predictions;
    let life = || p.iter().map(|p| p.remaining_life.as_ref());
    let params = vec![
        texts(p.iter().map(|p| p.sensor_id)),
        texts(p.iter().map(|p| p.machine_id)),
        ints(p.iter().map(|p| p.time.0)),
        texts(p.iter().map(|p| &p.state)),
        floats(p.iter().map(|p| p.score)),
        texts(p.iter().map(|p| p.status)),
        texts(p.iter().map(|p| p.anomaly_type)),
        texts(p.iter().map(|p| p.prediction)),
        floats(p.iter().map(|p| p.confidence)),
        floats(p.iter().map(|p| p.health_percent)),
        floats(life().map(|l| l.map_or(f64::NAN, |l| l.hours))),
        floats(life().map(|l| l.map_or(f64::NAN, |l| l.lower_hours))),
        floats(life().map(|l| l.and_then(|l| l.upper_hours).unwrap_or(f64::NAN))),
        optional_texts(life().map(|l| l.map(|l| l.method.as_str()))),
        optional_texts(life().map(|l| l.and_then(|l| l.model.as_deref()))),
        optional_texts(p.iter().map(|p| Some(p.contributing_features.as_str()))),
        texts(p.iter().map(|p| &p.model_version)),
        response_time_ms.into(),
    ];
    db.rows(STORE, params, |c| Ok((c.take()?, c.take()?))).await
}

/// How a sensor stands between two scorings.
#[derive(Debug, Clone, Default)]
pub struct ScoringState {
    /// State from the last scoring.
    pub state: Option<Vec<u8>>,
    /// Readings up to here have been scored.
    pub scored_through: Option<Timestamp>,
    /// The registered model that is active for the machine, if it is one with weights of its own.
    pub model: Option<ModelId>,
    /// How its reference is kept.
    pub keeping: Keeping,
}

/// How a sensor stands; as a new one if there is none.
pub async fn scoring_state(db: &Db, sensor_id: SensorId) -> Result<ScoringState, StoreError> {
    let state = db.first(SCORING_STATE, vec![id(sensor_id.0)], |c| {
        Ok(ScoringState {
            state: c.take()?,
            scored_through: c.take()?,
            model: c.take()?,
            keeping: keeping(c)?,
        })
    });
    Ok(state.await?.unwrap_or_default())
}

/// Stores the judgement of a hypothetical value: the sensor's state stays as it is. `None`: there is a
/// prediction of this sensor at this time.
pub async fn store_hypothetical(
    db: &Db,
    response_time_ms: f64,
    p: &NewPrediction,
) -> Result<Option<PredictionId>, StoreError> {
    let life = p.remaining_life.as_ref();
    let params = vec![
        at(p.time),
        id(p.sensor_id.0),
        id(p.machine_id.0),
        p.score.into(),
        text(p.status),
        text(p.anomaly_type),
        text(p.prediction),
        p.confidence.into(),
        p.health_percent.into(),
        life.map(|l| l.hours).into(),
        text(p.model_version.as_str()),
        response_time_ms.into(),
        text(p.contributing_features.as_str()),
        life.map(|l| l.lower_hours).into(),
        life.and_then(|l| l.upper_hours).into(),
        life.map(|l| l.method.to_string()).into(),
        life.and_then(|l| l.model.clone()).into(),
    ];
    db.first(STORE_HYPOTHETICAL, params, |c| c.take()).await
}
