//! One quick TimescaleDB server per machine, a fresh migrated database per test.
//!
//! The server's data does not survive a power cut (fsync is off) and nothing in it is worth keeping. It stays up between
//! test runs, because every test is a process of its own; `pm-test-support db-stop` ends it.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use pm_migrations::{
    GroupUrls, MIGRATIONS, connect, enable_roles, migrate, revoke_temporary_tables, sentence,
};
use pm_stack::cluster::{Cluster, Programs};
use pm_stack::paths::{cache_dir, make_dir};
use pm_stack::ports::free_port;
use pm_stack::secrets::Secrets;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of one test, removed when dropped.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    urls: GroupUrls,
    role_secret: String,
    admin_url: String,
    programs: Programs,
}

impl Database {
    /// Its address for the owner.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its addresses for the functions.
    pub fn urls(&self) -> &GroupUrls {
        &self.urls
    }

    /// Its address for most functions.
    pub fn app_url(&self) -> &str {
        self.urls.of("work")
    }

    /// What the passwords of the functions' roles follow from.
    pub fn role_secret(&self) -> &str {
        &self.role_secret
    }

    /// PostgreSQL's programs.
    pub fn programs(&self) -> &Programs {
        &self.programs
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (admin_url, name) = (self.admin_url.clone(), self.name.clone());
        // A drop may happen inside a runtime, where blocking is not allowed.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let client = connect(&admin_url).await?;
                client.batch_execute(&format!("drop database if exists {name} with (force)")).await?;
                anyhow::Ok(())
            })
        });
        if let Ok(Err(error)) = dropper.join() {
            tracing::warn!("cannot remove the test database {}: {error:#}", self.name);
        }
    }
}

/// A fresh database with all migrations applied.
pub async fn database() -> Result<Database> {
    fresh(true).await
}

/// A fresh database with nothing in it.
pub async fn empty_database() -> Result<Database> {
    fresh(false).await
}

async fn fresh(migrated: bool) -> Result<Database> {
    let (cluster, secrets) = tokio::task::spawn_blocking(server).await??;
    let admin_url = cluster.url("postgres");
    let client = connect(&admin_url).await?;
    let template = if migrated { template(&cluster, &secrets).await? } else { "template1".to_owned() };
    let name = format!("t_{}_{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    client.batch_execute(&format!("drop database if exists {name} with (force)")).await.map_err(sentence)?;
    client.batch_execute(&format!("create database {name} template {template}")).await.map_err(sentence)?;
    let url = cluster.url(&name);
    // a new database has no privileges of its template
    revoke_temporary_tables(&connect(&url).await?).await?;
    let urls = GroupUrls::new(&url, &secrets.database_roles)?;
    let role_secret = secrets.database_roles.clone();
    Ok(Database { name, url, urls, role_secret, admin_url, programs: cluster.programs().clone() })
}

fn folder() -> PathBuf {
    cache_dir().join("testing")
}

fn lock() -> Result<File> {
    make_dir(&folder())?;
    let path = folder().join("lock");
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().context("cannot lock the test server's folder")?;
    Ok(file)
}

fn cluster() -> Result<(Cluster, Secrets)> {
    let programs = Programs::find_or_fetch(|text| eprintln!("{text} …"))?;
    let secrets = Secrets::load_or_make(&folder().join("secrets"))?;
    let port_file = folder().join("port");
    let known = fs::read_to_string(&port_file).ok().and_then(|text| text.trim().parse().ok());
    let at = |port| {
        Cluster::new(programs.clone(), folder().join("data"), port, secrets.database_owner.clone(), false)
    };
    if let Some(port) = known
        && at(port).is_running()?
    {
        return Ok((at(port), secrets));
    }
    let port = free_port()?;
    fs::write(&port_file, port.to_string())
        .with_context(|| format!("cannot write {}", port_file.display()))?;
    Ok((at(port), secrets))
}

/// The running server; started when it is not.
fn server() -> Result<(Cluster, Secrets)> {
    let _lock = lock()?;
    let (cluster, secrets) = cluster()?;
    cluster.init()?;
    cluster.start_detached()?;
    Ok((cluster, secrets))
}

/// Ends the server and removes what killed tests left; returns false, and does neither, while tests of another run
/// use it.
pub async fn stop_server() -> Result<bool> {
    let _lock = lock()?;
    let (cluster, _) = cluster()?;
    if !cluster.is_running()? {
        return Ok(true);
    }
    let client = connect(&cluster.url("postgres")).await?;
    let names = client
        .query("select datname from pg_database where datname like 't\\_%'", &[])
        .await
        .map_err(sentence)?;
    let names: Vec<String> = names.iter().map(|row| row.get(0)).collect();
    let owner = |name: &str| name.split('_').nth(1).map(|pid| PathBuf::from("/proc").join(pid));
    if names.iter().any(|name| owner(name).is_some_and(|process| process.exists())) {
        return Ok(false);
    }
    for name in names {
        client
            .batch_execute(&format!("drop database if exists {name} with (force)"))
            .await
            .map_err(sentence)?;
    }
    cluster.stop_detached()?;
    Ok(true)
}

/// The name of a database that has exactly these migrations, made once.
async fn template(cluster: &Cluster, secrets: &Secrets) -> Result<String> {
    let mut digest = Sha256::new();
    for (name, sql) in MIGRATIONS {
        digest.update(name);
        digest.update(sql);
    }
    let name = format!("template_{:.12}", format!("{:x}", digest.finalize()));
    let _lock = tokio::task::spawn_blocking(lock).await??;
    let client = connect(&cluster.url("postgres")).await?;
    if client
        .query_opt("select from pg_database where datname = $1", &[&name])
        .await
        .map_err(sentence)?
        .is_some()
    {
        return Ok(name);
    }
    for old in client.query("select datname from pg_database where datname like 'template\\__%' and datistemplate and datname not in ('template0', 'template1')", &[]).await? {
        let old: String = old.get(0);
        client.batch_execute(&format!("alter database {old} is_template false; ")).await.map_err(sentence)?;
        client.batch_execute(&format!("drop database {old} with (force)")).await.map_err(sentence)?;
    }
    let new = format!("{name}_new");
    client.batch_execute(&format!("drop database if exists {new} with (force)")).await.map_err(sentence)?;
    client.batch_execute(&format!("create database {new}")).await.map_err(sentence)?;
    migrate(&cluster.url(&new)).await?;
    enable_roles(&cluster.url(&new), &secrets.database_roles).await?;
    // No session may be connected to a template; the server takes a moment to notice that a connection has ended.
    client
        .batch_execute(&format!("alter database {new} with allow_connections false is_template true"))
        .await
        .map_err(sentence)?;
    client
        .query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", &[&new])
        .await
        .map_err(sentence)?;
    client.batch_execute(&format!("alter database {new} rename to {name}")).await.map_err(sentence)?;
    Ok(name)
}
