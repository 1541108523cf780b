//! Spans of requests at a collector.

use crate::running::{Running, manifest, options, probe};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use pm_host::Options;
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A collector: its address, and the documents that it gets.
async fn collector() -> (String, mpsc::UnboundedReceiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = service_fn(move |request: hyper::Request<Incoming>| {
                let sender = sender.clone();
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    sender.send((path, serde_json::from_slice(&body).unwrap())).unwrap();
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(bytes::Bytes::from("{}"))))
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (format!("http://{address}"), receiver)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_and_what_it_calls_are_spans_of_one_trace() {
    let (endpoint, mut documents) = collector().await;
    let manifest = format!(
        "{}[[trigger.http]]\nroute = {{ private = true }}\ncomponent = \"inner\"\n[component.inner]\nsource = {:?}\n",
        manifest("allowed_outbound_hosts = [\"http://inner.spin.internal\"]"),
        probe().display().to_string()
    );
    let telemetry = [("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint)].into();
    let host = Running::start_with(&manifest, Options { telemetry, ..options() }).await;
    let seen = host.ok("/probe/headers").await;
    assert!(seen.contains("traceparent: \"00-"), "{seen}");
    assert_eq!(host.ok("/probe/out?http://inner.spin.internal/hello").await, "200 hello");
    let mut spans = Vec::new();
    while spans.len() < 3 {
        let next = tokio::time::timeout(Duration::from_secs(10), documents.recv()).await;
        let (path, document) = next.expect("a document").expect("the collector listens");
        assert_eq!(path, "/v1/traces");
        let sent = &document["resourceSpans"][0];
        assert_eq!(sent["resource"]["attributes"][0]["value"]["stringValue"], "test");
        spans.extend(sent["scopeSpans"][0]["spans"].as_array().unwrap().clone());
    }
    let named = |name: &str| spans.iter().filter(|span| span["name"] == name).cloned().collect::<Vec<_>>();
    let (outer, inner) = (named("GET /probe/..."), named("GET /..."));
    assert_eq!((outer.len(), inner.len()), (2, 1), "{spans:?}");
    for span in &spans {
        assert_eq!(span["traceId"].as_str().map(str::len), Some(32), "{span}");
        assert_eq!(span["spanId"].as_str().map(str::len), Some(16), "{span}");
    }
}
