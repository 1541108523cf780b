//! Reports: what is in them against the database itself, who may have them, how long, and schedules.

use crate::{
    client::{ADMIN, Client, ENGINEER, VIEWER, with_bridge},
    report_fixture::{UNICODE_MACHINE, keep, owner, pdf_pages, pdf_text, seed_history, workbook},
};
use anyhow::{Context, Result};
use pm_api::Timestamp;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};

const FROM: &str = "2026-03-02T00:00:00Z";
const TO: &str = "2026-03-08T23:59:59Z";

async fn start() -> Result<(Stack, Client)> {
    let stack =
        Stack::start(StackOptions { demo: true, without_bridge: true, ..StackOptions::default() }).await?;
    let client = Client::new(&stack.base_url());
    Ok((stack, client))
}

async fn generate(client: &Client, body: Value) -> Result<(Value, Vec<u8>)> {
    let made = client.post("/reports/generate", body).await?.expect(200)?;
    let file = client.get(made["url"].as_str().context("no url")?).await?;
    assert_eq!(file.status, 200);
    assert_eq!(file.headers["content-length"].to_str()?, made["file_size"].to_string());
    assert_eq!(file.body.len().to_string(), made["file_size"].to_string());
    Ok((made, file.body.to_vec()))
}

/// Sheet, row that begins with a text, column by its title.
fn cell<'v>(book: &'v Value, sheet: &str, first: &str, second: Option<&str>, title: &str) -> &'v Value {
    let rows = book["sheets"][sheet]["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let column = rows.first().and_then(|r| r.as_array()?.iter().position(|t| t == title));
    let row = rows.iter().find(|r| r[0] == first && second.is_none_or(|s| r[1] == s));
    row.zip(column).map_or(&Value::Null, |(row, column)| &row[column])
}

#[tokio::test]
async fn csv_holds_every_reading_of_the_range() -> Result<()> {
    let (stack, nobody) = start().await?;
    let db = owner(&stack).await?;
    seed_history(&db).await?;
    let viewer = nobody.sign_in(VIEWER).await?;
    let sensor: uuid::Uuid =
        db.query_one("select id from sensors where mqtt_id = 'pressure-head'", &[]).await?.get(0);
    for (body, filter) in [
        (json!({"format": "csv", "date_from": FROM, "date_to": TO}), "true".to_owned()),
        // format is csv unless given; both ends belong to the range
        (
            json!({"sensor_id": sensor, "date_from": "2026-03-03T10:00:00Z", "date_to": "2026-03-03T11:00:00Z"}),
            format!("sensor_id = '{sensor}' and time between '2026-03-03 10:00Z' and '2026-03-03 11:00Z'"),
        ),
        (json!({}), "true".to_owned()),
    ] {
        let (made, file) = generate(&viewer, body.clone()).await?;
        let oracle = format!(
            "select (extract(epoch from time) * 1000000)::int8, machine_id, sensor_id, value, status from sensor_data \
             where {filter} order by time, sensor_id"
        );
        let rows = db.query(&oracle, &[]).await?;
        let mut expected = "timestamp,machine_id,sensor_id,value,status\r\n".to_owned();
        for row in &rows {
            let time = Timestamp(row.get(0)).to_string().replace('Z', "+00:00");
            let (machine, sensor): (uuid::Uuid, uuid::Uuid) = (row.get(1), row.get(2));
            let (value, status): (f64, i16) = (row.get(3), row.get(4));
            let status = ["normal", "warning", "critical"][usize::try_from(status)?];
            expected += &format!("{time},{machine},{sensor},{value:?},{status}\r\n");
        }
        assert!(rows.len() > 50, "{body}: {}", rows.len());
        assert_eq!(String::from_utf8(file)?, expected, "{body}");
        assert_eq!((&made["readings"], &made["truncated"]), (&json!(rows.len()), &json!(false)));
    }
    Ok(())
}

