//! What a notice of an escalation says: the request to each service that it can go to, and the mail.
//!
//! Every text from outside (names, messages) is data of the JSON and is never read as markup by the service that shows it:
//! plain-text blocks for Slack, text runs for Teams. `PagerDuty` and Opsgenie keep an incident for each escalation, which
//! is acknowledged and resolved with it.

use crate::mail::{Rendered, for_slack, one_line, paged};
use pm_api::{AlarmId, ChannelKind, NoticeSubject, Severity, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

/// The services that are told when somebody answered and when everything is resolved: they keep incidents.
pub const KEEP_INCIDENTS: [ChannelKind; 2] = [ChannelKind::PagerDuty, ChannelKind::Opsgenie];
/// Retries of a notice: a notice that comes half an hour late is of no use, because the next step was done.
pub const RETRIES: i32 = 5;

/// The name by which services know the sender.
const SOURCE: &str = "Predictive maintenance";
/// Longest title of a Slack message, characters.
const SLACK_TITLE_CHARS: usize = 150;
/// Longest message of an Opsgenie alert, characters.
const OPSGENIE_MESSAGE_CHARS: usize = 130;

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The notice; the same at every attempt.
    pub id: Uuid,
    /// The escalation: what services know the incident by.
    pub escalation_id: Uuid,
    /// What it tells.
    pub subject: NoticeSubject,
    /// The alarm that began the case.
    pub alarm_id: AlarmId,
    /// The highest severity in the case.
    pub severity: Severity,
    /// What the first alarm says.
    pub text: String,
    /// Name of the machine.
    pub machine: String,
    /// When the first alarm was raised.
    pub raised_at: Timestamp,
    /// Alarms of the case that wait for an answer.
    pub waiting: i64,
    /// Name of the chain.
    pub chain: String,
    /// Number of the step, from 1.
    pub step: i64,
    /// The repetition; 0 is the first round.
    pub repetition: i64,
}

/// A POST request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Where to.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: String,
}

/// The address of a service that has one for all.
#[must_use]
pub fn default_url(kind: ChannelKind) -> Option<&'static str> {
    match kind {
        ChannelKind::PagerDuty => Some("https://events.pagerduty.com/v2/enqueue"),
        ChannelKind::Opsgenie => Some("https://api.opsgenie.com/v2/alerts"),
        ChannelKind::Teams | ChannelKind::Slack | ChannelKind::Ntfy | ChannelKind::Generic => None,
    }
}

/// Does the service need a key?
#[must_use]
pub fn needs_secret(kind: ChannelKind) -> bool {
    KEEP_INCIDENTS.contains(&kind)
}

/// The request that tells a service. `product_url` is the address of the web page without a slash at its end; empty: there
/// are no links.
#[must_use]
pub fn post(
    kind: ChannelKind,
    url: &str,
    secret: Option<&str>,
    message: &Message,
    product_url: &str,
) -> Post {
    let link = link(message, product_url);
    let secret = secret.unwrap_or_default();
    let (mut url, mut authorization) = (url.to_owned(), None);
    let body = match kind {
        ChannelKind::PagerDuty => pager_duty(secret, message, link.as_deref()),
        ChannelKind::Opsgenie => {
            authorization = Some(format!("GenieKey {secret}"));
            let end = match message.subject {
                NoticeSubject::Alarm => None,
                NoticeSubject::Answered => Some("acknowledge"),
                NoticeSubject::Resolved => Some("close"),
            };
            if let Some(end) = end {
                url = format!(
                    "{}/{}/{end}?identifierType=alias",
                    url.trim_end_matches('/'),
                    message.escalation_id
                );
            }
            opsgenie(message, link.as_deref())
        }
        ChannelKind::Teams => teams(message, link.as_deref()),
        ChannelKind::Slack => slack(message, link.as_deref()),
        ChannelKind::Ntfy => {
            authorization = (!secret.is_empty()).then(|| format!("Bearer {secret}"));
            let (root, topic) = url.trim_end_matches('/').rsplit_once('/').unwrap_or((&url, ""));
            let body = ntfy(topic, message, link.as_deref());
            url = format!("{root}/");
            body
        }
        ChannelKind::Generic => {
            authorization = (!secret.is_empty()).then(|| format!("Bearer {secret}"));
            generic(message, link.as_deref())
        }
    };
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(authorization.map(|value| ("authorization".to_owned(), value)));
    Post { url, headers, body: body.to_string() }
}

