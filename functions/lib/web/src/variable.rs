//! Application variables.

use crate::Refusal;

/// The value of a component variable of spin.toml.
///
/// # Errors
/// An internal refusal if the manifest does not give the component this variable.
pub async fn variable(name: &str) -> Result<String, Refusal> {
    let value = spin_sdk::variables::get(name).await;
    value.map_err(|e| Refusal::Internal(format!("variable {name}: {e:?}")))
}
