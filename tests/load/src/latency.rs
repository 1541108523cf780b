//! From the making of a message to the moment when a query finds it.
//!
//! Some machines are watched: the times of all their messages are noted, and a query asks every few milliseconds what
//! the newest reading of one of their sensors is. What is not later than that can be queried, since the newest reading
//! is kept in the statement that stores it. So a latency is never told too small, and at most one interval too large.

use anyhow::Result;
use pm_bridge::health::wall_clock;
use serde::Serialize;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::task::JoinHandle;
use tokio_postgres::Client;
use uuid::Uuid;

/// Watched machines.
const WATCHED: usize = 16;
const INTERVAL: Duration = Duration::from_millis(10);

/// Times of messages that cannot be queried yet, by watched machine.
#[derive(Debug, Default)]
pub(crate) struct Marks(HashMap<usize, Mutex<VecDeque<i64>>>);

impl Marks {
    /// Watches machines spread over the fleet.
    pub(crate) fn of(machines: usize) -> Self {
        let step = machines.div_ceil(WATCHED);
        Self((0..machines).step_by(step).map(|m| (m, Mutex::default())).collect())
    }

    /// Notes a message.
    pub(crate) fn published(&self, machine: usize, time_us: i64) {
        if let Some(times) = self.0.get(&machine) {
            times.lock().unwrap_or_else(PoisonError::into_inner).push_back(time_us);
        }
    }

    /// Moves what can be queried, the newest at `newest_us`, as latencies to `found`.
    fn queryable(&self, machine: usize, newest_us: i64, now_us: i64, found: &mut Vec<u32>) {
        let Some(times) = self.0.get(&machine) else { return };
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(time) = times.pop_front_if(|t| *t <= newest_us) {
            found.push(u32::try_from(now_us - time).unwrap_or(u32::MAX));
        }
    }
}

/// Latencies in ms.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Percentiles {
    /// How many were measured.
    pub(crate) count: usize,
    /// Half are not longer.
    pub p50_ms: f64,
    /// 95 of 100 are not longer.
    pub p95_ms: f64,
    /// 99 of 100 are not longer.
    pub p99_ms: f64,
    /// The longest.
    pub(crate) max_ms: f64,
}

impl Percentiles {
    /// Of latencies in µs.
    pub(crate) fn of(mut all_us: Vec<u32>) -> Self {
        all_us.sort_unstable();
        let at = |share: f64| {
            let index = (all_us.len() as f64 * share).ceil() as usize;
            all_us.get(index.saturating_sub(1)).map_or(0.0, |us| f64::from(*us) / 1000.0)
        };
        Self { count: all_us.len(), p50_ms: at(0.5), p95_ms: at(0.95), p99_ms: at(0.99), max_ms: at(1.0) }
    }
}

/// A task that asks until it is told to stop.
pub(crate) struct LatencyProbe {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<Vec<u32>>>,
}

impl LatencyProbe {
    /// Starts asking.
    pub(crate) async fn start(db: Client, marks: Arc<Marks>) -> Result<Self> {
        let names: Vec<String> = marks.0.keys().map(|m| format!("load-{m:04}")).collect();
        let rows = db
            .query(
                "select s.id, m.mqtt_id from sensors s join machines m on m.id = s.machine_id
                 where m.mqtt_id = any($1) and s.mqtt_id = 's0'",
                &[&names],
            )
            .await?;
        let machine = |name: &str| name.trim_start_matches("load-").parse().unwrap_or(usize::MAX);
        let sensors: HashMap<Uuid, usize> = rows.iter().map(|r| (r.get(0), machine(r.get(1)))).collect();
        let ids: Vec<Uuid> = sensors.keys().copied().collect();
        let newest = db
            .prepare(
                "select sensor_id, (extract(epoch from time) * 1000000)::int8 from sensor_latest
                 where sensor_id = any($1)",
            )
            .await?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut found = Vec::new();
            while !stopped.load(Relaxed) {
                let rows = db.query(&newest, &[&ids]).await?;
                let now = wall_clock().0;
                for row in rows {
                    if let Some(machine) = sensors.get(&row.get(0)) {
                        marks.queryable(*machine, row.get(1), now, &mut found);
                    }
                }
                tokio::time::sleep(INTERVAL).await;
            }
            Ok(found)
        });
        Ok(Self { stop, task })
    }

    /// What was found.
    pub(crate) async fn finish(self) -> Result<Percentiles> {
        self.stop.store(true, Relaxed);
        Ok(Percentiles::of(self.task.await??))
    }
}

#[cfg(test)]
mod tests {
    use super::Percentiles;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let p = Percentiles::of((1..=1000).rev().map(|ms| ms * 1000).collect());
        assert_eq!((p.p50_ms, p.p95_ms, p.p99_ms, p.max_ms), (500.0, 950.0, 990.0, 1000.0));
        assert_eq!(Percentiles::of(Vec::new()).max_ms, 0.0);
        assert_eq!(Percentiles::of(vec![7000]).p50_ms, 7.0);
    }
}
