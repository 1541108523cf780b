//! Maintenance tickets. Their history and their events are written by triggers, whoever changes them.

use crate::{
    Actor, Db, StoreError,
    closed::ticket_is_open,
    list::{Id, Key, List, Total, lists},
    statement::{actor, contains_text, statements},
    value::{Columns, at, id, json, optional, text, texts},
};
use pm_api::{
    Priority, TicketId, TicketStatus,
    input::Flag,
    list::{ListQuery, Page},
    sort::{HistorySort, TicketSort},
    ticket::{NewTicket, Ticket, TicketFilter, TicketTransition, TicketUpdate},
};
use pm_domain::ticket::{Restart, assignee};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

macro_rules! columns {
    () => {
        "machine_id, alarm_id, title, priority, assignee, description, due_at at time zone 'utc', auto_created,
         metadata, id, created_at at time zone 'utc', updated_at at time zone 'utc', status, resolution_notes,
         closing_code"
    };
}

lists! {
    LIST: TicketSort = List {
        columns: columns!(),
        rows: concat!("
            from tickets
            where ($1::text[] is null or status = any ($1)) and ($2::text is null or priority = $2)
              and ($3::uuid is null or machine_id = $3) and ($4::uuid is null or alarm_id = $4)
              and ($5::text is null or lower(assignee) = lower($5))
              and ($6::bool is null or (coalesce(due_at < now(), false) and ", ticket_is_open!(), ") = $6)
              and ($7::bool is null or auto_created = $7)
              and ($8::int8 is null or created_at >= epoch_us($8)) and ($9::int8 is null or created_at < epoch_us($9))
              and ", contains_text!("$10" in "title, description")),
        id: Id::Uuid("id"),
        key: |sort| match sort {
            TicketSort::CreatedAt => Key::Time("created_at"),
            TicketSort::UpdatedAt => Key::Time("updated_at"),
            TicketSort::DueAt => Key::Time("coalesce(due_at, timestamptz '9999-12-31 00:00:00Z')"),
            TicketSort::Priority => Key::Rank("priority", Priority::WORDS.to_vec()),
        },
        total: Total::Exact,
        one_plan: false,
    };
    HISTORY: HistorySort = List {
        columns: "t.id, t.at at time zone 'utc', t.field, t.was, t.is_now, t.note, t.by_user, u.full_name, u.email",
        rows: "from ticket_transitions t left join users u on u.id = t.by_user where t.ticket_id = $1",
        id: Id::Number("t.id"),
        key: |HistorySort::At| Key::Time("t.at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    GET = concat!("select ", columns!(), " from tickets where id = $1");
    CREATE = concat!("
        insert into tickets (id, machine_id, alarm_id, title, priority, assignee, description, due_at, auto_created, metadata)
        select $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::text, epoch_us($9), $10::bool, $11::jsonb
        from ", actor!(), "
        returning ", columns!());
    CHANGE = concat!("
        with changed as (
        update tickets set
            status = coalesce($4, status),
            title = coalesce($5, title),
            priority = coalesce($6, priority),
            assignee = case when $7 then $8 else assignee end,
            description = case when $9 then $10 else description end,
            due_at = case when $11 then epoch_us($12) else due_at end,
            resolution_notes = case when $13 then $14 else resolution_notes end,
            metadata = case when $15 then $16::jsonb else metadata end,
            -- a ticket that is opened again has none
            closing_code = case when ticket_is_closed(coalesce($4, status)) then
                case when $17 then $18 else closing_code end end
        from ", actor!(), "
        -- only from the state that the rule was asked about
        where id = $2 and status = $3
        returning tickets.*),
        restarted as (
            insert into reference_restarts (machine_id, sensor_id, reason, by_user)
            select machine_id, $20::uuid, $19::text, $21::uuid from changed where $19::text is not null)
        select ", columns!(), " from changed");
}

/// A page of the tickets.
pub async fn list(
    db: &Db,
    filter: &TicketFilter,
    query: &ListQuery<TicketSort>,
) -> Result<Page<Ticket>, StoreError> {
    let flag = |flag: Option<Flag>| optional(flag, |flag| flag.0.into());
    let filter = vec![
        optional(filter.status.as_ref(), |statuses| texts(&statuses.0)),
        optional(filter.priority, |p| text(p.as_str())),
        optional(filter.machine_id, |m| id(m.0)),
        optional(filter.alarm_id, |a| id(a.0)),
        optional(filter.assignee.as_deref(), text),
        flag(filter.overdue),
        flag(filter.auto_created),
        optional(filter.start_date, at),
        optional(filter.end_date, at),
        optional(filter.q.as_deref(), text),
    ];
    LIST.page(db, query, filter, ticket).await
}

/// One ticket.
pub async fn get(db: &Db, ticket_id: TicketId) -> Result<Option<Ticket>, StoreError> {
    db.first(GET, vec![id(ticket_id.0)], ticket).await
}

/// Opens a ticket.
///
/// # Errors
/// Constraints `tickets_machine_exists`, `tickets_alarm_exists`, `tickets_one_auto_per_alarm`.
pub async fn create(db: &Db, actor: &Actor, new: &NewTicket) -> Result<Ticket, StoreError> {
    let params = vec![
        actor.setting(),
        id(Uuid::now_v7()),
        id(new.machine_id.0),
        optional(new.alarm_id, |a| id(a.0)),
        text(&*new.title),
        text(new.priority.unwrap_or(Priority::Medium).as_str()),
        optional(new.assignee.as_deref().and_then(assignee), text),
        optional(new.description.as_deref(), text),
        optional(new.due_at, at),
        new.auto_created.unwrap_or(false).into(),
        new.metadata.as_ref().map_or(Ok(ParameterValue::DbNull), json)?,
    ];
    db.one(CREATE, params, ticket).await
}

/// Changes a ticket that is in state `from`, and starts references anew; `None` if it is in another state by now.
pub async fn change(
    db: &Db,
    actor: &Actor,
    ticket_id: TicketId,
    from: TicketStatus,
    change: &TicketUpdate,
    restart: Option<Restart>,
) -> Result<Option<Ticket>, StoreError> {
    let params = vec![
        actor.setting(),
        id(ticket_id.0),
        text(from.as_str()),
        optional(change.status, |s| text(s.as_str())),
        optional(change.title.as_deref(), text),
        optional(change.priority, |p| text(p.as_str())),
        (!change.assignee.is_absent()).into(),
        optional(change.assignee.given().and_then(|given| assignee(given)), text),
        (!change.description.is_absent()).into(),
        optional(change.description.given().map(|d| &**d), text),
        (!change.due_at.is_absent()).into(),
        optional(change.due_at.given().copied(), at),
        (!change.resolution_notes.is_absent()).into(),
        optional(change.resolution_notes.given().map(|notes| &**notes), text),
        (!change.metadata.is_absent()).into(),
        change.metadata.given().map_or(Ok(ParameterValue::DbNull), json)?,
        (!change.closing_code.is_absent()).into(),
        optional(change.closing_code.given(), |code| text(code.as_str())),
        optional(restart, |r| text(r.reason.as_str())),
        optional(restart.and_then(|r| r.sensor_id), |s| id(s.0)),
        id(actor.user_id.0),
    ];
    db.first(CHANGE, params, ticket).await
}

/// A page of what happened to a ticket.
pub async fn history(
    db: &Db,
    ticket_id: TicketId,
    query: &ListQuery<HistorySort>,
) -> Result<Page<TicketTransition>, StoreError> {
    HISTORY
        .page(db, query, vec![id(ticket_id.0)], |c| {
            Ok(TicketTransition {
                id: c.take()?,
                at: c.take()?,
                field: c.take()?,
                was: c.take()?,
                is_now: c.take()?,
                note: c.take()?,
                by_user: c.take()?,
                by_name: c.take()?,
                by_email: c.take()?,
            })
        })
        .await
}

fn ticket(c: &mut Columns) -> Result<Ticket, StoreError> {
    let mut ticket = Ticket {
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
        closing_code: c.optional_word()?,
        assigned_to: None,
        due_date: None,
    };
    ticket.assigned_to.clone_from(&ticket.assignee);
    ticket.due_date = ticket.due_at;
    Ok(ticket)
}
