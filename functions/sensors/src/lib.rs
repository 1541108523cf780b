//! Component `sensors`: sensors, their thresholds and their trends.
//!
//! Invariants: a trend has at most 1,000 points however long its range; thresholds of a sensor do not contradict each
//! other; deleting a sensor deletes everything it measured, answers at once and is audited with counts. Deliberately absent: raw readings (component `sensor-data`).

mod trend;

use pm_api::{
    SensorId,
    machine::DeletionPreview,
    reference::ReferenceRestart,
    route::{
        Operation, op,
        operation::{Json, NoQuery},
    },
    sensor::{NewSensor, Sensor, SensorChange, Thresholds},
};
use pm_domain::{limits, settings::Key};
use pm_store::{Db, StoreError, deletion, machine, reference, sensor, setting};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListSensors => list,
        CreateSensor => create,
        GetSensor => get,
        UpdateSensor => update,
        PutSensor => update,
        DeleteSensor => delete,
        SensorTrend => trend::trend,
        SensorTimeline => trend::timeline,
        PreviewSensorDeletion => preview_deletion,
        RestartSensorReference => restart_reference,
    };
    serve("sensors", request, handlers).await
}

async fn list(input: Input<op::ListSensors>) -> Given<op::ListSensors> {
    Ok(sensor::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn create(input: Input<op::CreateSensor>) -> Result<Sensor, Refusal> {
    let new = &input.body;
    let given = limits::given(new);
    refuse_contradiction(&given)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let thresholds = if given.is_empty() { default_thresholds(&db, new).await? } else { given };
    sensor::create(&db, &actor, new, &thresholds).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "sensors_machine_exists" => Refusal::field(
            "value_error",
            &["body", "machine_id"],
            "There is no machine with this id",
            new.machine_id.to_string().into(),
        ),
        other => other.into(),
    })
}

/// The thresholds of a sensor that comes without any: those that the settings have for its type, unless its machine has
/// some.
async fn default_thresholds(db: &Db, new: &NewSensor) -> Result<Thresholds, Refusal> {
    let of_machine = machine::thresholds(db, new.machine_id).await?.unwrap_or_default();
    let settings = setting::read(db, &[Key::SensorsDefaultThresholds]).await?;
    let machine_has = of_machine.contains_key(new.sensor_type());
    let defaults = settings.json(Key::SensorsDefaultThresholds);
    Ok(limits::of_new_sensor(&defaults, new.sensor_type(), machine_has))
}

fn refuse_contradiction(thresholds: &Thresholds) -> Result<(), Refusal> {
    limits::fault(thresholds).map_or(Ok(()), |fault| Err(Refusal::in_body(vec![fault])))
}

async fn get(input: Input<op::GetSensor>) -> Result<Sensor, Refusal> {
    let id: SensorId = input.id("sensor_id")?;
    sensor::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

/// The thresholds that result are checked together.
async fn update<O>(input: Input<O>) -> Result<Sensor, Refusal>
where
    O: Operation<Query = NoQuery, Body = Json<SensorChange>, Answer = Json<Sensor>>,
{
    let id: SensorId = input.id("sensor_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    refuse_contradiction(&limits::after(&before, &input.body))?;
    sensor::update(&db, &actor, id, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn delete(input: Input<op::DeleteSensor>) -> Result<(), Refusal> {
    let id: SensorId = input.id("sensor_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = deletion::delete_sensor(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

async fn restart_reference(input: Input<op::RestartSensorReference>) -> Result<ReferenceRestart, Refusal> {
    let id: SensorId = input.id("sensor_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?.doing("restart_reference");
    reference::restart_sensor(&db, &actor, id, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn preview_deletion(input: Input<op::PreviewSensorDeletion>) -> Result<DeletionPreview, Refusal> {
    let id: SensorId = input.id("sensor_id")?;
    deletion::preview_sensor(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}
