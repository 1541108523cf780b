//! The stack as a person meets it: one sentence for a taken port, services that come back, an end that ends everything.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use pm_stack::ports::{free_port, holder_of};
use pm_stack::service::{Ready, Service};
use pm_stack::supervisor::Supervisor;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// Also the database's account can enter it.
fn folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new()
        .prefix("pm-supervisor-")
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir()?)
}

fn until(what: &str, mut met: impl FnMut() -> bool) -> Result<()> {
    let end = Instant::now() + LIMIT;
    while !met() {
        ensure!(Instant::now() < end, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn alive(pid: i32) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| test_kill_process(pid).is_ok())
}

fn up_command(folder: &Path, http: SocketAddr, mqtt: SocketAddr) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pm-stack"));
    command.args(["up", "--no-simulator", "--manifest"]).arg(folder.join("spin.toml"));
    command.arg("--data-dir").arg(folder.join("data"));
    command.args(["--http", &http.to_string(), "--mqtt", &mqtt.to_string()]);
    command.env_remove("MQTT_URL").env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

fn up(folder: &Path, http: SocketAddr, mqtt: SocketAddr) -> Result<Child> {
    up_command(folder, http, mqtt).spawn().context("pm-stack does not start")
}

fn any() -> Result<SocketAddr> {
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)))
}

#[test]
fn a_taken_port_is_one_sentence_that_says_what_to_do() -> Result<()> {
    let folder = folder()?;
    fs::write(folder.path().join("spin.toml"), "")?;
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = taken.local_addr()?;
    for (http, mqtt, flag) in [(address, any()?, "--http"), (any()?, address, "--mqtt")] {
        let output = up(folder.path(), http, mqtt)?.wait_with_output()?;
        let message = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{message}");
        let expected = format!("pm: {address} is taken by ");
        assert!(message.contains(&expected) && message.contains(flag), "{message}");
        assert!(message.contains(&format!("process {}", std::process::id())), "{message}");
        assert_eq!(message.trim().lines().count(), 1, "{message}");
    }
    Ok(())
}

#[test]
fn what_is_without_protection_is_not_offered_to_a_network() -> Result<()> {
    let folder = folder()?;
    fs::write(folder.path().join("spin.toml"), "")?;
    let public = || Ok::<_, anyhow::Error>(SocketAddr::from((Ipv4Addr::UNSPECIFIED, free_port()?)));
    for (demo, http, mqtt, expected) in
        [(true, public()?, any()?, "--no-demo"), (false, any()?, public()?, "name a broker with MQTT_URL")]
    {
        let mut command = up_command(folder.path(), http, mqtt);
        if demo {
            command.arg("--demo");
        }
        let output = command.spawn()?.wait_with_output()?;
        let message = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(expected), "{message}");
    }
    Ok(())
}

/// Every file and folder below a folder, and the folder.
fn below(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() { found.extend(below(&path)?) } else { found.push(path) }
    }
    Ok(found)
}

#[test]
fn what_lies_in_the_data_folder_is_for_its_user_alone() -> Result<()> {
    let folder = folder()?;
    fs::write(folder.path().join("spin.toml"), "")?;
    let data = folder.path().join("data");
    // a folder of before
    fs::create_dir_all(data.join("logs"))?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755))?;
    let output = up(folder.path(), any()?, any()?)?.wait_with_output()?;
    assert_eq!(output.status.code(), Some(1));
    let found = below(&data)?;
    assert!(found.iter().any(|path| path.ends_with("secrets/jwt_secret")), "{found:?}");
    for path in found {
        let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
        // the database's account passes through the folder itself, where it is another one
        let passage = path == data && rustix::process::geteuid().is_root();
        let expected = if passage {
            0o711
        } else if path.is_dir() {
            0o700
        } else {
            0o600
        };
        assert_eq!(mode, expected, "{}: {mode:o}", path.display());
    }
    Ok(())
}

#[test]
fn a_new_key_signs_tokens_and_the_former_ones_are_kept() -> Result<()> {
    let folder = folder()?;
    let data = folder.path().join("data");
    let keys = || -> Result<Vec<String>> {
        let text = fs::read_to_string(data.join("secrets/jwt_secret"))?;
        Ok(text.split(',').map(str::to_owned).collect())
    };
    let mut before = Vec::new();
    for _ in 0..5 {
        let rotated = Command::new(env!("CARGO_BIN_EXE_pm-stack"))
            .args(["rotate-keys", "--data-dir"])
            .arg(&data)
            .output()?;
        assert!(rotated.status.success(), "{rotated:?}");
        let now = keys()?;
        assert!(now.iter().all(|key| key.len() == 64) && now.len() <= 4, "{now:?}");
        if !before.is_empty() {
            assert_eq!(now[1..], before[..before.len().min(3)]);
        }
        before = now;
    }
    Ok(())
}

