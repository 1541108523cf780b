//! Component `attachments`: files that people attach to alarms and tickets.
//!
//! Invariants: what a file is, is told by its content (pm-domain), and its name and media type must agree; a file is
//! handed back as a download in a sandbox, never as a page; its name in the store is generated; it is deleted by whoever
//! stored it or an administrator. Deliberately absent: changing a stored file, pictures in other sizes.

mod form;
mod objects;
mod upload;

use http::{HeaderValue, StatusCode, header};
use objects::Objects;
use pm_api::{AlarmId, AttachmentId, Resource, Role, TicketId, sort::AttachmentSort};
use pm_auth::Op;
use pm_domain::attachment::{MAX_BYTES, content_disposition};
use pm_store::{
    attachment::{self, Content},
    comment::{self, Subject},
    user,
};
use pm_web::{Answer, Call, Outcome, Refusal, Request, bytes_reply, empty, json, json_page, serve_up_to};

/// What the other parts of a form and its boundaries may take, bytes.
const FORM_BYTES: usize = 64 * 1024;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve_up_to(MAX_BYTES + FORM_BYTES, "attachments", request, |op, call| async move {
        match op {
            Op::UploadAttachment => upload::upload(&call, None).await,
            Op::AttachToAlarm | Op::AttachToTicket => upload::upload(&call, Some(subject(&call)?)).await,
            Op::ListAttachments => list(&call).await,
            Op::AlarmAttachments | Op::TicketAttachments => list_of(&call, subject(&call)?).await,
            Op::GetAttachment => get(&call).await,
            Op::DownloadAttachment => download(&call).await,
            Op::DeleteAttachment => delete(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

/// The alarm or ticket of the path.
fn subject(call: &Call) -> Result<Subject, Refusal> {
    if !call.param("alarm_id").is_empty() {
        let AlarmId(id) = call.id("alarm_id")?;
        Ok(Subject { kind: Resource::Alarm, id })
    } else {
        let TicketId(id) = call.id("ticket_id")?;
        Ok(Subject { kind: Resource::Ticket, id })
    }
}

async fn list(call: &Call) -> Outcome {
    let filter = attachment::Filter {
        resource_type: call.query.word("resource_type")?,
        resource_id: call.query.id("resource_id")?,
        uploaded_by: call.query.id("uploaded_by")?,
    };
    let query = call.query.list::<AttachmentSort>(200)?;
    Ok(json_page(&attachment::list(&call.db().await?, &filter, &query).await?))
}

async fn list_of(call: &Call, subject: Subject) -> Outcome {
    let filter = attachment::Filter {
        resource_type: Some(subject.kind),
        resource_id: Some(subject.id),
        uploaded_by: None,
    };
    let query = call.query.list::<AttachmentSort>(200)?;
    let db = call.db().await?;
    if !comment::exists(&db, subject).await? {
        return Err(Refusal::NotFound);
    }
    Ok(json_page(&attachment::list(&db, &filter, &query).await?))
}

async fn get(call: &Call) -> Outcome {
    let id: AttachmentId = call.id("attachment_id")?;
    let attachment = attachment::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &attachment))
}

async fn download(call: &Call) -> Outcome {
    let id: AttachmentId = call.id("attachment_id")?;
    let db = call.db().await?;
    let attachment = attachment::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let content = match attachment::content(&db, id).await?.ok_or(Refusal::NotFound)? {
        Content::Inline(content) => content.into(),
        Content::Stored(key) => Objects::named(&db).await?.get(&key).await?,
    };
    let content_type = match attachment.content_type.strip_prefix("text/") {
        Some(_) => format!("{}; charset=utf-8", attachment.content_type),
        None => attachment.content_type,
    };
    let header = |text: &str| {
        HeaderValue::from_str(text).map_err(|e| Refusal::Internal(format!("attachment {id}: {e}")))
    };
    let mut answer = bytes_reply(StatusCode::OK, header(&content_type)?, content);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, header(&content_disposition(&attachment.filename))?);
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox"));
    headers.insert(header::ETAG, header(&format!("\"{}\"", attachment.sha256))?);
    Ok(answer)
}

async fn delete(call: &Call) -> Outcome {
    let id: AttachmentId = call.id("attachment_id")?;
    let db = call.db().await?;
    let attachment = attachment::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let caller = user::get(&db, call.identity()?.user_id).await?.ok_or(Refusal::BadToken)?;
    if attachment.uploaded_by != Some(caller.id) && caller.role != Role::Admin {
        return Err(Refusal::Forbidden("Not authorized to delete this attachment".to_owned()));
    }
    let actor = call.actor(&db).await?;
    if !attachment::delete(&db, &actor, id).await? {
        return Err(Refusal::NotFound);
    }
    objects::sweep(&db).await;
    Ok(empty(StatusCode::NO_CONTENT))
}
