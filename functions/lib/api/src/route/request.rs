//! Requests by operation: method, path and query are made from the row of the table. The web page calls by these.

use super::{
    Access, Operation, ROUTES, TOKEN_PARAMETER,
    find::API_PREFIX,
    operation::{EventStream, List},
};
use crate::list::SortWord;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;
use std::{fmt::Display, marker::PhantomData};

/// What is encoded in a segment of a path and in a query: all but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request whose operation takes the query `Q` and the body `B` and answers `A`.
pub struct Request<Q, B, A> {
    line: RequestLine,
    types: PhantomData<fn(Q, B) -> A>,
}

/// What a request says before its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestLine {
    /// HTTP method.
    pub method: &'static str,
    /// Path, and query if there is one.
    pub address: String,
    /// Is the operation open to callers without a token?
    pub public: bool,
}

impl RequestLine {
    /// The path without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.address.split('?').next().unwrap_or_default()
    }
}

const fn parameter_count(path: &str) -> usize {
    let (bytes, mut index, mut count) = (path.as_bytes(), 0, 0);
    while index < bytes.len() {
        if bytes[index] == b'{' {
            count += 1;
        }
        index += 1;
    }
    count
}

/// The request of an operation. `parameters` are those of its path, in order; another number of them does not compile.
pub fn request<O: Operation, const N: usize>(
    _: O,
    parameters: [&dyn Display; N],
) -> Request<O::Query, O::Body, O::Answer> {
    const {
        assert!(
            parameter_count(ROUTES[O::OP as usize].path) == N,
            "one value for each parameter of the path"
        );
    }
    let route = O::OP.route();
    let mut values = parameters.iter();
    let mut address = API_PREFIX.to_owned();
    for segment in route.path.split('/').skip(1) {
        address.push('/');
        if segment.starts_with('{')
            && let Some(value) = values.next()
        {
            address.extend(utf8_percent_encode(&value.to_string(), RESERVED));
        } else {
            address.push_str(segment);
        }
    }
    let line = RequestLine { method: route.method, address, public: route.access == Access::Public };
    Request { line, types: PhantomData }
}

impl<Q, B, A> Request<Q, B, A> {
    /// Method and address.
    #[must_use]
    pub fn line(&self) -> &RequestLine {
        &self.line
    }

    /// With these parameters in the query.
    #[must_use]
    pub fn query(mut self, query: &Q) -> Self
    where
        Q: Serialize,
    {
        for (name, value) in pairs(query) {
            self.add(&name, &value);
        }
        self
    }

    fn add(&mut self, name: &str, value: &str) {
        self.line.address.push(if self.line.address.contains('?') { '&' } else { '?' });
        push_pair(&mut self.line.address, name, value);
    }

    fn with(mut self, name: &str, value: &dyn Display) -> Self {
        self.add(name, &value.to_string());
        self
    }
}

impl<Q, B, T, S: SortWord, const LIMIT: i64> Request<Q, B, List<T, S, LIMIT>> {
    /// At most this many rows.
    #[must_use]
    pub fn limit(self, rows: usize) -> Self {
        self.with("limit", &rows)
    }

    /// Without the first rows.
    #[must_use]
    pub fn offset(self, rows: usize) -> Self {
        self.with("offset", &rows)
    }

    /// Ordered by this, the smallest first.
    #[must_use]
    pub fn ascending(self, order: S) -> Self {
        self.with("sort", &order)
    }

    /// Ordered by this, the greatest first.
    #[must_use]
    pub fn descending(self, order: S) -> Self {
        self.with("sort", &format_args!("-{order}"))
    }
}

impl<Q, B, T> Request<Q, B, EventStream<T>> {
    /// With a stream ticket in the query, because browsers cannot set headers here.
    #[must_use]
    pub fn with_ticket(self, ticket: &str) -> Self {
        self.with(TOKEN_PARAMETER, &ticket)
    }
}

impl<Q, B, A> Clone for Request<Q, B, A> {
    fn clone(&self) -> Self {
        Self { line: self.line.clone(), types: PhantomData }
    }
}

/// A value as `application/x-www-form-urlencoded`, as queries and forms are written.
pub fn url_encoded(value: &impl Serialize) -> String {
    let mut text = String::new();
    for (name, value) in pairs(value) {
        if !text.is_empty() {
            text.push('&');
        }
        push_pair(&mut text, &name, &value);
    }
    text
}

