//! Alarms: raised from conditions, and read. What people do with them is in `alarm_change`.

use crate::{
    After, Db, Page, Paging, StoreError,
    statement::statements,
    value::{Columns, at, id, optional, text, texts},
};
use pm_api::{
    AlarmId, AlarmKind, AlarmSort, AlarmStatus, MachineId, PredictionId, SensorId, Severity, Timestamp,
    Verdict,
    alarm::{Alarm, AlarmTransition},
};

macro_rules! columns {
    () => {
        "machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
         created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc', kind,
         occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
         acknowledged_by, resolution_notes, resolved_by, verdict, shelved_until at time zone 'utc', shelved_by,
         shelve_reason"
    };
}
pub(crate) use columns;

/// What a list's filter says; the same for its pages and its total.
macro_rules! filter {
    () => {
        "status = any ($1::text[]) and ($2::uuid is null or machine_id = $2) and ($3::uuid is null or sensor_id = $3)
         and ($4::text is null or severity = $4) and ($5::text is null or kind = $5)
         and ($6::bool is null or condition_active = $6)
         and ($7::bool is null or (acknowledged_at is not null) = $7)
         and ($8::bool is null or (coalesce(shelved_until, '-infinity') > now()) = $8)
         and ($9::int8 is null or triggered_at >= epoch_us($9)) and ($10::int8 is null or triggered_at < epoch_us($10))
         and ($11::text is null or position(lower($11) in lower(message)) > 0)
         and ($12::text is null or verdict = $12)"
    };
}

/// A list in the order of a column; `$order` and `$beyond` belong together (`desc` and `<`).
macro_rules! list {
    ($column:expr, $key:literal, $order:literal, $beyond:literal) => {
        concat!(
            "select ",
            columns!(),
            ", (select count(*) from alarms where ",
            filter!(),
            ")
             from alarms where ",
            filter!(),
            "
               and ($13::int8 is null or (",
            $column,
            ", id) ",
            $beyond,
            " (",
            $key,
            ", $14::uuid))
             order by ",
            $column,
            " ",
            $order,
            ", id ",
            $order,
            " limit $15 offset $16"
        )
    };
}

/// How much an alarm needs somebody, as [`place`] counts it.
macro_rules! need {
    () => {
        "(array_position(array['resolved', 'acknowledged', 'open'], status) * 8
          + array_position(array['info', 'warning', 'critical'], severity) * 2 + condition_active::int)"
    };
}

statements! {
    BY_TIME_DESC = list!("triggered_at", "epoch_us($13)", "desc", "<");
    BY_TIME_ASC = list!("triggered_at", "epoch_us($13)", "asc", ">");
    BY_CHANGE_DESC = list!("updated_at", "epoch_us($13)", "desc", "<");
    BY_CHANGE_ASC = list!("updated_at", "epoch_us($13)", "asc", ">");
    BY_OCCURRENCES_DESC = list!("occurrences", "$13", "desc", "<");
    BY_OCCURRENCES_ASC = list!("occurrences", "$13", "asc", ">");
    BY_SEVERITY_DESC = list!("array_position(array['info', 'warning', 'critical'], severity)", "$13", "desc", "<");
    BY_SEVERITY_ASC = list!("array_position(array['info', 'warning', 'critical'], severity)", "$13", "asc", ">");
    BY_NEED_DESC = list!(need!(), "$13", "desc", "<");
    BY_NEED_ASC = list!(need!(), "$13", "asc", ">");
    COUNT = concat!("select count(*) from alarms where ", filter!());
    GET = concat!("select ", columns!(), " from alarms where id = $1");
    OF_PREDICTION = concat!(
        "select ", columns!(), " from alarms where prediction_id = $1 order by triggered_at desc limit 200"
    );
    HISTORY = "
        select t.id, t.at at time zone 'utc', t.change, t.note, t.by_user, u.full_name, u.email
        from alarm_transitions t left join users u on u.id = t.by_user
        where t.alarm_id = $1 order by t.id";
}

/// Which alarms.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In any of these states.
    pub statuses: Vec<AlarmStatus>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// Of this sensor.
    pub sensor_id: Option<SensorId>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Raised by this.
    pub kind: Option<AlarmKind>,
    /// Whose condition holds, or does not.
    pub condition_active: Option<bool>,
    /// That somebody acknowledged, or nobody did.
    pub acknowledged: Option<bool>,
    /// That are shelved now, or are not.
    pub shelved: Option<bool>,
    /// Raised at or after.
    pub from: Option<Timestamp>,
    /// Raised before.
    pub to: Option<Timestamp>,
    /// Whose message contains this, in any case.
    pub text: Option<String>,
    /// That were found to be this.
    pub verdict: Option<Verdict>,
}

