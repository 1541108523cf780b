//! What a request says: which sensors and which period; and where it is wrong.

use pm_api::{
    SensorId, Timestamp,
    backtest::{BacktestScope, MAX_SENSORS, NewBacktest},
    error::FieldError,
    input::FieldFault,
};
use pm_domain::duration::DAY_S;
use pm_store::ingest::KnownSensor;
use pm_web::{Refusal, now};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The period of a request that names none, s.
const PERIOD_S: i64 = 30 * DAY_S;
/// The longest period, s.
const MAX_PERIOD_S: i64 = 366 * DAY_S;

/// The period that is asked for; `place` is `body` or `query`.
pub(crate) fn period(
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    place: &str,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let now = now();
    let refuse = |field: &str, message: &str, input: Timestamp| {
        Err(Refusal::field("value_error", &[place, field], message, json!(input)))
    };
    let end = to.unwrap_or(now);
    if end > now {
        return refuse("to", "Input must not be in the future", end);
    }
    let begin = from.unwrap_or_else(|| end.plus_seconds(-PERIOD_S));
    if begin >= end {
        return refuse("from", "Input must be earlier than the end of the period", begin);
    }
    if begin < end.plus_seconds(-MAX_PERIOD_S) {
        return refuse("from", "The period must be at most 366 days long", begin);
    }
    Ok((begin, end))
}

/// A fault of one of the rules of a body.
pub(crate) fn in_rule(index: usize, fault: FieldFault) -> FieldError {
    let FieldFault { field, refused, input } = fault;
    let mut error = FieldError::new(refused.kind, &["body", "rules"], refused.message, input);
    error.loc.extend([json!(index), json!(field)]);
    error
}

/// Faults of a query.
pub(crate) fn in_query(faults: impl IntoIterator<Item = FieldFault>) -> Refusal {
    let located = |FieldFault { field, refused, input }: FieldFault| {
        FieldError::new(refused.kind, &["query", field], refused.message, input)
    };
    Refusal::Invalid(faults.into_iter().map(located).collect())
}

/// Which sensors are asked for.
pub(crate) fn scope(body: &NewBacktest) -> Result<BacktestScope, Refusal> {
    let scope = BacktestScope {
        sensor_ids: body.sensor_ids.as_ref().map(|ids| ids.0.clone()),
        machine_id: body.machine_id,
        machine_class: body.machine_class.as_ref().map(|class| class.to_string()),
        sensor_type: body.sensor_type.as_ref().map(|kind| kind.to_string()),
    };
    if scope == BacktestScope::default() {
        let message = "A back-test needs sensor_ids, machine_id, machine_class or sensor_type";
        return Err(Refusal::field("value_error", &["body", "sensor_ids"], message, Value::Null));
    }
    Ok(scope)
}

/// Are there sensors, and not too many?
pub(crate) fn check_sensors(scope: &BacktestScope, found: &[(String, KnownSensor)]) -> Result<(), Refusal> {
    let refuse = |message: String| {
        let (field, input) = match scope {
            BacktestScope { sensor_type: Some(kind), .. } => ("sensor_type", json!(kind)),
            BacktestScope { machine_class: Some(class), .. } => ("machine_class", json!(class)),
            BacktestScope { machine_id: Some(id), .. } => ("machine_id", json!(id)),
            _ => ("sensor_ids", Value::Null),
        };
        Err(Refusal::field("value_error", &["body", field], message, input))
    };
    if found.len() > MAX_SENSORS {
        return refuse(format!("These are more than {MAX_SENSORS} sensors"));
    }
    if let BacktestScope { sensor_ids: Some(ids), machine_id: None, machine_class: None, sensor_type: None } =
        scope
    {
        let known: BTreeSet<SensorId> = found.iter().map(|(_, sensor)| sensor.sensor_id).collect();
        if let Some((index, id)) = ids.iter().enumerate().find(|(_, id)| !known.contains(id)) {
            let message = "There is no sensor with this id";
            let mut error = FieldError::new("value_error", &["body", "sensor_ids"], message, json!(id));
            error.loc.push(json!(index));
            return Err(Refusal::Invalid(vec![error]));
        }
    }
    if found.is_empty() { refuse("There is no such sensor".to_owned()) } else { Ok(()) }
}
