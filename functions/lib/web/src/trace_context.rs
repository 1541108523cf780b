//! Trace context (W3C): which trace a request belongs to, so that a collector can put together what one cause did in the
//! bridge, the components and a receiver of webhooks.

use http::{HeaderMap, HeaderName};
use uuid::Uuid;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace of a request and the request's own span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// The trace, 32 hexadecimal digits.
    pub(crate) trace_id: String,
    span_id: String,
}

impl TraceContext {
    /// The trace that the caller names, or a new one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(TRACEPARENT).and_then(|header| header.to_str().ok()).and_then(trace_id);
        let span = Uuid::new_v4().simple().to_string();
        Self {
            trace_id: given.map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned),
            span_id: span[..16].to_owned(),
        }
    }

    /// The header for what this request causes.
    pub(crate) fn traceparent(&self) -> String {
        format!("00-{}-{}-01", self.trace_id, self.span_id)
    }
}

/// The trace id of a header such as `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
fn trace_id(traceparent: &str) -> Option<&str> {
    let hexadecimal = |text: &str, digits: usize| {
        text.len() == digits
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && text.bytes().any(|b| b != b'0')
    };
    let mut parts = traceparent.splitn(4, '-');
    let (version, trace, span, rest) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // later versions may append more
    let known =
        version == "00" && rest.len() == 2 || version != "00" && version != "ff" && version.len() == 2;
    (known && hexadecimal(trace, 32) && hexadecimal(span, 16)).then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stays_in_the_trace_of_its_caller() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let mut headers = HeaderMap::new();
        for (given, same) in [
            (format!("00-{trace}-00f067aa0ba902b7-01"), true),
            (format!("01-{trace}-00f067aa0ba902b7-01-more"), true),
            (format!("00-{trace}-00f067aa0ba902b7-01-more"), false),
            (format!("ff-{trace}-00f067aa0ba902b7-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", trace.to_uppercase()), false),
            (format!("00-{trace}-0000000000000000-01"), false),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), false),
            (trace.to_owned(), false),
            (String::new(), false),
        ] {
            headers.insert(TRACEPARENT, given.parse().unwrap());
            let context = TraceContext::of(&headers);
            assert_eq!(context.trace_id == trace, same, "{given}");
            assert!(trace_id(&context.traceparent()).is_some(), "{given}");
            assert_ne!(TraceContext::of(&headers).span_id, context.span_id);
        }
    }
}
