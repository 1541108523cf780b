//! Stored reports: lists, files, removal.

use http::{HeaderValue, StatusCode, header};
use pm_api::{
    ReportId, Role,
    report::{Report, ReportFormat},
    sort::ReportSort,
};
use pm_domain::report::{FileName, classify_file_name};
use pm_store::{
    Db,
    report::{self, Reader, Which},
};
use pm_web::{Answer, Call, Outcome, Refusal, bytes_reply, empty, json_page, log_error, spawn, stream};
use std::str::FromStr;

pub(crate) async fn list(call: &Call) -> Outcome {
    let query = call.query.list::<ReportSort>(100)?;
    let format = call.query.word("format")?;
    Ok(json_page(&report::list(&call.db().await?, &reader(call)?, format, &query).await?))
}

/// A report by the last segment of its path: its name, or its id.
pub(crate) async fn download(call: &Call, segment: &str) -> Outcome {
    let which = which(segment)?;
    let db = call.db().await?;
    let found = report::find(&db, &reader(call)?, &which).await?.ok_or(Refusal::NotFound)?;
    file(db, found).await
}

pub(crate) async fn download_by_id(call: &Call) -> Outcome {
    let id: ReportId = call.id("report_id")?;
    let db = call.db().await?;
    let found = report::find(&db, &reader(call)?, &Which::Id(id)).await?.ok_or(Refusal::NotFound)?;
    file(db, found).await
}

pub(crate) async fn delete(call: &Call) -> Outcome {
    let which = which(call.param("report"))?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let any = call.identity()?.role >= Role::Engineer;
    if report::delete(&db, &actor, any, &which).await? {
        Ok(empty(StatusCode::NO_CONTENT))
    } else {
        Err(Refusal::NotFound)
    }
}

fn reader(call: &Call) -> Result<Reader, Refusal> {
    let identity = call.identity()?;
    Ok(Reader {
        all: identity.role >= Role::Engineer,
        user_id: identity.user_id,
        email: identity.email.clone(),
    })
}

fn which(segment: &str) -> Result<Which, Refusal> {
    let name = decoded(segment).ok_or_else(invalid_path)?;
    match classify_file_name(&name) {
        FileName::Traversal => Err(invalid_path()),
        FileName::Plain => Ok(ReportId::from_str(&name).map_or(Which::Name(name), Which::Id)),
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
async fn file(db: Db, found: Report) -> Outcome {
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
