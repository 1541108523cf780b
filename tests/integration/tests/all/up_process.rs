//! `pm-stack up` as a person starts it, in a folder of its own.

use anyhow::{Context, Result, ensure};
use pm_stack::{ports::free_port, up::sibling};
use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const START: Duration = Duration::from_secs(300);

/// `pm-stack`, without what the environment says about databases, brokers and mail.
pub fn stack_program() -> Result<Command> {
    let mut command = Command::new(sibling("pm-stack")?);
    for name in ["DATABASE_URL", "PM_APP_DATABASE_URL", "MQTT_URL", "PM_SMTP_URL", "EMAIL_SMTP_HOST"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    Ok(command)
}

/// Runs it to its end, and returns what it printed.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().context("pm-stack does not start")?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    ensure!(output.status.success(), "{}", text(&output.stderr));
    Ok(text(&output.stdout))
}

/// A stack that was started by `pm-stack up`. Dropping it ends it.
pub struct Up {
    child: Child,
    http: SocketAddr,
    data: PathBuf,
}

impl Up {
    /// Starts it on the data folder with further arguments and environment, and waits until it says that it is ready.
    pub fn start(data: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Self> {
        let any = || anyhow::Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?)));
        let (http, mqtt) = (any()?, any()?);
        fs::create_dir_all(data)?;
        let log = File::create(data.join("up.log"))?;
        let mut command = stack_program()?;
        command.args(["up", "--no-simulator", "--manifest"]).arg(pm_test_support::manifest());
        command.arg("--data-dir").arg(data);
        command.args(["--mqtt", &mqtt.to_string()]).args(arguments);
        if !arguments.contains(&"--http") {
            command.args(["--http", &http.to_string()]);
        }
        command.envs(environment.iter().copied()).stdout(log.try_clone()?).stderr(log);
        let mut up = Self { child: command.spawn()?, http, data: data.to_owned() };
        let end = Instant::now() + START;
        while !up.said().contains("Ready in") {
            ensure!(up.child.try_wait()?.is_none() && Instant::now() < end, "not ready: {}", up.said());
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(up)
    }

    /// What it printed.
    pub fn said(&self) -> String {
        fs::read_to_string(self.data.join("up.log")).unwrap_or_default()
    }

    /// Where the functions answer.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.http)
    }

    /// Asks it to end as `./pm down` does.
    pub fn down(mut self) -> Result<()> {
        output(stack_program()?.args(["down", "--data-dir"]).arg(&self.data))?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // its parts end with it
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
