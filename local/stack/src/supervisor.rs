//! Keeps parts running: a part that ends is started again, with growing pauses; at the end all are ended in reverse.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::part::{Part, last_line, last_words, log_path};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A part that ran this long starts again without growing pauses.
const STABLE_AFTER: Duration = Duration::from_secs(30);
/// How long a part may take to end when asked.
const GRACE: Duration = Duration::from_secs(15);
/// So many ends during its first start, and the start of the stack has failed.
const TRIES: u32 = 3;

/// What is known of a part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartState {
    /// Its name.
    pub name: String,
    /// Its process id while it runs.
    pub pid: Option<i32>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it ended the last time.
    pub last_end: Option<String>,
}

type States = Arc<Mutex<Vec<PartState>>>;

/// The parts that were started, in their order.
pub struct Supervisor {
    logs: PathBuf,
    states: States,
    changed: watch::Sender<()>,
    keepers: Vec<Kept>,
}

/// The supervisor's side of a keeper.
struct Kept {
    part: watch::Sender<Part>,
    stop: watch::Sender<bool>,
    keeper: JoinHandle<()>,
}

impl Supervisor {
    /// Nothing runs yet; output goes to the folder `logs`.
    pub fn new(logs: PathBuf) -> Self {
        Self { logs, states: States::default(), changed: watch::channel(()).0, keepers: Vec::new() }
    }

    /// What is known of each part.
    pub fn states(&self) -> Vec<PartState> {
        self.states.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Hears of each change of [`Self::states`].
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Starts a part, waits until it is ready, and keeps it running from then on. `tell` hears the last line of its log
    /// while it starts.
    pub async fn start(&mut self, part: Part, limit: Duration, tell: impl Fn(&str)) -> Result<()> {
        let index = {
            let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
            states.push(PartState { name: part.name.to_owned(), pid: None, restarts: 0, last_end: None });
            states.len() - 1
        };
        let (stop, stopped) = watch::channel(false);
        let (kept, parts) = watch::channel(part.clone());
        let keeper = Keeper {
            name: part.name,
            parts,
            logs: self.logs.clone(),
            index,
            states: self.states.clone(),
            changed: self.changed.clone(),
        };
        self.keepers.push(Kept { part: kept, stop, keeper: tokio::spawn(keeper.run(stopped)) });

        let log = log_path(&self.logs, part.name);
        let end = Instant::now() + limit;
        loop {
            let state = self.states().swap_remove(index);
            if state.pid.is_some() && part.ready.wait(Duration::from_millis(100)).await {
                return Ok(());
            }
            if state.restarts >= TRIES || Instant::now() > end {
                let why =
                    state.last_end.unwrap_or_else(|| format!("is not ready after {} s", limit.as_secs()));
                bail!("the {} {why}: {}", part.name, last_words(&log));
            }
            tell(&last_line(&log).unwrap_or_else(|| "starting".to_owned()));
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends a part and starts it with another environment; returns once it is ready, or false after `limit`.
    pub async fn change(&self, name: &str, limit: Duration, environment: &[(&str, &str)]) -> bool {
        let Some(kept) = self.keepers.iter().find(|kept| kept.part.borrow().name == name) else {
            return false;
        };
        let mut changes = self.changes();
        let before = self.pid(name);
        kept.part.send_modify(|part| {
            part.environment.extend(environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        });
        let another = async {
            while self.pid(name).is_none_or(|pid| Some(pid) == before) {
                if changes.changed().await.is_err() {
                    break;
                }
            }
        };
        let ready = kept.part.borrow().ready.clone();
        timeout(limit, another).await.is_ok() && ready.wait(limit).await
    }

    fn pid(&self, name: &str) -> Option<i32> {
        self.states().into_iter().find(|state| state.name == name)?.pid
    }

    /// Ends every part, the last one first.
    pub async fn stop(self) {
        for Kept { stop, keeper, part: _part } in self.keepers.into_iter().rev() {
            let _ = stop.send(true);
            let _ = keeper.await;
        }
    }
}

struct Keeper {
    name: &'static str,
    /// How to run it.
    parts: watch::Receiver<Part>,
    logs: PathBuf,
    index: usize,
    states: States,
    changed: watch::Sender<()>,
}

impl Keeper {
    fn update(&self, change: impl FnOnce(&mut PartState)) {
        change(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner)[self.index]);
        self.changed.send_replace(());
    }

    async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        let name = self.name;
        let mut pause = FIRST_PAUSE;
        loop {
            let began = Instant::now();
            let part = self.parts.borrow_and_update().clone();
            let end = match part.spawn(&self.logs) {
                Ok(mut running) => {
                    self.update(|state| state.pid = Some(running.pid()));
                    tokio::select! {
                        end = running.wait() => {
                            // whatever it left behind in its group
                            running.kill();
                            end
                        }
                        () = told(&mut stopped) => {
                            running.end(GRACE).await;
                            self.update(|state| state.pid = None);
                            return;
                        }
                        Ok(()) = self.parts.changed() => {
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
                () = sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
                () = told(&mut stopped) => return,
            }
        }
    }
}

/// Returns once `stopped` is true, or its sender is gone.
async fn told(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}
