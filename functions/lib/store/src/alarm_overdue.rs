//! Sensors about which something is to be reported without a reading: a delay of an alarm rule has run out, or nothing was
//! sent for longer than expected.

use crate::alarm_rule::rules_of_sensor;
use crate::{
    Db, StoreError,
    ingest::{KnownSensor, known, known_sensor, remembered},
    sensor::threshold_columns,
    statement::statements,
    value::at,
};
use pm_api::Timestamp;

statements! {
    DUE = concat!("
        select ", known!(), "
        from sensors s join machines m on m.id = s.machine_id", remembered!(), "
        where st.delay_due_at <= epoch_us($1)
        order by st.delay_due_at limit 500");
    // the rules that are for a sensor say which silences are worth a look; which of them counts is not decided here
    SILENT = concat!("
        with expected as (
            select sensor_id, min(expected_interval_s) as least, max(expected_interval_s) as most
            from (
                select r.sensor_id, r.expected_interval_s from alarm_rules r where r.sensor_id is not null
                union all
                select s.id, r.expected_interval_s from alarm_rules r
                join sensors s on s.machine_id = r.machine_id and s.sensor_type = r.sensor_type
                union all
                select s.id, r.expected_interval_s from alarm_rules r
                join machines m on m.machine_class = r.machine_class
                join sensors s on s.machine_id = m.id and s.sensor_type = r.sensor_type
                union all
                select s.id, r.expected_interval_s from alarm_rules r
                join sensors s on s.sensor_type = r.sensor_type
                where r.machine_id is null and r.machine_class is null) of_sensor
            where expected_interval_s is not null
            group by sensor_id),
        worth_a_look as (
            select sensor_id from expected
            union
            select sensor_id from sensor_state where stale_condition <> 0)
        select silence.s, ", known!(), "
        from worth_a_look w join sensors s on s.id = w.sensor_id join machines m on m.id = s.machine_id", remembered!(), "
        left join expected e on e.sensor_id = s.id
        cross join lateral (
            select extract(epoch from
                now() - greatest(coalesce(l.updated_at, s.created_at), epoch_us($1)))::float8 as s) silence
        where case when coalesce(st.stale_condition, 0) = 0 then silence.s >= e.least
                   else e.most is null or silence.s < e.most end
        limit 500");
}

/// Sensors of which a delay ended by then, at most 500.
pub async fn due(db: &Db, by: Timestamp) -> Result<Vec<KnownSensor>, StoreError> {
    db.rows(DUE, vec![at(by)], known_sensor).await
}

/// Sensors whose silence may have begun or ended to be longer than expected, with its length, s; at most 500. Nobody
/// listened before `listening_since`.
pub async fn silent(db: &Db, listening_since: Timestamp) -> Result<Vec<(f64, KnownSensor)>, StoreError> {
    db.rows(SILENT, vec![at(listening_since)], |c| Ok((c.take()?, known_sensor(c)?))).await
}
