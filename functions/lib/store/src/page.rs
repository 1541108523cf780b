//! Slices of long lists: by offset, or from where the last slice ended.

use crate::{
    StoreError,
    value::{Columns, id, text},
};
use pm_api::Timestamp;
use spin_sdk::pg::ParameterValue;
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Where a slice of a sorted list ended: the sort key and the identity of its last row. Rows that come in meanwhile
/// neither shift what follows nor hide it. As text it is opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The row's sort key, as text.
    pub key: String,
    /// The row's identity, which orders rows of one key.
    pub id: Uuid,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id.simple())?;
        self.key.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoCursor;

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let (id, key) = text.split_at_checked(32).ok_or(NoCursor)?;
        if key.len() % 2 == 1 || !key.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NoCursor);
        }
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let key = key.as_bytes().chunks(2).map(byte).collect::<Option<Vec<_>>>().ok_or(NoCursor)?;
        let key = String::from_utf8(key).map_err(|_| NoCursor)?;
        if key.contains('\0') {
            return Err(NoCursor);
        }
        Ok(Self { id: Uuid::try_parse(id).map_err(|_| NoCursor)?, key })
    }
}

/// Which slice of a list, in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slicing {
    /// At most this many rows.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
    /// After this row.
    pub after: Option<Cursor>,
    /// The field that orders the list, one of its sort words.
    pub sort: &'static str,
    /// From its end?
    pub descending: bool,
}

impl Slicing {
    /// The parameters `limit, offset, sort, cursor key, cursor id` of a listing statement.
    pub(crate) fn params(&self) -> Vec<ParameterValue> {
        vec![
            self.limit.into(),
            self.offset.into(),
            text(self.sort),
            self.after.as_ref().map_or(ParameterValue::DbNull, |c| text(c.key.clone())),
            self.after.as_ref().map_or(ParameterValue::DbNull, |c| id(c.id)),
        ]
    }

    /// A listing of rows that were read with their cursors.
    pub(crate) fn listing<T>(&self, rows: Vec<(T, Cursor)>, total: i64) -> Listing<T> {
        let last = rows.last().map(|r| r.1.clone());
        self.ended(rows.into_iter().map(|r| r.0).collect(), total, last)
    }

    /// A listing of rows that are ordered by this time and id of theirs.
    pub(crate) fn by_time<T>(
        &self,
        items: Vec<T>,
        total: i64,
        order: impl Fn(&T) -> (Timestamp, Uuid),
    ) -> Listing<T> {
        let last = items.last().map(order).map(|(time, id)| Cursor { key: time.0.to_string(), id });
        self.ended(items, total, last)
    }

    fn ended<T>(&self, items: Vec<T>, total: i64, last: Option<Cursor>) -> Listing<T> {
        let full = i64::try_from(items.len()).unwrap_or(i64::MAX) >= self.limit;
        Listing { items, total, next: last.filter(|_| full) }
    }
}

/// The last columns of a listing statement: the row's sort key and its id once more.
pub(crate) fn cursor(c: &mut Columns) -> Result<Cursor, StoreError> {
    Ok(Cursor { key: c.take()?, id: c.take()? })
}

/// A slice of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// The slice.
    pub items: Vec<T>,
    /// Length of the whole list.
    pub total: i64,
    /// Where the next slice begins, if this one is full.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        for key in ["", "Pump-01", "°C\u{7f}", "1800000000000000"] {
            let cursor = Cursor { key: key.to_owned(), id: Uuid::from_u128(7) };
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for bad in [
            "",
            "x",
            "00000000000000000000000000000007f",
            "00000000000000000000000000000007zz",
            "0000000000000000000000000000000700",
            "é0000000000000000000000000000007",
        ] {
            assert_eq!(bad.parse::<Cursor>(), Err(NoCursor), "{bad}");
        }
    }
}
