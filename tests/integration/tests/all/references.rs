//! Healthy references in people's hands: what the page shows of them, started anew, and an alarm that was called normal.

use crate::{
    alarm_work::{raise, stack, texts},
    client::{ADMIN, Client, VIEWER, text},
    sql,
};
use anyhow::{Context, Result};
use pm_api::{MachineId, SensorId, Timestamp, score::ScoreItem};
use pm_model::{Model, sensitivity, state::State};
use serde_json::{Value, json};
use std::{path::Path, time::UNIX_EPOCH};

const UNKNOWN_ID: &str = "01890000-0000-7000-8000-000000000000";
const DAY_S: i64 = 86_400;

fn now_s() -> Result<i64> {
    Ok(UNIX_EPOCH.elapsed()?.as_secs() as i64)
}

/// The value of a sensor around a level, by its time.
fn noisy(level: f64, at_s: i64) -> f64 {
    level + 0.5 * ((at_s / 60) as f64 * 0.77).sin() + 0.3 * ((at_s / 60) as f64 * 2.3).sin()
}

/// The state of a sensor that was learned at 50 for a week and has been at 70 for twelve hours; its newest reading is of `until_s`.
fn state_after_a_new_set_point(until_s: i64) -> Result<State> {
    let model = Model::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models"))?;
    let (from_s, moved_s) = (until_s - 8 * DAY_S, until_s - DAY_S / 2);
    let reading = |at_s: i64| {
        (Timestamp(at_s * Timestamp::SECOND), noisy(if at_s < moved_s { 50.0 } else { 70.0 }, at_s))
    };
    let result = pm_model::score_item(
        Some(&model),
        &ScoreItem {
            sensor_id: SensorId(uuid::Uuid::nil()),
            machine_id: MachineId(uuid::Uuid::nil()),
            name: "Oil temperature".into(),
            sensor_type: "temperature".into(),
            unit: Some("°C".into()),
            model: None,
            challenger: None,
            learning_s: 7 * DAY_S,
            false_alarms_per_month: sensitivity::BASE_PER_MONTH,
            accepted: None,
            restarted: None,
            limits: Default::default(),
            state: None,
            readings: (from_s..=until_s).step_by(60).map(reading).collect(),
        },
    );
    State::from_bytes(&result.state).context("a state")
}

/// A sensor of a machine of its own with such a state; gives the ids of machine and sensor.
async fn sensor_at_a_new_set_point(
    stack: &pm_test_support::Stack,
    engineer: &Client,
    until_s: i64,
) -> Result<(String, String)> {
    let machine = engineer.post("/machines", json!({"name": "Mixer"})).await?.expect(201)?;
    let machine = text(&machine, "id")?.to_owned();
    let body =
        json!({"machine_id": machine, "name": "Oil temperature", "sensor_type": "temperature", "unit": "°C"});
    let sensor = text(&engineer.post("/sensors", body).await?.expect(201)?, "id")?.to_owned();
    let db = sql::connect(stack.db()).await?;
    db.execute(
        "insert into sensor_state (sensor_id, score_state, scored_through, evaluated_through)
         values ($1::text::uuid, $2, to_timestamp($3::float8), to_timestamp($3))",
        &[&sensor, &state_after_a_new_set_point(until_s)?.to_bytes(), &(until_s as f64)],
    )
    .await?;
    Ok((machine, sensor))
}

async fn report(engineer: &Client, sensor: &str, at_s: i64) -> Result<()> {
    let at = Timestamp(at_s * Timestamp::SECOND);
    let body = json!({"sensor_id": sensor, "timestamp": at, "value": noisy(70.0, at_s), "unit": "°C"});
    engineer.post("/sensor-data", body).await?.expect(201)?;
    Ok(())
}

