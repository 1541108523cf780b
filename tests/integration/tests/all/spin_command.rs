//! `up --host spin`: the whole stack by way of a `spin` command, and over a database that is not its own.

use crate::{
    client::{Client, ENGINEER},
    sql::connect,
    up_process::{Up, output, stack_program},
};
use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pm_stack::{paths::cache_dir, ports::free_port, up::sibling};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Takes the flags of `spin up` (Spin 3 and 4) that are used here, refuses others as Spin does, writes down what it was
/// given, and hands over to the local host.
const STAND_IN: &str = r#"#!/bin/sh
[ "$1" = --version ] && { echo "spin ${STAND_IN_VERSION:-4.1.0} (0c8e4b2 2026-06-01)"; exit; }
[ "$1" = up ] || { echo "error: unrecognized subcommand '$1'" >&2; exit 2; }
shift
printf '%s\n' "$@" >"$STAND_IN_SAID.arguments"
env | grep '^SPIN_VARIABLE_' >"$STAND_IN_SAID.variables"
while [ $# -gt 0 ]; do
  case $1 in
    -f | --from) from=$2 ;;
    --listen) listen=$2 ;;
    --state-dir) state=$2 ;;
    --runtime-config-file) runtime_config=$2 ;;
    *) echo "error: Found argument '$1' which wasn't expected" >&2; exit 2 ;;
  esac
  shift 2
done
mkdir -p "$state"
exec "$STAND_IN_HOST" --manifest "$from" --http "$listen" --cache-dir "$STAND_IN_CACHE" \
  --runtime-config-file "$runtime_config"
"#;

/// The name of the key that signed a client's token.
fn key_of(client: &Client) -> Result<String> {
    let header = client.token().split('.').next().unwrap_or_default();
    let header: serde_json::Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header)?)?;
    Ok(header["kid"].as_str().context("no kid")?.to_owned())
}

/// A PATH that begins with a folder with the command.
fn path_with_spin(folder: &Path) -> Result<String> {
    let bin = folder.join("bin");
    fs::create_dir_all(&bin)?;
    fs::write(bin.join("spin"), STAND_IN)?;
    fs::set_permissions(bin.join("spin"), fs::Permissions::from_mode(0o755))?;
    Ok(format!("{}:{}", bin.display(), std::env::var("PATH")?))
}

