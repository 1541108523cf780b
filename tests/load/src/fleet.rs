//! The machines and sensors that the load comes from, and their messages.

use anyhow::Result;
use std::fmt::Write as _;
use tokio_postgres::Client;

/// Readings go up to 110; the upper of these limits is never passed in ordinary operation.
const WARNING: f64 = 120.0;
const CRITICAL: f64 = 140.0;

/// A number of machines with the same number of sensors each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fleet {
    /// Machines.
    pub(crate) machines: usize,
    /// Sensors of each.
    pub(crate) sensors: usize,
}

impl Fleet {
    /// Enters the machines and sensors with limits, so that every reading is checked.
    pub(crate) async fn enter(self, db: &Client) -> Result<()> {
        let (machines, sensors) = (self.machines as i32, self.sensors as i32);
        let enter_machines = "
            insert into machines (name, mqtt_id, location)
            select n, n, 'Hall ' || i % 5 from generate_series(0, $1::int4 - 1) i, machine_name(i) n";
        db.batch_execute(
            "create function pg_temp.machine_name(i int) returns text language sql as $$ select 'load-' || lpad(i::text, 4, '0') $$",
        )
        .await?;
        db.execute(&enter_machines.replace("machine_name", "pg_temp.machine_name"), &[&machines]).await?;
        db.execute(
            "insert into sensors (machine_id, name, mqtt_id, sensor_type, unit, warning_threshold, critical_threshold)
             select m.id, 's' || s, 's' || s, 'temperature', '°C', $2, $3
             from machines m, generate_series(0, $1::int4 - 1) s where m.mqtt_id like 'load-%'",
            &[&sensors, &WARNING, &CRITICAL],
        )
        .await?;
        db.batch_execute("analyze machines; analyze sensors").await?;
        Ok(())
    }

    /// All sensors.
    pub(crate) fn all(self) -> usize {
        self.machines * self.sensors
    }

    /// The topic of a machine.
    pub(crate) fn topic(machine: usize) -> String {
        format!("factory/hall/load-{machine:04}")
    }

    /// Number of a sensor `s` of a machine `m`, in SQL.
    pub(crate) const NUMBER_IN_SQL: &str = "right(m.mqtt_id, 4)::int8 * 10 + right(s.mqtt_id, 1)::int8";

    /// What [`Self::message`] says of a sensor `s.number` at the time `at` when it is within its limits, in SQL.
    pub(crate) const VALUE_IN_SQL: &str =
        "98 + abs(600 - (floor(extract(epoch from at))::int8 + s.number) % 1200) / 60.0 + 2 * random()";

    /// A message of one machine with one value of each of its sensors. Every hundredth sensor passes its warning limit
    /// for five seconds of every minute.
    pub(crate) fn message(self, machine: usize, time_us: i64) -> Vec<u8> {
        let mut text =
            format!("{{\"machine_id\":\"load-{machine:04}\",\"timestamp\":{time_us},\"values\":{{");
        let second = (time_us / 1_000_000) as usize;
        for sensor in 0..self.sensors {
            let id = machine * self.sensors + sensor;
            let mixed = (id as u64 ^ time_us as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
            let noise = mixed as f64 / f64::from(1 << 24);
            // up and down within twenty minutes: nothing that the scorer should find unusual
            let slow = (600.0 - ((second + id) % 1200) as f64).abs() / 60.0;
            let high = if id.is_multiple_of(100) && (second + id / 100) % 60 < 5 { 30.0 } else { 0.0 };
            let comma = if sensor == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\"s{sensor}\":{:.3}", 98.0 + slow + 2.0 * noise + high);
        }
        text.push_str("}}");
        text.into_bytes()
    }
}
