//! Names of what a mapping does not read of a payload.

use super::Reader;
use super::template::{Pointer, Step};
use serde_json::Value;

/// Names every member of `value` that none of the pointers reaches; elements of arrays share a name.
pub fn ignore(reader: &mut Reader<'_>, value: &Value, pointers: &[&Pointer]) {
    let rests: Vec<&[Step]> = pointers.iter().map(|pointer| pointer.as_slice()).collect();
    visit(reader, value, &rests, "");
}

fn visit(reader: &mut Reader<'_>, value: &Value, rests: &[&[Step]], path: &str) {
    if rests.iter().any(|rest| matches!(rest, [] | [Step::Deep])) {
        return;
    }
    if rests.is_empty() {
        return reader.ignore(if path.is_empty() { "(payload)" } else { path });
    }
    match value {
        Value::Object(members) => {
            for (key, value) in members.iter().filter(|(_, value)| !value.is_null()) {
                let rests = after(rests, |step| match step {
                    Step::Key(known) => known == key,
                    Step::Any | Step::Deep => true,
                });
                if rests.is_empty() {
                    reader.ignore(&format!("{path}{key}"));
                } else {
                    visit(reader, value, &rests, &format!("{path}{key}."));
                }
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                let rests = after(rests, |step| match step {
                    Step::Key(known) => known.parse() == Ok(index),
                    Step::Any | Step::Deep => true,
                });
                visit(reader, value, &rests, path);
            }
        }
        Value::Null => {}
        _ => reader.ignore(path.trim_end_matches('.')),
    }
}

fn after<'p>(rests: &[&'p [Step]], fits: impl Fn(&Step) -> bool) -> Vec<&'p [Step]> {
    rests.iter().filter(|rest| rest.first().is_some_and(&fits)).map(|rest| &rest[1..]).collect()
}
