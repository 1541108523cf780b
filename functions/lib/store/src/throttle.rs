//! Attempts and failures per key. What they lead to is decided by `pm_domain::throttle`. A key may end in a mail address, so
//! keys are compared as the database compares those.

use crate::{
    Db, StoreError,
    statement::statements,
    value::{at, optional, text, texts},
};
use pm_domain::throttle::Failures;

statements! {
    READ = "
        select failures, window_started_at at time zone 'utc', blocked_until at time zone 'utc'
        from login_throttle where key in (select lower(k) from unnest($1::text[]) k)";
    WRITE = "
        insert into login_throttle as t (key, failures, window_started_at, blocked_until)
        values (lower($1), $2::int4, epoch_us($3), epoch_us($4))
        on conflict (key) do update set
            failures = excluded.failures,
            window_started_at = excluded.window_started_at,
            blocked_until = excluded.blocked_until
        where t.failures = $5::int4 and t.window_started_at = epoch_us($6)";
    FORGET = "delete from login_throttle where key = lower($1)";
}

/// The failures under those of the keys that have any.
pub async fn read(db: &Db, keys: &[&str]) -> Result<Vec<Failures>, StoreError> {
    db.rows(READ, vec![texts(keys)], |c| {
        Ok(Failures { count: c.take()?, window_started_at: c.take()?, blocked_until: c.take()? })
    })
    .await
}

/// Writes the failures under a key if they are still those that were `known`. False: they are not.
pub async fn write(
    db: &Db,
    throttled: &str,
    known: Option<Failures>,
    failures: Failures,
) -> Result<bool, StoreError> {
    let params = vec![
        text(throttled),
        failures.count.into(),
        at(failures.window_started_at),
        optional(failures.blocked_until, at),
        optional(known, |known| known.count.into()),
        optional(known, |known| at(known.window_started_at)),
    ];
    Ok(db.execute(WRITE, params).await? > 0)
}

/// Forgets the failures of a key after a success.
pub async fn forget(db: &Db, throttled: &str) -> Result<(), StoreError> {
    db.execute(FORGET, vec![text(throttled)]).await.map(drop)
}
