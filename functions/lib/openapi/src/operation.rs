//! What one operation takes and gives, in few words.

use crate::{
    bodies,
    schemas::{self, SchemaOf, Schemas},
};
use pm_api::list::{MAX_LIMIT, MAX_OFFSET, MAX_SEARCH_CHARS, SortWord};
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// Description of an operation beyond what the route table says.
#[derive(Default)]
pub struct Operation {
    /// Parameters of the query.
    pub query: Vec<Parameter>,
    /// What it takes.
    pub body: Option<Body>,
    /// What it gives when all is well.
    pub answers: Vec<Answer>,
    /// Further refusals, with a sentence each.
    pub refusals: Vec<(u16, &'static str)>,
}

/// A parameter of the query.
pub struct Parameter {
    name: &'static str,
    schema: Value,
    description: &'static str,
    /// Several values, by commas?
    list: bool,
}

/// A request's body.
pub struct Body {
    content_type: &'static str,
    schema: Option<SchemaOf>,
    required: bool,
}

/// A good answer.
pub struct Answer {
    /// Its status.
    pub status: u16,
    description: &'static str,
    content: Vec<(&'static str, Option<SchemaOf>)>,
    paged: bool,
}

const JSON: &str = "application/json";

fn answering(
    status: u16,
    description: &'static str,
    content: Vec<(&'static str, Option<SchemaOf>)>,
) -> Operation {
    Operation { answers: vec![Answer { status, description, content, paged: false }], ..Operation::default() }
}

/// Gives a `T` (200).
pub fn reads<T: JsonSchema>() -> Operation {
    answering(200, "As asked", vec![(JSON, Some(schemas::of::<T>))])
}

/// Gives a bare list of `T` (200).
pub fn lists<T: JsonSchema>() -> Operation {
    answering(200, "As asked", vec![(JSON, Some(schemas::of::<Vec<T>>))])
}

/// Makes a `T` (201).
pub fn creates<T: JsonSchema>() -> Operation {
    answering(201, "Created", vec![(JSON, Some(schemas::of::<T>))])
}

/// Starts work whose progress is a `T` (202).
pub fn accepts<T: JsonSchema>() -> Operation {
    answering(202, "Accepted; it goes on", vec![(JSON, Some(schemas::of::<T>))])
}

/// Gives nothing (204).
pub fn deletes() -> Operation {
    answering(204, "Done", vec![])
}

/// Gives something that is not JSON (200).
pub fn sends(content_type: &'static str) -> Operation {
    answering(200, "As asked", vec![(content_type, None)])
}

/// Gives a stream whose items are each a `T` in JSON (200).
pub fn streams<T: JsonSchema>(content_type: &'static str) -> Operation {
    answering(200, "Until the caller goes", vec![(content_type, Some(schemas::of::<T>))])
}

impl Operation {
    /// Takes a JSON object.
    pub fn takes<T: JsonSchema>(self) -> Self {
        self.body(JSON, Some(schemas::of::<T>), true)
    }

    /// May take a JSON object.
    pub fn may_take<T: JsonSchema>(self) -> Self {
        self.body(JSON, Some(schemas::of::<T>), false)
    }

    /// Takes a form.
    pub fn takes_form<T: JsonSchema>(self) -> Self {
        self.body("application/x-www-form-urlencoded", Some(schemas::of::<T>), true)
    }

    /// Takes a form with a part `file`.
    pub fn takes_upload(self) -> Self {
        self.body("multipart/form-data", Some(schemas::of::<bodies::Upload>), true)
    }

    /// Takes bytes of this type.
    pub fn takes_bytes(self, content_type: &'static str) -> Self {
        self.body(content_type, None, true)
    }

    fn body(mut self, content_type: &'static str, schema: Option<SchemaOf>, required: bool) -> Self {
        self.body = Some(Body { content_type, schema, required });
        self
    }

    /// The answer comes in this form too.
    pub fn also(mut self, content_type: &'static str) -> Self {
        if let Some(answer) = self.answers.last_mut() {
            answer.content.push((content_type, None));
        }
        self
    }

    /// Another good answer.
    pub fn or<T: JsonSchema>(mut self, status: u16, description: &'static str) -> Self {
        let content = vec![(JSON, Some(schemas::of::<T> as SchemaOf))];
        self.answers.push(Answer { status, description, content, paged: false });
        self
    }

    /// Another good answer, without content.
    pub fn or_empty(mut self, status: u16, description: &'static str) -> Self {
        self.answers.push(Answer { status, description, content: vec![], paged: false });
        self
    }

    /// A parameter of the query with this schema.
    pub fn query(mut self, name: &'static str, schema: Value, description: &'static str) -> Self {
        self.query.push(Parameter { name, schema, description, list: false });
        self
    }

    /// A parameter of several values, by commas.
    fn list(mut self, name: &'static str, schema: Value, description: &'static str) -> Self {
        self.query.push(Parameter { name, schema, description, list: true });
        self
    }

    /// A parameter that is an id.
    pub fn id(self, name: &'static str, description: &'static str) -> Self {
        self.query(name, json!({ "type": "string", "format": "uuid" }), description)
    }

    /// A parameter that is a point in time.
    pub fn time(self, name: &'static str, description: &'static str) -> Self {
        self.query(name, json!({ "type": "string", "format": "date-time" }), description)
    }

    /// A parameter that is a text.
    pub fn text(self, name: &'static str, description: &'static str) -> Self {
        self.query(name, json!({ "type": "string" }), description)
    }

    /// A parameter that is a text of at most so many characters.
    pub fn short(self, name: &'static str, longest: usize, description: &'static str) -> Self {
        self.query(name, json!({ "type": "string", "maxLength": longest }), description)
    }

    /// A parameter that is one of some words.
    pub fn word(self, name: &'static str, words: &[&str], description: &'static str) -> Self {
        self.query(name, json!({ "type": "string", "enum": words }), description)
    }

    /// A parameter that is several of some words, by commas.
    pub fn words(self, name: &'static str, words: &[&str], description: &'static str) -> Self {
        let items = json!({ "type": "string", "enum": words });
        self.list(name, json!({ "type": "array", "items": items }), description)
    }

    /// A parameter that is several ids, by commas, at most `most`.
    pub fn ids(self, name: &'static str, most: usize, description: &'static str) -> Self {
        let items = json!({ "type": "string", "format": "uuid" });
        self.list(name, json!({ "type": "array", "items": items, "maxItems": most }), description)
    }

    /// A parameter that is a whole number within bounds.
    pub fn integer(
        self,
        name: &'static str,
        (default, min, max): (i64, i64, i64),
        description: &'static str,
    ) -> Self {
        let schema = json!({ "type": "integer", "default": default, "minimum": min, "maximum": max });
        self.query(name, schema, description)
    }

    /// A page of a list that the words of `S` can order, of so many rows unless `limit` says otherwise.
    pub fn paged<S: SortWord>(mut self, default_limit: i64) -> Self {
        let descending: Vec<_> = S::WORDS.iter().map(|word| format!("-{word}")).collect();
        let orders =
            ["asc", "desc"].iter().chain(S::WORDS).copied().chain(descending.iter().map(String::as_str));
        let direction = if S::DESCENDING { "-" } else { "" };
        let default = json!(format!("{direction}{}", S::DEFAULT));
        let sort = json!({ "type": "string", "enum": orders.collect::<Vec<_>>(), "default": default });
        if let Some(answer) = self.answers.last_mut() {
            answer.paged = true;
        }
        self.integer("limit", (default_limit, 1, MAX_LIMIT), "At most this many")
            .integer("offset", (0, 0, MAX_OFFSET), "Leaving out this many")
            .text("cursor", "The x-next-cursor of the page before, which was in the same order")
            .query("sort", sort, "Ordered by this; with - before it, the greatest first")
            .word("sort_by", S::WORDS, "Ordered by this, where sort is asc, desc or absent")
    }

    /// A list that can be searched for a text.
    pub fn searched(self, description: &'static str) -> Self {
        self.short("q", MAX_SEARCH_CHARS, description).short("search", MAX_SEARCH_CHARS, "The same as q")
    }

    /// Two parameters that are the ends of a period.
    pub fn between(self, from: &'static str, to: &'static str) -> Self {
        self.time(from, "Not earlier than this").time(to, "Not later than this")
    }

    /// May be refused with this status for this reason.
    pub fn refuses(mut self, status: u16, reason: &'static str) -> Self {
        self.refusals.push((status, reason));
        self
    }
}

impl Parameter {
    /// As the document has it.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut object = json!({ "name": self.name, "in": "query", "schema": self.schema, "description": self.description });
        if self.list {
            object["style"] = "form".into();
            object["explode"] = false.into();
        }
        object
    }
}

impl Body {
    /// As the document has it.
    pub(crate) fn object(&self, schemas: &mut Schemas) -> Value {
        let media = self.schema.map_or_else(|| json!({}), |of| json!({ "schema": schemas.request(of) }));
        json!({ "required": self.required, "content": { self.content_type: media } })
    }
}

impl Answer {
    /// As the document has it.
    pub(crate) fn object(&self, schemas: &mut Schemas) -> Value {
        let mut object = json!({ "description": self.description });
        if !self.content.is_empty() {
            let media = |of: &Option<SchemaOf>, schemas: &mut Schemas| {
                of.map_or_else(|| json!({}), |of| json!({ "schema": schemas.answer(of) }))
            };
            let content: Map<_, _> =
                self.content.iter().map(|(kind, of)| ((*kind).to_owned(), media(of, schemas))).collect();
            object["content"] = content.into();
        }
        if self.paged {
            object["headers"] = json!({
                "x-total-count": {
                    "description": "Length of the whole list", "schema": { "type": "integer", "minimum": 0 }
                },
                "x-next-cursor": {
                    "description": "Where the next page begins, if this one is full", "schema": { "type": "string" }
                },
            });
        }
        object
    }
}
