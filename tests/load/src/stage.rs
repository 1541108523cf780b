//! One stage of a run: a rate, held for a while, and what became of what was published.

use crate::{
    fleet::Fleet,
    latency::{LatencyProbe, Marks, Percentiles},
    process::{Usage, usages},
    publisher::{Counts, Load},
};
use anyhow::{Result, ensure};
use pm_test_support::Stack;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use tokio::time::{Instant, sleep};
use tokio_postgres::Client;

/// Processes that are watched.
pub(crate) const PROCESSES: [&str; 4] = ["database", "broker", "host", "bridge"];
/// Time for the rest to arrive after a stage.
const DRAIN: Duration = Duration::from_secs(120);

/// What a stage has shown. Rates are readings per second.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Stage {
    /// Rate asked for.
    pub(crate) rate: f64,
    /// Seconds that it was asked for.
    pub(crate) seconds: f64,
    /// Rate published.
    pub(crate) offered: f64,
    /// Rate acknowledged by the broker.
    pub(crate) acknowledged: f64,
    /// Rate stored, counted in the database when publishing stopped.
    pub(crate) stored: f64,
    /// Predictions stored per second.
    pub(crate) scored: f64,
    /// Longest time that any sensor went without being scored, s.
    pub(crate) longest_unscored_s: f64,
    /// Seconds after the end until everything was stored.
    pub(crate) drained_s: f64,
    /// From a message's making to the moment a query finds its readings.
    pub(crate) latency: Percentiles,
    /// Processors used by each part (1 is one of them, busy all the time); `load` is this program.
    pub(crate) cpu: BTreeMap<&'static str, f64>,
    /// Memory of each part at the end, MiB.
    pub(crate) memory_mib: BTreeMap<&'static str, f64>,
    /// Most that the spool held, MiB.
    pub(crate) spool_mib: f64,
    /// Readings beyond a limit, and alarms raised.
    pub(crate) beyond_limits: i64,
    /// Alarms raised.
    pub(crate) alarms: i64,
    /// The samples, second by second.
    pub(crate) samples: Vec<Sample>,
}

/// One look at the running system.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    /// Seconds since the stage began.
    pub(crate) at_s: f64,
    /// Readings published since then.
    pub(crate) offered: u64,
    /// Readings that the bridge knows to be committed, since its start.
    pub(crate) committed: i64,
    /// Messages in the bridge's memory.
    pub(crate) queue: i64,
    /// Bytes in its spool.
    pub(crate) spool_bytes: i64,
    /// Memory of each part, MiB.
    pub(crate) memory_mib: BTreeMap<&'static str, f64>,
}

/// What a stage needs.
pub(crate) struct Bench<'a> {
    /// The system.
    pub(crate) stack: &'a Stack,
    /// The database, for its owner.
    pub(crate) db: &'a Client,
    /// Where readings come from.
    pub(crate) fleet: Fleet,
    /// Connections to the broker.
    pub(crate) connections: usize,
}

