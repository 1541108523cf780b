//! Registered versions, read from the database once each.

use pm_api::ModelId;
use pm_model::Model;
use pm_store::model;
use pm_web::{database, log_error};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Versions held in memory: active and challenger of some scopes. A version never changes under its id.
const MOST_MODELS: usize = 16;

static READ: Mutex<Vec<(ModelId, Arc<Model>)>> = Mutex::new(Vec::new());

/// Those of the wanted versions that can be had; what cannot is in the log, and the model of the program stands in.
pub(crate) async fn get(wanted: impl Iterator<Item = ModelId>) -> HashMap<ModelId, Arc<Model>> {
    let mut found = HashMap::new();
    for id in wanted {
        if found.contains_key(&id) {
            continue;
        }
        let known = cached(id);
        let model = match known {
            Some(model) => model,
            None => match read(id).await {
                Ok(model) => {
                    cache(id, &model);
                    model
                }
                Err(error) => {
                    log_error(&format!("model {id} cannot be used: {error}"));
                    continue;
                }
            },
        };
        found.insert(id, model);
    }
    found
}

fn cached(id: ModelId) -> Option<Arc<Model>> {
    let read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    read.iter().find(|r| r.0 == id).map(|r| r.1.clone())
}

fn cache(id: ModelId, model: &Arc<Model>) {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if read.len() == MOST_MODELS {
        read.remove(0);
    }
    read.push((id, model.clone()));
}

async fn read(id: ModelId) -> Result<Arc<Model>, String> {
    let db = database().await.map_err(|e| format!("{e:?}"))?;
    let (card, record) = model::record(&db, id)
        .await
        .map_err(|e| e.to_string())?
        .ok_or("it is not registered with weights")?;
    Model::from_bytes(card.as_bytes(), record).map(Arc::new).map_err(|e| e.to_string())
}
