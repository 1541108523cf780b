//! Component `machines`: machines and what belongs to one of them.
//!
//! Invariants: deleting a machine deletes everything measured on it and is audited; `metadata` is kept under both of
//! its names. Deliberately absent: sensors' own routes (component `sensors`), summaries over all machines
//! (component `dashboard`).

mod body;
mod history;

use http::StatusCode;
use pm_api::MachineId;
use pm_auth::Op;
use pm_store::machine;
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_with_total, serve};

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
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let limit = call.query.integer("limit", 1000, 1, 1000)?;
    let offset = call.query.integer("offset", 0, 0, i64::MAX)?;
    let page = machine::list(&call.db().await?, limit, offset).await?;
    Ok(json_with_total(&page.items, page.total))
}

async fn create(call: &Call) -> Outcome {
    let new = body::new_machine(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    Ok(json(StatusCode::CREATED, &machine::create(&db, &actor, new).await?))
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
    let found = machine::delete(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

async fn summary(call: &Call) -> Outcome {
    let id: MachineId = call.id("machine_id")?;
    let summary = machine::summary(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &summary))
}
