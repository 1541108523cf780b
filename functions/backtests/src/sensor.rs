//! One sensor, at once: a rule that is tried, and the suggestion of a limit.

use crate::{
    history::Windows,
    request::{in_query, period},
};
use pm_api::{
    ReadingStatus, SensorId, Timestamp,
    backtest::{AlarmSpan, BacktestScope, SensorTrial, Suggestion, TriedRule},
    maintenance::MaintenanceWindow,
    route::op,
};
use pm_domain::{
    alarm::{
        backtest::{
            Memory, Replay,
            suggest::{self, NoSuggestion},
            tally::Tally,
            trial,
        },
        monitored::MonitoredSensor,
        rule,
    },
    duration::DAY_S,
};
use pm_store::{Db, backtest, maintenance};
use pm_web::{Input, Refusal, now};

/// Alarms that are listed.
const MAX_ALARMS: usize = 1000;
/// A request that has read for so long is refused, s.
const MAX_READ_S: i64 = 12;
/// Most readings for a suggestion, which reads them many times; and where each change from one to the next counts.
const MAX_SUGGEST_READINGS: usize = 1_000_000;
const MAX_SUGGEST_CHANGES: usize = 100_000;

/// A sensor, and what happened to it in a period.
struct Past {
    sensor: MonitoredSensor,
    period: (Timestamp, Timestamp),
    windows: Vec<MaintenanceWindow>,
    raised: Vec<AlarmSpan>,
    faults: Vec<Timestamp>,
    readings_from: Option<Timestamp>,
}

impl Past {
    async fn read(db: &Db, sensor_id: SensorId, period: (Timestamp, Timestamp)) -> Result<Self, Refusal> {
        let scope = BacktestScope { sensor_ids: Some(vec![sensor_id]), ..BacktestScope::default() };
        let found = backtest::sensors(db, &scope, 1).await?;
        let (_, known) = found.into_iter().next().ok_or(Refusal::NotFound)?;
        let windows = maintenance::in_period(db, [known.machine_id], period).await?;
        let raised = backtest::raised(db, &[sensor_id], period).await?;
        let faults = backtest::faults(db, [known.machine_id], period).await?;
        let readings_from = backtest::readings_from(db).await?;
        Ok(Self {
            sensor: known.monitored(),
            period,
            windows: windows.into_values().flatten().collect(),
            raised: raised.into_iter().map(|(_, alarm)| alarm).collect(),
            faults: faults.into_iter().map(|(_, at)| at).collect(),
            readings_from: (readings_from > period.0).then_some(readings_from),
        })
    }

    fn trial<'w>(&'w self, tried: &'w MonitoredSensor) -> Trial<'w> {
        Trial {
            past: self,
            tried,
            replay: Replay::new(tried, &self.windows, &Memory::default()),
            tally: Tally::new(self.period, self.raised.clone(), &self.faults, MAX_ALARMS),
            values: None,
        }
    }
}

/// A rule that is being tried.
struct Trial<'w> {
    past: &'w Past,
    tried: &'w MonitoredSensor,
    replay: Replay<'w>,
    tally: Tally,
    values: Option<(f64, f64)>,
}

impl Trial<'_> {
    fn reading(&mut self, reading: (Timestamp, f64, ReadingStatus)) {
        let value = reading.1;
        if rule::is_plausible(&self.tried.rule, value) {
            let (least, most) = self.values.unwrap_or((value, value));
            self.values = Some((least.min(value), most.max(value)));
        }
        let tally = &mut self.tally;
        self.replay.reading(reading, &mut |alarm| tally.add(alarm));
    }

    fn end(mut self) -> SensorTrial {
        let tally = &mut self.tally;
        self.replay.end(self.past.period.1, &mut |alarm| tally.add(alarm));
        let mut raised_alarms = self.past.raised.clone();
        raised_alarms.sort_by_key(|alarm| alarm.begin);
        raised_alarms.truncate(MAX_ALARMS);
        SensorTrial {
            sensor_id: self.tried.sensor_id,
            from: self.past.period.0,
            to: self.past.period.1,
            readings_from: self.past.readings_from,
            rule: trial::of(self.tried),
            values: self.values,
            figures: self.tally.figures(self.replay.readings()),
            alarms: self.tally.listed().to_vec(),
            raised_alarms,
        }
    }
}

