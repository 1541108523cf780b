//! Alarm rules, and which of them are for a sensor. What counts of them is decided by `pm_domain::alarm::rule`.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{actor, statements},
    value::{Columns, id, json, optional, text},
};
use pm_api::{
    AlarmRuleId, RuleScope, SensorId,
    alarm_rule::{AlarmRule, AlarmRuleFilter, RuleTarget, RuleValues},
    list::{ListQuery, Page},
    sort::AlarmRuleSort,
};
use pm_domain::alarm::rule::{self, Applicable};
use serde_json::Value;
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The rules that are for a sensor `s` of a machine `m`, as an array of what is given of each rule `r`; null where there is
/// none. While there are no rules at all, nothing is looked up.
macro_rules! rules_of_sensor {
    ($of_rule:literal) => {
        concat!(
            "case when exists (select from alarm_rules) then (
                select jsonb_agg(", $of_rule, ") from (
                    select * from alarm_rules where sensor_id = s.id
                    union all
                    select * from alarm_rules
                    where sensor_id is null and sensor_type = s.sensor_type and machine_id = m.id and machine_class is null
                    union all
                    select * from alarm_rules
                    where sensor_id is null and sensor_type = s.sensor_type and machine_id is null
                      and machine_class = m.machine_class
                    union all
                    select * from alarm_rules
                    where sensor_id is null and sensor_type = s.sensor_type and machine_id is null and machine_class is null
                ) r) end"
        )
    };
}
pub(crate) use rules_of_sensor;

/// The columns that [`alarm_rule`] reads.
macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', updated_at at time zone 'utc', sensor_id, machine_id, machine_class, sensor_type,
         on_delay_s, off_delay_s, dead_band, plausible_low, plausible_high, max_rate_per_min, expected_interval_s, priority,
         cause, consequence, response, link"
    };
}

