//! Spans of requests for a collector of traces (OpenTelemetry), switched on by environment variables as Spin does it:
//! `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` to which `/v1/traces` is added. The form is OTLP
//! over HTTP as JSON. A collector that does not answer loses spans and holds up nothing.

use super::block::BlockedNetworks;
use super::send::send;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;
use tokio::time::timeout;
use uuid::Uuid;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// Spans that wait to be sent; more are dropped.
const MAX_WAITING: usize = 4096;
const MAX_BATCH: usize = 512;
const BATCH_TIME: Duration = Duration::from_secs(1);
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Where spans go; nowhere without a collector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Telemetry(Option<mpsc::Sender<Span>>);

/// A request to a component.
#[derive(Debug)]
pub(crate) struct Span {
    trace_id: String,
    span_id: String,
    parent_id: Option<String>,
    component: String,
    method: String,
    route: String,
    started: SystemTime,
    ended: SystemTime,
    status: StatusCode,
}

impl Telemetry {
    /// Begins to export if the environment names a collector.
    pub(crate) fn start(service: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let endpoint = given("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| {
            given("OTEL_EXPORTER_OTLP_ENDPOINT")
                .map(|base| format!("{}/v1/traces", base.trim_end_matches('/')))
        });
        let Some(endpoint) = endpoint else { return Self(None) };
        let Ok(endpoint) = endpoint.parse::<Uri>() else {
            tracing::error!("OTEL_EXPORTER_OTLP_ENDPOINT is not an address: traces are not exported");
            return Self(None);
        };
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        tokio::spawn(export(endpoint, service.to_owned(), receiver));
        Self(Some(sender))
    }

    /// Begins the span of a request, which the component sees as its parent.
    pub(crate) fn begin(
        &self,
        component: &str,
        route: &str,
        request: &mut Request<impl Sized>,
    ) -> Option<Span> {
        self.0.as_ref()?;
        let parent = parent(request.headers());
        let span = Uuid::new_v4().simple().to_string()[..16].to_owned();
        let trace =
            parent.as_ref().map_or_else(|| Uuid::new_v4().simple().to_string(), |(trace, _)| trace.clone());
        if let Ok(header) = HeaderValue::from_str(&format!("00-{trace}-{span}-01")) {
            request.headers_mut().insert(TRACEPARENT, header);
        }
        let now = SystemTime::now();
        Some(Span {
            trace_id: trace,
            span_id: span,
            parent_id: parent.map(|(_, span)| span),
            component: component.to_owned(),
            method: request.method().to_string(),
            route: route.to_owned(),
            started: now,
            ended: now,
            status: StatusCode::OK,
        })
    }

    /// Ends a span.
    pub(crate) fn end(&self, span: Option<Span>, status: StatusCode) {
        if let (Some(sender), Some(span)) = (&self.0, span) {
            // full: the collector is slower than the requests
            _ = sender.try_send(Span { ended: SystemTime::now(), status, ..span });
        }
    }
}

/// Trace and span of the caller.
fn parent(headers: &HeaderMap) -> Option<(String, String)> {
    let mut parts = headers.get(TRACEPARENT)?.to_str().ok()?.split('-');
    let (_, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let hexadecimal =
        |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_hexdigit());
    (hexadecimal(trace, 32) && hexadecimal(span, 16)).then(|| (trace.to_owned(), span.to_owned()))
}

async fn export(endpoint: Uri, service: String, mut spans: mpsc::Receiver<Span>) {
    let mut batch = Vec::new();
    while spans.recv_many(&mut batch, MAX_BATCH).await > 0 {
        // what comes within a moment goes with it
        let until = tokio::time::Instant::now() + BATCH_TIME;
        while batch.len() < MAX_BATCH {
            match tokio::time::timeout_at(until, spans.recv()).await {
                Ok(Some(span)) => batch.push(span),
                _ => break,
            }
        }
        let body = Bytes::from(document(&service, &batch).to_string());
        batch.clear();
        let request = Request::post(&endpoint)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .header("host", endpoint.authority().map_or("", |authority| authority.as_str()))
            .body(Full::new(body).map_err(Into::into).boxed_unsync());
        let Ok(request) = request else { return };
        let networks = BlockedNetworks::default();
        match timeout(SEND_TIMEOUT, send(request, None, &networks)).await {
            Ok(Ok((response, _))) if response.status().is_success() => {}
            Ok(Ok((response, _))) => tracing::warn!("the collector of traces answered {}", response.status()),
            Ok(Err(error)) => tracing::warn!("the collector of traces is out of reach: {error}"),
            Err(_) => tracing::warn!("the collector of traces does not answer"),
        }
    }
}

/// The spans as OTLP writes them in JSON.
fn document(service: &str, spans: &[Span]) -> Value {
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let nanos = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos().to_string();
    let spans: Vec<Value> = spans
        .iter()
        .map(|span| {
            json!({
                "traceId": span.trace_id,
                "spanId": span.span_id,
                "parentSpanId": span.parent_id.as_deref().unwrap_or_default(),
                "name": format!("{} {}", span.method, span.route),
                // a server's
                "kind": 2,
                "startTimeUnixNano": nanos(span.started),
                "endTimeUnixNano": nanos(span.ended),
                "attributes": [
                    text("component", &span.component),
                    text("http.request.method", &span.method),
                    text("http.route", &span.route),
                    { "key": "http.response.status_code", "value": { "intValue": span.status.as_u16().to_string() } },
                ],
                // an error, or not said
                "status": { "code": if span.status.is_server_error() { 2 } else { 0 } },
            })
        })
        .collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": [text("service.name", service)] },
        "scopeSpans": [{ "scope": { "name": "pm-host" }, "spans": spans }],
    }] })
}
