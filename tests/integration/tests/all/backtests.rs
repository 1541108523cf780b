//! Back-tests: alarm rules tried on stored readings give the alarms that the live path gives; by a job for many sensors, at once
//! for one; and the limit that keeps to a wanted number.

use crate::{
    client::{Client, ENGINEER, VIEWER, text, with_bridge},
    machines::timestamp,
    sql,
};
use anyhow::{Context, Result, ensure};
use http::Method;
use pm_api::{
    Timestamp,
    ingest::{BATCH_CONTENT_TYPE, Batch, Reading, SensorRef},
};
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const DAY_S: i64 = 86_400;

struct Plant {
    stack: Stack,
    engineer: Client,
    viewer: Client,
    db: tokio_postgres::Client,
    machine: Value,
}

impl Plant {
    async fn start() -> Result<Self> {
        let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
        let stack = Stack::start(options).await?;
        let client = Client::new(&stack.base_url());
        Self::new(stack, client).await
    }

    async fn with_bridge() -> Result<Self> {
        let (stack, client) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
        Self::new(stack, client).await
    }

    async fn new(stack: Stack, client: Client) -> Result<Self> {
        let (engineer, viewer) = (client.sign_in(ENGINEER).await?, client.sign_in(VIEWER).await?);
        let db = sql::connect(stack.db()).await?;
        let body = json!({"name": "oven", "machine_class": "furnace"});
        let machine = engineer.post("/machines", body).await?.expect(201)?;
        Ok(Self { stack, engineer, viewer, db, machine })
    }

    async fn sensor(&self, name: &str, limits: Value) -> Result<Value> {
        let mut body = json!({"machine_id": self.machine["id"], "name": name, "sensor_type": "heat"});
        for (name, value) in limits.as_object().into_iter().flatten() {
            body[name.as_str()] = value.clone();
        }
        self.engineer.post("/sensors", body).await?.expect(201)
    }

    /// Stores readings as history.
    async fn store(&self, sensor: &Value, readings: &[(Timestamp, f64)]) -> Result<()> {
        let (times, values): (Vec<i64>, Vec<f64>) =
            readings.iter().map(|(time, value)| (time.0, *value)).unzip();
        self.db
            .execute(
                "insert into sensor_data (time, sensor_id, machine_id, value, status, history)
                 select epoch_us(us), $3::text::uuid, $4::text::uuid, value, 0, true from unnest($1::int8[], $2::float8[]) r (us, value)",
                &[&times, &values, &text(sensor, "id")?, &text(&self.machine, "id")?],
            )
            .await?;
        Ok(())
    }

    /// A reading every ten minutes for 30 days: 50, and 85 for half an hour of each day.
    async fn daily_excursions(&self, sensor: &Value, now: Timestamp) -> Result<()> {
        let begin = now.plus_seconds(-30 * DAY_S + 60);
        let value = |i: i64| if (60..63).contains(&(i % 144)) { 85.0 } else { 50.0 + (i % 7) as f64 / 10.0 };
        let readings: Vec<_> = (0..30 * 144).map(|i| (begin.plus_seconds(600 * i), value(i))).collect();
        self.store(sensor, &readings).await
    }

    async fn trial(&self, sensor: &Value, query: &str) -> Result<Value> {
        let path = format!("/backtests/sensors/{}?{query}", text(sensor, "id")?);
        self.engineer.get(&path).await?.expect(200)
    }

    /// Steps as the bridge asks for them, until nothing waits.
    async fn work(&self) -> Result<()> {
        let bridge = self.engineer.with_token(self.stack.service_token());
        while bridge.post("/internal/backtests/work", json!({})).await?.expect(200)?["more"] == true {}
        Ok(())
    }
}

/// What the sensors show within a minute, a value a second: chatter around the warning limit of 80, values beyond the critical one of
/// 90, a spike that is not plausible, a slow way back, a spike.
fn episode() -> Vec<f64> {
    let held = [
        (5, 50.0),
        (1, 81.0),
        (1, 79.0),
        (1, 82.0),
        (1, 78.5),
        (5, 83.0),
        (3, 84.0),
        (1, 79.5),
        (4, 60.0),
        (1, 95.0),
        (1, 85.0),
        (1, 96.0),
        (5, 97.0),
        (5, 70.0),
        (1, 50.0),
        (1, 120.0),
        (4, 50.0),
        (8, 80.0),
        (4, 76.0),
        (4, 74.0),
        (1, 91.0),
        (3, 50.0),
    ];
    held.iter().flat_map(|(seconds, value)| std::iter::repeat_n(*value, *seconds)).collect()
}

