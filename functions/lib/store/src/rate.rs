//! Requests per client and minute, as the instances report them.

use crate::{Db, StoreError, statement::statements, value::text};

statements! {
    ADD = "
        insert into request_counts as c (client, minute, requests) values ($1, $2, $3)
        on conflict (client, minute) do update set requests = c.requests + excluded.requests
        returning requests";
}

/// Adds to the requests of a client in a minute (minutes since 1970); returns how many they are now.
pub async fn add(db: &Db, client: &str, minute: i64, requests: i64) -> Result<i64, StoreError> {
    db.one(ADD, vec![text(client), minute.into(), requests.into()], |c| c.take()).await
}
