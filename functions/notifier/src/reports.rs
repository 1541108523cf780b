//! Scheduled reports and expired ones: the work is `reports`'.

use pm_api::report::ReportsRun;
use pm_domain::clock::Task;
use pm_store::{Db, StoreError, clock, report_schedule};
use pm_web::{Component, Refusal, database, log_error, spawn, variable};

/// Tells `reports` when there is something to do. A report takes longer than a tick, so it is made beside the answer; a
/// run is claimed with a lease, so a second call in the meantime finds nothing.
pub(crate) async fn wake(db: &Db) -> Result<(), StoreError> {
    if report_schedule::work_to_do(db).await? {
        spawn(async {
            if let Err(error) = run().await {
                log_error(&format!("task {}: {error}", Task::Reports.name()));
                fail().await;
            }
        });
    }
    Ok(())
}

/// Stores that the task failed, for `/status`.
async fn fail() {
    let stored = match database().await {
        Ok(db) => clock::failed(&db, &[Task::Reports]).await.map_err(Refusal::from),
        Err(refusal) => Err(refusal),
    };
    if let Err(error) = stored {
        log_error(&format!("a failed task cannot be stored: {error:?}"));
    }
}

async fn run() -> Result<(), String> {
    let token = variable("component_token").await.map_err(|e| format!("{e:?}"))?;
    let called = Component("reports").post_postcard_for_json(
        "/internal/reports",
        &(),
        "application/octet-stream",
        Some(&token),
    );
    called.await.map(|ReportsRun { .. }| ()).map_err(|e| e.to_string())
}