/// Gives every stored reading of the sensor to `take`, until that refuses.
async fn each_reading(
    db: &Db,
    past: &Past,
    with_status: bool,
    mut take: impl FnMut((Timestamp, f64, ReadingStatus)) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let until = now().plus_seconds(MAX_READ_S);
    let sensors = [past.sensor.sensor_id];
    let mut windows = Windows::new(past.period, sensors.len());
    while let Some(window) = windows.next(db, &sensors, with_status).await? {
        for (_, mut readings) in window.by_sensor() {
            readings.try_for_each(&mut take)?;
        }
        if now() > until && windows.next < windows.end {
            return Err(too_many());
        }
    }
    Ok(())
}

fn too_many() -> Refusal {
    let message =
        "The period holds too many readings to try them at once; choose a shorter one, or start a back-test";
    Refusal::Conflict(message.to_owned())
}

pub(crate) async fn try_rule(input: Input<op::TrySensorRule>) -> Result<SensorTrial, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let tried = TriedRule::from(&input.query);
    let faults = trial::faults(&tried);
    if !faults.is_empty() {
        return Err(in_query(faults));
    }
    let period = period(input.query.from, input.query.to, "query")?;
    let db = input.db().await?;
    let past = Past::read(&db, sensor_id, period).await?;
    let tried = trial::sensor(&past.sensor, &tried).map_err(|fault| in_query([fault]))?;
    let mut trial = past.trial(&tried);
    each_reading(&db, &past, !tried.is_judged(), |reading| {
        trial.reading(reading);
        Ok(())
    })
    .await?;
    Ok(trial.end())
}

pub(crate) async fn suggest(input: Input<op::SuggestLimit>) -> Result<Suggestion, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let query = &input.query;
    let period = period(query.from, query.to, "query")?;
    let db = input.db().await?;
    let past = Past::read(&db, sensor_id, period).await?;
    let sensor = &past.sensor;
    let limits = pm_domain::limits::limits(sensor.thresholds);
    let side = query.side.unwrap_or_else(|| suggest::side(&limits));
    // of the part of the period that readings are stored of
    let days = period.1.seconds_since(past.readings_from.unwrap_or(period.0)).max(0.0) / DAY_S as f64;
    let most = (query.alarms_per_month.0 * days / 30.0).floor() as u64;
    let max_readings = match sensor.rule.max_rate_per_min {
        Some(_) => MAX_SUGGEST_CHANGES,
        None => MAX_SUGGEST_READINGS,
    };
    let mut readings = Vec::new();
    let mut statuses = Vec::new();
    let with_status = !sensor.is_judged();
    each_reading(&db, &past, with_status, |(time, value, status)| {
        if rule::is_plausible(&sensor.rule, value) {
            readings.push((time, value));
            if with_status {
                statuses.push(status);
            }
        }
        if readings.len() > max_readings { Err(too_many()) } else { Ok(()) }
    })
    .await?;
    let found = suggest::suggest(sensor, &past.windows, &readings, period.1, side, most);
    let tried = match &found {
        Ok(found) => suggest::suggested(sensor, side, found.limit, found.on_delay_s),
        Err(_) => sensor.clone(),
    };
    let mut trial = past.trial(&tried);
    let statuses = statuses.into_iter().chain(std::iter::repeat(ReadingStatus::Normal));
    for ((time, value), status) in readings.iter().zip(statuses) {
        trial.reading((*time, *value, status));
    }
    let reason = found.as_ref().err().map(|reason| match reason {
        NoSuggestion::NoReadings => "No readings of the period are stored".to_owned(),
        NoSuggestion::TooMany(alarms) => format!(
            "With the loosest warning limit there would still have been {alarms} alarms: the critical limit, those of the other \
             side or the largest change cause them"
        ),
    });
    let found = found.ok();
    Ok(Suggestion {
        side,
        limit: found.map(|found| found.limit),
        on_delay_s: found.map(|found| found.on_delay_s),
        most,
        reason,
        trial: trial.end(),
    })
}
