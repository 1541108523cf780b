//! Between database values and ours. Columns are read in the order in which the statement names them.

use crate::error::StoreError;
use pm_api::{Metadata, Quality, ReadingStatus, Timestamp};
use spin_sdk::pg::{DbValue, ParameterValue};
use std::str::FromStr;
use time::{Date, Month, PrimitiveDateTime, Time};
use uuid::Uuid;

/// The columns of one row, taken from left to right.
pub(crate) struct Columns {
    values: std::vec::IntoIter<DbValue>,
    taken: usize,
}

impl Columns {
    pub(crate) fn new(row: Vec<DbValue>) -> Self {
        Self { values: row.into_iter(), taken: 0 }
    }

    /// The next column.
    pub(crate) fn take<T: FromDb>(&mut self) -> Result<T, StoreError> {
        self.taken += 1;
        let value = self.values.next().ok_or_else(|| StoreError::Failed("a column is missing".to_owned()))?;
        T::from_db(value)
            .map_err(|value| StoreError::Failed(format!("column {} holds {value:?}", self.taken)))
    }

    /// The next column, a word of a vocabulary.
    pub(crate) fn word<T: FromStr>(&mut self) -> Result<T, StoreError> {
        let text: String = self.take()?;
        text.parse().map_err(|_| StoreError::Failed(format!("column {} holds {text:?}", self.taken)))
    }

    /// The next column, a word of a vocabulary or null.
    pub(crate) fn optional_word<T: FromStr>(&mut self) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.take()?;
        let wrong = |text: &str| StoreError::Failed(format!("column {} holds {text:?}", self.taken));
        text.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
    }
}

/// A type that a column can be read as; the value comes back if it cannot.
pub(crate) trait FromDb: Sized {
    fn from_db(value: DbValue) -> Result<Self, DbValue>;
}

macro_rules! from_db {
    ($($type:ty: $pattern:pat => $result:expr;)*) => {$(
        impl FromDb for $type {
            fn from_db(value: DbValue) -> Result<Self, DbValue> {
                match value { $pattern => Ok($result), other => Err(other) }
            }
        }
    )*};
}

from_db! {
    bool: DbValue::Boolean(v) => v;
    i16: DbValue::Int16(v) => v;
    i32: DbValue::Int32(v) => v;
    i64: DbValue::Int64(v) => v;
    f64: DbValue::Floating64(v) => v;
    String: DbValue::Str(v) => v;
    Vec<u8>: DbValue::Binary(v) => v;
}

impl<T: FromDb> FromDb for Option<T> {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::DbNull => Ok(None),
            other => T::from_db(other).map(Some),
        }
    }
}

macro_rules! id_from_db {
    ($($type:ty),*) => {$(
        impl FromDb for $type {
            fn from_db(value: DbValue) -> Result<Self, DbValue> {
                Uuid::from_db(value).map(Self)
            }
        }
    )*};
}

id_from_db!(
    pm_api::MachineId,
    pm_api::ImportId,
    pm_api::BacktestId,
    pm_api::MappingId,
    pm_api::ModelId,
    pm_api::SensorId,
    pm_api::PredictionId,
    pm_api::ReportId,
    pm_api::MaintenanceWindowId,
    pm_api::ReportScheduleId,
    pm_api::AlarmId,
    pm_api::AlarmRuleId,
    pm_api::JobId,
    pm_api::OnCallScheduleId,
    pm_api::EscalationChainId,
    pm_api::NoticeChannelId,
    pm_api::RoleId,
    pm_api::SettingId,
    pm_api::TicketId,
    pm_api::CommentId,
    pm_api::AttachmentId,
    pm_api::UserId,
    pm_api::WaveformId,
    pm_api::WebhookId,
    pm_api::id::DeliveryId
);

impl FromDb for Uuid {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match &value {
            DbValue::Uuid(text) => Uuid::parse_str(text).map_err(|_| value),
            _ => Err(value),
        }
    }
}

/// Statements give times as `… at time zone 'utc'`.
impl FromDb for Timestamp {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        let DbValue::Datetime((year, month, day, hour, minute, second, nanos)) = value else {
            return Err(value);
        };
        Month::try_from(month)
            .and_then(|month| Date::from_calendar_date(year, month, day))
            .and_then(|date| {
                Ok(PrimitiveDateTime::new(date, Time::from_hms_nano(hour, minute, second, nanos)?))
            })
            .map(|at| {
                Timestamp(at.assume_utc().unix_timestamp() * Timestamp::SECOND + i64::from(at.microsecond()))
            })
            .map_err(|_| value)
    }
}

