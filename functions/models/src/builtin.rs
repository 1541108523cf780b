//! The version that came with the program, in the files mount `/models`.

use pm_model::{
    Model,
    model::{Files, NAME},
};
use pm_store::{Db, model};
use pm_web::{Refusal, log_error};
use serde_json::Value;
use std::{path::Path, sync::LazyLock};

const MODELS: &str = "/models";

/// Its card and itself. The files do not change while an instance lives.
pub(crate) struct Builtin {
    /// card.json.
    pub card: Value,
    /// Ready to score.
    pub model: Model,
}

static BUILTIN: LazyLock<Option<Builtin>> = LazyLock::new(|| {
    let read = || -> Result<Builtin, String> {
        let files = Files::read(Path::new(MODELS)).map_err(|e| e.to_string())?;
        let card = serde_json::from_slice(&files.card).map_err(|e| e.to_string())?;
        let model = Model::from_bytes(&files.card, files.record).map_err(|e| e.to_string())?;
        Ok(Builtin { card, model })
    };
    read().inspect_err(|e| log_error(&format!("the built-in model cannot be read: {e}"))).ok()
});

/// The version that came with the program, if it can be used.
pub(crate) fn builtin() -> Option<&'static Builtin> {
    BUILTIN.as_ref()
}

/// Puts it on the list.
pub(crate) async fn list(db: &Db) -> Result<(), Refusal> {
    let Some(builtin) = builtin() else { return Ok(()) };
    let version = &builtin.model.version;
    let path = format!("{NAME}/{version}");
    model::list_builtin(db, model::Builtin { name: NAME, version, path: &path, card: &builtin.card }).await?;
    Ok(())
}
