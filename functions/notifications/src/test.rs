//! Tests of mail and of a webhook's address.

use http::StatusCode;
use pm_api::{
    event::TEST_EVENT,
    input::MailAddress,
    route::op,
    webhook::{DeliverReport, DeliverRequest, TestResult},
};
use pm_domain::{mail::test, settings::Key, target};
use pm_store::{
    Actor, Db, StoreError,
    mail::{MailState, NewMail, enqueue, give_up, state},
    notice, setting, user,
};
use pm_web::{Component, Given, Input, Refusal, now, variable};
use std::time::Duration;

/// How long a test mail may take, seconds.
const MAIL_TIMEOUT_S: f64 = 10.0;
/// A bridge that is there reports its mail server each second; one that did not for so long is gone, seconds.
const MAIL_SERVER_REPORTED_WITHIN_S: i64 = 30;
/// Time between two looks at the state of the mail.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// `POST /notifications/test-email`: sends a mail and waits for the server's answer.
pub(crate) async fn email(input: Input<op::TestEmail>) -> Given<op::TestEmail> {
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let recent = now().plus_seconds(-MAIL_SERVER_REPORTED_WITHIN_S);
    if notice::mail_server_seen(&db).await?.is_none_or(|at| at < recent) {
        let error = "Email SMTP credentials are not configured. Please set EMAIL_SMTP_HOST for the bridge.";
        return Ok((StatusCode::BAD_REQUEST, TestResult::failed(error)));
    }
    let to = match input.body.as_ref().and_then(|body| body.to.clone()) {
        Some(MailAddress(to)) => to,
        None => default_recipient(&db, &actor).await?,
    };
    let words = test();
    let mail = NewMail { attempts: 1, valid_for_s: 60, ..NewMail::new("test", &to, &words) };
    let mail_id =
        enqueue(&db, &mail).await?.ok_or_else(|| Refusal::Internal("no mail was queued".to_owned()))?;
    Ok(match outcome(&db, mail_id).await? {
        Ok(()) => (StatusCode::OK, TestResult::arrived("Test email sent successfully")),
        Err(error) => (StatusCode::BAD_GATEWAY, TestResult::failed(format!("Email send failed: {error}"))),
    })
}

/// The first configured recipient, else the caller.
async fn default_recipient(db: &Db, actor: &Actor) -> Result<String, Refusal> {
    let configured = setting::read(db, &[Key::NotificationsRecipients]).await?;
    if let Some(first) = configured.list(Key::NotificationsRecipients).into_iter().next() {
        return Ok(first);
    }
    let further = variable("notification_email_to").await?;
    if let Some(first) = further.split(',').map(str::trim).find(|to| MailAddress::check(to).is_ok()) {
        return Ok(first.to_owned());
    }
    Ok(user::get(db, actor.user_id).await?.ok_or(Refusal::BadToken)?.email)
}

async fn outcome(db: &Db, mail_id: uuid::Uuid) -> Result<Result<(), String>, StoreError> {
    let began = now();
    loop {
        match state(db, mail_id).await? {
            Some(MailState::Sent) => return Ok(Ok(())),
            Some(MailState::Failed(error)) => return Ok(Err(error)),
            Some(MailState::Open(_)) if now().seconds_since(began) < MAIL_TIMEOUT_S => {
                spin_sdk::time::sleep(LOOK_AGAIN).await;
            }
            Some(MailState::Open(_)) | None => {
                let reason = format!("the server did not take it within {MAIL_TIMEOUT_S} s");
                give_up(db, mail_id, &reason).await?;
                return Ok(Err(reason));
            }
        }
    }
}

/// `POST /notifications/test-webhook`: posts a test event to any address that a webhook might have.
pub(crate) async fn webhook(input: Input<op::TestAddress>) -> Given<op::TestAddress> {
    let url = input.body.url.0.clone();
    let allow_private = variable("webhook_allow_private").await? == "true";
    target::check(&url, allow_private).map_err(|refused| {
        Refusal::field("url_parsing", &["body", "url"], refused.to_string(), url.as_str().into())
    })?;
    let event = input.body.event_type.as_deref().unwrap_or(TEST_EVENT).to_owned();
    let token = variable("component_token").await?;
    let report: DeliverReport = Component("notifier")
        .post_json("/internal/deliver", &DeliverRequest::Probe { url, event }, &token)
        .await
        .map_err(|e| Refusal::Unavailable(format!("notifier {e}")))?;
    Ok(match report.error {
        None => (StatusCode::OK, TestResult::arrived("Webhook triggered successfully")),
        Some(error) => {
            (StatusCode::BAD_GATEWAY, TestResult::failed(format!("Webhook request failed: {error}")))
        }
    })
}
