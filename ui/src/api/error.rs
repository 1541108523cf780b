//! Errors of a request, with messages for users.

use pm_api::error::{ActionRequired, Detail, SecondFactorRequired, ValidationProblem};

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No answer at all.
    #[error("The server cannot be reached.")]
    Unreachable,
    /// The session ended and could not be renewed.
    #[error("Your session has ended. Sign in again.")]
    SignedOut,
    /// The password is right, and a code of the second factor is missing or not good.
    #[error("{0}")]
    SecondFactor(String),
    /// The person has to do something first: choose a password, or set up a second factor.
    #[error("{0}")]
    ActionRequired(String),
    /// The server refused the request.
    #[error("{detail}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's message for users.
        detail: String,
    },
    /// The answer does not have the documented form.
    #[error("The server's answer could not be read ({0}).")]
    Malformed(String),
}

impl ApiError {
    /// The error in an answer's body.
    #[must_use]
    pub fn refused(status: u16, body: &str) -> Self {
        if status == 401
            && let Ok(required) = serde_json::from_str::<SecondFactorRequired>(body)
        {
            return Self::SecondFactor(required.detail);
        }
        if status == 403
            && let Ok(required) = serde_json::from_str::<ActionRequired>(body)
        {
            return Self::ActionRequired(required.detail);
        }
        let detail = serde_json::from_str::<ValidationProblem>(body)
            .ok()
            .map(|problem| {
                let fields = problem.errors.iter().map(|error| {
                    let place = error.loc.last().and_then(|l| l.as_str()).unwrap_or_default();
                    format!("{place}: {}", error.msg)
                });
                fields.collect::<Vec<_>>().join("; ")
            })
            .or_else(|| serde_json::from_str::<Detail>(body).ok().map(|refusal| refusal.detail))
            .unwrap_or_else(|| match status {
                404 => "This does not exist (any more).".to_owned(),
                429 => "Too many attempts. Wait a moment.".to_owned(),
                _ => format!("The server answered with status {status}."),
            });
        Self::Refused { status, detail }
    }
}
