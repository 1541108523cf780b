//! `POST /v2/write` and `POST /write`: Influx line protocol, read by the decoder that reads it from MQTT.

use pm_api::{
    WritePrecision,
    ingest::BatchReport,
    route::Operation,
    sensor_data::{WriteProblem, WriteQuery},
};
use pm_domain::payload::{self, BatchBuilder, LineFault, MAX_IGNORED_NAMES, Mappings};
use pm_store::mapping;
use pm_web::{Give, Input, ReadBody, Refusal, Taken, now};

/// Lines that an answer names.
const MAX_NAMED_LINES: usize = 20;

/// Stores what can be read, part by part; says which lines could not be read, and how many values were refused. A request
/// that is sent again changes nothing.
pub(crate) async fn write<O>(input: Input<O>) -> Result<Taken<WriteProblem>, Refusal>
where
    O: Operation<Query = WriteQuery, Body: ReadBody<Value = String>, Answer: Give<Page = ()>>,
{
    let db = input.db().await?;
    input.actor(&db).await?;
    let (_, rules) = mapping::in_force(&db, "").await?;
    let mappings = Mappings::of_rules(&rules.unwrap_or_default());
    let query = &input.query;
    let topic = match query.bucket.as_ref().or(query.db.as_ref()) {
        Some(bucket) => format!("(http)/{}", &**bucket),
        None => "(http)".to_owned(),
    };
    let precision = query.precision.unwrap_or(WritePrecision::Nanosecond);
    let (mut faults, mut ignored, mut not_stored) = (Vec::new(), Vec::new(), 0);
    for part in payload::parse_lines(&topic, &input.body, precision, now(), &mappings) {
        let mut batch = BatchBuilder::default();
        part.parsed.readings.into_iter().for_each(|reading| batch.add(reading));
        part.parsed.dead_letter.into_iter().for_each(|letter| batch.add_letter(letter));
        if !batch.is_empty() {
            let report: BatchReport = pm_web::ingest(&batch.finish()).await?;
            not_stored += report.refused + report.conflicts;
        }
        faults.extend(part.faults);
        for name in part.parsed.ignored {
            if ignored.len() < MAX_IGNORED_NAMES && !ignored.contains(&name) {
                ignored.push(name);
            }
        }
    }
    Ok(Taken { problem: problem(&faults, not_stored), ignored })
}

/// What was not stored, in words that senders look for: Telegraf sends a batch again unless it is told that it is parsed
/// and partly written.
fn problem(faults: &[LineFault], not_stored: u64) -> Option<WriteProblem> {
    let named =
        faults.iter().take(MAX_NAMED_LINES).map(|fault| format!("line {}: {}", fault.line, fault.reason));
    let mut parts: Vec<String> = named.collect();
    if let Some(first) = parts.first_mut() {
        first.insert_str(0, "unable to parse ");
    }
    if faults.len() > MAX_NAMED_LINES {
        parts.push(format!("and {} more", faults.len() - MAX_NAMED_LINES));
    }
    if not_stored > 0 {
        parts.push(format!("values not stored: {not_stored}, the dead letters say why"));
    }
    let message = format!("partial write: {}", parts.join("; "));
    (!parts.is_empty()).then(|| WriteProblem {
        code: "invalid".to_owned(),
        error: message.clone(),
        message,
        line: faults.first().map(|fault| fault.line),
    })
}
