//! `up --host spin`: the whole stack by way of a `spin` command, and over a database that is not its own.

use crate::{
    client::{Client, ENGINEER},
    sql::connect,
    up_process::{Up, output, stack_program},
};
use anyhow::{Context, Result};
use pm_stack::{paths::cache_dir, up::sibling};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Takes the flags of `spin up` (Spin 3 and 4) that are used here, refuses others as Spin does, writes down what it was
/// given, and hands over to the local host.
const STAND_IN: &str = r#"#!/bin/sh
[ "$1" = up ] || { echo "error: unrecognized subcommand '$1'" >&2; exit 2; }
shift
printf '%s\n' "$@" >"$STAND_IN_SAID.arguments"
env | grep '^SPIN_VARIABLE_' >"$STAND_IN_SAID.variables"
while [ $# -gt 0 ]; do
  case $1 in
    -f | --from) from=$2 ;;
    --listen) listen=$2 ;;
    --state-dir) state=$2 ;;
    *) echo "error: Found argument '$1' which wasn't expected" >&2; exit 2 ;;
  esac
  shift 2
done
mkdir -p "$state"
exec "$STAND_IN_HOST" --manifest "$from" --http "$listen" --cache-dir "$STAND_IN_CACHE"
"#;

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
    assert_eq!(arguments.len(), 6, "{arguments:?}");
    let variables: BTreeMap<String, String> = lines(said, "variables")?
        .iter()
        .filter_map(|line| line.strip_prefix("SPIN_VARIABLE_")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let port = url.rsplit(':').next().and_then(|rest| rest.split('/').next()).context("no port")?;
    let app = format!("@127.0.0.1:{port}/pm");
    assert!(variables["DATABASE_URL"].starts_with("postgres://pm_app:"), "{}", variables["DATABASE_URL"]);
    assert!(variables["DATABASE_URL"].ends_with(&app), "{}", variables["DATABASE_URL"]);
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
    up.down()?;

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
