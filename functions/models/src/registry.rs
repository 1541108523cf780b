//! What people see of the versions, and do with them.

use crate::builtin;
use http::StatusCode;
use pm_api::{
    JobType,
    ai::{ModelChanged, ModelRegistered, ModelReport, ModelVersion, NewModel, RetrainQueued, RetrainRequest},
    sort::{AuditSort, DriftSort, ModelSort},
};
use pm_store::{Db, StoreError, job, model};
use pm_web::{Call, Outcome, Refusal, json, json_page};
use serde_json::{Value, json};

const LONGEST: usize = 120;

pub(crate) async fn list(call: &Call) -> Outcome {
    let query = call.query.list::<ModelSort>(500)?;
    let db = call.db().await?;
    builtin::list(&db).await?;
    Ok(json_page(&model::list(&db, &query).await?))
}

/// Name and version come in the query (as documented) or in a JSON body (as the old page sent them).
pub(crate) async fn register(call: &Call) -> Outcome {
    let new = if call.body.is_empty() {
        let required = |name: &str| {
            let text = call.query.text(name).map(str::trim).filter(|t| !t.is_empty());
            let text = text
                .ok_or_else(|| Refusal::field("missing", &["query", name], "Field required", Value::Null))?;
            let short = text.chars().count() <= LONGEST && !text.contains('\0');
            short.then(|| text.to_owned()).ok_or_else(|| {
                let message = format!("String should have at most {LONGEST} characters and no NUL");
                Refusal::field("string_too_long", &["query", name], message, json!(text))
            })
        };
        let optional =
            |name: &str| call.query.text(name).map(|t| t.replace('\0', "").chars().take(2000).collect());
        NewModel {
            name: required("name")?,
            version: required("version")?,
            description: optional("description"),
            path: optional("path"),
        }
    } else {
        let mut fields = call.fields()?;
        let new = NewModel {
            name: fields.required_text("name", LONGEST),
            version: fields.required_text("version", LONGEST),
            description: fields.text("description", 2000).flatten(),
            path: fields.text("path", 2000).flatten(),
        };
        fields.end()?;
        new
    };
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let (name, version) = (new.name.clone(), new.version.clone());
    let id = model::register(&db, &actor, new).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "models_name_version_unique" => {
            Refusal::BadRequest("Model version already registered".to_owned())
        }
        other => other.into(),
    })?;
    let message = "Model registered successfully".to_owned();
    Ok(json(StatusCode::OK, &ModelRegistered { id, name, version, message }))
}

async fn find(call: &Call, db: &Db) -> Result<ModelVersion, Refusal> {
    builtin::list(db).await?;
    model::by_version(db, call.param("version")).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn report(call: &Call) -> Outcome {
    let db = call.db().await?;
    let version = find(call, &db).await?;
    Ok(json(
        StatusCode::OK,
        &ModelReport {
            validation: model::report(&db, version.id).await?,
            shadow: model::shadow_days(&db, version.id).await?,
            version: version.version,
            status: version.status,
        },
    ))
}

pub(crate) async fn activate(call: &Call) -> Outcome {
    let db = call.db().await?;
    let version = find(call, &db).await?;
    let forced = call.query.text("force") == Some("true");
    if version.passed == Some(false) && !forced {
        return Err(Refusal::BadRequest(format!(
            "Model version {} has not passed its validation; see its report",
            version.version
        )));
    }
    change(call, &db, version, "activate").await
}

/// Back to a version that was active before. For the active version of a class or a machine: back from it, to what is
/// active for more machines.
pub(crate) async fn rollback(call: &Call) -> Outcome {
    let db = call.db().await?;
    let version = find(call, &db).await?;
    let scoped = version.machine_class.is_some() || version.machine_id.is_some();
    if scoped && version.status == "active" {
        let actor = call.actor(&db).await?.doing("rollback");
        model::retire(&db, &actor, version.id).await?;
        let message = format!("Model version {} is retired; the general model judges again", version.version);
        let changed = ModelChanged { version: version.version, status: "rolled_back".to_owned(), message };
        return Ok(json(StatusCode::OK, &changed));
    }
    if version.activated_at.is_none() {
        return Err(Refusal::BadRequest(format!(
            "Model version {} was never active: activate it instead",
            version.version
        )));
    }
    change(call, &db, version, "rollback").await
}

async fn change(call: &Call, db: &Db, version: ModelVersion, action: &'static str) -> Outcome {
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
    Ok(json(StatusCode::OK, &ModelChanged { version: name, status: status.to_owned(), message }))
}

/// Queues a job; its progress is at `GET /jobs/{job_id}`.
pub(crate) async fn retrain(call: &Call) -> Outcome {
    let mut wanted = RetrainRequest::default();
    if !call.body.is_empty() {
        let mut fields = call.fields()?;
        wanted.machine_class = fields.text("machine_class", LONGEST).flatten();
        wanted.machine_id = fields.id("machine_id");
        if let Some(seed) = fields.number("seed").flatten() {
            if seed.fract() == 0.0 && (0.0..=9e15).contains(&seed) {
                wanted.seed = Some(seed as u64);
            } else {
                fields.refuse("int_type", "seed", "Input should be a whole number from 0 on");
            }
        }
        if wanted.machine_class.is_some() && wanted.machine_id.is_some() {
            fields.refuse("value_error", "machine_class", "Give a class or a machine, not both");
        }
        fields.end()?;
    }
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let metadata = serde_json::to_value(&wanted).ok().and_then(|v| v.as_object().cloned());
    let job = job::create(&db, Some(&actor.doing("retrain")), JobType::Retrain, metadata).await?;
    Ok(json(
        StatusCode::OK,
        &RetrainQueued {
            job_id: job.id.to_string(),
            status: "queued".to_owned(),
            message: "Retrain job has been queued.".to_owned(),
        },
    ))
}

pub(crate) async fn logs(call: &Call) -> Outcome {
    let query = call.query.list::<AuditSort>(100)?;
    Ok(json_page(&model::log(&call.db().await?, &query).await?))
}

pub(crate) async fn drift(call: &Call) -> Outcome {
    let query = call.query.list::<DriftSort>(24)?;
    Ok(json_page(&model::drift(&call.db().await?, &query).await?))
}
