//! The tick: its tasks are independent of each other.

use crate::{
    alarm_work::{stack, texts},
    client::Client,
    sql,
};
use anyhow::Result;
use pm_api::{
    mail::MailReport,
    tick::{Tick, TickAnswer},
};
use serde_json::json;

#[tokio::test]
async fn a_task_that_fails_is_shown_and_the_others_run() -> Result<()> {
    let (stack, engineer, _) = stack().await?;
    let bridge = Client::new(&stack.base_url()).with_token(stack.service_token());
    let tick = async || -> Result<TickAnswer> {
        let mail = MailReport { configured: true, room: 8, ..MailReport::default() };
        let tick = serde_json::to_value(Tick { mail, ..Tick::default() })?;
        Ok(serde_json::from_value(bridge.post("/internal/tick", tick).await?.expect(200)?)?)
    };
    let state = async || -> Result<_> { Ok(engineer.get("/status").await?.expect(200)?["tasks"].clone()) };
    let db = sql::connect(stack.db()).await?;
    // two tasks fail: deliveries cannot be planned, and nothing can be dropped
    db.batch_execute(
        "revoke insert on webhook_deliveries from pm_app;
         alter function drop_old(text, timestamptz) rename to drop_old_is_away;
         insert into mails (kind, recipient, attempts_allowed, expires_at)
         values ('test', 'a@example.com', 1, now() + interval '1 hour');
         insert into login_throttle (key, failures, window_started_at) values ('k', 1, now() - interval '2 days');
         insert into rollup_changes (minute, readings) values (now() - interval '10 minutes', 1);
         with sensor as (
             insert into sensors (machine_id, name, mqtt_id, sensor_type)
             select id, 'r', 'r', 'temperature' from machines limit 1 returning id, machine_id)
         insert into sensor_data (time, sensor_id, machine_id, value, status)
         select now(), id, machine_id, 1, 0 from sensor;
         update clock_tasks set due_at = now()",
    )
    .await?;
    assert_eq!(tick().await?.mails.len(), 1, "mails are handed out");
    let others = "select concat((select count(*) from login_throttle where key = 'k'), ' ', (select count(*) from rollup_changes))";
    assert_eq!(texts(&stack, others).await?, ["0 0"], "rows expire and readings are rolled up");
    let message = "⚠️ Periodic tasks fail, see the log: retention, webhooks";
    assert_eq!(state().await?, json!({ "status": "failing", "message": message }));
    let soon = "select task from clock_tasks where task = 'retention' and due_at <= now() + interval '60 s'";
    assert_eq!(texts(&stack, soon).await?, ["retention"], "it is due again soon");

    db.batch_execute(
        "grant insert on webhook_deliveries to pm_app;
         alter function drop_old_is_away(text, timestamptz) rename to drop_old;
         update clock_tasks set due_at = now(), failed_at = failed_at - interval '3 minutes'",
    )
    .await?;
    tick().await?;
    assert_eq!(state().await?, json!({ "status": "running", "message": "✅ Periodic tasks are running" }));
    Ok(())
}
