//! Statements: executed, collected, or streamed. A statement that nobody waits for any more is cancelled in the database.

use super::value::{column, parameter, value};
use crate::bindings::spin::postgres::postgres::{
    Column, DbError, DbValue, Error, ParameterValue, QueryError, Row, RowSet,
};
use crate::caller::Caller;
use crate::connection::SharedClient;
use crate::pool::Client;
use futures::{FutureExt, StreamExt, TryStreamExt};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, RowStream};
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

/// The largest result that is collected, in bytes; a streamed one has no limit but that of each row.
const MAX_RESULT_BYTES: usize = 128 * 1024 * 1024;
/// Rows that are handed over at once, if that many are there.
const ROWS_AT_ONCE: usize = 256;

type Parameters = Vec<Box<dyn ToSql + Send + Sync>>;

/// A statement under way: dropped before its end, it is cancelled.
struct Running(Option<SharedClient>);

impl Running {
    fn begin(client: &SharedClient) -> Self {
        Self(Some(client.clone()))
    }

    /// The statement has ended.
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            cancel(client);
        }
    }
}

/// Asks the database to cancel the statement of a connection. The connection is given back only afterwards, so that no
/// other statement is cancelled.
fn cancel(client: SharedClient) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    let token = client.cancel_token();
    runtime.spawn(async move {
        if let Err(error) = token.cancel_query(NoTls).await {
            tracing::debug!("a statement was not cancelled: {error}");
        }
        drop(client);
    });
}

/// Waits for the end of a statement, and cancels it when its caller goes.
async fn attended<T>(
    client: &SharedClient,
    caller: Option<Caller>,
    statement: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let running = Running::begin(client);
    let mut statement = pin!(statement);
    let gone = async {
        match caller {
            Some(caller) => caller.gone().await,
            None => std::future::pending().await,
        }
    };
    let early = tokio::select! {
        biased;
        result = &mut statement => Some(result),
        () = gone => None,
    };
    let result = match early {
        Some(result) => result,
        None => {
            cancel(client.clone());
            statement.await
        }
    };
    running.ended();
    result
}

/// Runs a statement and counts its rows.
///
/// # Errors
/// As Spin gives them.
pub(crate) async fn execute(
    client: &SharedClient,
    caller: Option<Caller>,
    statement: &str,
    params: &[ParameterValue],
) -> Result<u64, Error> {
    attended(client, caller, count(client, statement, params)).await
}

