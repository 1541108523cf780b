//! Values between PostgreSQL and the interface.
//!
//! Types that Spin does not know stay unknown here: `float8[]` and others arrive as `unsupported` bytes, and reading a
//! `timestamptz` fails, so that nothing comes to depend on this host.

use super::interval::Interval;
use super::range::{NumericBound, from_range, to_range};
use crate::bindings::spin::postgres::postgres::{Column, DbDataType, DbValue, ParameterValue};
use anyhow::{Context, Result};
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use rust_decimal::Decimal;
use std::error::Error;
use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

type Boxed = Box<dyn ToSql + Send + Sync>;

/// The interface's description of a column.
pub(crate) fn column(column: &tokio_postgres::Column) -> Column {
    let data_type = match *column.type_() {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        ref other => DbDataType::Other(other.name().to_owned()),
    };
    Column { name: column.name().to_owned(), data_type }
}

/// One value of a row.
///
/// # Errors
/// The value cannot be read as what its type asks for.
pub(crate) fn value(row: &Row, index: usize) -> Result<DbValue> {
    match *row.columns()[index].type_() {
        Type::BOOL => read(row, index, |v| Ok(DbValue::Boolean(v))),
        Type::BYTEA => read(row, index, |v| Ok(DbValue::Binary(v))),
        Type::FLOAT4 => read(row, index, |v| Ok(DbValue::Floating32(v))),
        Type::FLOAT8 => read(row, index, |v| Ok(DbValue::Floating64(v))),
        Type::INT2 => read(row, index, |v| Ok(DbValue::Int16(v))),
        Type::INT4 => read(row, index, |v| Ok(DbValue::Int32(v))),
        Type::INT8 => read(row, index, |v| Ok(DbValue::Int64(v))),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, index, |v| Ok(DbValue::Str(v))),
        Type::TIMESTAMP | Type::TIMESTAMPTZ => read(row, index, |v: NaiveDateTime| {
            let ((year, month, day), (hour, minute, second, nano)) = (date(v.date())?, time(v.time())?);
            Ok(DbValue::Datetime((year, month, day, hour, minute, second, nano)))
        }),
        Type::DATE => read(row, index, |v| Ok(DbValue::Date(date(v)?))),
        Type::TIME => read(row, index, |v| Ok(DbValue::Time(time(v)?))),
        Type::UUID => read(row, index, |v: Uuid| Ok(DbValue::Uuid(v.to_string()))),
        Type::JSONB => read(row, index, |v: serde_json::Value| Ok(DbValue::Jsonb(serde_json::to_vec(&v)?))),
        Type::NUMERIC => read(row, index, |v: Decimal| Ok(DbValue::Decimal(v.to_string()))),
        Type::INT4_RANGE => read(row, index, |v| Ok(DbValue::RangeInt32(from_range(&v, |n| *n)))),
        Type::INT8_RANGE => read(row, index, |v| Ok(DbValue::RangeInt64(from_range(&v, |n| *n)))),
        Type::NUM_RANGE => read(row, index, |v| {
            Ok(DbValue::RangeDecimal(from_range(&v, |n: &NumericBound| n.0.to_string())))
        }),
        Type::INT4_ARRAY => read(row, index, |v| Ok(DbValue::ArrayInt32(v))),
        Type::INT8_ARRAY => read(row, index, |v| Ok(DbValue::ArrayInt64(v))),
        Type::NUMERIC_ARRAY => read(row, index, |v: Vec<Option<Decimal>>| {
            Ok(DbValue::ArrayDecimal(v.into_iter().map(|number| number.map(|n| n.to_string())).collect()))
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => {
            read(row, index, |v| Ok(DbValue::ArrayStr(v)))
        }
        Type::INTERVAL => read(row, index, |v: Interval| Ok(DbValue::Interval(v.0))),
        _ => read(row, index, |v: Unknown| Ok(DbValue::Unsupported(v.0))),
    }
}

/// One parameter of a statement.
///
/// # Errors
/// The value has no meaning: a date that does not exist, text that is no number.
pub(crate) fn parameter(value: &ParameterValue) -> Result<Boxed> {
    let decimal =
        |text: &String| Decimal::from_str_exact(text).with_context(|| format!("invalid decimal {text}"));
    Ok(match value {
        ParameterValue::Boolean(v) => Box::new(*v),
        ParameterValue::Int8(v) => Box::new(*v),
        ParameterValue::Int16(v) => Box::new(*v),
        ParameterValue::Int32(v) => Box::new(*v),
        ParameterValue::Int64(v) => Box::new(*v),
        ParameterValue::Floating32(v) => Box::new(*v),
        ParameterValue::Floating64(v) => Box::new(*v),
        ParameterValue::Str(v) => Box::new(v.clone()),
        ParameterValue::Binary(v) => Box::new(v.clone()),
        ParameterValue::Date(v) => Box::new(to_date(*v)?),
        ParameterValue::Time(v) => Box::new(to_time(*v)?),
        ParameterValue::Datetime((year, month, day, hour, minute, second, nano)) => {
            let (date, time) = (to_date((*year, *month, *day))?, to_time((*hour, *minute, *second, *nano))?);
            Box::new(NaiveDateTime::new(date, time))
        }
        ParameterValue::Timestamp(v) => Box::new(
            DateTime::<Utc>::from_timestamp(*v, 0).with_context(|| format!("invalid epoch timestamp {v}"))?,
        ),
        ParameterValue::Uuid(v) => Box::new(Uuid::parse_str(v).with_context(|| format!("invalid UUID {v}"))?),
        ParameterValue::Jsonb(v) => {
            let invalid = || format!("invalid JSON {}", String::from_utf8_lossy(v));
            Box::new(serde_json::from_slice::<serde_json::Value>(v).with_context(invalid)?)
        }
        ParameterValue::Decimal(v) => Box::new(decimal(v)?),
        ParameterValue::RangeInt32(v) => Box::new(to_range(v, |n| Ok(*n))?),
        ParameterValue::RangeInt64(v) => Box::new(to_range(v, |n| Ok(*n))?),
        ParameterValue::RangeDecimal(v) => Box::new(to_range(v, |n| decimal(n).map(NumericBound))?),
        ParameterValue::ArrayInt32(v) => Box::new(v.clone()),
        ParameterValue::ArrayInt64(v) => Box::new(v.clone()),
        ParameterValue::ArrayDecimal(v) => {
            let numbers: Result<Vec<Option<Decimal>>> =
                v.iter().map(|n| n.as_ref().map(decimal).transpose()).collect();
            Box::new(numbers?)
        }
        ParameterValue::ArrayStr(v) => Box::new(v.clone()),
        ParameterValue::Interval(v) => Box::new(Interval(*v)),
        ParameterValue::DbNull => Box::new(Null),
    })
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    convert: impl FnOnce(T) -> Result<DbValue>,
) -> Result<DbValue> {
    row.try_get::<_, Option<T>>(index)?.map_or(Ok(DbValue::DbNull), convert)
}

fn date(date: NaiveDate) -> Result<(i32, u8, u8)> {
    Ok((date.year(), date.month().try_into()?, date.day().try_into()?))
}

fn time(time: NaiveTime) -> Result<(u8, u8, u8, u32)> {
    Ok((time.hour().try_into()?, time.minute().try_into()?, time.second().try_into()?, time.nanosecond()))
}

fn to_date((year, month, day): (i32, u8, u8)) -> Result<NaiveDate> {
    let invalid = || format!("invalid date y={year}, m={month}, d={day}");
    NaiveDate::from_ymd_opt(year, month.into(), day.into()).with_context(invalid)
}

fn to_time((hour, minute, second, nano): (u8, u8, u8, u32)) -> Result<NaiveTime> {
    let invalid = || format!("invalid time {hour}:{minute}:{second}:{nano}");
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nano).with_context(invalid)
}

/// The bytes of a value of any other type.
struct Unknown(Vec<u8>);

impl<'a> FromSql<'a> for Unknown {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// A null of any type.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}
