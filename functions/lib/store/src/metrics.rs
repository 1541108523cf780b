//! Figures of the whole system.

use crate::{Db, StoreError, statement::statements};
use pm_domain::duration::HOUR_S;

statements! {
    FIGURES = "
        with newest as (select id from sensor_data order by time desc limit 1),
        hour_ago as (
            select coalesce(
                (select id from sensor_data where time <= now() - $1::int8 * interval '1 second' order by time desc limit 1),
                (select id - 1 from sensor_data order by time limit 1)) as id)
        select 'readings_last_hour', '', coalesce(greatest((select id from newest) - (select id from hour_ago), 0), 0)::float8
        union all select 'readings_total', '', coalesce(pg_sequence_last_value(pg_get_serial_sequence('sensor_data', 'id')), 0)::float8
        union all select 'prediction_latency_ms', '', coalesce(avg(response_time_ms), 0)::float8
            from (select response_time_ms from predictions order by time desc limit 1000) p
        union all select 'machines', status, count(*)::float8 from machines group by status
        union all select 'sensors', '', count(*)::float8 from sensors
        union all select 'alarms', status, count(*)::float8 from alarms group by status
        union all select 'tickets', status, count(*)::float8 from tickets group by status
        union all select 'jobs', status, count(*)::float8 from jobs group by status
        union all select 'webhook_deliveries_pending', '', count(*)::float8 from webhook_deliveries where status = 'pending'
        union all select 'outbox_position', '', coalesce(max(position), 0)::float8 from outbox
        union all select 'dead_letters', '', count(*)::float8 from dead_letters
        union all select 'database_uptime_s', '', extract(epoch from now() - pg_postmaster_start_time())::float8";
}

/// One figure; `label` tells figures of the same name apart (a status), or is empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What is counted or measured.
    pub name: String,
    /// Of which kind.
    pub label: String,
    /// How much.
    pub value: f64,
}

/// Every figure that the database knows. Readings are counted by their row numbers, so repeats count as well.
pub async fn figures(db: &Db) -> Result<Vec<Figure>, StoreError> {
    db.rows(FIGURES, vec![HOUR_S.into()], |c| {
        Ok(Figure { name: c.take()?, label: c.take()?, value: c.take()? })
    })
    .await
}
