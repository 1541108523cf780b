//! The service token rotates while readings come in, and nothing but the two valid ones is let in.

use super::{PER_SECOND, Stage, a_while, checker::until_more_stored, sensors::Plan};
use crate::client::{ADMIN, Client};
use anyhow::{Result, ensure};
use http::Method;
use pm_api::route::{Access, ROUTES};
use pm_test_support::Broker;
use serde_json::Value;

const CURRENT: &str = "SPIN_VARIABLE_SERVICE_TOKEN";
const PREVIOUS: &str = "SPIN_VARIABLE_SERVICE_TOKEN_PREVIOUS";

/// Is the token let in by every function that only parts of the system may call? All must say the same.
async fn is_let_in(nobody: &Client, token: &str) -> Result<bool> {
    let client = nobody.with_token(token);
    let mut let_in = Vec::new();
    for route in ROUTES.iter().filter(|r| r.access == Access::Service) {
        let status = client.send(Method::POST, route.path, &[], "").await?.status;
        let_in.push(status != 401);
    }
    ensure!(let_in.len() > 3 && let_in.iter().all(|one| *one == let_in[0]), "{token}: {let_in:?}");
    Ok(let_in[0])
}

async fn restart(stage: &mut Stage, part: &str, environment: &[(&str, &str)]) -> Result<()> {
    for (key, value) in environment {
        stage.stack.set_env(part, key, value)?;
    }
    stage.stack.kill(part).await?;
    stage.stack.restart(part).await
}

/// Readings are stored, none waits on disk, and the bridge speaks of no refusal.
async fn is_served(stage: &Stage, what: &str) -> Result<()> {
    until_more_stored(stage.stack.db(), 1).await?;
    let served = |status: &Value| status["mqtt"]["bridge"]["spool_batches"] == 0 && !was_refused(status);
    stage.until_status(what, served).await
}

/// Is the last thing that the bridge complains of a refusal?
fn was_refused(status: &Value) -> bool {
    status["mqtt"]["bridge"]["last_error"].as_str().is_some_and(|error| error.contains("401"))
}

#[tokio::test]
async fn no_message_is_refused_while_the_service_token_rotates() -> Result<()> {
    let mut stage = Stage::new(Broker::Embedded, false).await?;
    let (old, new) = (stage.stack.service_token().to_owned(), "the-token-after-the-rotation".to_owned());
    let admin = stage.client.sign_in(ADMIN).await?;
    let sensors = stage.sensors(Plan::new(PER_SECOND))?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    ensure!(is_let_in(&admin, &old).await? && !is_let_in(&admin, &new).await?);

    restart(&mut stage, "host", &[(CURRENT, &new), (PREVIOUS, &old)]).await?;
    ensure!(is_let_in(&admin, &old).await? && is_let_in(&admin, &new).await?);
    for other in ["x", &old[1..], &format!("{new}x"), ","] {
        ensure!(!is_let_in(&admin, other).await?, "{other} is let in");
    }
    is_served(&stage, "the bridge with the old token is served").await?;
    restart(&mut stage, "bridge", &[("PM_SERVICE_TOKEN", &new)]).await?;
    sensors.until_acknowledged(a_while(&mut stage.random)).await?;
    restart(&mut stage, "host", &[(PREVIOUS, "")]).await?;
    ensure!(!is_let_in(&admin, &old).await? && is_let_in(&admin, &new).await?);
    is_served(&stage, "the bridge with the new token is served").await?;
    stage.check(sensors).await?;
    ensure!(!was_refused(&stage.status().await), "the bridge was refused");
    Ok(())
}
