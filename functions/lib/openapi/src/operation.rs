//! What an operation takes and gives, read from its types in the table of routes.

use crate::schemas::{self, SchemaOf, Schemas};
use pm_api::{
    list::{MAX_LIMIT, MAX_OFFSET, SortWord},
    route::{
        Op, Operation,
        operation::{
            Accepted, Attempt, Bytes, Created, CreatedOrKept, Download, EventStream, Form, Json, JsonOrPage,
            Lines, List, MediaTypes, Message, NoBody, NoContent, OptionalJson, Partial, Probe, SignIn,
            Upload,
        },
    },
};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

const JSON: &str = "application/json";

/// A request body.
pub(crate) struct Body {
    media_type: &'static str,
    schema: Option<SchemaOf>,
    required: bool,
}

/// A successful answer.
pub(crate) struct Answer {
    status: u16,
    description: &'static str,
    media_types: &'static [&'static str],
    schema: Option<SchemaOf>,
    is_list: bool,
}

/// An operation, before its schemas are collected.
pub(crate) struct Description {
    query: SchemaOf,
    body: Option<Body>,
    answers: Vec<Answer>,
    list_parameters: Vec<Value>,
}

/// The description of an operation.
pub(crate) fn describe(op: Op) -> Description {
    macro_rules! by_operation {
        ($($name:ident)*) => {
            match op { $(Op::$name => of::<pm_api::route::op::$name>()),* }
        };
    }
    pm_api::for_each_operation!(by_operation)
}

fn of<O: Operation<Query: JsonSchema, Body: DescribeBody, Answer: DescribeAnswer>>() -> Description {
    Description {
        query: schemas::of::<O::Query>,
        body: O::Body::body(),
        answers: O::Answer::answers(),
        list_parameters: O::Answer::list_parameters(),
    }
}

trait DescribeBody {
    fn body() -> Option<Body>;
}

impl DescribeBody for NoBody {
    fn body() -> Option<Body> {
        None
    }
}

macro_rules! describe_body {
    ($($kind:ty $([$parameter:ident])? => $media_type:literal, $schema:expr, $required:literal;)*) => {$(
        impl $(<$parameter: JsonSchema>)? DescribeBody for $kind {
            fn body() -> Option<Body> {
                Some(Body { media_type: $media_type, schema: $schema, required: $required })
            }
        }
    )*};
}

describe_body! {
    Json<T> [T] => "application/json", Some(schemas::of::<T>), true;
    OptionalJson<T> [T] => "application/json", Some(schemas::of::<T>), false;
    Form<T> [T] => "application/x-www-form-urlencoded", Some(schemas::of::<T>), true;
    Message<T> [T] => "application/json", Some(schemas::of::<T>), true;
    Upload => "multipart/form-data", Some(schemas::of::<UploadForm>), true;
    Lines => "text/plain", None, true;
    Bytes => "application/octet-stream", None, true;
}

/// Form of an upload.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct UploadForm {
    /// The file; its part names it.
    #[schemars(extend("contentMediaType" = "application/octet-stream"))]
    file: String,
}

trait DescribeAnswer {
    fn answers() -> Vec<Answer>;

    fn list_parameters() -> Vec<Value> {
        Vec::new()
    }
}

fn json<T: JsonSchema>(status: u16, description: &'static str) -> Answer {
    Answer { status, description, media_types: &[JSON], schema: Some(schemas::of::<T>), is_list: false }
}

macro_rules! describe_answer {
    ($($kind:ident => $($status:literal $description:literal),+;)*) => {$(
        impl<T: JsonSchema> DescribeAnswer for $kind<T> {
            fn answers() -> Vec<Answer> {
                vec![$(json::<T>($status, $description)),+]
            }
        }
    )*};
}

describe_answer! {
    Json => 200 "Success";
    SignIn => 200 "Signed in";
    Created => 201 "Created";
    CreatedOrKept => 201 "Created", 200 "It was stored before; nothing changed";
    Accepted => 202 "Accepted; the work goes on";
    Attempt => 200 "It arrived", 400 "It is not configured", 502 "It did not arrive";
    Probe => 200 "It is so", 503 "It is not so now";
}

impl<T: JsonSchema> DescribeAnswer for JsonOrPage<T> {
    fn answers() -> Vec<Answer> {
        vec![Answer { media_types: &[JSON, "text/html"], ..json::<T>(200, "Success") }]
    }
}

impl DescribeAnswer for NoContent {
    fn answers() -> Vec<Answer> {
        vec![Answer { status: 204, description: "Done", media_types: &[], schema: None, is_list: false }]
    }
}

