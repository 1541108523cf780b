//! One admitted request.

use crate::{
    Refusal, access_rights::Caller, credentials, database::database, input::all_faults, log_warning, packed,
};
use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use pm_api::{Role, route::Route};
use pm_auth::token::{Credential, Identity, Signer};
use pm_store::{Actor, Db, audit::Origin};
use serde_json::{Value, json};
use spin_sdk::http::Request;
use std::{borrow::Cow, net::IpAddr, pin::pin, str::FromStr, sync::OnceLock, time::Duration};

/// What a handler may ask of its request.
pub struct Call {
    /// The route it came by.
    pub route: &'static Route,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// Its query.
    pub query: Query,
    /// Fields of the body that were not read.
    pub(crate) ignored: OnceLock<Vec<String>>,
    params: Vec<(&'static str, String)>,
    caller: Option<Caller>,
    address: Option<IpAddr>,
}

/// Checks from time to time that a caller may still receive a long answer.
pub struct Watch {
    route: &'static Route,
    caller: Caller,
}

impl Watch {
    /// Has the caller lost the right to this answer? No, if the database cannot be asked.
    pub async fn is_over(&self) -> bool {
        match self.check().await {
            Ok(over) => over,
            Err(error) => {
                log_warning(&format!("the right to a stream cannot be checked: {error:?}"));
                false
            }
        }
    }

    async fn check(&self) -> Result<bool, Refusal> {
        let caller = self.caller.current(&database().await?).await?;
        Ok(caller.is_none_or(|caller| caller.admit(self.route).is_err()))
    }
}

impl Call {
    pub(crate) async fn read(
        route: &'static Route,
        request: Request,
        params: Vec<(&'static str, String)>,
        caller: Option<Caller>,
        address: Option<IpAddr>,
        limit: usize,
    ) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        let body = if route.method == "GET" { Bytes::new() } else { take(body, limit).await? };
        let ignored = OnceLock::new();
        Ok(Self { route, headers: parts.headers, body, query, ignored, params, caller, address })
    }

    /// The signed-in user.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`] on a public route.
    pub fn identity(&self) -> Result<&Identity, Refusal> {
        self.caller().map(|caller| &caller.identity)
    }

    fn caller(&self) -> Result<&Caller, Refusal> {
        self.caller.as_ref().ok_or(Refusal::NotAuthenticated)
    }

    /// The session of the request; none if it was made with an API key, or on a public route.
    #[must_use]
    pub fn session_id(&self) -> Option<uuid::Uuid> {
        match self.identity().ok()?.credential {
            Credential::Session(session) => Some(session),
            Credential::ApiKey(_) => None,
        }
    }

    /// Watches over an answer that takes long.
    ///
    /// # Errors
    /// [`Refusal::NotAuthenticated`] on a public route.
    pub fn watch(&self) -> Result<Watch, Refusal> {
        Ok(Watch { route: self.route, caller: self.caller()?.clone() })
    }

    /// The values of the path's parameters.
    pub(crate) fn params(&self) -> &[(&'static str, String)] {
        &self.params
    }

    /// The signed-in user as the author of a change, after a look whether the account still exists with the right to
    /// make it as of now (reading believes a look of up to ten seconds ago).
    ///
    /// # Errors
    /// 401 if the session has ended or the account is gone, 403 if it has lost the right.
    pub async fn actor(&self, db: &Db) -> Result<Actor, Refusal> {
        let caller = self.caller()?.current(db).await?.ok_or(Refusal::BadToken)?;
        caller.admit(self.route)?;
        Ok(self.origin().actor(caller.identity.user_id))
    }

    /// The same for a change that is reserved for administrators, whatever a custom role permits; `what` begins the refusal.
    ///
    /// # Errors
    /// 401 if the account is gone, 403 if it is no administrator's.
    pub async fn administrator(&self, db: &Db, what: &str) -> Result<Actor, Refusal> {
        let caller = self.caller()?.current(db).await?.ok_or(Refusal::BadToken)?;
        caller.admit(self.route)?;
        if caller.identity.role != Role::Admin {
            return Err(Refusal::Forbidden(format!("{what} is reserved for administrators")));
        }
        Ok(self.origin().actor(caller.identity.user_id))
    }

    /// Where the request came from, for the audit log.
    #[must_use]
    pub fn origin(&self) -> Origin {
        origin(self.address, &self.headers)
    }

    /// The caller's IP address: as the host saw it, or as a trusted proxy names it.
    #[must_use]
    pub fn client_address(&self) -> Option<String> {
        self.address.map(|address| address.to_string())
    }

    /// Is the body packed with gzip?
    ///
    /// # Errors
    /// 415 if it is packed in another way.
    pub fn is_packed(&self) -> Result<bool, Refusal> {
        packed::is_gzip(self.header(header::CONTENT_ENCODING.as_str()))
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// A connection to the database.
    ///
    /// # Errors
    /// 503 if there is none.
    pub async fn db(&self) -> Result<Db, Refusal> {
        database().await
    }

    /// The signer of tokens.
    ///
    /// # Errors
    /// An internal refusal if the secret is missing or weak.
    pub async fn signer(&self) -> Result<&'static Signer, Refusal> {
        credentials::signer().await
    }

    /// A path parameter's text, as it stands in the path.
    #[must_use]
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v)
    }

