//! Component `ingest`: takes batches of readings from the bridge, and scores when asked to.
//!
//! Invariants: an answer 200 says that every reading of the batch is stored or in the dead letters, and that alarms were
//! raised for it; a batch may be sent again any number of times (the natural key of a reading is sensor and time), so
//! every failure is answered so that the bridge sends it again. Late readings are stored and raise no alarm. The
//! scorer may fail: then the batch is stored unscored, and the next batch catches up.
//!
//! Deliberately absent: MQTT and payload formats (the bridge), the model (component `score`), alarms (component
//! `alarm-engine`).

mod batch;
mod judge;
mod now;
mod remaining_life;
mod scoring;

use http::StatusCode;
use pm_api::ingest::BatchReport;
use pm_auth::Op;
use pm_store::{dead_letter, ingest};
use pm_web::{Answer, Call, Outcome, Peer, Refusal, Request, json, now, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("ingest", request, |op, call| async move {
        match op {
            Op::Ingest => take(&call).await,
            Op::Score => now::score(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Stores a batch, scores its sensors, tells the alarm engine what changed.
async fn take(call: &Call) -> Outcome {
    let now = now();
    let batch = batch::read(&call.body, now)?;
    let db = call.db().await?;
    let known = ingest::resolve(&db, &batch.sensors).await?;
    if known.iter().any(Option::is_none) {
        return Err(Refusal::Unavailable("a machine was deleted while its readings came in".to_owned()));
    }
    let known: Vec<_> = known.into_iter().flatten().collect();
    let judged = judge::statuses(&known, &batch.readings);
    let repeated = match judged.as_slice() {
        [] => Default::default(),
        readings => ingest::store(&db, &known, readings, now).await?,
    };
    if !batch.dead_letters.is_empty() {
        dead_letter::store(&db, &batch.dead_letters).await?;
    }
    let (scored, predicted) = scoring::score(&db, &known, &judged, now).await;
    let mut conditions = judge::limit_conditions(&known, &judged, &repeated, now);
    conditions.extend(predicted);
    let alarm_changes = tell_alarm_engine(conditions).await?;
    Ok(json(
        StatusCode::OK,
        &BatchReport {
            stored: (judged.len() - repeated.len()) as u64,
            duplicates: repeated.len() as u64 + batch.doubled,
            refused: batch.refused,
            scored,
            alarm_changes,
        },
    ))
}

pub(crate) async fn tell_alarm_engine(items: Vec<pm_api::alarm_engine::Condition>) -> Result<u64, Refusal> {
    if items.is_empty() {
        return Ok(0);
    }
    let conditions = pm_api::alarm_engine::Conditions { items };
    let report: pm_api::alarm_engine::ConditionsReport = Peer("alarm-engine")
        .post_postcard_for_json("/conditions", &conditions, "application/octet-stream", None)
        .await
        .map_err(|e| Refusal::Unavailable(format!("alarm-engine {e}")))?;
    Ok(report.raised + report.updated)
}
