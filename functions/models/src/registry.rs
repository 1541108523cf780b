//! What people see of the versions, and do with them.

use crate::builtin;
use pm_api::{
    JobType,
    ai::{
        FalseAlarms, ModelChanged, ModelRegistered, ModelReport, ModelVersion, NewModel, NewModelQuery,
        RetrainQueued,
    },
    error::FieldError,
    route::op,
};
use pm_store::{Db, StoreError, job, model};
use pm_web::{Call, Given, Input, Refusal};
use serde_json::Value;

pub(crate) async fn list(input: Input<op::ListModels>) -> Given<op::ListModels> {
    let db = input.db().await?;
    builtin::list(&db).await?;
    Ok(model::list(&db, &input.page).await?)
}

/// Name and version come in the query (as documented) or in a JSON body (as the old page sent them).
pub(crate) async fn register(input: Input<op::RegisterModel>) -> Result<ModelRegistered, Refusal> {
    let new = match &input.body {
        Some(body) => body.clone(),
        None => in_query(&input.query)?,
    };
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let id = model::register(&db, &actor, &new).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "models_name_version_unique" => {
            Refusal::BadRequest("Model version already registered".to_owned())
        }
        other => other.into(),
    })?;
    let message = "Model registered successfully".to_owned();
    Ok(ModelRegistered { id, name: new.name.into(), version: new.version.into(), message })
}

fn in_query(query: &NewModelQuery) -> Result<NewModel, Refusal> {
    let NewModelQuery { name, version, description, path } = query.clone();
    match (name, version) {
        (Some(name), Some(version)) => Ok(NewModel { name, version, description, path }),
        (name, version) => {
            let missing =
                [("name", name), ("version", version)].into_iter().filter(|(_, text)| text.is_none());
            let fault =
                |(name, _)| FieldError::new("missing", &["query", name], "Field required", Value::Null);
            Err(Refusal::Invalid(missing.map(fault).collect()))
        }
    }
}

async fn find(call: &Call, db: &Db) -> Result<ModelVersion, Refusal> {
    builtin::list(db).await?;
    model::by_version(db, call.param("version")).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn report(input: Input<op::ModelReport>) -> Result<ModelReport, Refusal> {
    let db = input.db().await?;
    let version = find(&input, &db).await?;
    Ok(ModelReport {
        validation: model::report(&db, version.id).await?,
        shadow: model::shadow_days(&db, version.id).await?,
        version: version.version,
        status: version.status,
    })
}

pub(crate) async fn activate(input: Input<op::ActivateModel>) -> Result<ModelChanged, Refusal> {
    let db = input.db().await?;
    let version = find(&input, &db).await?;
    let forced = input.query.force.is_some_and(|force| force.0);
    if version.passed == Some(false) && !forced {
        return Err(Refusal::BadRequest(format!(
            "Model version {} has not passed its validation; see its report",
            version.version
        )));
    }
    change(&input, &db, version, "activate").await
}

/// Back to a version that was active before. For the active version of a class or a machine: back from it, to what is
/// active for more machines.
pub(crate) async fn rollback(input: Input<op::RollbackModel>) -> Result<ModelChanged, Refusal> {
    let db = input.db().await?;
    let version = find(&input, &db).await?;
    let scoped = version.machine_class.is_some() || version.machine_id.is_some();
    if scoped && version.status == "active" {
        let actor = input.actor(&db).await?.doing("rollback");
        model::retire(&db, &actor, version.id).await?;
        let message = format!("Model version {} is retired; the general model judges again", version.version);
        return Ok(ModelChanged { version: version.version, status: "rolled_back".to_owned(), message });
    }
    if version.activated_at.is_none() {
        return Err(Refusal::BadRequest(format!(
            "Model version {} was never active: activate it instead",
            version.version
        )));
    }
    change(&input, &db, version, "rollback").await
}

async fn change(
    call: &Call,
    db: &Db,
    version: ModelVersion,
    action: &'static str,
) -> Result<ModelChanged, Refusal> {
    if !version.has_weights {
        return Err(Refusal::BadRequest(format!("Model version {} has no weights", version.version)));
    }
    let actor = call.actor(db).await?.doing(action);
    if !model::activate(db, &actor, version.id).await? {
        return Err(Refusal::NotFound);
    }
    let name = version.version;
    let (status, message) = if action == "rollback" {
        ("rolled_back", format!("Rolled back to model version {name}"))
    } else {
        ("activated", format!("Model version {name} has been activated"))
    };
    Ok(ModelChanged { version: name, status: status.to_owned(), message })
}

/// Queues a job; its progress is at `GET /jobs/{job_id}`.
pub(crate) async fn retrain(input: Input<op::Retrain>) -> Result<RetrainQueued, Refusal> {
    let request = input.body.clone().unwrap_or_default();
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let metadata = serde_json::to_value(&request).ok().and_then(|v| v.as_object().cloned());
    let job = job::create(&db, Some(&actor.doing("retrain")), JobType::Retrain, metadata.as_ref()).await?;
    Ok(RetrainQueued {
        job_id: job.id.to_string(),
        status: "queued".to_owned(),
        message: "Retrain job has been queued.".to_owned(),
    })
}

pub(crate) async fn logs(input: Input<op::AiLogs>) -> Given<op::AiLogs> {
    Ok(model::log(&input.db().await?, &input.page).await?)
}

pub(crate) async fn drift(input: Input<op::Drift>) -> Given<op::Drift> {
    Ok(model::drift(&input.db().await?, &input.page).await?)
}

pub(crate) async fn false_alarms(input: Input<op::FalseAlarms>) -> Result<FalseAlarms, Refusal> {
    Ok(model::false_alarms(&input.db().await?, input.query.machine_id).await?)
}
