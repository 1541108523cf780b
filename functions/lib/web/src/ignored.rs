//! Which fields of a body nobody read: they are named in the answer, because old clients rely on their not being refused.

use deserr::{IntoValue, Map, Sequence, ValueKind};
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};

/// The header of an answer that names them: `x-ignored-fields: colour, readings.note`.
const IGNORED_FIELDS: HeaderName = HeaderName::from_static("x-ignored-fields");
/// Names in it at most.
const MAX_NAMES: usize = 50;

/// Paths of fields that were met and not read so far; those of the items of a list have no index.
type Unread = Rc<RefCell<BTreeSet<String>>>;

/// A JSON value that notes which of its fields are read.
pub(crate) struct Watched {
    value: Value,
    path: String,
    unread: Unread,
}

impl Watched {
    /// A value, and how to ask for its unread fields once it was read.
    pub(crate) fn new(value: Value) -> (Self, impl FnOnce() -> Vec<String>) {
        let unread = Unread::default();
        let names = unread.clone();
        let all = move || names.borrow().iter().take(MAX_NAMES).cloned().collect();
        (Self { value, path: String::new(), unread }, all)
    }

    fn child(value: Value, path: String, unread: &Unread) -> Self {
        Self { value, path, unread: unread.clone() }
    }
}

impl IntoValue for Watched {
    type Sequence = WatchedItems;
    type Map = WatchedFields;

    fn kind(&self) -> ValueKind {
        self.value.kind()
    }

    fn into_value(self) -> deserr::Value<Self> {
        let Self { value, path, unread } = self;
        unread.borrow_mut().remove(&path);
        match value.into_value() {
            deserr::Value::Null => deserr::Value::Null,
            deserr::Value::Boolean(value) => deserr::Value::Boolean(value),
            deserr::Value::Integer(value) => deserr::Value::Integer(value),
            deserr::Value::NegativeInteger(value) => deserr::Value::NegativeInteger(value),
            deserr::Value::Float(value) => deserr::Value::Float(value),
            deserr::Value::String(value) => deserr::Value::String(value),
            deserr::Value::Sequence(items) => deserr::Value::Sequence(WatchedItems { items, path, unread }),
            deserr::Value::Map(fields) => deserr::Value::Map(WatchedFields { fields, path, unread }),
        }
    }
}

/// The items of a list.
pub(crate) struct WatchedItems {
    items: Vec<Value>,
    path: String,
    unread: Unread,
}

impl Sequence for WatchedItems {
    type Value = Watched;
    type Iter = Box<dyn Iterator<Item = Watched>>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn into_iter(self) -> Self::Iter {
        let Self { items, path, unread } = self;
        Box::new(IntoIterator::into_iter(items).map(move |item| Watched::child(item, path.clone(), &unread)))
    }
}

/// The fields of an object.
pub(crate) struct WatchedFields {
    fields: serde_json::Map<String, Value>,
    path: String,
    unread: Unread,
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

impl Map for WatchedFields {
    type Value = Watched;
    type Iter = Box<dyn Iterator<Item = (String, Watched)>>;

    fn len(&self) -> usize {
        self.fields.len()
    }

    fn remove(&mut self, key: &str) -> Option<Watched> {
        let value = self.fields.remove(key)?;
        Some(Watched::child(value, joined(&self.path, key), &self.unread))
    }

    fn into_iter(self) -> Self::Iter {
        let Self { fields, path, unread } = self;
        Box::new(IntoIterator::into_iter(fields).map(move |(name, value)| {
            let path = joined(&path, &name);
            unread.borrow_mut().insert(path.clone());
            (name, Watched::child(value, path, &unread))
        }))
    }
}

/// Names the fields in an answer.
pub(crate) fn name(answer: &mut crate::Answer, fields: &[String]) {
    if fields.is_empty() {
        return;
    }
    // a header holds visible ASCII only
    let plain = |c: char| if c.is_ascii_graphic() && c != ',' { c } else { '?' };
    let names: Vec<String> = fields.iter().map(|f| f.chars().take(100).map(plain).collect()).collect();
    if let Ok(value) = HeaderValue::from_str(&names.join(", ")) {
        answer.headers_mut().insert(IGNORED_FIELDS, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{input::Faults, machine::NewMachine, sensor_data::NewReadings};
    use serde_json::json;

    fn ignored<T: deserr::Deserr<Faults>>(value: Value) -> Vec<String> {
        let (watched, unread) = Watched::new(value);
        let read = deserr::deserialize::<T, _, Faults>(watched);
        assert!(read.is_ok(), "{:?}", read.err());
        unread()
    }

    #[test]
    fn fields_that_are_not_known_are_named() {
        assert_eq!(
            ignored::<NewMachine>(json!({"name": "a", "location": null, "metadata": {"x": {"y": 1}}})),
            [""; 0]
        );
        assert_eq!(
            ignored::<NewMachine>(json!({"name": "a", "colour": "red", "size": {"x": 1}})),
            ["colour", "size"]
        );
        let id = "01890000-0000-7000-8000-000000000000";
        let reading = |extra: &str| json!({"sensor_id": id, "timestamp": "2026-01-01", "value": 1, extra: 2});
        let readings = json!({"readings": [reading("note"), reading("metadata_"), reading("note")], "n": 3});
        assert_eq!(ignored::<NewReadings>(readings), ["n", "readings.metadata_", "readings.note"]);
    }

    #[test]
    fn any_name_makes_a_header() {
        let mut answer = crate::reply::empty(http::StatusCode::OK);
        name(&mut answer, &["größe,\n".to_owned(), "b".to_owned()]);
        assert_eq!(answer.headers()[IGNORED_FIELDS], "gr??e??, b");
    }
}
