//! What inputs are refused for, and where.

use super::*;
use crate::{MachineId, Metadata, Severity, Timestamp};
use deserr::deserialize;
use proptest::prelude::*;
use serde_json::json;

input! {
    /// A body with every kind of field.
    Sample check in_order {
        required {
            /// A name.
            name: Text<1, 5>,
            /// A machine.
            machine_id: MachineId,
        }
        optional {
            /// A number.
            low: Number,
            /// A number above it.
            high: Number,
            /// A word.
            severity: Severity,
            /// An instant.
            at: Timestamp,
            /// A list.
            tags: Many<Text<1, 3>, 1, 2>,
            /// A secret.
            password: Secret<3, 9>,
            /// A free object.
            metadata: Metadata,
        }
        patch {
            /// A text that null clears.
            note: Text<0, 9>,
        }
    }
    /// A query.
    SampleQuery {
        optional {
            /// A count.
            count: Whole<1, 10>,
            /// A truth value.
            flag: Flag,
            /// Several words.
            severities: CommaSeparated<Severity, 2>,
            /// A day.
            day: Day,
        }
    }
}

fn in_order(sample: &Sample) -> Result<(), FieldFault> {
    match (sample.low, sample.high) {
        (Some(low), Some(high)) if low > high => {
            Err(FieldFault::new("high", "Input should not be below low", high.0))
        }
        _ => Ok(()),
    }
}

/// Each fault as its place and kind.
fn faults<T: deserr::Deserr<Faults>>(value: Value) -> Vec<(String, String)> {
    let place =
        |loc: &[Value]| loc.iter().map(|s| s.to_string().replace('"', "")).collect::<Vec<_>>().join("/");
    let read = deserialize::<T, _, Faults>(value);
    read.err().map_or(Vec::new(), |faults| {
        faults.0.into_iter().map(|fault| (place(&fault.loc), fault.kind)).collect()
    })
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all: Vec<_> = list.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    all.sort();
    all
}

const ID: &str = "01930000-0000-7000-8000-000000000000";

#[test]
fn every_fault_of_a_body_is_told_at_its_field() {
    let mut told = faults::<Sample>(json!({
        "name": "   ", "low": "x", "severity": "grave", "at": 5, "tags": ["abcd", 1], "password": "ab",
        "metadata": [], "note": "0123456789", "unknown": true
    }));
    told.sort();
    assert_eq!(
        told,
        pairs(&[
            ("name", "string_too_short"),
            ("machine_id", "missing"),
            ("low", "float_type"),
            ("severity", "enum"),
            ("at", "datetime_parsing"),
            ("tags/0", "string_too_long"),
            ("tags/1", "string_type"),
            ("password", "string_too_short"),
            ("metadata", "dict_type"),
            ("note", "string_too_long"),
        ])
    );
    let object = faults::<Sample>(json!([]));
    assert_eq!(object, pairs(&[("", "model_attributes_type")]));
}

#[test]
fn fields_are_checked_together_when_each_is_good() {
    let body = json!({ "name": "a", "machine_id": ID, "low": 2, "high": "1.5" });
    assert_eq!(faults::<Sample>(body.clone()), pairs(&[("high", "value_error")]));
    let list = json!([{ "name": "a", "machine_id": ID }, body]);
    assert_eq!(faults::<Many<Sample, 1, 9>>(list), pairs(&[("1/high", "value_error")]));
}

#[test]
fn the_faults_of_named_values_are_told() {
    let told = faults::<ByName<Whole<1, 9>>>(json!({ "a": 1, "b": 10, "c": "x" }));
    assert_eq!(told, pairs(&[("b", "less_than_equal"), ("c", "int_parsing")]));
    assert_eq!(faults::<ByName<Whole<1, 9>>>(json!([])), pairs(&[("", "model_attributes_type")]));
}

#[test]
fn an_error_does_not_repeat_a_secret() {
    let body = json!({ "name": "a", "machine_id": ID, "password": "0123456789" });
    let error = deserialize::<Sample, _, Faults>(body).expect_err("the password is too long");
    assert!(error.0.iter().all(|fault| fault.input == Value::Null), "{error:?}");
    assert_eq!(format!("{:?}", Secret::<0, 9>::from("hush")), "Secret");
}

#[test]
fn a_patch_tells_absent_from_null() {
    let read = |note: Value| {
        let body = json!({ "name": "a", "machine_id": ID, "note": note });
        deserialize::<Sample, _, Faults>(body).map(|sample| sample.note)
    };
    assert_eq!(read(Value::Null), Ok(Patch::Clear));
    assert_eq!(read("n".into()), Ok(Patch::Set("n".into())));
    let absent = deserialize::<Sample, _, Faults>(json!({ "name": "a", "machine_id": ID, "low": null }));
    assert_eq!(absent.as_ref().map(|sample| &sample.note), Ok(&Patch::Absent));
    assert_eq!(absent.map(|sample| sample.low), Ok(None));
}

#[test]
fn a_query_spells_numbers_and_truth_values() {
    let query = json!({ "count": " 7 ", "flag": "ON", "severities": "info, critical", "day": "2026-11-30" });
    let read = deserialize::<SampleQuery, _, Faults>(query).expect("a good query");
    assert_eq!(read.count, Some(Whole(7)));
    assert_eq!(read.flag, Some(Flag(true)));
    assert_eq!(read.severities, Some(CommaSeparated(vec![Severity::Info, Severity::Critical])));
    let mut told = faults::<SampleQuery>(
        json!({ "count": "11", "flag": "maybe", "severities": "grave,", "day": "2026-11-31T00" }),
    );
    told.sort();
    let expected = [
        ("count", "less_than_equal"),
        ("day", "date_from_datetime_parsing"),
        ("flag", "bool_parsing"),
        ("severities", "enum"),
        ("severities", "enum"),
    ];
    assert_eq!(told, pairs(&expected));
    assert_eq!(faults::<SampleQuery>(json!({ "count": "x" })), pairs(&[("count", "int_parsing")]));
    assert_eq!(
        faults::<SampleQuery>(json!({ "severities": "info,info,info" })),
        pairs(&[("severities", "too_long")])
    );
}

#[test]
fn nul_is_refused_at_any_depth_and_a_backslash_is_not_nul() {
    let body = |metadata: Value| json!({ "name": "a", "machine_id": ID, "metadata": metadata });
    for bad in [json!({ "a": ["b\0"] }), json!({ "a\0": 1 })] {
        assert_eq!(faults::<Sample>(body(bad)), pairs(&[("metadata", "value_error")]));
    }
    assert_eq!(faults::<Sample>(body(json!({ "path": "c:\\u0000" }))), []);
    assert_eq!(
        faults::<Sample>(json!({ "name": "\0", "machine_id": ID })),
        pairs(&[("name", "value_error")])
    );
}

proptest! {
    #[test]
    fn a_text_is_accepted_exactly_within_its_bounds(text in ".{0,8}") {
        let good = (1..=5).contains(&text.chars().count()) && !text.trim().is_empty() && !text.contains('\0');
        prop_assert_eq!(Text::<1, 5>::read(&Value::from(text.as_str())).is_ok(), good);
    }

    #[test]
    fn a_whole_number_is_accepted_exactly_within_its_bounds(number in any::<i32>()) {
        let good = (-5..=1000).contains(&number);
        prop_assert_eq!(Whole::<-5, 1000>::read(&Value::from(number)).is_ok(), good);
        prop_assert_eq!(Whole::<-5, 1000>::read(&Value::from(number.to_string())).is_ok(), good);
    }
}