/// Alarms in the order asked for.
pub async fn list(db: &Db, filter: Filter, paging: &Paging<AlarmSort>) -> Result<Page<Alarm>, StoreError> {
    let sql = match (paging.sort_by, paging.ascending) {
        (AlarmSort::TriggeredAt, false) => BY_TIME_DESC,
        (AlarmSort::TriggeredAt, true) => BY_TIME_ASC,
        (AlarmSort::UpdatedAt, false) => BY_CHANGE_DESC,
        (AlarmSort::UpdatedAt, true) => BY_CHANGE_ASC,
        (AlarmSort::Occurrences, false) => BY_OCCURRENCES_DESC,
        (AlarmSort::Occurrences, true) => BY_OCCURRENCES_ASC,
        (AlarmSort::Severity, false) => BY_SEVERITY_DESC,
        (AlarmSort::Severity, true) => BY_SEVERITY_ASC,
        (AlarmSort::Need, false) => BY_NEED_DESC,
        (AlarmSort::Need, true) => BY_NEED_ASC,
    };
    let params = vec![
        texts(&filter.statuses),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.sensor_id, |s| id(s.0)),
        optional(filter.severity, |s| text(s.as_str())),
        optional(filter.kind, |k| text(k.as_str())),
        optional(filter.condition_active, Into::into),
        optional(filter.acknowledged, Into::into),
        optional(filter.shelved, Into::into),
        optional(filter.from, at),
        optional(filter.to, at),
        optional(filter.text, text),
        optional(filter.verdict, |v| text(v.as_str())),
    ];
    paging.read(db, sql, COUNT, params, alarm).await
}

/// The place of an alarm in a list of this order.
#[must_use]
pub fn place(alarm: &Alarm, sort_by: AlarmSort) -> After {
    let key = match sort_by {
        AlarmSort::TriggeredAt => alarm.triggered_at.0,
        AlarmSort::UpdatedAt => alarm.updated_at.0,
        AlarmSort::Occurrences => alarm.occurrences,
        // as array_position counts
        AlarmSort::Severity => alarm.severity as i64 + 1,
        AlarmSort::Need => {
            let status = match alarm.status {
                AlarmStatus::Resolved => 1,
                AlarmStatus::Acknowledged => 2,
                AlarmStatus::Open => 3,
            };
            status * 8 + (alarm.severity as i64 + 1) * 2 + i64::from(alarm.condition_active)
        }
    };
    After { key, id: alarm.id.0 }
}

/// One alarm.
pub async fn get(db: &Db, alarm_id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    db.first(GET, vec![id(alarm_id.0)], alarm).await
}

/// Alarms raised by a prediction, newest first.
pub async fn of_prediction(db: &Db, prediction_id: PredictionId) -> Result<Vec<Alarm>, StoreError> {
    db.rows(OF_PREDICTION, vec![id(prediction_id.0)], alarm).await
}

/// What happened to an alarm, oldest first.
pub async fn history(db: &Db, alarm_id: AlarmId) -> Result<Vec<AlarmTransition>, StoreError> {
    db.rows(HISTORY, vec![id(alarm_id.0)], |c| {
        Ok(AlarmTransition {
            id: c.take()?,
            at: c.take()?,
            change: c.take()?,
            note: c.take()?,
            by_user: c.take()?,
            by_name: c.take()?,
            by_email: c.take()?,
        })
    })
    .await
}

pub(crate) fn alarm(c: &mut Columns) -> Result<Alarm, StoreError> {
    Ok(Alarm {
        machine_id: c.take()?,
        sensor_id: c.take()?,
        prediction_id: c.take()?,
        severity: c.word()?,
        message: c.take()?,
        triggered_at: c.take()?,
        metadata: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        status: c.word()?,
        resolved_at: c.take()?,
        kind: c.take()?,
        occurrences: c.take()?,
        condition_active: c.take()?,
        last_seen_at: c.take()?,
        acknowledged_at: c.take()?,
        acknowledged_by: c.take()?,
        resolution_notes: c.take()?,
        resolved_by: c.take()?,
        verdict: c.optional_word()?,
        shelved_until: c.take()?,
        shelved_by: c.take()?,
        shelve_reason: c.take()?,
    })
}