#[tokio::test]
async fn the_workbook_agrees_with_the_database() -> Result<()> {
    let (stack, nobody) = start().await?;
    let db = owner(&stack).await?;
    seed_history(&db).await?;
    let engineer = nobody.sign_in(ENGINEER).await?;
    let body = json!({"format": "xlsx", "date_from": FROM, "date_to": TO, "title": "=1+1 Week 10", "utc_offset_minutes": 60});
    let (made, file) = generate(&engineer, body).await?;
    let book = workbook(&keep("week.xlsx", &file)?)?;
    let names = ["Summary", "Machines", "Sensors", "Alarms", "Predictions", "Tickets", "Trends", "Readings"];
    for name in names {
        assert!(book["sheets"][name].is_object(), "{name}");
        assert_eq!(book["sheets"][name]["formulas"], 0, "{name}");
        assert!(name == "Summary" || book["sheets"][name]["freeze"] == "A2", "{name}");
    }
    assert_eq!(book["sheets"]["Trends"]["charts"], 6);
    assert_eq!(book["sheets"]["Summary"]["rows"][0][0], "=1+1 Week 10");

    // every sensor's figures
    let oracle = "
        select m.name, s.name, count(*), min(value), avg(value), max(value), stddev_samp(value),
               count(*) filter (where d.status = 1) / 60.0::float8, count(*) filter (where d.status = 2) / 60.0::float8
        from sensor_data d join sensors s on s.id = d.sensor_id join machines m on m.id = s.machine_id
        where time between '2026-03-02' and '2026-03-08 23:59:59Z' group by 1, 2";
    let sensors = db.query(oracle, &[]).await?;
    assert_eq!(sensors.len(), 16);
    let mut readings = 0;
    for row in &sensors {
        let (machine, sensor, count): (String, String, i64) = (row.get(0), row.get(1), row.get(2));
        let found = |title| cell(&book, "Sensors", &machine, Some(&sensor), title);
        assert_eq!(found("Readings"), &json!(count), "{machine} {sensor}");
        readings += count;
        for (title, column) in [
            ("Min", 3),
            ("Mean", 4),
            ("Max", 5),
            ("Std. dev.", 6),
            ("Time in warning [h]", 7),
            ("Time in critical [h]", 8),
        ] {
            let (found, expected) = (found(title).as_f64().context(title)?, row.get::<_, f64>(column));
            assert!(
                (found - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
                "{machine} {sensor} {title}: {found} {expected}"
            );
        }
    }
    assert_eq!(made["readings"], json!(readings));
    assert_eq!(book["sheets"]["Readings"]["rows"].as_array().map(Vec::len), Some(50_001));
    assert_eq!(made["truncated"], true);
    let newest = &book["sheets"]["Readings"]["rows"][50_000];
    assert_eq!(newest[0], "2026-03-09T00:59:00", "in the zone that was asked for");
    let types = book["sheets"]["Readings"]["types"].as_array().context("no types")?;
    assert_eq!(types[..6], ["d", "s", "s", "s", "n", "s"]);

    // machine-1 of seven days less a second: down 3 h and 1 h; forecasts are no failures
    let whole_h = 7.0 * 24.0 - 1.0 / 3600.0;
    let of = |machine: &str, title| cell(&book, "Machines", machine, None, title).as_f64();
    let near = |a: Option<f64>, b: f64| a.is_some_and(|a| (a - b).abs() < 1e-3);
    assert_eq!(cell(&book, "Machines", "Pump-01", None, "Failures"), &json!(2));
    for (title, expected) in [
        ("Down time [h]", 4.0),
        ("Up time [h]", whole_h - 4.0),
        ("Availability", 1.0 - 4.0 / whole_h),
        ("MTBF [h]", (whole_h - 4.0) / 2.0),
        ("MTTR [h]", 2.0),
        ("Observed", 1.0),
    ] {
        assert!(near(of("Pump-01", title), expected), "{title}: {:?} {expected}", of("Pump-01", title));
    }
    // machine-3 was silent for six hours
    assert!(
        near(of("Compressor-A", "Observed"), (whole_h - 6.0) / whole_h),
        "{:?}",
        of("Compressor-A", "Observed")
    );
    assert!(near(of("Compressor-A", "Availability"), 1.0));
    assert_eq!(cell(&book, "Machines", "Compressor-A", None, "MTBF [h]"), &Value::Null);

    let alarms = book["sheets"]["Alarms"]["rows"].as_array().context("no alarms")?;
    assert_eq!(alarms.len(), 6);
    assert_eq!(alarms[1][0], "2026-03-08T21:00:00", "newest first");
    let seal = alarms.iter().find(|a| a[4] == "Pressure at the head").context("no alarm")?;
    assert_eq!(
        (&seal[8], &seal[9], &seal[11], &seal[13]),
        (
            &json!("2026-03-03T13:00:00"),
            &json!("2026-03-03T11:05:00"),
            &json!("2026-03-03T15:00:00"),
            &json!("Seal changed; =1+1 is no formula")
        )
    );
    let worst = &book["sheets"]["Predictions"]["rows"][1];
    assert_eq!(
        (&worst[1], &worst[2], &worst[4]),
        (&json!("Pressure at the head"), &json!(7 * 138), &json!(7 * 6))
    );
    assert!(near(worst[6].as_f64(), (138.0 * 0.2 + 6.0 * 0.9) / 144.0), "{worst}");
    assert_eq!((&worst[8], &worst[9]), (&json!(0.9), &json!(80)));
    assert_eq!(book["sheets"]["Tickets"]["rows"].as_array().map(Vec::len), Some(5));
    Ok(())
}

#[tokio::test]
async fn the_pdf_holds_the_figures_of_the_database() -> Result<()> {
    let (stack, nobody) = start().await?;
    let db = owner(&stack).await?;
    seed_history(&db).await?;
    let viewer = nobody.sign_in(VIEWER).await?;
    let body = json!({"format": "pdf", "date_from": FROM, "date_to": TO, "title": "Wochenbericht für Halle Süd — Отчёт"});
    let (made, file) = generate(&viewer, body).await?;
    let path = keep("week.pdf", &file)?;
    let text = pdf_text(&path)?;
    let pages = pdf_pages(&path)?;
    for expected in [
        "Wochenbericht für Halle Süd — Отчёт",
        "Насос-7",
        "«Kühlung",
        "Ωμέγα»",
        "2026-03-02 00:00 to 2026-03-08 23:59 (UTC)",
        "°C",
        "Machine performance",
        "97.6 %",
        "159,840",
        "Seal changed;",
        "warning from 150.0, critical from 180.0",
        "15341",
        &format!("Page 1 of {}", pages.len()),
        &format!("Page {0} of {0}", pages.len()),
    ] {
        assert!(text.contains(expected), "{expected} is not in:\n{text}");
    }
    assert!(!text.contains('\u{fffd}'), "{text}");
    assert!(pages.len() >= 4, "{pages:?}");
    assert_eq!(made["readings"], 159_840);

    // the same of one machine, and of a time when there was nothing
    let machine: uuid::Uuid =
        db.query_one("select id from machines where mqtt_id = 'machine-2'", &[]).await?.get(0);
    let body = json!({"format": "pdf", "date_from": FROM, "date_to": TO, "machine_id": machine});
    let text = pdf_text(&keep("machine.pdf", &generate(&viewer, body).await?.1)?)?;
    assert!(text.contains(&format!("Machine {UNICODE_MACHINE}")) && !text.contains("Pump-01"), "{text}");
    for format in ["pdf", "xlsx", "csv"] {
        let body = json!({"format": format, "date_from": "2001-01-01", "date_to": "2001-01-31"});
        let (made, file) = generate(&viewer, body).await?;
        assert_eq!(made["readings"], 0);
        let path = keep(&format!("empty.{format}"), &file)?;
        let notice = "No readings, alarms, predictions or tickets were stored";
        match format {
            "pdf" => {
                assert!(pdf_text(&path)?.contains(notice));
                assert!(!pdf_pages(&path)?.is_empty());
            }
            "xlsx" => assert!(workbook(&path)?["sheets"]["Summary"].to_string().contains(notice)),
            _ => assert_eq!(file, b"timestamp,machine_id,sensor_id,value,status\r\n"),
        }
    }
    Ok(())
}

#[tokio::test]
async fn an_invalid_report_request_names_the_field() -> Result<()> {
    let (_stack, nobody) = start().await?;
    let viewer = nobody.sign_in(VIEWER).await?;
    for (body, field) in [
        (json!({"format": "docx"}), "format"),
        (json!({"date_from": "yesterday"}), "date_from"),
        (json!({"date_from": "2026-02-02", "date_to": "2026-02-01"}), "date_from"),
        (json!({"machine_id": "x"}), "machine_id"),
        (json!({"sensor_id": 7}), "sensor_id"),
        (json!({"title": "x".repeat(121)}), "title"),
        (json!({"utc_offset_minutes": 900}), "utc_offset_minutes"),
    ] {
        let problem = viewer.post("/reports/generate", body.clone()).await?.expect(422)?;
        assert_eq!(problem["errors"][0]["loc"], json!(["body", field]), "{body}: {problem}");
    }
    let unknown = "01890000-0000-7000-8000-000000000000";
    viewer.post("/reports/generate", json!({"machine_id": unknown})).await?.expect(404)?;
    viewer.post("/reports/generate", json!({"sensor_id": unknown, "format": "pdf"})).await?.expect(404)?;
    // as far as times go
    for format in ["csv", "pdf", "xlsx"] {
        let body =
            json!({"format": format, "date_from": "0001-01-01T00:00:00Z", "date_to": "9999-12-31T23:59:59Z"});
        viewer.post("/reports/generate", body).await?.expect(200)?;
    }
    Ok(())
}

#[tokio::test]
async fn reports_are_read_by_their_maker_recipients_and_engineers() -> Result<()> {
    let (stack, nobody) = start().await?;
    let admin = nobody.sign_in(ADMIN).await?;
    admin.patch("/settings/password.change_first", json!({"value": "false"})).await?.expect(200)?;
    let other = ("other@example.com", "other-123");
    let body = json!({"email": other.0, "password": other.1, "role": "viewer"});
    admin.post("/users", body).await?.expect(201)?;
    let (viewer, other, engineer) =
        (nobody.sign_in(VIEWER).await?, nobody.sign_in(other).await?, nobody.sign_in(ENGINEER).await?);
    let made = viewer.post("/reports/generate", json!({"format": "pdf"})).await?.expect(200)?;
    let twin = viewer.post("/reports/generate", json!({"format": "pdf"})).await?.expect(200)?;
    assert_ne!(made["report_name"], twin["report_name"]);
    let (name, id) =
        (made["report_name"].as_str().context("no name")?, made["id"].as_str().context("no id")?);
    let paths =
        [format!("/reports/download/{name}"), format!("/reports/{name}"), format!("/reports/{id}/download")];
    for path in &paths {
        assert_eq!(nobody.get(path).await?.status, 401, "{path}");
        assert_eq!(other.get(path).await?.status, 404, "{path}");
        for client in [&viewer, &engineer, &admin] {
            let file = client.get(path).await?;
            assert_eq!(
                (file.status.as_u16(), &file.headers["content-type"]),
                (200, &"application/pdf".parse()?)
            );
            let shown = file.headers["content-disposition"].to_str()?;
            assert_eq!(shown, format!("inline; filename=\"{name}\""));
        }
    }
    for (client, expected) in [(&viewer, 2), (&other, 0), (&engineer, 2)] {
        let list = client.get("/reports?limit=1").await?;
        assert_eq!(list.headers["x-total-count"].to_str()?, expected.min(2).to_string());
        let list = client.get("/reports").await?.expect(200)?;
        assert_eq!(list.as_array().map(Vec::len), Some(expected));
    }
    let listed = &viewer.get("/reports").await?.expect(200)?[1];
    assert_eq!((&listed["id"], &listed["file_size"]), (&made["id"], &made["file_size"]));
    assert_eq!(listed["sha256"].as_str().map(str::len), Some(64));

    for path in
        ["..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c..%5cx", "%252e%252e%252fx", "a%2fb", "%00", ".hidden"]
    {
        let refused = viewer.get(&format!("/reports/download/{path}")).await?.expect(403)?;
        assert_eq!(refused["detail"], "Invalid file path", "{path}");
    }
    viewer.get("/reports/download/report_20200101_000000.csv").await?.expect(404)?;
    viewer.get("/reports/x/download").await?.expect(422)?;

    // removed by its owner only; or by an engineer; or by time
    other.delete(&format!("/reports/{id}")).await?.expect(404)?;
    assert_eq!(viewer.delete(&format!("/reports/{id}")).await?.status, 204);
    viewer.get(&paths[0]).await?.expect(404)?;
    let db = owner(&stack).await?;
    db.execute("update reports set expires_at = now() - interval '1 second'", &[]).await?;
    viewer.get(twin["url"].as_str().context("no url")?).await?.expect(404)?;
    assert_eq!(viewer.get("/reports").await?.expect(200)?, json!([]));
    let service = nobody.with_token(stack.service_token());
    service.post("/internal/reports", json!({})).await?.expect(200)?;
    let left: i64 = db
        .query_one("select (select count(*) from reports) + (select count(*) from report_pieces)", &[])
        .await?
        .get(0);
    assert_eq!(left, 0);
    let audited = "select count(*) from audit_log where resource_type = 'report' and action_type = any ('{create,delete}')";
    assert_eq!(db.query_one(audited, &[]).await?.get::<_, i64>(0), 3);
    Ok(())
}

#[tokio::test]
async fn a_schedule_makes_and_mails_its_report_when_due() -> Result<()> {
    let (stack, nobody) = with_bridge(StackOptions { demo: true, ..StackOptions::default() }).await?;
    let (viewer, engineer) = (nobody.sign_in(VIEWER).await?, nobody.sign_in(ENGINEER).await?);
    let body = json!({"name": "Daily report", "cadence": "daily", "hour": 6, "recipients": [VIEWER.0]});
    viewer.post("/reports/schedules", body.clone()).await?.expect(403)?;
    for (change, field) in [
        (json!({"cadence": "hourly"}), "cadence"),
        (json!({"hour": 24}), "hour"),
        (json!({"weekday": 7}), "weekday"),
        (json!({"recipients": []}), "recipients"),
        (json!({"recipients": ["nobody"]}), "recipients"),
        (json!({"recipients": "a@example.com"}), "recipients"),
        (json!({"name": " "}), "name"),
        (json!({"format": "docx"}), "format"),
        (json!({"name": null, "cadence": "daily"}), "name"),
    ] {
        let mut bad = body.clone();
        for (name, value) in change.as_object().into_iter().flatten() {
            bad[name] = value.clone();
        }
        let problem = engineer.post("/reports/schedules", bad).await?.expect(422)?;
        assert_eq!(problem["errors"][0]["loc"], json!(["body", field]), "{change}: {problem}");
    }
    let made = engineer.post("/reports/schedules", body).await?.expect(201)?;
    let path = format!("/reports/schedules/{}", made["id"].as_str().context("no id")?);
    assert_eq!(
        (&made["format"], &made["is_active"], &made["last_run_at"]),
        (&json!("pdf"), &json!(true), &Value::Null)
    );
    let next: Timestamp = made["next_run_at"].as_str().context("no next run")?.parse()?;
    assert!(next.to_string().ends_with("T06:00:00.000000Z"), "{next}");
    let changed = engineer
        .patch(&path, json!({"hour": 8, "utc_offset_minutes": 120, "format": "xlsx"}))
        .await?
        .expect(200)?;
    assert_eq!((&changed["next_run_at"], &changed["name"]), (&made["next_run_at"], &json!("Daily report")));
    assert_eq!(engineer.get("/reports").await?.expect(200)?, json!([]));

    // three days pass while nothing runs: one report, of the newest day that has ended
    let db = owner(&stack).await?;
    db.execute("update report_schedules set next_run_at = next_run_at - interval '3 days'", &[]).await?;
    let report = viewer.wait_for("/reports", |list| list.as_array()?.first().cloned()).await?;
    assert_eq!((&report["title"], &report["schedule_id"]), (&json!("Daily report"), &made["id"]));
    let day = |field: &str| anyhow::Ok(report[field].as_str().context("no time")?.parse::<Timestamp>()?);
    assert_eq!(day("date_to")?.seconds_since(day("date_from")?), 86_400.0);
    assert_eq!(next.seconds_since(day("date_to")?), 86_400.0);
    assert_eq!(viewer.get(report["url"].as_str().context("no url")?).await?.status, 200);
    let done = engineer.wait_for(&path, |s| s["last_run_at"].is_string().then(|| s.clone())).await?;
    let mail = "select recipient, body_text from mails where kind = 'report'";
    let mails = db.query(mail, &[]).await?;
    assert_eq!((mails.len(), mails[0].get::<_, &str>(0)), (1, VIEWER.0));
    assert_eq!((&done["next_run_at"], &done["last_error"]), (&made["next_run_at"], &Value::Null));
    assert_eq!(viewer.get("/reports").await?.expect(200)?.as_array().map(Vec::len), Some(1));

    assert_eq!(engineer.delete(&path).await?.status, 204);
    engineer.get(&path).await?.expect(404)?;
    let kept = &viewer.get("/reports").await?.expect(200)?[0];
    assert_eq!((&kept["id"], &kept["schedule_id"]), (&report["id"], &Value::Null));
    Ok(())
}

#[tokio::test]
async fn reports_have_a_quota_for_an_account_and_in_all() -> Result<()> {
    let (stack, nobody) = start().await?;
    let db = owner(&stack).await?;
    let (viewer, engineer, admin) =
        (nobody.sign_in(VIEWER).await?, nobody.sign_in(ENGINEER).await?, nobody.sign_in(ADMIN).await?);
    for key in ["account_max_mib", "total_max_mib"] {
        let value = if key == "account_max_mib" { "64" } else { "128" };
        admin.patch(&format!("/settings/reports.{key}"), json!({"value": value})).await?.expect(200)?;
    }
    let (made, _) = generate(&viewer, json!({})).await?;
    db.execute("update reports set file_size = 60 * 1024 * 1024", &[]).await?;
    let refused = viewer.post("/reports/generate", json!({})).await?.expect(409)?;
    assert_eq!(refused["detail"], "Your reports may take 64 MiB in all: delete some that you no longer need");
    generate(&engineer, json!({})).await?;
    db.execute("update reports set file_size = 60 * 1024 * 1024", &[]).await?;
    let refused = admin.post("/reports/generate", json!({})).await?.expect(409)?;
    assert_eq!(refused["detail"], "The reports of all accounts may take 128 MiB: ask an administrator");
    let name = made["report_name"].as_str().context("no name")?;
    let answer = viewer.delete(&format!("/reports/{name}")).await?;
    assert!(answer.status.is_success(), "{}", answer.status);
    generate(&admin, json!({})).await?;
    Ok(())
}