async fn count(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<u64, Error> {
    let params = parameters(params).map_err(Error::ValueConversionFailed)?;
    client.note(statement);
    let mut retried = false;
    loop {
        let prepared = client.prepare_cached(statement).await.map_err(failed)?;
        match client.execute_raw(&prepared, params.iter().map(|param| &**param as &(dyn ToSql + Sync))).await
        {
            Err(error) if !retried && is_stale(&error) => {
                client.statement_cache.clear();
                retried = true;
            }
            result => return result.map_err(failed),
        }
    }
}

/// Runs a statement and collects its rows.
///
/// # Errors
/// As Spin gives them.
pub(crate) async fn query(
    client: &SharedClient,
    statement: &str,
    params: &[ParameterValue],
) -> Result<RowSet, Error> {
    attended(client, None, collect(client, statement, params)).await
}

async fn collect(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<RowSet, Error> {
    let mut found = pin!(start(client, statement, params).await?);
    let mut set = RowSet { columns: Vec::new(), rows: Vec::new() };
    let mut bytes = 0;
    while let Some(row) = found.try_next().await.map_err(|error| text(&error))? {
        if set.columns.is_empty() {
            set.columns = columns(&row);
        }
        let row = convert(&row).map_err(|error| text(&error))?;
        bytes += size_bytes(&row);
        if bytes > MAX_RESULT_BYTES {
            return Err(too_large());
        }
        set.rows.push(row);
    }
    Ok(set)
}

/// Runs a statement and streams its rows, whose end the receiver reports.
///
/// # Errors
/// As Spin gives them.
pub(crate) async fn stream(
    client: &SharedClient,
    caller: Option<Caller>,
    statement: &str,
    params: &[ParameterValue],
) -> Result<(Vec<Column>, Rows, oneshot::Receiver<Result<(), Error>>), Error> {
    let begin = async {
        let mut chunks = Box::pin(start(client, statement, params).await?.ready_chunks(ROWS_AT_ONCE));
        let first = chunks.next().await.unwrap_or_default();
        Ok((chunks, first))
    };
    let (mut chunks, first) = attended(client, caller, begin).await?;
    let (end, ended) = oneshot::channel();
    let columns = first.first().and_then(|row| row.as_ref().ok()).map(columns).unwrap_or_default();
    let (first, result) = converted(first);
    let result = if first.is_empty() { Ok(result?) } else { result };
    // Most answers are short and here as a whole.
    let second = if first.is_empty() || result.is_err() { Some(None) } else { chunks.next().now_or_never() };
    if matches!(second, Some(None)) {
        _ = end.send(result);
        return Ok((columns, Rows::Whole(first), ended));
    }
    let (sender, receiver) = mpsc::channel(4);
    let running = Running::begin(client);
    tokio::spawn(async move {
        let rest = futures::stream::iter(second.flatten()).chain(chunks);
        let result = forward(first, rest, &sender).await;
        if !matches!(result, Ok(false)) {
            running.ended();
        }
        _ = end.send(result.map(|_| ()));
    });
    Ok((columns, Rows::Streamed(receiver), ended))
}

/// Hands rows over until they end, fail, or are no longer taken; false for the last.
async fn forward(
    first: Vec<Row>,
    rest: impl futures::Stream<Item = Vec<Result<tokio_postgres::Row, tokio_postgres::Error>>>,
    sender: &mpsc::Sender<Vec<Row>>,
) -> Result<bool, Error> {
    if sender.send(first).await.is_err() {
        return Ok(false);
    }
    let mut rest = pin!(rest);
    loop {
        let chunk = tokio::select! {
            chunk = rest.next() => chunk,
            () = sender.closed() => return Ok(false),
        };
        let Some(chunk) = chunk else { break };
        let (rows, result) = converted(chunk);
        if !rows.is_empty() && sender.send(rows).await.is_err() {
            return Ok(false);
        }
        result?;
    }
    Ok(true)
}

/// The rows before the first that fails, and how it fails.
fn converted(
    chunk: Vec<Result<tokio_postgres::Row, tokio_postgres::Error>>,
) -> (Vec<Row>, Result<(), Error>) {
    let mut rows = Vec::with_capacity(chunk.len());
    for row in chunk {
        let row = match row {
            Ok(row) => convert(&row).map_err(|error| text(&error)),
            Err(error) => Err(failed(error)),
        };
        match row {
            Ok(row) if size_bytes(&row) > MAX_RESULT_BYTES => return (rows, Err(too_large())),
            Ok(row) => rows.push(row),
            Err(error) => return (rows, Err(error)),
        }
    }
    (rows, Ok(()))
}

/// Rows on their way into a component.
pub(crate) enum Rows {
    /// All of them.
    Whole(Vec<Row>),
    /// As they come.
    Streamed(mpsc::Receiver<Vec<Row>>),
}

impl<D> StreamProducer<D> for Rows {
    type Item = Row;
    type Buffer = VecBuffer<Row>;

    fn poll_produce<'a>(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: StoreContextMut<'a, D>,
        mut destination: Destination<'a, Row, VecBuffer<Row>>,
        finish: bool,
    ) -> Poll<wasmtime::Result<StreamResult>> {
        Poll::Ready(Ok(match &mut *self {
            Self::Whole(rows) => {
                destination.set_buffer(std::mem::take(rows).into());
                StreamResult::Dropped
            }
            Self::Streamed(rows) if finish && rows.is_empty() && !rows.is_closed() => StreamResult::Cancelled,
            Self::Streamed(rows) => match ready!(rows.poll_recv(cx)) {
                Some(rows) => {
                    destination.set_buffer(rows.into());
                    StreamResult::Completed
                }
                None => StreamResult::Dropped,
            },
        }))
    }
}

async fn start(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<RowStream, Error> {
    let params = parameters(params).map_err(Error::BadParameter)?;
    client.note(statement);
    let mut retried = false;
    loop {
        let prepared = client.prepare_cached(statement).await.map_err(failed)?;
        match client.query_raw(&prepared, params.iter().map(|param| &**param as &(dyn ToSql + Sync))).await {
            Err(error) if !retried && is_stale(&error) => {
                client.statement_cache.clear();
                retried = true;
            }
            result => return result.map_err(failed),
        }
    }
}

fn parameters(params: &[ParameterValue]) -> Result<Parameters, String> {
    params.iter().map(|param| parameter(param).map_err(|error| format!("{error:?}"))).collect()
}

/// Whether a kept statement no longer fits the schema; Spin, which keeps none, never sees this.
fn is_stale(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some_and(|error| error.message().starts_with("cached plan must not change"))
}

fn columns(row: &tokio_postgres::Row) -> Vec<Column> {
    row.columns().iter().map(column).collect()
}

fn convert(row: &tokio_postgres::Row) -> anyhow::Result<Row> {
    (0..row.len()).map(|index| value(row, index)).collect()
}

fn size_bytes(row: &Row) -> usize {
    let heap = |value: &DbValue| match value {
        DbValue::Str(text) | DbValue::Decimal(text) | DbValue::Uuid(text) => text.len(),
        DbValue::Binary(bytes) | DbValue::Jsonb(bytes) | DbValue::Unsupported(bytes) => bytes.len(),
        DbValue::ArrayStr(texts) => texts.iter().flatten().map(String::len).sum(),
        DbValue::ArrayInt32(numbers) => 8 * numbers.len(),
        DbValue::ArrayInt64(numbers) => 16 * numbers.len(),
        _ => 0,
    };
    row.iter().map(|value| size_of::<DbValue>() + heap(value)).sum()
}

fn too_large() -> Error {
    let message = format!("query result exceeds limit of {MAX_RESULT_BYTES} bytes");
    Error::QueryFailed(QueryError::Text(message))
}

fn text(error: &impl std::fmt::Debug) -> Error {
    Error::QueryFailed(QueryError::Text(format!("{error:?}")))
}

fn failed(error: tokio_postgres::Error) -> Error {
    let as_text = format!("{error:?}");
    let Some(database) = error.as_db_error() else {
        return Error::QueryFailed(QueryError::Text(as_text));
    };
    let extras = [
        ("column", database.column().map(str::to_owned)),
        ("constraint", database.constraint().map(str::to_owned)),
        ("routine", database.routine().map(str::to_owned)),
        ("hint", database.hint().map(str::to_owned)),
        ("table", database.table().map(str::to_owned)),
        ("datatype", database.datatype().map(str::to_owned)),
        ("schema", database.schema().map(str::to_owned)),
        ("file", database.file().map(str::to_owned)),
        ("line", database.line().map(|line| line.to_string())),
        ("where_", database.where_().map(str::to_owned)),
    ];
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: database.severity().to_owned(),
        code: database.code().code().to_owned(),
        message: database.message().to_owned(),
        detail: database.detail().map(str::to_owned),
        extras: extras.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
    }))
}
