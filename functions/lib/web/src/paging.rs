//! Pages of ordered lists: `limit`, `offset`, `sort_by`, `sort` (asc or desc) and `cursor` in the query; the length of
//! the whole in `x-total-count` and the next page's cursor in `x-next-cursor`.

use crate::{Answer, Query, Refusal, reply::json_with_total};
use http::{HeaderName, HeaderValue};
use pm_api::word::UnknownWord;
use pm_store::{After, Page, Paging};
use serde::Serialize;
use serde_json::json;
use std::{fmt::Display, str::FromStr};

impl Query {
    /// The page asked for; without `sort_by` the list is ordered by `sort_by`'s default given here, newest or gravest
    /// first.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn paging<S>(&self, sort_by: S, limit: i64) -> Result<Paging<S>, Refusal>
    where
        S: FromStr<Err = UnknownWord> + Display + Copy,
    {
        let sort_by = self.word("sort_by")?.unwrap_or(sort_by);
        let ascending = match self.text("sort") {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(other) => {
                return Err(Refusal::field(
                    "string_pattern_mismatch",
                    &["query", "sort"],
                    "String should match pattern '^(asc|desc)$'",
                    json!(other),
                ));
            }
        };
        let order = order(sort_by, ascending);
        let after = self.text("cursor").map(|text| {
            parse(text, &order).ok_or_else(|| {
                let message = "Input should be the x-next-cursor of a page in the same order";
                Refusal::field("value_error", &["query", "cursor"], message, json!(text))
            })
        });
        Ok(Paging {
            sort_by,
            ascending,
            limit: self.integer("limit", limit, 1, 1000)?,
            offset: self.integer("offset", 0, 0, i64::MAX)?,
            after: after.transpose()?,
        })
    }
}

/// A page as an answer; `place` tells an item's place in the list.
pub fn json_page<T, S>(page: &Page<T>, paging: &Paging<S>, place: impl Fn(&T, S) -> After) -> Answer
where
    T: Serialize,
    S: Display + Copy,
{
    let mut answer = json_with_total(&page.items, page.total);
    let full = i64::try_from(page.items.len()).is_ok_and(|length| length >= paging.limit);
    if let Some(last) = page.items.last().filter(|_| full) {
        let After { key, id } = place(last, paging.sort_by);
        let cursor = format!("{}.{key}.{id}", order(paging.sort_by, paging.ascending));
        if let Ok(cursor) = HeaderValue::from_str(&cursor) {
            answer.headers_mut().insert(HeaderName::from_static("x-next-cursor"), cursor);
        }
    }
    answer
}

fn order(sort_by: impl Display, ascending: bool) -> String {
    format!("{sort_by}.{}", if ascending { "asc" } else { "desc" })
}

fn parse(cursor: &str, order: &str) -> Option<After> {
    let (key, id) = cursor.strip_prefix(order)?.strip_prefix('.')?.split_once('.')?;
    Some(After { key: key.parse().ok()?, id: uuid::Uuid::parse_str(id).ok()? })
}
