//! Component `machines`: machines and what belongs to one of them.
//!
//! Invariants: deleting a machine deletes everything measured on it, answers at once and is audited with counts;
//! `metadata` is kept under both of its names; a machine's thresholds are those of its sensors that have none of their
//! own. Deliberately absent: sensors' own routes (component `sensors`), summaries over all machines
//! (component `dashboard`).

mod body;
mod history;

use pm_api::{
    MachineId,
    alarm::{Alarm, AlarmFilter},
    list::Page,
    machine::{DeletionPreview, Machine, MachineChange, MachineSummary, MachineThresholds},
    reference::{ReferenceRestart, SensorReference},
    route::{
        Operation, op,
        operation::{Json, NoQuery},
    },
};
use pm_store::{alarm, deletion, machine, reference};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListMachines => list,
        CreateMachine => create,
        GetMachine => get,
        UpdateMachine => update,
        PutMachine => update,
        DeleteMachine => delete,
        MachineSummary => summary,
        MachineAlarms => alarms,
        MachinePredictions => history::predictions,
        MachineSensorData => history::readings_with_text_ids,
        CreateMachines => create_all,
        MachineThresholds => thresholds,
        SetMachineThresholds => set_thresholds,
        PreviewMachineDeletion => preview_deletion,
        MachineReferences => references,
        RestartMachineReferences => restart_references,
        MachineReadingHistory => history::readings,
        MachinePredictionHistory => history::past_predictions,
        SensorHistory => history::sensor,
    };
    serve("machines", request, handlers).await
}

async fn list(input: Input<op::ListMachines>) -> Given<op::ListMachines> {
    Ok(machine::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn create(input: Input<op::CreateMachine>) -> Result<Machine, Refusal> {
    body::check_network(input.body.metadata.as_ref())?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    Ok(machine::create(&db, &actor, &input.body).await?)
}

async fn create_all(input: Input<op::CreateMachines>) -> Result<Vec<Machine>, Refusal> {
    body::check_networks(&input.body)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    Ok(machine::create_all(&db, &actor, &input.body).await?)
}

async fn get(input: Input<op::GetMachine>) -> Result<Machine, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    machine::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn update<O>(input: Input<O>) -> Result<Machine, Refusal>
where
    O: Operation<Query = NoQuery, Body = Json<MachineChange>, Answer = Json<Machine>>,
{
    let id: MachineId = input.id("machine_id")?;
    body::check_network(input.body.metadata.given())?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    machine::update(&db, &actor, id, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn delete(input: Input<op::DeleteMachine>) -> Result<(), Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = deletion::delete_machine(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

async fn preview_deletion(input: Input<op::PreviewMachineDeletion>) -> Result<DeletionPreview, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    deletion::preview_machine(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn alarms(input: Input<op::MachineAlarms>) -> Result<Page<Alarm>, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let db = input.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let filter = AlarmFilter { machine_id: Some(id), ..AlarmFilter::default() };
    Ok(alarm::list(&db, &filter, &input.page).await?)
}

async fn thresholds(input: Input<op::MachineThresholds>) -> Result<MachineThresholds, Refusal> {
    let machine_id: MachineId = input.id("machine_id")?;
    let thresholds = machine::thresholds(&input.db().await?, machine_id).await?.ok_or(Refusal::NotFound)?;
    Ok(MachineThresholds { machine_id, thresholds })
}

async fn set_thresholds(input: Input<op::SetMachineThresholds>) -> Result<MachineThresholds, Refusal> {
    let machine_id: MachineId = input.id("machine_id")?;
    body::check_thresholds(&input.body.0)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("update_thresholds");
    if !machine::set_thresholds(&db, &actor, machine_id, &input.body.0).await? {
        return Err(Refusal::NotFound);
    }
    Ok(MachineThresholds { machine_id, thresholds: input.body.0 })
}

async fn references(input: Input<op::MachineReferences>) -> Result<Vec<SensorReference>, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let db = input.db().await?;
    machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(reference::of_machine(&db, id).await?)
}

async fn restart_references(input: Input<op::RestartMachineReferences>) -> Result<ReferenceRestart, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("restart_reference");
    reference::restart_machine(&db, &actor, id, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn summary(input: Input<op::MachineSummary>) -> Result<MachineSummary, Refusal> {
    let id: MachineId = input.id("machine_id")?;
    machine::summary(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}
