//! A backup holds everything, and a restored database carries a stack.

use crate::{
    alarm_work::{raise, stack},
    attachments::attach,
    client::{ADMIN, Client},
    machines::now,
    sql::connect,
    up_process::{Up, output, stack_program},
};
use anyhow::{Context, Result};
use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01";

/// Of each table of the platform, a digest over all rows.
async fn digests(url: &str) -> Result<BTreeMap<String, String>> {
    let db = connect(url).await?;
    let tables =
        "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'";
    let mut digests = BTreeMap::new();
    for row in db.query(tables, &[]).await? {
        let table: String = row.get(0);
        let digest = format!(
            "select count(*) || ' ' || coalesce(md5(string_agg(t::text, chr(10) order by t::text)), '') from {table} t"
        );
        let digest = db.query_one(&digest, &[]).await?.get(0);
        digests.insert(table, digest);
    }
    Ok(digests)
}

fn restore(data: &Path, file: &Path, overwrite: bool) -> Result<String> {
    let mut command = stack_program()?;
    command.arg("restore").arg(file).arg("--data-dir").arg(data);
    output(if overwrite { command.arg("--overwrite") } else { &mut command })
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_and_the_stack_starts_on_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // the database's account must be able to enter
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))?;
    let (file, data) = (folder.path().join("plant.backup"), folder.path().join("data"));
    let (mut source, engineer, [machine, _]) = stack().await?;
    let db = connect(source.db()).await?;
    // a month of readings, so that there are several chunks
    let sensor = "select id::text from sensors where machine_id = $1::text::uuid limit 1";
    let sensor: String = db.query_one(sensor, &[&machine]).await?.get(0);
    let readings = "insert into sensor_data (machine_id, sensor_id, time, value, status)
        select $1::text::uuid, $2::text::uuid, now() - n * interval '1 hour', n, 0 from generate_series(1, 720) n";
    db.execute(readings, &[&machine, &sensor]).await?;
    let chunks = "select count(*) from show_chunks('sensor_data')";
    let chunks_before: i64 = db.query_one(chunks, &[]).await?.get(0);
    assert!(chunks_before > 1, "{chunks_before}");
    let alarm = raise(&engineer, &machine, "critical", "schlägt – dröhnt").await?;
    let stored =
        attach(&engineer, &format!("/alarms/{alarm}/attachments"), "pump.png", PNG).await?.expect(201)?;
    let attachment = stored["id"].as_str().context("no attachment")?.to_owned();
    // nobody writes between the backup and the look at what it should hold
    source.kill("host").await?;
    let before = digests(source.db()).await?;

    let backup = || -> Result<String> {
        output(stack_program()?.arg("backup").arg(&file).env("DATABASE_URL", source.db()))
    };
    backup()?;
    assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600);
    let said = backup().err().context("a backup was overwritten")?.to_string();
    assert!(said.contains("is there already"), "{said}");

    restore(&data, &file, false)?;
    let said = restore(&data, &file, false).err().context("a full database was overwritten")?.to_string();
    assert!(said.contains("is not empty: say --overwrite"), "{said}");
    // what is no backup leaves what was there
    let broken = folder.path().join("broken.backup");
    std::fs::write(&broken, &std::fs::read(&file)?[..2000])?;
    assert!(restore(&data, &broken, true).is_err());
    restore(&data, &file, true)?;

    output(stack_program()?.args(["db", "--data-dir"]).arg(&data).arg("start"))?;
    let url = output(stack_program()?.args(["db", "--data-dir"]).arg(&data).arg("url"))?;
    let after = digests(&url).await?;
    assert!(before["sensor_data"].starts_with("720 "), "{}", before["sensor_data"]);
    assert_eq!(before, after);
    let restored = connect(&url).await?;
    let chunks_after: i64 = restored.query_one(chunks, &[]).await?.get(0);
    assert_eq!(chunks_before, chunks_after);
    let names =
        "select string_agg(datname::text, ' ' order by datname) from pg_database where not datistemplate";
    let names: String = restored.query_one(names, &[]).await?.get(0);
    assert_eq!(names, "pm postgres");
    output(stack_program()?.args(["db", "--data-dir"]).arg(&data).arg("stop"))?;

    let up = Up::start(&data, &[], &[])?;
    let admin = Client::new(&up.base_url()).sign_in(ADMIN).await?;
    let found = admin.get(&format!("/alarms/{alarm}")).await?.expect(200)?;
    assert_eq!(found["message"], "schlägt – dröhnt");
    let content = admin.get(&format!("/attachments/{attachment}/download")).await?;
    assert_eq!((content.status.as_u16(), content.body.as_ref()), (200, PNG));
    let value = serde_json::json!({"sensor_id": sensor, "value": 1.0, "timestamp": now()?});
    admin.post("/sensor-data", value).await?.expect(201)?;
    let said = restore(&data, &file, true).err().context("a running stack was overwritten")?.to_string();
    assert!(said.contains("the stack runs"), "{said}");
    up.down()
}
