//! Component `ingest`: takes batches of readings from the bridge, and scores when asked to.
//!
//! Invariants: an answer 200 says that every reading of the batch is stored or in the dead letters, and that alarms were
//! raised for it; a batch may be sent again any number of times (the natural key of a reading is sensor and time), so
//! every failure is answered so that the bridge sends it again. What is evaluated and scored is stored, good and newer than
//! all that was evaluated of its sensor before; the rest is history. The scorer may fail: then the batch is stored unscored,
//! and the next batch catches up.
//!
//! Deliberately absent: MQTT and payload formats (the bridge), the rules (`pm_domain::reading`, `unit`, `registration`), the
//! model (component `score`), alarms (component `alarm-engine`).

mod batch;
mod conditions;
mod letters;
mod remaining_life;
mod score_now;
mod scoring;
mod sort;

use pm_api::{Quality, Timestamp, ingest::BatchReport, route::op};
use pm_domain::reading::CONFLICT_REASON;
use pm_store::{
    Db,
    dead_letter::{self, Gathered},
    ingest::{self, NewReading},
};
use pm_web::{Answer, Component, Input, Refusal, Request, handlers, now, serve};
use sort::Sorted;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        Ingest => take,
        Score => score_now::score,
    };
    serve("ingest", request, handlers).await
}

/// Stores a batch, scores its sensors, reports to the alarm engine what changed.
async fn take(input: Input<op::Ingest>) -> Result<BatchReport, Refusal> {
    let now = now();
    let mut batch = batch::read(&input.body)?;
    let mut letters = std::mem::take(&mut batch.dead_letters);
    let checked = batch::check(&batch, now);
    let db = input.db().await?;
    let wanted: Vec<_> = checked.wanted.iter().filter_map(|&i| batch.sensors.get(i)).collect();
    let resolved = ingest::resolve(&db, &wanted).await?;
    let mut sorted = sort::sort(checked, resolved, now)?;
    let repeated = store(&db, &batch, &mut sorted, now).await?;
    let Sorted { sensors, readings, adopted, refused, conflicting, noticed, doubled, .. } = sorted;
    if !adopted.is_empty() {
        ingest::adopt_units(&db, &adopted).await?;
    }
    let (refused_readings, conflicts) = (refused.readings(), conflicting.readings());
    letters.extend(refused.into_letters(now));
    letters.extend(conflicting.into_letters(now));
    dead_letter::store(&db, &letters, Gathered::ByMinute).await?;
    dead_letter::store(&db, &noticed.into_letters(now), Gathered::ByDay).await?;

    let marked = readings.iter().filter(|r| r.quality != Quality::Good).count() as u64;
    let stored = readings.len() as u64 - repeated;
    let live: Vec<NewReading> =
        readings.into_iter().filter(|r| r.quality == Quality::Good && !r.history).collect();
    let (scored, predicted) = scoring::score(&db, &sensors, &live, now).await;
    let (mut conditions, delays) = conditions::of(&sensors, &live, now);
    conditions.extend(predicted);
    // reported first, stored then: if it fails in between, the batch comes again and is reported again
    let alarm_changes = tell_alarm_engine(conditions).await?;
    if !delays.is_empty() {
        ingest::remember_delays(&db, &delays).await?;
    }
    Ok(BatchReport {
        stored,
        duplicates: repeated + doubled,
        refused: refused_readings,
        conflicts,
        marked,
        scored,
        alarm_changes,
    })
}

/// Stores the readings. Those that are stored already stay as they are: with the same value they are repeats, whose number
/// is returned; with another one they are conflicts, and are taken out, or replace what is stored if their source wants it.
async fn store<'b>(
    db: &Db,
    batch: &'b pm_api::ingest::Batch,
    sorted: &mut Sorted<'b>,
    now: Timestamp,
) -> Result<u64, Refusal> {
    if sorted.readings.is_empty() {
        return Ok(0);
    }
    let known = ingest::store(db, &sorted.sensors, &sorted.readings, now).await?;
    if known.is_empty() {
        return Ok(0);
    }
    let again: Vec<_> = known.iter().filter_map(|&i| sorted.readings.get(i)).collect();
    let stored = ingest::stored(db, &sorted.sensors, &again).await?;
    let mut conflicts = vec![false; sorted.readings.len()];
    let (mut repeated, mut replacing) = (known.len() as u64, Vec::new());
    for (&index, stored) in known.iter().zip(stored) {
        let (Some(reading), Some((value, history))) = (sorted.readings.get_mut(index), stored) else {
            continue;
        };
        // as it was decided when it was stored
        reading.history = history;
        if reading.value == value {
            continue;
        }
        repeated -= 1;
        if reading.replaces {
            replacing.push(index);
        } else {
            conflicts[index] = true;
        }
    }
    let replacing: Vec<_> = replacing.into_iter().filter_map(|index| sorted.readings.get(index)).collect();
    if !replacing.is_empty() {
        ingest::replace(db, &sorted.sensors, &replacing, now).await?;
    }
    for (index, _) in conflicts.iter().enumerate().filter(|(_, conflict)| **conflict) {
        let reading = sorted.origins.get(index).and_then(|&origin| batch.readings.get(origin));
        if let Some(reading) = reading
            && let Some(sent_by) = batch.sensors.get(reading.sensor as usize)
        {
            sorted.conflicting.add(sent_by, reading, CONFLICT_REASON);
        }
    }
    let mut stays = conflicts.into_iter().map(|conflict| !conflict);
    sorted.readings.retain(|_| stays.next().unwrap_or(true));
    Ok(repeated)
}

pub(crate) async fn tell_alarm_engine(items: Vec<pm_api::alarm_engine::Condition>) -> Result<u64, Refusal> {
    if items.is_empty() {
        return Ok(0);
    }
    let conditions = pm_api::alarm_engine::Conditions { items };
    let report: pm_api::alarm_engine::ConditionsReport = Component("alarm-engine")
        .post_postcard_for_json("/conditions", &conditions, "application/octet-stream", None)
        .await
        .map_err(|e| Refusal::Unavailable(format!("alarm-engine {e}")))?;
    Ok(report.raised + report.updated)
}
