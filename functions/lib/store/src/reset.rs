//! Starting afresh after a trial: alarms and tickets go, machines and what they measured stay.

use crate::{
    Actor, Db, StoreError,
    statement::{actor, statements},
};

statements! {
    RESET = concat!("
        with actor as materialized (select * from ", actor!(), "),
        said as (delete from comments using actor),
        attached as (delete from attachments using actor where resource_type in ('alarm', 'ticket')),
        ticket as (delete from tickets using actor returning 1),
        alarm as (delete from alarms using actor returning 1)
        select (select count(*) from ticket), (select count(*) from alarm)");
}

/// Deletes all tickets and alarms with their comments and attachments; returns how many of each.
pub async fn reset(db: &Db, actor: &Actor) -> Result<(i64, i64), StoreError> {
    db.one(RESET, vec![actor.setting()], |c| Ok((c.take()?, c.take()?))).await
}
