//! Live events.

use crate::{
    client::{ENGINEER, with_bridge},
    mqtt::Publisher,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use http_body_util::BodyExt;
use pm_test_support::StackOptions;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

/// Reads events until one of `kind` comes; gives its id and data.
async fn until(body: &mut hyper::body::Incoming, kind: &str) -> Result<(Option<String>, Value)> {
    let mut text = String::new();
    loop {
        let frame = timeout(Duration::from_secs(20), body.frame()).await.context("no event came")?;
        let frame = frame.context("the stream ended")??;
        if let Some(data) = frame.data_ref() {
            text.push_str(std::str::from_utf8(data)?);
        }
        while let Some((event, rest)) = text.split_once("\n\n") {
            let line = |name: &str| event.lines().find_map(|l| l.strip_prefix(name)).map(str::to_owned);
            let data: Value = line("data: ").map_or(Ok(Value::Null), |d| serde_json::from_str(&d))?;
            if data["type"] == kind {
                return Ok((line("id: "), data));
            }
            text = rest.to_owned();
        }
    }
}

#[tokio::test]
async fn every_stream_gets_all_events_and_a_resumed_one_the_missed_ones() -> Result<()> {
    let (stack, nobody) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    nobody.get("/ws/events/stream").await?.expect(401)?;
    let pair = nobody.login(ENGINEER.0, ENGINEER.1).await?.expect(200)?;
    let path = format!("/ws/events/stream?token={}", pair["access_token"].as_str().context("no token")?);
    let mut listeners = Vec::new();
    for _ in 0..3 {
        let answer = nobody.open(Method::GET, &path, &[], "").await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        listeners.push(answer.into_body());
    }
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 170.5});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
    let mut first_id = None;
    for listener in &mut listeners {
        let (id, alarm) = until(listener, "alarm.created").await?;
        assert_eq!(alarm["data"]["severity"], "warning");
        let id: i64 = id.context("an id to resume after")?.parse()?;
        assert_eq!(*first_id.get_or_insert(id), id);
    }
    let before = (first_id.context("an id")? - 1).to_string();
    let resumed = nobody.open(Method::GET, &path, &[("last-event-id", &before)], "").await?;
    let (id, _) = until(&mut resumed.into_body(), "alarm.created").await?;
    assert_eq!(id.context("an id")?.parse::<i64>()?, first_id.context("an id")?);

    let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 171.25});
    mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
    loop {
        let (_, reading) = until(&mut listeners[0], "sensor_data.created").await?;
        if reading["data"]["value"] == 171.25 {
            return Ok(());
        }
    }
}

/// Reads events until `count` with ids above `after` have come; gives those, ids and kinds in their order.
async fn collect(mut body: hyper::body::Incoming, after: i64, count: usize) -> Result<Vec<(i64, String)>> {
    let mut text = String::new();
    let mut events = Vec::new();
    loop {
        while let Some((event, rest)) = text.split_once("\n\n") {
            let line = |name: &str| event.lines().find_map(|l| l.strip_prefix(name));
            if let (Some(id), Some(data)) = (line("id: "), line("data: ")) {
                let data: Value = serde_json::from_str(data)?;
                let id: i64 = id.parse()?;
                if id > after {
                    events.push((id, data["type"].as_str().context("no type")?.to_owned()));
                }
            }
            text = rest.to_owned();
        }
        if events.len() >= count {
            return Ok(events);
        }
        let frame = timeout(Duration::from_secs(60), body.frame()).await.context("no event came")?;
        if let Some(data) = frame.context("the stream ended")??.data_ref() {
            text.push_str(std::str::from_utf8(data)?);
        }
    }
}

