//! Component `notifications`: which mails a user gets, and whether mail and webhooks work.
//!
//! Invariants: a test is answered with what became of it, not with a promise. Deliberately absent: sending (component
//! `notifier` and the bridge), what is told to whom (`pm_store::notice`).

mod preferences;
mod test;

use pm_auth::Op;
use pm_web::{Answer, Refusal, Request, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("notifications", request, |op, call| async move {
        match op {
            Op::TestEmail => test::email(&call).await,
            Op::TestAddress => test::webhook(&call).await,
            Op::GetPreferences => preferences::get(&call).await,
            Op::UpdatePreferences => preferences::update(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}