/// Times as an array of microseconds.
pub(crate) struct Times(pub(crate) Vec<i64>);

impl FromDb for Times {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::ArrayInt64(times) => Ok(Self(times.into_iter().flatten().collect())),
            other => Err(other),
        }
    }
}

impl FromDb for Metadata {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match &value {
            DbValue::Jsonb(bytes) => serde_json::from_slice(bytes).map_err(|_| value),
            _ => Err(value),
        }
    }
}

impl FromDb for serde_json::Value {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match &value {
            DbValue::Jsonb(bytes) => serde_json::from_slice(bytes).map_err(|_| value),
            _ => Err(value),
        }
    }
}

/// A text[] without nulls.
impl FromDb for Vec<String> {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::ArrayStr(texts) => Ok(texts.into_iter().flatten().collect()),
            other => Err(other),
        }
    }
}

impl FromDb for ReadingStatus {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Int16(0) => Ok(Self::Normal),
            DbValue::Int16(1) => Ok(Self::Warning),
            DbValue::Int16(2) => Ok(Self::Critical),
            other => Err(other),
        }
    }
}

impl FromDb for Quality {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        let DbValue::Int16(code) = value else { return Err(value) };
        Self::ALL.iter().copied().find(|q| quality_code(*q) == code).ok_or(value)
    }
}

/// The stored form of a reading's quality; 0 is good.
pub(crate) fn quality_code(quality: Quality) -> i16 {
    match quality {
        Quality::Good => 0,
        Quality::Uncertain => 1,
        Quality::Bad => 2,
        Quality::Stale => 3,
        Quality::Clock => 4,
        Quality::Unit => 5,
        Quality::Implausible => 6,
    }
}

/// The stored form of a reading's status.
pub(crate) fn status_code(status: ReadingStatus) -> i16 {
    match status {
        ReadingStatus::Normal => 0,
        ReadingStatus::Warning => 1,
        ReadingStatus::Critical => 2,
    }
}

pub(crate) fn id(id: Uuid) -> ParameterValue {
    ParameterValue::Uuid(id.to_string())
}

/// A time as int8 microseconds, for `epoch_us(…)` in statements.
pub(crate) fn at(time: Timestamp) -> ParameterValue {
    ParameterValue::Int64(time.0)
}

pub(crate) fn json(value: &impl serde::Serialize) -> Result<ParameterValue, StoreError> {
    serde_json::to_vec(value).map(ParameterValue::Jsonb).map_err(|e| StoreError::Failed(e.to_string()))
}

pub(crate) fn bytes(value: &[u8]) -> ParameterValue {
    ParameterValue::Binary(value.to_vec())
}

pub(crate) fn optional<T>(value: Option<T>, convert: impl Fn(T) -> ParameterValue) -> ParameterValue {
    value.map_or(ParameterValue::DbNull, convert)
}

pub(crate) fn text(value: impl Into<String>) -> ParameterValue {
    ParameterValue::Str(value.into())
}

pub(crate) fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> ParameterValue {
    ParameterValue::ArrayStr(values.into_iter().map(|v| Some(v.to_string())).collect())
}

pub(crate) fn optional_texts<T: ToString>(values: impl IntoIterator<Item = Option<T>>) -> ParameterValue {
    ParameterValue::ArrayStr(values.into_iter().map(|v| v.map(|v| v.to_string())).collect())
}

pub(crate) fn ints(values: impl IntoIterator<Item = i64>) -> ParameterValue {
    ParameterValue::ArrayInt64(values.into_iter().map(Some).collect())
}

pub(crate) fn optional_ints(values: impl IntoIterator<Item = Option<i64>>) -> ParameterValue {
    ParameterValue::ArrayInt64(values.into_iter().collect())
}

/// Numbers as one text `1,2.5,…`: float8[] cannot be a parameter, and one text crosses the border faster than many.
/// Statements read it as `string_to_array($n, ',')::float8[]`.
pub(crate) fn floats(values: impl IntoIterator<Item = f64>) -> ParameterValue {
    let mut all = String::new();
    for value in values {
        if !all.is_empty() {
            all.push(',');
        }
        all.push_str(&format!("{value:?}"));
    }
    ParameterValue::Str(all)
}
