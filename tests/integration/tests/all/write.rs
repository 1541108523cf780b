//! Line protocol by HTTP, in requests as Telegraf's outputs `influxdb_v2` and `influxdb` send them.

use crate::{
    client::{Answer, Client, ENGINEER},
    sql,
};
use anyhow::{Context, Result};
use flate2::{Compression, write::GzEncoder};
use http::Method;
use pm_test_support::{Stack, StackOptions};
use serde_json::{Value, json};
use std::{
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

const V2: &str = "/api/v2/write?bucket=telegraf&org=plant";

struct Plant {
    _stack: Stack,
    nobody: Client,
    engineer: Client,
    /// An API key for writing.
    key: String,
    db: tokio_postgres::Client,
}

async fn start() -> Result<Plant> {
    let options = StackOptions { demo: true, without_bridge: true, ..StackOptions::default() };
    let stack = Stack::start(options).await?;
    let nobody = Client::new(&stack.base_url());
    let engineer = nobody.sign_in(ENGINEER).await?;
    let body = json!({"name": "Telegraf", "permissions": ["sensor-data.write"]});
    let made = engineer.post("/users/me/api-keys", body).await?.expect(201)?;
    let key = made["key"].as_str().context("no key")?.to_owned();
    let db = sql::connect(stack.db()).await?;
    Ok(Plant { _stack: stack, nobody, engineer, key, db })
}

fn gzip(text: &str) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.finish()?)
}

fn now_ns() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?)
}

impl Plant {
    /// Sends lines packed, as Telegraf does.
    async fn write(&self, path: &str, lines: &str) -> Result<Answer> {
        let authorization = format!("Token {}", self.key);
        let headers = [
            ("user-agent", "Telegraf/1.36.4 Go/1.25.3"),
            ("content-type", "text/plain; charset=utf-8"),
            ("content-encoding", "gzip"),
            ("authorization", authorization.as_str()),
        ];
        self.nobody.send(Method::POST, path, &headers, gzip(lines)?).await
    }

    /// `machine/sensor=value quality`, in order, and the time of each in microseconds.
    async fn stored(&self) -> Result<Vec<(String, i64)>> {
        let rows = "select m.mqtt_id || '/' || s.mqtt_id || '=' || d.value || case d.quality when 0 then '' else ' not good' end,
                           (extract(epoch from d.time) * 1000000)::int8
                    from sensor_data d join sensors s on s.id = d.sensor_id join machines m on m.id = s.machine_id
                    order by 1, 2";
        let rows = self.db.query(rows, &[]).await?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    async fn names(&self) -> Result<Vec<String>> {
        Ok(self.stored().await?.into_iter().map(|(name, _)| name).collect())
    }

    async fn letters(&self) -> Result<Value> {
        self.engineer.get("/mqtt/dead-letters").await?.expect(200)
    }
}

#[tokio::test]
async fn telegraf_writes_as_to_influxdb_2() -> Result<()> {
    let plant = start().await?;
    let ns = now_ns()?;
    let lines = format!(
        "cpu,cpu=cpu0,host=gw1 usage_user=7.5,usage_system=2.25 {ns}\n\
         cpu,cpu=cpu1,host=gw1 usage_user=8.5,usage_system=3.25 {ns}\n\
         opcua,host=gw1,id=ns\\=3;s\\=OilTemp OilTemp=61.5,Quality=\"OK (0x0)\" {ns}\n\
         opcua,host=gw1,id=ns\\=3;s\\=Torque Torque=0,Quality=\"BadCommunicationError (0x80050000)\" {ns}\n\
         modbus,host=gw1,machine=press7,name=Drive,slave_id=1,type=holding_register speed=1480i,running=true,state=\"auto\" {ns}\n"
    );
    let answer = plant.write(V2, &lines).await?;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0), "{:?}", answer.body);
    assert_eq!(answer.headers["x-ignored-fields"], "modbus.Drive.1.holding_register.state");
    let expected = [
        "gw1/cpu.cpu0.usage_system=2.25",
        "gw1/cpu.cpu0.usage_user=7.5",
        "gw1/cpu.cpu1.usage_system=3.25",
        "gw1/cpu.cpu1.usage_user=8.5",
        "gw1/opcua.OilTemp=61.5",
        "gw1/opcua.Torque=0 not good",
        "press7/modbus.Drive.1.holding_register.running=1",
        "press7/modbus.Drive.1.holding_register.speed=1480",
    ];
    let stored = plant.stored().await?;
    assert_eq!(stored.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
    assert!(stored.iter().all(|(_, us)| *us == ns / 1000), "{stored:?}");
    // sent again, because its answer was lost
    assert_eq!(plant.write(V2, &lines).await?.status, 204);
    assert_eq!(plant.names().await?, expected);
    assert_eq!(plant.letters().await?, json!([]));
    Ok(())
}

