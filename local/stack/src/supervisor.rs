//! Keeps services running: a service that ends is started again, with growing pauses; at the end all are ended in reverse.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::service::{Service, last_line, last_line_quoted, log_path};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const MAX_RESTART_PAUSE: Duration = Duration::from_secs(10);
/// A service that ran this long starts again without growing pauses.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// How long a service may take to end when asked.
const GRACE: Duration = Duration::from_secs(15);
/// After this many ends during its first start, the start of the stack has failed.
const MAX_START_ATTEMPTS: u32 = 3;

/// What is known of a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceState {
    /// Its name.
    pub name: String,
    /// Its process id while it runs.
    pub pid: Option<i32>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it ended the last time.
    pub last_end: Option<String>,
}

type States = Arc<Mutex<Vec<ServiceState>>>;

/// The services that were started, in their order.
pub struct Supervisor {
    logs: PathBuf,
    states: States,
    changed: watch::Sender<()>,
    supervised: Vec<Supervised>,
}

/// A service under supervision: how it is run, and the task that starts it again.
struct Supervised {
    service: watch::Sender<Service>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Nothing runs yet; output goes to the folder `logs`.
    pub fn new(logs: PathBuf) -> Self {
        Self { logs, states: States::default(), changed: watch::channel(()).0, supervised: Vec::new() }
    }

    /// What is known of each service.
    pub fn states(&self) -> Vec<ServiceState> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notified of each change of [`Self::states`].
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Starts a service, waits until it is ready, and keeps it running from then on. `progress` gets the last line of its
    /// log while it starts.
    pub async fn start(&mut self, service: Service, limit: Duration, progress: impl Fn(&str)) -> Result<()> {
        let index = {
            let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.push(ServiceState {
                name: service.name.to_owned(),
                pid: None,
                restarts: 0,
                last_end: None,
            });
            states.len() - 1
        };
        let (stop, stopped) = watch::channel(false);
        let (settings, services) = watch::channel(service.clone());
        let restarter = Restarter {
            name: service.name,
            services,
            logs: self.logs.clone(),
            index,
            states: self.states.clone(),
            changed: self.changed.clone(),
        };
        let task = tokio::spawn(restarter.run(stopped));
        self.supervised.push(Supervised { service: settings, stop, task });

        let log = log_path(&self.logs, service.name);
        let end = Instant::now() + limit;
        loop {
            let state = self.states().swap_remove(index);
            if state.pid.is_some() && service.ready.wait(Duration::from_millis(100)).await {
                return Ok(());
            }
            if state.restarts >= MAX_START_ATTEMPTS || Instant::now() > end {
                let why =
                    state.last_end.unwrap_or_else(|| format!("is not ready after {} s", limit.as_secs()));
                bail!("the {} {why}: {}", service.name, last_line_quoted(&log));
            }
            progress(&last_line(&log).unwrap_or_else(|| "starting".to_owned()));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends a service and starts it with another environment; returns once it is ready, or false after `limit`.
    pub async fn change(&self, name: &str, limit: Duration, environment: &[(&str, &str)]) -> bool {
        let Some(supervised) = self.supervised.iter().find(|one| one.service.borrow().name == name) else {
            return false;
        };
        let mut changes = self.changes();
        let before = self.pid(name);
        supervised.service.send_modify(|service| {
            service.environment.extend(environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        });
        let another = async {
            while self.pid(name).is_none_or(|pid| Some(pid) == before) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        let ready = supervised.service.borrow().ready.clone();
        timeout(limit, another).await.is_ok() && ready.wait(limit).await
    }

    fn pid(&self, name: &str) -> Option<i32> {
        self.states().into_iter().find(|state| state.name == name)?.pid
    }

    /// Ends every service, the last one first.
    pub async fn stop(self) {
        for Supervised { stop, task, service: _service } in self.supervised.into_iter().rev() {
            let _ = stop.send(true);
            let _ = task.await;
        }
    }
}

/// Starts a service again whenever it ends.
struct Restarter {
    name: &'static str,
    /// How to run it.
    services: watch::Receiver<Service>,
    logs: PathBuf,
    index: usize,
    states: States,
    changed: watch::Sender<()>,
}

impl Restarter {
    fn update(&self, change: impl FnOnce(&mut ServiceState)) {
        change(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner)[self.index]);
        self.changed.send_replace(());
    }

    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let name = self.name;
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let service = self.services.borrow_and_update().clone();
            let end = match service.spawn(&self.logs) {
                Ok(mut running) => {
                    self.update(|state| state.pid = Some(running.pid()));
                    tokio::select! {
                        end = running.wait() => {
                            // its children that still run
                            running.kill();
                            end
                        }
                        () = until_stopped(&mut stopped) => {
                            running.end(GRACE).await;
                            self.update(|state| state.pid = None);
                            return;
                        }
                        Ok(()) = self.services.changed() => {
                            running.end(GRACE).await;
                            self.update(|state| state.pid = None);
                            continue;
                        }
                    }
                }
                Err(error) => format!("{error:#}"),
            };
            if began.elapsed() > STABLE_AFTER {
                pause = FIRST_PAUSE;
            }
            tracing::warn!("the {name} {end}; starting it again in {:.1} s", pause.as_secs_f64());
            self.update(|state| {
                state.pid = None;
                state.restarts += 1;
                state.last_end = Some(end);
            });
            tokio::select! {
                () = sleep(pause) => pause = (pause * 2).min(MAX_RESTART_PAUSE),
                () = until_stopped(&mut stopped) => return,
            }
        }
    }
}

/// Returns once `stopped` is true, or its sender is gone.
async fn until_stopped(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
