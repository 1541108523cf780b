//! Payloads and readings that could not be used.

use crate::{
    Db, StoreError,
    list::{Id, Key, List, Total, lists},
    statement::statements,
    value::{ints, texts},
};
use pm_api::{
    Timestamp,
    ingest::DeadLetter,
    list::{ListQuery, Page},
    sort::DeadLetterSort,
};

lists! {
    LIST: DeadLetterSort = List {
        columns: "id, received_at at time zone 'utc', topic, payload, reason",
        rows: "from dead_letters where true",
        id: Id::Number("id"),
        key: |DeadLetterSort::ReceivedAt| Key::Time("received_at"),
        total: Total::Exact,
        one_plan: false,
    };
}

statements! {
    STORE = "
        insert into dead_letters (topic, payload, reason, received_at, digest)
        select l.topic, l.payload, l.reason, l.received_at,
               sha256(convert_to(l.topic || chr(10) || l.reason || chr(10), 'UTF8') || l.payload)
        from (
            select topic, decode(payload, 'hex') as payload, reason,
                   timestamptz 'epoch' + us * interval '1 microsecond' as received_at
            from unnest($1::text[], $2::text[], $3::text[], $4::int8[]) u (topic, payload, reason, us)) l
        on conflict (digest, received_at) do nothing";
}

/// A stored dead letter.
#[derive(Debug, Clone)]
pub struct StoredLetter {
    /// Number.
    pub id: i64,
    /// When it was received.
    pub received_at: Timestamp,
    /// MQTT topic it came on.
    pub topic: String,
    /// The payload.
    pub payload: Vec<u8>,
    /// Why it could not be used.
    pub reason: String,
}

/// Keeps dead letters; the same letter twice is one.
pub async fn store(db: &Db, letters: &[DeadLetter]) -> Result<(), StoreError> {
    // PostgreSQL texts cannot hold NUL
    let clean = |s: &str| s.replace('\0', "\u{fffd}");
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let params = vec![
        texts(letters.iter().map(|l| clean(&l.topic))),
        texts(letters.iter().map(|l| hex(&l.payload))),
        texts(letters.iter().map(|l| clean(&l.reason))),
        ints(letters.iter().map(|l| l.received_at.0)),
    ];
    db.execute(STORE, params).await.map(drop)
}

/// A page of the dead letters.
pub async fn list(db: &Db, query: &ListQuery<DeadLetterSort>) -> Result<Page<StoredLetter>, StoreError> {
    LIST.page(db, query, Vec::new(), |c| {
        Ok(StoredLetter {
            id: c.take()?,
            received_at: c.take()?,
            topic: c.take()?,
            payload: c.take()?,
            reason: c.take()?,
        })
    })
    .await
}
