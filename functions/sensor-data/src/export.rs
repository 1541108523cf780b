//! `GET /sensor-data/export.csv`: readings, or their roll-ups where those are what is left or asked for, sensor by sensor.

use http::HeaderValue;
use pm_api::{
    route::op,
    sensor_data::ReadingExport,
    word::{CsvDecimal, CsvDelimiter, Resolution},
};
use pm_domain::{
    csv::{Csv, Style},
    trend::Level,
    zone::Zone,
};
use pm_store::{
    Db, StoreError,
    reading_export::{self as export, ExportRow, ExportSensor},
};
use pm_web::{Answer, Feed, Input, Refusal, csv, spawn};

/// Rows that are held at once.
const SLICE: i64 = 5000;

pub(crate) async fn export(input: Input<op::ExportSensorData>) -> Result<Answer, Refusal> {
    let query = &input.query;
    let style = style(query)?;
    let db = input.db().await?;
    let bounds = export::retention_bounds(&db).await?;
    let level = match query.resolution.unwrap_or(Resolution::Auto) {
        Resolution::Raw => Level::Raw,
        Resolution::Minute => Level::Minute,
        Resolution::Hour => Level::Hour,
        // the finest that is left from the begin on; without a begin, what there is of the readings
        Resolution::Auto => query.start_date.map_or(Level::Raw, |from| bounds.finest_level(from)),
    };
    let sensors = export::sensors(&db, query.sensor_id, query.machine_id).await?;
    let range = export::range(query.start_date, query.end_date);
    let (answer, feed) = csv(HeaderValue::from_static("attachment; filename=\"sensor-data.csv\""));
    spawn(async move {
        if let Err(error) = write(&db, feed, Csv::new(style), level, &sensors, range).await {
            pm_web::log_error(&format!("an export broke off: {error}"));
        }
    });
    Ok(answer)
}

/// The style that the query asks for.
fn style(query: &ReadingExport) -> Result<Style, Refusal> {
    let zone = match query.zone.as_deref() {
        None => None,
        Some(name) => Some(Zone::named(name).ok_or_else(|| {
            let message = "Input should be a time zone of the IANA database, e.g. Europe/Berlin";
            Refusal::field("value_error", &["query", "zone"], message, name.into())
        })?),
    };
    Ok(Style {
        delimiter: match query.delimiter {
            None | Some(CsvDelimiter::Comma) => b',',
            Some(CsvDelimiter::Semicolon) => b';',
            Some(CsvDelimiter::Tab) => b'\t',
        },
        decimal: match query.decimal {
            None | Some(CsvDecimal::Point) => '.',
            Some(CsvDecimal::Comma) => ',',
        },
        bom: query.bom.is_some_and(|flag| flag.0),
        zone,
    })
}

async fn write(
    db: &Db,
    mut feed: Feed,
    mut csv: Csv,
    level: Level,
    sensors: &[ExportSensor],
    (after, to): (pm_api::Timestamp, pm_api::Timestamp),
) -> Result<(), StoreError> {
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
            "quality",
        ]),
        Level::Minute | Level::Hour => csv.headings(&[
            "start",
            "resolution",
            "machine",
            "sensor",
            "sensor_type",
            "count",
            "count_mean",
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
    csv.time(row.time);
    if level == Level::Raw {
        csv.text(&sensor.machine).text(&sensor.name).text(&sensor.sensor_type).number(row.mean).text(unit);
    } else {
        csv.plain(level.as_str()).text(&sensor.machine).text(&sensor.name).text(&sensor.sensor_type);
        csv.plain(row.count).number(row.mean).number(row.min).number(row.max).number(row.last).text(unit);
    }
    csv.plain(row.status).plain(sensor.machine_id).plain(sensor.sensor_id);
    if level == Level::Raw {
        csv.plain(row.quality);
    }
    csv.end();
}
