//! Secrets.

use pm_api::input::Secret;
use pm_web::Refusal;

/// What is shown instead of a secret.
pub(crate) const MASK: &str = "********";

/// A new secret, from the system's random numbers.
pub(crate) fn new() -> Result<String, Refusal> {
    let mut random = [0; 32];
    getrandom::fill(&mut random).map_err(|e| Refusal::Internal(e.to_string()))?;
    Ok(pm_domain::webhook::secret(random))
}

/// A secret that a client gives; the mask of one that is not shown is none.
pub(crate) fn given(secret: Option<Secret<0, 256>>) -> Option<Secret<0, 256>> {
    secret.filter(|secret| &**secret != MASK)
}
