//! One listener: polls the database and writes what is new.

use pm_api::{Timestamp, event::LiveEvent};
use pm_store::{Db, StoreError, event};
use pm_web::{Feed, Refusal, now};
use serde::Serialize;
use serde_json::Value;
use std::{collections::HashMap, time::Duration};

const POLL: Duration = Duration::from_millis(500);
/// Rows become visible when their transaction ends, a little after the time they carry: each poll looks back this far.
const OVERLAP_US: i64 = 2 * Timestamp::SECOND;
const HEARTBEAT_S: f64 = 15.0;
/// Give up after so many failed polls in a row; the client connects again.
const MOST_FAILURES: u32 = 20;

pub(crate) struct Listener {
    db: Db,
    position: i64,
    since: Timestamp,
    recent: HashMap<String, Timestamp>,
}

impl Listener {
    pub(crate) async fn start(db: Db, resume_after: Option<i64>) -> Result<Self, Refusal> {
        let (since, newest) = event::now(&db).await?;
        Ok(Self {
            db,
            position: resume_after.map_or(newest, |p: i64| p.min(newest)),
            since,
            recent: HashMap::new(),
        })
    }

    /// Runs until the client has gone.
    pub(crate) async fn run(mut self, mut feed: Feed) {
        let mut sent_at = now();
        let mut failures = 0;
        if !feed.send("retry: 2000\n\n".to_owned()).await {
            return;
        }
        loop {
            match self.poll().await {
                Ok(news) => {
                    failures = 0;
                    let quiet = news.is_empty() && now().seconds_since(sent_at) >= HEARTBEAT_S;
                    let news = if quiet { line(None, "heartbeat", None) } else { news };
                    if !news.is_empty() {
                        sent_at = now();
                        if !feed.send(news).await {
                            return;
                        }
                    }
                }
                Err(error) => {
                    eprintln!("poll failed: {error}");
                    failures += 1;
                    if failures >= MOST_FAILURES {
                        return;
                    }
                }
            }
            spin_sdk::time::sleep(POLL).await;
        }
    }

    async fn poll(&mut self) -> Result<String, StoreError> {
        let mut news = String::new();
        for e in event::outbox_after(&self.db, self.position).await? {
            self.position = e.position;
            news += &line(Some(e.position), &e.event_type, Some(e.data));
        }
        let look_from = Timestamp(self.since.0 - OVERLAP_US);
        let mut newest = self.since;
        for (data, stored) in event::latest_since(&self.db, look_from).await? {
            newest = newest.max(stored);
            let key = format!("r{}{}", data.sensor_id, data.timestamp.0);
            self.tell_once(&mut news, key, stored, "sensor_data.created", &data);
        }
        for (data, stored) in event::predictions_since(&self.db, look_from).await? {
            newest = newest.max(stored);
            let key = format!("p{}", data.id);
            self.tell_once(&mut news, key, stored, "prediction.created", &data);
        }
        self.since = newest;
        let forget_before = Timestamp(newest.0 - 2 * OVERLAP_US);
        self.recent.retain(|_, stored| *stored > forget_before);
        Ok(news)
    }

    /// Adds an event unless an earlier poll has told it.
    fn tell_once(
        &mut self,
        news: &mut String,
        key: String,
        stored: Timestamp,
        kind: &str,
        data: &impl Serialize,
    ) {
        if self.recent.insert(key, stored).is_some() {
            return;
        }
        *news += &line(None, kind, serde_json::to_value(data).ok());
    }
}

/// One event in the wire form: an id if it can be resumed after, then a line of JSON.
fn line(id: Option<i64>, kind: &str, data: Option<Value>) -> String {
    let event = LiveEvent { kind: kind.to_owned(), data, timestamp: now() };
    let json = serde_json::to_string(&event).unwrap_or_default();
    match id {
        Some(id) => format!("id: {id}\ndata: {json}\n\n"),
        None => format!("data: {json}\n\n"),
    }
}