/// The mail of a notice. `reason` says why this person gets it, e.g. that they are on call.
#[must_use]
pub fn mail(message: &Message, reason: &str, product_url: &str) -> Rendered {
    let mut facts = facts(message);
    facts.push(("Reason", reason.to_owned()));
    paged(&title(message), &facts, link(message, product_url).as_deref())
}

fn link(message: &Message, product_url: &str) -> Option<String> {
    (!product_url.is_empty()).then(|| format!("{product_url}/app/alarms/{}", message.alarm_id))
}

fn title(message: &Message) -> String {
    let again = if message.repetition > 0 { " (again)" } else { "" };
    one_line(&format!(
        "{} on {}: {}{again}",
        message.severity.as_str().to_uppercase(),
        message.machine,
        message.text
    ))
}

fn facts(message: &Message) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Machine", one_line(&message.machine)),
        ("Severity", message.severity.to_string()),
        ("Since", crate::mail::second(&message.raised_at)),
    ];
    if message.waiting > 1 {
        facts.push(("Alarms of the case", message.waiting.to_string()));
    }
    facts.push(("Escalation", format!("{}, step {}", one_line(&message.chain), message.step)));
    facts
}

fn at_most(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

/// `PagerDuty` events API v2.
fn pager_duty(routing_key: &str, message: &Message, link: Option<&str>) -> Value {
    let action = match message.subject {
        NoticeSubject::Alarm => "trigger",
        NoticeSubject::Answered => "acknowledge",
        NoticeSubject::Resolved => "resolve",
    };
    let mut event = json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": message.escalation_id,
    });
    if message.subject == NoticeSubject::Alarm {
        let severity = match message.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        };
        let details: Value =
            facts(message).into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        event["client"] = json!(SOURCE);
        event["payload"] = json!({
            "summary": title(message),
            "source": message.machine,
            "severity": severity,
            "timestamp": message.raised_at,
            "component": message.machine,
            "custom_details": details,
        });
        if let Some(link) = link {
            event["client_url"] = json!(link);
            event["links"] = json!([{ "href": link, "text": "Open the alarm" }]);
        }
    }
    event
}

/// Opsgenie alert API v2.
fn opsgenie(message: &Message, link: Option<&str>) -> Value {
    if message.subject != NoticeSubject::Alarm {
        return json!({ "source": SOURCE });
    }
    let priority = match message.severity {
        Severity::Critical => "P1",
        Severity::Warning => "P3",
        Severity::Info => "P5",
    };
    let mut lines: Vec<_> =
        facts(message).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.extend(link.map(str::to_owned));
    json!({
        "message": at_most(&title(message), OPSGENIE_MESSAGE_CHARS),
        "alias": message.escalation_id,
        "description": lines.join("\n"),
        "priority": priority,
        "source": SOURCE,
        "entity": message.machine,
    })
}

/// Microsoft Teams: an adaptive card. Text runs show their text as it is.
fn teams(message: &Message, link: Option<&str>) -> Value {
    let run = |text: String, weight: &str| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] });
    let mut body = vec![run(title(message), "Bolder")];
    body.extend(facts(message).into_iter().map(|(name, value)| run(format!("{name}: {value}"), "Default")));
    let actions: Vec<_> = link
        .map(|link| json!({ "type": "Action.OpenUrl", "title": "Open the alarm", "url": link }))
        .into_iter()
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": actions,
            },
        }],
    })
}

/// Slack: blocks, and a text for notifications.
fn slack(message: &Message, link: Option<&str>) -> Value {
    let title = title(message);
    let fields: Vec<_> = facts(message)
        .into_iter()
        .map(|(name, value)| json!({ "type": "plain_text", "text": format!("{name}: {value}") }))
        .collect();
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": at_most(&title, SLACK_TITLE_CHARS) } }),
        json!({ "type": "section", "fields": fields }),
    ];
    blocks.extend(link.map(|link| {
        let text = format!("<{}|Open the alarm>", for_slack(link));
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
    }));
    json!({ "text": for_slack(&title), "blocks": blocks })
}

