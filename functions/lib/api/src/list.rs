//! How every list of the API is asked for and answered: a page of some rows in an order that the caller chooses.
//!
//! A cursor is the place where a page ended. It belongs to one order of one list, so rows that are added or removed
//! between two requests neither hide a row nor repeat one.

use crate::word::UnknownWord;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use std::{
    fmt::{self, Debug, Display},
    str::FromStr,
};

/// Largest `limit` of a list.
pub const MAX_LIMIT: i64 = 1000;
/// Largest `offset` of a list; a cursor goes on from anywhere.
pub const MAX_OFFSET: i64 = 1_000_000_000;
/// Longest text that a list can be searched for.
pub const MAX_SEARCH_CHARS: usize = 200;

/// The words that can order a list. The first one orders it when the request names none.
pub trait SortWord: Copy + Eq + Debug + Display + FromStr<Err = UnknownWord> + 'static {
    /// Name of the vocabulary.
    const NAME: &'static str;
    /// Every word, in order.
    const ALL: &'static [Self];
    /// The text of every word, in order.
    const WORDS: &'static [&'static str];
    /// The word of a request that names none.
    const DEFAULT: Self;
    /// Does the list begin with the greatest when the request names no direction?
    const DESCENDING: bool;

    /// The word's text form.
    fn as_str(self) -> &'static str;
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery<S> {
    /// At most this many rows.
    pub limit: i64,
    /// Leaving out this many.
    pub offset: i64,
    /// After this place.
    pub after: Option<Cursor>,
    /// What orders the list.
    pub sort: S,
    /// The greatest first?
    pub descending: bool,
}

impl<S: SortWord> ListQuery<S> {
    /// The first `limit` rows in the list's default order.
    #[must_use]
    pub fn first(limit: i64) -> Self {
        Self { limit, offset: 0, after: None, sort: S::DEFAULT, descending: S::DESCENDING }
    }

    /// The place after the row with this sort key and id.
    #[must_use]
    pub fn place(&self, key: String, id: String) -> Cursor {
        Cursor { order: self.order(), key, id }
    }

    /// Did a page in this order of this list give the cursor?
    #[must_use]
    pub fn gave(&self, cursor: &Cursor) -> bool {
        cursor.order == self.order()
    }

    fn order(&self) -> String {
        format!("{} {}{}", S::NAME, if self.descending { "-" } else { "" }, self.sort)
    }

    /// The page of a list that is in memory as a whole; `key` tells the sort key and the id of an item.
    pub fn page_of<T>(&self, mut items: Vec<T>, key: impl Fn(&T, S) -> (String, String)) -> Page<T> {
        items.sort_by_cached_key(|item| key(item, self.sort));
        if self.descending {
            items.reverse();
        }
        let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let after = self.after.as_ref().map(|cursor| (cursor.key.clone(), cursor.id.clone()));
        let follows = |item: &T| match &after {
            None => true,
            Some(place) if self.descending => key(item, self.sort) < *place,
            Some(place) => key(item, self.sort) > *place,
        };
        let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
        let items: Vec<_> =
            items.into_iter().filter(follows).skip(count(self.offset)).take(count(self.limit)).collect();
        let next = items.last().map(|item| {
            let (key, id) = key(item, self.sort);
            self.place(key, id)
        });
        Page { next: next.filter(|_| items.len() >= count(self.limit)), items, total }
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub items: Vec<T>,
    /// Length of the whole list.
    pub total: i64,
    /// Where the next page begins, if this one is full.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// The same page with each row converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(convert).collect(), total: self.total, next: self.next }
    }
}

/// The place after a row in one order of one list. Its text form is opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    order: String,
    key: String,
    id: String,
}

impl Cursor {
    /// The row's sort key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The row's id, which orders rows of equal key.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(&self.order, &self.key, &self.id)).map_err(|_| fmt::Error)?;
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

/// A text that is no [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let json = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCursor)?;
        let (order, key, id): (String, String, String) =
            serde_json::from_slice(&json).map_err(|_| InvalidCursor)?;
        if key.contains('\0') || id.contains('\0') {
            return Err(InvalidCursor);
        }
        Ok(Self { order, key, id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sort::{MachineSort, SensorSort, SettingSort};

    #[test]
    fn a_cursor_survives_its_text_form() {
        let query = ListQuery::<MachineSort>::first(10);
        for key in ["", "Pump-01", "°C\u{7f}", "1800000000000000", "\"],["] {
            let cursor = query.place(key.to_owned(), "7".to_owned());
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let nul = query.place("a\0".to_owned(), "7".to_owned()).to_string();
        for bad in ["", "x", "é", "W10", "WyJhIl0", &nul] {
            assert_eq!(bad.parse::<Cursor>(), Err(InvalidCursor), "{bad}");
        }
    }

    #[test]
    fn a_cursor_belongs_to_one_order_of_one_list() {
        let query = ListQuery::<MachineSort>::first(10);
        let cursor = query.place("key".to_owned(), "id".to_owned());
        assert!(query.gave(&cursor));
        assert!(!ListQuery { descending: false, ..query.clone() }.gave(&cursor));
        assert!(!ListQuery { sort: MachineSort::Name, ..query }.gave(&cursor));
        assert!(!ListQuery::<SensorSort>::first(10).gave(&cursor));
    }

    #[test]
    fn a_list_in_memory_is_walked_without_gap_or_repeat_in_both_directions() {
        let all = ["b", "a", "d", "c", "e"];
        for descending in [false, true] {
            let mut query = ListQuery { descending, ..ListQuery::<SettingSort>::first(2) };
            let mut walked = Vec::new();
            loop {
                let page = query.page_of(all.to_vec(), |item, _| ((*item).to_owned(), (*item).to_owned()));
                assert_eq!(page.total, 5);
                walked.extend(page.items);
                match page.next {
                    Some(next) => query.after = Some(next),
                    None => break,
                }
            }
            let mut expected = vec!["a", "b", "c", "d", "e"];
            if descending {
                expected.reverse();
            }
            assert_eq!(walked, expected);
        }
    }
}