/// Alarms as the texts of their beginnings and severities.
fn alarms(list: &Value, begin: &str, wanted: impl Fn(&Value) -> bool) -> Result<Vec<(String, String)>> {
    let list = list.as_array().context("a list")?.iter().filter(|alarm| wanted(alarm));
    let mut alarms: Vec<_> =
        list.map(|alarm| (alarm[begin].to_string(), alarm["severity"].to_string())).collect();
    alarms.sort();
    Ok(alarms)
}

#[tokio::test]
async fn a_back_test_gives_the_alarms_of_the_live_path_one_for_one() -> Result<()> {
    let plant = Plant::start().await?;
    let bridge = plant.engineer.with_token(plant.stack.service_token());
    let rules = [
        (json!({}), 7),
        (json!({"dead_band": 5}), 5),
        (json!({"on_delay_s": 4}), 3),
        (json!({"off_delay_s": 5}), 3),
        (json!({"on_delay_s": 2, "off_delay_s": 3, "dead_band": 3, "plausible_high": 100}), 3),
        (json!({"max_rate_per_min": 600}), 8),
    ];
    let mut live = Vec::new();
    for (rule, _) in &rules {
        let limits = json!({"warning_threshold": 80, "critical_threshold": 90});
        let sensor = plant.sensor(&rule.to_string(), limits).await?;
        if *rule != json!({}) {
            let mut body = rule.clone();
            body["sensor_id"] = sensor["id"].clone();
            plant.engineer.post("/alarm-rules", body).await?.expect(201)?;
        }
        live.push(sensor);
    }
    let named = |sensor: &Value| -> Result<SensorRef> {
        Ok(SensorRef {
            machine: text(&plant.machine, "id")?.to_owned(),
            sensor: text(sensor, "id")?.to_owned(),
            ..SensorRef::default()
        })
    };
    let sensors: Vec<_> = live.iter().map(named).collect::<Result<_>>()?;
    let begin = timestamp()?.plus_seconds(-100);
    let readings: Vec<_> = (0..).zip(episode()).map(|(s, value)| (begin.plus_seconds(s), value)).collect();
    for (time, value) in &readings {
        let reading = |sensor| Reading { sensor, time: *time, value: *value, ..Reading::default() };
        let readings = (0..sensors.len() as u32).map(reading).collect();
        let batch = Batch { sensors: sensors.clone(), readings, ..Batch::default() };
        let kind = ("content-type", BATCH_CONTENT_TYPE);
        let body = postcard::to_stdvec(&batch)?;
        bridge.send(Method::POST, "/internal/ingest", &[kind], body).await?.expect(200)?;
        // as an operator who resolves an alarm as soon as its condition has ended
        let open = plant.engineer.get("/alarms?status=active&limit=200").await?.expect(200)?;
        for alarm in open.as_array().context("a list")? {
            if alarm["kind"] == "threshold" && alarm["condition_active"] == false {
                let path = format!("/alarms/{}/resolve", text(alarm, "id")?);
                plant.engineer.post(&path, json!({})).await?.expect(200)?;
            }
        }
    }
    let to = begin.plus_seconds(readings.len() as i64);
    for (live, (rule, expected)) in live.iter().zip(&rules) {
        let path = format!("/alarms?sensor_id={}&limit=200", text(live, "id")?);
        let raised = plant.engineer.get(&path).await?.expect(200)?;
        let raised = alarms(&raised, "triggered_at", |alarm| alarm["kind"] == "threshold")?;
        // the same readings of a sensor that has neither limits nor a rule
        let history = plant.sensor(&format!("history, {rule}"), json!({})).await?;
        plant.store(&history, &readings).await?;
        let mut query = format!("warning_high=80&critical_high=90&to={to}");
        for (name, value) in rule.as_object().into_iter().flatten() {
            query.push_str(&format!("&{name}={value}"));
        }
        let trial = plant.trial(&history, &query).await?;
        assert_eq!(alarms(&trial["alarms"], "begin", |_| true)?, raised, "{rule}: {trial}");
        assert_eq!(
            (&trial["would_raise"], &trial["raised"]),
            (&json!(expected), &json!(0)),
            "{rule}: {trial}"
        );
        // the rule that counts for the live sensor, on its own readings
        let own = plant.trial(live, &format!("to={to}")).await?;
        assert_eq!(own["alarms"], trial["alarms"], "{rule}");
        let compared = (&own["raised"], &own["gained"], &own["lost"]);
        assert_eq!(compared, (&json!(expected), &json!(0), &json!(0)), "{rule}: {own}");
    }
    Ok(())
}

