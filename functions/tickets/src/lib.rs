//! Component `tickets`: maintenance tickets.
//!
//! Deliberately absent: opening tickets from alarms (component `alarm-engine`).

use http::StatusCode;
use pm_api::TicketId;
use pm_auth::Op;
use pm_store::ticket;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_with_total, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("tickets", request, |op, call| async move {
        match op {
            Op::ListTickets => list(&call).await,
            Op::GetTicket => get(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let filter = ticket::Filter {
        status: call.query.word("status")?,
        machine_id: call.query.id("machine_id")?,
        limit: call.query.integer("limit", 1000, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    let page = ticket::list(&call.db().await?, &filter).await?;
    Ok(json_with_total(&page.items, page.total))
}

async fn get(call: &Call) -> Outcome {
    let id: TicketId = call.id("ticket_id")?;
    let ticket = ticket::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &ticket))
}
