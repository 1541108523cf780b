//! Imports of history: parts that wait, and what became of those that were stored.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
    value::{Columns, bytes, id, json, text},
};
use pm_api::{
    ImportId, JobId, JobType,
    import::{Import, ImportCounts},
    mapping::MappingRules,
};
use serde_json::Value;
use uuid::Uuid;

/// The columns that [`import`] reads, of an import `i`.
macro_rules! columns {
    () => {
        "i.id, i.created_at at time zone 'utc', i.name, i.rules, i.job_id,
         (select count(*) from import_parts p where p.import_id = i.id),
         (select count(stored_at) from import_parts p where p.import_id = i.id),
         (select jsonb_build_object('lines', coalesce(sum((counts->>'lines')::int8), 0),
                                    'stored', coalesce(sum((counts->>'stored')::int8), 0),
                                    'duplicates', coalesce(sum((counts->>'duplicates')::int8), 0),
                                    'refused', coalesce(sum((counts->>'refused')::int8), 0),
                                    'not_read', coalesce(sum((counts->>'not_read')::int8), 0))
          from import_parts p where p.import_id = i.id),
         (select coalesce(jsonb_agg(r.reason), '[]') from (
            select e.reason from import_parts p cross join lateral jsonb_array_elements(p.reasons) e (reason)
            where p.import_id = i.id order by p.number limit 20) r)"
    };
}

statements! {
    GET = concat!("select ", columns!(), " from imports i where i.id = $1");
    OF_JOB = concat!("select ", columns!(), " from imports i where i.job_id = $1");
    CREATE = concat!("insert into imports (id, name, rules) select $2, $3, $4 from ", actor!());
    // not once the import was started
    PUT_PART = "
        insert into import_parts (import_id, number, payload, packed)
        select id, $2, $3, $4 from imports where id = $1 and job_id is null for update
        on conflict (import_id, number) do update set payload = excluded.payload, packed = excluded.packed";
    START = concat!("
        with made as (
            insert into jobs (id, job_type, created_by, metadata)
            select $3, $4, $5, jsonb_build_object('import_id', i.id, 'name', i.name)
            from imports i, ", actor!(), "
            where i.id = $2 and i.job_id is null and exists (select from import_parts p where p.import_id = i.id)
            returning id)
        update imports i set job_id = made.id from made where i.id = $2");
    NEXT_PART = "
        select number, payload, packed from import_parts where import_id = $1 and stored_at is null order by number limit 1";
    PART_STORED = "
        update import_parts set stored_at = now(), payload = '', counts = $3, reasons = $4 where import_id = $1 and number = $2";
    DELETE = concat!("
        delete from imports i using ", actor!(), "
        where i.id = $2
          and not exists (select from jobs j where j.id = i.job_id and j.status in ('pending', 'running'))");
}

/// A part that is not stored yet.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its number.
    pub number: i32,
    /// Its lines, as they came.
    pub payload: Vec<u8>,
    /// Are they packed with gzip?
    pub packed: bool,
}

fn import(c: &mut Columns) -> Result<Import, StoreError> {
    fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, StoreError> {
        serde_json::from_value(value).map_err(|e| StoreError::Failed(e.to_string()))
    }
    Ok(Import {
        id: c.take()?,
        created_at: c.take()?,
        name: c.take()?,
        rules: read(c.take()?)?,
        job_id: c.take()?,
        parts: c.take()?,
        parts_stored: c.take()?,
        counts: read(c.take()?)?,
        reasons: read(c.take()?)?,
    })
}

/// One import.
pub async fn get(db: &Db, import_id: ImportId) -> Result<Option<Import>, StoreError> {
    db.first(GET, vec![id(import_id.0)], import).await
}

/// The import that a job stores.
pub async fn of_job(db: &Db, job_id: JobId) -> Result<Option<Import>, StoreError> {
    db.first(OF_JOB, vec![id(job_id.0)], import).await
}

/// Begins an import.
pub async fn create(
    db: &Db,
    actor: &Actor,
    name: &str,
    rules: &MappingRules,
) -> Result<ImportId, StoreError> {
    let new = Uuid::now_v7();
    db.execute(CREATE, vec![actor.setting(), id(new), text(name), json(rules)?]).await?;
    Ok(ImportId(new))
}

/// Keeps a part. False: there is no such import, or it was started.
pub async fn put_part(
    db: &Db,
    import_id: ImportId,
    number: i32,
    payload: &[u8],
    packed: bool,
) -> Result<bool, StoreError> {
    let params = vec![id(import_id.0), number.into(), bytes(payload), packed.into()];
    Ok(db.execute(PUT_PART, params).await? > 0)
}

/// Makes the job of an import. False: it has one, or has no parts, or does not exist.
pub async fn start(db: &Db, actor: &Actor, import_id: ImportId) -> Result<bool, StoreError> {
    let params = vec![
        actor.setting(),
        id(import_id.0),
        id(Uuid::now_v7()),
        text(JobType::Import.as_str()),
        id(actor.user_id.0),
    ];
    Ok(db.execute(START, params).await? > 0)
}

/// The first part that is not stored yet.
pub async fn next_part(db: &Db, import_id: ImportId) -> Result<Option<Part>, StoreError> {
    db.first(NEXT_PART, vec![id(import_id.0)], |c| {
        Ok(Part { number: c.take()?, payload: c.take()?, packed: c.take()? })
    })
    .await
}

/// Notes what became of a part, and forgets its lines.
pub async fn part_stored(
    db: &Db,
    import_id: ImportId,
    number: i32,
    counts: &ImportCounts,
    reasons: &[String],
) -> Result<(), StoreError> {
    let params = vec![id(import_id.0), number.into(), json(counts)?, json(&reasons)?];
    db.execute(PART_STORED, params).await.map(drop)
}

/// Deletes an import with its parts. False: there is none, or its job is not done.
pub async fn delete(db: &Db, actor: &Actor, import_id: ImportId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(import_id.0)]).await? > 0)
}
