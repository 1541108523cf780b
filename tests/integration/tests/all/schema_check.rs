//! Kubernetes objects against the schemas in tests/fixtures/schemas: what is not known there is an error, because a
//! cluster may silently drop a misspelt field.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};
use std::{fs, path::Path};
use yaml_rust2::{Yaml, YamlLoader};

/// The documents of a YAML text.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>> {
    YamlLoader::load_from_str(text)?.iter().map(value).collect()
}

fn value(yaml: &Yaml) -> Result<Value> {
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Boolean(truth) => (*truth).into(),
        Yaml::Integer(number) => (*number).into(),
        Yaml::Real(_) => yaml.as_f64().context("not a number")?.into(),
        Yaml::String(text) => text.as_str().into(),
        Yaml::Array(items) => Value::Array(items.iter().map(value).collect::<Result<_>>()?),
        Yaml::Hash(fields) => {
            let mut object = Map::new();
            for (name, field) in fields {
                object.insert(name.as_str().context("a name that is no text")?.to_owned(), value(field)?);
            }
            Value::Object(object)
        }
        Yaml::Alias(_) | Yaml::BadValue => bail!("YAML that is not understood here"),
    })
}

/// The schemas of all kinds.
pub(crate) struct Schemas {
    kinds: Map<String, Value>,
    definitions: Map<String, Value>,
}

impl Schemas {
    pub(crate) fn load() -> Result<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("fixtures").join("schemas");
        let mut all = Self { kinds: Map::new(), definitions: Map::new() };
        for file in ["kubernetes.json", "spinapp.json"] {
            let mut schema: Value = serde_json::from_slice(&fs::read(folder.join(file))?)?;
            for (key, into) in [("kinds", &mut all.kinds), ("$defs", &mut all.definitions)] {
                let Value::Object(found) = schema[key].take() else { bail!("{file} has no {key}") };
                into.extend(found);
            }
        }
        Ok(all)
    }

    /// What is wrong with an object, each with its place; empty when it fits.
    pub(crate) fn errors(&self, object: &Value) -> Vec<String> {
        let text = |name: &str| object[name].as_str().unwrap_or_default();
        let kind = format!("{}/{}", text("apiVersion"), text("kind"));
        let mut errors = Vec::new();
        match self.kinds.get(&kind) {
            Some(schema) => self.check(schema, object, &kind, &mut errors),
            None => errors.push(format!("{kind}: unknown")),
        }
        errors
    }

    fn check(&self, schema: &Value, value: &Value, place: &str, errors: &mut Vec<String>) {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.trim_start_matches("#/$defs/");
            return match self.definitions.get(name) {
                Some(schema) => self.check(schema, value, place, errors),
                None => errors.push(format!("{place}: the schema lacks {name}")),
            };
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = |choice: &Value| {
                let mut errors = Vec::new();
                self.check(choice, value, place, &mut errors);
                errors.is_empty()
            };
            if !choices.iter().any(fits) {
                errors.push(format!("{place}: {value} is none of {choices:?}"));
            }
            return;
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            errors.push(format!("{place}: {value} is none of {allowed:?}"));
        }
        match (schema["type"].as_str(), value) {
            (None, _) | (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) => {}
            (Some("integer"), Value::Number(number)) if number.is_i64() => {}
            (Some("number"), Value::Number(_)) => {}
            (Some("array"), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.check(&schema["items"], item, &format!("{place}[{index}]"), errors);
                }
            }
            (Some("object"), Value::Object(fields)) => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                for name in required.filter(|name| !fields.contains_key(*name)) {
                    errors.push(format!("{place}: {name} is missing"));
                }
                for (name, field) in fields {
                    let place = format!("{place}.{name}");
                    match (schema["properties"].get(name), &schema["additionalProperties"]) {
                        (Some(schema), _) => self.check(schema, field, &place, errors),
                        (None, others @ Value::Object(_)) => self.check(others, field, &place, errors),
                        (None, Value::Bool(false)) => errors.push(format!("{place}: unknown")),
                        (None, _) => {}
                    }
                }
            }
            (Some(expected), _) => errors.push(format!("{place}: {value} is no {expected}")),
        }
    }
}

#[test]
fn the_schema_check_finds_every_planted_error() -> Result<()> {
    let schemas = Schemas::load()?;
    let good = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {b: c}}";
    assert_eq!(schemas.errors(&documents(good)?[0]), Vec::<String>::new());
    for (wrong, expected) in [
        (good.replace(" data:", " date:"), "v1/ConfigMap.date: unknown"),
        (good.replace("name:", "nmae:"), "v1/ConfigMap.metadata.nmae: unknown"),
        (good.replace("{b: c}", "{b: 1}"), "v1/ConfigMap.data.b: 1 is no string"),
        (good.replace("v1,", "v2,"), "v2/ConfigMap: unknown"),
        (good.replace("{b: c}", "null"), "v1/ConfigMap.data: null is no object"),
    ] {
        assert_eq!(schemas.errors(&documents(&wrong)?[0]), [expected], "{wrong}");
    }
    Ok(())
}
