//! Schemas of types, collected under `components/schemas`. A type may be written differently than it is read (optional
//! fields that are always given back): where the two differ, the form for requests is called `…Input`.

use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const PREFIX: &str = "#/components/schemas/";
/// Where requests' schemas stand until the two are merged.
const REQUEST_PREFIX: &str = "#/components/requests/";

/// Gives the schema of a type.
pub(crate) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of `T`, or a reference to it.
pub(crate) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The schemas met so far.
pub(crate) struct Schemas {
    answers: SchemaGenerator,
    requests: SchemaGenerator,
}

impl Schemas {
    pub(crate) fn new() -> Self {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|s| {
                s.definitions_path = path.into();
                s.meta_schema = None;
            })
        };
        Self {
            answers: settings("/components/schemas").for_serialize().into_generator(),
            requests: settings("/components/requests").for_deserialize().into_generator(),
        }
    }

    /// A type as we write it.
    pub(crate) fn answer(&mut self, of: SchemaOf) -> Value {
        of(&mut self.answers).into()
    }

    /// A type as we read it.
    pub(crate) fn request(&mut self, of: SchemaOf) -> Value {
        of(&mut self.requests).into()
    }

    /// The properties of a query's type, with schemas in place of references.
    pub(crate) fn properties(&self, of: SchemaOf) -> Vec<(String, Value)> {
        let settings = SchemaSettings::draft2020_12().with(|s| {
            s.meta_schema = None;
            s.inline_subschemas = true;
        });
        let mut generator = settings.for_deserialize().into_generator();
        let schema: Value = of(&mut generator).into();
        let properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        properties.into_iter().map(|(name, schema)| (name, without_null(schema))).collect()
    }
}

/// A query cannot carry null: an optional parameter is one that may be left out.
fn without_null(mut schema: Value) -> Value {
    let description = schema.get("description").cloned();
    if let Some(alternatives) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        alternatives.retain(|alternative| alternative.get("type").is_none_or(|kind| kind != "null"));
        if let [only] = alternatives.as_slice() {
            schema = only.clone();
        }
    }
    if let Some(kinds) = schema.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    if let Some(description) = description {
        schema["description"] = description;
    }
    schema
}

impl Schemas {
    /// Puts all schemas into the document, and leads its references there.
    pub(crate) fn finish(mut self, document: &mut Value) {
        let mut all = self.answers.take_definitions(true);
        let requests = self.requests.take_definitions(true);
        let different = different(&all, &requests);
        let name = |n: &str| if different.contains(n) { format!("{n}Input") } else { n.to_owned() };
        for (key, mut schema) in requests {
            redirect(&mut schema, &name);
            all.insert(name(&key), schema);
        }
        all.sort_keys();
        redirect(document, &name);
        document["components"]["schemas"] = all.into();
    }
}

/// Names whose two forms differ, in themselves or in what they refer to.
fn different(answers: &Map<String, Value>, requests: &Map<String, Value>) -> BTreeSet<String> {
    let mut different = BTreeSet::new();
    loop {
        let name = |n: &str| if different.contains(n) { format!("{n}Input") } else { n.to_owned() };
        let more: Vec<_> = requests
            .iter()
            .filter(|(key, _)| !different.contains(*key))
            .filter(|(key, schema)| {
                let mut schema = (*schema).clone();
                redirect(&mut schema, &name);
                answers.get(*key).is_some_and(|answer| *answer != schema)
            })
            .map(|(key, _)| key.clone())
            .collect();
        if more.is_empty() {
            return different;
        }
        different.extend(more);
    }
}

/// Leads references to requests' schemas to where they stand in the end.
fn redirect(value: &mut Value, name: &impl Fn(&str) -> String) {
    match value {
        Value::Object(map) => {
            if let Some(Value::String(reference)) = map.get_mut("$ref")
                && let Some(key) = reference.strip_prefix(REQUEST_PREFIX)
            {
                *reference = format!("{PREFIX}{}", name(key));
            }
            map.values_mut().for_each(|v| redirect(v, name));
        }
        Value::Array(list) => list.iter_mut().for_each(|v| redirect(v, name)),
        _ => {}
    }
}