fn lines(said: &Path, what: &str) -> Result<Vec<String>> {
    let file = PathBuf::from(format!("{}.{what}", said.display()));
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Ok(text.lines().map(str::to_owned).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stack_runs_by_spin_over_a_database_of_somebody_else() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // the database's account must be able to enter
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let (elsewhere, data, said) =
        (folder.path().join("elsewhere"), folder.path().join("data"), folder.path().join("said"));
    output(stack_program()?.args(["db", "--data-dir"]).arg(&elsewhere).arg("start"))?;
    let url = output(stack_program()?.args(["db", "--data-dir"]).arg(&elsewhere).arg("url"))?;
    let result = by_spin(folder.path(), &data, &said, &url).await;
    output(stack_program()?.args(["db", "--data-dir"]).arg(&elsewhere).arg("stop"))?;
    result
}

async fn by_spin(folder: &Path, data: &Path, said: &Path, url: &str) -> Result<()> {
    let (path, host) = (path_with_spin(folder)?, sibling("pm-host")?.display().to_string());
    let said_text = said.display().to_string();
    let cache = cache_dir().join("host").display().to_string();
    let environment = [
        ("PATH", path.as_str()),
        ("STAND_IN_SAID", said_text.as_str()),
        ("STAND_IN_HOST", host.as_str()),
        ("STAND_IN_CACHE", cache.as_str()),
        ("DATABASE_URL", url),
        ("SLACK_WEBHOOK_URL", "https://hooks.example.com/services/x"),
        ("SPIN_VARIABLE_BCRYPT_COST", "10"),
    ];
    let up = Up::start(data, &["--demo", "--host", "spin"], &environment)?;

    let address = up.base_url().replace("http://", "");
    let arguments = lines(said, "arguments")?;
    let manifest = pm_test_support::manifest().canonicalize()?.display().to_string();
    assert_eq!(arguments[..5], ["--from", manifest.as_str(), "--listen", address.as_str(), "--state-dir"]);
    assert_eq!(arguments[6], "--runtime-config-file");
    assert_eq!(fs::read_to_string(&arguments[7])?, "[outbound_networking]\nblock_networks = [\"private\"]\n");
    assert_eq!(arguments.len(), 8, "{arguments:?}");
    let variables: BTreeMap<String, String> = lines(said, "variables")?
        .iter()
        .filter_map(|line| line.strip_prefix("SPIN_VARIABLE_")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).context("no port")?;
    let app = format!("@127.0.0.1:{port}/pm");
    for group in ["AUTH", "INGEST", "READ", "WORK"] {
        let url = &variables[&format!("DATABASE_URL_{group}")];
        assert!(url.starts_with(&format!("postgres://pm_{}:", group.to_lowercase())), "{url}");
        assert!(url.ends_with(&app), "{url}");
    }
    assert_eq!(variables["DATABASE_HOST"], "postgres://127.0.0.1:*");
    assert!(variables["JWT_SECRET"].len() >= 32 && variables["SERVICE_TOKEN"].len() >= 32);
    assert_eq!(variables["SLACK_WEBHOOK_URL"], "https://hooks.example.com/services/x");
    assert_eq!(variables["BCRYPT_COST"], "10");

    let client = Client::new(&up.base_url());
    let engineer = client.sign_in(ENGINEER).await?;
    client.wait_for("/status", |status| (status["mqtt"]["connected"] == true).then_some(())).await?;
    let machines = engineer.get("/machines").await?.expect(200)?;
    let there: i64 = connect(url).await?.query_one("select count(*) from machines", &[]).await?.get(0);
    assert_eq!((machines.as_array().map(Vec::len), there), (Some(4), 4));
    assert!(!data.join("db").exists() && !data.join("db.port").exists(), "a private database was begun");
    assert!(!data.join("logs/database.log").exists() && !up.said().contains("TimescaleDB"), "{}", up.said());
    // tokens are signed with another key, and whoever is signed in stays in
    let known: std::collections::BTreeSet<_> = [key_of(&engineer)?].into();
    output(stack_program()?.args(["rotate-keys", "--data-dir"]).arg(data))?;
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        ensure!(Instant::now() < end, "no token of a new key");
        if let Ok(new) = client.sign_in(ENGINEER).await
            && !known.contains(&key_of(&new)?)
        {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    engineer.get("/machines").await?.expect(200)?;
    up.down()?;

    // everybody knows the passwords of the users that are in the database now
    let public = format!("0.0.0.0:{}", free_port()?);
    let mut beyond = environment.to_vec();
    beyond.push(("MQTT_URL", "mqtt://127.0.0.1:1"));
    let refused = Up::start(data, &["--host", "spin", "--http", &public], &beyond).err();
    let refused = refused.context("it started")?.to_string();
    assert!(refused.contains("everybody knows the password of admin@example.com"), "{refused}");

    let mut old = environment.to_vec();
    old.push(("STAND_IN_VERSION", "4.0.2"));
    let refused = Up::start(data, &["--host", "spin"], &old).err().context("it started")?.to_string();
    assert!(refused.contains("this is Spin 4.0") && refused.contains("from 4.1 on"), "{refused}");

    let two = ["--host", "spin", "--http", "127.0.0.1:1,127.0.0.1:2"];
    for (path, arguments, expected) in [
        ("/usr/bin:/bin", &two[..2], "there is no spin command on PATH: install Spin"),
        (path.as_str(), &two[..], "Spin listens on one address"),
    ] {
        let mut environment = environment;
        environment[0].1 = path;
        let refused = Up::start(data, arguments, &environment).err().context("it started")?.to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    Ok(())
}
