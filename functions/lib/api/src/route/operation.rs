//! What an operation takes and gives, as types: the web layer reads and answers by them, openapi.json describes them, and
//! the web page calls by them.

use super::Op;
use std::marker::PhantomData;

/// One operation of the API. The table of routes implements it for a type per operation ([`super::op`]).
pub trait Operation: 'static {
    /// The operation.
    const OP: Op;
    /// What may stand in the query, besides what [`List`] adds.
    type Query;
    /// What stands in the body: [`NoBody`], [`Json`], [`OptionalJson`], [`Form`], [`Message`],
    /// [`Upload`], [`Lines`] or [`Bytes`].
    type Body;
    /// What it answers: [`Json`], [`Created`], [`Accepted`], [`NoContent`], [`List`], [`Attempt`], [`Probe`],
    /// [`Partial`], [`CreatedOrKept`], [`JsonOrPage`], [`Download`] or [`EventStream`].
    type Answer;
}

/// An operation without parameters of its own in the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, deserr::Deserr, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[deserr(error = crate::input::Faults)]
pub struct NoQuery {}

macro_rules! markers {
    ($($(#[$doc:meta])* $name:ident $(<$($parameter:ident),+>)?;)*) => {$(
        $(#[$doc])*
        pub struct $name $(<$($parameter),+>)? (PhantomData<fn() -> ($($($parameter,)+)?)>);
    )*};
}

markers! {
    /// Takes no body; one that is sent is ignored.
    NoBody;
    /// Takes a JSON value, or answers 200 with one.
    Json<T>;
    /// Takes a JSON value, or no body.
    OptionalJson<T>;
    /// Takes a form (`application/x-www-form-urlencoded`).
    Form<T>;
    /// Takes a message of another part of the system in JSON. It is read as it is written, by `serde`; a fault is an error
    /// of that part, so one is reported.
    Message<T>;
    /// Takes a form with a part `file` (`multipart/form-data`), which the handler reads.
    Upload;
    /// Takes lines of text (`text/plain`), which may be packed with gzip (`content-encoding: gzip`).
    Lines;
    /// Takes bytes that the handler reads (postcard between our own parts).
    Bytes;
    /// Answers 200 with JSON, and with a cookie by which the browser is known when it signs in again.
    SignIn<T>;
    /// Answers 201 with JSON.
    Created<T>;
    /// Answers 201 with JSON, or 200 with what the same request had made before.
    CreatedOrKept<T>;
    /// Answers 202 with JSON: the work goes on.
    Accepted<T>;
    /// Answers 204.
    NoContent;
    /// Answers 200 with JSON when something outside was reached, 400 when it is not configured, 502 when it failed.
    Attempt<T>;
    /// Answers 200 with JSON, or 503 with it: a probe looks at the status code alone.
    Probe<T>;
    /// Answers 204, or 400 with a `T` that says what of the request was not taken.
    Partial<T>;
    /// Answers a stream of server-sent events, each a `T` in JSON.
    EventStream<T>;
    /// Answers programs with JSON and browsers with a page.
    JsonOrPage<T>;
}

/// Answers 200 with a page of a list, which takes `limit` (`LIMIT` unless given), `offset`, `cursor` and `sort` in the query.
pub struct List<T, S, const LIMIT: i64>(PhantomData<fn() -> (T, S)>);

/// Answers 200 with content that is not JSON; `T` says of which media types.
pub struct Download<T>(PhantomData<fn() -> T>);

/// Media types of a [`Download`].
pub trait MediaTypes {
    /// All that may be answered.
    const MEDIA_TYPES: &'static [&'static str];
}

macro_rules! media {
    ($($(#[$doc:meta])* $name:ident = [$($media:literal),*];)*) => {$(
        $(#[$doc])*
        pub struct $name;
        impl MediaTypes for $name {
            const MEDIA_TYPES: &'static [&'static str] = &[$($media),*];
        }
    )*};
}

media! {
    /// A page for browsers.
    Html = ["text/html"];
    /// A script or a style sheet.
    PageFile = ["text/javascript", "text/css"];
    /// Comma-separated values.
    Csv = ["text/csv"];
    /// A report in one of its formats.
    ReportFile = [
        "text/csv",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    ];
    /// A file as it was stored.
    StoredFile = ["*/*"];
    /// Prometheus' text format.
    PrometheusText = ["text/plain"];
    /// A JSON document.
    JsonDocument = ["application/json"];
    /// Nothing: every answer is a refusal.
    Nothing = [];
}
