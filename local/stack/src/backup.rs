//! Backup and restore of the whole database as one file in the custom format of `pg_dump`.
//!
//! The file holds every row, attachments and audit log included, and with them what is secret: password hashes, the
//! secrets of webhooks, keys kept as settings. It is made for its owner's eyes only (mode 600). It does not hold the secrets
//! of a stack (`.pm/secrets`, or those of the cluster): a restored stack has its own, so everybody logs in again. Neither does
//! it hold what an object store keeps, nor what waits in a bridge's spool.
//!
//! Hypertables are restored between `timescaledb_pre_restore` and `timescaledb_post_restore`, as TimescaleDB asks, into a
//! new database that takes the old one's place only when everything is in it. Both sides need the same version of the
//! extension.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};
use tokio_postgres::{Client, Config};

use crate::cluster::Programs;
use pm_migrations::{connect, create_roles, sentence};

/// What a backup holds.
#[derive(Debug, PartialEq, Eq)]
pub struct Backup {
    /// Size of the file.
    pub bytes: u64,
}

/// Writes the database at `url` to `file`, which must not be there yet. The platform may run at the same time: what is
/// written is the state of one moment.
pub async fn backup(url: &str, programs: &Programs, file: &Path) -> Result<Backup> {
    ensure!(!file.exists(), "{} is there already: choose another name, or remove it", file.display());
    known_version(&connect(url).await?).await.context("there is nothing of the platform to back up")?;
    let name = file.file_name().context("the backup needs a file name")?;
    let part = file.with_file_name(format!(".{}.part", name.to_string_lossy()));
    let _ = fs::remove_file(&part);
    let open = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part);
    let opened = open.with_context(|| format!("cannot write {}", part.display()))?;
    let mut command = client(programs, "pg_dump", url)?;
    command.args(["--format=custom", "--no-owner", "--file"]).arg(&part);
    let result = run(command).await.and_then(|()| {
        opened.sync_all().context("cannot write the backup to the disk")?;
        let bytes = opened.metadata()?.len();
        fs::rename(&part, file).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(Backup { bytes })
    });
    if result.is_err() {
        let _ = fs::remove_file(&part);
    }
    result
}

/// Puts what is in `file` into the database at `url`, which is made when it is not there. One that holds anything is
/// refused, or with `overwrite` replaced; it must not be used during the restore. The account needs the right to create databases
/// and extensions, and the roles of the functions are made without a password where they lack.
pub async fn restore(url: &str, programs: &Programs, file: &Path, overwrite: bool) -> Result<()> {
    let readable = OpenOptions::new().read(true).open(file);
    drop(readable.with_context(|| format!("cannot read {}", file.display()))?);
    let target = database_name(url)?;
    let working = format!("{target}_restoring");
    let admin = connect(&with_database(url, "postgres")?).await?;
    let exists = admin.query_opt("select from pg_database where datname = $1", &[&target]).await;
    let exists = exists.map_err(sentence)?.is_some();
    ensure!(
        overwrite || !exists || is_empty(&connect(url).await?).await?,
        "the database {target} is not empty: say --overwrite to replace what is in it"
    );
    let execute = async |sql: String| admin.batch_execute(&sql).await.map_err(sentence);
    let drop_working = format!("drop database if exists {} with (force)", quoted(&working));
    execute(drop_working.clone()).await?;
    execute(format!("create database {}", quoted(&working))).await?;
    if let Err(error) = fill(&with_database(url, &working)?, programs, file).await {
        execute(drop_working).await?;
        return Err(error);
    }
    execute(format!("drop database if exists {} with (force)", quoted(&target))).await?;
    execute(format!("alter database {} rename to {}", quoted(&working), quoted(&target))).await
}

async fn fill(url: &str, programs: &Programs, file: &Path) -> Result<()> {
    let session = connect(url).await?;
    create_roles(&session).await?;
    session
        .batch_execute("create extension if not exists timescaledb; select timescaledb_pre_restore()")
        .await
        .map_err(sentence)
        .context("cannot prepare the database")?;
    // the extension reads its tables when a connection begins
    drop(session);
    let mut command = client(programs, "pg_restore", url)?;
    command.args(["--no-owner", "--exit-on-error"]).arg(file);
    run(command).await.with_context(|| format!("{} cannot be restored", file.display()))?;
    let session = connect(url).await?;
    session.batch_execute("select timescaledb_post_restore()").await.map_err(sentence)?;
    drop(session);
    let session = connect(url).await?;
    known_version(&session).await.with_context(|| format!("{} is no backup of this", file.display()))?;
    session.batch_execute("analyze").await.map_err(sentence)
}

/// One of PostgreSQL's client programs on the database at `url`; the password is not among its arguments, which every
/// account of the machine can read.
fn client(programs: &Programs, program: &str, url: &str) -> Result<Command> {
    let config: Config = url.parse().context("the database address is not a URL")?;
    let mut command = Command::new(programs.path(program));
    command.arg("--dbname").arg(without_password(url)?);
    if let Some(password) = config.get_password() {
        command.env("PGPASSWORD", String::from_utf8_lossy(password).as_ref());
    }
    Ok(command)
}

async fn run(mut command: Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = tokio::task::spawn_blocking(move || command.output()).await?;
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let message = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let line = message.lines().find(|line| line.contains("error:")).or(message.lines().last());
        bail!("{}", line.unwrap_or("it ended without a message").trim());
    }
    Ok(())
}

async fn known_version(client: &Client) -> Result<i32> {
    let row = client.query_one("select max(version) from schema_migrations", &[]).await.map_err(sentence)?;
    row.get::<_, Option<i32>>(0).context("no migration was applied")
}

/// Whether a database holds no relation but those of extensions.
async fn is_empty(client: &Client) -> Result<bool> {
    let found = client
        .query_opt(
            "select from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'public'
              and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
            limit 1",
            &[],
        )
        .await
        .map_err(sentence)?;
    Ok(found.is_none())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn database_name(url: &str) -> Result<String> {
    let config: Config = url.parse().context("the database address is not a URL")?;
    let name = config.get_dbname().context("the database address names no database")?;
    Ok(name.to_owned())
}

/// `url` with another database; it must name one.
fn with_database(url: &str, database: &str) -> Result<String> {
    database_name(url)?;
    let mut url = pm_migrations::parse(url)?;
    url.set_path(database);
    Ok(url.into())
}

fn without_password(url: &str) -> Result<String> {
    let mut url = pm_migrations::parse(url)?;
    url.set_password(None).map_err(|()| anyhow!("the database address names no host"))?;
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_changed_in_their_part_only() -> Result<()> {
        for (url, other, bare) in [
            ("postgres://u:p@h:1/d", "postgres://u:p@h:1/x", "postgres://u@h:1/d"),
            (
                "postgres://u@h/d?sslmode=disable",
                "postgres://u@h/x?sslmode=disable",
                "postgres://u@h/d?sslmode=disable",
            ),
            ("postgres://h/d", "postgres://h/x", "postgres://h/d"),
        ] {
            assert_eq!(with_database(url, "x")?, other);
            assert_eq!(without_password(url)?, bare);
        }
        assert!(with_database("postgres://u:p@h", "x").is_err());
        assert!(database_name("postgres://u:p@h").is_err());
        Ok(())
    }
}
