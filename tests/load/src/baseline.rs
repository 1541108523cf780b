//! What the database alone can do: the same rows into the same hypertable, without sensors to look up, limits, roll-ups,
//! newest values, scoring.

use anyhow::Result;
use bytes::Bytes;
use pm_migrations::connect;
use serde::Serialize;
use std::{
    pin::pin,
    time::{Duration, Instant, SystemTime},
};
use tokio_postgres::{
    Client,
    binary_copy::BinaryCopyInWriter,
    types::{ToSql, Type},
};
use uuid::Uuid;

/// Readings in a statement: as many as the bridge puts into a batch.
const BATCH: usize = 2000;
/// How long each way is measured.
const FOR: Duration = Duration::from_secs(8);
/// Connections at one time: as many as the bridge has lanes.
const CONNECTIONS: usize = 2;

/// Readings per second.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Baseline {
    /// By insert from arrays.
    pub(crate) insert: f64,
    /// By binary COPY.
    pub(crate) copy: f64,
}

/// One sensor to write for.
type Sensor = (Uuid, Uuid);

/// Measures both. What is written lies in the last hours, before everything else that was measured.
pub(crate) async fn measure(db_url: &str) -> Result<Baseline> {
    let db = connect(db_url).await?;
    let sensors = db.query("select id, machine_id from sensors where mqtt_id like 's%'", &[]).await?;
    let sensors: Vec<Sensor> = sensors.iter().map(|r| (r.get(0), r.get(1))).collect();
    let insert = together(db_url, &sensors, 0, false).await?;
    let copy = together(db_url, &sensors, CONNECTIONS as i64, true).await?;
    Ok(Baseline { insert, copy })
}

async fn together(db_url: &str, sensors: &[Sensor], first: i64, copy: bool) -> Result<f64> {
    let mut tasks = Vec::new();
    let began = Instant::now();
    for number in 0..CONNECTIONS as i64 {
        let (db, sensors) = (connect(db_url).await?, sensors.to_vec());
        tasks.push(tokio::spawn(async move {
            // an hour of its own, so that no two rows have the same key
            let mut batches = Batches { sensors, hour: 1 + first + number, next: 0 };
            let mut rows = 0;
            while began.elapsed() < FOR {
                rows +=
                    if copy { copy_in(&db, &mut batches).await? } else { insert(&db, &mut batches).await? };
            }
            anyhow::Ok(rows)
        }));
    }
    let mut rows = 0;
    for task in tasks {
        rows += task.await??;
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

/// Rows without end, in the order in which readings come: all sensors, then all again.
struct Batches {
    sensors: Vec<Sensor>,
    hour: i64,
    next: usize,
}

impl Batches {
    fn rows(&mut self) -> impl Iterator<Item = (SystemTime, Sensor, f64)> + '_ {
        let from = SystemTime::now() - Duration::from_secs(3600 * (1 + self.hour.unsigned_abs()));
        let start = self.next;
        self.next += BATCH;
        let count = self.sensors.len();
        (start..start + BATCH).map(move |i| {
            let at = from + Duration::from_micros(i as u64);
            (at, self.sensors[i % count], 100.0 + (i % 97) as f64 / 10.0)
        })
    }
}

async fn insert(db: &Client, batches: &mut Batches) -> Result<usize> {
    let statement = db
        .prepare_typed(
            "insert into sensor_data (time, sensor_id, machine_id, value, status)
             select t, s, m, v, 0 from unnest($1::timestamptz[], $2::uuid[], $3::uuid[], $4::float8[]) u (t, s, m, v)",
            &[],
        )
        .await?;
    let mut columns: (Vec<SystemTime>, Vec<Uuid>, Vec<Uuid>, Vec<f64>) = Default::default();
    for (at, (sensor, machine), value) in batches.rows() {
        columns.0.push(at);
        columns.1.push(sensor);
        columns.2.push(machine);
        columns.3.push(value);
    }
    db.execute(&statement, &[&columns.0, &columns.1, &columns.2, &columns.3]).await?;
    Ok(BATCH)
}

async fn copy_in(db: &Client, batches: &mut Batches) -> Result<usize> {
    let statement = "copy sensor_data (time, sensor_id, machine_id, value, status) from stdin binary";
    let sink = db.copy_in::<_, Bytes>(statement).await?;
    let types = [Type::TIMESTAMPTZ, Type::UUID, Type::UUID, Type::FLOAT8, Type::INT2];
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for (at, (sensor, machine), value) in batches.rows() {
        let row: [&(dyn ToSql + Sync); 5] = [&at, &sensor, &machine, &value, &0_i16];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(BATCH)
}
