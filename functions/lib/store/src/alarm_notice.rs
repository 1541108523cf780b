//! The log of notices of escalations, as people read it.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    value::{Columns, id, optional, text},
};
use pm_api::{
    escalation::{AlarmNotice, AlarmNoticeFilter},
    list::{ListQuery, Page},
    sort::AlarmNoticeSort,
};

lists! {
    LIST: AlarmNoticeSort = List {
        columns: "n.id, e.case_id, e.machine_id, e.chain_name, n.subject, n.step, n.repetition, n.recipient, n.reason, n.user_id,
                  n.channel, n.created_at at time zone 'utc', n.fate, n.attempts, n.finished_at at time zone 'utc', n.error",
        rows: "from alarm_notices n join escalations e on e.id = n.escalation_id
               where ($1::uuid is null or e.case_id = (select coalesce(a.case_id, a.id) from alarms a where a.id = $1))
                 and ($2::text is null or n.fate = $2) and ($3::uuid is null or n.user_id = $3)",
        id: Id::Uuid("n.id"),
        key: |AlarmNoticeSort::CreatedAt| Key::Time("n.created_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

/// A page of the notices.
pub async fn list(
    db: &Db,
    filter: &AlarmNoticeFilter,
    query: &ListQuery<AlarmNoticeSort>,
) -> Result<Page<AlarmNotice>, StoreError> {
    let filter = vec![
        optional(filter.alarm_id, |a| id(a.0)),
        optional(filter.fate, |f| text(f.as_str())),
        optional(filter.user_id, |u| id(u.0)),
    ];
    LIST.page(db, query, filter, notice).await
}

fn notice(c: &mut Columns) -> Result<AlarmNotice, StoreError> {
    Ok(AlarmNotice {
        id: c.take()?,
        alarm_id: c.take()?,
        machine_id: c.take()?,
        chain: c.take()?,
        subject: c.word()?,
        step: c.take::<i64>()? + 1,
        repetition: c.take()?,
        recipient: c.take()?,
        reason: c.take()?,
        user_id: c.take()?,
        channel: c.take()?,
        created_at: c.take()?,
        fate: c.word()?,
        attempts: c.take()?,
        finished_at: c.take()?,
        error: c.take()?,
    })
}
