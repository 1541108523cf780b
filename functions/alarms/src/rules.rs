//! Alarm rules: how the readings of sensors become alarms, and what counts for a sensor.

use pm_api::{
    AlarmRuleId, SensorId,
    alarm_rule::{AlarmRule, SensorAlarmRule},
    error::FieldError,
    list::Page,
    route::op,
};
use pm_domain::alarm::rule;
use pm_store::{StoreError, alarm_rule};
use pm_web::{Input, Refusal};
use serde_json::json;

/// How often a change is tried when other changes of the rule come in between.
const ATTEMPTS: usize = 3;

pub(crate) async fn list(input: Input<op::ListAlarmRules>) -> Result<Page<AlarmRule>, Refusal> {
    Ok(alarm_rule::list(&input.db().await?, &input.query, &input.page).await?)
}

pub(crate) async fn get(input: Input<op::GetAlarmRule>) -> Result<AlarmRule, Refusal> {
    let id: AlarmRuleId = input.id("rule_id")?;
    alarm_rule::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn create(input: Input<op::CreateAlarmRule>) -> Result<AlarmRule, Refusal> {
    let (target, values) = (input.body.target(), input.body.values());
    let mut faults = rule::target_faults(&target);
    faults.extend(rule::value_faults(&values));
    if !faults.is_empty() {
        return Err(Refusal::in_body(faults));
    }
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let unknown = |field: &str, message: &str, id| {
        Refusal::Invalid(vec![FieldError::new("value_error", &["body", field], message, id)])
    };
    alarm_rule::create(&db, &actor, &target, &values).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "alarm_rules_one_per_scope" => {
            Refusal::Conflict("There is a rule for these sensors already; change that one".to_owned())
        }
        StoreError::Constraint(name) if name == "alarm_rules_sensor_exists" => {
            unknown("sensor_id", "There is no sensor with this id", json!(target.sensor_id))
        }
        StoreError::Constraint(name) if name == "alarm_rules_machine_exists" => {
            unknown("machine_id", "There is no machine with this id", json!(target.machine_id))
        }
        other => other.into(),
    })
}

/// The values that result are checked together.
pub(crate) async fn update(input: Input<op::UpdateAlarmRule>) -> Result<AlarmRule, Refusal> {
    let id: AlarmRuleId = input.id("rule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    for _ in 0..ATTEMPTS {
        let before = alarm_rule::get(&db, id).await?.ok_or(Refusal::NotFound)?;
        let after = input.body.applied_to(before.values.clone());
        let faults = rule::value_faults(&after);
        if !faults.is_empty() {
            return Err(Refusal::in_body(faults));
        }
        if let Some(changed) = alarm_rule::update(&db, &actor, &before, &after).await? {
            return Ok(changed);
        }
    }
    Err(Refusal::Unavailable("other changes of the rule came in between".to_owned()))
}

pub(crate) async fn delete(input: Input<op::DeleteAlarmRule>) -> Result<(), Refusal> {
    let id: AlarmRuleId = input.id("rule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    if alarm_rule::delete(&db, &actor, id).await? { Ok(()) } else { Err(Refusal::NotFound) }
}

/// `GET /sensors/{id}/alarm-rule`.
pub(crate) async fn of_sensor(input: Input<op::SensorAlarmRule>) -> Result<SensorAlarmRule, Refusal> {
    let sensor_id: SensorId = input.id("sensor_id")?;
    let rules = alarm_rule::of_sensor(&input.db().await?, sensor_id).await?.ok_or(Refusal::NotFound)?;
    let own_rule_id = rules.iter().find(|rule| rule.target.sensor_id.is_some()).map(|rule| rule.id);
    let rule::Effective { values, origins } = rule::effective(&rules);
    let origins = origins.into_iter().map(|(field, origin)| (field.to_owned(), origin)).collect();
    Ok(SensorAlarmRule { sensor_id, own_rule_id, values, origins })
}
