//! A test double of the functions, on loopback: accepts batches and ticks as they do, and fails as they may.

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use pm_api::ReadingStatus;
use pm_api::ingest::{BATCH_CONTENT_TYPE, Batch, BatchReport};
use pm_api::mapping::MappingsInForce;
use pm_api::tick::{BridgeHealth, Tick, TickAnswer};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

/// The token it expects.
pub(crate) const TOKEN: &str = "a-token-for-this-test";

/// How it answers batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Commits.
    Ok,
    /// Answers 500, commits nothing.
    Fails,
    /// Takes the batch, then closes the connection without an answer.
    Drops,
    /// Does not answer until the mode changes; then as that says.
    Holds,
    /// Commits after this many milliseconds.
    Slow(u64),
    /// 422 for any batch with this sensor, else commits.
    Refuses(&'static str),
}

/// Key of a reading: machine, sensor, time in µs.
pub(crate) type Key = (String, String, i64);

#[derive(Default)]
struct State {
    mode: Option<Mode>,
    posts: u64,
    /// In the order of commits; repeats left out.
    committed: Vec<Key>,
    known: HashSet<Key>,
    /// Sensors with a reading that its sender called critical.
    critical: HashSet<String>,
    reasons: Vec<(String, String)>,
    health: Option<BridgeHealth>,
}

/// The test double.
#[derive(Clone)]
pub(crate) struct Functions {
    state: Arc<Mutex<State>>,
    /// `http://127.0.0.1:<port>`.
    pub url: String,
}

impl Functions {
    /// Listens on a free port.
    pub(crate) async fn start(mode: Mode) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = State { mode: Some(mode), ..State::default() };
        let functions = Self { state: Arc::new(Mutex::new(state)), url };
        let serving = functions.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let functions = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| functions.clone().answer(request));
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    let _ = server.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Ok(functions)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mode(&self) -> Mode {
        self.state().mode.unwrap_or(Mode::Ok)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.state().mode = Some(mode);
    }

    /// Batches that arrived, answered or not.
    pub(crate) fn posts(&self) -> u64 {
        self.state().posts
    }

    pub(crate) fn committed(&self) -> Vec<Key> {
        self.state().committed.clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.state().committed.len()
    }

    /// Has this sensor sent a reading that it called critical?
    pub(crate) fn was_critical(&self, sensor: &str) -> bool {
        self.state().critical.contains(sensor)
    }

    /// Topic and reason of the dead letters.
    pub(crate) fn reasons(&self) -> Vec<(String, String)> {
        self.state().reasons.clone()
    }

    /// The bridge's last report.
    pub(crate) fn health(&self) -> BridgeHealth {
        self.state().health.clone().unwrap_or_default()
    }

    /// Waits until `condition` holds, at most 60 s.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        let started = Instant::now();
        while !condition(self) {
            if started.elapsed() > Duration::from_secs(60) {
                anyhow::bail!(
                    "not within 60 s: {what}; committed {}, health {:?}",
                    self.count(),
                    self.health()
                );
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    /// Readings of each machine in the order of commits.
    pub(crate) fn by_machine(&self) -> HashMap<String, Vec<i64>> {
        let mut times: HashMap<String, Vec<i64>> = HashMap::new();
        for (machine, _, time) in self.committed() {
            times.entry(machine).or_default().push(time);
        }
        times
    }

    async fn answer(self, request: Request<Incoming>) -> anyhow::Result<Response<Full<Bytes>>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let header = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let status = |status| Ok(Response::builder().status(status).body(Full::default())?);
        if header("authorization") != format!("Bearer {TOKEN}") {
            return status(StatusCode::UNAUTHORIZED);
        }
        if head.uri.path() == "/internal/tick" {
            self.state().health = Some(serde_json::from_slice::<Tick>(&body)?.bridge);
            let mappings = MappingsInForce { version: "none".to_owned(), ..MappingsInForce::default() };
            let answer = TickAnswer { mappings: Some(mappings), ..TickAnswer::default() };
            return Ok(Response::new(Full::from(serde_json::to_vec(&answer)?)));
        }
        if head.uri.path() != "/internal/ingest" || header("content-type") != BATCH_CONTENT_TYPE {
            return status(StatusCode::NOT_FOUND);
        }
        self.state().posts += 1;
        while self.mode() == Mode::Holds {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let batch: Batch = postcard::from_bytes(&body)?;
        match self.mode() {
            Mode::Ok | Mode::Holds => {}
            Mode::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Mode::Fails => return status(StatusCode::INTERNAL_SERVER_ERROR),
            Mode::Drops => anyhow::bail!("closed without an answer"),
            Mode::Refuses(sensor) => {
                if batch.readings.iter().any(|r| batch.sensors[r.sensor as usize].sensor == sensor) {
                    return status(StatusCode::UNPROCESSABLE_ENTITY);
                }
            }
        }
        let report = serde_json::to_vec(&self.commit(batch))?;
        Ok(Response::new(Full::from(report)))
    }

    fn commit(&self, batch: Batch) -> BatchReport {
        let mut state = self.state();
        let mut report = BatchReport::default();
        for reading in batch.readings {
            let sensor = &batch.sensors[reading.sensor as usize];
            if reading.status == Some(ReadingStatus::Critical) {
                state.critical.insert(sensor.sensor.clone());
            }
            let key = (sensor.machine.clone(), sensor.sensor.clone(), reading.time.0);
            if state.known.insert(key.clone()) {
                state.committed.push(key);
                report.stored += 1;
            } else {
                report.duplicates += 1;
            }
        }
        state.reasons.extend(batch.dead_letters.into_iter().map(|d| (d.topic, d.reason)));
        report
    }
}
