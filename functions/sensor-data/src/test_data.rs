//! `POST /simulator/generate-test-data`: readings of a test machine, sent the way of all readings.

use pm_api::{
    Timestamp,
    ingest::{Batch, Reading, SensorRef},
    route::op,
    sensor_data::TestData,
};
use pm_web::{Input, Refusal, now};

/// The machine that reports; it is registered when it reports for the first time.
const MACHINE: &str = "test-machine";
/// Its sensors: type, unit, middle and swing of its values. A batch is one reading of each.
const SENSORS: [(&str, &str, f64, f64); 10] = [
    ("temperature", "°C", 60.0, 5.0),
    ("pressure", "bar", 6.0, 0.5),
    ("vibration", "mm/s", 1.5, 0.4),
    ("flow_rate", "L/min", 100.0, 8.0),
    ("current", "A", 12.0, 1.0),
    ("voltage", "V", 230.0, 2.0),
    ("rpm", "rpm", 1500.0, 15.0),
    ("torque", "Nm", 90.0, 6.0),
    ("humidity", "%", 45.0, 3.0),
    ("level", "%", 70.0, 4.0),
];
/// Batches of one request unless it says otherwise.
const BATCHES: i64 = 10;
/// What marks these readings.
const SIMULATED: &str = r#"{"simulated":true}"#;

pub(crate) async fn generate(input: Input<op::GenerateTestData>) -> Result<TestData, Refusal> {
    super::require_simulator().await?;
    let count = input.query.count.map_or(BATCHES, |count| count.0);
    let db = input.db().await?;
    input.actor(&db).await?;
    let report = pm_web::ingest(&batch(count, now())).await?;
    Ok(TestData {
        ok: true,
        message: format!("Generated {count} batches of test data"),
        records_created: report.stored,
    })
}

/// `count` readings of each sensor, a second apart, the last of them now: a slow wave with a fast one on it.
fn batch(count: i64, now: Timestamp) -> Batch {
    let reading = |i: i64, (sensor, (_, _, middle, swing)): (u32, &(&str, &str, f64, f64))| {
        let time = now.plus_seconds(i + 1 - count);
        let phase = time.0 as f64 / Timestamp::SECOND as f64 + f64::from(sensor) * 17.0;
        let wave = 0.8 * (phase / 97.0).sin() + 0.2 * (phase * 1.7).sin();
        Reading {
            sensor,
            time,
            value: middle + swing * wave,
            metadata: Some(SIMULATED.to_owned()),
            ..Reading::default()
        }
    };
    Batch {
        sensors: SENSORS
            .iter()
            .map(|(sensor_type, unit, ..)| SensorRef {
                machine: MACHINE.to_owned(),
                sensor: format!("test-{sensor_type}"),
                sensor_type: Some((*sensor_type).to_owned()),
                unit: Some((*unit).to_owned()),
                ..SensorRef::default()
            })
            .collect(),
        readings: (0..count).flat_map(|i| (0..).zip(&SENSORS).map(move |s| reading(i, s))).collect(),
        dead_letters: Vec::new(),
    }
}
