//! One request from its arrival to its line in the log.
//!
//! Every line is one JSON object on standard error. Lines written while a request is served carry its id; no line
//! carries a query, a header or a body, because secrets travel there.

use crate::{now, trace_context::TraceContext};
use http::{HeaderMap, StatusCode};
use pm_api::{Timestamp, UserId};
use serde::Serialize;
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    io::Write,
    pin::pin,
    rc::Rc,
    task::Poll,
};
use uuid::Uuid;

/// Longest request id taken over from a caller, bytes.
const MAX_REQUEST_ID_CHARS: usize = 100;

thread_local! {
    /// The request that is being served. An instance has one thread and up to 16 requests; each sets this while it
    /// is polled.
    static CURRENT: RefCell<Option<Rc<Trace>>> = const { RefCell::new(None) };
}

/// What is known of a request.
pub(crate) struct Trace {
    /// Its id.
    pub(crate) id: String,
    /// The trace that it is part of.
    pub(crate) context: TraceContext,
    component: &'static str,
    method: String,
    started: Timestamp,
    /// The pattern of its path, once it is found; paths themselves may hold what should not be logged.
    pub(crate) route: Cell<&'static str>,
    /// The caller, once it is authenticated.
    pub(crate) user: Cell<Option<UserId>>,
}

#[derive(Serialize)]
struct RequestLine<'t> {
    time: Timestamp,
    level: &'static str,
    event: &'static str,
    component: &'static str,
    method: &'t str,
    route: &'static str,
    status: u16,
    duration_ms: f64,
    request_id: &'t str,
    trace_id: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
}

#[derive(Serialize)]
struct MessageLine<'t> {
    time: Timestamp,
    level: &'static str,
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<&'static str>,
    message: &'t str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'t str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<&'t str>,
}

impl Trace {
    pub(crate) fn begin(component: &'static str, method: &str, headers: &HeaderMap) -> Rc<Self> {
        log_panics();
        let given = headers.get("x-request-id").and_then(|v| v.to_str().ok()).filter(|id| sane(id));
        Rc::new(Self {
            id: given.map_or_else(|| Uuid::now_v7().simple().to_string(), str::to_owned),
            context: TraceContext::of(headers),
            component,
            method: method.to_owned(),
            started: now(),
            route: Cell::new(""),
            user: Cell::new(None),
        })
    }

    /// Writes the request's line.
    pub(crate) fn end(&self, status: StatusCode) {
        let time = now();
        write(&RequestLine {
            time,
            level: if status.is_server_error() { "error" } else { "info" },
            event: "request",
            component: self.component,
            method: &self.method,
            route: self.route.get(),
            status: status.as_u16(),
            duration_ms: (time.0 - self.started.0) as f64 / 1000.0,
            request_id: &self.id,
            trace_id: &self.context.trace_id,
            user_id: self.user.get(),
        });
    }
}

/// Runs `work` as part of a request.
pub(crate) async fn within<T>(trace: Rc<Trace>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(move |cx| {
        let outer = CURRENT.replace(Some(trace.clone()));
        let polled: Poll<T> = work.as_mut().poll(cx);
        CURRENT.set(outer);
        polled
    })
    .await
}

/// The request that is being served.
pub(crate) fn current() -> Option<Rc<Trace>> {
    CURRENT.with_borrow(Clone::clone)
}

/// The header `traceparent` for what the request that is being served causes.
#[must_use]
pub fn traceparent() -> Option<String> {
    current().map(|trace| trace.context.traceparent())
}

/// Writes an internal error to the log, with the id of the request that is being served.
pub fn log_error(message: &str) {
    log("error", message);
}

/// Writes a warning to the log, for an operator to look at.
pub fn log_warning(message: &str) {
    log("warning", message);
}

/// A panic ends the instance; its message becomes a line of the log like any other.
fn log_panics() {
    #[cfg(target_family = "wasm")]
    {
        static HOOK: std::sync::Once = std::sync::Once::new();
        HOOK.call_once(|| std::panic::set_hook(Box::new(|panic| log_error(&panic.to_string()))));
    }
}

fn log(level: &'static str, message: &str) {
    let trace = current();
    write(&MessageLine {
        time: now(),
        level,
        event: "message",
        component: trace.as_ref().map(|t| t.component),
        message,
        request_id: trace.as_ref().map(|t| t.id.as_str()),
        trace_id: trace.as_ref().map(|t| t.context.trace_id.as_str()),
    });
}

/// One write for the whole line, so that lines of several instances do not mix.
fn write(line: &impl Serialize) {
    if let Ok(mut text) = serde_json::to_vec(line) {
        text.push(b'\n');
        // an error here has no place to be reported
        let _ = std::io::stderr().write_all(&text);
    }
}

fn sane(id: &str) -> bool {
    (1..=MAX_REQUEST_ID_CHARS).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_sane_id_is_kept_and_any_other_replaced() {
        for (given, kept) in
            [("abc-1_2.3:4", true), ("", false), ("a b", false), ("a\"b", false), ("é", false)]
        {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(given.as_bytes()) {
                headers.insert("x-request-id", value);
            }
            assert_eq!(Trace::begin("c", "GET", &headers).id == given, kept, "{given}");
        }
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_str(&"a".repeat(101)).unwrap());
        assert_eq!(Trace::begin("c", "GET", &headers).id.len(), 32);
    }

    #[test]
    fn the_current_request_is_the_one_being_polled() {
        let trace = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-request-id", HeaderValue::from_str(id).unwrap());
            Trace::begin("c", "GET", &headers)
        };
        let id = || current().map(|t| t.id.clone());
        let work = |name: &'static str| {
            within(trace(name), async move {
                assert_eq!(id().as_deref(), Some(name));
                let mut polled = false;
                poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    if std::mem::replace(&mut polled, true) { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                assert_eq!(id().as_deref(), Some(name));
            })
        };
        futures::executor::block_on(futures::future::join(work("one"), work("two")));
        assert_eq!(id(), None);
    }
}
