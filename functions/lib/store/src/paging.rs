//! Where in a list a page begins and how the list is ordered.

use crate::{
    Db, Page, StoreError,
    value::{Columns, id, optional, page},
};
use spin_sdk::pg::ParameterValue;
use uuid::Uuid;

/// A place in an ordered list: after the row with this sort key and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After {
    /// The row's sort key (times in microseconds, words by rank).
    pub key: i64,
    /// The row's id, which orders rows of equal key.
    pub id: Uuid,
}

/// A page of an ordered list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging<S> {
    /// The sort key.
    pub sort_by: S,
    /// Smallest first?
    pub ascending: bool,
    /// At most this many.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
    /// Beginning here.
    pub after: Option<After>,
}

impl<S> Paging<S> {
    /// Reads a page. `list` takes the parameters of the filter, then key, id, limit and offset, and gives the total as
    /// its last column; `count` takes those of the filter and is asked when no row can tell the total.
    pub(crate) async fn read<T>(
        &self,
        db: &Db,
        list: &str,
        count: &str,
        filter: Vec<ParameterValue>,
        read: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let mut params = filter.clone();
        params.push(optional(self.after, |after| after.key.into()));
        params.push(optional(self.after, |after| id(after.id)));
        params.extend([self.limit.into(), self.offset.into()]);
        let mut page = page(db.rows(list, params, |c| Ok((read(c)?, c.take()?))).await?);
        if page.items.is_empty() && (self.offset > 0 || self.after.is_some()) {
            page.total = db.one(count, filter, |c| c.take()).await?;
        }
        Ok(page)
    }
}
