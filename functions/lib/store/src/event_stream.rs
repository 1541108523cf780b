//! Open event streams of accounts: each holds one of a number of slots, which it has to renew within a minute.

use crate::{Db, StoreError, statement::statements, value::id};
use pm_api::UserId;
use uuid::Uuid;

/// A slot that looked free may be taken by another stream at the same moment: then another one is tried.
const ATTEMPTS: usize = 8;

statements! {
    TAKE = "
        insert into event_streams as s (user_id, slot, stream_id, renewed_at)
        select $1, n, $2, now() from generate_series(1, $3::int8) n
        where not exists (select from event_streams o where o.user_id = $1 and o.slot = n
                          and o.renewed_at > now() - interval '60 s')
        order by random() limit 1
        on conflict (user_id, slot) do update set stream_id = excluded.stream_id, renewed_at = excluded.renewed_at
        where s.renewed_at <= now() - interval '60 s'
        returning 1";
    IS_FULL = "
        select count(*) >= $2 from event_streams
        where user_id = $1 and renewed_at > now() - interval '60 s'";
    RENEW = "update event_streams set renewed_at = now() where user_id = $1 and stream_id = $2";
    RELEASE = "delete from event_streams where user_id = $1 and stream_id = $2";
}

/// Takes a slot for a new stream of an account that may have `max` of them; false if all are taken.
pub async fn take(db: &Db, user: UserId, stream: Uuid, max: i64) -> Result<bool, StoreError> {
    for _ in 0..ATTEMPTS {
        let params = vec![id(user.0), id(stream), max.into()];
        if db.first(TAKE, params, |c| c.take::<i32>()).await?.is_some() {
            return Ok(true);
        }
        if db.one(IS_FULL, vec![id(user.0), max.into()], |c| c.take()).await? {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Keeps the slot of a stream; false if it is another one's now.
pub async fn renew(db: &Db, user: UserId, stream: Uuid) -> Result<bool, StoreError> {
    Ok(db.execute(RENEW, vec![id(user.0), id(stream)]).await? > 0)
}

/// Gives the slot of a stream back.
pub async fn release(db: &Db, user: UserId, stream: Uuid) -> Result<(), StoreError> {
    db.execute(RELEASE, vec![id(user.0), id(stream)]).await.map(|_| ())
}
