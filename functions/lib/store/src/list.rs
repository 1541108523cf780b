//! Lists. A list is what to select, from which rows, and the sort key of each word that can order it. From that, one
//! statement is built for each order, and one for the pages after a cursor in that order.
//!
//! A filter's parameters are `$1`, `$2`, …; those of the page follow them: limit, offset and, after a cursor, the sort
//! key and the id of the row before the page. Rows are ordered by sort key and id. Both come back with each row, so that
//! a cursor holds what the database ordered by.

use crate::{
    db::Db,
    error::StoreError,
    value::{Columns, FromDb, text},
};
use pm_api::{
    Timestamp,
    list::{ListQuery, Page, SortWord},
};
use spin_sdk::pg::{DbValue, ParameterValue};

/// Where the rows of a list stand in another select: here the condition that a cursor makes.
const AFTER: &str = "{after}";
/// There, after [`AFTER`]: the order by the sort key alone, and no more rows than the page can need. Rows that have the
/// same key at its edge are all in it.
const FIRST: &str = "{first}";

/// What orders rows. Never null.
pub(crate) enum Key {
    /// A time.
    Time(&'static str),
    /// A whole number.
    Number(&'static str),
    /// A text.
    Text(&'static str),
    /// A word, by its place in its vocabulary.
    Rank(&'static str, Vec<&'static str>),
}

impl Key {
    fn expression(&self) -> String {
        match self {
            Self::Time(sql) | Self::Number(sql) | Self::Text(sql) => (*sql).to_owned(),
            Self::Rank(column, words) => format!("array_position(array['{}'], {column})", words.join("', '")),
        }
    }

    fn selected(&self) -> String {
        let sql = self.expression();
        match self {
            Self::Time(_) => format!("{sql} at time zone 'utc'"),
            Self::Number(_) | Self::Rank(..) => format!("({sql})::int8"),
            Self::Text(_) => sql,
        }
    }

    fn given(&self, parameter: usize) -> String {
        match self {
            Self::Time(_) => format!("epoch_us(${parameter}::text::int8)"),
            Self::Number(_) | Self::Rank(..) => format!("${parameter}::text::int8"),
            Self::Text(_) => format!("${parameter}::text"),
        }
    }
}

/// The column that orders rows of equal sort key. No two rows have the same key and id.
pub(crate) enum Id {
    /// A UUID.
    Uuid(&'static str),
    /// A whole number.
    Number(&'static str),
}

impl Id {
    fn column(&self) -> &'static str {
        match self {
            Self::Uuid(column) | Self::Number(column) => column,
        }
    }

    fn given(&self, parameter: usize) -> String {
        match self {
            Self::Uuid(_) => format!("${parameter}::text::uuid"),
            Self::Number(_) => format!("${parameter}::text::int8"),
        }
    }
}

/// How the length of a list is found.
pub(crate) enum Total {
    /// By counting its rows.
    Exact,
    /// By counting its rows up to this many.
    UpTo(u32),
    /// By an expression of the filter's parameters.
    Expression(&'static str),
}

/// A list that is ordered by the words of `S`.
pub(crate) struct List<S: 'static> {
    /// What is selected of each row.
    pub(crate) columns: &'static str,
    /// `from … where …`. What a cursor demands is appended, or stands at `{after}`; see also `{first}`.
    pub(crate) rows: &'static str,
    /// The column that orders rows of equal sort key.
    pub(crate) id: Id,
    /// The sort key of each word.
    pub(crate) key: fn(S) -> Key,
    /// How its length is found.
    pub(crate) total: Total,
    /// Should the planner not know limit and offset? For a limit that it knows, it finds a new plan cheaper every time,
    /// and for a list that is asked for often and has many chunks, planning takes longer than running.
    pub(crate) one_plan: bool,
}

impl<S: SortWord> List<S> {
    /// Reads a page with the length of the whole list.
    pub(crate) async fn page<T>(
        &self,
        db: &Db,
        query: &ListQuery<S>,
        filter: Vec<ParameterValue>,
        row: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let page = self.rows(db, query, filter.clone(), row).await?;
        // only a row can tell the total, and a page that does not begin the list may have none
        if page.items.is_empty() && (query.offset > 0 || query.after.is_some()) {
            let total = db.one(&self.count(), filter, Columns::take).await?;
            return Ok(Page { total, ..page });
        }
        Ok(page)
    }

    /// Reads a page with the length of the whole list, which is zero if the page is empty.
    pub(crate) async fn rows<T>(
        &self,
        db: &Db,
        query: &ListQuery<S>,
        filter: Vec<ParameterValue>,
        row: impl Fn(&mut Columns) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let statement = self.statement(query.sort, query.descending, query.after.is_some());
        let mut params = filter;
        params.extend([query.limit.into(), query.offset.into()]);
        if let Some(cursor) = &query.after {
            params.extend([text(cursor.key()), text(cursor.id())]);
        }
        let read = |c: &mut Columns| Ok((row(c)?, c.take::<Place>()?, c.take::<Place>()?, c.take::<i64>()?));
        let rows = db.rows(&statement, params, read).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|length| length >= query.limit);
        let total = rows.first().map_or(0, |r| r.3);
        let (mut items, mut last) = (Vec::with_capacity(rows.len()), None);
        for (item, key, id, _) in rows {
            items.push(item);
            last = Some((key, id));
        }
        let next = last.filter(|_| full).map(|(key, id)| query.place(key.to_text(), id.to_text()));
        Ok(Page { items, total, next })
    }

    /// Every statement of the list, with names that begin with this.
    pub(crate) fn statements(&self, name: &str) -> Vec<(String, String)> {
        let mut all = vec![(format!("{name}, total"), self.count())];
        for &sort in S::ALL {
            for descending in [false, true] {
                for after in [false, true] {
                    let order = if descending { "-" } else { "" };
                    let page = if after { "next" } else { "first" };
                    let statement = self.statement(sort, descending, after);
                    all.push((format!("{name}, {page} by {order}{sort}"), statement));
                }
            }
        }
        all
    }

    fn statement(&self, sort: S, descending: bool, after: bool) -> String {
        let filter = self.filter_parameters();
        let [limit, offset, key_given, id_given] = [1, 2, 3, 4].map(|n| filter + n);
        let (compare, order) = if descending { ("<", "desc") } else { (">", "asc") };
        let number = |n| if self.one_plan { format!("(select ${n}::int8)") } else { format!("${n}::int8") };
        let (limit, offset) = (number(limit), number(offset));
        let key = (self.key)(sort);
        let (selected, sql, id) = (key.selected(), key.expression(), self.id.column());
        let after = if after {
            // the first comparison says less than the second, but excludes chunks
            let (key, given) = (key.given(key_given), self.id.given(id_given));
            format!(" and {sql} {compare}= {key} and ({sql}, {id}) {compare} ({key}, {given})")
        } else {
            String::new()
        };
        let rows = if self.rows.contains(AFTER) {
            let first = format!(" order by {sql} {order} fetch first ({limit} + {offset}) rows with ties");
            self.rows.replace(AFTER, &after).replace(FIRST, &first)
        } else {
            format!("{}{after}", self.rows)
        };
        format!(
            "select {columns}, {selected}, {id}, ({count}) {rows} \
             order by {sql} {order}, {id} {order} limit {limit} offset {offset}",
            columns = self.columns,
            count = self.count(),
        )
    }

    /// The statement that counts the list.
    fn count(&self) -> String {
        let rows = self.rows.replace(AFTER, "").replace(FIRST, "");
        match self.total {
            Total::Exact => format!("select count(*) {rows}"),
            Total::UpTo(most) => format!("select count(*) from (select {rows} limit {most}) counted"),
            Total::Expression(sql) => format!("select {sql}"),
        }
    }

    /// How many parameters the filter has: the number of the highest one.
    fn filter_parameters(&self) -> usize {
        let number = |rest: &str| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            rest.get(..digits).and_then(|digits| digits.parse().ok())
        };
        self.rows.split('$').skip(1).filter_map(number).max().unwrap_or(0)
    }
}

/// A sort key or an id, as it came from the database.
enum Place {
    Time(Timestamp),
    Number(i64),
    Text(String),
}

impl Place {
    fn to_text(&self) -> String {
        match self {
            Self::Time(time) => time.0.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl FromDb for Place {
    fn from_db(value: DbValue) -> Result<Self, DbValue> {
        match value {
            DbValue::Int64(number) => Ok(Self::Number(number)),
            DbValue::Str(text) | DbValue::Uuid(text) => Ok(Self::Text(text)),
            other => Timestamp::from_db(other).map(Self::Time),
        }
    }
}

/// Defines lists as constants, and `lists()`, which gives all their statements.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident: $sort:ty = $list:expr;)*) => {
        $($(#[$doc])* const $name: $crate::list::List<$sort> = $list;)*

        pub(crate) fn lists() -> Vec<(String, String)> {
            [$($name.statements(concat!(module_path!(), "::", stringify!($name)))),*].concat()
        }
    };
}
pub(crate) use lists;