fn push_pair(text: &mut String, name: &str, value: &str) {
    text.extend(utf8_percent_encode(name, RESERVED));
    text.push('=');
    text.extend(utf8_percent_encode(value, RESERVED));
}

/// The fields of a value that are given. Several values of one parameter are separated by commas.
fn pairs(value: &impl Serialize) -> Vec<(String, String)> {
    fn text(value: Value) -> String {
        match value {
            Value::String(text) => text,
            Value::Array(items) => items.into_iter().map(text).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        }
    }
    let Ok(Value::Object(fields)) = serde_json::to_value(value) else { return Vec::new() };
    fields
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name, text(value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        MachineId, SensorId, Severity, TicketStatus,
        alarm::AlarmFilter,
        input::{CommaSeparated, Flag, Text},
        route::op,
        sensor::{SensorFilter, TrendQuery},
        sort::{AlarmSort, TicketSort},
        ticket::TicketFilter,
        user::LoginForm,
    };

    fn address<Q, B, A>(request: &Request<Q, B, A>) -> &str {
        &request.line().address
    }

    #[test]
    fn a_request_has_the_method_and_the_path_of_its_row() {
        let id = MachineId(uuid::Uuid::nil());
        let update = request(op::UpdateMachine, [&id]);
        assert_eq!(update.line().method, "PATCH");
        assert_eq!(address(&update), format!("/api/machines/{id}"));
        assert!(!update.line().public);
        let status = request(op::SystemStatus, []);
        assert_eq!((status.line().method, address(&status)), ("GET", "/api/status"));
        assert!(status.line().public);
        let replay = request(op::ReplayDelivery, [&"a", &7]);
        assert_eq!(address(&replay), "/api/webhooks/a/deliveries/7/replay");
    }

    #[test]
    fn a_parameter_of_the_path_stays_one_segment() {
        let report = request(op::ModelReport, [&"a/b?c d#ü"]);
        assert_eq!(address(&report), "/api/ai/models/a%2Fb%3Fc%20d%23%C3%BC/report");
    }

    #[test]
    fn a_query_holds_what_is_given() {
        let alarms = request(op::ListAlarms, []);
        assert_eq!(address(&alarms.clone().query(&AlarmFilter::default())), "/api/alarms");
        let filter = AlarmFilter {
            severity: Some(Severity::Critical),
            shelved: Some(Flag(false)),
            q: Some(Text("5 °C & more=1".to_owned())),
            ..AlarmFilter::default()
        };
        assert_eq!(
            address(&alarms.query(&filter).descending(AlarmSort::Urgency).limit(50).offset(100)),
            "/api/alarms?q=5%20%C2%B0C%20%26%20more%3D1&severity=critical&shelved=false&sort=-need&limit=50&offset=100"
        );
    }

    #[test]
    fn several_values_of_a_parameter_are_separated_by_commas() {
        let states = CommaSeparated(vec![TicketStatus::Open, TicketStatus::InProgress]);
        let filter = TicketFilter { status: Some(states), ..TicketFilter::default() };
        let tickets = request(op::ListTickets, []).query(&filter).ascending(TicketSort::DueAt);
        assert_eq!(address(&tickets), "/api/tickets?status=open%2Cin_progress&sort=due_at");
        let id = SensorId(uuid::Uuid::nil());
        let filter = SensorFilter { ids: Some(CommaSeparated(vec![id, id])), ..SensorFilter::default() };
        let sensors = request(op::ListSensors, []).query(&filter);
        assert_eq!(address(&sensors), format!("/api/sensors?ids={id}%2C{id}"));
    }

    #[test]
    fn times_and_tickets_are_encoded() {
        let query = TrendQuery { start: Some(crate::Timestamp(0)), ..TrendQuery::default() };
        let trend = request(op::SensorTrend, [&1]).query(&query);
        assert_eq!(trend.line().path(), "/api/sensors/1/trend");
        assert!(address(&trend).ends_with("?start=1970-01-01T00%3A00%3A00.000000Z"), "{}", address(&trend));
        let stream = request(op::EventStream, []).with_ticket("a+b");
        assert_eq!(address(&stream), "/api/ws/events/stream?token=a%2Bb");
    }

    #[test]
    fn a_form_is_url_encoded() {
        let form = LoginForm { username: "a@example.com".into(), password: "p&q=ß".into(), code: None };
        assert_eq!(url_encoded(&form), "password=p%26q%3D%C3%9F&username=a%40example.com");
    }
}
