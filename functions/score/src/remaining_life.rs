//! `POST /remaining-life`: the networks of machines that have one.

use pm_api::remaining_life::{RemainingLife, RulItem, RulRequest, RulResponse};
use pm_model::rul::model::RulModel;
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

/// Networks read so far, by name and version: files do not change under a running instance.
static NETWORKS: LazyLock<Mutex<HashMap<String, Arc<RulModel>>>> = LazyLock::new(Mutex::default);

pub(crate) fn answer(models: &Path, request: &RulRequest) -> RulResponse {
    RulResponse { items: request.items.iter().map(|item| prognosis(models, item)).collect() }
}

fn prognosis(models: &Path, item: &RulItem) -> Result<RemainingLife, String> {
    network(models, &item.model).map_err(|e| e.to_string())?.prognosis(item)
}

fn network(models: &Path, id: &str) -> Result<Arc<RulModel>, pm_model::ModelError> {
    let mut networks = NETWORKS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(network) = networks.get(id) {
        return Ok(network.clone());
    }
    let network = Arc::new(RulModel::load(models, id)?);
    networks.insert(id.to_owned(), network.clone());
    Ok(network)
}
