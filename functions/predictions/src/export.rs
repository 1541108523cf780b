//! `GET /predictions/export.csv`: predictions, sensor by sensor.

use http::HeaderValue;
use pm_api::{route::op, word::PredictionStatus};
use pm_domain::csv::Csv;
use pm_store::{
    Db, StoreError,
    reading_export::{self as export, ExportSensor},
};
use pm_web::{Answer, Feed, Input, Refusal, csv, spawn};

/// Rows that are held at once.
const SLICE: i64 = 5000;
const HEADINGS: &[&str] = &[
    "timestamp",
    "machine",
    "sensor",
    "sensor_type",
    "score",
    "status",
    "anomaly_type",
    "prediction",
    "confidence",
    "health_percent",
    "remaining_hours",
    "model_version",
    "machine_id",
    "sensor_id",
    "id",
];

pub(crate) async fn export(input: Input<op::ExportPredictions>) -> Result<Answer, Refusal> {
    let query = &input.query;
    let (range, status) = (export::range(query.start_time, query.end_time), query.status);
    let db = input.db().await?;
    let sensors = export::sensors(&db, query.sensor_id, query.machine_id).await?;
    let (answer, feed) = csv(HeaderValue::from_static("attachment; filename=\"predictions.csv\""));
    spawn(async move {
        if let Err(error) = write(&db, feed, status, &sensors, range).await {
            pm_web::log_error(&format!("an export broke off: {error}"));
        }
    });
    Ok(answer)
}

async fn write(
    db: &Db,
    mut feed: Feed,
    status: Option<PredictionStatus>,
    sensors: &[ExportSensor],
    (after, to): (pm_api::Timestamp, pm_api::Timestamp),
) -> Result<(), StoreError> {
    let mut csv = Csv::default();
    csv.headings(HEADINGS);
    for sensor in sensors {
        let mut reached = after;
        loop {
            let rows = export::predictions(db, sensor.sensor_id, status, (reached, to), SLICE).await?;
            for row in &rows {
                csv.time(row.time).text(&sensor.machine).text(&sensor.name).text(&sensor.sensor_type);
                csv.number(row.score).text(&row.status).text(&row.anomaly_type).text(&row.prediction);
                csv.plain(row.confidence).plain(row.health_percent);
                csv.plain(row.remaining_hours.map(|h| h.to_string()).unwrap_or_default());
                csv.text(&row.model_version)
                    .plain(sensor.machine_id)
                    .plain(sensor.sensor_id)
                    .plain(row.id)
                    .end();
                reached = row.time;
            }
            let text = csv.take();
            if !text.is_empty() && !feed.send(text).await {
                return Ok(());
            }
            if (rows.len() as i64) < SLICE {
                break;
            }
        }
    }
    feed.send(csv.take()).await;
    Ok(())
}
