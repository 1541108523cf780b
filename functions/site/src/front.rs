//! `/`: the UI for a browser, the documented system information for a script.

use crate::file;
use http::{StatusCode, header};
use pm_api::{route::op, status::SystemInformation};
use pm_web::{Input, Outcome, json, now};
use std::collections::BTreeMap;

pub(crate) async fn door(input: Input<op::SystemInformation>) -> Outcome {
    let accepts = input.headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut answer = if accepts.contains("text/html") {
        file::serve("", &input.headers)
    } else {
        json(
            StatusCode::OK,
            &SystemInformation {
                service: "Predictive Maintenance Platform".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                status: "running".to_owned(),
                message: "Backend API is running successfully".to_owned(),
                timestamp: now(),
                endpoints: texts(&[
                    ("health", "/health"),
                    ("status", "/status"),
                    ("api_docs", "/docs"),
                    ("openapi", "/openapi.json"),
                    ("dashboard", "/dashboard/overview"),
                    ("ai_status", "/ai/status"),
                    ("mqtt_status", "/mqtt/status"),
                ]),
                services: texts(&[
                    ("backend", "Running"),
                    ("database", "Check /health/ready"),
                    ("ai_service", "Check /ai/status"),
                    ("mqtt", "Check /mqtt/status"),
                ]),
            },
        )
    };
    answer.headers_mut().insert(header::VARY, http::HeaderValue::from_static("accept, accept-encoding"));
    Ok(answer)
}

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
