//! Pooled connections, 64 per address, as Spin pools them.

use deadpool_postgres::{ClientWrapper, ManagerConfig, RecyclingMethod};
use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, Error, NoTls};

use deadpool::Runtime;
use deadpool::managed::{Manager, Metrics, Object, Pool, RecycleError, RecycleResult};
use deadpool_postgres::Manager as Connector;

/// How long a component waits for a connection when all are in use.
const WAIT: Duration = Duration::from_secs(10);
/// Connections to one address.
const CONNECTIONS_PER_ADDRESS: usize = 64;

/// Fails inside a transaction, because `now()` is the time of its start, and resets the session as Spin does. Spin sends
/// it whenever a connection is taken; that costs more than most queries, so here only after a statement that may need it.
const RESET: &str = "select 1 / (now() = statement_timestamp())::int; close all; set session authorization default; \
                     reset all; unlisten *; select pg_advisory_unlock_all(); discard temp; discard sequences";

/// The pools of an application, by address.
#[derive(Debug, Default)]
pub(crate) struct Pools(Mutex<HashMap<String, Pool<Connections>>>);

/// A connection with prepared statements and the component that used it last.
#[derive(Debug)]
pub(crate) struct Client {
    inner: ClientWrapper,
    user: Arc<str>,
    /// Did a statement run that may outlast itself?
    altered: AtomicBool,
}

impl Client {
    /// Takes note of a statement before it runs.
    pub(crate) fn note(&self, statement: &str) {
        if may_alter_session(statement) {
            self.altered.store(true, Relaxed);
        }
    }
}

/// Whether a statement may leave something behind in its session: anything but a query or a change of rows, and
/// whatever calls a function that is made for it.
fn may_alter_session(statement: &str) -> bool {
    const PLAIN: &[&str] = &["select", "insert", "update", "delete", "with", "values"];
    const LASTING: &[&str] =
        &["set_config", "advisory", "nextval", "lastval", "setval", "currval", "into temp"];
    let statement = statement.trim_start().to_ascii_lowercase();
    let first = statement.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    !PLAIN.contains(&first) || LASTING.iter().any(|word| statement.contains(word))
}

impl Deref for Client {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.inner
    }
}

impl Pools {
    /// A connection for `component`, waiting for one if all are in use.
    ///
    /// # Errors
    /// A text for the component: the database does not answer or refuses.
    pub(crate) async fn get(
        &self,
        address: &str,
        config: &Config,
        component: &Arc<str>,
    ) -> Result<Object<Connections>, String> {
        let pool = self.pool(address, config)?;
        let mut client = pool.get().await.map_err(|error| format!("{error:?}"))?;
        client.user = component.clone();
        Ok(client)
    }

    fn pool(&self, address: &str, config: &Config) -> Result<Pool<Connections>, String> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(address) {
            return Ok(pool.clone());
        }
        let settings = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let connections = Connections(Connector::from_config(config.clone(), NoTls, settings));
        let pool = Pool::builder(connections).max_size(CONNECTIONS_PER_ADDRESS);
        let pool = pool.runtime(Runtime::Tokio1).wait_timeout(Some(WAIT)).build();
        let pool = pool.map_err(|error| error.to_string())?;
        pools.insert(address.to_owned(), pool.clone());
        Ok(pool)
    }
}

/// Makes connections, and drops those that cannot be used again.
#[derive(Debug)]
pub(crate) struct Connections(Connector);

impl Manager for Connections {
    type Type = Client;
    type Error = Error;

    async fn create(&self) -> Result<Client, Error> {
        Ok(Client { inner: self.0.create().await?, user: "".into(), altered: AtomicBool::new(false) })
    }

    async fn recycle(&self, client: &mut Client, metrics: &Metrics) -> RecycleResult<Error> {
        self.0.recycle(&mut client.inner, metrics).await?;
        // the other statement says nothing and shows that the connection is alive
        let check = if std::mem::take(client.altered.get_mut()) { RESET } else { "" };
        let Err(error) = client.simple_query(check).await else { return Ok(()) };
        let open = [SqlState::DIVISION_BY_ZERO, SqlState::IN_FAILED_SQL_TRANSACTION];
        if error.code().is_some_and(|code| open.contains(code)) {
            let component = &*client.user;
            tracing::error!(
                component,
                "a database connection was dropped inside a transaction, which is rolled back"
            );
        }
        Err(RecycleError::Backend(error))
    }

    fn detach(&self, client: &mut Client) {
        self.0.detach(&mut client.inner);
    }
}

#[cfg(test)]
mod tests {
    use super::may_alter_session;

    #[test]
    fn what_may_outlast_its_statement() {
        for (statement, may) in [
            ("select 1", false),
            ("\n  WITH a as (select 1) insert into b select * from a", false),
            ("update a set b = 1", false),
            ("begin", true),
            ("set time zone 'utc'", true),
            ("/* */ select 1", true),
            ("declare c cursor with hold for select 1", true),
            ("select set_config('a', 'b', false)", true),
            ("select PG_ADVISORY_LOCK(1)", true),
            ("create temp table a ()", true),
            ("listen a", true),
            ("", true),
        ] {
            assert_eq!(may_alter_session(statement), may, "{statement}");
        }
    }
}
