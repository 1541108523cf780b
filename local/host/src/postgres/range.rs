//! Range types.

use crate::bindings::spin::postgres::postgres::RangeBoundKind;
use anyhow::Result;
use postgres_range::{BoundSided, BoundType, Normalizable, Range, RangeBound};
use rust_decimal::Decimal;
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked};

/// A range as the interface writes it: lower and upper bound.
type WitRange<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

/// From the database to the interface.
pub(crate) fn from_range<T: Normalizable + PartialOrd, W>(
    range: &Range<T>,
    convert: impl Fn(&T) -> W,
) -> WitRange<W> {
    fn kind(kind: BoundType) -> RangeBoundKind {
        match kind {
            BoundType::Inclusive => RangeBoundKind::Inclusive,
            BoundType::Exclusive => RangeBoundKind::Exclusive,
        }
    }
    (
        range.lower().map(|bound| (convert(&bound.value), kind(bound.type_))),
        range.upper().map(|bound| (convert(&bound.value), kind(bound.type_))),
    )
}

/// From the interface to the database.
///
/// # Errors
/// A bound that `convert` refuses.
pub(crate) fn to_range<T: Normalizable + PartialOrd, W>(
    (lower, upper): &WitRange<W>,
    convert: impl Fn(&W) -> Result<T>,
) -> Result<Range<T>> {
    fn bound<S: BoundSided, T: PartialOrd>(value: T, kind: RangeBoundKind) -> RangeBound<S, T> {
        let kind = match kind {
            RangeBoundKind::Inclusive => BoundType::Inclusive,
            RangeBoundKind::Exclusive => BoundType::Exclusive,
        };
        RangeBound::new(value, kind)
    }
    let lower = lower
        .as_ref()
        .map(|(value, kind)| Ok::<_, anyhow::Error>(bound(convert(value)?, *kind)))
        .transpose()?;
    let upper = upper
        .as_ref()
        .map(|(value, kind)| Ok::<_, anyhow::Error>(bound(convert(value)?, *kind)))
        .transpose()?;
    Ok(Range::new(lower, upper))
}

/// A bound of a `numrange`, which has no next number to be normalized to.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct NumericBound(pub Decimal);

impl Normalizable for NumericBound {
    fn normalize<S: BoundSided>(bound: RangeBound<S, Self>) -> RangeBound<S, Self> {
        bound
    }
}

impl<'a> FromSql<'a> for NumericBound {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Decimal::from_sql(kind, raw).map(Self)
    }

    accepts!(NUMERIC);
}

impl ToSql for NumericBound {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    accepts!(NUMERIC);
    to_sql_checked!();
}
