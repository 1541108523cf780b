//! `POST /mqtt/dead-letters/replay`: dead letters are read again, with the mappings of this moment.

use crate::in_force;
use pm_api::{
    ingest::{Batch, BatchReport},
    route::op,
    status::ReplayReport,
};
use pm_domain::payload::{self, BatchBuilder, Mappings, Message, Parsed};
use pm_store::{
    audit::{self, Event},
    dead_letter::{self, StoredLetter},
};
use pm_web::{Input, Refusal, ingest};

/// Dead letters that one request reads.
const SLICE: i64 = 100;
/// Reasons that an answer names.
const MAX_REASONS: usize = 10;

/// A dead letter is marked as replayed when all its values are stored; till then it stays. Readings are stored once however
/// often their letter is read: sensor and time are their key, and values without a time have that of the letter's receipt.
pub(crate) async fn replay(input: Input<op::ReplayDeadLetters>) -> Result<ReplayReport, Refusal> {
    let topic = &*input.body.topic;
    let reason = input.body.reason.as_deref();
    let after = input.body.after.as_ref().map_or(0, |after| after.0);
    let db = input.db().await?;
    let event = Event {
        action: "replay",
        resource_type: "dead_letters",
        resource_id: Some(topic.to_owned()),
        details: reason.map(str::to_owned),
    };
    audit::record(&db, &input.actor(&db).await?, event).await?;
    let mappings = in_force(&db).await?;
    let letters = dead_letter::to_replay(&db, topic, reason, after, SLICE).await?;
    let mut report = ReplayReport::default();
    if letters.len() as i64 == SLICE {
        report.next = letters.last().map(|letter| letter.id);
    }
    for letter in &letters {
        let parsed = read(letter, &mappings);
        let mut batch = BatchBuilder::default();
        parsed.readings.into_iter().for_each(|reading| batch.add(reading));
        let not_read = parsed.dead_letter.map(|letter| letter.reason);
        let problem = match (store(batch.finish(), &mut report).await?, not_read) {
            (_, Some(reason)) => Some(reason),
            (refused, None) if refused > 0 => Some(format!("values that were not stored again: {refused}")),
            (_, None) => None,
        };
        match problem {
            None => report.replayed += u64::from(dead_letter::replayed(&db, letter).await?),
            Some(reason) => {
                report.kept += 1;
                if report.reasons.len() < MAX_REASONS && !report.reasons.contains(&reason) {
                    report.reasons.push(reason);
                }
            }
        }
    }
    Ok(report)
}

/// Stores the readings of a dead letter; returns how many were refused.
async fn store(batch: Batch, report: &mut ReplayReport) -> Result<u64, Refusal> {
    if batch.readings.is_empty() {
        return Ok(0);
    }
    let BatchReport { stored, refused, conflicts, .. } = ingest(&batch).await?;
    report.stored += stored;
    Ok(refused + conflicts)
}

/// Reads the payload of a dead letter. What `ingest` refused is kept in the plain form, which the mapping of the topic may
/// not fit.
fn read(letter: &StoredLetter, mappings: &Mappings) -> Parsed {
    let message = Message {
        topic: &letter.topic,
        payload: &letter.payload,
        received_at: letter.received_at,
        retained: letter.reason.contains(payload::RETAINED_WITHOUT_TIME),
    };
    let parsed = payload::parse(message, mappings);
    if parsed.readings.is_empty() {
        let plain = payload::parse(message, &Mappings::default());
        if plain.dead_letter.is_none() && !plain.readings.is_empty() {
            return plain;
        }
    }
    parsed
}
