//! Maintenance tickets.

use crate::{
    Db, Page, StoreError,
    statement::statements,
    value::{Columns, id, optional, page, text},
};
use pm_api::{MachineId, TicketId, TicketStatus, ticket::Ticket};

statements! {
    LIST = "
        select machine_id, alarm_id, title, priority, assignee, description, due_at at time zone 'utc', auto_created,
               metadata, id, created_at at time zone 'utc', updated_at at time zone 'utc', status, resolution_notes,
               count(*) over ()
        from tickets
        where ($3::text is null or status = $3) and ($4::uuid is null or machine_id = $4)
        order by created_at desc, id desc limit $1 offset $2";
    GET = "
        select machine_id, alarm_id, title, priority, assignee, description, due_at at time zone 'utc', auto_created,
               metadata, id, created_at at time zone 'utc', updated_at at time zone 'utc', status, resolution_notes
        from tickets where id = $1";
}

/// Which tickets.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// In this state.
    pub status: Option<TicketStatus>,
    /// Of this machine.
    pub machine_id: Option<MachineId>,
    /// At most this many.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
}

/// Tickets, newest first.
///
/// # Errors
/// Whatever the database says.
pub async fn list(db: &Db, filter: &Filter) -> Result<Page<Ticket>, StoreError> {
    let params = vec![
        filter.limit.into(),
        filter.offset.into(),
        optional(filter.status, |s| text(s.as_str())),
        optional(filter.machine_id, |m| id(m.0)),
    ];
    Ok(page(db.rows(LIST, params, |c| Ok((ticket(c)?, c.take()?))).await?))
}

/// One ticket.
///
/// # Errors
/// Whatever the database says.
pub async fn get(db: &Db, ticket_id: TicketId) -> Result<Option<Ticket>, StoreError> {
    db.first(GET, vec![id(ticket_id.0)], ticket).await
}

fn ticket(c: &mut Columns) -> Result<Ticket, StoreError> {
    Ok(Ticket {
        machine_id: c.take()?,
        alarm_id: c.take()?,
        title: c.take()?,
        priority: c.word()?,
        assignee: c.take()?,
        description: c.take()?,
        due_at: c.take()?,
        auto_created: c.take()?,
        metadata: c.take()?,
        id: c.take()?,
        created_at: c.take()?,
        updated_at: c.take()?,
        status: c.word()?,
        resolution_notes: c.take()?,
    })
}
