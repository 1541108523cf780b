//! Imports of history: parts are kept as they come; a job reads and stores them, one after the other.

use crate::usable;
use pm_api::{
    ImportId, JobId, JobType, PayloadFormat,
    import::{Import, ImportCounts, ImportWork, MAX_IMPORT_PARTS},
    mapping::MappingRules,
    route::op,
};
use pm_domain::payload::{self, BatchBuilder};
use pm_store::{Db, import, job};
use pm_web::{Input, Refusal, ingest, now, unpack};
use serde_json::Value;

/// A worker that has said nothing for so long is taken for dead.
const LEASE_S: i64 = 60;
/// A step begins with no further part after this time, so that it ends within 25 s.
const STEP_S: i64 = 8;
/// Reasons that are kept of a part.
const MAX_REASONS: usize = 20;

pub(crate) async fn create(input: Input<op::CreateImport>) -> Result<Import, Refusal> {
    let mut rules = MappingRules::from(&input.body.rules);
    rules.format = PayloadFormat::Csv;
    let mapping = usable(&rules, &["body", "rules"])?;
    let refuse = |field, message: &str| {
        Err(Refusal::field("value_error", &["body", "rules", field], message, Value::Null))
    };
    if rules.topic.contains(['+', '#']) {
        return refuse("topic", "Input should be a topic without wildcards");
    }
    if !mapping.maps_values() {
        return refuse("machine", "Field required");
    }
    if rules.time.is_none() {
        return refuse("time", "Field required");
    }
    let db = input.db().await?;
    let id = import::create(&db, &input.actor(&db).await?, &input.body.name, &rules).await?;
    shown(&db, id).await
}

pub(crate) async fn get(input: Input<op::GetImport>) -> Result<Import, Refusal> {
    shown(&input.db().await?, input.id("import_id")?).await
}

async fn shown(db: &Db, id: ImportId) -> Result<Import, Refusal> {
    import::get(db, id).await?.ok_or(Refusal::NotFound)
}

/// Keeps a part as it came: the type of the body has checked that it can be unpacked and is text.
pub(crate) async fn put_part(input: Input<op::PutImportPart>) -> Result<(), Refusal> {
    let id: ImportId = input.id("import_id")?;
    let number = input.param("number");
    let Some(number) = number.parse().ok().filter(|number| (0..MAX_IMPORT_PARTS as i32).contains(number))
    else {
        let message = format!("Input should be a number from 0 to {}", MAX_IMPORT_PARTS - 1);
        return Err(Refusal::field("int_parsing", &["path", "number"], message, number.into()));
    };
    let db = input.db().await?;
    input.actor(&db).await?;
    shown(&db, id).await?;
    let packed = input.is_packed()?;
    // as it came, which `input.body` is read from
    let payload = (*input).body.clone();
    if import::put_part(&db, id, number, &payload, packed).await? {
        Ok(())
    } else {
        Err(Refusal::Conflict("The import was started".to_owned()))
    }
}

pub(crate) async fn start(input: Input<op::StartImport>) -> Result<Import, Refusal> {
    let id: ImportId = input.id("import_id")?;
    let db = input.db().await?;
    import::start(&db, &input.actor(&db).await?, id).await?;
    let import = shown(&db, id).await?;
    if import.job_id.is_some() {
        Ok(import)
    } else {
        Err(Refusal::Conflict("The import has no parts".to_owned()))
    }
}

pub(crate) async fn delete(input: Input<op::DeleteImport>) -> Result<(), Refusal> {
    let id: ImportId = input.id("import_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    shown(&db, id).await?;
    if import::delete(&db, &actor, id).await? {
        Ok(())
    } else {
        Err(Refusal::Conflict("The job of the import is not done".to_owned()))
    }
}

/// One step: parts of the oldest import, one after the other, for some seconds. A part that was stored halfway when its
/// worker died is read again: what is stored already stays as it is.
pub(crate) async fn work(input: Input<op::WorkOnImports>) -> Result<ImportWork, Refusal> {
    let db = input.db().await?;
    let mut done = ImportWork::default();
    let Some(claim) = job::claim(&db, &[JobType::Import], LEASE_S).await? else { return Ok(done) };
    let job_id: JobId = claim.job.id;
    let Some(import) = import::of_job(&db, job_id).await? else {
        job::fail(&db, &claim, "There is no import with this job").await?;
        return Ok(done);
    };
    let mapping = match payload::Mapping::new(&import.rules) {
        Ok(mapping) => mapping,
        Err((field, reason)) => {
            job::fail(&db, &claim, &format!("{field}: {reason}")).await?;
            return Ok(done);
        }
    };
    let end = now().plus_seconds(STEP_S);
    while let Some(part) = import::next_part(&db, import.id).await? {
        let (counts, reasons) = store(&mapping, &import, &part).await?;
        import::part_stored(&db, import.id, part.number, &counts, &reasons).await?;
        done.parts += 1;
        let stored = import.parts_stored + done.parts as i64;
        let percent = (100 * stored / import.parts.max(1)) as i32;
        if !job::progress(&db, &claim, percent, LEASE_S).await? {
            return Ok(done);
        }
        if now() > end && stored < import.parts {
            job::pause(&db, &claim).await?;
            done.more = true;
            return Ok(done);
        }
    }
    let import = shown(&db, import.id).await?;
    let result = serde_json::to_value(import.counts).map_err(|e| Refusal::Internal(e.to_string()))?;
    job::finish(&db, &claim, &result).await?;
    Ok(done)
}

/// Stores the values of a part.
async fn store(
    mapping: &payload::Mapping,
    import: &Import,
    part: &import::Part,
) -> Result<(ImportCounts, Vec<String>), Refusal> {
    let (mut counts, mut reasons) = (ImportCounts::default(), Vec::new());
    let text = String::from_utf8(unpack(part.packed, &part.payload)?)
        .map_err(|e| Refusal::Internal(format!("a part that is no text: {e}")))?;
    for some in payload::parse_history(mapping, &import.rules.topic, &text, now()) {
        counts.lines += some.lines as u64;
        counts.not_read += some.not_read as u64;
        for fault in some.faults.into_iter().take(MAX_REASONS.saturating_sub(reasons.len())) {
            reasons.push(format!("part {} line {}: {}", part.number, fault.line, fault.reason));
        }
        let mut batch = BatchBuilder::default();
        some.parsed.readings.into_iter().for_each(|reading| batch.add(reading));
        if batch.is_empty() {
            continue;
        }
        let report = ingest(&batch.finish()).await?;
        counts.stored += report.stored;
        counts.duplicates += report.duplicates;
        counts.refused += report.refused + report.conflicts;
    }
    Ok((counts, reasons))
}
