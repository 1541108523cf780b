//! Bursts of vibration samples: stored once, diagnosed, and their features are readings like all others.

use crate::{
    client::{Client, ENGINEER, VIEWER},
    machines::now,
};
use anyhow::{Context, Result};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use pm_vibration::{
    Bearing,
    simulate::{Defect, Plan},
};
use serde_json::{Value, json};

const RATE_HZ: f64 = 20_480.0;
const RPM: f64 = 1482.0;

struct Rig {
    stack: Stack,
    client: Client,
    machine: String,
    sensor: String,
}

/// A machine with an accelerometer and a bearing of the library.
async fn rig() -> Result<Rig> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let client = Client::new(&stack.base_url()).sign_in(ENGINEER).await?;
    let machine = client.post("/machines", json!({"name": "Fan 7"})).await?.expect(201)?;
    let machine = machine["id"].as_str().context("no id")?.to_owned();
    let new =
        json!({"machine_id": machine, "name": "Drive end", "sensor_type": "acceleration", "unit": "m/s²"});
    let sensor = client.post("/sensors", new).await?.expect(201)?;
    let sensor = sensor["id"].as_str().context("no id")?.to_owned();
    let known = client.get("/bearings").await?.expect(200)?;
    let known = known.as_array().and_then(|k| k.first()).context("no bearing")?;
    let element = json!({"name": "DE", "kind": "bearing", "count": known["count"],
        "element_diameter": known["element_diameter"], "pitch_diameter": known["pitch_diameter"]});
    let put = put(&client, &machine, json!([element, {"name": "gear", "kind": "gear", "count": 23}])).await?;
    let put = put.expect(200)?;
    assert!((put[0]["marks"][0]["order"].as_f64().context("no order")? - 3.5848).abs() < 1e-3, "{put}");
    assert_eq!(put[1]["marks"][0]["order"], 23.0);
    assert_eq!(client.get(&format!("/machines/{machine}/elements")).await?.expect(200)?, put);
    Ok(Rig { stack, client, machine, sensor })
}

async fn put(client: &Client, machine: &str, body: Value) -> Result<crate::client::Answer> {
    let headers = [("content-type", "application/json")];
    client.send(Method::PUT, &format!("/machines/{machine}/elements"), &headers, body.to_string()).await
}

fn plan(defect: Option<Defect>) -> Result<Plan> {
    let bearing = Bearing::new(9, 7.940_04, 39.039_8, 0.0)?;
    let defect = defect.map(|d| (bearing, d, 4.0));
    Ok(Plan { defect, shaft: vec![3.0], ..Plan::healthy(65_536, RATE_HZ, RPM) })
}

fn burst(samples: &[f64]) -> Result<Value> {
    let bytes: Vec<u8> = samples.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
    Ok(json!({"timestamp": now()?, "rate_hz": RATE_HZ, "rpm": RPM, "axis": "radial",
              "data": STANDARD.encode(bytes), "encoding": "float32"}))
}

/// The parts that a diagnosis ranks, the likeliest first.
fn parts(diagnosis: &Value) -> Vec<Value> {
    diagnosis["findings"].as_array().into_iter().flatten().map(|f| f["part"].clone()).collect()
}

#[tokio::test]
async fn a_burst_is_stored_once_diagnosed_and_drawn() -> Result<()> {
    let Rig { stack, client, sensor, .. } = rig().await?;
    let path = format!("/sensors/{sensor}/waveforms");
    let body = burst(&plan(Some(Defect::Outer))?.run(1))?;
    let viewer = Client::new(&stack.base_url()).sign_in(VIEWER).await?;
    viewer.post(&path, body.clone()).await?.expect(403)?;
    let stored = client.post(&path, body.clone()).await?.expect(201)?;
    let diagnosis = &stored["analysis"]["diagnosis"];
    assert_eq!(diagnosis["verdict"], "fault", "{diagnosis}");
    assert_eq!(diagnosis["findings"][0]["part"], "outer_race");
    assert_eq!((&stored["unit"], &stored["samples"]), (&json!("m/s²"), &json!(65_536)));
    // the same burst again is the same burst; another one at its time is a conflict
    assert_eq!(client.post(&path, body.clone()).await?.expect(200)?, stored);
    let mut other = burst(&plan(None)?.run(2))?;
    other["timestamp"] = body["timestamp"].clone();
    client.post(&path, other).await?.expect(409)?;
    let list = viewer.get(&path).await?.expect(200)?;
    assert_eq!(list, json!([stored]));

    let one = format!("{path}/{}", stored["id"].as_str().context("no id")?);
    let again = viewer.get(&format!("{one}/diagnosis")).await?.expect(200)?;
    // computed again: the last digits may differ from those that were stored
    let said = |d: &Value| (d["verdict"].clone(), parts(d));
    assert_eq!(said(&again), said(diagnosis));
    let spectrum = viewer.get(&format!("{one}/spectrum?velocity=true&points=500")).await?.expect(200)?;
    assert_eq!(spectrum["unit"], "mm/s");
    assert!(spectrum["hz"].as_array().context("no points")?.len() <= 500);
    let shaft = &spectrum["peaks"][0];
    assert!((shaft["order"].as_f64().context("no order")? - 1.0).abs() < 0.02, "{shaft}");
    let envelope = viewer.get(&format!("{one}/envelope")).await?.expect(200)?;
    let line = envelope["peaks"][0]["hz"].as_f64().context("no line")?;
    let marks = envelope["marks"].as_array().context("no marks")?;
    let bpfo =
        marks.iter().find(|m| m["name"] == "DE BPFO").and_then(|m| m["hz"].as_f64()).context("no mark")?;
    assert!((line / bpfo - 1.0).abs() < 0.02, "{line} {bpfo}");
    let curve = viewer.get(&format!("{one}/curve?points=100")).await?.expect(200)?;
    assert_eq!(curve["least"].as_array().map(Vec::len), Some(100));
    Ok(())
}

