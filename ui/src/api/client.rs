//! The HTTP client of the API: authorisation, one renewal of the session for all waiting requests of all pages of this
//! browser, errors.

use super::{
    ApiError, Session,
    operation::{Content, Received, Sent, json},
};
use crate::browser::{exclusively, now_ms};
use futures::{FutureExt, future::LocalBoxFuture, future::Shared};
use gloo_net::http::{Method, RequestBuilder, Response};
use leptos::prelude::*;
use pm_api::{
    route::{
        Request, RequestLine, op,
        operation::{Download, Json, NoBody},
        request,
    },
    sign_in::SignInCompletion,
    user::{LoginForm, RefreshRequest, TokenPair},
};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;

/// The client.
#[derive(Clone, Copy)]
pub struct Api {
    /// The session whose tokens authorise the requests.
    pub session: Session,
    /// When the server last answered, milliseconds since 1970.
    pub answered_ms: RwSignal<f64>,
    /// Did the last request get no answer?
    pub unreachable: RwSignal<bool>,
}

/// A renewal of the tokens in progress, shared by all requests that wait for it.
type Renewal = Shared<LocalBoxFuture<'static, Result<(), ApiError>>>;

thread_local! {
    static RENEWAL: RefCell<Option<Renewal>> = const { RefCell::new(None) };
}

