//! What becomes of each reading of a batch, by the rules of `pm_domain`: refused, stored, evaluated.

use crate::{
    batch::{Checked, claim},
    letters::Letters,
};
use pm_api::{
    Quality, ReadingStatus, SensorId, Timestamp,
    alarm_rule::RuleValues,
    ingest::{Reading, SensorRef},
    score::Limits,
};
use pm_domain::{
    alarm::rule,
    limits,
    reading::{Admission, CONFLICT_REASON, admit},
    unit::{Conversion, Treatment, treatment},
};
use pm_store::ingest::{KnownSensor, NewReading, Resolved};
use pm_web::Refusal;
use std::collections::{HashMap, hash_map::Entry};

const UNIT_REASON: &str = "unit: it cannot be converted to the sensor's; the reading is stored with the quality «unit» \
     and is not evaluated";

const IMPLAUSIBLE_REASON: &str = "value: outside of what the sensor's alarm rule calls plausible; the reading is stored with the \
     quality «implausible» and is not evaluated";

/// A batch whose sensors are known.
pub(crate) struct Sorted<'b> {
    /// The sensors, each once.
    pub(crate) sensors: Vec<KnownSensor>,
    /// The readings to store, no two of the same sensor and time, in the order of the batch.
    pub(crate) readings: Vec<NewReading>,
    /// For each of them its index in the batch.
    pub(crate) origins: Vec<usize>,
    /// Units that sensors get, because they have none.
    pub(crate) adopted: Vec<(SensorId, String)>,
    /// Readings that are not stored.
    pub(crate) refused: Letters<'b>,
    /// Readings of which another value stands in the batch or in the database.
    pub(crate) conflicting: Letters<'b>,
    /// Readings that are stored and not evaluated, of which their sender has to be told.
    pub(crate) noticed: Letters<'b>,
    /// Readings of which the same value stands in the batch twice.
    pub(crate) doubled: u64,
    index: HashMap<SensorId, usize>,
}

/// An entry of the batch's sensors.
struct Source {
    /// Index into [`Sorted::sensors`].
    sensor: usize,
    /// `None`: its unit cannot be converted.
    conversion: Option<Conversion>,
}

/// Sorts a batch; `resolved` has the order of its wanted sensors.
pub(crate) fn sort<'b>(
    checked: Checked<'b>,
    resolved: Vec<Resolved>,
    now: Timestamp,
) -> Result<Sorted<'b>, Refusal> {
    let Checked { batch, usable, wanted, refused } = checked;
    let mut sorted = Sorted {
        sensors: Vec::with_capacity(resolved.len()),
        readings: Vec::with_capacity(usable.len()),
        origins: Vec::with_capacity(usable.len()),
        adopted: Vec::new(),
        refused,
        noticed: Letters::default(),
        doubled: 0,
        conflicting: Letters::default(),
        index: HashMap::with_capacity(resolved.len()),
    };
    let mut sources: Vec<Result<Source, &'static str>> = Vec::new();
    sources.resize_with(batch.sensors.len(), || Err("not registered"));
    for (index, resolved) in wanted.into_iter().zip(resolved) {
        if let (Some(slot), Some(sent_by)) = (sources.get_mut(index), batch.sensors.get(index)) {
            *slot = sorted.source(sent_by, resolved)?;
        }
    }
    let limits: Vec<Limits> = sorted.sensors.iter().map(|s| limits::limits(s.thresholds)).collect();
    let mut newest: Vec<Option<Timestamp>> = sorted.sensors.iter().map(|s| s.newest.map(|n| n.0)).collect();
    // value, and index among the readings to store
    let mut seen: HashMap<(usize, Timestamp), (f64, usize)> = HashMap::with_capacity(usable.len());
    for origin in usable {
        let reading = &batch.readings[origin];
        let sent_by = &batch.sensors[reading.sensor as usize];
        let new = match &sources[reading.sensor as usize] {
            Err(reason) => Err(*reason),
            Ok(source) => {
                let rule = &sorted.sensors[source.sensor].rule;
                new_reading(source, rule, reading, newest[source.sensor], now)
            }
        };
        let (mut new, notice) = match new {
            Err(reason) => {
                sorted.refused.add(sent_by, reading, reason);
                continue;
            }
            Ok(new) => new,
        };
        match seen.entry((new.sensor, new.time)) {
            Entry::Vacant(entry) => {
                entry.insert((new.value, sorted.readings.len()));
            }
            Entry::Occupied(same) if same.get().0 == new.value => {
                sorted.doubled += 1;
                continue;
            }
            Entry::Occupied(mut same) if reading.replaces => {
                let index = same.get().1;
                same.insert((new.value, index));
                sorted.doubled += 1;
                // it is judged in place of the one before
                new.history = sorted.readings[index].history;
                if new.quality == Quality::Good {
                    new.status = limits::status(&limits[new.sensor], new.value, reading.status);
                }
                sorted.readings[index] = new;
                sorted.origins[index] = origin;
                continue;
            }
            Entry::Occupied(_) => {
                sorted.conflicting.add(sent_by, reading, CONFLICT_REASON);
                continue;
            }
        }
        if let Some(notice) = notice {
            sorted.noticed.add(sent_by, reading, notice);
        }
        if new.quality == Quality::Good {
            new.status = limits::status(&limits[new.sensor], new.value, reading.status);
            if !new.history {
                newest[new.sensor] = newest[new.sensor].max(Some(new.time));
            }
        }
        sorted.readings.push(new);
        sorted.origins.push(origin);
    }
    Ok(sorted)
}