#[tokio::test]
async fn one_verdict_ends_the_alarm_of_a_lasting_set_point_for_good() -> Result<()> {
    let (stack, engineer, _) = stack().await?;
    let until_s = now_s()? - 200;
    let (machine, sensor) = sensor_at_a_new_set_point(&stack, &engineer, until_s).await?;
    report(&engineer, &sensor, until_s + 5).await?;
    let alarms = engineer.get(&format!("/alarms?sensor_id={sensor}")).await?.expect(200)?;
    assert_eq!(
        (&alarms[0]["kind"], &alarms[0]["condition_active"]),
        (&json!("prediction"), &json!(true)),
        "{alarms}"
    );
    let message = text(&alarms[0], "message")?;
    assert!(message.starts_with("Oil temperature is ") && message.contains(" °C above "), "{message}");
    let references = engineer.get(&format!("/machines/{machine}/references")).await?.expect(200)?;
    let reference = &references[0]["reference"];
    assert!(reference["outside"].is_string() && reference["since"].is_string(), "{references}");
    let (low, high) = (reference["usual"]["low"].as_f64(), reference["usual"]["high"].as_f64());
    assert!(low > Some(48.0) && high < Some(52.0) && reference["now"].as_f64() > Some(69.0), "{references}");

    let resolve = format!("/alarms/{}/resolve", text(&alarms[0], "id")?);
    engineer.post(&resolve, json!({"verdict": "false_alarm"})).await?.expect(200)?;
    // the alarm ends with the next reading and stays ended
    for after_s in (10..190).step_by(10) {
        report(&engineer, &sensor, until_s + after_s).await?;
    }
    let alarms = engineer.get(&format!("/alarms?sensor_id={sensor}")).await?.expect(200)?;
    assert_eq!(alarms.as_array().map(Vec::len), Some(1), "{alarms}");
    assert!(alarms[0]["resolved_at"].is_string(), "{alarms}");
    let predictions = engineer.get(&format!("/predictions?sensor_id={sensor}&limit=1")).await?.expect(200)?;
    assert_eq!(predictions[0]["status"], "normal", "{predictions}");
    let counts = engineer.get(&format!("/ai/false-alarms?machine_id={machine}")).await?.expect(200)?;
    assert_eq!(
        (&counts["promised"], &counts["false_alarms"], &counts["alarms"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(counts["counted"], Value::Null, "the machine is minutes old: {counts}");

    // a class with a number of its own
    let admin = Client::new(&stack.base_url()).sign_in(ADMIN).await?;
    let class = format!("class-{machine}");
    engineer.patch(&format!("/machines/{machine}"), json!({"machine_class": class})).await?.expect(200)?;
    let setting = "/settings/model.false_alarms_by_class";
    let number = |n: i64| json!({"value": json!({class.as_str(): n}).to_string()});
    admin.patch(setting, number(0)).await?.expect(422)?;
    admin.patch(setting, number(6)).await?.expect(200)?;
    let counts = engineer.get(&format!("/ai/false-alarms?machine_id={machine}")).await?.expect(200)?;
    assert_eq!(counts["promised"], 6, "{counts}");
    let all = engineer.get("/ai/false-alarms").await?.expect(200)?;
    let of_class = |c: &&Value| c["machine_class"] == class.as_str();
    let row = all["by_class"].as_array().and_then(|rows| rows.iter().find(of_class)).context("the class")?;
    assert_eq!((&row["promised"], &row["alarms"]), (&json!(6), &json!(1)), "{all}");
    Ok(())
}

#[tokio::test]
async fn a_replaced_sensor_and_an_overhauled_machine_are_learned_anew() -> Result<()> {
    let (stack, engineer, _) = stack().await?;
    let viewer = Client::new(&stack.base_url()).sign_in(VIEWER).await?;
    let until_s = now_s()? - 200;
    let (machine, sensor) = sensor_at_a_new_set_point(&stack, &engineer, until_s).await?;
    report(&engineer, &sensor, until_s + 5).await?;
    let of_sensor = format!("/sensors/{sensor}/reference/restart");
    let of_machine = format!("/machines/{machine}/references/restart");
    let replaced = json!({"reason": "sensor_replaced", "note": "another type"});
    for path in [&of_sensor, &of_machine] {
        viewer.post(path, replaced.clone()).await?.expect(403)?;
        for body in [json!({}), json!({"reason": "banana"})] {
            let refused = engineer.post(path, body).await?.expect(422)?;
            assert_eq!(refused["errors"][0]["loc"], json!(["body", "reason"]), "{path}");
        }
    }
    for unknown in [
        format!("/sensors/{UNKNOWN_ID}/reference/restart"),
        format!("/machines/{UNKNOWN_ID}/references/restart"),
    ] {
        engineer.post(&unknown, replaced.clone()).await?.expect(404)?;
    }
    engineer.get(&format!("/machines/{UNKNOWN_ID}/references")).await?.expect(404)?;

    let restart = engineer.post(&of_sensor, replaced).await?.expect(201)?;
    assert_eq!((&restart["sensor_id"], &restart["note"]), (&json!(sensor), &json!("another type")));
    let references = viewer.get(&format!("/machines/{machine}/references")).await?.expect(200)?;
    assert_eq!(
        (&references[0]["reference"], &references[0]["at"]),
        (&Value::Null, &Value::Null),
        "{references}"
    );
    assert_eq!(references[0]["restart"]["reason"], "sensor_replaced");
    // what is measured from now on is learned from; the alarm's condition is gone
    let now = now_s()? + 1;
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    report(&engineer, &sensor, now).await?;
    let predictions = engineer.get(&format!("/predictions?sensor_id={sensor}&limit=1")).await?.expect(200)?;
    assert_eq!(predictions[0]["status"], "buffering", "{predictions}");
    let alarms = engineer.get(&format!("/alarms?sensor_id={sensor}")).await?.expect(200)?;
    assert_eq!(alarms[0]["condition_active"], false, "{alarms}");

    engineer.post(&of_machine, json!({"reason": "overhaul"})).await?.expect(201)?;
    let references = viewer.get(&format!("/machines/{machine}/references")).await?.expect(200)?;
    assert_eq!(
        (&references[0]["restart"]["reason"], &references[0]["restart"]["sensor_id"]),
        (&json!("overhaul"), &Value::Null)
    );
    let audit = texts(
        &stack,
        "select concat_ws(' ', action_type, metadata -> 'after' ->> 'reason') from audit_log
         where resource_type = 'reference' order by created_at",
    )
    .await?;
    assert_eq!(audit, ["restart_reference sensor_replaced", "restart_reference overhaul"]);
    Ok(())
}

#[tokio::test]
async fn a_closing_code_starts_references_anew() -> Result<()> {
    let (stack, engineer, [machine, _]) = stack().await?;
    let sensors = engineer.get(&format!("/sensors?machine_id={machine}")).await?.expect(200)?;
    let sensor = text(&sensors[0], "id")?;
    let body =
        json!({"machine_id": machine, "sensor_id": sensor, "severity": "warning", "message": "drifts"});
    let about_sensor = text(&engineer.post("/alarms", body).await?.expect(201)?, "id")?.to_owned();
    let about_machine = raise(&engineer, &machine, "warning", "noise").await?;
    let ticket = async |alarm: &str| -> Result<String> {
        let tickets = engineer.get(&format!("/tickets?alarm_id={alarm}")).await?.expect(200)?;
        Ok(format!("/tickets/{}", text(&tickets[0], "id")?))
    };
    let restarts = "select concat_ws(' ', reason, sensor_id) from reference_restarts order by created_at";
    let (of_sensor, of_machine) = (ticket(&about_sensor).await?, ticket(&about_machine).await?);

    let early = engineer.patch(&of_sensor, json!({"closing_code": "repaired"})).await?.expect(400)?;
    assert_eq!(early["detail"], "A closing code belongs to a ticket whose work has ended");
    let unknown = engineer.patch(&of_sensor, json!({"closing_code": "banana"})).await?.expect(422)?;
    assert_eq!(unknown["errors"][0]["loc"], json!(["body", "closing_code"]));
    let vague = json!({"status": "resolved", "closing_code": "sensor_replaced"});
    let vague = engineer.patch(&of_machine, vague).await?.expect(400)?;
    assert!(text(&vague, "detail")?.starts_with("closing_code: "), "{vague}");

    let done = json!({"status": "resolved", "closing_code": "sensor_replaced"});
    let closed = engineer.patch(&of_sensor, done).await?.expect(200)?;
    assert_eq!(closed["closing_code"], "sensor_replaced");
    // the same again, and another note, start nothing
    engineer.patch(&of_sensor, json!({"closing_code": "sensor_replaced"})).await?.expect(200)?;
    engineer.patch(&of_sensor, json!({"resolution_notes": "PT100"})).await?.expect(200)?;
    assert_eq!(texts(&stack, restarts).await?, [format!("sensor_replaced {sensor}")]);
    let overhauled = json!({"status": "resolved", "closing_code": "overhaul"});
    engineer.patch(&of_machine, overhauled).await?.expect(200)?;
    assert_eq!(texts(&stack, restarts).await?, [format!("sensor_replaced {sensor}"), "overhaul".to_owned()]);
    let reopened = engineer.patch(&of_machine, json!({"status": "open"})).await?.expect(200)?;
    assert_eq!(reopened["closing_code"], Value::Null);
    Ok(())
}