    /// Are all ids of the path UUIDs?
    pub(crate) fn check_ids(&self) -> Result<(), Refusal> {
        let ids = self.route.path_parameters().filter(|parameter| parameter.is_id);
        let refusals: Vec<_> = ids.map(|id| self.id::<uuid::Uuid>(id.name).err()).collect();
        if refusals.iter().all(Option::is_none) { Ok(()) } else { Err(all_faults(refusals)) }
    }

    /// A path parameter that is an id.
    ///
    /// # Errors
    /// 422 naming the parameter if it is not a UUID.
    pub fn id<T: From<uuid::Uuid>>(&self, name: &str) -> Result<T, Refusal> {
        uuid(self.param(name), &["path", name]).map(T::from)
    }
}

/// Where a request with these headers came from.
pub(crate) fn origin(address: Option<IpAddr>, headers: &HeaderMap) -> Origin {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    Origin {
        ip_address: address.map(|address| address.to_string()),
        user_agent: agent.map(|agent| agent.chars().take(512).collect()),
    }
}

/// What is too large is taken in and dropped up to here, so that its sender hears the answer instead of finding the
/// connection closed.
const MAX_DROPPED_BYTES: usize = 32 * 1024 * 1024;

/// How long a body may take to arrive: until then it holds a place of an instance. A host or proxy that takes in bodies
/// before it asks a component can be more patient.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// A body of at most `limit` bytes, within [`BODY_TIMEOUT`].
pub(crate) async fn take(body: impl BodyExt<Data = Bytes> + Unpin, limit: usize) -> Result<Bytes, Refusal> {
    match select(pin!(collect(body, limit)), pin!(spin_sdk::time::sleep(BODY_TIMEOUT))).await {
        Either::Left((taken, _)) => taken,
        Either::Right(_) => Err(Refusal::BodyTimeout),
    }
}

async fn collect(mut body: impl BodyExt<Data = Bytes> + Unpin, limit: usize) -> Result<Bytes, Refusal> {
    let (mut taken, mut length) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::TooLarge)?.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            taken.extend_from_slice(&data);
        } else if length > limit.saturating_add(MAX_DROPPED_BYTES) {
            break;
        }
    }
    if length <= limit { Ok(taken.into()) } else { Err(Refusal::TooLarge) }
}

