//! Posts batches to the ingest function until it says that they are committed.
//!
//! 200 ends it. 422 and 413 concern the batch itself: it is halved until the faulty reading is alone, which becomes a
//! dead letter. Everything else (no connection, no answer in time, 5xx, 401, …) is tried again for ever.

use crate::batch::{encode, halves};
use crate::health::{Health, wall_clock};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use pm_api::backtest::BacktestWork;
use pm_api::import::ImportWork;
use pm_api::ingest::{BATCH_CONTENT_TYPE, Batch, BatchReport, DeadLetter};
use pm_api::tick::{Tick, TickAnswer};
use pm_api::webhook::{DeliverReport, DeliverRequest};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_RETRY_PAUSE: Duration = Duration::from_secs(2);
const POST_TIMEOUT: Duration = Duration::from_secs(10);
const TICK_TIMEOUT: Duration = Duration::from_secs(5);
/// Training takes its time; a worker that hangs longer is left to its lease.
const MODEL_WORK_TIMEOUT: Duration = Duration::from_secs(900);
/// A step of an import or a back-test ends within 25 s.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);
/// Receivers of webhooks may have 30 s for their answer.
const WEBHOOKS_TIMEOUT: Duration = Duration::from_secs(90);
/// Largest answer; that to a tick may hold several mails.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// The functions, as the bridge sees them.
pub struct Functions {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    ingest: Uri,
    tick: Uri,
    model_work: Uri,
    import_work: Uri,
    backtest_work: Uri,
    webhooks: Uri,
    authorization: header::HeaderValue,
    health: Arc<Health>,
}

/// Jobs that the functions do in steps.
#[derive(Debug, Clone, Copy)]
pub enum Steps {
    /// Storing parts of imports.
    Imports,
    /// Evaluating readings of back-tests.
    Backtests,
}

enum Failure {
    /// The batch as such is refused.
    Refused(String),
    /// A temporary failure.
    Retry(String),
}

