//! Component `machines`: machines and what belongs to one of them.
//!
//! Invariants: deleting a machine deletes everything measured on it, answers at once and is audited with counts;
//! `metadata` is kept under both of its names; a machine's thresholds are those of its sensors that have none of their
//! own. Deliberately absent: sensors' own routes (component `sensors`), summaries over all machines
//! (component `dashboard`).

mod body;
mod history;

use http::StatusCode;
use pm_api::{MachineId, machine::MachineThresholds, sort::MachineSort};
use pm_auth::Op;
use pm_store::{deletion, machine};
use pm_web::{Answer, Call, Outcome, Refusal, Request, all_valid, empty, json, json_page, serve};

/// Machines that one request may create.
const MOST_AT_ONCE: usize = 1000;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("machines", request, |op, call| async move {
        match op {
            Op::ListMachines => list(&call).await,
            Op::CreateMachine => create(&call).await,
            Op::GetMachine => get(&call).await,
            Op::UpdateMachine => update(&call).await,
            Op::DeleteMachine => delete(&call).await,
            Op::MachineSummary => summary(&call).await,
            Op::MachinePredictions => history::predictions(&call).await,
            Op::MachineSensorData => history::sensor_data(&call).await,
            Op::CreateMachines => create_all(&call).await,
            Op::MachineThresholds => thresholds(&call).await,
            Op::SetMachineThresholds => set_thresholds(&call).await,
            Op::PreviewMachineDeletion => preview_deletion(&call).await,
            Op::MachineReadingHistory => history::readings(&call).await,
            Op::MachinePredictionHistory => history::past_predictions(&call).await,
            Op::SensorHistory => history::sensor(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let filter = machine::Filter {
        status: call.query.word("status")?,
        criticality: call.query.word("criticality")?,
        search: call.query.search()?,
    };
    let query = call.query.list::<MachineSort>(1000)?;
    Ok(json_page(&machine::list(&call.db().await?, &filter, &query).await?))
}

async fn create(call: &Call) -> Outcome {
    let new = body::new_machine(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(json(StatusCode::CREATED, &machine::create(&db, &actor, new).await?))
}

async fn create_all(call: &Call) -> Outcome {
    let new = all_valid(call.list_of_fields(MOST_AT_ONCE)?.into_iter().map(body::new_machine))?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(json(StatusCode::CREATED, &machine::create_all(&db, &actor, &new).await?))
}

async fn get(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let machine = machine::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &machine))
}

async fn update(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let change = body::machine_change(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let machine = machine::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &machine))
}

async fn delete(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let found = deletion::delete_machine(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

async fn preview_deletion(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let preview = deletion::preview_machine(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &preview))
}

async fn thresholds(call: &Call) -> Outcome {
    let machine_id: MachineId = call.id("machine_id")?;
    let thresholds = machine::thresholds(&call.db().await?, machine_id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &MachineThresholds { machine_id, thresholds }))
}

async fn set_thresholds(call: &Call) -> Outcome {
    let machine_id: MachineId = call.id("machine_id")?;
    let thresholds = body::thresholds(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?.doing("update_thresholds");
    if !machine::set_thresholds(&db, &actor, machine_id, &thresholds).await? {
        return Err(Refusal::NotFound);
    }
    Ok(json(StatusCode::OK, &MachineThresholds { machine_id, thresholds }))
}

async fn summary(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let summary = machine::summary(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &summary))
}
