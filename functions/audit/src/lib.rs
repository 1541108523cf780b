//! Component `audit`: the audit log, for administrators.
//!
//! Deliberately absent: writing it. Triggers of the schema do that for every change made for a person, and
//! `pm_store::audit::record` for events that change no row; nothing can change or remove an entry.

use pm_api::sort::AuditSort;
use pm_auth::Op;
use pm_store::audit;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json_page, serve};

/// Longest text of a filter, characters.
const TEXT: usize = 200;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("audit", request, |op, call| async move {
        match op {
            Op::ListAuditLogs => list(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// Filters: `user_id`, `action_type`, `resource_type`, `resource_id`, `start_date`, `end_date`, `q` (any text in it).
async fn list(call: &Call) -> Outcome {
    let filter = audit::Filter {
        user_id: call.query.id("user_id")?,
        action_type: call.query.short_text("action_type", TEXT)?,
        resource_type: call.query.short_text("resource_type", TEXT)?,
        resource_id: call.query.short_text("resource_id", TEXT)?,
        start: call.query.time("start_date")?,
        end: call.query.time("end_date")?,
        search: call.query.search()?,
    };
    let query = call.query.list::<AuditSort>(100)?;
    Ok(json_page(&audit::list(&call.db().await?, &filter, &query).await?))
}