#[tokio::test]
async fn rules_are_tried_on_many_sensors_by_a_job() -> Result<()> {
    let plant = Plant::with_bridge().await?;
    let now = timestamp()?;
    let limited = plant.sensor("limited", json!({"warning_threshold": 80})).await?;
    let other = plant.sensor("other", json!({"critical_threshold": 84})).await?;
    for sensor in [&limited, &other] {
        plant.daily_excursions(sensor, now).await?;
    }
    // a fault an hour after an excursion began
    let begun = now.plus_seconds(-30 * DAY_S + 60 + 600 * (144 * 20 + 60));
    plant
        .db
        .execute(
            "insert into alarms (machine_id, kind, severity, message, status, condition_active, triggered_at, last_seen_at,
                                 resolved_at, verdict)
             select $1::text::uuid, 'manual', 'critical', 'burnt', 'resolved', false, epoch_us($2), epoch_us($2), now(), 'true_fault'",
            &[&text(&plant.machine, "id")?, &begun.plus_seconds(3600).0],
        )
        .await?;
    // one that was raised, and that no rule would have
    plant
        .db
        .execute(
            "insert into alarms (machine_id, sensor_id, kind, severity, message, status, condition_active, triggered_at,
                                 last_seen_at, resolved_at)
             select $1::text::uuid, $2::text::uuid, 'threshold', 'warning', 'x', 'resolved', false, epoch_us($3), epoch_us($3), epoch_us($3)",
            &[&text(&plant.machine, "id")?, &text(&limited, "id")?, &begun.plus_seconds(7200).0],
        )
        .await?;
    let body = json!({
        "name": "summer", "machine_class": "furnace", "sensor_type": "heat",
        "rules": [{}, {"name": "slow", "on_delay_s": 3600}, {"warning_high": 84.5}],
    });
    plant.viewer.post("/backtests", body.clone()).await?.expect(403)?;
    let made = plant.engineer.post("/backtests", body).await?.expect(201)?;
    assert_eq!(
        (&made["sensors"], &made["name"], &made["status"]),
        (&json!(2), &json!("summer"), &json!("pending"))
    );
    let path = format!("/backtests/{}", text(&made, "id")?);
    let done = |answer: &Value| (answer["status"] == "completed").then(|| answer.clone());
    let done = plant.viewer.wait_for(&path, done).await?;
    assert_eq!(done["progress"], 100, "{done}");
    let rules = done["outcome"]["rules"].as_array().context("rules")?;
    let figures: Vec<_> =
        rules.iter().map(|r| (r["would_raise"].clone(), r["gained"].clone(), r["lost"].clone())).collect();
    let all = (json!(60), json!(60), json!(1));
    // the second rule's warning limit lies above the critical one of the other sensor
    let expected = [all, (json!(0), json!(0), json!(1)), (json!(30), json!(30), json!(1))];
    assert_eq!(figures, expected, "{done}");
    let present = &rules[0];
    assert_eq!((&present["readings"], &present["raised"]), (&json!(2 * 30 * 144), &json!(1)), "{present}");
    assert_eq!((&present["faults"], &present["faults_warned"]), (&json!(1), &json!(1)), "{present}");
    // the first excursion of the seven days before
    assert_eq!(present["mean_lead_s"], json!((6 * DAY_S + 3600) as f64), "{present}");
    // half an hour a day
    ensure!(
        (present["share"].as_f64().context("a share")? - 1800.0 / DAY_S as f64).abs() < 1e-6,
        "{present}"
    );
    assert_eq!((&rules[1]["rule"]["name"], &rules[1]["faults_warned"]), (&json!("slow"), &json!(0)));
    let sensors = present["machines"][0]["sensors"].as_array().context("sensors")?;
    assert_eq!(sensors.iter().map(|s| &s["would_raise"]).collect::<Vec<_>>(), [&json!(30), &json!(30)]);
    assert_eq!(sensors[0]["alarms"].as_array().map(Vec::len), Some(10));
    let problem = rules[2]["machines"][0]["sensors"][1]["problem"].clone();
    ensure!(problem.as_str().is_some_and(|problem| problem.contains("critical_high")), "{}", rules[2]);
    // a job like any other
    let job = plant.engineer.get(&format!("/jobs/{}", text(&made, "job_id")?)).await?.expect(200)?;
    assert_eq!((&job["job_type"], &job["status"]), (&json!("backtest"), &json!("completed")));
    let list = plant.viewer.get("/backtests").await?.expect(200)?;
    assert_eq!((&list[0]["id"], list[0].get("outcome")), (&made["id"], None));
    plant.viewer.delete(&path).await?.expect(403)?;
    plant.engineer.delete(&path).await?.expect(204)?;
    plant.viewer.get(&path).await?.expect(404)?;
    Ok(())
}