/// The parameters of a query.
#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query, or a form-encoded body.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// Names and values as they came.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The parameters by name: the first of several, and none that is empty.
    pub(crate) fn object(&self) -> serde_json::Map<String, Value> {
        let mut object = serde_json::Map::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            object.entry(name.as_str()).or_insert_with(|| value.as_str().into());
        }
        object
    }

    /// A parameter's text; an empty one counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// A parameter's text that can be given to the database: of at most `longest` characters, without NUL.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn short_text(&self, name: &str, longest: usize) -> Result<Option<String>, Refusal> {
        match self.text(name) {
            Some(text) if text.chars().count() > longest => Err(Refusal::field(
                "string_too_long",
                &["query", name],
                format!("String should have at most {longest} characters"),
                Value::Null,
            )),
            Some(text) if text.contains('\0') => Err(Refusal::field(
                "value_error",
                &["query", name],
                "String should not contain NUL characters",
                json!(text),
            )),
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// A whole number within bounds.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn integer(&self, name: &str, default: i64, min: i64, max: i64) -> Result<i64, Refusal> {
        let Some(text) = self.text(name) else { return Ok(default) };
        let refuse =
            |kind: &str, message: String| Refusal::field(kind, &["query", name], message, json!(text));
        let value: i64 = text.parse().map_err(|_| {
            refuse(
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer".into(),
            )
        })?;
        if value < min {
            Err(refuse("greater_than_equal", format!("Input should be greater than or equal to {min}")))
        } else if value > max {
            Err(refuse("less_than_equal", format!("Input should be less than or equal to {max}")))
        } else {
            Ok(value)
        }
    }

    /// A truth value.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(Refusal::field(
                "bool_parsing",
                &["query", name],
                "Input should be a valid boolean, unable to interpret input",
                json!(text),
            )),
        };
        self.text(name).map(parse).transpose()
    }

    /// An id.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn id<T: From<uuid::Uuid>>(&self, name: &str) -> Result<Option<T>, Refusal> {
        self.text(name).map(|text| uuid(text, &["query", name]).map(T::from)).transpose()
    }

    /// A point in time (RFC 3339).
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn time(&self, name: &str) -> Result<Option<pm_api::Timestamp>, Refusal> {
        let parse = |text: &str| {
            // a plus sign in a query is a blank once decoded
            let text: Cow<'_, str> = if text.len() > 11 {
                format!("{}{}", &text[..11], text[11..].replace(' ', "+")).into()
            } else {
                text.into()
            };
            text.parse().map_err(|_| {
                Refusal::field(
                    "datetime_from_date_parsing",
                    &["query", name],
                    "Input should be a valid datetime or date, e.g. 2026-11-23T10:00:00Z",
                    json!(text),
                )
            })
        };
        self.text(name).filter(|t| t.is_char_boundary(t.len().min(11))).map(parse).transpose()
    }

    /// A word of a vocabulary.
    ///
    /// # Errors
    /// 422 naming the parameter and the words.
    pub fn word<T: FromStr<Err = pm_api::word::UnknownWord>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Refusal> {
        self.text(name).map(|text| word(text, name)).transpose()
    }

    /// Words of a vocabulary, by commas; none where the parameter is absent.
    ///
    /// # Errors
    /// 422 naming the parameter and the words.
    pub fn words<T: FromStr<Err = pm_api::word::UnknownWord>>(&self, name: &str) -> Result<Vec<T>, Refusal> {
        let words = |text: &str| text.split(',').map(|text| word(text.trim(), name)).collect();
        self.text(name).map_or_else(|| Ok(Vec::new()), words)
    }

    /// At most `most` ids, by commas.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn ids<T: From<uuid::Uuid>>(&self, name: &str, most: usize) -> Result<Option<Vec<T>>, Refusal> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let given = text.split(',').count();
        if given > most {
            let message = format!("List should have at most {most} items");
            return Err(Refusal::field("too_long", &["query", name], message, json!(given)));
        }
        let id = |text: &str| uuid(text.trim(), &["query", name]).map(T::from);
        text.split(',').map(id).collect::<Result<_, _>>().map(Some)
    }
}

/// The word that stands in the parameter `name` of the query.
fn word<T: FromStr<Err = pm_api::word::UnknownWord>>(text: &str, name: &str) -> Result<T, Refusal> {
    text.parse().map_err(|e: pm_api::word::UnknownWord| {
        Refusal::field("enum", &["query", name], e.to_string(), json!(text))
    })
}

fn uuid(text: &str, loc: &[&str]) -> Result<uuid::Uuid, Refusal> {
    uuid::Uuid::parse_str(text).map_err(|e| {
        Refusal::field("uuid_parsing", loc, format!("Input should be a valid UUID, {e}"), Value::from(text))
    })
}
