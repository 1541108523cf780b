//! Escalation chains as people manage them.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, json, optional, text},
};
use pm_api::{
    EscalationChainId, MachineId, Severity,
    escalation::{EscalationChain, EscalationStep},
    list::{ListQuery, Page},
    sort::EscalationChainSort,
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`chain`] reads, of `escalation_chains c`.
macro_rules! columns {
    () => {
        "c.id, c.created_at at time zone 'utc', c.updated_at at time zone 'utc', c.name, c.active_since at time zone 'utc',
         c.machine_id, c.machine_class, c.minimum_severity, c.steps, c.repeat_every_s, c.repeats"
    };
}

lists! {
    LIST: EscalationChainSort = List {
        columns: columns!(),
        rows: "from escalation_chains c where true",
        id: Id::Uuid("c.id"),
        key: |sort| match sort {
            EscalationChainSort::Name => Key::Text("c.name"),
            EscalationChainSort::CreatedAt => Key::Time("c.created_at"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from escalation_chains c where c.id = $1");
    ALL_CHAINS = concat!("select ", columns!(), " from escalation_chains c");
    CREATE = concat!("
        insert into escalation_chains as c (id, name, active_since, minimum_severity, steps, repeat_every_s, repeats,
                                            machine_id, machine_class)
        select $2, $3, case when $4 then now() end, $5, $6, $7, $8, $9, $10 from ", actor!(), "
        returning ", columns!());
    // escalations that run look at the changed steps at once
    UPDATE = concat!("
        with changed as (
            update escalation_chains c set
                name = $3, active_since = case when $4 then coalesce(c.active_since, now()) end, minimum_severity = $5,
                steps = $6, repeat_every_s = $7, repeats = $8
            from ", actor!(), " where c.id = $2
            returning c.*),
        again as (
            update escalations e set next_due_at = now() from changed c
            where e.chain_id = c.id and e.ended_at is null)
        select ", columns!(), " from changed c");
    DELETE = concat!("delete from escalation_chains c using ", actor!(), " where c.id = $2");
}

/// What people decide about a chain.
#[derive(Debug, Clone)]
pub struct Decided {
    /// For people.
    pub name: String,
    /// Is it in use?
    pub is_active: bool,
    /// For alarms from this severity on.
    pub minimum_severity: Severity,
    /// What is done when.
    pub steps: Vec<EscalationStep>,
    /// The steps are done again so many seconds after they began.
    pub repeat_every_s: i64,
    /// How often they are done again at most.
    pub repeats: i64,
}

impl Decided {
    fn params(&self) -> Result<Vec<ParameterValue>, StoreError> {
        Ok(vec![
            text(&self.name),
            self.is_active.into(),
            text(self.minimum_severity.as_str()),
            json(&self.steps)?,
            self.repeat_every_s.into(),
            self.repeats.into(),
        ])
    }
}

fn chain(c: &mut Columns) -> Result<EscalationChain, StoreError> {
    Ok(EscalationChain {
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        name: c.take()?,
        active_since: c.take()?,
        machine_id: c.take()?,
        machine_class: c.take()?,
        minimum_severity: c.word()?,
        steps: serde_json::from_value(c.take()?).map_err(|e| StoreError::Failed(e.to_string()))?,
        repeat_every_s: c.take()?,
        repeats: c.take()?,
    })
}

/// A page of the chains.
pub async fn list(
    db: &Db,
    query: &ListQuery<EscalationChainSort>,
) -> Result<Page<EscalationChain>, StoreError> {
    LIST.page(db, query, Vec::new(), chain).await
}

/// Every chain.
pub async fn all(db: &Db) -> Result<Vec<EscalationChain>, StoreError> {
    db.rows(ALL_CHAINS, vec![], chain).await
}

/// One chain.
pub async fn get(db: &Db, chain_id: EscalationChainId) -> Result<Option<EscalationChain>, StoreError> {
    db.first(GET, vec![id(chain_id.0)], chain).await
}

/// Creates a chain for a machine, for a class, or for the whole site.
///
/// # Errors
/// Constraints `escalation_chains_machine_exists`, `escalation_chains_name_unique`.
pub async fn create(
    db: &Db,
    actor: &Actor,
    new: &Decided,
    (machine, class): (Option<MachineId>, Option<&str>),
) -> Result<EscalationChain, StoreError> {
    let mut params = vec![actor.setting(), id(Uuid::now_v7())];
    params.extend(new.params()?);
    params.extend([optional(machine, |m| id(m.0)), optional(class, text)]);
    db.one(CREATE, params, chain).await
}

/// Changes a chain; `None`: there is no such chain.
///
/// # Errors
/// Constraint `escalation_chains_name_unique`.
pub async fn update(
    db: &Db,
    actor: &Actor,
    chain_id: EscalationChainId,
    new: &Decided,
) -> Result<Option<EscalationChain>, StoreError> {
    let mut params = vec![actor.setting(), id(chain_id.0)];
    params.extend(new.params()?);
    db.first(UPDATE, params, chain).await
}

/// Deletes a chain. False: there is no such chain.
pub async fn delete(db: &Db, actor: &Actor, chain_id: EscalationChainId) -> Result<bool, StoreError> {
    Ok(db.execute(DELETE, vec![actor.setting(), id(chain_id.0)]).await? > 0)
}
