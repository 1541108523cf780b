//! Refusals that stand in the audit log: a change that its caller may not make, and a wrong token of a service. Reading what
//! one may not read is left out, because a page of an older session does it all the time.
//!
//! One entry a minute of each caller and route, by instance: a script that goes on trying does not fill the log.

use crate::{Refusal, address, call::origin, database::database, log_warning, trace::Trace};
use http::HeaderMap;
use pm_api::route::{Access, Route};
use pm_store::audit::{self, Denial};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

const ONCE_IN: Duration = Duration::from_secs(60);
/// Callers and routes that an instance remembers; of more, it forgets all.
const MAX_REMEMBERED: usize = 1000;

static NOTED: Mutex<Option<HashMap<String, Instant>>> = Mutex::new(None);

/// Writes an entry if this refusal is one of note.
pub(crate) async fn note(route: &Route, refusal: &Refusal, trace: &Trace, headers: &HeaderMap) {
    let (action, reason) = match refusal {
        Refusal::Forbidden(reason) if route.method != "GET" => ("access_denied", reason.as_str()),
        Refusal::BadToken if route.access == Access::Service => ("wrong_service_token", ""),
        _ => return,
    };
    let (user_id, origin) = (trace.user.get(), origin(address::of_client(headers).await, headers));
    let caller = user_id.map_or_else(|| origin.ip_address.clone().unwrap_or_default(), |id| id.to_string());
    if !is_due(format!("{caller} {} {}", route.method, route.path), Instant::now()) {
        return;
    }
    let resource_type = route.path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let details = format!("{} {} {reason}", route.method, route.path);
    let denial = Denial { user_id, action, resource_type, details: details.trim_end() };
    let record = async { Ok(audit::record_denial(&database().await?, &denial, &origin).await?) };
    let recorded: Result<(), Refusal> = record.await;
    // the refusal stands, with or without an entry
    if let Err(error) = recorded {
        log_warning(&format!("a refusal is not in the audit log: {error:?}"));
    }
}

fn is_due(key: String, now: Instant) -> bool {
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    let noted = noted.get_or_insert_with(HashMap::new);
    if noted.get(&key).is_some_and(|at| now.duration_since(*at) < ONCE_IN) {
        return false;
    }
    if noted.len() >= MAX_REMEMBERED {
        noted.clear();
    }
    noted.insert(key, now);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_that_goes_on_trying_is_noted_once_a_minute() {
        let start = Instant::now();
        assert!(is_due("a POST /x".to_owned(), start));
        assert!(!is_due("a POST /x".to_owned(), start + ONCE_IN / 2));
        assert!(is_due("b POST /x".to_owned(), start));
        assert!(is_due("a POST /x".to_owned(), start + ONCE_IN));
    }
}
