//! Component `notifications`: which mails a user gets, and whether mail and webhooks work.
//!
//! Invariants: a test is answered with what became of it, not with a promise. Deliberately absent: sending (component
//! `notifier` and the bridge), what is told to whom (`pm_store::notice`).

mod preferences;
mod test;

use pm_web::{Answer, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        TestEmail => test::email,
        TestAddress => test::webhook,
        GetPreferences => preferences::get,
        UpdatePreferences => preferences::update,
    };
    serve("notifications", request, handlers).await
}
