//! Roll-ups against a full recomputation, and what retention leaves.

use crate::{
    client::{Client, ENGINEER, with_bridge},
    mqtt::Publisher,
    sql,
};
use anyhow::{Context, Result};
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions, database};
use serde_json::json;
use tokio_postgres::types::ToSql;

/// What roll-ups say that a computation from all readings does not, or the other way round. Values are eighths, whose sums
/// are exact in any order.
const DIFFERENCES: &str = "
    with minutes as (
        select time_bucket('1 minute', time) as bucket, sensor_id, count(*) as count, sum(value order by time) as sum,
               min(value) as min, max(value) as max, last(value, time) as last, max(status) as worst
        from sensor_data group by 1, 2),
    hours as (
        select time_bucket('1 hour', time) as bucket, sensor_id, count(*) as count, sum(value) as sum,
               min(value) as min, max(value) as max, last(value, time) as last, max(status) as worst
        from sensor_data group by 1, 2)
    select (select count(*) from (
                (table minutes except select bucket, sensor_id, count, sum, min, max, last, worst from readings_1m)
                union all
                (select bucket, sensor_id, count, sum, min, max, last, worst from readings_1m except table minutes)) d),
           (select count(*) from (
                (table hours except select bucket, sensor_id, count, sum, min, max, last, worst from readings_1h)
                union all
                (select bucket, sensor_id, count, sum, min, max, last, worst from readings_1h except table hours)) d),
           (select count(*) from (
                (select bucket, sum(count) from hours group by 1 except select hour, count from reading_totals)) d),
           (select count(*) from rollup_changes)";

async fn differences(db: &tokio_postgres::Client) -> Result<[i64; 4]> {
    let row = db.query_one(DIFFERENCES, &[]).await?;
    Ok([row.get(0), row.get(1), row.get(2), row.get(3)])
}

/// Seven sensors, `00000000-0000-7000-8000-000000000001` and so on.
const SENSORS: &str = "
    insert into machines (name) values ('m');
    insert into sensors (id, machine_id, name, sensor_type)
    select ('00000000-0000-7000-8000-00000000000' || n)::uuid, machines.id, 's', 't' from machines, generate_series(1, 7) n";

/// Stores readings as `ingest` does: with the minutes that they change, late ones for their sensor alone.
async fn store(db: &tokio_postgres::Client, select: &str) -> Result<()> {
    let statement = format!(
        "with input (time, sensor_id, value, status) as ({select}),
         stored as (
             insert into sensor_data (time, sensor_id, machine_id, value, status)
             select time, sensor_id, sensor_id, value, status from input on conflict do nothing returning sensor_id, time)
         insert into rollup_changes (minute, sensor_id, readings)
         select time_bucket('1 minute', time), case when time < now() - interval '5 minutes' then sensor_id end, count(*)
         from stored group by 1, 2"
    );
    db.execute(&statement, &[]).await?;
    Ok(())
}

#[tokio::test]
async fn roll_ups_equal_a_full_recomputation() -> Result<()> {
    let database = database().await?;
    let db = sql::connect(database.app_url()).await?;
    db.batch_execute(SENSORS).await?;
    let series = |from: &str, to: &str, step: &str| {
        format!(
            "select t + random() * interval '1 second', id, floor((random() - 0.5) * 1e6) / 8, (random() * 2)::int2
             from sensors s, generate_series(now() - interval '{from}', now() - interval '{to}', interval '{step}') t"
        )
    };
    store(&db, &series("8 minutes", "70 seconds", "3 seconds")).await?;
    store(&db, &series("3 hours", "8 minutes", "7 seconds")).await?;
    while db.query_one("select roll_up(100, now() - interval '65 seconds')", &[]).await?.get::<_, i64>(0) > 0
    {
    }
    assert_eq!(differences(&db).await?[..3], [0, 0, 0]);
    // late, doubled, reordered, for some sensors, again and again
    for round in 1..6 {
        let late = series("30 days", "2 hours", &format!("{} minutes", 97 * round));
        store(&db, &format!("{late} where id::text < '00000000-0000-7000-8000-00000000000{round}'")).await?;
        store(&db, "select time, sensor_id, value + 1, 2 from sensor_data tablesample system (5)").await?;
        store(&db, &series("20 minutes", "66 seconds", "11 seconds")).await?;
        while db.query_one("select roll_up(1000, now() - interval '65 seconds')", &[]).await?.get::<_, i64>(0)
            > 0
        {}
        assert_eq!(differences(&db).await?[..3], [0, 0, 0], "round {round}");
    }
    // what the present minutes have waits for their end, and waits alone
    store(&db, &series("30 seconds", "0 seconds", "1 second")).await?;
    db.query_one("select roll_up(1000, now() - interval '65 seconds')", &[]).await?;
    assert!(differences(&db).await?[3] > 0);
    Ok(())
}

