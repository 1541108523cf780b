//! Component `audit`: the audit log, for administrators.
//!
//! Deliberately absent: writing it. Triggers of the schema do that for every change made for a person, and
//! `pm_store::audit::record` for events that change no row; nothing can change or remove an entry.

use pm_api::{audit::AuditEntry, list::Page, route::op};
use pm_store::audit;
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("audit", request, handlers! { ListAuditLogs => list }).await
}

async fn list(input: Input<op::ListAuditLogs>) -> Result<Page<AuditEntry>, Refusal> {
    Ok(audit::list(&input.db().await?, &input.query, &input.page).await?)
}