/// All events that pass the filter `alarm.*,ticket.created`: the demonstration plant raises alarms and anomalies of its
/// own in addition to the test's events.
async fn events_in_outbox(db: &tokio_postgres::Client, after: i64) -> Result<Vec<(i64, String)>> {
    let select = "select position, event_type from outbox
                  where position > $1 and (event_type like 'alarm.%' or event_type = 'ticket.created')
                  order by position";
    let rows = db.query(select, &[&after]).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

async fn put_events(db: &tokio_postgres::Client, count: i64) -> Result<()> {
    // in many transactions, as they come in real life
    for from in (0..count).step_by(50) {
        let to = (from + 50).min(count);
        db.execute(
            "insert into outbox (event_type, data)
             select case n % 3 when 0 then 'alarm.created' when 1 then 'alarm.updated' else 'ticket.created' end,
                    jsonb_build_object('n', n)
             from generate_series($1::int8, $2::int8 - 1) n",
            &[&from, &to],
        )
        .await?;
    }
    Ok(())
}

#[tokio::test]
async fn fifty_streams_get_the_same_events_and_a_reconnect_loses_and_repeats_none() -> Result<()> {
    let (stack, nobody) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = nobody.sign_in(ENGINEER).await?;
    let ticket = engineer.post("/realtime/ticket", json!({})).await?.expect(200)?;
    assert_eq!(ticket["expires_in_s"], 60);
    let ticket = ticket["ticket"].as_str().context("no ticket")?;
    // a ticket opens one stream and nothing else
    nobody.with_token(ticket).get("/machines").await?.expect(401)?;
    let with_ticket = format!("/ws/events/stream?token={ticket}");
    for status in [200, 401] {
        assert_eq!(nobody.open(Method::GET, &with_ticket, &[], "").await?.status(), status);
    }
    nobody.get("/ws/events/stream?token=x").await?.expect(401)?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);

    // a busy system: readings and predictions are streamed as well
    let mut mqtt = Publisher::connect(stack.mqtt_url())?;
    let busy = tokio::spawn(async move {
        for n in 0.. {
            let payload = json!({"machine_id": "machine-1", "sensor_id": "pressure-head", "value": 150.0 + f64::from(n % 9)});
            mqtt.publish("factory/demo/line1/machine1/sensors", payload.to_string()).await?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        anyhow::Ok(())
    });
    let path = "/ws/events/stream?events=alarm.*,ticket.created";
    let mut listeners = Vec::new();
    for _ in 0..50 {
        let answer = engineer.open(Method::GET, path, &[], "").await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        listeners.push(answer.into_body());
    }
    // whatever was written before the last listener came, not all of them hear
    let newest = db.query_one("select coalesce(max(position), 0) from outbox", &[]).await?.get(0);
    put_events(&db, 1200).await?;
    let listeners = listeners.into_iter().map(|body| tokio::spawn(collect(body, newest, 1200)));
    let mut received = Vec::new();
    for listener in listeners.collect::<Vec<_>>() {
        received.push(listener.await??);
    }
    let written = events_in_outbox(&db, newest).await?;
    for (listener, events) in received.iter().enumerate() {
        let odd = events.iter().zip(&written).find(|(received, written)| received != written);
        assert_eq!(odd, None, "listener {listener} after {newest}: received against written");
    }

    // who goes away at any place and comes back hears exactly what is missing, by header and by query
    let end = written[1199].0;
    for (place, in_query) in [(0, true), (1, false), (555, true), (1150, false), (1198, true)] {
        let last = written[place].0.to_string();
        let missing = 1199 - place;
        let events = if in_query {
            let path = format!("{path}&last_event_id={last}");
            collect(engineer.open(Method::GET, &path, &[], "").await?.into_body(), 0, missing).await?
        } else {
            let headers = [("last-event-id", last.as_str())];
            collect(engineer.open(Method::GET, path, &headers, "").await?.into_body(), 0, missing).await?
        };
        let expected = &written[place + 1..];
        assert_eq!(events[..], expected[..events.len()], "after {last}");
        assert!(events.last().is_some_and(|e| e.0 >= end));
    }
    // a filter leaves out the others
    let path = format!("/realtime/events?events=ticket.created&last_event_id={newest}");
    let tickets = collect(engineer.open(Method::GET, &path, &[], "").await?.into_body(), 0, 400).await?;
    assert!(tickets.iter().all(|e| e.1 == "ticket.created"));
    for (query, name) in [("events=Alarm!", "events"), ("last_event_id=x", "last_event_id")] {
        let path = format!("/realtime/events?{query}");
        assert_eq!(engineer.get(&path).await?.expect(422)?["errors"][0]["loc"], json!(["query", name]));
    }
    busy.abort();
    Ok(())
}

/// The listeners of an instance look at the database together.
#[tokio::test]
async fn fifty_streams_cost_the_database_no_more_than_a_few() -> Result<()> {
    let (stack, nobody) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let engineer = nobody.sign_in(ENGINEER).await?;
    let (db, connection) = tokio_postgres::connect(stack.db(), tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let connections = || async {
        let row = db
            .query_one(
                "select count(*) from pg_stat_activity where usename like 'pm\\_%' and datname = current_database()",
                &[],
            )
            .await?;
        anyhow::Ok(row.get::<_, i64>(0))
    };
    let mut listeners = Vec::new();
    for _ in 0..80 {
        let answer = engineer.open(Method::GET, "/ws/events/stream", &[], "").await?;
        ensure!(answer.status() == 200, "{}", answer.status());
        listeners.push(answer.into_body());
    }
    // more listeners than the 64 connections a component may have: nobody waits for another to leave
    put_events(&db, 1).await?;
    for listener in &mut listeners {
        until(listener, "alarm.created").await?;
    }
    let used = connections().await?;
    assert!(used < 40, "{used} connections for 80 listeners");
    Ok(())
}
