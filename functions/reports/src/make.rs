//! Makes a report: begins it, writes its pieces, completes it.

use pm_api::{
    ReportId, ReportScheduleId, SensorId, Timestamp, UserId,
    report::{Report, ReportFormat},
};
use pm_domain::{
    quota::{Quota, UNFINISHED_REPORT_BYTES},
    reliability::Span,
    report::{CSV_ROWS, XLSX_ROWS, name, resolution},
    report_content::{Content, Cover, Excerpt},
    settings::Key,
};
use pm_store::{
    Actor, Db,
    report::{self, NewReport, ReadingPosition, ReportFile},
    report_content::{self, Resolution, Scope},
    setting,
};
use pm_web::Refusal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Readings of a piece of CSV, about a megabyte.
const PIECE_ROWS: i64 = 10_000;
/// Bytes of a piece of other formats.
const PIECE_BYTES: usize = 1024 * 1024;
/// Sensors whose course is drawn.
const CHARTS: i64 = 6;
/// Machines, sensors, alarms, tickets of a workbook; a document has fewer.
const MOST_ROWS: i64 = 10_000;
const CSV_HEADING: &str = "timestamp,machine_id,sensor_id,value,status\r\n";

/// A report that is wanted.
#[derive(Debug, Clone)]
pub(crate) struct ReportSpec {
    pub(crate) format: ReportFormat,
    pub(crate) title: String,
    pub(crate) scope: Scope,
    pub(crate) asked_from: Option<Timestamp>,
    pub(crate) asked_to: Timestamp,
    pub(crate) utc_offset_minutes: i64,
    /// Who has it made, for people.
    pub(crate) author: String,
    pub(crate) created_by: Option<UserId>,
    pub(crate) schedule_id: Option<ReportScheduleId>,
    pub(crate) recipients: Vec<String>,
    pub(crate) now: Timestamp,
}

/// Makes it, if its author may have one more. What breaks off on the way is removed by the clock.
pub(crate) async fn make(db: &Db, actor: Option<&Actor>, order: &ReportSpec) -> Result<Report, Refusal> {
    let keys = [[Key::ReportsKeepDays].as_slice(), &Quota::REPORT_KEYS].concat();
    let settings = setting::read(db, &keys).await?;
    let fits = Quota::of_reports(&settings)
        .check(report::stored(db, order.created_by).await?, UNFINISHED_REPORT_BYTES);
    fits.map_err(|exceeded| Refusal::Conflict(exceeded.to_string()))?;
    let id = ReportId(Uuid::now_v7());
    let new = NewReport {
        id,
        name: name(order.now, Uuid::new_v4().as_u128(), order.format),
        format: order.format,
        title: order.title.clone(),
        scope: order.scope,
        asked_from: order.asked_from,
        asked_to: order.asked_to,
        created_by: order.created_by,
        schedule_id: order.schedule_id,
        recipients: order.recipients.clone(),
        keep_days: settings.integer(Key::ReportsKeepDays),
    };
    let made = match order.format {
        ReportFormat::Csv => {
            report::begin(db, actor, &new).await?;
            csv(db, &order.scope, id).await?
        }
        ReportFormat::Pdf | ReportFormat::Xlsx => {
            let content = content(db, order).await?;
            let file = if order.format == ReportFormat::Pdf {
                pm_report::pdf(&content)
            } else {
                pm_report::xlsx(&content)
            };
            let file = file.map_err(|e| Refusal::Internal(e.to_string()))?;
            report::begin(db, actor, &new).await?;
            for (number, piece) in (0..).zip(file.chunks(PIECE_BYTES)) {
                report::add_piece(db, id, number, piece.to_vec()).await?;
            }
            ReportFile {
                readings: content.reading_count(),
                truncated: content.readings.total > content.readings.rows.len() as i64
                    && order.format == ReportFormat::Xlsx,
                file_size: file.len() as i64,
                sha256: Sha256::digest(&file).to_vec(),
            }
        }
    };
    Ok(report::complete(db, id, made).await?)
}

/// Lets the database write the readings, piece by piece.
async fn csv(db: &Db, scope: &Scope, id: ReportId) -> Result<ReportFile, Refusal> {
    let start = report::csv_start(db, scope, CSV_ROWS).await?;
    let truncated = start.is_some();
    let first = ReadingPosition { time: scope.period.from, sensor_id: SensorId(Uuid::nil()) };
    let (mut place, mut heading, mut digest) = (start.unwrap_or(first), CSV_HEADING, Sha256::new());
    let (mut readings, mut file_size) = (0, 0);
    for number in 0.. {
        // what is stored meanwhile does not count
        let most = PIECE_ROWS.min(CSV_ROWS - readings);
        let piece = report::add_csv_piece(db, scope, place, most, (id, number), heading).await?;
        digest.update(&piece.content);
        file_size += piece.content.len() as i64;
        readings += piece.rows;
        heading = "";
        match piece.next {
            Some(next) if piece.rows == most && readings < CSV_ROWS => place = next,
            _ => break,
        }
    }
    Ok(ReportFile { readings, truncated, file_size, sha256: digest.finalize().to_vec() })
}

async fn content(db: &Db, order: &ReportSpec) -> Result<Content, Refusal> {
    let mut scope = order.scope;
    // what is to come cannot be observed
    scope.period.to = scope.period.to.min(order.now).max(scope.period.from);
    let period = scope.period;
    let (interval_s, point_s) = resolution(period.seconds());
    let resolution = Resolution { interval_s, point_s, charts: CHARTS };
    let (machines, sensors) = report_content::assets(db, &scope, resolution, MOST_ROWS).await?;
    let named = |part: &[_]| -> Option<String> { part.first().cloned() };
    let machine = named(&machines.rows.iter().map(|m| m.name.clone()).collect::<Vec<_>>());
    let sensor = named(&sensors.rows.iter().map(|s| s.name.clone()).collect::<Vec<_>>());
    let selection = match (scope.machine_id, scope.sensor_id, machine, sensor) {
        (_, Some(_), Some(machine), Some(sensor)) => format!("Sensor {sensor} of machine {machine}"),
        (Some(_), _, Some(machine), _) => format!("Machine {machine}"),
        (None, None, ..) => "All machines".to_owned(),
        _ => "Nothing: the sensor is not one of this machine".to_owned(),
    };
    let mut content = Content {
        cover: Cover {
            title: order.title.clone(),
            period: Span { from: period.from, to: period.to },
            interval_s,
            utc_offset_minutes: order.utc_offset_minutes,
            generated_at: order.now,
            generated_by: order.author.clone(),
            scope: selection,
        },
        machines,
        sensors,
        alarms: report_content::alarms(db, &scope, MOST_ROWS).await?,
        predictions: report_content::predictions(db, &scope, MOST_ROWS).await?,
        tickets: report_content::tickets(db, &scope, MOST_ROWS).await?,
        readings: Excerpt::default(),
    };
    if order.format == ReportFormat::Xlsx {
        let rows = report_content::readings(db, &scope, XLSX_ROWS).await?;
        content.readings = Excerpt { total: content.reading_count().max(rows.len() as i64), rows };
    }
    Ok(content)
}
