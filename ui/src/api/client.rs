//! The HTTP client of the API: authorisation, one renewal of the session for all waiting requests, errors.

use super::{ApiError, Session};
use crate::browser::now_ms;
use futures::{FutureExt, future::LocalBoxFuture, future::Shared};
use gloo_net::http::{Method, RequestBuilder, Response};
use leptos::prelude::*;
use pm_api::user::{RefreshRequest, TokenPair};
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;

/// An answer with the total number of items, where the server sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The answer's body.
    pub body: T,
    /// Header `x-total-count`.
    pub total: Option<i64>,
}

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

enum Body {
    None,
    Json(String),
    Form(String),
    Multipart(web_sys::FormData),
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

    /// `GET path`.
    pub async fn get<T: DeserializeOwned>(self, path: &str) -> Result<Page<T>, ApiError> {
        let (text, total) = self.text(Method::GET, path, Body::None).await?;
        Ok(Page { body: parse(&text)?, total })
    }

    /// `GET path` as text, with the total number of items.
    pub async fn get_text(self, path: &str) -> Result<(String, Option<i64>), ApiError> {
        self.text(Method::GET, path, Body::None).await
    }

    /// `method path` with a JSON body.
    pub async fn send<B: Serialize, T: DeserializeOwned>(
        self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ApiError> {
        let json = serde_json::to_string(body).map_err(|e| ApiError::Malformed(e.to_string()))?;
        parse(&self.text(method, path, Body::Json(json)).await?.0)
    }

    /// `method path` with a JSON body, without a token.
    pub async fn send_unsigned<B: Serialize, T: DeserializeOwned>(
        self,
        method: Method,
        path: &str,
        body: &B,
    ) -> Result<T, ApiError> {
        let json = serde_json::to_string(body).map_err(|e| ApiError::Malformed(e.to_string()))?;
        parse(&text_of(self.once(method, path, &Body::Json(json), None).await?).await?.0)
    }

    /// `method path` with a JSON body, or none; the text of the answer.
    pub(super) async fn request_text(
        self,
        method: Method,
        path: &str,
        json: Option<String>,
    ) -> Result<String, ApiError> {
        Ok(self.text(method, path, json.map_or(Body::None, Body::Json)).await?.0)
    }

    /// `POST path` without a body.
    pub async fn post<T: DeserializeOwned>(self, path: &str) -> Result<T, ApiError> {
        parse(&self.text(Method::POST, path, Body::None).await?.0)
    }

    /// `DELETE path`.
    pub async fn delete(self, path: &str) -> Result<(), ApiError> {
        self.call(Method::DELETE, path, Body::None).await.map(|_| ())
    }

    /// `GET path`, as a file that the browser keeps in memory: its address, valid until the page is left.
    pub async fn file(self, path: &str) -> Result<String, ApiError> {
        let answer = self.call(Method::GET, path, Body::None).await?;
        let kind = answer.headers().get("content-type").unwrap_or_default();
        let bytes = answer.binary().await.map_err(|_| ApiError::Unreachable)?;
        object_url(&bytes, &kind).ok_or_else(|| ApiError::Malformed("no file".to_owned()))
    }

    /// `POST path` with a file as multipart form.
    pub async fn upload<T: DeserializeOwned>(self, path: &str, file: &web_sys::File) -> Result<T, ApiError> {
        let form = web_sys::FormData::new().map_err(|_| ApiError::Malformed("no form".to_owned()))?;
        form.append_with_blob_and_filename("file", file, &file.name())
            .map_err(|_| ApiError::Malformed("no form".to_owned()))?;
        parse(&self.text(Method::POST, path, Body::Multipart(form)).await?.0)
    }

    /// Signs in with the documented password form.
    pub async fn login(self, email: &str, password: &str) -> Result<(), ApiError> {
        use crate::browser::encode;
        let form = format!("username={}&password={}", encode(email), encode(password));
        let answer = self.once(Method::POST, "/users/login", &Body::Form(form), None).await?;
        self.session.keep(&parse::<TokenPair>(&text_of(answer).await?.0)?);
        Ok(())
    }

    /// Ends the session here and on the server.
    pub async fn logout(self) {
        if let Some(refresh_token) = self.session.refresh_token() {
            let body = RefreshRequest { refresh_token: refresh_token.into() };
            let _: Result<serde_json::Value, _> = self.send(Method::POST, "/users/logout", &body).await;
        }
        self.session.end();
    }

    async fn text(self, method: Method, path: &str, body: Body) -> Result<(String, Option<i64>), ApiError> {
        text_of(self.call(method, path, body).await?).await
    }

    async fn call(self, method: Method, path: &str, body: Body) -> Result<Response, ApiError> {
        let token = self.session.access_token().ok_or(ApiError::SignedOut)?;
        match self.once(method.clone(), path, &body, Some(&token)).await {
            Err(ApiError::Refused { status: 401, .. }) => {}
            answer => return answer,
        }
        // Another request may have renewed the session while this one was in progress.
        if self.session.access_token().is_none_or(|now| now == token) {
            self.renew().await?;
        }
        let token = self.session.access_token().ok_or(ApiError::SignedOut)?;
        self.once(method, path, &body, Some(&token)).await
    }

    /// Renews the session; requests that fail during the renewal wait for it.
    pub async fn renew(self) -> Result<(), ApiError> {
        let renewal = RENEWAL.with_borrow_mut(|slot| {
            slot.get_or_insert_with(|| {
                async move {
                    let outcome = self.renew_once().await;
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

    async fn renew_once(self) -> Result<(), ApiError> {
        let refresh_token = self.session.refresh_token().ok_or(ApiError::SignedOut)?;
        let body = serde_json::to_string(&RefreshRequest { refresh_token: refresh_token.into() })
            .map_err(|e| ApiError::Malformed(e.to_string()))?;
        match self.once(Method::POST, "/users/refresh", &Body::Json(body), None).await {
            Ok(answer) => {
                self.session.keep(&parse::<TokenPair>(&text_of(answer).await?.0)?);
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
        method: Method,
        path: &str,
        body: &Body,
        token: Option<&str>,
    ) -> Result<Response, ApiError> {
        let mut request = RequestBuilder::new(&format!("/api{path}")).method(method);
        if let Some(token) = token {
            request = request.header("authorization", &format!("Bearer {token}"));
        }
        let request = match body {
            Body::None => request.build(),
            Body::Json(text) => request.header("content-type", "application/json").body(text.as_str()),
            Body::Form(text) => {
                request.header("content-type", "application/x-www-form-urlencoded").body(text.as_str())
            }
            Body::Multipart(form) => request.body(form.clone()),
        };
        let request = request.map_err(|e| ApiError::Malformed(e.to_string()))?;
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
        Err(ApiError::refused(answer.status(), &answer.text().await.unwrap_or_default()))
    }
}

fn object_url(bytes: &[u8], kind: &str) -> Option<String> {
    let chunks = js_sys::Array::of1(&js_sys::Uint8Array::from(bytes));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(kind);
    let blob = web_sys::Blob::new_with_u8_array_sequence_and_options(&chunks, &options).ok()?;
    web_sys::Url::create_object_url_with_blob(&blob).ok()
}

async fn text_of(answer: Response) -> Result<(String, Option<i64>), ApiError> {
    let total = answer.headers().get("x-total-count").and_then(|count| count.parse().ok());
    let text = answer.text().await.map_err(|_| ApiError::Unreachable)?;
    Ok((if text.is_empty() { "null".to_owned() } else { text }, total))
}

/// Parses an answer's text. Types are read from the parsed tree, so that the JSON parser is not compiled for each type.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ApiError> {
    let tree: serde_json::Value =
        serde_json::from_str(text).map_err(|e| ApiError::Malformed(e.to_string()))?;
    T::deserialize(tree).map_err(|e| ApiError::Malformed(e.to_string()))
}