lists! {
    LIST: AlarmRuleSort = List {
        columns: columns!(),
        rows: "from alarm_rules
            where ($1::uuid is null or sensor_id = $1) and ($2::uuid is null or machine_id = $2)
              and ($3::text is null or machine_class = $3) and ($4::text is null or sensor_type = $4)
              and ($5::text is null or $5 = case when sensor_id is not null then 'sensor' when machine_id is not null then 'machine'
                                                 when machine_class is not null then 'machine_class' else 'sensor_type' end)",
        id: Id::Uuid("id"),
        key: |sort| match sort {
            AlarmRuleSort::CreatedAt => Key::Time("created_at"),
            AlarmRuleSort::SensorType => Key::Text("coalesce(sensor_type, '')"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from alarm_rules where id = $1");
    CREATE = concat!("
        insert into alarm_rules (id, sensor_id, machine_id, machine_class, sensor_type, on_delay_s, off_delay_s, dead_band,
                                 plausible_low, plausible_high, max_rate_per_min, expected_interval_s, priority, cause,
                                 consequence, response, link)
        select $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18 from ", actor!(), "
        returning ", columns!());
    // only if it is still as it was read
    UPDATE = concat!("
        update alarm_rules r set
            on_delay_s = $4, off_delay_s = $5, dead_band = $6, plausible_low = $7, plausible_high = $8, max_rate_per_min = $9,
            expected_interval_s = $10, priority = $11, cause = $12, consequence = $13, response = $14, link = $15
        from ", actor!(), "
        where id = $2 and to_jsonb(r) @> $3::jsonb
        returning ", columns!());
    DELETE = concat!("delete from alarm_rules using ", actor!(), " where id = $2");
    // delays that run are looked at again, by the rules that count now
    LOOK_AGAIN = "update sensor_state set delay_due_at = now() where delay_due_at > now()";
    OF_SENSOR = concat!(
        "select ", rules_of_sensor!("jsonb_strip_nulls(to_jsonb(r) - '{created_at,updated_at}'::text[])"), "
        from sensors s join machines m on m.id = s.machine_id where s.id = $1");
}

fn alarm_rule(c: &mut Columns) -> Result<AlarmRule, StoreError> {
    let (id, created_at, updated_at) = (c.take()?, c.take()?, c.take()?);
    let target = RuleTarget {
        sensor_id: c.take()?,
        machine_id: c.take()?,
        machine_class: c.take()?,
        sensor_type: c.take()?,
    };
    let values = RuleValues {
        on_delay_s: c.take()?,
        off_delay_s: c.take()?,
        dead_band: c.take()?,
        plausible_low: c.take()?,
        plausible_high: c.take()?,
        max_rate_per_min: c.take()?,
        expected_interval_s: c.take()?,
        priority: c.optional_word()?,
        cause: c.take()?,
        consequence: c.take()?,
        response: c.take()?,
        link: c.take()?,
    };
    Ok(AlarmRule { id, created_at, updated_at, scope: rule::scope(&target), target, values })
}

/// Reads what `rules_of_sensor!` gives.
pub(crate) fn applicable(rules: Value) -> Result<Vec<Applicable>, StoreError> {
    serde_json::from_value(rules).map_err(|e| StoreError::Failed(e.to_string()))
}

fn values(values: &RuleValues) -> [ParameterValue; 12] {
    let words = |given: &Option<String>| optional(given.as_deref(), text);
    [
        values.on_delay_s.into(),
        values.off_delay_s.into(),
        values.dead_band.into(),
        values.plausible_low.into(),
        values.plausible_high.into(),
        values.max_rate_per_min.into(),
        values.expected_interval_s.into(),
        optional(values.priority, |p| text(p.as_str())),
        words(&values.cause),
        words(&values.consequence),
        words(&values.response),
        words(&values.link),
    ]
}

/// A page of the alarm rules.
pub async fn list(
    db: &Db,
    filter: &AlarmRuleFilter,
    query: &ListQuery<AlarmRuleSort>,
) -> Result<Page<AlarmRule>, StoreError> {
    let filter = vec![
        optional(filter.sensor_id, |s| id(s.0)),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.machine_class.as_deref(), text),
        optional(filter.sensor_type.as_deref(), text),
        optional(filter.scope.map(RuleScope::as_str), text),
    ];
    LIST.page(db, query, filter, alarm_rule).await
}

/// One alarm rule.
pub async fn get(db: &Db, rule_id: AlarmRuleId) -> Result<Option<AlarmRule>, StoreError> {
    db.first(GET, vec![id(rule_id.0)], alarm_rule).await
}

/// Creates a rule.
///
/// # Errors
/// Constraint `alarm_rules_one_per_scope` if there is one for these sensors, `alarm_rules_sensor_exists` and
/// `alarm_rules_machine_exists` if there is no such sensor or machine.
pub async fn create(
    db: &Db,
    actor: &Actor,
    target: &RuleTarget,
    new: &RuleValues,
) -> Result<AlarmRule, StoreError> {
    let mut params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        optional(target.sensor_id, |s| id(s.0)),
        optional(target.machine_id, |m| id(m.0)),
        optional(target.machine_class.as_deref(), text),
        optional(target.sensor_type.as_deref(), text),
    ];
    params.extend(values(new));
    let created = db.one(CREATE, params, alarm_rule).await?;
    look_again(db).await?;
    Ok(created)
}

/// Changes a rule that was read as `before`; `None` if it is another one by now.
pub async fn update(
    db: &Db,
    actor: &Actor,
    before: &AlarmRule,
    after: &RuleValues,
) -> Result<Option<AlarmRule>, StoreError> {
    let mut params = vec![actor.setting(), id(before.id.0), json(&before.values)?];
    params.extend(values(after));
    let changed = db.first(UPDATE, params, alarm_rule).await?;
    look_again(db).await?;
    Ok(changed)
}

/// Deletes a rule. False: there is no such rule.
pub async fn delete(db: &Db, actor: &Actor, rule_id: AlarmRuleId) -> Result<bool, StoreError> {
    let deleted = db.execute(DELETE, vec![actor.setting(), id(rule_id.0)]).await? > 0;
    look_again(db).await?;
    Ok(deleted)
}

async fn look_again(db: &Db) -> Result<(), StoreError> {
    db.execute(LOOK_AGAIN, vec![]).await.map(drop)
}

/// The rules that are for a sensor; `None` if there is no such sensor.
pub async fn of_sensor(db: &Db, sensor_id: SensorId) -> Result<Option<Vec<Applicable>>, StoreError> {
    let rules: Option<Option<Value>> = db.first(OF_SENSOR, vec![id(sensor_id.0)], |c| c.take()).await?;
    rules.map(|rules| rules.map_or_else(|| Ok(Vec::new()), applicable)).transpose()
}
