//! Component `comments`: what people say about alarms and tickets.
//!
//! Invariants: the path says what a comment is about, whatever the body says; an internal comment is seen by engineers
//! and administrators only, and to anybody else it does not exist; a comment is changed or deleted by its author or an
//! administrator. Deliberately absent: attachments (component `attachments`).

use pm_api::{
    AlarmId, CommentId, Resource, TicketId,
    comment::{Comment, CommentUpdate, NewComment},
    route::{
        ENGINEER, Operation,
        operation::{Created, Json, List, NoBody, NoContent, NoQuery},
    },
    sort::CommentSort,
};
use pm_domain::discussion::{may_change, sees_internal};
use pm_store::{
    Db,
    comment::{self, Subject},
    user,
};
use pm_web::{Answer, Call, Given, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        AlarmComments => list,
        TicketComments => list,
        CommentAlarm => create,
        CommentTicket => create,
        UpdateAlarmComment => update,
        UpdateTicketComment => update,
        DeleteAlarmComment => delete,
        DeleteTicketComment => delete,
    };
    serve("comments", request, handlers).await
}

async fn list<O>(input: Input<O>) -> Given<O>
where
    O: Operation<Query = NoQuery, Body = NoBody, Answer = List<Comment, CommentSort, 1000>>,
{
    let subject = subject(&input)?;
    let db = input.db().await?;
    if !comment::exists(&db, subject).await? {
        return Err(Refusal::NotFound);
    }
    Ok(comment::list(&db, subject, sees_internal(input.identity()?.role), &input.page).await?)
}

async fn create<O>(input: Input<O>) -> Result<Comment, Refusal>
where
    O: Operation<Query = NoQuery, Body = Json<NewComment>, Answer = Created<Comment>>,
{
    let subject = subject(&input)?;
    refuse_internal(&input, input.body.is_internal)?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    comment::create(&db, &actor, subject, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn update<O>(input: Input<O>) -> Result<Comment, Refusal>
where
    O: Operation<Query = NoQuery, Body = Json<CommentUpdate>, Answer = Json<Comment>>,
{
    let subject = subject(&input)?;
    let db = input.db().await?;
    let comment = changeable(&input, &db, subject, "change").await?;
    refuse_internal(&input, input.body.is_internal)?;
    let actor = input.actor(&db).await?;
    comment::change(&db, &actor, subject, comment.id, &input.body).await?.ok_or(Refusal::NotFound)
}

async fn delete<O>(input: Input<O>) -> Result<(), Refusal>
where
    O: Operation<Query = NoQuery, Body = NoBody, Answer = NoContent>,
{
    let subject = subject(&input)?;
    let db = input.db().await?;
    let comment = changeable(&input, &db, subject, "delete").await?;
    let actor = input.actor(&db).await?;
    let found = comment::delete(&db, &actor, subject, comment.id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
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

/// Those who do not see internal comments do not write them.
fn refuse_internal(call: &Call, is_internal: Option<bool>) -> Result<(), Refusal> {
    if is_internal == Some(true) && !sees_internal(call.identity()?.role) {
        return Err(Refusal::Forbidden(ENGINEER.refusal()));
    }
    Ok(())
}

/// The comment of the path, if the caller may change it.
async fn changeable(call: &Call, db: &Db, subject: Subject, what: &str) -> Result<Comment, Refusal> {
    let id: CommentId = call.id("comment_id")?;
    // the role of now: a token lives longer than a right may
    let caller = user::get(db, call.identity()?.user_id).await?.ok_or(Refusal::BadToken)?;
    let comment = comment::get(db, subject, id).await?.ok_or(Refusal::NotFound)?;
    if comment.is_internal && !sees_internal(caller.role) {
        return Err(Refusal::NotFound);
    }
    if !may_change(Some(comment.user_id), caller.id, caller.role) {
        return Err(Refusal::Forbidden(format!("Not authorized to {what} this comment")));
    }
    Ok(comment)
}
