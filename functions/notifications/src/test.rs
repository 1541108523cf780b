//! Tests of mail and of a webhook's address.

use http::StatusCode;
use pm_api::{
    event::TEST_EVENT,
    webhook::{DeliverReport, DeliverRequest, TestResult},
};
use pm_domain::{address, mail::test, settings::Key, target};
use pm_store::{
    Db, StoreError,
    mail::{MailState, NewMail, enqueue, give_up, state},
    notice, setting, user,
};
use pm_web::{Call, Outcome, Peer, Refusal, json, now, variable};
use std::time::Duration;

const LONGEST_URL: usize = 2000;
const LONGEST_EVENT: usize = 64;
/// How long a test mail may take, seconds.
const PATIENCE_S: f64 = 10.0;
/// A bridge that is there reports its mail server each second; one that did not for so long is gone, seconds.
const MAIL_SERVER_REPORTED_WITHIN_S: i64 = 30;
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// `POST /notifications/test-email`: sends a mail and waits for the server's answer.
pub(crate) async fn email(call: &Call) -> Outcome {
    let given = if call.body.is_empty() {
        None
    } else {
        let mut fields = call.fields()?;
        let to = fields.text("to", address::MAX_ADDRESS_CHARS).flatten().map(|to| to.trim().to_owned());
        if let Some(Err(why)) = to.as_deref().map(address::mail) {
            fields.refuse("value_error", "to", format!("value is not a valid email address: {why}"));
        }
        fields.end()?;
        to
    };
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let recent = now().plus_seconds(-MAIL_SERVER_REPORTED_WITHIN_S);
    if notice::mail_server_seen(&db).await?.is_none_or(|at| at < recent) {
        let error = "Email SMTP credentials are not configured. Please set EMAIL_SMTP_HOST for the bridge.";
        return Ok(json(StatusCode::BAD_REQUEST, &TestResult::failed(error)));
    }
    let to = match given {
        Some(to) => to,
        None => {
            let configured = setting::read(&db, &[Key::NotificationsRecipients]).await?;
            let further = variable("notification_email_to").await?;
            let mut all = configured.list(Key::NotificationsRecipients).into_iter();
            let first = all.next().or_else(|| {
                further.split(',').map(str::trim).find(|to| address::mail(to).is_ok()).map(str::to_owned)
            });
            let own = user::get(&db, actor.user_id).await?.map(|user| user.email);
            first.or(own).ok_or(Refusal::BadToken)?
        }
    };
    let words = test();
    let mail = NewMail { attempts: 1, valid_for_s: 60, ..NewMail::new("test", &to, &words) };
    let mail_id =
        enqueue(&db, &mail).await?.ok_or_else(|| Refusal::Internal("no mail was queued".to_owned()))?;
    Ok(match outcome(&db, mail_id).await? {
        Ok(()) => json(StatusCode::OK, &TestResult::arrived("Test email sent successfully")),
        Err(error) => {
            json(StatusCode::BAD_GATEWAY, &TestResult::failed(format!("Email send failed: {error}")))
        }
    })
}

async fn outcome(db: &Db, mail_id: uuid::Uuid) -> Result<Result<(), String>, StoreError> {
    let began = now();
    loop {
        match state(db, mail_id).await? {
            Some(MailState::Sent) => return Ok(Ok(())),
            Some(MailState::Failed(error)) => return Ok(Err(error)),
            Some(MailState::Open(_)) if now().seconds_since(began) < PATIENCE_S => {
                spin_sdk::time::sleep(LOOK_AGAIN).await;
            }
            Some(MailState::Open(_)) | None => {
                let reason = format!("the server did not take it within {PATIENCE_S} s");
                give_up(db, mail_id, &reason).await?;
                return Ok(Err(reason));
            }
        }
    }
}

/// `POST /notifications/test-webhook`: posts a test event to any address that a webhook might have.
pub(crate) async fn webhook(call: &Call) -> Outcome {
    let allow_private = variable("webhook_allow_private").await? == "true";
    let mut fields = call.fields()?;
    let url = fields.required_text("url", LONGEST_URL);
    if let Some(Err(refused)) = (!url.is_empty()).then(|| target::check(&url, allow_private)) {
        fields.refuse("url_parsing", "url", refused.to_string());
    }
    let event = fields.text("event_type", LONGEST_EVENT).flatten().unwrap_or_else(|| TEST_EVENT.to_owned());
    fields.end()?;
    let token = variable("service_token").await?;
    let report: DeliverReport = Peer("notifier")
        .post_json("/internal/deliver", &DeliverRequest::Probe { url, event }, &token)
        .await
        .map_err(|e| Refusal::Unavailable(format!("notifier {e}")))?;
    Ok(match report.error {
        None => json(StatusCode::OK, &TestResult::arrived("Webhook triggered successfully")),
        Some(error) => {
            json(StatusCode::BAD_GATEWAY, &TestResult::failed(format!("Webhook request failed: {error}")))
        }
    })
}
