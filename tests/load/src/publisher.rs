//! Publishes at a fixed rate, whatever the receivers do.

use crate::{fleet::Fleet, latency::Marks};
use anyhow::Result;
use pm_bridge::{
    config::{TlsFiles, mqtt_options},
    health::wall_clock,
    simulator::publish::Publisher,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{task::JoinHandle, time::Instant};

/// Messages are made in rounds of this length.
const ROUND: Duration = Duration::from_millis(5);
/// With so many messages that the broker has not taken, no further ones are made: the rate offered falls.
const MAX_UNACKNOWLEDGED: usize = 20_000;

/// What a load has done until now, in readings.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Given to the connections.
    pub(crate) offered: AtomicU64,
    /// Acknowledged by the broker.
    pub(crate) acknowledged: AtomicU64,
}

/// Connections that publish until they are told to stop.
pub(crate) struct Load {
    /// What they have done.
    pub(crate) counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Load {
    /// Starts publishing `rate` readings/s over so many connections, each for its share of the machines.
    pub(crate) fn start(
        mqtt_url: &str,
        fleet: Fleet,
        rate: f64,
        connections: usize,
        marks: &Arc<Marks>,
    ) -> Result<Self> {
        let (counts, stop) = (Arc::new(Counts::default()), Arc::new(AtomicBool::new(false)));
        let mut tasks = Vec::new();
        for number in 0..connections {
            let client_id = format!("load-{}-{number}", std::process::id());
            let publisher = Publisher::new(mqtt_options(mqtt_url, &TlsFiles::default(), &client_id)?, None);
            let machines: Vec<usize> = (0..fleet.machines).filter(|m| m % connections == number).collect();
            let share = rate * machines.len() as f64 / fleet.machines as f64;
            let connection = Connection {
                fleet,
                machines,
                messages_per_s: share / fleet.sensors as f64,
                counts: counts.clone(),
                marks: marks.clone(),
            };
            tasks.push(tokio::spawn(connection.run(publisher, stop.clone())));
        }
        Ok(Self { counts, stop, tasks })
    }

    /// Stops making messages and waits until the broker has taken those that were made.
    pub(crate) async fn finish(self) -> Result<Arc<Counts>> {
        self.stop.store(true, Relaxed);
        for task in self.tasks {
            task.await?;
        }
        Ok(self.counts)
    }
}

struct Connection {
    fleet: Fleet,
    machines: Vec<usize>,
    messages_per_s: f64,
    counts: Arc<Counts>,
    marks: Arc<Marks>,
}

impl Connection {
    async fn run(self, mut publisher: Publisher, stop: Arc<AtomicBool>) {
        let readings = self.fleet.sensors as u64;
        let topics: Vec<String> = self.machines.iter().map(|m| Fleet::topic(*m)).collect();
        let mut counted = 0;
        let (mut made, mut last_us) = (0_u64, 0);
        let mut began = Instant::now();
        while !stop.load(Relaxed) {
            let due = (began.elapsed().as_secs_f64() * self.messages_per_s) as u64;
            while made < due && publisher.outstanding() < MAX_UNACKNOWLEDGED {
                let at = (made % self.machines.len() as u64) as usize;
                // each message has a time of its own, since sensor and time are a reading's key
                last_us = wall_clock().0.max(last_us + 1);
                publisher.publish(&topics[at], self.fleet.message(self.machines[at], last_us));
                self.marks.published(self.machines[at], last_us);
                self.counts.offered.fetch_add(readings, Relaxed);
                made += 1;
            }
            if made < due {
                // what could not be published in its time is left out
                began += Duration::from_secs_f64((due - made) as f64 / self.messages_per_s);
            }
            publisher.work(ROUND, false).await;
            self.count(&publisher, &mut counted);
            if let Some(error) = publisher.last_error.take() {
                eprintln!("{error}");
            }
        }
        while publisher.outstanding() > 0 {
            publisher.work(Duration::from_millis(100), true).await;
        }
        self.count(&publisher, &mut counted);
    }

    fn count(&self, publisher: &Publisher, counted: &mut u64) {
        let acknowledged = publisher.acknowledged();
        self.counts.acknowledged.fetch_add((acknowledged - *counted) * self.fleet.sensors as u64, Relaxed);
        *counted = acknowledged;
    }
}
