//! `GET /sensor-data/export.csv`: readings, or their roll-ups where those are what is left or asked for, sensor by sensor.

use http::HeaderValue;
use pm_api::word::UnknownWord;
use pm_domain::{csv::Csv, trend::Level};
use pm_store::{
    Db, StoreError,
    reading_export::{self as export, ExportRow, ExportSensor},
};
use pm_web::{Call, Feed, Outcome, Refusal, csv, spawn};

/// Rows that are held at once.
const SLICE: i64 = 5000;
const RESOLUTIONS: &[&str] = &["raw", "1m", "1h", "auto"];

pub(crate) async fn export(call: &Call) -> Outcome {
    let (from, to) = (call.query.time("start_date")?, call.query.time("end_date")?);
    let asked = call.query.text("resolution").unwrap_or("auto").to_owned();
    let db = call.db().await?;
    let kept = export::kept(&db).await?;
    let level = match asked.as_str() {
        "raw" => Level::Raw,
        "1m" => Level::Minute,
        "1h" => Level::Hour,
        // the finest that is left from the begin on; without a begin, what there is of the readings
        "auto" => from.map_or(Level::Raw, |from| kept.finest_level(from)),
        _ => {
            let words = UnknownWord { expected: RESOLUTIONS }.to_string();
            return Err(Refusal::field("enum", &["query", "resolution"], words, asked.into()));
        }
    };
    let sensors = export::sensors(&db, call.query.id("sensor_id")?, call.query.id("machine_id")?).await?;
    let range = export::range(from, to);
    let (answer, feed) = csv(HeaderValue::from_static("attachment; filename=\"sensor-data.csv\""));
    spawn(async move {
        if let Err(error) = write(&db, feed, level, &sensors, range).await {
            pm_web::log_error(&format!("an export broke off: {error}"));
        }
    });
    Ok(answer)
}

async fn write(
    db: &Db,
    mut feed: Feed,
    level: Level,
    sensors: &[ExportSensor],
    (after, to): (pm_api::Timestamp, pm_api::Timestamp),
) -> Result<(), StoreError> {
    let mut csv = Csv::default();
    match level {
        Level::Raw => csv.headings(&[
            "timestamp",
            "machine",
            "sensor",
            "sensor_type",
            "value",
            "unit",
            "status",
            "machine_id",
            "sensor_id",
        ]),
        Level::Minute | Level::Hour => csv.headings(&[
            "start",
            "resolution",
            "machine",
            "sensor",
            "sensor_type",
            "count",
            "mean",
            "min",
            "max",
            "last",
            "unit",
            "worst_status",
            "machine_id",
            "sensor_id",
        ]),
    };
    for sensor in sensors {
        let mut reached = after;
        loop {
            let rows = export::rows(db, level, sensor.sensor_id, (reached, to), SLICE).await?;
            for row in &rows {
                line(&mut csv, level, sensor, row);
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

fn line(csv: &mut Csv, level: Level, sensor: &ExportSensor, row: &ExportRow) {
    let unit = sensor.unit.as_deref().unwrap_or_default();
    csv.plain(row.time);
    if level == Level::Raw {
        csv.text(&sensor.machine).text(&sensor.name).text(&sensor.sensor_type).plain(row.mean).text(unit);
    } else {
        csv.plain(level.as_str()).text(&sensor.machine).text(&sensor.name).text(&sensor.sensor_type);
        csv.plain(row.count).plain(row.mean).plain(row.min).plain(row.max).plain(row.last).text(unit);
    }
    csv.plain(row.status).plain(sensor.machine_id).plain(sensor.sensor_id).end();
}
