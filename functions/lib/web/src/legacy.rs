//! What old clients send otherwise than the types of the requests say. It is put into the present form before it is read.

use serde_json::{Value, map::Entry};

/// A field's old name and its present one.
pub(crate) type Names = (&'static str, &'static str);

/// Names of fields that old clients send for another one. The present name wins where both are given.
const LEGACY_NAMES: &[Names] =
    &[("metadata_json", "metadata"), ("assigned_to", "assignee"), ("due_date", "due_at"), ("search", "q")];
/// Fields that the forms of the old front end always send: blank or null means that nothing was entered.
const FORM_FIELDS: &[&str] = &["assigned_to", "due_date"];

/// Is there no body? Old clients send `null` where they have none.
pub(crate) fn is_no_body(body: &[u8]) -> bool {
    matches!(body.trim_ascii(), b"" | b"null")
}

/// Removes fields without a value, and gives the others their present names; tells which came under an old one. Free
/// objects (`metadata`) stay as they are.
pub(crate) fn adapt(value: &mut Value) -> Vec<&'static Names> {
    let mut renamed = Vec::new();
    adapt_part(value, &mut renamed);
    renamed
}

fn adapt_part(value: &mut Value, renamed: &mut Vec<&'static Names>) {
    match value {
        Value::Object(object) => {
            object.retain(|name, value| !is_left_blank(name, value));
            for names in LEGACY_NAMES {
                let Some(given) = object.remove(names.0) else { continue };
                if let Entry::Vacant(entry) = object.entry(names.1) {
                    entry.insert(given);
                    renamed.push(names);
                }
            }
            object.values_mut().filter(|field| field.is_array()).for_each(|list| adapt_part(list, renamed));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| adapt_part(item, renamed)),
        _ => {}
    }
}

/// Is a field without a value? An id that is blank names nothing.
fn is_left_blank(name: &str, value: &Value) -> bool {
    let blank = value.as_str().is_some_and(|text| text.trim().is_empty());
    (blank && name.ends_with("_id")) || ((blank || value.is_null()) && FORM_FIELDS.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn old_names_blank_ids_and_empty_form_fields_are_adapted() {
        for (sent, read, renamed) in [
            (json!({"metadata_json": {"a_id": ""}}), json!({"metadata": {"a_id": ""}}), 1),
            (json!({"metadata_json": null, "metadata": {}}), json!({"metadata": {}}), 0),
            (
                json!({"assigned_to": "a@b.c", "due_date": "2026-12-24"}),
                json!({"assignee": "a@b.c", "due_at": "2026-12-24"}),
                2,
            ),
            (json!({"assigned_to": "", "due_date": null, "status": "open"}), json!({"status": "open"}), 0),
            (json!({"assigned_to": " ", "assignee": "a@b.c"}), json!({"assignee": "a@b.c"}), 0),
            (json!({"assignee": "", "due_at": null}), json!({"assignee": "", "due_at": null}), 0),
            (json!({"alarm_id": "", "sensor_id": " ", "name": ""}), json!({"name": ""}), 0),
            (
                json!({"readings": [{"machine_id": "", "metadata_json": {}}]}),
                json!({"readings": [{"metadata": {}}]}),
                1,
            ),
            (json!([{"metadata_json": {}}, 7]), json!([{"metadata": {}}, 7]), 1),
        ] {
            let mut value = sent.clone();
            assert_eq!((adapt(&mut value).len(), &value), (renamed, &read), "{sent}");
        }
    }

    #[test]
    fn null_is_no_body() {
        for (body, none) in [("", true), (" \n", true), (" null ", true), ("{}", false), ("0", false)] {
            assert_eq!(is_no_body(body.as_bytes()), none, "{body:?}");
        }
    }
}
