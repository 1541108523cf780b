//! `spin:postgres@4.2.0` over tokio-postgres: the same conversions and the same errors as Spin's.

mod interval;
mod query;
mod range;
mod value;

use super::bindings::spin::postgres::postgres::{
    Column, Error, Host, HostConnection, HostConnectionBuilder, HostConnectionBuilderWithStore,
    HostConnectionWithStore, ParameterValue, Row, RowSet,
};
use super::caller::Caller;
use super::component::ComponentInfo;
use super::connection::{Connection, ConnectionBuilder, SharedClient};
use super::guest::Guest;
use super::pool::Pools;
use std::sync::Arc;
use tokio_postgres::Config;
use tokio_postgres::config::Host as ServerHost;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};
use wasmtime::{AsContextMut, Result};

/// Everything that opening a connection needs, taken out of the store.
struct Opening {
    info: Arc<ComponentInfo>,
    pools: Arc<Pools>,
}

impl Opening {
    fn of(guest: &Guest) -> Self {
        Self { info: guest.info.clone(), pools: guest.pools.clone() }
    }

    async fn open(self, address: &str) -> Result<Connection, Error> {
        let config: Config =
            address.parse().map_err(|error| Error::ConnectionFailed(format!("{error:?}")))?;
        for (number, host) in config.get_hosts().iter().enumerate() {
            let ServerHost::Tcp(host) = host else {
                return Err(Error::ConnectionFailed("Unix sockets are not supported".to_owned()));
            };
            let port = config.get_ports().get(number).or(config.get_ports().first()).copied();
            if !self.info.allowed.allows("postgres", host, port) {
                let component = &*self.info.id;
                tracing::warn!(
                    component,
                    "a connection to postgres://{host} is not in allowed_outbound_hosts"
                );
                return Err(Error::ConnectionFailed(format!("address {host} is not permitted")));
            }
        }
        let client =
            self.pools.get(address, &config, &self.info.id).await.map_err(Error::ConnectionFailed)?;
        Ok(Connection(Arc::new(client)))
    }
}

type QueryResult = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, address: String) -> Result<Result<Resource<Connection>, Error>> {
        match Opening::of(self).open(&address).await {
            Ok(connection) => Ok(Ok(self.table.push(connection)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<Result<RowSet, Error>> {
        let client = self.table.get(&connection)?.0.clone();
        Ok(query::query(&client, &statement, &params).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        let client = self.table.get(&connection)?.0.clone();
        Ok(query::execute(&client, None, &statement, &params).await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: 'static> HostConnectionWithStore<T> for HasSelf<Guest> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        address: String,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let opening = accessor.with(|mut access| Opening::of(access.get()));
        match opening.open(&address).await {
            Ok(connection) => accessor.with(|mut access| Ok(Ok(access.get().table.push(connection)?))),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<Result<QueryResult, Error>> {
        let (client, caller) = client(accessor, &connection)?;
        let (columns, rows, result) = match query::stream(&client, caller, &statement, &params).await {
            Ok(streamed) => streamed,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let result = async move { wasmtime::error::Ok(result.await.unwrap_or(Ok(()))) };
            Ok(Ok((columns, rows, FutureReader::new(&mut access, result)?)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        params: Vec<ParameterValue>,
    ) -> Result<Result<u64, Error>> {
        let (client, caller) = client(accessor, &connection)?;
        Ok(query::execute(&client, caller, &statement, &params).await)
    }
}

/// A connection, and who waits for the response of the request that uses it.
fn client<T: 'static>(
    accessor: &Accessor<T, HasSelf<Guest>>,
    connection: &Resource<Connection>,
) -> Result<(SharedClient, Option<Caller>)> {
    accessor.with(|mut access| {
        let request = access.as_context_mut().async_call_stack().ok().and_then(Iterator::last);
        let guest = access.get();
        let client = guest.table.get(connection)?.0.clone();
        Ok((client, request.and_then(|request| guest.caller(request))))
    })
}

impl HostConnectionBuilder for Guest {
    async fn new(&mut self, address: String) -> Result<Resource<ConnectionBuilder>> {
        Ok(self.table.push(ConnectionBuilder { address })?)
    }

    async fn set_ca_root(&mut self, _: Resource<ConnectionBuilder>, _: String) -> Result<Result<(), Error>> {
        Ok(Err(Error::Other("the local host offers no TLS to the database".to_owned())))
    }

    async fn build(
        &mut self,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let address = self.table.get(&builder)?.address.clone();
        self.open(address).await
    }

    async fn drop(&mut self, builder: Resource<ConnectionBuilder>) -> Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl<T: 'static> HostConnectionBuilderWithStore<T> for HasSelf<Guest> {
    async fn build_async(
        accessor: &Accessor<T, Self>,
        builder: Resource<ConnectionBuilder>,
    ) -> Result<Result<Resource<Connection>, Error>> {
        let address = accessor
            .with(|mut access| wasmtime::error::Ok(access.get().table.get(&builder)?.address.clone()))?;
        <Self as HostConnectionWithStore<T>>::open_async(accessor, address).await
    }
}
