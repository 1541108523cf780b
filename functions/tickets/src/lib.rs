//! Component `tickets`: maintenance tickets.
//!
//! Invariants: a status only changes by the workflow of pm-domain, in the state the rule was asked about; every change
//! is in the ticket's history and in the outbox, by trigger. Deliberately absent: opening tickets from alarms
//! (component `alarm-engine`), comments and attachments (components of their own), deleting (cancel a ticket instead).

use pm_api::{
    SensorId, TicketId,
    input::FieldFault,
    list::Page,
    route::op,
    ticket::{NewTicket, Ticket, TicketTransition},
};
use pm_domain::ticket::{check_update, restart};
use pm_store::{Db, StoreError, alarm, machine, ticket};
use pm_web::{Answer, Given, Input, Refusal, Request, handlers, serve};
use serde_json::json;

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListTickets => list,
        CreateTicket => create,
        GetTicket => get,
        UpdateTicket => update,
        TicketHistory => history,
    };
    serve("tickets", request, handlers).await
}

async fn list(input: Input<op::ListTickets>) -> Given<op::ListTickets> {
    Ok(ticket::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn create(input: Input<op::CreateTicket>) -> Result<Ticket, Refusal> {
    let db = input.db().await?;
    if let Some(fault) = wrong_reference(&db, &input.body).await? {
        return Err(Refusal::in_body(vec![fault]));
    }
    let actor = input.actor(&db).await?;
    ticket::create(&db, &actor, &input.body).await.map_err(|error| match error {
        StoreError::Constraint(name) if name == "tickets_one_auto_per_alarm" => {
            Refusal::Conflict("The alarm has its automatic ticket already".to_owned())
        }
        // deleted since the check
        StoreError::Constraint(name) if name.ends_with("_exists") => {
            Refusal::Conflict("The machine or alarm was deleted in the meantime".to_owned())
        }
        error => error.into(),
    })
}

/// The fault of a machine that is not there, or of an alarm that is not the machine's.
async fn wrong_reference(db: &Db, new: &NewTicket) -> Result<Option<FieldFault>, Refusal> {
    if machine::get(db, new.machine_id).await?.is_none() {
        let message = "There is no such machine";
        return Ok(Some(FieldFault::new("machine_id", message, json!(new.machine_id))));
    }
    let Some(alarm_id) = new.alarm_id else { return Ok(None) };
    let alarm = alarm::get(db, alarm_id).await?.filter(|alarm| alarm.machine_id == new.machine_id);
    let fault = || FieldFault::new("alarm_id", "The machine has no such alarm", json!(alarm_id));
    Ok(alarm.is_none().then(fault))
}

async fn get(input: Input<op::GetTicket>) -> Result<Ticket, Refusal> {
    let id: TicketId = input.id("ticket_id")?;
    ticket::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn update(input: Input<op::UpdateTicket>) -> Result<Ticket, Refusal> {
    let id: TicketId = input.id("ticket_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = ticket::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    check_update(&before, &input.body).map_err(Refusal::BadRequest)?;
    let restart =
        restart(&before, &input.body, sensor_of(&db, &before).await?).map_err(Refusal::BadRequest)?;
    let changed = ticket::change(&db, &actor, id, before.status, &input.body, restart).await?;
    changed.ok_or_else(|| Refusal::Conflict("The ticket was changed by somebody else; look again".to_owned()))
}

/// The sensor whose alarm a ticket is about.
async fn sensor_of(db: &Db, ticket: &Ticket) -> Result<Option<SensorId>, Refusal> {
    let Some(alarm_id) = ticket.alarm_id else { return Ok(None) };
    Ok(alarm::get(db, alarm_id).await?.and_then(|alarm| alarm.sensor_id))
}

async fn history(input: Input<op::TicketHistory>) -> Result<Page<TicketTransition>, Refusal> {
    let id: TicketId = input.id("ticket_id")?;
    let db = input.db().await?;
    ticket::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(ticket::history(&db, id, &input.page).await?)
}
