//! Who is told what, by the settings in force; the documented variables add to them.

use pm_api::Severity;
use pm_domain::{notice::Audience, settings::Key};
use pm_store::{Db, setting};
use pm_web::{Refusal, variable};

/// What the notifier obeys.
pub(crate) struct Settings {
    /// Are events delivered to webhooks?
    pub(crate) webhooks: bool,
    /// Who gets notices besides the users who ask for them.
    pub(crate) audience: Audience,
    /// The Slack-compatible webhook; empty if there is none.
    pub(crate) slack_url: String,
    /// Where the web page is, without a slash at its end.
    pub(crate) public_url: String,
}

impl Settings {
    pub(crate) async fn read(db: &Db) -> Result<Self, Refusal> {
        let values = setting::read(
            db,
            &[
                Key::GeneralPublicUrl,
                Key::NotificationsMailEnabled,
                Key::NotificationsMinSeverity,
                Key::NotificationsRecipients,
                Key::NotificationsSlackEnabled,
                Key::NotificationsSlackUrl,
                Key::NotificationsWebhooksEnabled,
            ],
        )
        .await?;
        let mut addresses = values.list(Key::NotificationsRecipients);
        let further = variable("notification_email_to").await?;
        addresses.extend(further.split(',').map(|a| a.trim().to_owned()).filter(|a| a.contains('@')));
        let slack_url = match values.text(Key::NotificationsSlackUrl) {
            url if values.boolean(Key::NotificationsSlackEnabled) && !url.is_empty() => url.to_owned(),
            _ => variable("slack_webhook_url").await?,
        };
        Ok(Self {
            webhooks: values.boolean(Key::NotificationsWebhooksEnabled),
            audience: Audience {
                mail: values.boolean(Key::NotificationsMailEnabled),
                addresses,
                slack: !slack_url.is_empty(),
                minimum_severity: values
                    .text(Key::NotificationsMinSeverity)
                    .parse()
                    .unwrap_or(Severity::Warning),
            },
            slack_url,
            public_url: values.text(Key::GeneralPublicUrl).trim_end_matches('/').to_owned(),
        })
    }
}
