//! Component `tickets`: maintenance tickets.
//!
//! Invariants: a status only changes by the workflow of pm-domain, in the state the rule was asked about; every change
//! is in the ticket's history and in the outbox, by trigger. Deliberately absent: opening tickets from alarms
//! (component `alarm-engine`), comments and attachments (components of their own), deleting (cancel a ticket instead).

mod body;

use http::StatusCode;
use pm_api::{
    TicketId,
    sort::{HistorySort, TicketSort},
};
use pm_auth::Op;
use pm_domain::ticket::check_change;
use pm_store::{Db, StoreError, alarm, machine, ticket};
use pm_web::{Answer, Call, Fields, Outcome, Refusal, Request, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("tickets", request, |op, call| async move {
        match op {
            Op::ListTickets => list(&call).await,
            Op::CreateTicket => create(&call).await,
            Op::GetTicket => get(&call).await,
            Op::UpdateTicket => update(&call).await,
            Op::TicketHistory => history(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let query = &call.query;
    let filter = ticket::Filter {
        statuses: query.words("status")?,
        priority: query.word("priority")?,
        machine_id: query.id("machine_id")?,
        alarm_id: query.id("alarm_id")?,
        assignee: query.short_text("assignee", 320)?,
        overdue: query.boolean("overdue")?,
        auto_created: query.boolean("auto_created")?,
        from: query.time("start_date")?,
        to: query.time("end_date")?,
        search: query.search()?,
    };
    let query = query.list::<TicketSort>(1000)?;
    Ok(json_page(&ticket::list(&call.db().await?, &filter, &query).await?))
}

async fn create(call: &Call) -> Outcome {
    let mut fields = call.fields()?;
    let new = body::new_ticket(&mut fields);
    let Some(new) = new else {
        // the machine is missing, and `end` says so
        return fields.end().and(Err(Refusal::NotFound));
    };
    let db = call.db().await?;
    check_references(&db, &mut fields, &new).await?;
    fields.end()?;
    let actor = call.actor(&db).await?;
    match ticket::create(&db, &actor, new).await {
        Ok(ticket) => Ok(json(StatusCode::CREATED, &ticket)),
        Err(StoreError::Constraint(name)) if name == "tickets_one_auto_per_alarm" => {
            Err(Refusal::Conflict("The alarm has its automatic ticket already".to_owned()))
        }
        // deleted since the look
        Err(StoreError::Constraint(name)) if name.ends_with("_exists") => {
            Err(Refusal::Conflict("The machine or alarm was deleted meanwhile".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

async fn check_references(db: &Db, fields: &mut Fields, new: &ticket::TicketFields) -> Result<(), Refusal> {
    if machine::get(db, new.machine_id).await?.is_none() {
        fields.refuse("value_error", "machine_id", "There is no such machine");
        return Ok(());
    }
    if let Some(alarm_id) = new.alarm_id {
        let its = alarm::get(db, alarm_id).await?.is_some_and(|a| a.machine_id == new.machine_id);
        if !its {
            fields.refuse("value_error", "alarm_id", "The machine has no such alarm");
        }
    }
    Ok(())
}

async fn get(call: &Call) -> Outcome {
    let id: TicketId = call.id("ticket_id")?;
    let ticket = ticket::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &ticket))
}

async fn update(call: &Call) -> Outcome {
    let id: TicketId = call.id("ticket_id")?;
    let change = body::ticket_change(call.fields()?)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let ticket = ticket::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let assignee = change.assignee.clone().unwrap_or(ticket.assignee);
    let to = change.status.unwrap_or(ticket.status);
    check_change(ticket.status, to, assignee.as_deref()).map_err(Refusal::BadRequest)?;
    match ticket::change(&db, &actor, id, ticket.status, change).await? {
        Some(ticket) => Ok(json(StatusCode::OK, &ticket)),
        None => Err(Refusal::Conflict("The ticket was changed by somebody else; look again".to_owned())),
    }
}

async fn history(call: &Call) -> Outcome {
    let id: TicketId = call.id("ticket_id")?;
    let query = call.query.list::<HistorySort>(1000)?;
    let db = call.db().await?;
    ticket::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json_page(&ticket::history(&db, id, &query).await?))
}