#[tokio::test]
async fn features_are_readings_with_limits_and_alarms() -> Result<()> {
    let Rig { stack: _stack, client, machine, sensor } = rig().await?;
    let path = format!("/sensors/{sensor}/waveforms");
    client.post(&path, burst(&plan(None)?.run(3))?).await?.expect(201)?;
    let found = client.get(&format!("/sensors?machine_id={machine}&search=velocity")).await?.expect(200)?;
    let feature = &found[0];
    assert_eq!(
        (&feature["name"], &feature["unit"]),
        (&json!("Drive end velocity RMS 10–1000 Hz"), &json!("mm/s"))
    );
    // a line of 3 m/s² at 24.7 Hz, and a little noise
    let theory = 1000.0 * 3.0 / 2.0_f64.sqrt() / (std::f64::consts::TAU * RPM / 60.0);
    let value = feature["latest"]["value"].as_f64().context("no value")?;
    assert!((value / theory - 1.0).abs() < 0.03, "{value} {theory}");

    let limit = json!({"warning_threshold": value / 2.0}).to_string();
    let headers = [("content-type", "application/json")];
    let id = feature["id"].as_str().context("no id")?;
    client.send(Method::PATCH, &format!("/sensors/{id}"), &headers, limit).await?.expect(200)?;
    client.post(&path, burst(&plan(None)?.run(4))?).await?.expect(201)?;
    let alarms = client.get(&format!("/machines/{machine}/alarms")).await?.expect(200)?;
    assert_eq!((&alarms[0]["kind"], &alarms[0]["sensor_id"]), (&json!("threshold"), &json!(id)), "{alarms}");
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_said_and_what_is_wrong_is_refused_by_its_field() -> Result<()> {
    let Rig { stack: _stack, client, machine, sensor } = rig().await?;
    let path = format!("/sensors/{sensor}/waveforms");
    let mut without_speed = burst(&plan(None)?.run(5))?;
    without_speed["rpm"] = Value::Null;
    let stored = client.post(&path, without_speed).await?.expect(201)?;
    let diagnosis = &stored["analysis"]["diagnosis"];
    assert_eq!(diagnosis["verdict"], "not_assessed");
    assert!(diagnosis["missing"][0].as_str().is_some_and(|m| m.starts_with("rpm:")), "{diagnosis}");

    let few: Vec<f64> = (0..100).map(f64::from).collect();
    let many: Vec<f64> = (0..300).map(f64::from).collect();
    for (body, field) in [
        (json!({"rate_hz": 1000, "samples": few}), "samples"),
        (json!({"rate_hz": 0, "samples": many}), "rate_hz"),
        (json!({"rate_hz": 1000, "samples": vec![1.0; 300]}), "samples"),
        (json!({"rate_hz": 1000}), "samples"),
        (json!({"rate_hz": 1000, "data": "AAAA"}), "encoding"),
        (json!({"rate_hz": 1000, "data": "!!!!", "encoding": "int16"}), "data"),
        (json!({"rate_hz": 1000, "samples": many, "scale": 0}), "scale"),
        (json!({"rate_hz": 1000, "samples": many, "rpm": -1}), "rpm"),
        (json!({"rate_hz": 1000, "samples": many, "timestamp": "1990-01-01T00:00:00Z"}), "timestamp"),
    ] {
        let refused = client.post(&path, body.clone()).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", field]), "{body} {refused}");
    }
    let unknown = "/sensors/01890000-0000-7000-8000-000000000000/waveforms";
    client.post(unknown, json!({"rate_hz": 1000, "samples": many})).await?.expect(404)?;
    for (element, field) in [
        (json!({"name": "a", "kind": "bearing", "count": 9}), "pitch_diameter"),
        (
            json!({"name": "a", "kind": "bearing", "count": 9, "element_diameter": 9, "pitch_diameter": 8}),
            "element_diameter",
        ),
        (json!({"name": "a", "kind": "gear"}), "count"),
        (json!({"name": "a", "kind": "gear", "count": 20, "ratio": 0}), "ratio"),
    ] {
        let refused = put(&client, &machine, json!([element])).await?.expect(422)?;
        assert_eq!(refused["errors"][0]["loc"], json!(["body", 0, field]), "{refused}");
    }
    let two = json!([{"name": "a", "kind": "gear", "count": 2}, {"name": "a", "kind": "gear", "count": 3}]);
    let refused = put(&client, &machine, two).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body", 1, "name"]));
    put(&client, "01890000-0000-7000-8000-000000000000", json!([])).await?.expect(404)?;
    Ok(())
}