#[tokio::test]
async fn two_clocks_and_many_writers_leave_no_reading_out() -> Result<()> {
    let database = database().await?;
    sql::connect(database.app_url()).await?.batch_execute(SENSORS).await?;
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..3 {
        let url = database.app_url().to_owned();
        tasks.spawn(async move {
            let db = sql::connect(&url).await?;
            for n in 0..60 {
                let select = format!(
                    "select now() - interval '70 seconds' - random() * interval '20 minutes',
                            '00000000-0000-7000-8000-000000000001'::uuid, {writer} * 1000 + {n} + i, 0::int2
                     from generate_series(1, 20) i"
                );
                store(&db, &select).await?;
            }
            anyhow::Ok(())
        });
    }
    for _ in 0..2 {
        let url = database.app_url().to_owned();
        tasks.spawn(async move {
            let db = sql::connect(&url).await?;
            for _ in 0..120 {
                db.query_one("select roll_up(20, now() - interval '65 seconds')", &[]).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let db = sql::connect(database.app_url()).await?;
    while db.query_one("select roll_up(1000, now() - interval '65 seconds')", &[]).await?.get::<_, i64>(0) > 0
    {
    }
    assert_eq!(differences(&db).await?, [0, 0, 0, 0]);
    Ok(())
}

#[tokio::test]
async fn after_readings_are_dropped_the_trend_still_answers() -> Result<()> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let db = sql::connect(stack.db()).await?;
    db.batch_execute(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select t, id, machine_id, extract(epoch from t)::int8 % 1000, 0
         from (select * from sensors order by id limit 1) s,
              generate_series(now() - interval '40 days', now() - interval '2 minutes', interval '30 seconds') t;
         insert into rollup_changes (minute, sensor_id, readings)
         select time_bucket('1 minute', time), case when time < now() - interval '5 minutes' then sensor_id end, count(*)
         from sensor_data group by 1, 2",
    )
    .await?;
    // what is not rolled up is not dropped
    let dropped = |class: &'static str, days: i32| {
        let db = &db;
        async move {
            let drop_old = "select drop_old($1, newest_of($1) - $2::int4 * interval '1 day')";
            anyhow::Ok(db.query_one(drop_old, &[&class, &days]).await?.get::<_, i32>(0))
        }
    };
    assert_eq!(dropped("readings", 30).await?, 0);
    while db.query_one("select roll_up(60000, now() - interval '65 seconds')", &[]).await?.get::<_, i64>(0)
        > 0
    {}
    let id: uuid::Uuid = db.query_one("select id from sensors order by id limit 1", &[]).await?.get(0);
    let month = format!("/sensors/{id}/trend?interval=30d");
    let old_hour = db
        .query_one(
            "select to_char(now() at time zone 'utc' - interval '35 days', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"'),
                    to_char(now() at time zone 'utc' - interval '35 days' + interval '1 hour', 'YYYY-MM-DD\"T\"HH24:00:00\"Z\"')",
            &[],
        )
        .await?;
    let hour = format!(
        "/sensors/{id}/trend?start={}&end={}",
        old_hour.get::<_, String>(0),
        old_hour.get::<_, String>(1)
    );
    let before = (client.get(&month).await?.expect(200)?, client.get(&hour).await?.expect(200)?);
    let reported = report(&db).await?;
    assert_eq!(before.1["resolution"], "raw");
    assert!(dropped("readings", 30).await? > 10);
    assert_eq!(dropped("readings", 30).await?, 0);
    let left: i64 = db
        .query_one("select count(*) from sensor_data where time < now() - interval '30 days 6 hours'", &[])
        .await?
        .get(0);
    assert_eq!(left, 0);
    let after = (client.get(&month).await?.expect(200)?, client.get(&hour).await?.expect(200)?);
    assert_eq!(after.1["resolution"], "1m");
    let count = |trend: &serde_json::Value| trend["statistics"]["count"].as_i64().unwrap_or_default();
    // the range moved on by what the test took
    assert!((count(&before.0) - count(&after.0)).abs() < 100, "{} {}", count(&before.0), count(&after.0));
    assert!((count(&after.1) - count(&before.1)).abs() <= 1);
    for field in ["min", "max"] {
        assert_eq!(after.1["statistics"][field], before.1["statistics"][field]);
    }
    let export = client
        .get(&format!("/sensor-data/export.csv?sensor_id={id}&start_date={}", old_hour.get::<_, String>(0)))
        .await?;
    assert!(String::from_utf8(export.body.to_vec())?.starts_with("start,resolution,"));

    agree(&report(&db).await?, &reported)?;

    // a reading from before the edge does not change what is left of its minute
    let minute = "select count, sum from readings_1m order by bucket limit 1";
    let kept = db.query_one(minute, &[]).await?;
    db.batch_execute(
        "with late as (insert into sensor_data (time, sensor_id, machine_id, value, status)
                       select bucket + interval '1 second', sensor_id, sensor_id, 5e9, 2 from readings_1m order by bucket limit 1
                       returning time, sensor_id)
         insert into rollup_changes (minute, sensor_id, readings) select time_bucket('1 minute', time), sensor_id, 1 from late;
         select roll_up(1000, now() - interval '65 seconds');",
    )
    .await?;
    let now = db.query_one(minute, &[]).await?;
    assert_eq!((kept.get::<_, i64>(0), kept.get::<_, f64>(1)), (now.get(0), now.get(1)));
    // then the minutes go too, and hours answer
    assert!(dropped("readings_1m", 2).await? > 30);
    let last = client.get(&hour).await?.expect(200)?;
    assert_eq!((&last["resolution"], count(&last)), (&json!("1h"), count(&before.1)));
    db.execute("delete from sensor_data where value = 5e9", &[]).await?;
    agree(&report(&db).await?, &reported)
}

/// Figures and observed spans of two whole days, a month ago, as reports ask for them.
async fn report(db: &tokio_postgres::Client) -> Result<Vec<(String, serde_json::Value)>> {
    let statements = pm_store::all_statements();
    let found = statements.iter().find(|(name, _)| name == "pm_store::report_content::MEASURED");
    let (_, sql) = found.context("no such statement")?;
    let period = "select (extract(epoch from date_trunc('day', now()) - interval '36 days') * 1000000)::int8";
    let from: i64 = db.query_one(period, &[]).await?.get(0);
    let to = from + 2 * 86_400_000_000;
    let nobody = None::<uuid::Uuid>;
    let params: [&(dyn ToSql + Sync); 8] =
        [&from, &to, &nobody, &nobody, &300_i64, &2700_i64, &6_i64, &900_i64];
    let rows = db.query(sql, &params).await?;
    let mut parts: Vec<(String, serde_json::Value)> = rows.iter().map(|r| (r.get(0), r.get(2))).collect();
    parts.retain(|(what, _)| what != "course");
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(parts)
}

/// The same count, extremes and spans, and a mean that differs by rounding only.
fn agree(one: &[(String, serde_json::Value)], other: &[(String, serde_json::Value)]) -> Result<()> {
    let [(figures, one_figures), (observed, one_observed)] = one else { anyhow::bail!("{one:?}") };
    assert_eq!((figures.as_str(), observed.as_str()), ("figures", "observed"));
    assert_eq!(one_observed, &other[1].1);
    let other_figures = &other[0].1;
    for field in ["count", "min", "max"] {
        assert_eq!(one_figures[field], other_figures[field], "{field}");
    }
    assert_eq!(one_figures["count"], 5760);
    let mean = |figures: &serde_json::Value| figures["mean"].as_f64().unwrap_or(f64::NAN);
    assert!((mean(one_figures) - mean(other_figures)).abs() < 1e-6, "{one_figures} {other_figures}");
    Ok(())
}

#[tokio::test]
async fn the_functions_role_drops_nothing_but_what_is_old() -> Result<()> {
    let database = database().await?;
    let owner = sql::connect(database.url()).await?;
    owner
        .batch_execute(
            "insert into sensor_data (time, sensor_id, machine_id, value, status)
             select now() - n * interval '6 hours', uuid_v7(), uuid_v7(), 1, 0 from generate_series(0, 400) n",
        )
        .await?;
    let db = sql::connect(database.app_url()).await?;
    for refused in [
        "select drop_old('readings', now())",
        "select drop_old('readings', 'infinity')",
        "select drop_old('readings', null)",
        "select drop_old('readings', newest_of('readings') - interval '23 hours')",
        "select drop_old('audit_log', now() - interval '2 days')",
        "select drop_old('users; drop table users', now() - interval '2 days')",
        "select drop_old(null, now() - interval '2 days')",
    ] {
        let code = db.query(refused, &[]).await.err().and_then(|e| e.code().cloned()).context(refused)?;
        assert_eq!(code.code(), "22023", "{refused}");
    }
    for forbidden in [
        "drop table readings_1m",
        "select drop_chunks('sensor_data', older_than => now())",
        "truncate sensor_data",
    ] {
        let code =
            db.batch_execute(forbidden).await.err().and_then(|e| e.code().cloned()).context(forbidden)?;
        assert_eq!(code.code(), "42501", "{forbidden}");
    }
    // by the newest reading, whatever the clock says
    owner.batch_execute("delete from sensor_data where time > now() - interval '50 days'").await?;
    let oldest_days = "select extract(day from now() - min(time))::int4 from sensor_data";
    db.query_one("select drop_old('readings', newest_of('readings') - interval '20 days')", &[]).await?;
    let days: i32 = db.query_one(oldest_days, &[]).await?.get(0);
    assert!((70..=71).contains(&days), "{days}");
    Ok(())
}

#[tokio::test]
async fn the_tick_rolls_up_and_counts() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    // late, so that they are history only and no prediction is made of them
    let start = std::time::UNIX_EPOCH.elapsed()?.as_secs() - 2 * pm_api::ingest::LATE_AFTER_S as u64;
    let messages = (0..200)
        .map(|i| {
            let body = json!({"machine_id": "machine-1", "sensor_id": "temp-core", "value": i, "timestamp": start + i});
            ("factory/demo/line1/machine1/sensors".to_owned(), body.to_string().into_bytes())
        })
        .collect();
    mqtt.publish_all(messages).await?;
    let db = sql::connect(stack.db()).await?;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        let rolled: i64 =
            db.query_one("select coalesce(sum(count), 0)::int8 from readings_1m", &[]).await?.get(0);
        if rolled == 200 {
            break;
        }
        anyhow::ensure!(std::time::Instant::now() < end, "{rolled} of 200 readings are rolled up");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(differences(&db).await?, [0, 0, 0, 0]);
    // predictions of the last day: the count of the clock is the count
    let live = json!({"machine_id": "machine-1", "sensor_id": "temp-core", "value": 1}).to_string();
    mqtt.publish("factory/demo/line1/machine1/sensors", live).await?;
    engineer.wait_for("/predictions", |p| p.as_array().filter(|p| !p.is_empty()).map(|_| ())).await?;
    let one_by_one: i64 = db.query_one("select count(*) from predictions", &[]).await?.get(0);
    // one that is written after its minute was counted is counted when the next minute ends
    engineer
        .wait_for_within("/dashboard/overview", std::time::Duration::from_secs(80), |o| {
            (o["predictions"]["last_24h"] == one_by_one).then_some(())
        })
        .await?;
    Ok(())
}