#[tokio::test]
async fn a_back_test_goes_on_after_a_step_and_ends_when_it_is_deleted() -> Result<()> {
    let plant = Plant::start().await?;
    let now = timestamp()?;
    let sensor = plant.sensor("limited", json!({"warning_threshold": 80})).await?;
    plant.daily_excursions(&sensor, now).await?;
    let body = json!({"sensor_ids": [sensor["id"]], "rules": [{}]});
    // single readings of the first ten days are gone
    let kept_from = now.plus_seconds(-20 * DAY_S);
    plant
        .db
        .execute(
            "update retention_marks set dropped_before = epoch_us($1) where class = 'readings'",
            &[&kept_from.0],
        )
        .await?;
    let made = plant.engineer.post("/backtests", body.clone()).await?.expect(201)?;
    let path = format!("/backtests/{}", text(&made, "id")?);
    assert_eq!(plant.engineer.get(&path).await?.expect(200)?["outcome"], Value::Null);
    // a worker that died before it had left anything
    plant
        .db
        .execute(
            "update jobs set status = 'running', attempts = 1, lease_id = uuid_v7(), lease_until = now() - interval '1 s'",
            &[],
        )
        .await?;
    plant.work().await?;
    let done = plant.engineer.get(&path).await?.expect(200)?;
    assert_eq!(
        (&done["status"], &done["outcome"]["rules"][0]["would_raise"]),
        (&json!("completed"), &json!(30))
    );
    assert_eq!(done["outcome"]["readings_from"], json!(kept_from), "{done}");
    let trial = plant.trial(&sensor, "").await?;
    assert_eq!((&trial["readings_from"], &trial["would_raise"]), (&json!(kept_from), &json!(30)), "{trial}");

    let cancelled = plant.engineer.post("/backtests", body).await?.expect(201)?;
    plant.engineer.delete(&format!("/backtests/{}", text(&cancelled, "id")?)).await?.expect(204)?;
    let job = plant.engineer.get(&format!("/jobs/{}", text(&cancelled, "job_id")?)).await?.expect(200)?;
    assert_eq!(
        (&job["status"], &job["error_message"]),
        (&json!("failed"), &json!("The back-test was deleted"))
    );
    plant.work().await?;
    Ok(())
}

#[tokio::test]
async fn a_suggestion_keeps_to_the_wanted_number_and_is_applied_by_the_routes_of_limits_and_rules()
-> Result<()> {
    let plant = Plant::start().await?;
    let now = timestamp()?;
    let sensor = plant.sensor("bare", json!({})).await?;
    plant.daily_excursions(&sensor, now).await?;
    let id = text(&sensor, "id")?;
    let suggest = async |query: &str| {
        let path = format!("/backtests/sensors/{id}/suggestion?{query}");
        plant.engineer.get(&path).await?.expect(200)
    };
    for (wanted, most) in [("0", 0), ("4", 4), ("29.5", 29), ("40", 40)] {
        let found = suggest(&format!("alarms_per_month={wanted}")).await?;
        assert_eq!((&found["side"], &found["most"]), (&json!("high"), &json!(most)), "{found}");
        let would = found["trial"]["would_raise"].as_u64().context("a number")?;
        ensure!(found["limit"].is_number() && would <= most, "{wanted}: {found}");
    }
    // room for every excursion: the limit lies at the ordinary values
    let found = suggest("alarms_per_month=40").await?;
    let limit = found["limit"].as_f64().context("a limit")?;
    ensure!(limit > 50.6 && limit < 52.0 && found["trial"]["would_raise"] == 30, "{found}");
    let low = suggest("alarms_per_month=0&side=low").await?;
    ensure!(low["side"] == "low" && low["limit"].as_f64().is_some_and(|limit| limit < 50.0), "{low}");

    plant
        .engineer
        .patch(&format!("/sensors/{id}"), json!({"warning_threshold": limit}))
        .await?
        .expect(200)?;
    let rule = json!({"sensor_id": id, "on_delay_s": found["on_delay_s"]});
    plant.engineer.post("/alarm-rules", rule).await?.expect(201)?;
    let trial = plant.trial(&sensor, "").await?;
    assert_eq!(
        (&trial["would_raise"], &trial["rule"]["warning_high"]),
        (&json!(30), &json!(limit)),
        "{trial}"
    );

    // a critical limit that is passed every day cannot be kept from raising alarms by the warning limit
    plant.engineer.patch(&format!("/sensors/{id}"), json!({"critical_threshold": 70})).await?.expect(200)?;
    let none = suggest("alarms_per_month=3").await?;
    assert_eq!((&none["limit"], &none["trial"]["would_raise"]), (&Value::Null, &json!(30)), "{none}");
    ensure!(text(&none, "reason")?.contains("critical"), "{none}");
    Ok(())
}

