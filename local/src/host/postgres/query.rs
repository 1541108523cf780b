//! Statements: executed, collected, or streamed.

use super::pool::Client;
use super::value::{column, parameter, value};
use crate::host::bindings::spin::postgres::postgres::{
    Column, DbError, DbValue, Error, ParameterValue, QueryError, Row, RowSet,
};
use futures::{StreamExt, TryStreamExt};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::RowStream;
use tokio_postgres::types::ToSql;
use wasmtime::StoreContextMut;
use wasmtime::component::{Destination, StreamProducer, StreamResult, VecBuffer};

/// The largest result that is collected, in bytes; a streamed one has no limit but that of each row.
const MAX_RESULT_BYTES: usize = 128 * 1024 * 1024;
/// Rows that are handed over at once, if that many are there.
const ROWS_AT_ONCE: usize = 256;

type Parameters = Vec<Box<dyn ToSql + Send + Sync>>;

/// Runs a statement and counts its rows.
///
/// # Errors
/// As Spin gives them.
pub async fn execute(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<u64, Error> {
    let params = parameters(params).map_err(Error::ValueConversionFailed)?;
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
pub async fn query(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<RowSet, Error> {
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

/// Runs a statement and streams its rows, whose end is told by the receiver.
///
/// # Errors
/// As Spin gives them.
pub async fn stream(
    client: &Client,
    statement: &str,
    params: &[ParameterValue],
) -> Result<(Vec<Column>, Rows, oneshot::Receiver<Result<(), Error>>), Error> {
    let mut found = Box::pin(start(client, statement, params).await?);
    let (end, ended) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(4);
    let Some(first) = found.next().await else {
        _ = end.send(Ok(()));
        return Ok((Vec::new(), Rows(receiver), ended));
    };
    let first = first.map_err(failed)?;
    let columns = columns(&first);
    tokio::spawn(async move {
        let rest = futures::stream::iter([Ok(first)]).chain(found);
        _ = end.send(forward(rest, &sender).await);
    });
    Ok((columns, Rows(receiver), ended))
}

/// Hands rows over until they end, fail, or nobody takes them any more.
async fn forward(
    rows: impl futures::Stream<Item = Result<tokio_postgres::Row, tokio_postgres::Error>>,
    sender: &mpsc::Sender<Vec<Row>>,
) -> Result<(), Error> {
    let mut chunks = pin!(rows.ready_chunks(ROWS_AT_ONCE));
    while let Some(chunk) = chunks.next().await {
        let mut converted = Vec::with_capacity(chunk.len());
        let mut result = Ok(());
        for row in chunk {
            let row = match row {
                Ok(row) => convert(&row).map_err(|error| text(&error)),
                Err(error) => Err(failed(error)),
            };
            match row {
                Ok(row) if size_bytes(&row) > MAX_RESULT_BYTES => result = Err(too_large()),
                Ok(row) => converted.push(row),
                Err(error) => result = Err(error),
            }
            if result.is_err() {
                break;
            }
        }
        if !converted.is_empty() && sender.send(converted).await.is_err() {
            return Ok(());
        }
        result?;
    }
    Ok(())
}

/// Rows on their way into a component.
pub struct Rows(mpsc::Receiver<Vec<Row>>);

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
        if finish && self.0.is_empty() && !self.0.is_closed() {
            return Poll::Ready(Ok(StreamResult::Cancelled));
        }
        Poll::Ready(Ok(match ready!(self.0.poll_recv(cx)) {
            Some(rows) => {
                destination.set_buffer(rows.into());
                StreamResult::Completed
            }
            None => StreamResult::Dropped,
        }))
    }
}

async fn start(client: &Client, statement: &str, params: &[ParameterValue]) -> Result<RowStream, Error> {
    let params = parameters(params).map_err(Error::BadParameter)?;
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
