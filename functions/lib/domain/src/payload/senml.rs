//! Sensor Measurement Lists (SenML, RFC 8428) in JSON.

use super::rows::{MAX_ROWS, Rows};
use pm_api::Timestamp;
use serde_json::{Map, Value, json};

/// Times below this are relative to the receipt (RFC 8428, 4.5.3).
const RELATIVE_BELOW_S: f64 = 268_435_456.0;

/// The rows of a pack in the plain form; `None` if it is no pack.
pub fn unmistakable(payload: &Value, received_at: Timestamp) -> Option<Result<Rows, String>> {
    let records = payload.as_array()?;
    let is_record = |record: &Value| {
        record.as_object().is_some_and(|r| {
            let named = r.contains_key("n") || r.contains_key("bn");
            let has_value = ["v", "vs", "vb", "vd", "s", "bv"].iter().any(|key| r.contains_key(*key));
            named && (has_value || r.contains_key("bn") || r.contains_key("bt"))
        })
    };
    // later records may have no name of their own
    let is_pack = records.first().is_some_and(is_record)
        && records.iter().all(|record| record.as_object().is_some_and(|r| r.keys().all(|key| is_label(key))));
    is_pack.then(|| read(records, received_at))
}

fn is_label(key: &str) -> bool {
    matches!(
        key,
        "bn" | "bt" | "bu" | "bv" | "bs" | "bver" | "n" | "u" | "v" | "vs" | "vb" | "vd" | "s" | "t" | "ut"
    ) || key.ends_with('_')
}

fn read(records: &[Value], received_at: Timestamp) -> Result<Rows, String> {
    if records.len() > MAX_ROWS {
        return Err(format!("payload: {} elements, more than {MAX_ROWS}", records.len()));
    }
    let mut rows = Rows::default();
    let mut base: Map<String, Value> = Map::new();
    for (index, record) in records.iter().enumerate() {
        let Some(record) = record.as_object() else { continue };
        for (key, value) in record.iter().filter(|(key, _)| key.starts_with('b')) {
            base.insert(key.clone(), value.clone());
        }
        if let Some(key) = record.keys().find(|key| key.ends_with('_')) {
            rows.faults.push(format!("[{index}] {key}: a label that must be understood and is not"));
        } else if !record.keys().all(|key| key.starts_with('b')) {
            match row(&base, record, received_at) {
                Ok(row) => rows.rows.push(row),
                Err(reason) => rows.faults.push(format!("[{index}] {reason}")),
            }
        }
    }
    Ok(rows)
}

fn row(
    base: &Map<String, Value>,
    record: &Map<String, Value>,
    received_at: Timestamp,
) -> Result<Value, String> {
    let text = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_f64);
    let base_name = text(base, "bn").unwrap_or_default();
    let own_name = text(record, "n").unwrap_or_default();
    let (machine, sensor) = names(&base_name, &own_name);
    if machine.is_empty() {
        return Err("n: names no machine, neither does bn".to_owned());
    }
    let value = match (record.get("v"), record.get("vb"), record.get("vs"), record.get("s")) {
        (Some(value), ..) => match (value.as_f64(), number(base, "bv")) {
            (Some(own), Some(base)) => json!(own + base),
            _ => value.clone(),
        },
        (None, Some(truth), ..) => truth.clone(),
        (None, None, Some(text), _) => text.clone(),
        (None, None, None, Some(sum)) => {
            let base_sum = number(base, "bs").unwrap_or(0.0);
            sum.as_f64().map_or_else(|| sum.clone(), |own| json!(own + base_sum))
        }
        _ => match number(base, "bv") {
            Some(base) if !record.contains_key("vd") => json!(base),
            _ => record.get("vd").cloned().unwrap_or(Value::Null),
        },
    };
    let time_s = number(base, "bt").unwrap_or(0.0) + number(record, "t").unwrap_or(0.0);
    let mut row = json!({ "machine_id": machine, "values": { sensor: value } });
    if let Some(unit) = text(record, "u").or_else(|| text(base, "bu")) {
        row["unit"] = json!(common_unit(&unit));
    }
    if time_s >= RELATIVE_BELOW_S {
        row["timestamp"] = json!(time_s);
    } else if time_s != 0.0 {
        row["timestamp"] = json!(received_at.0.saturating_add((time_s * 1e6) as i64));
    }
    Ok(row)
}

/// Machine and sensor: the base name and the name. Where one of them is missing, the last piece of the other is the
/// sensor, unless it is a device alone (`urn:dev:ow:10e2073a01080063`).
fn names(base: &str, own: &str) -> (String, String) {
    let machine_of = |text: &str| text.trim_end_matches([':', '/', '.', '-', '_', ';']).to_owned();
    let machine = machine_of(base);
    if !machine.is_empty() && !own.is_empty() {
        return (machine, own.to_owned());
    }
    let full = machine_of(&format!("{base}{own}"));
    let is_device = full.starts_with("urn:dev:") && full.matches(':').count() <= 3;
    match full.rsplit_once([':', '/']) {
        Some((machine, sensor)) if !is_device => (machine_of(machine), sensor.to_owned()),
        _ if is_device || own.is_empty() => (full, "value".to_owned()),
        _ => (String::new(), own.to_owned()),
    }
}

/// Units of SenML that are written otherwise elsewhere.
fn common_unit(unit: &str) -> &str {
    match unit {
        "Cel" => "°C",
        "Ohm" => "Ω",
        other => other,
    }
}
