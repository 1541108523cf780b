//! Payloads and readings that could not be used.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::statements,
    value::{Columns, at, ints, optional, text, texts},
};
use pm_api::{
    Timestamp,
    ingest::DeadLetter,
    list::{ListQuery, Page},
    sort::DeadLetterSort,
};
use pm_domain::duration::{DAY_S, MINUTE_S};
use std::collections::BTreeMap;

lists! {
    LIST: DeadLetterSort = List {
        columns: "id, received_at at time zone 'utc', topic, payload, reason, count, replayed_at at time zone 'utc'",
        rows: "from dead_letters where true",
        id: Id::Number("id"),
        key: |DeadLetterSort::ReceivedAt| Key::Time("received_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    STORE = "
        insert into dead_letters as d (topic, payload, reason, count, received_at, cause, bucket, digest)
        select l.topic, l.payload, l.reason, l.count, epoch_us(l.received_us),
               sha256(convert_to(l.topic || chr(10) || l.reason, 'UTF8')), epoch_us(l.bucket_us), sha256(l.payload)
        from (
            select topic, decode(payload, 'hex') as payload, reason, count, received_us, bucket_us
            from unnest($1::text[], $2::text[], $3::text[], $4::int8[], $5::int8[], $6::int8[])
                u (topic, payload, reason, count, received_us, bucket_us)) l
        on conflict (cause, bucket) do update set
            count = d.count + excluded.count,
            payload = case when excluded.received_at >= d.received_at then excluded.payload else d.payload end,
            digest = case when excluded.received_at >= d.received_at then excluded.digest else d.digest end,
            received_at = greatest(d.received_at, excluded.received_at),
            replayed_at = null
        where (d.received_at, d.digest) is distinct from (excluded.received_at, excluded.digest)";
    GROUPS = "
        select g.topic, g.reason, g.count, g.first_at at time zone 'utc', g.last_at at time zone 'utc', n.id, n.payload
        from (
            select cause, min(topic) as topic, min(reason) as reason, sum(count)::int8 as count, min(received_at) as first_at,
                   max(received_at) as last_at
            from dead_letters where replayed_at is null group by cause order by max(received_at) desc limit $1) g
        cross join lateral (
            select id, payload from dead_letters where cause = g.cause and replayed_at is null order by bucket desc limit 1) n
        order by g.last_at desc, n.id desc";
    TO_REPLAY = "
        select id, received_at at time zone 'utc', topic, payload, reason, count, replayed_at at time zone 'utc'
        from dead_letters
        where topic = $1 and replayed_at is null and id > $3
          and ($2::text is null or cause = sha256(convert_to($1::text || chr(10) || $2::text, 'UTF8')))
        order by id limit $4";
    // not if another payload has come since it was read
    REPLAYED = "
        update dead_letters set replayed_at = now()
        where id = $1 and digest = sha256(payload) and received_at = epoch_us($2) and replayed_at is null";
    DELETE = "
        delete from dead_letters where cause = sha256(convert_to($1::text || chr(10) || $2::text, 'UTF8'))";
}

/// A stored dead letter.
#[derive(Debug, Clone)]
pub struct StoredLetter {
    /// Number.
    pub id: i64,
    /// When the newest of its kind was received.
    pub received_at: Timestamp,
    /// MQTT topic it came on.
    pub topic: String,
    /// The newest payload.
    pub payload: Vec<u8>,
    /// Why it could not be used.
    pub reason: String,
    /// Values or payloads of the same topic and reason within the same minute.
    pub count: i64,
    /// When it was replayed.
    pub replayed_at: Option<Timestamp>,
}

/// How long letters of the same topic and reason are one row that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gathered {
    /// Losses.
    ByMinute,
    /// Notices to a sender whose values are stored.
    ByDay,
}

impl Gathered {
    /// Begin of the row's time.
    fn bucket(self, time: Timestamp) -> i64 {
        let length_us = Timestamp::SECOND
            * match self {
                Self::ByMinute => MINUTE_S,
                Self::ByDay => DAY_S,
            };
        time.0.div_euclid(length_us) * length_us
    }
}

/// Keeps dead letters, those of the same topic and reason as one row. The last letter of a row is counted once, however
/// often it is delivered.
pub async fn store(db: &Db, letters: &[DeadLetter], gathered: Gathered) -> Result<(), StoreError> {
    // PostgreSQL texts cannot hold NUL
    let clean = |s: &str| s.replace('\0', "\u{fffd}");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let mut rows: BTreeMap<(String, String, i64), (i64, &DeadLetter)> = BTreeMap::new();
    for letter in letters {
        let key = (clean(&letter.topic), clean(&letter.reason), gathered.bucket(letter.received_at));
        let count = i64::from(letter.count.max(1));
        rows.entry(key)
            .and_modify(|(total, newest)| {
                *total += count;
                if letter.received_at >= newest.received_at {
                    *newest = letter;
                }
            })
            .or_insert((count, letter));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = rows.into_iter().collect();
    let params = vec![
        texts(rows.iter().map(|((topic, ..), _)| topic)),
        texts(rows.iter().map(|(_, (_, newest))| hex(&newest.payload))),
        texts(rows.iter().map(|((_, reason, _), _)| reason)),
        ints(rows.iter().map(|(_, (count, _))| *count)),
        ints(rows.iter().map(|(_, (_, newest))| newest.received_at.0)),
        ints(rows.iter().map(|((.., bucket), _)| *bucket)),
    ];
    db.execute(STORE, params).await.map(drop)
}

/// A page of the dead letters.
pub async fn list(db: &Db, query: &ListQuery<DeadLetterSort>) -> Result<Page<StoredLetter>, StoreError> {
    LIST.page(db, query, Vec::new(), letter).await
}

fn letter(c: &mut Columns) -> Result<StoredLetter, StoreError> {
    Ok(StoredLetter {
        id: c.take()?,
        received_at: c.take()?,
        topic: c.take()?,
        payload: c.take()?,
        reason: c.take()?,
        count: c.take()?,
        replayed_at: c.take()?,
    })
}

/// The dead letters of a topic after the one with the number `after` that were not replayed, perhaps with this reason only,
/// at most `limit` in the order of their numbers.
pub async fn to_replay(
    db: &Db,
    topic: &str,
    reason: Option<&str>,
    after: i64,
    limit: i64,
) -> Result<Vec<StoredLetter>, StoreError> {
    db.rows(TO_REPLAY, vec![text(topic), optional(reason, text), after.into(), limit.into()], letter).await
}

/// Marks a dead letter as replayed. False: it was replayed, deleted or renewed in the meantime.
pub async fn replayed(db: &Db, letter: &StoredLetter) -> Result<bool, StoreError> {
    Ok(db.execute(REPLAYED, vec![letter.id.into(), at(letter.received_at)]).await? > 0)
}

/// The dead letters of a topic with the same reason.
#[derive(Debug, Clone)]
pub struct Group {
    /// MQTT topic they came on.
    pub topic: String,
    /// Why they could not be used.
    pub reason: String,
    /// How many values or payloads.
    pub count: i64,
    /// When the newest of the oldest minute was received.
    pub first_at: Timestamp,
    /// When the newest was received.
    pub last_at: Timestamp,
    /// Number of the newest.
    pub newest_id: i64,
    /// Its payload.
    pub payload: Vec<u8>,
}

/// The dead letters by topic and reason that were not replayed, at most `limit` groups, the one with the newest letter first.
pub async fn groups(db: &Db, limit: i64) -> Result<Vec<Group>, StoreError> {
    db.rows(GROUPS, vec![limit.into()], |c| {
        Ok(Group {
            topic: c.take()?,
            reason: c.take()?,
            count: c.take()?,
            first_at: c.take()?,
            last_at: c.take()?,
            newest_id: c.take()?,
            payload: c.take()?,
        })
    })
    .await
}

/// Removes the dead letters of a topic with this reason; returns how many rows they were.
pub async fn delete(db: &Db, topic: &str, reason: &str) -> Result<u64, StoreError> {
    db.execute(DELETE, vec![text(topic), text(reason)]).await
}
