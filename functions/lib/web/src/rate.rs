//! How many requests a client may send in a minute (variable `requests_per_minute`; 0 is any number), counted by account
//! where there is one, else by address.
//!
//! `pm_domain::rate` decides; here are the count of this instance and the way to the common one. What must be exact, or must
//! spare the host itself, belongs to the proxy in front of it.

use crate::{Refusal, database::database, log_warning, now, variable};
use pm_api::UserId;
use pm_domain::rate::{Decision, MinuteCounts, minute_of};
use pm_store::rate;
use std::{
    net::IpAddr,
    sync::{Mutex, OnceLock, PoisonError},
};

static PRESENT: Mutex<Option<MinuteCounts>> = Mutex::new(None);

fn with_present<T>(act: impl FnOnce(&mut MinuteCounts) -> T) -> T {
    let mut present = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
    act(present.get_or_insert_with(MinuteCounts::default))
}

/// The limit, looked up once per instance; none where the component does not get the variable.
async fn limit() -> Option<u32> {
    static LIMIT: OnceLock<Option<u32>> = OnceLock::new();
    if let Some(limit) = LIMIT.get() {
        return *limit;
    }
    let text = variable("requests_per_minute").await.unwrap_or_default();
    let limit = text.trim().parse().ok().filter(|limit| *limit > 0);
    *LIMIT.get_or_init(|| limit)
}

/// Counts a request of this user, or of this address where there is none.
///
/// # Errors
/// 429 if the client is beyond its limit. If the database cannot count, the request is served.
pub(crate) async fn count(user: Option<UserId>, address: Option<IpAddr>) -> Result<(), Refusal> {
    let Some(limit) = limit().await else { return Ok(()) };
    let client = match user {
        Some(user) => format!("user {user}"),
        None => format!("address {}", address.map(|address| address.to_string()).unwrap_or_default()),
    };
    let (number, left_s) = minute_of(now());
    match with_present(|minute| minute.count(&client, number, limit)) {
        Decision::Serve => Ok(()),
        Decision::Refuse => Err(Refusal::TooFast(left_s)),
        Decision::Report(requests) => match add(&client, number, requests).await {
            Ok(all) if with_present(|minute| minute.is_over(&client, number, all, limit)) => {
                Err(Refusal::TooFast(left_s))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                log_warning(&format!("requests are not counted: {error:?}"));
                Ok(())
            }
        },
    }
}

async fn add(client: &str, minute: i64, requests: u32) -> Result<i64, Refusal> {
    Ok(rate::add(&database().await?, client, minute, i64::from(requests)).await?)
}
