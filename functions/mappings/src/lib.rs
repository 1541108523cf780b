//! Component `mappings`: where machine, sensor and value stand in the payloads of a topic; and the dead letters, which a mapping
//! may make readable; and imports of history, which are read by a mapping of their own.
//!
//! Invariants: stored rules can be used (`pm_domain::payload::Mapping` took them); a preview and a replay read a payload with
//! the very function that the bridge uses; a preview stores nothing. Deliberately absent: the bridge's copy, which the answer
//! to a tick renews (component `notifier`).

mod dead_letters;
mod imports;
mod replay;

use pm_api::{
    MappingId,
    error::FieldError,
    mapping::{Mapping, MappingRules, Preview, PreviewReading},
    route::op,
};
use pm_domain::payload::{self, Mappings, Message, TimeOrigin};
use pm_store::{Db, mapping};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, now, serve};
use serde_json::Value;

/// How often a change is tried when other changes of the mapping come in between.
const ATTEMPTS: usize = 3;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListMappings => list,
        CreateMapping => create,
        GetMapping => get,
        UpdateMapping => update,
        DeleteMapping => delete,
        PreviewMapping => preview,
        ListDeadLetters => dead_letters::list,
        DeadLetterGroups => dead_letters::groups,
        DeleteDeadLetters => dead_letters::delete,
        ReplayDeadLetters => replay::replay,
        CreateImport => imports::create,
        GetImport => imports::get,
        PutImportPart => imports::put_part,
        StartImport => imports::start,
        DeleteImport => imports::delete,
        WorkOnImports => imports::work,
    };
    serve("mappings", request, handlers).await
}

async fn list(input: Input<op::ListMappings>) -> Given<op::ListMappings> {
    Ok(mapping::list(&input.db().await?, &input.page).await?)
}

async fn get(input: Input<op::GetMapping>) -> Result<Mapping, Refusal> {
    let id: MappingId = input.id("mapping_id")?;
    mapping::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn create(input: Input<op::CreateMapping>) -> Result<Mapping, Refusal> {
    let rules = MappingRules::from(&input.body);
    usable(&rules, &["body"])?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let new = &input.body;
    let name = new.name.as_deref().unwrap_or(&rules.topic);
    let position = new.position.as_ref().map_or(0, |position| position.0);
    mapping::create(&db, &actor, name, position, new.is_active.is_none_or(|flag| flag.0), &rules)
        .await
        .map_err(Refusal::from)
}

async fn update(input: Input<op::UpdateMapping>) -> Result<Mapping, Refusal> {
    let id: MappingId = input.id("mapping_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    for _ in 0..ATTEMPTS {
        let before = mapping::get(&db, id).await?.ok_or(Refusal::NotFound)?;
        let after = input.body.applied_to(before.clone());
        usable(&after.rules, &["body"])?;
        if let Some(changed) = mapping::update(&db, &actor, &before, &after).await? {
            return Ok(changed);
        }
    }
    Err(Refusal::Unavailable("other changes of the mapping came in between".to_owned()))
}

async fn delete(input: Input<op::DeleteMapping>) -> Result<(), Refusal> {
    let id: MappingId = input.id("mapping_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    if mapping::delete(&db, &actor, id).await? { Ok(()) } else { Err(Refusal::NotFound) }
}

/// Reads a payload as the bridge would: by the given mapping, else by those in force.
async fn preview(input: Input<op::PreviewMapping>) -> Result<Preview, Refusal> {
    let request = &input.body;
    let mappings = match &request.mapping {
        Some(new) => Mappings::new(vec![usable(&MappingRules::from(new), &["body", "mapping"])?]),
        None => in_force(&input.db().await?).await?,
    };
    let message = Message {
        topic: &request.topic,
        payload: request.payload.as_bytes(),
        received_at: now(),
        retained: request.retained.is_some_and(|flag| flag.0),
    };
    let fits =
        request.mapping.as_ref().is_none_or(|new| payload::mapping::filter_fits(&new.topic, &request.topic));
    let parsed = payload::parse(message, &mappings);
    let readings = parsed.readings.into_iter().map(|reading| PreviewReading {
        machine_id: reading.sensor.machine,
        sensor_id: reading.sensor.sensor,
        value: reading.value,
        unit: reading.sensor.unit,
        timestamp: reading.time,
        dated_on_receipt: reading.time_origin == TimeOrigin::Receipt,
        quality: reading.quality,
    });
    Ok(Preview {
        fits,
        readings: readings.collect(),
        ignored: parsed.ignored,
        reason: parsed.dead_letter.map(|letter| letter.reason),
    })
}

/// The mappings that are in force.
pub(crate) async fn in_force(db: &Db) -> Result<Mappings, Refusal> {
    let (_, rules) = mapping::in_force(db, "").await?;
    Ok(Mappings::of_rules(&rules.unwrap_or_default()))
}

/// The rules, ready for use; 422 names the field that cannot work.
pub(crate) fn usable(rules: &MappingRules, place: &[&str]) -> Result<payload::Mapping, Refusal> {
    payload::Mapping::new(rules).map_err(|(field, reason)| {
        let place: Vec<&str> = place.iter().copied().chain([field]).collect();
        Refusal::Invalid(vec![FieldError::new("value_error", &place, reason, Value::Null)])
    })
}
