//! How often one client may ask: so many requests a minute (variable `requests_per_minute`; 0 is any number), counted by
//! account where there is one, else by address.
//!
//! An instance lives for some requests only and shares no memory with others, and a write to the database for every
//! request would cost more than most requests do. So each instance counts by itself and adds its count to the common
//! one now and then; it refuses once the common count is beyond the limit. The limit is therefore kept roughly: a client
//! may have up to [`REPORTED_EVERY`] requests more from every instance. What must be exact, or must spare the host
//! itself, belongs to the proxy in front of it.

use crate::{Refusal, call::client_address, database::database, log_warning, now, variable};
use http::HeaderMap;
use pm_api::UserId;
use pm_store::rate;
use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
};

/// Requests of one client after which an instance adds its count to the common one; sooner when the limit is low.
const REPORTED_EVERY: u32 = 16;
const MINUTE_S: i64 = 60;
/// So many clients are known to an instance at most.
const MOST_CLIENTS: usize = 4096;

/// What an instance knows of a client in the present minute.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    unreported: u32,
    /// The common count is beyond the limit.
    over: bool,
}

/// What an instance knows of the present minute.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    clients: HashMap<String, Seen>,
}

/// What to do about a request.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Serve,
    /// Add so many to the common count first.
    Report(u32),
    Refuse,
}

impl Minute {
    fn count(&mut self, client: &str, number: i64, limit: u32) -> Next {
        if self.number != number || self.clients.len() > MOST_CLIENTS {
            *self = Self { number, clients: HashMap::new() };
        }
        let seen = self.clients.entry(client.to_owned()).or_default();
        if seen.over {
            return Next::Refuse;
        }
        seen.unreported += 1;
        if seen.unreported < REPORTED_EVERY.min(limit / 8) {
            return Next::Serve;
        }
        Next::Report(std::mem::take(&mut seen.unreported))
    }

    fn is_over(&mut self, client: &str, number: i64) {
        if self.number == number {
            self.clients.entry(client.to_owned()).or_default().over = true;
        }
    }
}

static PRESENT: Mutex<Option<Minute>> = Mutex::new(None);

fn with_present<T>(act: impl FnOnce(&mut Minute) -> T) -> T {
    let mut present = PRESENT.lock().unwrap_or_else(PoisonError::into_inner);
    act(present.get_or_insert_with(Minute::default))
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

/// Counts a request of this user, or of whoever is at the address that the host saw.
///
/// # Errors
/// 429 if the client is beyond its limit. A database that cannot count refuses nobody.
pub(crate) async fn count(user: Option<UserId>, headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(limit) = limit().await else { return Ok(()) };
    let client = match user {
        Some(user) => format!("user {user}"),
        None => format!("address {}", client_address(headers).unwrap_or_default()),
    };
    let seconds = now().0.div_euclid(pm_api::Timestamp::SECOND);
    let (number, left_s) = (seconds.div_euclid(MINUTE_S), MINUTE_S - seconds.rem_euclid(MINUTE_S));
    match with_present(|minute| minute.count(&client, number, limit)) {
        Next::Serve => Ok(()),
        Next::Refuse => Err(Refusal::TooFast(left_s)),
        Next::Report(requests) => match add(&client, number, requests).await {
            Ok(all) if all > i64::from(limit) => {
                with_present(|minute| minute.is_over(&client, number));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_reports_its_counts_and_refuses_clients_over_the_limit() {
        let mut minute = Minute::default();
        let mut served = 0;
        while minute.count("a", 1, 6000) == Next::Serve {
            served += 1;
        }
        assert_eq!(served, REPORTED_EVERY - 1);
        assert_eq!(minute.count("a", 1, 6000), Next::Serve, "the count starts anew");
        minute.is_over("a", 1);
        assert_eq!(minute.count("a", 1, 6000), Next::Refuse);
        assert_eq!(minute.count("b", 1, 6000), Next::Serve, "somebody else");
        assert_eq!(minute.count("a", 2, 6000), Next::Serve, "the next minute");
        minute.is_over("a", 1);
        assert_eq!(minute.count("a", 2, 6000), Next::Serve, "late news of the last minute");
        assert_eq!(minute.count("c", 2, 8), Next::Report(1), "a low limit is kept exactly");
    }
}