#[tokio::test]
async fn lines_that_cannot_be_read_are_named_and_the_others_are_stored() -> Result<()> {
    let plant = start().await?;
    let ns = now_ns()?;
    let lines = format!(
        "# a comment\noil,machine=press7 temp=61.5 {ns}\nbroken\noil,machine=press7 temp=nan {ns}\n\
         oil temp=62 {ns}\noil,machine=press7 level=3i {ns}\n\
         oil,machine=press7 level=4i {ns}\n"
    );
    for (path, first) in [(V2, true), ("/write?db=telegraf&rp=autogen&consistency=any", false)] {
        let refused = plant.write(path, &lines).await?.expect(400)?;
        let message = "partial write: unable to parse line 3: no fields; line 4: oil.temp: not a finite number; \
                       line 5: machine_id: not found; values not stored: 1, the dead letters say why";
        assert_eq!(
            refused,
            json!({"code": "invalid", "message": message, "error": message, "line": 3}),
            "{path}, first: {first}"
        );
        assert_eq!(plant.names().await?, ["press7/oil.level=3", "press7/oil.temp=61.5"]);
    }
    let letters = plant.letters().await?;
    let of_lines = letters
        .as_array()
        .into_iter()
        .flatten()
        .find(|letter| letter["payload"].as_str().is_some_and(|p| p.starts_with("broken")));
    let of_lines = of_lines.with_context(|| letters.to_string())?;
    assert_eq!(of_lines["topic"], "(http)/telegraf");
    assert_eq!(of_lines["payload"], format!("broken\noil,machine=press7 temp=nan {ns}\noil temp=62 {ns}\n"));
    Ok(())
}

#[tokio::test]
async fn a_precision_is_kept_and_a_mapping_says_what_tags_mean() -> Result<()> {
    let plant = start().await?;
    let second = now_ns()? / 1_000_000_000 - 1;
    let rules = json!({"topic": "(http)/plc", "machine": "{/tags/plc}", "sensor": "{name}", "value": "/fields/*",
                       "time": "{/timestamp}", "unit": "{/tags/unit}"});
    plant.engineer.post("/mappings", rules).await?.expect(201)?;
    for (precision, count) in [
        ("s", second),
        ("ms", second * 1000 + 1),
        ("us", second * 1_000_000 + 2),
        ("u", second * 1_000_000 + 3),
    ] {
        let path = format!("/api/v2/write?bucket=plc&org=x&precision={precision}");
        let answer = plant.write(&path, &format!("m,plc=p1,unit=bar pressure=1.5 {count}")).await?;
        assert_eq!(answer.status, 204, "{precision}: {:?}", answer.body);
    }
    let times: Vec<_> = plant.stored().await?.into_iter().collect();
    let expected = [0, 2, 3, 1000].map(|us| ("p1/pressure=1.5".to_owned(), second * 1_000_000 + us));
    assert_eq!(times, expected);
    // a count of seconds is no count of nanoseconds
    let refused =
        plant.write("/write?db=plc", &format!("m,plc=p1 pressure=2 {second}")).await?.expect(400)?;
    assert!(
        refused["message"].as_str().is_some_and(|m| m.contains("line 1: timestamp") && m.contains("clock")),
        "{refused}"
    );
    let refused = plant.write("/write?db=plc&precision=days", "m,plc=p1 pressure=2").await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["query", "precision"]));
    Ok(())
}

#[tokio::test]
async fn writing_needs_its_permission_and_a_body_that_can_be_unpacked() -> Result<()> {
    let plant = start().await?;
    let line = "oil,machine=press7 temp=61.5";
    // as any client of this system, and unpacked
    assert_eq!(plant.engineer.send(Method::POST, V2, &[], line).await?.status, 204);
    assert_eq!(plant.names().await?, ["press7/oil.temp=61.5"]);
    plant.nobody.send(Method::POST, V2, &[("authorization", "Token pmk_wrong")], line).await?.expect(401)?;
    let body = json!({"name": "Other", "permissions": ["machines.write"]});
    let other = plant.engineer.post("/users/me/api-keys", body).await?.expect(201)?;
    let other = format!("Token {}", other["key"].as_str().context("no key")?);
    let refused =
        plant.nobody.send(Method::POST, V2, &[("authorization", &other)], line).await?.expect(403)?;
    assert_eq!(refused["detail"], "This API key is not for sensor-data.write");
    let packed = [("content-encoding", "gzip")];
    let refused = plant.engineer.send(Method::POST, V2, &packed, line).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["loc"], json!(["body"]));
    plant.engineer.send(Method::POST, V2, &[("content-encoding", "br")], line).await?.expect(415)?;
    let refused = plant.engineer.send(Method::POST, V2, &[], &b"m v=1 \xff"[..]).await?.expect(422)?;
    assert_eq!(refused["errors"][0]["type"], "string_unicode");
    // small when it is packed
    plant.engineer.send(Method::POST, V2, &packed, gzip(&"\n".repeat(9 << 20))?).await?.expect(413)?;
    assert_eq!(plant.write(V2, "").await?.status, 204);
    Ok(())
}
