//! The database accepts no changes: it is read-only, full, or locked by another client.

use super::{PER_SECOND, Stage, a_while, sensors::Plan, spools};
use crate::sql;
use anyhow::{Context, Result, ensure};
use pm_stack::paths;
use pm_test_support::{Broker, skipped};
use std::{
    fs,
    io::Write,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
};

#[tokio::test]
async fn no_reading_is_lost_while_the_database_is_read_only() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, true).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    set_read_only(&stage, true).await?;
    stage.until_status("the database is read-only", |s| s["database"]["status"] == "read_only").await?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    set_read_only(&stage, false).await?;
    stage.check(sensors).await
}

/// New transactions of all sessions, old sessions too, as after a fail-over to a standby.
async fn set_read_only(stage: &Stage, on: bool) -> Result<()> {
    let db = sql::connect(stage.stack.db()).await?;
    let value = if on { "on" } else { "off" };
    db.simple_query("set default_transaction_read_only = off").await?;
    db.simple_query(&format!("alter system set default_transaction_read_only = {value}")).await?;
    db.simple_query("select pg_reload_conf()").await?;
    Ok(())
}

#[tokio::test]
async fn no_reading_is_lost_while_the_database_is_locked() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    let mut db = sql::connect(stage.stack.db()).await?;
    let lock = db.transaction().await?;
    lock.batch_execute("lock table sensor_latest in access exclusive mode").await?;
    stage.until_status("batches wait on disk", spools).await?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    lock.rollback().await?;
    stage.check(sensors).await
}

/// A file system of a few megabytes, gone when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// None, with a message, where this user may not mount one.
    fn mount() -> Result<Option<Self>> {
        let folder = std::env::temp_dir().join(format!("pm-small-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder)?;
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "none"]).arg(&folder).output()?;
        if !mounted.status.success() {
            fs::remove_dir(&folder)?;
            skipped("a full disk", "a disk of a few megabytes cannot be mounted here (as root it can)")?;
            return Ok(None);
        }
        let disk = Self(folder);
        if let Some((user, group)) = paths::server_account()? {
            chown(&disk.0, Some(user), Some(group))?;
        }
        Ok(Some(disk))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Leaves no byte free.
    fn fill(&self) -> Result<()> {
        let mut file = fs::File::create(self.ballast())?;
        for block in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; block]).is_ok() {}
        }
        Ok(())
    }

    fn free(&self) -> Result<()> {
        fs::remove_file(self.ballast()).context("no ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = fs::remove_dir(&self.0);
    }
}

async fn keep_readings_on(disk: &Path, db_url: &str) -> Result<()> {
    let db = sql::connect(db_url).await?;
    db.batch_execute(&format!("create tablespace small location '{}'", disk.display())).await?;
    for table in ["sensor_data", "predictions"] {
        db.execute("select attach_tablespace('small', $1::text::regclass)", &[&table]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn no_reading_is_lost_while_the_databases_disk_is_full() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else { return Ok(()) };
    let mut stage = Stage::new(Broker::Embedded, true).await?;
    keep_readings_on(&disk.0, stage.stack.db()).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    disk.fill()?;
    // a slow start alone makes batches wait, too
    let refused = |s: &serde_json::Value| {
        s["mqtt"]["bridge"]["last_error"].as_str().is_some_and(|error| error.contains("ingest answers 503"))
    };
    stage.until_status("batches wait on disk, refused", |s| spools(s) && refused(s)).await?;
    ensure!(stage.stack.log("host").contains("No space left on device"), "the disk was not full");
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    disk.free()?;
    let checked = stage.check(sensors).await;
    // the server must be gone before its disk is
    stage.stack.kill("database").await?;
    checked
}