impl<T: JsonSchema> DescribeAnswer for Partial<T> {
    fn answers() -> Vec<Answer> {
        let mut answers = NoContent::answers();
        answers.push(json::<T>(400, "Something was not stored; everything else was"));
        answers
    }
}

impl<T: JsonSchema> DescribeAnswer for EventStream<T> {
    fn answers() -> Vec<Answer> {
        let media_types = &["text/event-stream"];
        let description = "Events until the client disconnects";
        vec![Answer { media_types, ..json::<T>(200, description) }]
    }
}

impl<M: MediaTypes> DescribeAnswer for Download<M> {
    fn answers() -> Vec<Answer> {
        let media_types = M::MEDIA_TYPES;
        let answer =
            Answer { status: 200, description: "Success", media_types, schema: None, is_list: false };
        if media_types.is_empty() { Vec::new() } else { vec![answer] }
    }
}

impl<T: JsonSchema, S: SortWord, const LIMIT: i64> DescribeAnswer for List<T, S, LIMIT> {
    fn answers() -> Vec<Answer> {
        vec![Answer { is_list: true, ..json::<Vec<T>>(200, "A page of the list") }]
    }

    fn list_parameters() -> Vec<Value> {
        let whole = |default: i64, minimum: i64, maximum: i64| json!({ "type": "integer", "default": default, "minimum": minimum, "maximum": maximum });
        let descending: Vec<_> = S::WORDS.iter().map(|word| format!("-{word}")).collect();
        let words = ["asc", "desc"].into_iter().chain(S::WORDS.iter().copied());
        let words: Vec<_> = words.chain(descending.iter().map(String::as_str)).collect();
        let default_sort = format!("{}{}", if S::DESCENDING { "-" } else { "" }, S::DEFAULT);
        vec![
            parameter("limit", "At most this many", whole(LIMIT, 1, MAX_LIMIT)),
            parameter("offset", "Leaving out this many", whole(0, 0, MAX_OFFSET)),
            parameter(
                "cursor",
                "x-next-cursor of the page before, instead of offset",
                json!({ "type": "string" }),
            ),
            parameter(
                "sort",
                "Order: a word, with - before it the greatest first; asc or desc alone order by sort_by",
                json!({ "type": "string", "enum": words, "default": default_sort }),
            ),
            parameter(
                "sort_by",
                "The word, where sort is asc or desc (older form of sort)",
                json!({ "type": "string", "enum": S::WORDS }),
            ),
        ]
    }
}

fn parameter(name: &str, description: &str, schema: Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

impl Description {
    /// Does it take anything in the query?
    pub(crate) fn query(&self, schemas: &mut Schemas) -> Vec<Value> {
        let mut all: Vec<_> = schemas.properties(self.query).iter().map(query_parameter).collect();
        all.extend(self.list_parameters.iter().cloned());
        all
    }

    /// The request body as the document has it.
    pub(crate) fn body(&self, schemas: &mut Schemas) -> Option<Value> {
        let body = self.body.as_ref()?;
        let media = body.schema.map_or_else(|| json!({}), |of| json!({ "schema": schemas.request(of) }));
        Some(json!({ "required": body.required, "content": { body.media_type: media } }))
    }

    /// The successful answers as the document has them.
    pub(crate) fn answers(&self, schemas: &mut Schemas) -> Vec<(u16, Value)> {
        self.answers.iter().map(|answer| (answer.status, answer.object(schemas))).collect()
    }
}

/// A parameter from the property of a query's type.
fn query_parameter((name, schema): &(String, Value)) -> Value {
    let mut schema = schema.clone();
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let is_list = schema.get("type").is_some_and(|kind| kind == "array");
    let mut object =
        parameter(name, description.as_ref().and_then(Value::as_str).unwrap_or_default(), schema);
    if is_list {
        object["style"] = "form".into();
        object["explode"] = false.into();
    }
    object
}

impl Answer {
    fn object(&self, schemas: &mut Schemas) -> Value {
        let mut object = json!({ "description": self.description });
        if !self.media_types.is_empty() {
            let schema = self.schema.map_or_else(|| json!({}), |of| json!({ "schema": schemas.answer(of) }));
            let media = |kind: &str| if kind == "text/html" { json!({}) } else { schema.clone() };
            let content: Map<_, _> =
                self.media_types.iter().map(|kind| ((*kind).to_owned(), media(kind))).collect();
            object["content"] = content.into();
        }
        if self.is_list {
            object["headers"] = json!({
                "x-total-count": { "description": "Length of the whole list",
                    "schema": { "type": "integer", "minimum": 0 } },
                "x-next-cursor": { "description": "Where the next page begins, if there may be one",
                    "schema": { "type": "string" } },
            });
        }
        object
    }
}
