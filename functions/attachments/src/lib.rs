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
use pm_api::{
    AlarmId, AttachmentId, Resource, TicketId,
    attachment::{Attachment, AttachmentFilter},
    route::{
        Operation, op,
        operation::{List, NoBody, NoQuery},
    },
    sort::AttachmentSort,
};
use pm_domain::{
    attachment::{MAX_BYTES, content_disposition},
    discussion::may_change,
};
use pm_store::{
    attachment::{self, Content},
    comment::{self, Subject},
    user,
};
use pm_web::{Answer, Call, Given, Input, Refusal, Request, bytes_reply, handlers, serve_up_to};

/// What the other parts of a form and its boundaries may take, bytes.
const FORM_BYTES: usize = 64 * 1024;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        UploadAttachment => upload::upload,
        AttachToAlarm => upload::attach,
        AttachToTicket => upload::attach,
        ListAttachments => list,
        AlarmAttachments => list_of,
        TicketAttachments => list_of,
        GetAttachment => get,
        DownloadAttachment => download,
        DeleteAttachment => delete,
    };
    serve_up_to(MAX_BYTES + FORM_BYTES, "attachments", request, handlers).await
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

async fn list(input: Input<op::ListAttachments>) -> Given<op::ListAttachments> {
    Ok(attachment::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn list_of<O>(input: Input<O>) -> Given<O>
where
    O: Operation<Query = NoQuery, Body = NoBody, Answer = List<Attachment, AttachmentSort, 200>>,
{
    let subject = subject(&input)?;
    let filter = AttachmentFilter {
        resource_type: Some(subject.kind),
        resource_id: Some(subject.id),
        uploaded_by: None,
    };
    let db = input.db().await?;
    if !comment::exists(&db, subject).await? {
        return Err(Refusal::NotFound);
    }
    Ok(attachment::list(&db, &filter, &input.page).await?)
}

async fn get(input: Input<op::GetAttachment>) -> Result<Attachment, Refusal> {
    let id: AttachmentId = input.id("attachment_id")?;
    attachment::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn download(input: Input<op::DownloadAttachment>) -> Result<Answer, Refusal> {
    let id: AttachmentId = input.id("attachment_id")?;
    let db = input.db().await?;
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

async fn delete(input: Input<op::DeleteAttachment>) -> Result<(), Refusal> {
    let id: AttachmentId = input.id("attachment_id")?;
    let db = input.db().await?;
    let attachment = attachment::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let caller = user::get(&db, input.identity()?.user_id).await?.ok_or(Refusal::BadToken)?;
    if !may_change(attachment.uploaded_by, caller.id, caller.role) {
        return Err(Refusal::Forbidden("Not authorized to delete this attachment".to_owned()));
    }
    let actor = input.actor(&db).await?;
    if !attachment::delete(&db, &actor, id).await? {
        return Err(Refusal::NotFound);
    }
    objects::sweep(&db).await;
    Ok(())
}
