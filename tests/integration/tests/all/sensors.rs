//! Sensors: thresholds on both sides, trends against a direct look at the readings, times of a status.

use crate::{
    client::{Client, ENGINEER},
    sql,
};
use anyhow::{Context, Result};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

async fn start() -> Result<(Stack, Client, tokio_postgres::Client)> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let db = sql::connect(stack.db()).await?;
    Ok((stack, client, db))
}

async fn new_sensor(client: &Client) -> Result<String> {
    let machine = client.post("/machines", json!({"name": "m"})).await?.expect(201)?;
    let body = json!({"machine_id": machine["id"], "name": "s", "sensor_type": "t"});
    let sensor = client.post("/sensors", body).await?.expect(201)?;
    Ok(sensor["id"].as_str().context("no id")?.to_owned())
}

#[tokio::test]
async fn thresholds_may_not_contradict_each_other() -> Result<()> {
    let (_stack, client, _db) = start().await?;
    let id = new_sensor(&client).await?;
    let path = format!("/sensors/{id}");
    let both =
        json!({"warning_threshold": 70, "critical_threshold": 85, "warning_low": 10, "critical_low": 5});
    let sensor = client.patch(&path, both).await?.expect(200)?;
    assert_eq!(
        sensor["limits"],
        json!({"warning_high": 70.0, "critical_high": 85.0, "warning_low": 10.0, "critical_low": 5.0})
    );
    // checked together with what is stored
    for (change, field) in [
        (json!({"critical_threshold": 60}), "critical_threshold"),
        (json!({"critical_low": 11}), "critical_low"),
        (json!({"warning_low": 70}), "warning_low"),
        (json!({"min_threshold": 70}), "min_threshold"),
        (json!({"min_threshold": 5, "max_threshold": 5}), "max_threshold"),
        (json!({"warning_low": "x"}), "warning_low"),
    ] {
        let refused = client.patch(&path, change.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{change}");
    }
    assert_eq!(client.get(&path).await?.expect(200)?, sensor);
    // the documented oil level: critical below warning guards the low side
    let oil =
        json!({"warning_threshold": 50, "critical_threshold": 45, "warning_low": null, "critical_low": null});
    let sensor = client.patch(&path, oil).await?.expect(200)?;
    assert_eq!(
        (&sensor["limits"]["warning_low"], &sensor["limits"]["critical_low"]),
        (&json!(50.0), &json!(45.0))
    );
    client.patch("/sensors/01890000-0000-7000-8000-000000000000", json!({"unit": "x"})).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_new_sensor_gets_the_default_thresholds_of_its_type() -> Result<()> {
    let (stack, client, _db) = start().await?;
    let admin = Client::new(&stack.base_url()).sign_in(crate::client::ADMIN).await?;
    let value = json!({"humidity": {"warning_threshold": 60, "critical_threshold": 70}}).to_string();
    admin.patch("/settings/sensors.default_thresholds", json!({"value": value})).await?.expect(200)?;
    // one made by hand, one that registers itself
    let machine = client.post("/machines", json!({"name": "m"})).await?.expect(201)?;
    let body = |name: &str| json!({"machine_id": machine["id"], "name": name, "sensor_type": "humidity"});
    let made = client.post("/sensors", body("a")).await?.expect(201)?;
    client.post("/simulator/generate-test-data?count=1", json!({})).await?.expect(200)?;
    let registered = client.get("/sensors?sensor_type=humidity&search=test-").await?.expect(200)?;
    for sensor in [&made, &registered[0]] {
        assert_eq!(
            (&sensor["warning_threshold"], &sensor["limits"]["critical_high"]),
            (&json!(60.0), &json!(70.0))
        );
    }
    let path = format!("/machines/{}/thresholds", machine["id"].as_str().context("no id")?);
    client.patch(&path, json!({"humidity": {"warning": 50}})).await?.expect(200)?;
    let of_machine = client.post("/sensors", body("b")).await?.expect(201)?;
    assert_eq!(
        (&of_machine["limits"]["warning_high"], &of_machine["limits_inherited"]),
        (&json!(50.0), &json!(true))
    );
    Ok(())
}

#[tokio::test]
async fn sensors_are_filtered_and_sorted() -> Result<()> {
    let (_stack, client, _db) = start().await?;
    let names = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|s| s["name"].as_str()).map(str::to_owned).collect()
    };
    let temperatures = client.get("/sensors?sensor_type=temperature&sort=name").await?;
    assert_eq!(temperatures.headers["x-total-count"], "4");
    assert_eq!(
        names(&temperatures.expect(200)?),
        ["Bearing temperature", "Core temperature", "Discharge temperature", "Winding temperature"]
    );
    // the machine's name counts for a search, the newest reading for a status
    let of_machine = client.get("/sensors?search=PUMP&limit=2").await?;
    assert_eq!(of_machine.headers["x-total-count"], "4");
    let silent = client.get("/sensors?status=critical").await?;
    assert_eq!((silent.expect(200)?, silent.headers["x-total-count"].to_str()?), (json!([]), "0"));
    let torque = client.get("/sensors?search=torque").await?.expect(200)?[0].clone();
    let (sensor, machine) = (&torque["id"], &torque["machine_id"]);
    let reading = json!({"sensor_id": sensor, "machine_id": machine, "timestamp": "2026-01-01T00:00:00Z", "value": 999});
    client.post("/sensor-data", reading).await?.expect(201)?;
    let critical = client.get("/sensors?status=critical").await?.expect(200)?;
    assert_eq!(names(&critical), ["Motor torque"]);
    let most_severe = client.get("/sensors?sort=-status&limit=1").await?.expect(200)?;
    assert_eq!(names(&most_severe), ["Motor torque"]);
    assert_eq!(
        client.get("/sensors?status=hot").await?.expect(422)?["errors"][0]["loc"],
        json!(["query", "status"])
    );
    let listed = client.get("/sensors").await?.expect(200)?;
    let ids: Vec<_> = listed.as_array().into_iter().flatten().filter_map(|s| s["id"].as_str()).collect();
    let nobody = "01890000-0000-7000-8000-000000000000";
    let some = client.get(&format!("/sensors?sort=asc&ids={},{nobody},{}", ids[2], ids[9])).await?;
    assert_eq!(some.headers["x-total-count"], "2");
    assert_eq!(some.expect(200)?, json!([listed[9], listed[2]]));
    let warned = client.get(&format!("/sensors?status=critical&ids={}", ids.join(","))).await?.expect(200)?;
    assert_eq!(names(&warned), ["Motor torque"]);
    client.get(&format!("/sensors?ids={}", [nobody; 200].join(","))).await?.expect(200)?;
    for bad in [[nobody; 201].join(","), format!("{nobody},pump"), format!("{nobody},")] {
        let refused = client.get(&format!("/sensors?ids={bad}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", "ids"]), "{bad}");
    }
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/sensors?sort=-machine&limit=5{cursor}")).await?;
        all.extend(names(&page.expect(200)?));
        match page.headers.get("x-next-cursor") {
            Some(next) => cursor = format!("&cursor={}", next.to_str()?),
            None => break,
        }
    }
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 16);
    assert_eq!(
        client.get("/sensors?sort=unit").await?.expect(422)?["errors"][0]["loc"],
        json!(["query", "sort"])
    );
    Ok(())
}