impl Functions {
    /// A client for the functions at `base` (such as `http://127.0.0.1:8000`).
    ///
    /// # Errors
    /// The address or the token cannot be sent over HTTP.
    pub fn new(base: &url::Url, token: &str, health: Arc<Health>) -> anyhow::Result<Self> {
        let mut authorization = header::HeaderValue::try_from(format!("Bearer {token}"))?;
        authorization.set_sensitive(true);
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(Duration::from_secs(3)));
        let roots = hyper_rustls::HttpsConnectorBuilder::new().with_native_roots();
        let https = match roots {
            Ok(builder) => builder.https_or_http().enable_http1().wrap_connector(tcp),
            Err(e) if base.scheme() == "https" => return Err(e.into()),
            // No certificates on this machine, and none needed.
            Err(_) => {
                let none = rustls::ClientConfig::builder()
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_no_client_auth();
                hyper_rustls::HttpsConnectorBuilder::new()
                    .with_tls_config(none)
                    .https_or_http()
                    .enable_http1()
                    .wrap_connector(tcp)
            }
        };
        let client =
            Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(20)).build(https);
        let base = base.as_str().trim_end_matches('/');
        Ok(Self {
            client,
            ingest: format!("{base}/internal/ingest").parse()?,
            tick: format!("{base}/internal/tick").parse()?,
            model_work: format!("{base}/internal/models/work").parse()?,
            import_work: format!("{base}/internal/imports/work").parse()?,
            backtest_work: format!("{base}/internal/backtests/work").parse()?,
            webhooks: format!("{base}/internal/deliver").parse()?,
            authorization,
            health,
        })
    }

    /// Returns once every reading of the encoded batch is committed or, when ingest refuses it, written to dead letters.
    pub async fn deliver(&self, body: Bytes) {
        // The oldest batch is last, so that the order stays when a batch is halved.
        let mut todo = vec![body];
        let mut pause = FIRST_PAUSE;
        while let Some(body) = todo.pop() {
            match self.post(body.clone()).await {
                Ok(report) => {
                    if pause > FIRST_PAUSE {
                        tracing::info!("ingest answers again");
                    }
                    pause = FIRST_PAUSE;
                    Health::add(&self.health.readings_committed, report.stored + report.duplicates);
                }
                Err(Failure::Retry(error)) => {
                    Health::add(&self.health.post_failures, 1);
                    self.health.failed(error);
                    todo.push(body);
                    tokio::time::sleep(jitter(pause)).await;
                    pause = (pause * 2).min(MAX_RETRY_PAUSE);
                }
                Err(Failure::Refused(error)) => {
                    Health::add(&self.health.post_failures, 1);
                    let batches = without_fault(&body, &error);
                    if batches.is_empty() {
                        self.health.failed(format!("dropped a dead letter that ingest refuses: {error}"));
                    }
                    todo.extend(batches.iter().rev().map(encode));
                }
            }
        }
    }

    async fn post(&self, body: Bytes) -> Result<BatchReport, Failure> {
        let retry = |e: &dyn std::fmt::Display| Failure::Retry(format!("ingest cannot be reached: {e}"));
        let answer =
            self.send(&self.ingest, BATCH_CONTENT_TYPE, body, POST_TIMEOUT).await.map_err(|e| retry(&e))?;
        let (status, text) = answer;
        match status {
            StatusCode::OK => serde_json::from_slice(&text).map_err(|e| retry(&format_args!("invalid answer: {e}"))),
            StatusCode::UNPROCESSABLE_ENTITY | StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Failure::Refused(format!("{status}: {}", shown(&text))))
            }
            StatusCode::UNAUTHORIZED => Err(Failure::Retry(
                "ingest refuses the service token (401): PM_SERVICE_TOKEN must equal the functions' service_token"
                    .to_owned(),
            )),
            other => Err(Failure::Retry(format!("ingest answers {other}: {}", shown(&text)))),
        }
    }

    /// Sends the notifier a tick.
    ///
    /// # Errors
    /// Why the request failed, or what is wrong with the answer.
    pub async fn tick(&self, tick: &Tick) -> Result<TickAnswer, String> {
        let body = serde_json::to_vec(tick).map_err(|e| e.to_string())?;
        let (status, text) = self.send(&self.tick, "application/json", body.into(), TICK_TIMEOUT).await?;
        if !status.is_success() {
            return Err(format!("{status}: {}", shown(&text)));
        }
        serde_json::from_slice(&text).map_err(|e| format!("invalid answer: {e}"))
    }

    /// Lets the notifier send what is due to webhooks. Returns whether more is due.
    ///
    /// # Errors
    /// Why the request failed, or what is wrong with the answer.
    pub async fn send_webhooks(&self) -> Result<bool, String> {
        let body = serde_json::to_vec(&DeliverRequest::Due).map_err(|e| e.to_string())?;
        let answer = self.send(&self.webhooks, "application/json", body.into(), WEBHOOKS_TIMEOUT).await?;
        let (status, text) = answer;
        if !status.is_success() {
            return Err(format!("{status}: {}", shown(&text)));
        }
        let report: DeliverReport =
            serde_json::from_slice(&text).map_err(|e| format!("invalid answer: {e}"))?;
        Ok(report.more && report.delivered + report.failed > 0)
    }

    /// Lets the functions train models and measure drift, if that is due; returns when they have.
    ///
    /// # Errors
    /// Why it did not happen.
    pub async fn work_on_models(&self) -> Result<(), String> {
        let (status, text) =
            self.send(&self.model_work, "application/json", Bytes::new(), MODEL_WORK_TIMEOUT).await?;
        if status.is_success() { Ok(()) } else { Err(format!("{status}: {}", shown(&text))) }
    }

    /// Lets the functions do the next step of such jobs. Returns whether more waits.
    ///
    /// # Errors
    /// Why the request failed, or what is wrong with the answer.
    pub async fn step(&self, of: Steps) -> Result<bool, String> {
        let to = match of {
            Steps::Imports => &self.import_work,
            Steps::Backtests => &self.backtest_work,
        };
        let (status, text) = self.send(to, "application/json", Bytes::new(), STEP_TIMEOUT).await?;
        if !status.is_success() {
            return Err(format!("{status}: {}", shown(&text)));
        }
        let invalid = |e| format!("invalid answer: {e}");
        Ok(match of {
            Steps::Imports => serde_json::from_slice::<ImportWork>(&text).map_err(invalid)?.more,
            Steps::Backtests => serde_json::from_slice::<BacktestWork>(&text).map_err(invalid)?.more,
        })
    }

    async fn send(
        &self,
        to: &Uri,
        content_type: &'static str,
        body: Bytes,
        timeout: Duration,
    ) -> Result<(StatusCode, Bytes), String> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(to)
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, content_type)
            .header("traceparent", new_trace())
            .body(Full::new(body))
            .map_err(|e| e.to_string())?;
        let exchange = async {
            let answer = self.client.request(request).await.map_err(|e| with_causes(&e))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), MAX_ANSWER_BYTES).collect().await;
            Ok((status, body.map_err(|e| e.to_string())?.to_bytes()))
        };
        let late = |_| Err(format!("no answer within {} s", timeout.as_secs()));
        tokio::time::timeout(timeout, exchange).await.unwrap_or_else(late)
    }
}

/// A new trace (W3C trace context): what the functions do about a request, up to a webhook, is part of it.
fn new_trace() -> String {
    let (trace, span) = (Uuid::new_v4().simple().to_string(), Uuid::new_v4().simple().to_string());
    format!("00-{trace}-{}-01", &span[..16])
}

/// What to post instead of a refused batch: its halves, or for a single reading a dead letter with the reason; nothing
/// for a refused dead letter.
fn without_fault(body: &Bytes, error: &str) -> Vec<Batch> {
    let Ok(batch) = postcard::from_bytes::<Batch>(body) else {
        return vec![letter("(batch)".to_owned(), b"unreadable batch".to_vec(), error)];
    };
    if let Some((first, second)) = halves(&batch) {
        return vec![first, second];
    }
    let Some(reading) = batch.readings.first() else { return Vec::new() };
    let sensor = batch.sensors.get(reading.sensor as usize).cloned().unwrap_or_default();
    let payload = serde_json::json!({
        "machine_id": sensor.machine, "sensor_id": sensor.sensor, "value": reading.value, "timestamp": reading.time,
        "unit": sensor.unit, "sensor_type": sensor.sensor_type, "location": sensor.location,
        "metadata": reading.metadata,
    });
    let topic = sensor.topic.unwrap_or_else(|| "(batch)".to_owned());
    vec![letter(topic, payload.to_string().into_bytes(), error)]
}

fn letter(topic: String, payload: Vec<u8>, error: &str) -> Batch {
    let reason = format!("refused by ingest: {error}");
    let letter = DeadLetter { topic, payload, reason, count: 1, received_at: wall_clock() };
    Batch { dead_letters: vec![letter], ..Batch::default() }
}

/// A pause between half and one and a half times `pause`, so that lanes do not retry at the same moment.
fn jitter(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64())
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(300).collect()
}

/// An error and its causes, each once: some errors repeat their causes in their text.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    for cause in std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}