#[tokio::test]
async fn bad_questions_are_refused_at_their_fields() -> Result<()> {
    let plant = Plant::start().await?;
    let sensor = plant.sensor("limited", json!({"warning_threshold": 80, "critical_threshold": 90})).await?;
    let unknown = "00000000-0000-7000-8000-000000000000";
    let good = json!({"sensor_ids": [sensor["id"]], "rules": [{}]});
    for (field, value, place) in [
        ("rules", json!([]), json!(["body", "rules"])),
        ("rules", json!([{}, {}, {}, {}, {}]), json!(["body", "rules"])),
        ("rules", json!([{}, {"on_delay_s": -1}]), json!(["body", "rules", 1, "on_delay_s"])),
        ("rules", json!([{"dead_band": -1}]), json!(["body", "rules", 0, "dead_band"])),
        (
            "rules",
            json!([{}, {"warning_high": 9, "critical_high": 8}]),
            json!(["body", "rules", 1, "critical_high"]),
        ),
        (
            "rules",
            json!([{"warning_low": 9, "warning_high": 8}]),
            json!(["body", "rules", 0, "warning_high"]),
        ),
        ("sensor_ids", Value::Null, json!(["body", "sensor_ids"])),
        ("sensor_ids", json!([sensor["id"], unknown]), json!(["body", "sensor_ids", 1])),
        ("machine_id", json!(unknown), json!(["body", "machine_id"])),
        ("machine_class", json!("nothing"), json!(["body", "machine_class"])),
        ("sensor_type", json!("nothing"), json!(["body", "sensor_type"])),
        ("from", json!("2020-01-01T00:00:00Z"), json!(["body", "from"])),
        ("from", json!("2999-01-01T00:00:00Z"), json!(["body", "from"])),
        ("to", json!("2999-01-01T00:00:00Z"), json!(["body", "to"])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let refused = plant.engineer.post("/backtests", body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], place, "{body}: {refused}");
    }
    let of_sensor = format!("/backtests/sensors/{}", text(&sensor, "id")?);
    for (query, field) in [
        ("?on_delay_s=x", "on_delay_s"),
        ("?dead_band=-1", "dead_band"),
        ("?max_rate_per_min=0", "max_rate_per_min"),
        // against the limits that the sensor has
        ("?warning_high=95", "warning_high"),
        ("?critical_high=70", "critical_high"),
        ("?warning_low=85", "warning_low"),
        ("?plausible_low=5&plausible_high=5", "plausible_high"),
        ("?from=2020-01-01T00:00:00Z", "from"),
        ("/suggestion", "alarms_per_month"),
        ("/suggestion?alarms_per_month=-1", "alarms_per_month"),
        ("/suggestion?alarms_per_month=1&side=left", "side"),
    ] {
        let refused = plant.engineer.get(&format!("{of_sensor}{query}")).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["query", field]), "{query}: {refused}");
    }
    plant.viewer.get(&of_sensor).await?.expect(403)?;
    plant.engineer.get(&format!("/backtests/sensors/{unknown}")).await?.expect(404)?;
    plant.engineer.get(&format!("/backtests/{unknown}")).await?.expect(404)?;
    plant.engineer.delete(&format!("/backtests/{unknown}")).await?.expect(404)?;
    // nothing is stored of this sensor
    let trial = plant.trial(&sensor, "").await?;
    assert_eq!((&trial["readings"], &trial["values"]), (&json!(0), &Value::Null), "{trial}");
    let path = format!("{of_sensor}/suggestion?alarms_per_month=3");
    let none = plant.engineer.get(&path).await?.expect(200)?;
    ensure!(none["limit"].is_null() && none["reason"].is_string(), "{none}");
    Ok(())
}
