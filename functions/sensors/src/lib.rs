//! Component `sensors`: sensors, their thresholds and their trends.
//!
//! Invariants: a trend has at most 1,000 points however long its range; thresholds of a sensor do not contradict each
//! other; deleting a sensor deletes everything it measured, answers at once and is audited with counts. Deliberately absent: raw readings (component `sensor-data`).

mod body;
mod trend;

use http::StatusCode;
use pm_api::{SensorId, sort::SensorSort};
use pm_auth::Op;
use pm_store::{StoreError, deletion, sensor};
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_page, serve};

/// Sensors that a list can be asked for by their ids.
const MOST_IDS: usize = 200;

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
            Op::SensorTimeline => trend::timeline(&call).await,
            Op::PreviewSensorDeletion => preview_deletion(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let ids = call.query.ids("ids", MOST_IDS)?;
    let filter = sensor::Filter {
        ids,
        machine_id: call.query.id("machine_id")?,
        sensor_type: call.query.short_text("sensor_type", 200)?,
        search: call.query.search()?,
        status: call.query.word("status")?,
    };
    let query = call.query.list::<SensorSort>(1000)?;
    Ok(json_page(&sensor::list(&call.db().await?, &filter, &query).await?))
}

async fn create(call: &Call) -> Outcome {
    let mut new = body::new_sensor(call.fields()?)?;
    let machine_id = new.machine_id;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    body::add_defaults(&db, &mut new).await?;
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
    let fields = call.fields()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let sensor = sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let change = body::sensor_change(&sensor, fields)?;
    let sensor = sensor::update(&db, &actor, id, change).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &sensor))
}

async fn delete(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let found = deletion::delete_sensor(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

async fn preview_deletion(call: &Call) -> Outcome {
    let id: SensorId = call.id("sensor_id")?;
    let preview = deletion::preview_sensor(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &preview))
}
