//! Is the database there, and what the native parts said last.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{json, text},
};
use pm_api::tick::BridgeHealth;

statements! {
    TAKES_CHANGES = "select current_setting('transaction_read_only') = 'off'";
    REPORT = "
        insert into service_reports (name, kind, reported_at, report) values ($1, 'bridge', now(), $2)
        on conflict (name) do update set reported_at = excluded.reported_at, report = excluded.report";
    NEWEST_BRIDGE = "
        select report, extract(epoch from now() - reported_at)::float8
        from service_reports where kind = 'bridge' order by reported_at desc limit 1";
}

/// Asks the database for a sign of life: does it take changes, or is it read-only?
pub async fn takes_changes(db: &Db) -> Result<bool, StoreError> {
    db.one(TAKES_CHANGES, vec![], |c| c.take()).await
}

/// Keeps what a bridge says of itself.
pub async fn report_bridge(db: &Db, bridge: &BridgeHealth) -> Result<(), StoreError> {
    db.execute(REPORT, vec![text(bridge.name.clone()), json(bridge)?]).await.map(drop)
}

/// What the bridge that reported last said, and how many seconds ago.
pub async fn newest_bridge(db: &Db) -> Result<Option<(BridgeHealth, f64)>, StoreError> {
    db.first(NEWEST_BRIDGE, vec![], |c| {
        let report: serde_json::Value = c.take()?;
        let report = serde_json::from_value(report).map_err(|e| StoreError::Failed(e.to_string()))?;
        Ok((report, c.take()?))
    })
    .await
}
