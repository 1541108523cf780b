//! `spin:postgres` as a component sees it.

use crate::running::{Running, logged, manifest, options};
use pm_host::Options;
use pm_test_support::{Database, empty_database};
use std::time::Duration;
use tokio_postgres::{Client, Config, NoTls};

/// A host whose probe may use a database of this test's own, under the name `probe`.
struct Setup {
    host: Running,
    /// The test's own connection.
    client: Client,
    _database: Database,
}

impl Setup {
    async fn new() -> Self {
        let database = empty_database().await.unwrap();
        let (client, connection) = tokio_postgres::connect(database.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let config: Config = database.url().parse().unwrap();
        let extra = format!(
            "allowed_outbound_hosts = [\"postgres://127.0.0.1:{}\"]\n\
             variables = {{ database_url = \"{{{{ database_url }}}}\" }}\n\
             [variables]\ndatabase_url = {{ required = true, secret = true }}",
            config.get_ports()[0]
        );
        let url = format!("{}?application_name=probe", database.url());
        let options = Options { variables: [("database_url".to_owned(), url)].into(), ..options() };
        Self { host: Running::start_with(&manifest(&extra), options).await, client, _database: database }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_arrive_with_their_types() {
    let Setup { host, _database, .. } = Setup::new().await;
    let statement = "select true as a, 1::int2 as b, 2::int4 as c, 3::int8 as d, 1.5::float4 as e, 2.5::float8 as f, \
         'x'::text as g, '\\x00ff'::bytea as h, null::text as i, array[1,null]::int4[] as j, array['a']::text[] as k, \
         '{\"a\": 1}'::jsonb as l, 1.50::numeric as m, '2024-02-29 12:34:56.789'::timestamp as n, \
         '1 day 2 seconds'::interval as o, int4range(1, 5) as p, numrange(0.5, 1.5) as q, '2024-02-29'::date as r";
    let text = host.post("/probe/rows", statement).await;
    let values = text.lines().nth(1).unwrap_or_default();
    let expected = "[DbValue::Boolean(true), DbValue::Int16(1), DbValue::Int32(2), DbValue::Int64(3), \
         DbValue::Floating32(1.5), DbValue::Floating64(2.5), DbValue::Str(\"x\"), DbValue::Binary([0, 255]), \
         DbValue::DbNull, DbValue::ArrayInt32([Some(1), None]), DbValue::ArrayStr([Some(\"a\")]), \
         DbValue::Jsonb([123, 34, 97, 34, 58, 49, 125]), DbValue::Decimal(\"1.50\"), \
         DbValue::Datetime((2024, 2, 29, 12, 34, 56, 789000000)), \
         DbValue::Interval(Interval { micros: 2000000, days: 1, months: 0 }), \
         DbValue::RangeInt32((Some((1, RangeBoundKind::Inclusive)), Some((5, RangeBoundKind::Exclusive)))), \
         DbValue::RangeDecimal((Some((\"0.5\", RangeBoundKind::Inclusive)), Some((\"1.5\", RangeBoundKind::Exclusive)))), \
         DbValue::Date((2024, 2, 29))]";
    assert_eq!(values, expected, "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_spin_cannot_read_fails_here_too() {
    let Setup { host, _database, .. } = Setup::new().await;
    let text = host.post("/probe/rows", "select now() as a").await;
    assert!(text.contains("refused: "), "{text}");
    let text = host.post("/probe/rows", "select array[1.5]::float8[] as a").await;
    assert!(text.contains("DbValue::Unsupported"), "{text}");
    let text = host.post("/probe/execute", "select 1; select 2").await;
    assert!(text.contains("42601"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_arrive_and_an_error_comes_after_the_rows_before_it() {
    let Setup { host, _database, .. } = Setup::new().await;
    let text = host.post("/probe/rows", "select n from generate_series(1, 20000) n").await;
    assert_eq!(text.lines().count(), 20_001);
    let text = host.post("/probe/rows", "select 10 / (3 - n) as a from generate_series(1, 5) n").await;
    assert!(text.contains("22012"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_their_code_and_parameters_their_text() {
    let Setup { host, client, _database } = Setup::new().await;
    client.batch_execute("create table named (name text primary key)").await.unwrap();
    assert_eq!(host.post("/probe/execute", "insert into named values ($1)\nO'Neill").await, "1");
    let text = host.post("/probe/execute", "insert into named values ($1)\nO'Neill").await;
    assert!(text.contains("23505") && text.contains("named_pkey"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_is_left_open_is_rolled_back() {
    let Setup { host, client, _database } = Setup::new().await;
    client.batch_execute("create table left_open (n int)").await.unwrap();
    assert_eq!(host.post("/probe/leave-open", "insert into left_open values (1)").await, "left open");
    assert_eq!(host.post("/probe/execute", "insert into left_open values (2)").await, "1");
    let rows = client.query("select n from left_open", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), [2]);
    logged(&["component=\"probe\"", "inside a transaction"]).await;
}

/// Waits until no statement of the probe runs.
async fn no_statement_runs(client: &Client) {
    let running =
        "select count(*) from pg_stat_activity where application_name = 'probe' and state = 'active'";
    for _ in 0..100 {
        if client.query_one(running, &[]).await.unwrap().get::<_, i64>(0) == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the statement still runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_of_a_client_that_went_away_is_cancelled() {
    let Setup { host, client, _database } = Setup::new().await;
    for path in ["/probe/execute", "/probe/rows"] {
        let body = "select 'x' from pg_sleep(60)";
        let request =
            format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        let stream = host.raw(&request).await;
        let running = "select from pg_stat_activity where application_name = 'probe' and state = 'active'";
        while client.query(running, &[]).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        drop(stream);
        no_statement_runs(&client).await;
        assert_eq!(host.post("/probe/execute", "select 1").await, "1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_statement_of_an_instance_that_trapped_is_cancelled() {
    let Setup { host, client, _database } = Setup::new().await;
    let (slept, panicked) = tokio::join!(host.send("POST", "/probe/execute", "select pg_sleep(60)"), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        host.get("/probe/panic").await
    });
    assert_eq!((slept.status().as_u16(), panicked.0.as_u16()), (500, 500));
    no_statement_runs(&client).await;
    assert_eq!(host.post("/probe/execute", "select 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_connections_are_replaced() {
    let Setup { host, client, _database } = Setup::new().await;
    assert_eq!(host.post("/probe/execute", "select 1").await, "1");
    let end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'probe'";
    assert_eq!(client.query(end, &[]).await.unwrap().len(), 1);
    assert_eq!(host.post("/probe/execute", "select 1").await, "1");
    let text = host.post("/probe/execute", "select pg_terminate_backend(pg_backend_pid())").await;
    assert!(text.starts_with("refused: "), "{text}");
    assert_eq!(host.post("/probe/execute", "select 1").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_statements_follow_the_schema() {
    let Setup { host, client, _database } = Setup::new().await;
    client.batch_execute("create table changing (a int); insert into changing values (1)").await.unwrap();
    assert!(host.post("/probe/rows", "select * from changing").await.contains("a DbDataType::Int32\n"));
    client.batch_execute("alter table changing alter a type text").await.unwrap();
    assert!(host.post("/probe/rows", "select * from changing").await.contains("a DbDataType::Str\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_allowed_is_refused() {
    let extra = "variables = { database_url = \"postgres://a:b@127.0.0.1:1/c\" }";
    let host = Running::start(&manifest(extra)).await;
    assert!(host.post("/probe/execute", "select 1").await.contains("not permitted"));
}