/// Ten days of readings, ten seconds apart, with a silence of half a day in it; rolled up but for the last minutes.
async fn ten_days(db: &tokio_postgres::Client, sensor: &str) -> Result<()> {
    db.batch_execute(&format!(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select t, s.id, s.machine_id, sin(extract(epoch from t) / 5000) * 100,
                case when extract(hour from t) = 3 then 2 else 0 end
         from sensors s, generate_series(now() - interval '10 days', now(), interval '10 seconds') t
         where s.id = '{sensor}' and t not between now() - interval '5 days' and now() - interval '4.5 days';
         insert into rollup_changes (minute, sensor_id, readings)
         select time_bucket('1 minute', time), case when time < now() - interval '5 minutes' then sensor_id end, count(*)
         from sensor_data group by 1, 2;
         select roll_up(600000, now() - interval '65 seconds');"
    ))
    .await?;
    Ok(())
}

#[tokio::test]
async fn a_trend_equals_a_direct_aggregation_of_the_readings() -> Result<()> {
    let (_stack, client, db) = start().await?;
    let id = new_sensor(&client).await?;
    ten_days(&db, &id).await?;
    let far = "&start=2015-06-01T00:00:00Z".to_owned();
    let asked = [
        ("interval=1h".to_owned(), "raw"),
        ("interval=6h".to_owned(), "raw"),
        ("interval=24h".to_owned(), "1m"),
        ("interval=7d".to_owned(), "1m"),
        ("interval=30d".to_owned(), "1m"),
        ("interval=24h&points=20".to_owned(), "1h"),
        (format!("points=1000{}&end={}", far.replace("2015-06", "2025-06"), crate::machines::now()?), "1h"),
    ];
    for (query, resolution) in asked {
        let trend = client.get(&format!("/sensors/{id}/trend?{query}")).await?.expect(200)?;
        let points = trend["points"].as_array().context("points")?;
        assert_eq!(trend["resolution"], resolution, "{query}");
        assert!(points.len() <= 1000 && points.len() > 10, "{query}: {} points", points.len());
        let (start, end) = (trend["start"].as_str().context("start")?, trend["end"].as_str().context("end")?);
        let seconds = trend["bucket_seconds"].as_f64();
        // an hour of a reading each ten seconds is given as it is
        let oracle = match seconds {
            None => {
                "select extract(epoch from time)::float8, value, value, value, status, 1::int8 from sensor_data
                 where sensor_id = $1::text::uuid and time >= $2::text::timestamptz and time <= $3::text::timestamptz
                   and $4::float8 is null order by 1"
            }
            Some(_) => {
                "select extract(epoch from time_bucket($4::float8 * interval '1 second', time))::float8, avg(value),
                        min(value), max(value), max(status), count(*)
                 from sensor_data
                 where sensor_id = $1::text::uuid and time >= $2::text::timestamptz and time < $3::text::timestamptz
                 group by 1 order by 1"
            }
        };
        let rows = db.query(oracle, &[&id, &start, &end, &seconds]).await?;
        assert_eq!(points.len(), rows.len(), "{query}");
        for (point, row) in points.iter().zip(&rows) {
            let at: pm_api::Timestamp = serde_json::from_value(point["timestamp"].clone())?;
            assert!((at.0 as f64 / 1e6 - row.get::<_, f64>(0)).abs() < 1e-5, "{query}: {point}");
            for (field, column) in [("value", 1), ("min", 2), ("max", 3)] {
                let (got, wanted) = (point[field].as_f64().context("a number")?, row.get::<_, f64>(column));
                assert!((got - wanted).abs() < 1e-9, "{query} {field}: {got} {wanted}");
            }
            let status = ["normal", "warning", "critical"][row.get::<_, i16>(4) as usize];
            assert_eq!(point["status"], status, "{query}");
        }
        let count: i64 = rows.iter().map(|r| r.get::<_, i64>(5)).sum();
        assert_eq!(trend["statistics"]["count"], json!(count), "{query}");
    }
    for (query, field) in [
        ("start=yesterday", "start"),
        ("start=2026-01-02T00:00:00Z&end=2026-01-01T00:00:00Z", "end"),
        ("start=2001-01-01T00:00:00Z", "end"),
        ("interval=24h&points=1001", "points"),
        ("interval=2h", "interval"),
    ] {
        let refused = client.get(&format!("/sensors/{id}/trend?{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{query}");
    }
    Ok(())
}

#[tokio::test]
async fn a_timeline_shows_statuses_and_gaps() -> Result<()> {
    let (_stack, client, db) = start().await?;
    let id = new_sensor(&client).await?;
    db.batch_execute(&format!(
        "insert into sensor_data (time, sensor_id, machine_id, value, status)
         select timestamptz '2026-03-01T00:00:00Z' + m * interval '1 minute', id, machine_id, m,
                case when m between 20 and 29 then 1 when m between 30 and 34 then 2 else 0 end
         from sensors, generate_series(0, 100) m where id = '{id}' and m not between 50 and 79"
    ))
    .await?;
    let range = "start=2026-03-01T00:00:00Z&end=2026-03-01T02:00:00Z";
    let timeline = client.get(&format!("/sensors/{id}/status-timeline?{range}")).await?.expect(200)?;
    let spans: Vec<_> = timeline["spans"]
        .as_array()
        .context("spans")?
        .iter()
        .map(|s| {
            (
                s["start"].as_str().unwrap_or_default()[11..16].to_owned(),
                s["status"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("00:00", "normal"),
        ("00:20", "warning"),
        ("00:30", "critical"),
        ("00:35", "normal"),
        ("00:49", "no_data"),
        ("01:20", "normal"),
        ("01:40", "no_data"),
    ];
    assert_eq!(spans, expected.map(|(t, s)| (t.to_owned(), s)));
    let silent_hour = client.get(&format!("/sensors/{id}/status-timeline?interval=1h")).await?.expect(200)?;
    assert_eq!(
        (&silent_hour["spans"][0]["status"], silent_hour["spans"].as_array().map(Vec::len)),
        (&json!("no_data"), Some(1))
    );
    Ok(())
}
