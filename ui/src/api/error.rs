//! What can go wrong with a request, in words for people.

use pm_api::error::{Detail, ValidationProblem};
use std::fmt;

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// No answer at all.
    Unreachable,
    /// The session ended and could not be renewed.
    SignedOut,
    /// The server said no.
    Refused {
        /// HTTP status.
        status: u16,
        /// Its reason, for people.
        detail: String,
    },
    /// The answer is not what the API promises.
    Malformed(String),
}

impl ApiError {
    /// The refusal in an answer's body.
    #[must_use]
    pub fn refused(status: u16, body: &str) -> Self {
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

    /// May the same request succeed later?
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::SignedOut | Self::Malformed(_) => false,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => f.write_str("The server cannot be reached."),
            Self::SignedOut => f.write_str("Your session has ended. Sign in again."),
            Self::Refused { detail, .. } => f.write_str(detail),
            Self::Malformed(what) => write!(f, "The server's answer could not be read ({what})."),
        }
    }
}
