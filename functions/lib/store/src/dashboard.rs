//! Counts for the overview.

use crate::{Db, StoreError, statement::statements};
use pm_api::dashboard::{
    Active, Last24h, MachineCount, MachineStats, MachinesByCriticality, MachinesByStatus, Overview,
    PredictionStats, PredictionsByStatus, Total,
};

statements! {
    OVERVIEW = "
        select (select count(*) from machines), (select count(*) from machines where status = 'online'),
               (select count(*) from sensors), (select count(*) from alarms where status <> 'resolved'),
               (select count(*) from predictions where time > now() - interval '24 hours')";
    MACHINES = "
        select count(*) filter (where status = 'online'), count(*) filter (where status = 'offline'),
               count(*) filter (where status = 'maintenance'), count(*) filter (where status = 'degraded'),
               count(*) filter (where criticality = 'low'), count(*) filter (where criticality = 'medium'),
               count(*) filter (where criticality = 'high'), count(*) filter (where criticality = 'critical')
        from machines";
    SENSORS = "select count(*) from sensors";
    PREDICTIONS = "
        select count(*), count(*) filter (where status = 'normal'), count(*) filter (where status = 'warning'),
               count(*) filter (where status = 'critical')
        from predictions where time > now() - $1::int8 * interval '1 hour'";
}

/// Counts for the overview.
///
/// # Errors
/// Whatever the database says.
pub async fn overview(db: &Db) -> Result<Overview, StoreError> {
    db.one(OVERVIEW, vec![], |c| {
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
///
/// # Errors
/// Whatever the database says.
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
///
/// # Errors
/// Whatever the database says.
pub async fn sensors(db: &Db) -> Result<Total, StoreError> {
    db.one(SENSORS, vec![], |c| Ok(Total { total: c.take()? })).await
}

/// Predictions of the last hours by class.
///
/// # Errors
/// Whatever the database says.
pub async fn predictions(db: &Db, hours: i64) -> Result<PredictionStats, StoreError> {
    db.one(PREDICTIONS, vec![hours.into()], |c| {
        Ok(PredictionStats {
            total: c.take()?,
            by_status: PredictionsByStatus { normal: c.take()?, warning: c.take()?, critical: c.take()? },
            period_hours: hours,
        })
    })
    .await
}