impl Api {
    /// A client for `session`.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, answered_ms: RwSignal::new(now_ms()), unreachable: RwSignal::new(false) }
    }

    /// Sends a request with its body.
    pub async fn send<Q, B: Sent, A: Received>(
        self,
        request: Request<Q, B, A>,
        body: &B::Value,
    ) -> Result<A::Value, ApiError> {
        parse(&self.text(request.line(), B::content(body)?).await?.0)
    }

    /// Sends a request that has no body.
    pub async fn call<Q, A: Received>(self, request: Request<Q, NoBody, A>) -> Result<A::Value, ApiError> {
        self.send(request, &()).await
    }

    /// Sends those fields of a body that a form has changed.
    pub async fn send_changes<Q, T, A: Received>(
        self,
        request: Request<Q, Json<T>, A>,
        changes: &impl Serialize,
    ) -> Result<A::Value, ApiError> {
        parse(&self.text(request.line(), json(changes)?).await?.0)
    }

    /// Fetches a file, which the browser keeps in memory: its address, valid until the page is left.
    pub async fn file<Q, T>(self, request: Request<Q, NoBody, Download<T>>) -> Result<String, ApiError> {
        let answer = self.respond(request.line(), Content::None).await?;
        let kind = answer.headers().get("content-type").unwrap_or_default();
        let bytes = answer.binary().await.map_err(|_| ApiError::Unreachable)?;
        object_url(&bytes, &kind).ok_or_else(|| ApiError::Malformed("no file".to_owned()))
    }

    /// Signs in with the documented password form; `code` is that of the second factor, or empty.
    pub async fn login(self, email: &str, password: &str, code: &str) -> Result<(), ApiError> {
        let code = (!code.is_empty()).then(|| code.into());
        let form = LoginForm { username: email.into(), password: password.into(), code };
        self.session.keep(&self.send(request(op::Login, []), &form).await?);
        Ok(())
    }

    /// Signs in with what an identity provider has sent with the browser.
    pub async fn complete_sign_in(self, returned: &SignInCompletion) -> Result<(), ApiError> {
        self.session.keep(&self.send(request(op::CompleteSignIn, []), returned).await?);
        Ok(())
    }

    /// Ends the session here and on the server.
    pub async fn logout(self) {
        if let Some(refresh_token) = self.session.refresh_token() {
            let body = RefreshRequest { refresh_token: refresh_token.into() };
            let _ = self.send(request(op::Logout, []), &body).await;
        }
        self.session.end();
    }

    /// The text of an answer, with the total number of items where the server sends it.
    pub(super) async fn text(
        self,
        line: &RequestLine,
        content: Content,
    ) -> Result<(String, Option<i64>), ApiError> {
        let answer = self.respond(line, content).await?;
        let total = answer.headers().get("x-total-count").and_then(|count| count.parse().ok());
        let text = answer.text().await.map_err(|_| ApiError::Unreachable)?;
        Ok((if text.is_empty() { "null".to_owned() } else { text }, total))
    }

    async fn respond(self, line: &RequestLine, content: Content) -> Result<Response, ApiError> {
        if line.public {
            return self.once(line, &content, None).await;
        }
        let token = self.session.access_token().ok_or(ApiError::SignedOut)?;
        match self.once(line, &content, Some(&token)).await {
            Err(ApiError::Refused { status: 401, .. }) => {}
            answer => return answer,
        }
        self.renew(&token).await?;
        let token = self.session.access_token().ok_or(ApiError::SignedOut)?;
        self.once(line, &content, Some(&token)).await
    }

    /// Renews the session unless `refused` is no longer its access token; requests that fail during the renewal wait for
    /// it.
    async fn renew(self, refused: &str) -> Result<(), ApiError> {
        if self.session.access_token().is_some_and(|now| now != refused) {
            return Ok(());
        }
        let refused = refused.to_owned();
        let renewal = RENEWAL.with_borrow_mut(|slot| {
            slot.get_or_insert_with(|| {
                async move {
                    let renewal = async move { self.renew_once(&refused).await };
                    let outcome = exclusively("pm-session", renewal).await;
                    RENEWAL.with_borrow_mut(|slot| *slot = None);
                    outcome
                }
                .boxed_local()
                .shared()
            })
            .clone()
        });
        renewal.await
    }

    async fn renew_once(self, refused: &str) -> Result<(), ApiError> {
        // another page may have renewed the session while this one waited
        if self.session.access_token().is_some_and(|now| now != refused) {
            return Ok(());
        }
        let refresh_token = self.session.refresh_token().ok_or(ApiError::SignedOut)?;
        let body = RefreshRequest { refresh_token: refresh_token.into() };
        let renewed: Result<TokenPair, _> = self.send(request(op::Refresh, []), &body).await;
        match renewed {
            Ok(tokens) => {
                self.session.keep(&tokens);
                Ok(())
            }
            Err(ApiError::Refused { status: 401 | 422, .. }) => {
                self.session.expire();
                Err(ApiError::SignedOut)
            }
            Err(other) => Err(other),
        }
    }

    async fn once(
        self,
        line: &RequestLine,
        content: &Content,
        token: Option<&str>,
    ) -> Result<Response, ApiError> {
        let malformed = |error: &dyn std::fmt::Display| ApiError::Malformed(error.to_string());
        let method = Method::from_bytes(line.method.as_bytes()).map_err(|e| malformed(&e))?;
        let mut request = RequestBuilder::new(&line.address).method(method);
        if let Some(token) = token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        let request = match content {
            Content::None => request.build(),
            Content::Json(text) => request.header("content-type", "application/json").body(text.as_str()),
            Content::Form(text) => {
                request.header("content-type", "application/x-www-form-urlencoded").body(text.as_str())
            }
            Content::Multipart(form) => request.body(form.clone()),
        };
        let request = request.map_err(|e| malformed(&e))?;
        let Ok(answer) = request.send().await else {
            self.unreachable.set(true);
            return Err(ApiError::Unreachable);
        };
        self.answered_ms.set(now_ms());
        if self.unreachable.get_untracked() {
            self.unreachable.set(false);
        }
        if answer.ok() {
            return Ok(answer);
        }
        let error = ApiError::refused(answer.status(), &answer.text().await.unwrap_or_default());
        if let ApiError::ActionRequired(what) = &error {
            self.session.action_required.set(Some(what.clone()));
        }
        Err(error)
    }
}

fn object_url(bytes: &[u8], kind: &str) -> Option<String> {
    let chunks = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(kind);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&chunks, &options).ok()?;
    web_sys::Url::create_object_url_with_blob(&blob).ok()
}

/// Parses an answer's text. Types are read from the parsed tree, so that the JSON parser is not compiled for each type.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let tree: serde_json::Value =
        serde_json::from_str(text).map_err(|e| ApiError::Malformed(e.to_string()))?;
    T::deserialize(tree).map_err(|e| ApiError::Malformed(e.to_string()))
}