#[tokio::test]
async fn any_number_can_be_summed_up() -> Result<()> {
    let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = client.sign_in(ENGINEER).await?;
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    // an hour without anything else, from its begin on
    let start = std::time::UNIX_EPOCH.elapsed()?.as_secs() / 3600 * 3600 - 2 * 3600;
    let odd = ["1.7e308", "1.7e308", "-1.7e308", "-1.7e308", "1e200", "5e-324", "-1e-200", "2.5"];
    let message = |(sensor, at): (&str, u64), value: &str| {
        let body = format!(
            r#"{{"machine_id":"odd","sensor_id":"{sensor}","value":{value},"timestamp":{}}}"#,
            start + at
        );
        ("factory/demo/line1/odd/sensors".to_owned(), body.into_bytes())
    };
    let times = [0, 1, 2, 60, 61, 600];
    let mut messages = Vec::new();
    for (step, value) in odd.iter().enumerate() {
        messages.extend(times.map(|at| message(("mixed", at + 3 * step as u64), value)));
    }
    for (sensor, value) in [("huge", "1.7e308"), ("tiny", "5e-324")] {
        messages.extend(times.map(|at| message((sensor, at), value)));
    }
    let count = messages.len() as i64;
    mqtt.publish_all(messages).await?;
    let db = sql::connect(stack.db()).await?;
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    let rolled =
        "select coalesce(sum(count), 0)::int8 from readings_1h where extract(epoch from bucket)::int8 = $1";
    while db.query_one(rolled, &[&(start as i64)]).await?.get::<_, i64>(0) != count {
        anyhow::ensure!(std::time::Instant::now() < end, "the readings are not rolled up");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let ids: Vec<String> = db
        .query("select id::text from sensors where name = any ($1)", &[&vec!["mixed", "huge", "tiny"]])
        .await?
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(ids.len(), 3);
    let time = |s: u64| Timestamp(s as i64 * 1_000_000);
    let range = format!("start={}&end={}", time(start), time(start + 3600));
    for id in ids {
        for points in [2, 10, 1000] {
            let trend =
                engineer.get(&format!("/sensors/{id}/trend?{range}&points={points}")).await?.expect(200)?;
            for figure in ["min", "max", "avg", "count_mean"] {
                assert!(trend["statistics"][figure].is_number(), "{figure}: {}", trend["statistics"]);
            }
        }
        for resolution in ["raw", "1m", "1h"] {
            let path = format!("/sensor-data/export.csv?sensor_id={id}&resolution={resolution}");
            assert_eq!(engineer.get(&path).await?.status, 200);
        }
    }
    engineer.post("/reports/generate", json!({"format": "csv"})).await?.expect(200)?;
    Ok(())
}
