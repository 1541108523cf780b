//! Failed logins per account and address.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{text, texts},
};

statements! {
    BLOCKED = "
        select coalesce(max(ceil(extract(epoch from blocked_until - now())))::int8, 0)
        from login_throttle where key = any ($1::text[]) and blocked_until > now()";
    FAILED = "
        insert into login_throttle as t (key, failures, window_started_at) values ($1, 1, now())
        on conflict (key) do update set
            failures = case when t.window_started_at < now() - $2::int8 * interval '1 second' then 1 else t.failures + 1 end,
            window_started_at = case when t.window_started_at < now() - $2::int8 * interval '1 second'
                                     then now() else t.window_started_at end
        returning failures";
    BLOCK = "update login_throttle set blocked_until = now() + $2::int8 * interval '1 second' where key = $1";
    FORGET = "delete from login_throttle where key = $1";
}

/// Seconds for which any of the keys is still blocked; 0 if none is.
pub async fn blocked_s(db: &Db, keys: &[String]) -> Result<i64, StoreError> {
    db.one(BLOCKED, vec![texts(keys)], |c| c.take()).await
}

/// Counts a failure; returns the failures in the running window.
pub async fn failed(db: &Db, throttled: &str, window_s: i64) -> Result<i32, StoreError> {
    db.one(FAILED, vec![text(throttled), window_s.into()], |c| c.take()).await
}

/// Blocks a key for some seconds.
pub async fn block(db: &Db, throttled: &str, seconds: i64) -> Result<(), StoreError> {
    db.execute(BLOCK, vec![text(throttled), seconds.into()]).await.map(drop)
}

/// Forgets the failures of a key after a success.
pub async fn forget(db: &Db, throttled: &str) -> Result<(), StoreError> {
    db.execute(FORGET, vec![text(throttled)]).await.map(drop)
}
