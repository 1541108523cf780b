//! Escalation chains.

use crate::on_call::taken;
use pm_api::{
    EscalationChainId, Severity,
    error::FieldError,
    escalation::{EscalationChain, EscalationStep},
    input::FieldFault,
    list::Page,
    route::op,
};
use pm_store::{
    Db, StoreError, escalation,
    escalation_chain::{self, Decided},
    on_call,
};
use pm_web::{Input, Refusal, now};
use serde_json::{Value, json};

/// The steps are done again after so long, unless somebody says otherwise, seconds.
const DEFAULT_REPEAT_EVERY_S: i64 = 1800;

pub(crate) async fn list(input: Input<op::ListEscalationChains>) -> Result<Page<EscalationChain>, Refusal> {
    Ok(escalation_chain::list(&input.db().await?, &input.page).await?)
}

pub(crate) async fn get(input: Input<op::GetEscalationChain>) -> Result<EscalationChain, Refusal> {
    let id: EscalationChainId = input.id("chain_id")?;
    escalation_chain::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn create(input: Input<op::CreateEscalationChain>) -> Result<EscalationChain, Refusal> {
    let new = &input.body;
    let decided = Decided {
        name: new.name.trim().to_owned(),
        is_active: new.is_active.is_none_or(|flag| flag.0),
        minimum_severity: new.minimum_severity.unwrap_or(Severity::Critical),
        steps: new.steps.to_vec(),
        repeat_every_s: new.repeat_every_s.map_or(DEFAULT_REPEAT_EVERY_S, |s| s.0),
        repeats: new.repeats.map_or(0, |times| times.0),
    };
    let scope = (new.machine_id, new.machine_class.as_ref().map(|class| class.0.as_str()));
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    check(&db, &decided.steps).await?;
    match escalation_chain::create(&db, &actor, &decided, scope).await {
        Err(StoreError::Constraint(name)) if name == "escalation_chains_machine_exists" => {
            let fault = FieldFault::new("machine_id", "There is no such machine", json!(new.machine_id));
            Err(Refusal::in_body(vec![fault]))
        }
        done => done.map_err(|error| taken(error, &decided.name)),
    }
}

pub(crate) async fn update(input: Input<op::UpdateEscalationChain>) -> Result<EscalationChain, Refusal> {
    let id: EscalationChainId = input.id("chain_id")?;
    let change = &input.body;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = escalation_chain::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let decided = Decided {
        name: change.name.as_ref().map_or(before.name, |name| name.trim().to_owned()),
        is_active: change.is_active.map_or(before.active_since.is_some(), |flag| flag.0),
        minimum_severity: change.minimum_severity.unwrap_or(before.minimum_severity),
        steps: change.steps.as_ref().map_or(before.steps, |steps| steps.to_vec()),
        repeat_every_s: change.repeat_every_s.map_or(before.repeat_every_s, |s| s.0),
        repeats: change.repeats.map_or(before.repeats, |times| times.0),
    };
    if change.steps.is_some() {
        check(&db, &decided.steps).await?;
    }
    let done = escalation_chain::update(&db, &actor, id, &decided).await;
    done.map_err(|error| taken(error, &decided.name))?.ok_or(Refusal::NotFound)
}

pub(crate) async fn delete(input: Input<op::DeleteEscalationChain>) -> Result<(), Refusal> {
    let id: EscalationChainId = input.id("chain_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = escalation_chain::delete(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

/// What steps name has to be there.
async fn check(db: &Db, steps: &[EscalationStep]) -> Result<(), Refusal> {
    let people = on_call::people(db).await?;
    let schedules = on_call::all(db, now()).await?;
    let channels = escalation::channels(db).await?;
    let mut faults = Vec::new();
    let mut fault = |index: usize, field: &str, message: &str, input: Value| {
        let loc: Vec<Value> = vec!["body".into(), "steps".into(), index.into(), field.into()];
        faults.push(FieldError { kind: "value_error".to_owned(), loc, msg: message.to_owned(), input });
    };
    for (index, step) in steps.iter().enumerate() {
        if let Some(id) = step.user_id.filter(|id| people.iter().all(|p| p.id != *id)) {
            fault(index, "user_id", "There is no active account of a person with this id", json!(id));
        }
        if let Some(id) = step.schedule_id.filter(|id| schedules.iter().all(|s| s.id != *id)) {
            fault(index, "schedule_id", "There is no such on-call schedule", json!(id));
        }
        if let Some(id) = step.channel_id.filter(|id| channels.iter().all(|(known, ..)| known != id)) {
            fault(index, "channel_id", "There is no such notice channel", json!(id));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Invalid(faults)) }
}
