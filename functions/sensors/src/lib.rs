//! Component `sensors`: sensors, their thresholds and their trends.
//!
//! Invariants: a trend has at most 1,000 points however long its range; deleting a sensor deletes everything it
//! measured and is audited. Deliberately absent: raw readings (component `sensor-data`).

mod body;
mod trend;

use http::StatusCode;
use pm_api::SensorId;
use pm_auth::Op;
use pm_store::{StoreError, sensor};
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_with_total, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("sensors", request, |op, call| async move {
        match op {
            Op::ListSensors => list(&call).await,
            Op::CreateSensor => create(&call).await,
            Op::GetSensor => get(&call).await,
            Op::UpdateSensor => update(&call).await,
            Op::DeleteSensor => delete(&call).await,
            Op::SensorTrend => trend::trend(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let limit = call.query.integer("limit", 1000, 1, 1000)?;
    let offset = call.query.integer("offset", 0, 0, i64::MAX)?;
    let machine_id = call.query.id("machine_id")?;
    let page = sensor::list(&call.db().await?, machine_id, limit, offset).await?;
    Ok(json_with_total(&page.items, page.total))
}

async fn create(call: &Call) -> Outcome {
    let new = body::new_sensor(call.fields()?)?;
    let machine_id = new.machine_id;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    match sensor::create(&db, &actor, new).await {
        Ok(sensor) => Ok(json(StatusCode::CREATED, &sensor)),
        Err(StoreError::Constraint(name)) if name == "sensors_machine_exists" => Err(Refusal::field(
            "value_error",
            &["body", "machine_id"],
            "There is no machine with this id",
            machine_id.to_string().into(),
        )),
        Err(other) => Err(other.into()),
    }
}

async fn get(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let sensor = sensor::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &sensor))
}

async fn update(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let change = body::sensor_change(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let sensor = sensor::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &sensor))
}

async fn delete(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let found = sensor::delete(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}
