//! Counts for the overview.

use crate::{Db, StoreError, closed::alarm_is_open, statement::statements};
use pm_api::dashboard::{
    Active, Last24h, MachineCount, MachineStats, MachinesByCriticality, MachinesByStatus, Overview,
    PredictionStats, PredictionsByStatus, Total,
};
use pm_domain::rollup::{MINUTE_COUNTS_FRESH_S, OVERVIEW_S};

statements! {
    OVERVIEW = concat!("
        select (select count(*) from machines), (select count(*) from machines where status = 'online'),
               (select count(*) from sensors), (select count(*) from alarms where ", alarm_is_open!(), "),
               -- counted once a tick; without a clock, now
               coalesce((select value from counts
                         where name = 'predictions_24h' and valid_until > now()),
                        (select count(*) from predictions where time > now() - $1::int8 * interval '1 second'))");
    MACHINES = "
        select count(*) filter (where status = 'online'), count(*) filter (where status = 'offline'),
               count(*) filter (where status = 'maintenance'), count(*) filter (where status = 'degraded'),
               count(*) filter (where criticality = 'low'), count(*) filter (where criticality = 'medium'),
               count(*) filter (where criticality = 'high'), count(*) filter (where criticality = 'critical')
        from machines";
    SENSORS = "select count(*) from sensors";
    // whole minutes from their counts, what is not counted yet one by one
    PREDICTIONS = "
        with counted as materialized (
            select coalesce((select max(bucket) + interval '1 minute' from predictions_1m
                             where bucket > now() - $2::int8 * interval '1 second'), '-infinity') as through)
        select coalesce(sum(normal + warning + critical + buffering), 0)::int8, coalesce(sum(normal), 0)::int8,
               coalesce(sum(warning), 0)::int8, coalesce(sum(critical), 0)::int8
        from (
            select normal, warning, critical, buffering from predictions_1m
            where bucket > now() - $1::int8 * interval '1 hour' and bucket < (select through from counted)
            union all
            select count(*) filter (where status = 'normal'), count(*) filter (where status = 'warning'),
                   count(*) filter (where status = 'critical'), count(*) filter (where status = 'buffering')
            from predictions
            where time > now() - $1::int8 * interval '1 hour' and time >= (select through from counted)) p";
}

/// Counts for the overview.
pub async fn overview(db: &Db) -> Result<Overview, StoreError> {
    db.one(OVERVIEW, vec![OVERVIEW_S.into()], |c| {
        Ok(Overview {
            machines: MachineCount { total: c.take()?, online: c.take()? },
            sensors: Total { total: c.take()? },
            alarms: Active { active: c.take()? },
            predictions: Last24h { last_24h: c.take()? },
        })
    })
    .await
}

/// Machines by status and criticality.
pub async fn machines(db: &Db) -> Result<MachineStats, StoreError> {
    db.one(MACHINES, vec![], |c| {
        Ok(MachineStats {
            by_status: MachinesByStatus {
                online: c.take()?,
                offline: c.take()?,
                maintenance: c.take()?,
                degraded: c.take()?,
            },
            by_criticality: MachinesByCriticality {
                low: c.take()?,
                medium: c.take()?,
                high: c.take()?,
                critical: c.take()?,
            },
        })
    })
    .await
}

/// Number of sensors.
pub async fn sensors(db: &Db) -> Result<Total, StoreError> {
    db.one(SENSORS, vec![], |c| Ok(Total { total: c.take()? })).await
}

/// Predictions of the last hours by class.
pub async fn predictions(db: &Db, hours: i64) -> Result<PredictionStats, StoreError> {
    db.one(PREDICTIONS, vec![hours.into(), MINUTE_COUNTS_FRESH_S.into()], |c| {
        Ok(PredictionStats {
            total: c.take()?,
            by_status: PredictionsByStatus { normal: c.take()?, warning: c.take()?, critical: c.take()? },
            period_hours: hours,
        })
    })
    .await
}
