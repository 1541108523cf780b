//! Report files. Their content lies in pieces of about a megabyte; a report is there once it is completed.

use crate::{
    Actor, Db, StoreError,
    list::{Id, Key, List, Total, lists},
    report_content::Scope,
    statement::{actor, statements},
    value::{Columns, at, id, json, optional, text, texts},
};
use pm_api::{
    ReadingStatus, ReportId, ReportScheduleId, SensorId, Timestamp, UserId,
    list::{ListQuery, Page},
    report::{Report, ReportFilter, ReportFormat},
    sort::ReportSort,
};
use pm_domain::{
    quota::{Stored, UNFINISHED_REPORT_BYTES},
    retention::UNFINISHED_REPORT_S,
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// The columns that [`row`] reads.
macro_rules! columns {
    () => {
        "id, created_at at time zone 'utc', name, format, title, params, readings, truncated, file_size,
         encode(sha256, 'hex'), created_by, schedule_id, expires_at at time zone 'utc'"
    };
}

/// Reports that there are, and that the reader may have: parameters `$1` to `$3` ([`Requester::params`]).
macro_rules! readable {
    () => {
        "from reports
         where completed_at is not null and expires_at > now()
           and ($1 or created_by = $2 or lower($3) in (select lower(r) from unnest(recipients) r))"
    };
}

lists! {
    LIST: ReportSort = List {
        columns: columns!(),
        rows: concat!(readable!(), " and ($4::text is null or format = $4)"),
        id: Id::Uuid("id"),
        key: |sort| match sort {
            ReportSort::CreatedAt => Key::Time("created_at"),
            ReportSort::Title => Key::Text("title"),
            ReportSort::FileSize => Key::Number("coalesce(file_size, 0)"),
        },
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    BEGIN = concat!("
        insert into reports (id, name, format, title, params, created_by, schedule_id, recipients, expires_at)
        select $2, $3, $4, $5, $6, $7, $8, $9::text[], now() + $10::int8 * interval '1 day'
        from ", actor!());
    STORED = "
        with kept as (
            select created_by, case when completed_at is null then $2::int8 else file_size end as bytes
            from reports where expires_at > now())
        select coalesce(sum(bytes) filter (where created_by = $1), 0)::int8, coalesce(sum(bytes), 0)::int8 from kept";
    PIECE = "insert into report_pieces (report_id, number, content) values ($1, $2, $3)";
    // The place after which the newest $5 readings begin.
    CSV_START = "
        select (extract(epoch from d.time) * 1000000)::int8, d.sensor_id from sensor_data d
        where d.time >= epoch_us($1) and d.time < epoch_us($2) and d.quality = 0
          and ($3::uuid is null or d.machine_id = $3) and ($4::uuid is null or d.sensor_id = $4)
        order by d.time desc, d.sensor_id desc offset $5 limit 1";
    // The next readings after a place, as a piece that begins with $9.
    CSV_PIECE = "
        with batch as materialized (
            select d.time, d.sensor_id, d.machine_id, d.value, d.status from sensor_data d
            where d.time >= epoch_us($1) and d.time < epoch_us($2) and d.quality = 0
              and ($3::uuid is null or d.machine_id = $3) and ($4::uuid is null or d.sensor_id = $4)
              and (d.time, d.sensor_id) > (epoch_us($1), $5::uuid)
            order by d.time, d.sensor_id limit $6),
        written as (
            insert into report_pieces (report_id, number, content)
            select $7, $8, convert_to($9 || coalesce(string_agg(
                       to_char(time at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"') || ',' || machine_id || ',' || sensor_id
                       || ',' || csv_number(value) || ',' || ($10::text[])[status + 1]
                       || E'\\r\\n', '' order by time, sensor_id), ''), 'utf8')
            from batch
            having count(*) > 0 or $9 <> ''
            returning content)
        select (select content from written), (select count(*) from batch), (extract(epoch from l.time) * 1000000)::int8, l.sensor_id
        from (select) one left join (select time, sensor_id from batch order by time desc, sensor_id desc limit 1) l on true";
    COMPLETE = concat!("
        update reports set completed_at = now(), readings = $2, truncated = $3, file_size = $4, sha256 = $5
        where id = $1 and completed_at is null
        returning ", columns!());
    FIND = concat!("select ", columns!(), " ", readable!(), " and (id = $4 or name = $5)");
    READ_PIECE = "select content from report_pieces where report_id = $1 and number = $2";
    DELETE = concat!("
        delete from reports using ", actor!(), "
        where (id = $4 or name = $5) and ($2 or created_by = $3)");
    EXPIRE = "
        delete from reports where id in (
            select id from reports
            where expires_at <= now() or (completed_at is null and created_at < now() - $1::int8 * interval '1 second') limit 20)";
}

/// What is known of a report before it is made.
#[derive(Debug, Clone)]
pub struct NewReport {
    /// Identifier.
    pub id: ReportId,
    /// Name of its file.
    pub name: String,
    /// Format of its file.
    pub format: ReportFormat,
    /// Title.
    pub title: String,
    /// What it is narrowed to.
    pub scope: Scope,
    /// Begin of the period as it was asked for.
    pub asked_from: Option<Timestamp>,
    /// End of the period as it was asked for.
    pub asked_to: Timestamp,
    /// Who has it made.
    pub created_by: Option<UserId>,
    /// The schedule that has it made.
    pub schedule_id: Option<ReportScheduleId>,
    /// Mail addresses whose accounts may read it.
    pub recipients: Vec<String>,
    /// Days after which it is removed.
    pub keep_days: i64,
}

/// Begins a report. Without an actor a schedule makes it, which is not audited.
pub async fn begin(db: &Db, actor: Option<&Actor>, new: &NewReport) -> Result<(), StoreError> {
    let params = serde_json::json!({
        "date_from": new.asked_from, "date_to": new.asked_to, "machine_id": new.scope.machine_id,
        "sensor_id": new.scope.sensor_id,
    });
    let params = vec![
        actor.map_or_else(|| text(""), Actor::setting),
        id(new.id.0),
        text(&new.name),
        text(new.format.as_str()),
        text(&new.title),
        json(&params)?,
        optional(new.created_by, |u| id(u.0)),
        optional(new.schedule_id, |s| id(s.0)),
        texts(&new.recipients),
        new.keep_days.into(),
    ];
    db.execute(BEGIN, params).await.map(drop)
}

/// What is stored, by this account and in all; one that is being made counts as [`UNFINISHED_REPORT_BYTES`].
pub async fn stored(db: &Db, user_id: Option<UserId>) -> Result<Stored, StoreError> {
    let params = vec![optional(user_id, |u| id(u.0)), UNFINISHED_REPORT_BYTES.into()];
    db.one(STORED, params, |c| Ok(Stored { by_account: c.take()?, in_all: c.take()? })).await
}

/// Adds a piece.
pub async fn add_piece(db: &Db, report: ReportId, number: i32, content: Vec<u8>) -> Result<(), StoreError> {
    let params = vec![id(report.0), number.into(), ParameterValue::Binary(content)];
    db.execute(PIECE, params).await.map(drop)
}

/// A place among readings: after this time and sensor.
#[derive(Debug, Clone, Copy)]
pub struct ReadingPosition {
    /// Time.
    pub time: Timestamp,
    /// Sensor.
    pub sensor_id: SensorId,
}

/// Where the newest `most` readings begin; `None` if there are no more than that.
pub async fn csv_start(db: &Db, scope: &Scope, most: i64) -> Result<Option<ReadingPosition>, StoreError> {
    let mut params = scope.params();
    params.push(most.into());
    db.first(CSV_START, params, |c| Ok(ReadingPosition { time: Timestamp(c.take()?), sensor_id: c.take()? }))
        .await
}

/// A piece that the database wrote.
#[derive(Debug, Clone)]
pub struct CsvPiece {
    /// Its content; empty if there was nothing to write.
    pub content: Vec<u8>,
    /// Readings in it.
    pub rows: i64,
    /// Where the next one begins.
    pub next: Option<ReadingPosition>,
}

/// Writes up to `most` readings after `place` as CSV lines into a new piece, after `heading`.
pub async fn add_csv_piece(
    db: &Db,
    scope: &Scope,
    place: ReadingPosition,
    most: i64,
    (report, number): (ReportId, i32),
    heading: &str,
) -> Result<CsvPiece, StoreError> {
    let mut params = scope.params();
    if let Some(from) = params.first_mut() {
        *from = at(place.time);
    }
    params.extend([id(place.sensor_id.0), most.into(), id(report.0), number.into(), text(heading)]);
    params.push(texts(ReadingStatus::WORDS));
    db.one(CSV_PIECE, params, |c| {
        let content: Option<Vec<u8>> = c.take()?;
        let rows = c.take()?;
        let next = match (c.take::<Option<i64>>()?, c.take::<Option<SensorId>>()?) {
            (Some(us), Some(sensor_id)) => Some(ReadingPosition { time: Timestamp(us), sensor_id }),
            _ => None,
        };
        Ok(CsvPiece { content: content.unwrap_or_default(), rows, next })
    })
    .await
}

/// What is known of a report once it is made.
#[derive(Debug, Clone)]
pub struct ReportFile {
    /// Readings that it covers.
    pub readings: i64,
    /// Were there more than it holds?
    pub truncated: bool,
    /// Size of the file, bytes.
    pub file_size: i64,
    /// SHA-256 of the file.
    pub sha256: Vec<u8>,
}

/// Completes a report; from now on it can be had.
///
/// # Errors
/// Whatever the database says; an error of ours if the report was removed meanwhile.
pub async fn complete(db: &Db, report: ReportId, made: ReportFile) -> Result<Report, StoreError> {
    let params = vec![
        id(report.0),
        made.readings.into(),
        made.truncated.into(),
        made.file_size.into(),
        ParameterValue::Binary(made.sha256),
    ];
    db.one(COMPLETE, params, row).await
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Requester {
    /// May read all reports?
    pub all: bool,
    /// The user.
    pub user_id: UserId,
    /// The user's mail address.
    pub email: String,
}

/// Which report.
#[derive(Debug, Clone)]
pub enum ReportRef {
    /// That of this id.
    Id(ReportId),
    /// That of this name.
    Name(String),
}

impl ReportRef {
    fn params(&self) -> [ParameterValue; 2] {
        match self {
            Self::Id(report) => [id(report.0), ParameterValue::DbNull],
            Self::Name(name) => [ParameterValue::DbNull, text(name)],
        }
    }
}

impl Requester {
    fn params(&self) -> Vec<ParameterValue> {
        vec![self.all.into(), id(self.user_id.0), text(&self.email)]
    }
}

/// A page of the reports that the reader may have.
pub async fn list(
    db: &Db,
    reader: &Requester,
    filter: &ReportFilter,
    query: &ListQuery<ReportSort>,
) -> Result<Page<Report>, StoreError> {
    let mut params = reader.params();
    params.push(optional(filter.format, |f| text(f.as_str())));
    LIST.page(db, query, params, row).await
}

/// A report; `None` if there is none, or none that the reader may have.
pub async fn find(db: &Db, reader: &Requester, which: &ReportRef) -> Result<Option<Report>, StoreError> {
    let mut params = reader.params();
    params.extend(which.params());
    db.first(FIND, params, row).await
}

/// A piece of a report; `None` after the last.
pub async fn piece(db: &Db, report: ReportId, number: i32) -> Result<Option<Vec<u8>>, StoreError> {
    db.first(READ_PIECE, vec![id(report.0), number.into()], Columns::take).await
}

/// Removes a report of the actor's, or any if `any` is true. False: there is none.
pub async fn delete(db: &Db, actor: &Actor, any: bool, which: &ReportRef) -> Result<bool, StoreError> {
    let [report, name] = which.params();
    let params = vec![actor.setting(), any.into(), id(actor.user_id.0), report, name];
    Ok(db.execute(DELETE, params).await? > 0)
}

/// Removes some expired reports, and some whose making broke off; returns how many.
pub async fn expire(db: &Db) -> Result<u64, StoreError> {
    db.execute(EXPIRE, vec![UNFINISHED_REPORT_S.into()]).await
}

fn row(c: &mut Columns) -> Result<Report, StoreError> {
    #[derive(serde::Deserialize)]
    struct Params {
        date_from: Option<Timestamp>,
        date_to: Option<Timestamp>,
        machine_id: Option<pm_api::MachineId>,
        sensor_id: Option<SensorId>,
    }
    let (report, created_at): (Uuid, Timestamp) = (c.take()?, c.take()?);
    let (report_name, format, title): (String, ReportFormat, String) = (c.take()?, c.word()?, c.take()?);
    let params: Params = serde_json::from_value(c.take()?).map_err(|e| StoreError::Failed(e.to_string()))?;
    Ok(Report {
        id: ReportId(report),
        created_at,
        url: format!("/reports/download/{report_name}"),
        report_name,
        format,
        title,
        date_from: params.date_from,
        date_to: params.date_to,
        machine_id: params.machine_id,
        sensor_id: params.sensor_id,
        readings: c.take()?,
        truncated: c.take()?,
        file_size: c.take()?,
        sha256: c.take::<Option<String>>()?.unwrap_or_default(),
        created_by: c.take()?,
        schedule_id: c.take()?,
        expires_at: c.take()?,
    })
}
