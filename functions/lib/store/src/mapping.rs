//! Mappings of payloads.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, json, text},
};
use pm_api::{
    MappingId,
    list::{ListQuery, Page},
    mapping::{Mapping, MappingRules},
    sort::MappingSort,
};
use uuid::Uuid;

/// The columns that [`mapping`] reads.
macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', updated_at at time zone 'utc', name, position, is_active, rules"
    };
}

lists! {
    LIST: MappingSort = List {
        columns: columns!(),
        rows: "from mappings where true",
        id: Id::Uuid("id"),
        key: |sort| match sort {
            MappingSort::CreatedAt => Key::Time("created_at"),
            MappingSort::Name => Key::Text("name"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from mappings where id = $1");
    CREATE = concat!("
        insert into mappings (id, name, position, is_active, rules)
        select $2, $3, $4, $5, $6 from ", actor!(), "
        returning ", columns!());
    // only if it is still as it was read
    UPDATE = concat!("
        update mappings set name = $4, position = $5, is_active = $6, rules = $7
        from ", actor!(), "
        where id = $2 and jsonb_build_array(name, position, is_active, rules) = $3::jsonb
        returning ", columns!());
    DELETE = concat!("delete from mappings using ", actor!(), " where id = $2");
    IN_FORCE = "
        with in_force as (
            select coalesce(jsonb_agg(rules order by position, created_at, id), '[]') as rules
            from mappings where is_active),
        versioned as (select rules, md5(rules::text) as version from in_force)
        select version, case when version = $1 then null else rules end from versioned";
}

fn mapping(c: &mut Columns) -> Result<Mapping, StoreError> {
    Ok(Mapping {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        position: c.take()?,
        is_active: c.take()?,
        rules: serde_json::from_value(c.take()?).map_err(|e| StoreError::Failed(e.to_string()))?,
    })
}

/// A page of the mappings.
pub async fn list(db: &Db, query: &ListQuery<MappingSort>) -> Result<Page<Mapping>, StoreError> {
    LIST.page(db, query, vec![], mapping).await
}

/// One mapping.
pub async fn get(db: &Db, mapping_id: MappingId) -> Result<Option<Mapping>, StoreError> {
    db.first(GET, vec![id(mapping_id.0)], mapping).await
}

/// Creates a mapping.
pub async fn create(
    db: &Db,
    actor: &Actor,
    name: &str,
    position: i64,
    is_active: bool,
    rules: &MappingRules,
) -> Result<Mapping, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        text(name),
        position.into(),
        is_active.into(),
        json(rules)?,
    ];
    db.one(CREATE, params, mapping).await
}

/// Changes a mapping that was read as `before`; `None` if it is another one by now.
pub async fn update(
    db: &Db,
    actor: &Actor,
    before: &Mapping,
    after: &Mapping,
) -> Result<Option<Mapping>, StoreError> {
    let was = serde_json::json!([before.name, before.position, before.is_active, before.rules]);
    let params = vec![
        actor.setting(),
        id(before.id.0),
        json(&was)?,
        text(&*after.name),
        after.position.into(),
        after.is_active.into(),
        json(&after.rules)?,
    ];
    db.first(UPDATE, params, mapping).await
}

/// Deletes a mapping. False: there is no such mapping.
pub async fn delete(db: &Db, actor: &Actor, mapping_id: MappingId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(mapping_id.0)]).await? > 0)
}

/// The version of the mappings in force, and their rules in order unless `known` is that version.
pub async fn in_force(db: &Db, known: &str) -> Result<(String, Option<Vec<MappingRules>>), StoreError> {
    db.one(IN_FORCE, vec![text(known)], |c| {
        let version = c.take()?;
        let rules: Option<serde_json::Value> = c.take()?;
        let rules = rules.map(serde_json::from_value).transpose();
        Ok((version, rules.map_err(|e| StoreError::Failed(e.to_string()))?))
    })
    .await
}