impl Bench<'_> {
    /// Holds `rate` for `seconds`.
    pub(crate) async fn stage(&self, rate: f64, seconds: f64) -> Result<Stage> {
        let marks = Arc::new(Marks::of(self.fleet.machines));
        let probe =
            LatencyProbe::start(pm_migrations::connect(self.stack.db()).await?, marks.clone()).await?;
        let before = self.stored().await?;
        let alarms = self.one("select count(*) from alarms").await?;
        let began_us = self.one("select (extract(epoch from clock_timestamp()) * 1000000)::int8").await?;
        let usage_before = usages(self.stack, &PROCESSES);
        let began = Instant::now();
        let load = Load::start(self.stack.mqtt_url(), self.fleet, rate, self.connections, &marks)?;
        let samples = self.samples(began, seconds, &load.counts).await?;
        let seconds = began.elapsed().as_secs_f64();
        let (stored, usage_after) = (self.stored().await? - before, usages(self.stack, &PROCESSES));
        let (offered, acknowledged) =
            (load.counts.offered.load(Relaxed), load.counts.acknowledged.load(Relaxed));
        let (scored, unscored_s) = self.scorings(began_us, seconds).await?;
        let stopped = Instant::now();
        let counts = load.finish().await?;
        let published = counts.offered.load(Relaxed) as i64;
        while self.stored().await? - before < published && stopped.elapsed() < DRAIN {
            sleep(Duration::from_millis(200)).await;
        }
        let drained_s = stopped.elapsed().as_secs_f64();
        let all = self.stored().await? - before;
        ensure!(all == published, "{published} readings were published and acknowledged, {all} are stored");
        let beyond = "select count(*) from sensor_data where status > 0 and time >= epoch_us($1)";
        let spool_bytes = samples.iter().map(|m| m.spool_bytes).max().unwrap_or_default();
        let cpu = usage_before
            .iter()
            .map(|(part, then)| (*part, (usage_after[part].cpu_s - then.cpu_s) / seconds))
            .collect();
        Ok(Stage {
            rate,
            seconds,
            offered: offered as f64 / seconds,
            acknowledged: acknowledged as f64 / seconds,
            stored: stored as f64 / seconds,
            scored: scored as f64 / seconds,
            longest_unscored_s: unscored_s,
            drained_s,
            latency: probe.finish().await?,
            cpu,
            memory_mib: memory(&usage_after),
            spool_mib: spool_bytes as f64 / 1_048_576.0,
            beyond_limits: self.db.query_one(beyond, &[&began_us]).await?.get(0),
            alarms: self.one("select count(*) from alarms").await? - alarms,
            samples,
        })
    }

    async fn samples(&self, began: Instant, seconds: f64, counts: &Counts) -> Result<Vec<Sample>> {
        let mut samples = Vec::new();
        let end = began + Duration::from_secs_f64(seconds);
        let report = self
            .db
            .prepare(
                "select (report->>'readings_committed')::int8, (report->>'queue_size')::int8,
                        (report->>'spool_bytes')::int8
                 from service_reports where kind = 'bridge' order by reported_at desc limit 1",
            )
            .await?;
        for second in 1.. {
            let next = (began + Duration::from_secs(second)).min(end);
            tokio::time::sleep_until(next).await;
            if let Some(row) = self.db.query_opt(&report, &[]).await? {
                samples.push(Sample {
                    at_s: began.elapsed().as_secs_f64(),
                    offered: counts.offered.load(Relaxed),
                    committed: row.get(0),
                    queue: row.get(1),
                    spool_bytes: row.get(2),
                    memory_mib: memory(&usages(self.stack, &PROCESSES)),
                });
            }
            if next == end {
                break;
            }
        }
        Ok(samples)
    }

    async fn one(&self, sql: &str) -> Result<i64> {
        Ok(self.db.query_one(sql, &[]).await?.get(0))
    }

    async fn stored(&self) -> Result<i64> {
        self.one("select count(*) from sensor_data").await
    }

    /// Predictions since `began_us`, and the longest time in which a sensor had none.
    async fn scorings(&self, began_us: i64, seconds: f64) -> Result<(i64, f64)> {
        let row = self
            .db
            .query_one(
                "with made as (
                     select s.id, p.created_at from sensors s join machines m on m.id = s.machine_id
                     left join predictions p on p.sensor_id = s.id and p.created_at >= epoch_us($1)
                          and p.time >= epoch_us($1) - interval '1 hour'
                     where m.mqtt_id like 'load-%'),
                 moments as (
                     select id, created_at as at, 1 as n from made where created_at is not null
                     union all select distinct id, epoch_us($1), 0 from made
                     union all select distinct id, epoch_us($1) + $2::float8 * interval '1 second', 0 from made)
                 select sum(n), max(gap) from (
                     select n, extract(epoch from at - lag(at) over (partition by id order by at))::float8 as gap
                     from moments) g",
                &[&began_us, &seconds],
            )
            .await?;
        Ok((row.get(0), row.get::<_, Option<f64>>(1).unwrap_or(seconds)))
    }
}

fn memory(usages: &BTreeMap<&'static str, Usage>) -> BTreeMap<&'static str, f64> {
    usages.iter().map(|(part, usage)| (*part, usage.memory_mib)).collect()
}