#[test]
fn a_database_that_cannot_be_reached_is_one_sentence() -> Result<()> {
    let folder = folder()?;
    fs::write(folder.path().join("spin.toml"), "")?;
    let output = up(folder.path(), any()?, any()?)?.wait_with_output()?;
    let message = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("cannot reach the database"), "{message}");
    Ok(())
}

#[test]
fn an_interrupt_ends_the_whole_private_database_and_no_other_process() -> Result<()> {
    let folder = folder()?;
    // A pipe that nobody writes to: the host waits for its manifest, with database and broker running.
    ensure!(Command::new("mkfifo").arg(folder.path().join("spin.toml")).status()?.success(), "no pipe");
    let mut bystander =
        Command::new("sleep").arg("600").stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let (http, mqtt) = (any()?, any()?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_pm-stack"));
    command.args(["up", "--no-simulator", "--manifest"]).arg(folder.path().join("spin.toml"));
    command.arg("--data-dir").arg(folder.path().join("data"));
    command.args(["--http", &http.to_string(), "--mqtt", &mqtt.to_string()]);
    command.env_remove("MQTT_URL").env_remove("DATABASE_URL").stdout(Stdio::null()).stderr(Stdio::null());
    let mut stack = command.process_group(0).spawn()?;

    let port_file = folder.path().join("data/db.port");
    let host_log = folder.path().join("data/logs/host.log");
    until("the host was started", || host_log.exists())?;
    let port: u16 = fs::read_to_string(&port_file)?.trim().parse()?;
    let database = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let held: Vec<i32> = [database, mqtt]
        .into_iter()
        .map(|address| Ok(holder_of(address).context("nobody listens")?.1.cast_signed()))
        .collect::<Result<_>>()?;

    let pid = Pid::from_raw(stack.id().cast_signed()).context("no process id")?;
    kill_process(pid, Signal::INT)?;
    stack.wait()?;
    until("every service has ended", || held.iter().all(|pid| !alive(*pid)))?;
    assert!(holder_of(database).is_none() && holder_of(mqtt).is_none());
    assert!(bystander.try_wait()?.is_none(), "a process of somebody else was ended");
    bystander.kill()?;
    bystander.wait()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_killed_comes_back_and_grandchildren_end_with_it() -> Result<()> {
    let folder = folder()?;
    let grandchild_file = folder.path().join("grandchild");
    let script = format!("sleep 600 & echo $! >> {}; wait", grandchild_file.display());
    let mut supervisor = Supervisor::new(folder.path().to_owned());
    let service = Service::new("test", "sh", Ready::Running).args(["-c", &script]);
    supervisor.start(service, LIMIT, |_| {}).await?;
    let lines = || fs::read_to_string(&grandchild_file).unwrap_or_default();
    let nth = |n: usize| lines().lines().nth(n).and_then(|line| line.parse::<i32>().ok());
    until("the first grandchild", || nth(0).is_some())?;

    let first = supervisor.states()[0].pid.and_then(Pid::from_raw).context("it does not run")?;
    kill_process(first, Signal::KILL)?;
    until("the second grandchild", || nth(1).is_some())?;
    let state = supervisor.states().swap_remove(0);
    assert_eq!((state.restarts, state.last_end.as_deref()), (1, Some("was ended by signal 9")));
    let (Some(first), Some(second)) = (nth(0), nth(1)) else { unreachable!("both were seen") };
    until("the first grandchild has ended", || !alive(first))?;
    assert!(alive(second));
    supervisor.stop().await;
    until("the second grandchild has ended", || !alive(second))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_starts_again_with_another_environment() -> Result<()> {
    let folder = folder()?;
    let told = folder.path().join("told");
    let script = format!("echo $WORD >> {}; exec sleep 600", told.display());
    let mut supervisor = Supervisor::new(folder.path().to_owned());
    let service = Service::new("test", "sh", Ready::Running).args(["-c", &script]).env("WORD", "old");
    supervisor.start(service, LIMIT, |_| {}).await?;
    until("the first word", || fs::read_to_string(&told).is_ok_and(|t| t == "old\n"))?;
    assert!(supervisor.change("test", LIMIT, &[("WORD", "new")]).await);
    until("the second word", || fs::read_to_string(&told).is_ok_and(|t| t == "old\nnew\n"))?;
    assert_eq!(supervisor.states()[0].restarts, 0, "it did not fail");
    assert!(!supervisor.change("another", LIMIT, &[]).await);
    supervisor.stop().await;
    Ok(())
}
