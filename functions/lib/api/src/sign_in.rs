//! Sign-in by an identity provider (OpenID Connect).

use crate::input::{Secret, Text, input};
use serde::{Deserialize, Serialize};

/// An identity provider by which people may sign in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignInProvider {
    /// Its name in addresses.
    pub name: String,
    /// Its name for people.
    pub label: String,
}

/// A sign-in that was begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SignInBegun {
    /// Where the browser goes next. The provider sends it back to `/app/sign-in` with `code` and `state`.
    pub authorization_url: String,
    /// A secret that the browser keeps until then: it shows that the same browser comes back.
    pub code_verifier: String,
}

input! {
    /// Body of `POST /users/sign-in`: what the provider has sent with the browser, and the browser's secret.
    SignInCompletion {
        required {
            /// The provider's code; works once.
            code: Secret<1, 4000>,
            /// The sign-in that was begun; works once, for ten minutes.
            state: Secret<1, 4000>,
            /// The secret that the browser got when it began.
            code_verifier: Secret<43, 128>,
        }
        optional {
            /// Who the provider says it is, where it does (RFC 9207).
            iss: Text<1, 2000>,
        }
    }
}

/// What `notifier`, which alone reaches the outside, is to ask an identity provider (JSON,
/// `POST /internal/identity-provider`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProviderRequest {
    /// The address.
    pub url: String,
    /// A form to post; none: a document is fetched.
    pub form: Option<String>,
    /// Value of the header `authorization`.
    pub authorization: Option<String>,
}

/// What it answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ProviderAnswer {
    /// Status code and body.
    Response(u16, String),
    /// Why there is no answer.
    NoResponse(String),
}
