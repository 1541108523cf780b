//! Component `comments`: what people say about alarms and tickets.
//!
//! Invariants: the path says what a comment is about, whatever the body says; an internal comment is seen by engineers
//! and administrators only, and to anybody else it does not exist; a comment is changed or deleted by its author or an
//! administrator. Deliberately absent: attachments (component `attachments`).

mod body;

use http::StatusCode;
use pm_api::{AlarmId, CommentId, Resource, Role, TicketId, comment::Comment, sort::CommentSort};
use pm_auth::{Op, access::ENGINEER};
use pm_store::{
    Db,
    comment::{self, Subject},
    user,
};
use pm_web::{Answer, Call, Outcome, Refusal, Request, empty, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("comments", request, |op, call| async move {
        match op {
            Op::AlarmComments | Op::TicketComments => list(&call).await,
            Op::CommentAlarm | Op::CommentTicket => create(&call).await,
            Op::UpdateAlarmComment | Op::UpdateTicketComment => update(&call).await,
            Op::DeleteAlarmComment | Op::DeleteTicketComment => delete(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let subject = subject(call)?;
    let query = call.query.list::<CommentSort>(1000)?;
    let db = call.db().await?;
    if !comment::exists(&db, subject).await? {
        return Err(Refusal::NotFound);
    }
    Ok(json_page(&comment::list(&db, subject, reads_internal(call)?, &query).await?))
}

async fn create(call: &Call) -> Outcome {
    let subject = subject(call)?;
    let new = body::new_comment(call.fields()?)?;
    if new.is_internal && !reads_internal(call)? {
        return Err(Refusal::Forbidden(ENGINEER.refusal()));
    }
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let comment = comment::create(&db, &actor, subject, actor.user_id, new.content, new.is_internal).await?;
    Ok(json(StatusCode::CREATED, &comment.ok_or(Refusal::NotFound)?))
}

async fn update(call: &Call) -> Outcome {
    let subject = subject(call)?;
    let change = body::comment_change(call.fields()?)?;
    let db = call.db().await?;
    let comment = own(call, &db, subject, "change").await?;
    if change.is_internal == Some(true) && !reads_internal(call)? {
        return Err(Refusal::Forbidden(ENGINEER.refusal()));
    }
    let actor = call.actor(&db).await?;
    let changed =
        comment::change(&db, &actor, subject, comment.id, change.content, change.is_internal).await?;
    Ok(json(StatusCode::OK, &changed.ok_or(Refusal::NotFound)?))
}

async fn delete(call: &Call) -> Outcome {
    let subject = subject(call)?;
    let db = call.db().await?;
    let comment = own(call, &db, subject, "delete").await?;
    let actor = call.actor(&db).await?;
    let found = comment::delete(&db, &actor, subject, comment.id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

/// What the path says the comments are about.
fn subject(call: &Call) -> Result<Subject, Refusal> {
    if !call.param("alarm_id").is_empty() {
        let AlarmId(id) = call.id("alarm_id")?;
        Ok(Subject { kind: Resource::Alarm, id })
    } else {
        let TicketId(id) = call.id("ticket_id")?;
        Ok(Subject { kind: Resource::Ticket, id })
    }
}

fn reads_internal(call: &Call) -> Result<bool, Refusal> {
    Ok(ENGINEER.allows(call.identity()?.role))
}

/// The comment of the path, if the caller may change it.
async fn own(call: &Call, db: &Db, subject: Subject, what: &str) -> Result<Comment, Refusal> {
    let id: CommentId = call.id("comment_id")?;
    // the role of now: a token lives longer than a right may
    let caller = user::get(db, call.identity()?.user_id).await?.ok_or(Refusal::BadToken)?;
    let comment = comment::get(db, subject, id).await?.ok_or(Refusal::NotFound)?;
    if comment.is_internal && !reads_internal(call)? {
        return Err(Refusal::NotFound);
    }
    if comment.user_id != caller.id && caller.role != Role::Admin {
        return Err(Refusal::Forbidden(format!("Not authorized to {what} this comment")));
    }
    Ok(comment)
}
