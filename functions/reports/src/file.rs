//! Stored reports: lists, files, removal.

use http::{HeaderValue, StatusCode, header};
use pm_api::{
    ReportId,
    report::{Report, ReportFormat},
    route::op,
};
use pm_domain::report::{FileName, classify_file_name, reads_all};
use pm_store::{
    Db,
    report::{self, ReportRef, Requester},
};
use pm_web::{Answer, Call, Given, Input, Refusal, bytes_reply, log_error, spawn, stream};
use std::str::FromStr;

pub(crate) async fn list(input: Input<op::ListReports>) -> Given<op::ListReports> {
    Ok(report::list(&input.db().await?, &reader(&input)?, &input.query, &input.page).await?)
}

/// `GET /reports/download/{filename}`.
pub(crate) async fn download(input: Input<op::DownloadReport>) -> Result<Answer, Refusal> {
    find(&input, &which(input.param("filename"))?).await
}

/// `GET /reports/{report}`: as the old static folder gave it.
pub(crate) async fn download_as_before(input: Input<op::ReportFile>) -> Result<Answer, Refusal> {
    find(&input, &which(input.param("report"))?).await
}

pub(crate) async fn download_by_id(input: Input<op::DownloadReportById>) -> Result<Answer, Refusal> {
    let id: ReportId = input.id("report_id")?;
    find(&input, &ReportRef::Id(id)).await
}

async fn find(call: &Call, which: &ReportRef) -> Result<Answer, Refusal> {
    let db = call.db().await?;
    let found = report::find(&db, &reader(call)?, which).await?.ok_or(Refusal::NotFound)?;
    file(db, found).await
}

pub(crate) async fn delete(input: Input<op::DeleteReport>) -> Result<(), Refusal> {
    let which = which(input.param("report"))?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let any = reads_all(input.identity()?.role);
    let found = report::delete(&db, &actor, any, &which).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

fn reader(call: &Call) -> Result<Requester, Refusal> {
    let identity = call.identity()?;
    Ok(Requester { all: reads_all(identity.role), user_id: identity.user_id, email: identity.email.clone() })
}

/// A report by the last segment of its path: its name, or its id.
fn which(segment: &str) -> Result<ReportRef, Refusal> {
    let name = decoded(segment).ok_or_else(invalid_path)?;
    match classify_file_name(&name) {
        FileName::Traversal => Err(invalid_path()),
        FileName::Plain => Ok(ReportId::from_str(&name).map_or(ReportRef::Name(name), ReportRef::Id)),
    }
}

fn invalid_path() -> Refusal {
    Refusal::Forbidden("Invalid file path".to_owned())
}

/// A path segment without its percent signs; `None` if it is not UTF-8 then.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// The file: a CSV, which may be large, flows through; others fit into memory.
async fn file(db: Db, found: Report) -> Result<Answer, Refusal> {
    let (content_type, shown) = match found.format {
        ReportFormat::Csv => ("text/csv; charset=utf-8", "attachment"),
        ReportFormat::Pdf => ("application/pdf", "inline"),
        ReportFormat::Xlsx => {
            ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "attachment")
        }
    };
    let mut answer = if found.format == ReportFormat::Csv {
        flowing(db, &found, HeaderValue::from_static(content_type)).await?
    } else {
        let mut content = Vec::new();
        for number in 0.. {
            let Some(piece) = report::piece(&db, found.id, number).await? else { break };
            content.extend(piece);
        }
        bytes_reply(StatusCode::OK, HeaderValue::from_static(content_type), content)
    };
    let disposition = format!("{shown}; filename=\"{}\"", found.report_name);
    let disposition = HeaderValue::from_str(&disposition).map_err(|e| Refusal::Internal(e.to_string()))?;
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    Ok(answer)
}

async fn flowing(db: Db, found: &Report, content_type: HeaderValue) -> Result<Answer, Refusal> {
    let text = |piece: Vec<u8>| String::from_utf8(piece).map_err(|e| Refusal::Internal(e.to_string()));
    // before the answer begins, so that a database that is away is told
    let first = report::piece(&db, found.id, 0).await?.ok_or(Refusal::NotFound)?;
    let first = text(first)?;
    let (mut answer, mut feed) = stream(content_type);
    answer.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(found.file_size));
    let id = found.id;
    spawn(async move {
        if !feed.send(first).await {
            return;
        }
        for number in 1.. {
            match report::piece(&db, id, number).await {
                Ok(Some(piece)) => match text(piece) {
                    Ok(piece) => {
                        if !feed.send(piece).await {
                            return;
                        }
                    }
                    Err(refusal) => {
                        return log_error(&format!("report {id}, piece {number}: {refusal:?}"));
                    }
                },
                Ok(None) => return,
                // the answer ends short of its announced length, which the client sees
                Err(error) => return log_error(&format!("report {id}, piece {number}: {error}")),
            }
        }
    });
    Ok(answer)
}