/// ntfy: published as JSON to the server's root.
fn ntfy(topic: &str, message: &Message, link: Option<&str>) -> Value {
    let (priority, tag) = match message.severity {
        Severity::Critical => (5, "rotating_light"),
        Severity::Warning => (4, "warning"),
        Severity::Info => (3, "information_source"),
    };
    let lines: Vec<_> = facts(message).into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut published = json!({
        "topic": topic,
        "title": title(message),
        "message": lines.join("\n"),
        "priority": priority,
        "tags": [tag],
    });
    if let Some(link) = link {
        published["click"] = json!(link);
    }
    published
}

/// Any receiver of JSON.
fn generic(message: &Message, link: Option<&str>) -> Value {
    json!({
        "id": message.id,
        "escalation_id": message.escalation_id,
        "subject": message.subject,
        "alarm_id": message.alarm_id,
        "severity": message.severity,
        "message": message.text,
        "machine": message.machine,
        "raised_at": message.raised_at,
        "waiting": message.waiting,
        "chain": message.chain,
        "step": message.step,
        "repetition": message.repetition,
        "url": link,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://pm.example";

    fn message(subject: NoticeSubject) -> Message {
        Message {
            id: Uuid::from_u128(1),
            escalation_id: Uuid::from_u128(2),
            subject,
            alarm_id: AlarmId(Uuid::from_u128(3)),
            severity: Severity::Critical,
            text: "Pressure at 203 bar <critical> *above*".to_owned(),
            machine: "Press-01 <!channel>".to_owned(),
            raised_at: "2026-12-01T10:00:00Z".parse().expect("a time"),
            waiting: 2,
            chain: "Hall 1".to_owned(),
            step: 1,
            repetition: 0,
        }
    }

    fn sent(kind: ChannelKind, subject: NoticeSubject) -> (Post, Value) {
        let post = post(kind, "https://hooks.example/team/topic", Some("key"), &message(subject), URL);
        let body = serde_json::from_str(&post.body).expect("JSON");
        (post, body)
    }

    const TITLE: &str = "CRITICAL on Press-01 <!channel>: Pressure at 203 bar <critical> *above*";
    const LINK: &str = "https://pm.example/app/alarms/00000000-0000-0000-0000-000000000003";

    #[test]
    fn pager_duty_gets_events_with_one_key_for_the_escalation() {
        let (post, body) = sent(ChannelKind::PagerDuty, NoticeSubject::Alarm);
        assert_eq!(post.url, "https://hooks.example/team/topic");
        assert_eq!(
            body,
            json!({
                "routing_key": "key",
                "event_action": "trigger",
                "dedup_key": "00000000-0000-0000-0000-000000000002",
                "client": "Predictive maintenance",
                "client_url": LINK,
                "links": [{ "href": LINK, "text": "Open the alarm" }],
                "payload": {
                    "summary": TITLE,
                    "source": "Press-01 <!channel>",
                    "severity": "critical",
                    "timestamp": "2026-12-01T10:00:00.000000Z",
                    "component": "Press-01 <!channel>",
                    "custom_details": {
                        "Machine": "Press-01 <!channel>",
                        "Severity": "critical",
                        "Since": "2026-12-01 10:00:00 UTC",
                        "Alarms of the case": "2",
                        "Escalation": "Hall 1, step 1",
                    },
                },
            })
        );
        for (subject, action) in
            [(NoticeSubject::Answered, "acknowledge"), (NoticeSubject::Resolved, "resolve")]
        {
            let (_, body) = sent(ChannelKind::PagerDuty, subject);
            let key = "00000000-0000-0000-0000-000000000002";
            assert_eq!(body, json!({ "routing_key": "key", "event_action": action, "dedup_key": key }));
        }
    }

    #[test]
    fn opsgenie_gets_an_alert_that_is_acknowledged_and_closed_by_its_alias() {
        let (post, body) = sent(ChannelKind::Opsgenie, NoticeSubject::Alarm);
        assert!(post.headers.contains(&("authorization".to_owned(), "GenieKey key".to_owned())));
        assert_eq!(
            (&body["alias"], &body["priority"]),
            (&json!("00000000-0000-0000-0000-000000000002"), &json!("P1"))
        );
        assert_eq!((&body["message"], &body["entity"]), (&json!(TITLE), &json!("Press-01 <!channel>")));
        for (subject, end) in [(NoticeSubject::Answered, "acknowledge"), (NoticeSubject::Resolved, "close")] {
            let (post, _) = sent(ChannelKind::Opsgenie, subject);
            let alias = "00000000-0000-0000-0000-000000000002";
            assert_eq!(
                post.url,
                format!("https://hooks.example/team/topic/{alias}/{end}?identifierType=alias")
            );
        }
        let long = Message { text: "ä".repeat(500), ..message(NoticeSubject::Alarm) };
        let body: Value =
            serde_json::from_str(&self::post(ChannelKind::Opsgenie, "u", None, &long, URL).body)
                .expect("JSON");
        assert_eq!(body["message"].as_str().map(|m| m.chars().count()), Some(130));
    }

    #[test]
    fn teams_gets_an_adaptive_card_of_plain_text() {
        let (_, body) = sent(ChannelKind::Teams, NoticeSubject::Alarm);
        let attachment = &body["attachments"][0];
        assert_eq!(
            (&body["type"], &attachment["contentType"]),
            (&json!("message"), &json!("application/vnd.microsoft.card.adaptive"))
        );
        let card = &attachment["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        let run = &card["body"][0];
        assert_eq!((&run["type"], &run["inlines"][0]["text"]), (&json!("RichTextBlock"), &json!(TITLE)));
        assert_eq!(
            card["actions"],
            json!([{ "type": "Action.OpenUrl", "title": "Open the alarm", "url": LINK }])
        );
    }

    #[test]
    fn slack_gets_blocks_that_mention_nobody() {
        let (_, body) = sent(ChannelKind::Slack, NoticeSubject::Alarm);
        assert_eq!(
            body["blocks"][0],
            json!({ "type": "header", "text": { "type": "plain_text", "text": TITLE } })
        );
        assert_eq!(
            body["blocks"][1]["fields"][0],
            json!({ "type": "plain_text", "text": "Machine: Press-01 <!channel>" })
        );
        assert_eq!(body["blocks"][2]["text"]["text"], format!("<{LINK}|Open the alarm>"));
        assert!(
            body["text"].as_str().is_some_and(|t| t.contains("&lt;!channel&gt;") && !t.contains('<')),
            "{body}"
        );
    }

    #[test]
    fn ntfy_gets_its_topic_at_the_root() {
        let (post, body) = sent(ChannelKind::Ntfy, NoticeSubject::Alarm);
        assert_eq!(post.url, "https://hooks.example/team/");
        assert!(post.headers.contains(&("authorization".to_owned(), "Bearer key".to_owned())));
        assert_eq!((&body["topic"], &body["title"]), (&json!("topic"), &json!(TITLE)));
        assert_eq!((&body["priority"], &body["click"]), (&json!(5), &json!(LINK)));
    }

    #[test]
    fn other_receivers_get_the_fields() {
        let (_, body) = sent(ChannelKind::Generic, NoticeSubject::Alarm);
        assert_eq!(
            (&body["subject"], &body["severity"], &body["step"]),
            (&json!("alarm"), &json!("critical"), &json!(1))
        );
        assert_eq!((&body["url"], &body["waiting"]), (&json!(LINK), &json!(2)));
    }

    #[test]
    fn without_an_address_of_the_page_there_are_no_links() {
        for kind in ChannelKind::ALL {
            let post = post(*kind, "https://hooks.example/t", None, &message(NoticeSubject::Alarm), "");
            assert!(!post.body.contains("/app/alarms"), "{kind} {}", post.body);
        }
    }

    #[test]
    fn a_mail_says_why_it_came() {
        let again = Message { repetition: 1, ..message(NoticeSubject::Alarm) };
        let mail = mail(&again, "on call: Hall 1", URL);
        assert_eq!(mail.subject, format!("{TITLE} (again)"));
        assert!(mail.text.contains("Reason: on call: Hall 1") && mail.text.contains(LINK), "{}", mail.text);
        assert!(
            mail.html.contains("Press-01 &lt;!channel&gt;") && !mail.html.contains("<!channel>"),
            "{}",
            mail.html
        );
    }
}
