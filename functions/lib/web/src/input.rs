//! A request read as its row in the table of routes says, and its answer likewise.

use crate::{
    Answer, Call, Outcome, Refusal,
    call::Query,
    empty,
    ignored::{self, Watched},
    json, json_page, legacy, packed,
};
use deserr::Deserr;
use http::{HeaderValue, StatusCode, header};
use pm_api::{
    error::FieldError,
    input::{Faults, MAX_FAULTS},
    list::{ListQuery, Page, SortWord},
    route::{
        Operation,
        operation::{
            Accepted, Attempt, Bytes, Created, CreatedOrKept, Download, EventStream, Form, Json, JsonOrPage,
            Lines, List, Message, NoBody, NoContent, OptionalJson, Partial, Probe, SignIn, Upload,
        },
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use std::{future::Future, ops::Deref};

/// A request for the operation `O`: its query and body were read and are valid.
pub struct Input<O: Operation>
where
    O::Body: ReadBody,
    O::Answer: Give,
{
    /// The parameters of the query.
    pub query: O::Query,
    /// The body.
    pub body: <O::Body as ReadBody>::Value,
    /// Which page of the list, where the answer is a list.
    pub page: <O::Answer as Give>::Page,
    call: Call,
}

/// The request as it came: caller, path, headers, database.
impl<O: Operation> Deref for Input<O>
where
    O::Body: ReadBody,
    O::Answer: Give,
{
    type Target = Call;
    fn deref(&self) -> &Call {
        &self.call
    }
}

/// What the handler of `O` gives.
pub type Given<O> = Result<<<O as Operation>::Answer as Give>::Value, Refusal>;

/// Reads the request as the table says, runs the handler, and answers as the table says.
///
/// # Errors
/// 422 with every fault of path, query and body, or what the handler refuses.
pub async fn run<O, F>(mut call: Call, handler: impl FnOnce(Input<O>) -> F) -> Outcome
where
    O: Operation<Query: Deserr<Faults>, Body: ReadBody, Answer: Give>,
    F: Future<Output = Given<O>>,
{
    let read =
        (call.check_ids(), read_query(&call.query), O::Body::read(&call), O::Answer::page(&call.query));
    let (query, body, page) = match read {
        (Ok(()), Ok(query), Ok(body), Ok(page)) => (query, body, page),
        (ids, query, body, page) => return Err(all_faults([ids.err(), query.err(), body.err(), page.err()])),
    };
    let ignored = call.ignored.take().unwrap_or_default();
    let mut answer = O::Answer::answer(handler(Input { query, body, page, call }).await?);
    ignored::name(&mut answer, &ignored);
    Ok(answer)
}

/// One refusal with the faults of all of these; of a refusal of another kind, that one alone.
pub(crate) fn all_faults(refusals: impl IntoIterator<Item = Option<Refusal>>) -> Refusal {
    let mut faults = Vec::new();
    for refusal in refusals.into_iter().flatten() {
        match refusal {
            Refusal::Invalid(more) => faults.extend(more),
            other => return other,
        }
    }
    faults.truncate(MAX_FAULTS);
    Refusal::Invalid(faults)
}

/// Maps each operation to its handler, for [`serve`](crate::serve).
#[macro_export]
macro_rules! handlers {
    ($($name:ident => $handler:expr),+ $(,)?) => {
        |op: ::pm_api::route::Op, call: $crate::Call| async move {
            match op {
                $(::pm_api::route::Op::$name => {
                    $crate::run::<::pm_api::route::op::$name, _>(call, $handler).await
                })+
                _ => Err($crate::Refusal::NotFound),
            }
        }
    };
}

/// How a body is read.
pub trait ReadBody {
    /// What a handler gets of it.
    type Value;

    /// Reads it.
    ///
    /// # Errors
    /// 422 with every fault.
    fn read(call: &Call) -> Result<Self::Value, Refusal>;
}

impl ReadBody for NoBody {
    type Value = ();
    fn read(_: &Call) -> Result<(), Refusal> {
        Ok(())
    }
}

impl<T: Deserr<Faults>> ReadBody for Json<T> {
    type Value = T;
    fn read(call: &Call) -> Result<T, Refusal> {
        read_json(call)
    }
}

impl<T: Deserr<Faults>> ReadBody for OptionalJson<T> {
    type Value = Option<T>;
    fn read(call: &Call) -> Result<Option<T>, Refusal> {
        if legacy::is_no_body(&call.body) { Ok(None) } else { read_json(call).map(Some) }
    }
}

impl<T: Deserr<Faults>> ReadBody for Form<T> {
    type Value = T;
    fn read(call: &Call) -> Result<T, Refusal> {
        let kind = call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default().to_ascii_lowercase();
        let form = if kind.starts_with("application/x-www-form-urlencoded") {
            Query::parse(&String::from_utf8_lossy(&call.body))
        } else {
            Query::default()
        };
        // a fault does not repeat the form, which may hold a password
        read_value(form.object().into(), "body", || Value::Null).map(|(form, _)| form)
    }
}

impl<T: DeserializeOwned> ReadBody for Message<T> {
    type Value = T;
    fn read(call: &Call) -> Result<T, Refusal> {
        serde_json::from_slice(&call.body)
            .map_err(|error| Refusal::field("value_error", &["body"], error.to_string(), Value::Null))
    }
}

macro_rules! read_by_the_handler {
    ($($kind:ident),*) => {$(
        impl ReadBody for $kind {
            type Value = ();
            fn read(_: &Call) -> Result<(), Refusal> {
                Ok(())
            }
        }
    )*};
}

read_by_the_handler!(Upload);

impl ReadBody for Lines {
    type Value = String;
    fn read(call: &Call) -> Result<String, Refusal> {
        let bytes = packed::unpack(call.is_packed()?, &call.body)?;
        String::from_utf8(bytes).map_err(|error| {
            let message = format!("Input should be text in UTF-8: {error}");
            Refusal::field("string_unicode", &["body"], message, Value::Null)
        })
    }
}

impl ReadBody for Bytes {
    type Value = bytes::Bytes;
    fn read(call: &Call) -> Result<bytes::Bytes, Refusal> {
        Ok(call.body.clone())
    }
}

fn read_query<Q: Deserr<Faults>>(query: &Query) -> Result<Q, Refusal> {
    read_value(query.object().into(), "query", || query.object().into()).map(|(query, _)| query)
}

fn read_json<T: Deserr<Faults>>(call: &Call) -> Result<T, Refusal> {
    let body = &call.body;
    if legacy::is_no_body(body) {
        return Err(Refusal::field("missing", &["body"], "Field required", Value::Null));
    }
    let value = serde_json::from_slice(body).map_err(|error| {
        Refusal::field("json_invalid", &["body"], format!("JSON decode error: {error}"), json!({}))
    })?;
    let (value, ignored) = read_value(value, "body", || serde_json::from_slice(body).unwrap_or_default())?;
    // a body is read once
    let _ = call.ignored.set(ignored);
    Ok(value)
}

/// Reads the fields of a form that the handler has taken apart.
///
/// # Errors
/// 422 with every fault.
pub fn read_form<T: Deserr<Faults>>(fields: Map<String, Value>) -> Result<T, Refusal> {
    let shown = fields.clone();
    read_value(fields.into(), "body", || shown.into()).map(|(form, _)| form)
}

/// Reads a value that stands in the request's `part` (`body` or `query`), and says which of its fields are not known. After a
/// fault, `again` gives the value once more, because an object that lacks a field is shown.
fn read_value<T: Deserr<Faults>>(
    mut value: Value,
    part: &'static str,
    again: impl FnOnce() -> Value,
) -> Result<(T, Vec<String>), Refusal> {
    let renamed = legacy::adapt(&mut value);
    let (watched, unread) = Watched::new(value);
    let read = deserr::deserialize::<T, _, Faults>(watched).map_err(|faults| {
        let mut faults = faults.0;
        let shown = again();
        for fault in &mut faults {
            complete(fault, part, &shown);
            for (old, new) in &renamed {
                fault.loc.iter_mut().filter(|step| *step == new).for_each(|step| *step = (*old).into());
            }
        }
        Refusal::Invalid(faults)
    });
    read.map(|read| (read, unread()))
}

/// Puts the request's part before the place and, where a field is missing, shows the object that lacks it.
fn complete(fault: &mut FieldError, part: &str, value: &Value) {
    if fault.kind == "missing" {
        let parents = fault.loc.len().saturating_sub(1);
        let object = fault.loc[..parents].iter().try_fold(value, |value, step| match step {
            Value::String(name) => value.get(name),
            step => value.get(usize::try_from(step.as_u64()?).ok()?),
        });
        fault.input = object.and_then(Value::as_object).map_or(Value::Null, without_secrets);
    }
    fault.loc.insert(0, part.into());
}

/// An object as a refusal may repeat it.
fn without_secrets(object: &Map<String, Value>) -> Value {
    let secret_value = object.get("is_secret") == Some(&Value::Bool(true));
    let hides = |name: &str| {
        ["password", "secret", "token"].iter().any(|word| name.contains(word))
            || (secret_value && name == "value")
    };
    let shown = object.iter().map(|(name, value)| {
        let keep = !value.is_string() || !hides(name);
        (name.clone(), if keep { value.clone() } else { "********".into() })
    });
    Value::Object(shown.collect())
}

/// How an answer is given.
pub trait Give {
    /// What a handler gives.
    type Value;
    /// Which page of a list; nothing for other answers.
    type Page;

    /// Reads which page is asked for.
    ///
    /// # Errors
    /// 422 naming the parameter.
    fn page(query: &Query) -> Result<Self::Page, Refusal>;

    /// The answer.
    fn answer(value: Self::Value) -> Answer;
}

macro_rules! give {
    ($([$($parameter:ident)?] $kind:ty: |$value:ident: $type:ty| $answer:expr;)*) => {$(
        impl $(<$parameter: Serialize>)? Give for $kind {
            type Value = $type;
            type Page = ();
            fn page(_: &Query) -> Result<(), Refusal> {
                Ok(())
            }
            fn answer($value: $type) -> Answer {
                $answer
            }
        }
    )*};
}

/// What a request stored.
pub enum Stored<T> {
    /// By this request.
    New(T),
    /// By the same request before.
    Known(T),
}

/// What a request stored of what it brought.
pub struct Taken<T> {
    /// What was not stored; `None`: nothing.
    pub problem: Option<T>,
    /// Names of what is no value.
    pub ignored: Vec<String>,
}

/// Who has signed in.
pub struct SignedIn<T> {
    /// The answer's body.
    pub body: T,
    /// Value of the header `set-cookie`.
    pub cookie: String,
}

give! {
    [T] SignIn<T>: |value: SignedIn<T>| {
        let mut answer = json(StatusCode::OK, &value.body);
        if let Ok(cookie) = HeaderValue::from_str(&value.cookie) {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    };
    [T] Json<T>: |value: T| json(StatusCode::OK, &value);
    [T] Created<T>: |value: T| json(StatusCode::CREATED, &value);
    [T] Accepted<T>: |value: T| json(StatusCode::ACCEPTED, &value);
    [T] Attempt<T>: |value: (StatusCode, T)| json(value.0, &value.1);
    [T] Probe<T>: |value: (StatusCode, T)| json(value.0, &value.1);
    [] NoContent: |_value: ()| empty(StatusCode::NO_CONTENT);
    [T] Partial<T>: |value: Taken<T>| {
        let mut answer = match &value.problem {
            None => empty(StatusCode::NO_CONTENT),
            Some(problem) => json(StatusCode::BAD_REQUEST, problem),
        };
        ignored::name(&mut answer, &value.ignored);
        answer
    };
    [T] CreatedOrKept<T>: |value: Stored<T>| match value {
        Stored::New(value) => json(StatusCode::CREATED, &value),
        Stored::Known(value) => json(StatusCode::OK, &value),
    };
}

/// The handler answers by itself: what it gives is not JSON, or not always.
macro_rules! given_by_the_handler {
    ($($kind:ident),*) => {$(
        impl<T> Give for $kind<T> {
            type Value = Answer;
            type Page = ();
            fn page(_: &Query) -> Result<(), Refusal> {
                Ok(())
            }
            fn answer(answer: Answer) -> Answer {
                answer
            }
        }
    )*};
}

given_by_the_handler!(Download, EventStream, JsonOrPage);

impl<T: Serialize, S: SortWord, const LIMIT: i64> Give for List<T, S, LIMIT> {
    type Value = Page<T>;
    type Page = ListQuery<S>;

    fn page(query: &Query) -> Result<ListQuery<S>, Refusal> {
        query.list::<S>(LIMIT)
    }

    fn answer(page: Page<T>) -> Answer {
        json_page(&page)
    }
}
