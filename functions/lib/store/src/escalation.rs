//! Escalations as they run. `pm_domain::escalation` says when they begin and end and what is due; here it is read and written.
//!
//! A notice is handed out by one statement that looks at the alarms of the case and holds them: whoever acknowledges
//! at that moment waits for it, or it for them. So none is handed out after the acknowledgement.

use crate::{
    Db, StoreError,
    closed::alarm_is_open,
    statement::statements,
    value::{Columns, at, id, ints, optional, optional_texts, text, texts},
};
use pm_api::{
    AlarmId, ChannelKind, EscalationChainId, MachineId, NoticeChannelId, NoticeFate, Severity, Timestamp,
    escalation::EscalationChain,
};
use pm_domain::{
    alarm_notice::{KEEP_INCIDENTS, Message},
    escalation::{CaseState, End, Slot},
    escalation_target::{Account, Planned},
};
use spin_sdk::pg::ParameterValue;
use std::collections::BTreeSet;
use uuid::Uuid;

/// The condition for an alarm that waits for an answer, of a row `a`.
macro_rules! waits {
    () => {
        "a.status = 'open' and coalesce(a.shelved_until, '-infinity') <= now()"
    };
}

statements! {
    RUNNING = concat!("
        select e.id, e.case_id, e.machine_id, e.chain_id, e.started_at at time zone 'utc', e.next_due_at at time zone 'utc',
               coalesce(e.next_due_at <= now(), false), c.waiting, c.shelved, c.unresolved
        from escalations e
        cross join lateral (
            select count(*) filter (where ", waits!(), ") as waiting,
                   count(*) filter (where a.shelved_until > now() and ", alarm_is_open!("a."), ") as shelved,
                   count(*) filter (where ", alarm_is_open!("a."), ") as unresolved
            from alarms a where coalesce(a.case_id, a.id) = e.case_id) c
        where e.ended_at is null");
    CANDIDATES = concat!("
        select w.case_id, w.machine_id, m.machine_class, (array['info', 'warning', 'critical'])[w.severity],
               w.raised_at at time zone 'utc'
        from (
            select coalesce(a.case_id, a.id) as case_id, a.machine_id, max(a.created_at) as raised_at,
                   max(array_position(array['info', 'warning', 'critical'], a.severity)) as severity
            from alarms a where ", waits!(), " and a.created_at >= epoch_us($1)
            group by 1, 2) w
        join machines m on m.id = w.machine_id
        where not exists (select from escalations e where e.case_id = w.case_id and e.ended_at is null)
        order by w.raised_at desc limit 500");
    BEGIN = "
        insert into escalations (id, case_id, machine_id, chain_id, chain_name, next_due_at)
        select i.id::uuid, i.case_id::uuid, i.machine_id::uuid, c.id, c.name, now()
        from unnest($1::text[], $2::text[], $3::text[], $4::text[]) i (id, case_id, machine_id, chain_id)
        join escalation_chains c on c.id = i.chain_id::uuid
        where exists (select from alarms a where a.id = i.case_id::uuid)
        on conflict do nothing";
    END = "
        with ending as (select i.id::uuid, i.reason from unnest($1::text[], $2::text[]) i (id, reason)),
        ended as (
            update escalations e set ended_at = now(), end_reason = i.reason, next_due_at = null
            from ending i where e.id = i.id and e.ended_at is null
            returning e.id, i.reason),
        cancelled as (
            update alarm_notices n set fate = 'cancelled', finished_at = now(), error = i.reason
            from ending i where n.escalation_id = i.id and n.fate = 'pending' and n.subject = 'alarm')
        insert into alarm_notices (escalation_id, subject, repetition, step, recipient, reason, channel, channel_id, fate)
        select distinct on (e.id, n.channel_id) e.id, 'answered', 0, n.step, n.recipient, e.reason, n.channel, n.channel_id, 'pending'
        from ended e join alarm_notices n on n.escalation_id = e.id
        where n.subject = 'alarm' and n.attempts > 0 and n.channel = any ($3::text[]) and e.reason <> 'resolved'
        order by e.id, n.channel_id, n.step
        on conflict do nothing";
    RESOLVE = concat!("
        with done as (
            update escalations e set resolved_at = now()
            where e.resolved_at is null and e.ended_at is not null and not exists (
                select from alarms a where coalesce(a.case_id, a.id) = e.case_id and ", alarm_is_open!("a."), ")
            returning e.id),
        superseded as (
            update alarm_notices n set fate = 'cancelled', finished_at = now(), error = 'resolved'
            from done d where n.escalation_id = d.id and n.fate = 'pending')
        insert into alarm_notices (escalation_id, subject, repetition, step, recipient, reason, channel, channel_id, fate)
        select distinct on (d.id, n.channel_id) d.id, 'resolved', 0, n.step, n.recipient, 'resolved', n.channel, n.channel_id, 'pending'
        from done d join alarm_notices n on n.escalation_id = d.id
        where n.subject = 'alarm' and n.attempts > 0 and n.channel = any ($1::text[])
        order by d.id, n.channel_id, n.step
        on conflict do nothing");
    DONE = "
        select distinct repetition, step from alarm_notices where escalation_id = $1 and subject = 'alarm'";
    PEOPLE = "
        select u.id, u.email, coalesce(nullif(u.full_name, ''), u.email), u.role,
               array(select r.name from user_roles h join roles r on r.id = h.role_id where h.user_id = u.id)
        from users u where u.is_active and not u.is_service";
    CHANNELS = "select id, name, kind from notice_channels";
    PLAN = concat!("
        with held as materialized (
            select e.id, e.case_id from escalations e
            where e.id = $1 and e.ended_at is null and e.next_due_at is not distinct from epoch_us($2) for update of e),
        moved as (
            update escalations e set next_due_at = epoch_us($3) from held h where e.id = h.id)
        insert into alarm_notices (escalation_id, subject, repetition, step, recipient, reason, user_id, channel, channel_id,
                                   address, fate, error, finished_at)
        select h.id, 'alarm', i.repetition, i.step, i.recipient, i.reason, i.user_id::uuid, i.channel, i.channel_id::uuid,
               i.address, case when i.error is null then 'pending' else 'failed' end, i.error,
               case when i.error is not null then now() end
        from held h, unnest($4::int8[], $5::int8[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
                            $12::text[])
            i (repetition, step, recipient, reason, user_id, channel, channel_id, address, error)
        where exists (select from alarms a where coalesce(a.case_id, a.id) = h.case_id and ", waits!(), ")
        on conflict do nothing");
    // the machines of the notices that are due; none: nothing is due
    DUE_MACHINES = "
        select distinct e.machine_id from alarm_notices n join escalations e on e.id = n.escalation_id
        where n.fate = 'pending' and n.next_attempt_at <= now() and ($1::bool is null or (n.channel = 'mail') = $1)";
    CLAIM = concat!("
        with due as materialized (
            select n.id, n.escalation_id, e.case_id, e.machine_id
            from alarm_notices n join escalations e on e.id = n.escalation_id
            where n.fate = 'pending' and n.next_attempt_at <= now() and (n.channel = 'mail') = $1
              and (n.subject <> 'alarm' or not e.machine_id::text = any ($4::text[]))
              -- what ends an incident does not overtake what began it
              and not exists (select from alarm_notices o
                              where o.escalation_id = n.escalation_id and o.channel_id = n.channel_id and o.id <> n.id
                                and o.leased_until > now())
            order by n.next_attempt_at limit $2 for update of n skip locked),
        held as materialized (
            select a.* from alarms a where coalesce(a.case_id, a.id) in (select case_id from due)
            order by a.id for share of a),
        cases as materialized (
            select coalesce(a.case_id, a.id) as case_id, count(*) filter (where ", waits!(), ") as waiting,
                   max(array_position(array['info', 'warning', 'critical'], a.severity)) as severity
            from held a group by 1),
        handed as (
            update alarm_notices n set
                attempts = attempts + 1, next_attempt_at = now() + $3::int8 * interval '1 second',
                leased_until = now() + $3::int8 * interval '1 second'
            from due d join cases c on c.case_id = d.case_id
            where n.id = d.id and (n.subject <> 'alarm' or c.waiting > 0)
            returning n.*, d.case_id, d.machine_id, c.waiting, c.severity)
        select h.id, h.escalation_id, h.subject, h.case_id, (array['info', 'warning', 'critical'])[h.severity], f.message, m.name,
               f.triggered_at at time zone 'utc', h.waiting, e.chain_name, h.step, h.repetition, h.attempts, h.reason,
               h.address, k.kind, k.url, k.secret
        from handed h join escalations e on e.id = h.escalation_id join held f on f.id = h.case_id
        join machines m on m.id = h.machine_id left join notice_channels k on k.id = h.channel_id");
    FINISH = "
        update alarm_notices set
            fate = $3, error = $5, leased_until = null, finished_at = case when $3 <> 'pending' then now() end,
            next_attempt_at = coalesce(now() + $4::float8 * interval '1 second', next_attempt_at)
        -- a late failure must not undo a newer attempt or a cancellation; that it was delivered is true whenever it is said
        where id = $1 and ((attempts = $2 and fate = 'pending') or ($3 = 'delivered' and fate <> 'delivered'))";
}

/// An escalation that has not ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Identifier.
    pub id: Uuid,
    /// The alarm that began the case.
    pub case_id: AlarmId,
    /// The machine.
    pub machine_id: MachineId,
    /// Its chain; `None`: it was deleted.
    pub chain_id: Option<EscalationChainId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When something is due.
    pub next_due_at: Option<Timestamp>,
    /// Is something due now?
    pub is_due: bool,
    /// How the alarms of the case stand. What suppresses them is for the caller to say.
    pub case: CaseState,
}

/// The escalations that have not ended.
pub async fn running(db: &Db) -> Result<Vec<Running>, StoreError> {
    db.rows(RUNNING, vec![], |c| {
        Ok(Running {
            id: c.take()?,
            case_id: c.take()?,
            machine_id: c.take()?,
            chain_id: c.take()?,
            started_at: c.take()?,
            next_due_at: c.take()?,
            is_due: c.take()?,
            case: CaseState {
                waiting: c.take()?,
                shelved: c.take()?,
                unresolved: c.take()?,
                suppression: None,
            },
        })
    })
    .await
}

/// A case that waits for an answer and has no escalation.
#[derive(Debug, Clone, PartialEq)]
pub struct Waiting {
    /// The alarm that began the case.
    pub case_id: AlarmId,
    /// The machine.
    pub machine_id: MachineId,
    /// Its class.
    pub machine_class: Option<String>,
    /// The highest severity of the alarms that wait.
    pub severity: Severity,
    /// When the newest of them was raised.
    pub raised_at: Timestamp,
}

/// The cases with alarms since then that wait and have no escalation, at most 500, the newest first.
pub async fn candidates(db: &Db, since: Timestamp) -> Result<Vec<Waiting>, StoreError> {
    db.rows(CANDIDATES, vec![at(since)], |c| {
        Ok(Waiting {
            case_id: c.take()?,
            machine_id: c.take()?,
            machine_class: c.take()?,
            severity: c.word()?,
            raised_at: c.take()?,
        })
    })
    .await
}

/// Begins escalations by the chains that were chosen. A case that has one meanwhile gets no second one.
pub async fn begin(db: &Db, chosen: &[(&Waiting, &EscalationChain)]) -> Result<(), StoreError> {
    if chosen.is_empty() {
        return Ok(());
    }
    let params = vec![
        texts(chosen.iter().map(|_| Uuid::now_v7())),
        texts(chosen.iter().map(|(case, _)| case.case_id)),
        texts(chosen.iter().map(|(case, _)| case.machine_id)),
        texts(chosen.iter().map(|(_, chain)| chain.id)),
    ];
    db.execute(BEGIN, params).await.map(drop)
}

fn keep_incidents() -> ParameterValue {
    texts(KEEP_INCIDENTS)
}

/// Ends escalations: what waits to be sent is cancelled, and services that keep incidents are told.
pub async fn end(db: &Db, ending: &[(Uuid, Option<End>)]) -> Result<(), StoreError> {
    if ending.is_empty() {
        return Ok(());
    }
    let reason = |end: &Option<End>| end.map_or("the escalation chain was deleted", End::as_str);
    let params = vec![
        texts(ending.iter().map(|(id, _)| id)),
        texts(ending.iter().map(|(_, end)| reason(end))),
        keep_incidents(),
    ];
    db.execute(END, params).await.map(drop)
}

/// Tells services that keep incidents of the cases that are resolved.
pub async fn resolve(db: &Db) -> Result<(), StoreError> {
    db.execute(RESOLVE, vec![keep_incidents()]).await.map(drop)
}

/// The steps that an escalation did.
pub async fn done(db: &Db, escalation_id: Uuid) -> Result<BTreeSet<Slot>, StoreError> {
    let rows =
        db.rows(DONE, vec![id(escalation_id)], |c| Ok(Slot { repetition: c.take()?, step: c.take()? }));
    Ok(rows.await?.into_iter().collect())
}

/// The accounts that can be told.
pub async fn people(db: &Db) -> Result<Vec<Account>, StoreError> {
    db.rows(PEOPLE, vec![], |c| {
        Ok(Account { id: c.take()?, email: c.take()?, name: c.take()?, role: c.word()?, roles: c.take()? })
    })
    .await
}

/// Name and kind of every channel.
pub async fn channels(db: &Db) -> Result<Vec<(NoticeChannelId, String, ChannelKind)>, StoreError> {
    db.rows(CHANNELS, vec![], |c| Ok((c.take()?, c.take()?, c.word()?))).await
}

/// Plans notices of an escalation and when to look again, unless somebody else did, or the case waits no more.
pub async fn plan(
    db: &Db,
    escalation: &Running,
    notices: &[Planned],
    next: Option<Timestamp>,
) -> Result<(), StoreError> {
    let n = || notices.iter();
    let params = vec![
        id(escalation.id),
        optional(escalation.next_due_at, at),
        optional(next, at),
        ints(n().map(|n| n.slot.repetition)),
        ints(n().map(|n| n.slot.step)),
        texts(n().map(|n| &n.recipient)),
        texts(n().map(|n| &n.reason)),
        optional_texts(n().map(|n| n.user_id)),
        optional_texts(n().map(|n| n.channel.as_ref())),
        optional_texts(n().map(|n| n.channel_id)),
        optional_texts(n().map(|n| n.address.as_ref())),
        optional_texts(n().map(|n| n.error)),
    ];
    db.execute(PLAN, params).await.map(drop)
}

/// The machines of notices that are due: by mail, by services, or by any way.
pub async fn due_machines(db: &Db, by_mail: Option<bool>) -> Result<Vec<MachineId>, StoreError> {
    db.rows(DUE_MACHINES, vec![optional(by_mail, ParameterValue::from)], |c| c.take()).await
}

/// A notice that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// What it says.
    pub message: Message,
    /// This attempt's number.
    pub attempt: i32,
    /// Why this recipient.
    pub reason: String,
    /// Of a mail.
    pub address: Option<String>,
    /// Kind, address and secret of the channel; `None`: it was deleted, or it is a mail.
    pub channel: Option<(ChannelKind, String, Option<String>)>,
}

/// Hands out up to `most` notices that are due, for `lease_s` seconds: by mail, or for services. Those about alarms are
/// handed out only while an alarm of the case waits for an answer; none of the machines in `suppressed`.
pub async fn claim(
    db: &Db,
    by_mail: bool,
    most: i64,
    lease_s: i64,
    suppressed: &[MachineId],
) -> Result<Vec<Claimed>, StoreError> {
    let params = vec![by_mail.into(), most.into(), lease_s.into(), texts(suppressed)];
    db.rows(CLAIM, params, |c| {
        let message = Message {
            id: c.take()?,
            escalation_id: c.take()?,
            subject: c.word()?,
            alarm_id: c.take()?,
            severity: c.word()?,
            text: c.take()?,
            machine: c.take()?,
            raised_at: c.take()?,
            waiting: c.take()?,
            chain: c.take()?,
            step: c.take::<i64>()? + 1,
            repetition: c.take()?,
        };
        Ok(Claimed {
            message,
            attempt: c.take()?,
            reason: c.take()?,
            address: c.take()?,
            channel: channel(c)?,
        })
    })
    .await
}

fn channel(c: &mut Columns) -> Result<Option<(ChannelKind, String, Option<String>)>, StoreError> {
    let (kind, url, secret) = (c.optional_word()?, c.take::<Option<String>>()?, c.take()?);
    Ok(kind.zip(url).map(|(kind, url)| (kind, url, secret)))
}

/// Notes what became of an attempt. `next_after_s`: seconds until the next one; `None`: there is none.
pub async fn finish(
    db: &Db,
    notice_id: Uuid,
    attempt: i32,
    error: Option<&str>,
    next_after_s: Option<f64>,
) -> Result<(), StoreError> {
    let fate = match (error, next_after_s) {
        (None, _) => NoticeFate::Delivered,
        (Some(_), Some(_)) => NoticeFate::Pending,
        (Some(_), None) => NoticeFate::Failed,
    };
    let params = vec![
        id(notice_id),
        attempt.into(),
        text(fate.as_str()),
        optional(next_after_s.filter(|_| fate == NoticeFate::Pending), ParameterValue::from),
        optional(error, text),
    ];
    db.execute(FINISH, params).await.map(drop)
}
