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