/// The reading as it is stored, with what its sender has to be told of; or why it is not stored.
fn new_reading(
    source: &Source,
    rule: &RuleValues,
    reading: &Reading,
    newest: Option<Timestamp>,
    now: Timestamp,
) -> Result<(NewReading, Option<&'static str>), &'static str> {
    let (mut quality, history, mut notice) = match admit(claim(reading), newest, now) {
        Admission::Refused(reason) => return Err(reason),
        Admission::Stored { quality, history, notice } => (quality, history, notice),
    };
    let value = source.conversion.map_or(reading.value, |c| c.apply(reading.value));
    if !value.is_finite() {
        return Err("value: too large in the sensor's unit");
    }
    if source.conversion.is_none() {
        if quality == Quality::Good {
            quality = Quality::Unit;
        }
        notice = notice.or(Some(UNIT_REASON));
    }
    if quality == Quality::Good && !rule::is_plausible(rule, value) {
        quality = Quality::Implausible;
        notice = notice.or(Some(IMPLAUSIBLE_REASON));
    }
    let new = NewReading {
        sensor: source.sensor,
        time: reading.time,
        value,
        status: ReadingStatus::Normal,
        quality,
        history,
        metadata: reading.metadata.clone(),
        replaces: reading.replaces,
    };
    Ok((new, notice))
}

impl Sorted<'_> {
    /// Lists a sensor once, and decides what the unit of its values means. `Err`: why none of them is stored.
    fn source(
        &mut self,
        sent_by: &SensorRef,
        resolved: Resolved,
    ) -> Result<Result<Source, &'static str>, Refusal> {
        let known = match resolved {
            Resolved::Known(known) => *known,
            Resolved::Refused(reason) => return Ok(Err(reason)),
            Resolved::Gone => {
                let deleted = "a machine was deleted while its readings came in";
                return Err(Refusal::Unavailable(deleted.to_owned()));
            }
        };
        let sensor = *self.index.entry(known.sensor_id).or_insert(self.sensors.len());
        if sensor == self.sensors.len() {
            self.sensors.push(known);
        }
        let known = &mut self.sensors[sensor];
        let conversion = match treatment(sent_by.unit.as_deref(), known.unit.as_deref()) {
            Treatment::Convert(conversion) => Some(conversion),
            Treatment::Mark => None,
            Treatment::Adopt => {
                known.unit = sent_by.unit.as_deref().map(|u| u.trim().to_owned());
                self.adopted.extend(known.unit.clone().map(|unit| (known.sensor_id, unit)));
                Some(Conversion::Same)
            }
        };
        Ok(Ok(Source { sensor, conversion }))
    }
}
