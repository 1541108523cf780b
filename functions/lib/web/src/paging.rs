//! Lists: `limit`, `offset`, `cursor` and `sort` in the query; the length of the whole list in `x-total-count` and the
//! next page's cursor in `x-next-cursor`.

use crate::{Answer, Query, Refusal, input::all_faults, json};
use http::{HeaderName, HeaderValue, StatusCode};
use pm_api::list::{Cursor, ListQuery, MAX_LIMIT, MAX_OFFSET, MAX_SEARCH_CHARS, Page, SortWord};
use serde::Serialize;
use serde_json::json;

impl Query {
    /// The page asked for. `sort` is a word of `S`, with a `-` before it for the greatest first. Also accepted: the word
    /// in `sort_by` and the direction, `asc` or `desc`, in `sort`, each with a default.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn list<S: SortWord>(&self, default_limit: i64) -> Result<ListQuery<S>, Refusal> {
        let read = (
            self.order::<S>(),
            self.integer("limit", default_limit, 1, MAX_LIMIT),
            self.integer("offset", 0, 0, MAX_OFFSET),
        );
        let ((sort, descending), limit, offset) = match read {
            (Ok(order), Ok(limit), Ok(offset)) => (order, limit, offset),
            (order, limit, offset) => return Err(all_faults([order.err(), limit.err(), offset.err()])),
        };
        let mut query = ListQuery { limit, offset, after: None, sort, descending };
        if let Some(text) = self.text("cursor") {
            let cursor = text.parse::<Cursor>().ok().filter(|cursor| query.gave(cursor));
            query.after = Some(cursor.ok_or_else(|| {
                let message = "Input should be the x-next-cursor of a page of this list in the same order";
                Refusal::field("value_error", &["query", "cursor"], message, json!(text))
            })?);
        }
        Ok(query)
    }

    /// What orders the list, and is the greatest first?
    fn order<S: SortWord>(&self) -> Result<(S, bool), Refusal> {
        let sort_by = self.word::<S>("sort_by")?;
        Ok(match (self.text("sort"), sort_by) {
            (None, word) => (word.unwrap_or(S::DEFAULT), S::DESCENDING),
            (Some("asc"), word) => (word.unwrap_or(S::DEFAULT), false),
            (Some("desc"), word) => (word.unwrap_or(S::DEFAULT), true),
            (Some(text), None) => order(text).ok_or_else(|| unknown_order::<S>(text))?,
            (Some(text), Some(_)) => {
                let message = "Input should be 'asc' or 'desc' where sort_by is given";
                return Err(Refusal::field("enum", &["query", "sort"], message, json!(text)));
            }
        })
    }

    /// The text that a list is searched for: `q`, or `search`.
    ///
    /// # Errors
    /// 422 naming the parameter.
    pub fn search(&self) -> Result<Option<String>, Refusal> {
        let name = if self.text("q").is_some() { "q" } else { "search" };
        self.short_text(name, MAX_SEARCH_CHARS)
    }
}

fn order<S: SortWord>(text: &str) -> Option<(S, bool)> {
    let word = text.strip_prefix('-');
    Some((word.unwrap_or(text).parse().ok()?, word.is_some()))
}

fn unknown_order<S: SortWord>(text: &str) -> Refusal {
    let words = S::WORDS.join("', '");
    let message = format!("Input should be 'asc', 'desc', '{words}', or one of these words after '-'");
    Refusal::field("enum", &["query", "sort"], message, json!(text))
}

/// A page of a list as an answer.
pub fn json_page<T: Serialize>(page: &Page<T>) -> Answer {
    let mut answer = json(StatusCode::OK, &page.items);
    let headers = answer.headers_mut();
    headers.insert(HeaderName::from_static("x-total-count"), HeaderValue::from(page.total));
    if let Some(cursor) = page.next.as_ref().and_then(|next| HeaderValue::try_from(next.to_string()).ok()) {
        headers.insert(HeaderName::from_static("x-next-cursor"), cursor);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::sort::{AlarmSort, RoleSort};

    fn alarms(text: &str) -> Result<(AlarmSort, bool), String> {
        let query = Query::parse(text).list::<AlarmSort>(100);
        query.map(|q| (q.sort, q.descending)).map_err(|refusal| format!("{refusal:?}"))
    }

    #[test]
    fn every_spelling_of_an_order_is_understood() {
        for (text, sort, descending) in [
            ("", AlarmSort::TriggeredAt, true),
            ("sort=asc", AlarmSort::TriggeredAt, false),
            ("sort=desc", AlarmSort::TriggeredAt, true),
            ("sort=severity", AlarmSort::Severity, false),
            ("sort=-severity", AlarmSort::Severity, true),
            ("sort_by=severity", AlarmSort::Severity, true),
            ("sort_by=severity&sort=asc", AlarmSort::Severity, false),
            ("sort_by=severity&sort=desc", AlarmSort::Severity, true),
        ] {
            assert_eq!(alarms(text), Ok((sort, descending)), "{text}");
        }
        let roles = Query::parse("").list::<RoleSort>(100).map(|q| (q.sort, q.descending, q.limit));
        assert_eq!(roles.ok(), Some((RoleSort::Kind, false, 100)));
    }

    #[test]
    fn an_unknown_order_is_refused_with_the_name_of_its_parameter() {
        for (text, name) in [
            ("sort=up", "\"sort\""),
            ("sort=--severity", "\"sort\""),
            ("sort_by=-severity", "\"sort_by\""),
            ("sort_by=severity&sort=-severity", "\"sort\""),
            ("cursor=x", "\"cursor\""),
            ("limit=0", "\"limit\""),
            ("limit=1001", "\"limit\""),
            ("offset=-1", "\"offset\""),
        ] {
            let refused = alarms(text).err().unwrap_or_default();
            assert!(refused.contains(name), "{text}: {refused}");
        }
    }

    #[test]
    fn every_fault_of_a_page_is_reported() {
        let refused = alarms("sort=up&limit=0&offset=x").err().unwrap_or_default();
        for name in ["\"sort\"", "\"limit\"", "\"offset\""] {
            assert!(refused.contains(name), "{name}: {refused}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let asked = Query::parse("").list::<AlarmSort>(100);
        let cursor = asked.map(|q| q.place("1".to_owned(), "2".to_owned()).to_string()).unwrap_or_default();
        assert!(alarms(&format!("cursor={cursor}")).is_ok());
        assert!(alarms(&format!("sort=-triggered_at&cursor={cursor}")).is_ok());
        assert!(alarms(&format!("sort=asc&cursor={cursor}")).is_err());
        assert!(alarms(&format!("sort_by=severity&cursor={cursor}")).is_err());
    }
}
