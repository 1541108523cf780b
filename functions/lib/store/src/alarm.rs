//! Alarms: raised from conditions, and read. What people do with them is in `alarm_change`.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::{contains_text, statements},
    value::{Columns, at, id, optional, text, texts},
};
use pm_api::{
    AlarmId, PredictionId, Severity,
    alarm::{Alarm, AlarmFilter, AlarmTransition},
    input::Flag,
    list::{ListQuery, Page},
    sort::{AlarmSort, HistorySort},
};
use pm_domain::alarm::{need, wanted_statuses};

macro_rules! columns {
    () => {
        "machine_id, sensor_id, prediction_id, severity, message, triggered_at at time zone 'utc', metadata, id,
         created_at at time zone 'utc', updated_at at time zone 'utc', status, resolved_at at time zone 'utc', kind,
         occurrences, condition_active, last_seen_at at time zone 'utc', acknowledged_at at time zone 'utc',
         acknowledged_by, resolution_notes, resolved_by, verdict, shelved_until at time zone 'utc', shelved_by,
         shelve_reason, coalesce(case_id, id)"
    };
}
pub(crate) use columns;

lists! {
    LIST: AlarmSort = List {
        columns: columns!(),
        rows: concat!("
            from alarms
            where status = any ($1::text[]) and ($2::uuid is null or machine_id = $2)
              and ($3::uuid is null or sensor_id = $3) and ($4::text is null or severity = $4)
              and ($5::text is null or kind = $5) and ($6::bool is null or condition_active = $6)
              and ($7::bool is null or (acknowledged_at is not null) = $7)
              and ($8::bool is null or (coalesce(shelved_until, '-infinity') > now()) = $8)
              and ($9::int8 is null or triggered_at >= epoch_us($9))
              and ($10::int8 is null or triggered_at < epoch_us($10))
              and ", contains_text!("$11" in "message"), "
              and ($12::text is null or verdict = $12) and ($13::uuid is null or prediction_id = $13)
              and ($14::uuid is null or coalesce(case_id, id) = $14)"),
        id: Id::Uuid("id"),
        key: |sort| match sort {
            AlarmSort::TriggeredAt => Key::Time("triggered_at"),
            AlarmSort::UpdatedAt => Key::Time("updated_at"),
            AlarmSort::Occurrences => Key::Number("occurrences"),
            AlarmSort::Severity => Key::Rank("severity", Severity::WORDS.to_vec()),
            AlarmSort::Urgency => Key::Rank(
                "concat_ws(' ', status, severity, condition_active::text)",
                need::ORDER.iter().map(String::as_str).collect(),
            ),
        },
        total: Total::Exact,
        one_plan: false,
    };
    HISTORY: HistorySort = List {
        columns: "t.id, t.at at time zone 'utc', t.change, t.note, t.by_user, u.full_name, u.email",
        rows: "from alarm_transitions t left join users u on u.id = t.by_user where t.alarm_id = $1",
        id: Id::Number("t.id"),
        key: |HistorySort::At| Key::Time("t.at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from alarms where id = $1");
}

/// A page of the alarms.
pub async fn list(
    db: &Db,
    filter: &AlarmFilter,
    query: &ListQuery<AlarmSort>,
) -> Result<Page<Alarm>, StoreError> {
    matching(db, filter, None, query).await
}

/// A page of the alarms that a prediction raised.
pub async fn of_prediction(
    db: &Db,
    prediction_id: PredictionId,
    query: &ListQuery<AlarmSort>,
) -> Result<Page<Alarm>, StoreError> {
    matching(db, &AlarmFilter::default(), Some(prediction_id), query).await
}

async fn matching(
    db: &Db,
    filter: &AlarmFilter,
    prediction_id: Option<PredictionId>,
    query: &ListQuery<AlarmSort>,
) -> Result<Page<Alarm>, StoreError> {
    let flag = |flag: Option<Flag>| optional(flag, |flag| flag.0.into());
    let filter = vec![
        texts(wanted_statuses(filter.status)),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.sensor_id, |s| id(s.0)),
        optional(filter.severity, |s| text(s.as_str())),
        optional(filter.kind, |k| text(k.as_str())),
        flag(filter.condition_active),
        flag(filter.acknowledged),
        flag(filter.shelved),
        optional(filter.start_date, at),
        optional(filter.end_date, at),
        optional(filter.q.as_deref(), text),
        optional(filter.verdict, |v| text(v.as_str())),
        optional(prediction_id, |p| id(p.0)),
        optional(filter.case_id, |c| id(c.0)),
    ];
    LIST.page(db, query, filter, alarm).await
}

/// One alarm.
pub async fn get(db: &Db, alarm_id: AlarmId) -> Result<Option<Alarm>, StoreError> {
    db.first(GET, vec![id(alarm_id.0)], alarm).await
}

/// A page of what happened to an alarm.
pub async fn history(
    db: &Db,
    alarm_id: AlarmId,
    query: &ListQuery<HistorySort>,
) -> Result<Page<AlarmTransition>, StoreError> {
    HISTORY
        .page(db, query, vec![id(alarm_id.0)], |c| {
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
        case_id: c.take()?,
    })
}
