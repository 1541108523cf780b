//! Who is told what by mail, and by a Slack-compatible webhook: which events are notices, who gets them, and when those
//! that wait leave as one message.

use crate::{duration::MINUTE_S, zone::Zone};
use pm_api::{
    AlarmKind, MachineId, Priority, Severity, Timestamp,
    mail::{Digest, Notice},
    notification::Preferences,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// How long a notice waits for others to the same recipient, seconds.
pub const GATHER_S: i64 = 5;
/// Shortest time between two messages with notices to one recipient, seconds.
pub const PAUSE_S: i64 = 5 * MINUTE_S;
/// Most notices that one message lists.
pub const MAX_LISTED: usize = 50;
/// A bridge that reported a mail server so long ago is gone for planning notices, seconds.
pub const MAIL_SERVER_KNOWN_FOR_S: i64 = 5 * MINUTE_S;

/// What users get who have not chosen: their tickets, and no alarms.
pub const DEFAULT_PREFERENCES: Preferences = Preferences {
    alarms: false,
    predictions: false,
    ticket_assignments: true,
    minimum_severity: Severity::Warning,
    machine_ids: Vec::new(),
    machine_classes: Vec::new(),
    hours_from: None,
    hours_to: None,
    zone: None,
    summary_at: None,
};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// An alarm from a limit, or one that a person raised.
    Alarm,
    /// An alarm from the model.
    Prediction,
    /// A ticket that got an assignee.
    Ticket,
}

impl Topic {
    /// Text form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::Prediction => "prediction",
            Self::Ticket => "ticket",
        }
    }
}

/// An event that somebody may be told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What it is about.
    pub topic: Topic,
    /// Of the alarm, or by the ticket's priority.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// Where to look, below the product's address.
    pub path: String,
    /// Mail address of the ticket's assignee.
    pub assignee: Option<String>,
    /// The machine.
    pub machine_id: Option<MachineId>,
}

/// What an event of the outbox tells: a new alarm, one that escalated, or a ticket that got an assignee; `None`: no notice.
#[must_use]
pub fn news(event_type: &str, data: &Value) -> Option<News> {
    let field = |name: &str| data.get(name).and_then(Value::as_str);
    let topic = match event_type {
        "ticket.assigned" => Topic::Ticket,
        "alarm.updated" if field("change") != Some("escalated") => return None,
        "alarm.created" | "alarm.updated" if field("kind") == Some(AlarmKind::Prediction.as_str()) => {
            Topic::Prediction
        }
        "alarm.created" | "alarm.updated" => Topic::Alarm,
        _ => return None,
    };
    let word = |name: &str| field(name).unwrap_or_default();
    let (severity, page) = match topic {
        Topic::Ticket => (ticket_severity(word("priority").parse().unwrap_or(Priority::Low)), "tickets"),
        Topic::Alarm | Topic::Prediction => (word("severity").parse().unwrap_or(Severity::Info), "alarms"),
    };
    Some(News {
        topic,
        severity,
        title: field("title").or(field("message")).unwrap_or_default().to_owned(),
        path: format!("/app/{page}/{}", field("id")?),
        assignee: field("assignee").map(str::to_owned),
        machine_id: field("machine_id").and_then(|id| id.parse().ok()),
    })
}

/// The severity of the notice of a ticket.
fn ticket_severity(priority: Priority) -> Severity {
    match priority {
        Priority::Low | Priority::Medium => Severity::Info,
        Priority::High => Severity::Warning,
        Priority::Critical => Severity::Critical,
    }
}

/// Who is told besides the users who ask for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Is mail sent at all?
    pub mail: bool,
    /// Mail addresses.
    pub addresses: Vec<String>,
    /// Is the Slack-compatible webhook told?
    pub slack: bool,
    /// Lowest severity for these addresses and Slack.
    pub minimum_severity: Severity,
}

/// An active user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Mail address.
    pub email: String,
    /// What they want to be told.
    pub preferences: Preferences,
}

/// The way that a message takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// By SMTP, through the bridge.
    Mail,
    /// To the Slack-compatible webhook.
    Slack,
}

impl Channel {
    /// Text form, as stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Slack => "slack",
        }
    }
}

/// The recipient of every message of [`Channel::Slack`].
pub const SLACK_RECIPIENT: &str = "slack";

/// Who is told, each once, with addresses in lower case. `machine_class`: of the machine of the news. `mail_server_seen`: when a bridge last reported that it knows a
/// mail server; without one nobody is told by mail, also not later.
#[must_use]
pub fn recipients(
    news: &News,
    machine_class: Option<&str>,
    audience: &Audience,
    subscribers: &[Subscriber],
    mail_server_seen: Option<Timestamp>,
    now: Timestamp,
) -> BTreeSet<(Channel, String)> {
    let server = mail_server_seen.is_some_and(|at| at > now.plus_seconds(-MAIL_SERVER_KNOWN_FOR_S));
    let for_audience = news.topic != Topic::Ticket && news.severity >= audience.minimum_severity;
    let by_mail = || {
        let asked = subscribers.iter().filter(|s| wants(s, news, machine_class, now)).map(|s| &s.email);
        asked.chain(audience.addresses.iter().filter(|_| for_audience))
    };
    let mut told = BTreeSet::new();
    if audience.mail && server {
        told.extend(by_mail().map(|address| (Channel::Mail, address.to_lowercase())));
    }
    if audience.slack && for_audience {
        told.insert((Channel::Slack, SLACK_RECIPIENT.to_owned()));
    }
    told
}

fn wants(subscriber: &Subscriber, news: &News, machine_class: Option<&str>, now: Timestamp) -> bool {
    let Subscriber { email, preferences } = subscriber;
    let grave = news.severity >= preferences.minimum_severity
        && is_about(preferences, news.machine_id, machine_class)
        && is_in_hours(preferences, now);
    match news.topic {
        Topic::Alarm => preferences.alarms && grave,
        Topic::Prediction => preferences.predictions && grave,
        Topic::Ticket => {
            let own = news.assignee.as_ref().is_some_and(|a| a.to_lowercase() == email.to_lowercase());
            own && preferences.ticket_assignments
        }
    }
}

/// Does a user want to know of alarms of this machine?
#[must_use]
pub fn is_about(preferences: &Preferences, machine: Option<MachineId>, class: Option<&str>) -> bool {
    let Preferences { machine_ids, machine_classes, .. } = preferences;
    (machine_ids.is_empty() && machine_classes.is_empty())
        || machine.is_some_and(|machine| machine_ids.contains(&machine))
        || class.is_some_and(|class| machine_classes.iter().any(|wanted| wanted == class))
}

fn zone_of(preferences: &Preferences) -> Zone {
    preferences.zone.as_deref().and_then(Zone::named).unwrap_or(Zone::UTC)
}

/// Is it one of the hours in which a user wants to know of alarms? Hours that end before they begin go over midnight.
fn is_in_hours(preferences: &Preferences, now: Timestamp) -> bool {
    let (Some(from), Some(to)) = (preferences.hours_from, preferences.hours_to) else { return true };
    let minute = zone_of(preferences).day_and_second(now).1 / MINUTE_S;
    if from <= to { from == to || (from..to).contains(&minute) } else { minute >= from || minute < to }
}

/// When the next summary of a day is due, after `now`; `None`: the user wants none.
#[must_use]
pub fn next_summary(preferences: &Preferences, now: Timestamp) -> Option<Timestamp> {
    let second = preferences.summary_at? * MINUTE_S;
    let zone = zone_of(preferences);
    let today = zone.day_and_second(now).0;
    (today..=today + 2).map(|day| zone.instant_at(day, second)).find(|at| *at > now)
}

/// Do the notices that wait for a recipient leave now? `oldest`: since when the first of them waits. `last_sent`: when the
/// last message with notices was made for this recipient.
#[must_use]
pub fn leaves(oldest: Timestamp, last_sent: Option<Timestamp>, now: Timestamp) -> bool {
    let gathered = oldest <= now.plus_seconds(-GATHER_S);
    gathered && last_sent.is_none_or(|at| at <= now.plus_seconds(-PAUSE_S))
}

/// The message of notices that leave together: the highest severity first, then the newest; of more than [`MAX_LISTED`] it
/// gives the number.
#[must_use]
pub fn digest(mut notices: Vec<Notice>) -> Digest {
    let total = notices.len() as u64;
    let severity = |n: &Notice| n.severity.parse().unwrap_or(Severity::Info);
    notices.sort_by_key(|n| std::cmp::Reverse((severity(n), n.at)));
    notices.truncate(MAX_LISTED);
    Digest { total, items: notices }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    #[test]
    fn which_events_are_news() {
        let alarm = |event: &str, change: &str, kind: &str| {
            let data =
                json!({"id": "a1", "change": change, "kind": kind, "severity": "critical", "message": "hot"});
            news(event, &data).map(|n| (n.topic, n.severity, n.title, n.path))
        };
        let told = |topic| Some((topic, Severity::Critical, "hot".to_owned(), "/app/alarms/a1".to_owned()));
        for (event, change, kind, expected) in [
            ("alarm.created", "raised", "threshold", told(Topic::Alarm)),
            ("alarm.created", "raised", "prediction", told(Topic::Prediction)),
            ("alarm.created", "raised", "manual", told(Topic::Alarm)),
            ("alarm.updated", "escalated", "threshold", told(Topic::Alarm)),
            ("alarm.updated", "returned", "threshold", None),
            ("ticket.updated", "", "", None),
            ("machine.status", "", "", None),
        ] {
            assert_eq!(alarm(event, change, kind), expected, "{event} {change} {kind}");
        }
        let by_hand = json!({"id": "a1", "kind": "manual", "severity": "warning", "message": "leak"});
        assert!(news("alarm.created", &by_hand).is_some());
        for (priority, severity) in [
            ("low", Severity::Info),
            ("medium", Severity::Info),
            ("high", Severity::Warning),
            ("critical", Severity::Critical),
        ] {
            let data = json!({"id": "t1", "priority": priority, "title": "Oil", "assignee": "a@b.c"});
            let ticket = news("ticket.assigned", &data);
            assert_eq!(
                ticket,
                Some(News {
                    topic: Topic::Ticket,
                    severity,
                    title: "Oil".to_owned(),
                    path: "/app/tickets/t1".to_owned(),
                    assignee: Some("a@b.c".to_owned()),
                    machine_id: None,
                })
            );
        }
    }

    fn any_news() -> impl Strategy<Value = News> {
        (
            prop::sample::select(&[Topic::Alarm, Topic::Prediction, Topic::Ticket][..]),
            prop::sample::select(Severity::ALL),
        )
            .prop_map(|(topic, severity)| News {
                topic,
                severity,
                title: String::new(),
                path: String::new(),
                assignee: (topic == Topic::Ticket).then(|| "Ann@example.com".to_owned()),
                machine_id: None,
            })
    }

    fn any_preferences() -> impl Strategy<Value = Preferences> {
        (any::<bool>(), any::<bool>(), any::<bool>(), prop::sample::select(Severity::ALL)).prop_map(
            |(alarms, predictions, ticket_assignments, minimum_severity)| Preferences {
                alarms,
                predictions,
                ticket_assignments,
                minimum_severity,
                ..DEFAULT_PREFERENCES
            },
        )
    }

    fn any_audience() -> impl Strategy<Value = Audience> {
        (any::<bool>(), any::<bool>(), prop::sample::select(Severity::ALL)).prop_map(
            |(mail, slack, minimum_severity)| Audience {
                mail,
                addresses: vec!["Plant@example.com".to_owned()],
                slack,
                minimum_severity,
            },
        )
    }

    #[test]
    fn hours_are_those_of_the_users_clocks_and_go_over_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let hours = |from: i64, to: i64, zone: &str| Preferences {
            hours_from: Some(from * 60),
            hours_to: Some(to * 60),
            zone: Some(zone.to_owned()),
            ..DEFAULT_PREFERENCES
        };
        for (preferences, time, expected) in [
            (hours(6, 22, "Europe/Berlin"), "2026-03-28T05:00:00Z", true),
            (hours(6, 22, "Europe/Berlin"), "2026-03-28T04:59:59Z", false),
            // summer time since 2026-03-29
            (hours(6, 22, "Europe/Berlin"), "2026-03-29T04:00:00Z", true),
            (hours(6, 22, "Europe/Berlin"), "2026-03-29T20:00:00Z", false),
            (hours(22, 6, "America/New_York"), "2026-11-01T02:00:00Z", true),
            (hours(22, 6, "America/New_York"), "2026-11-01T10:59:59Z", true),
            (hours(22, 6, "America/New_York"), "2026-11-01T11:00:00Z", false),
            (hours(8, 8, "UTC"), "2026-11-01T03:00:00Z", true),
            (DEFAULT_PREFERENCES, "2026-11-01T03:00:00Z", true),
        ] {
            assert_eq!(is_in_hours(&preferences, at(time)), expected, "{preferences:?} {time}");
        }
    }

    #[test]
    fn a_summary_is_due_once_a_day_by_the_users_clocks() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let preferences = Preferences {
            summary_at: Some(6 * 60 + 30),
            zone: Some("Europe/Berlin".to_owned()),
            ..DEFAULT_PREFERENCES
        };
        for (now, next) in [
            ("2026-03-28T05:29:59Z", "2026-03-28T05:30:00Z"),
            ("2026-03-28T05:30:00Z", "2026-03-29T04:30:00Z"),
            ("2026-10-24T04:30:00Z", "2026-10-25T05:30:00Z"),
        ] {
            assert_eq!(next_summary(&preferences, at(now)), Some(at(next)), "{now}");
        }
        assert_eq!(next_summary(&DEFAULT_PREFERENCES, at("2026-03-28T05:30:00Z")), None);
    }

    #[test]
    fn users_choose_machines_and_classes() {
        let id = |n: u128| MachineId(uuid::Uuid::from_u128(n));
        let chosen = Preferences {
            machine_ids: vec![id(1)],
            machine_classes: vec!["pump".to_owned()],
            ..DEFAULT_PREFERENCES
        };
        assert!(is_about(&chosen, Some(id(1)), None) && is_about(&chosen, Some(id(2)), Some("pump")));
        assert!(!is_about(&chosen, Some(id(2)), Some("press")) && !is_about(&chosen, None, None));
        assert!(is_about(&DEFAULT_PREFERENCES, None, None));
    }

    proptest! {
        #[test]
        fn users_get_what_they_ask_for(news in any_news(), preferences in any_preferences(), audience in any_audience()) {
            let users = ["ann@example.com", "bob@example.com"].map(|email| {
                Subscriber { email: email.to_owned(), preferences: preferences.clone() }
            });
            let told = recipients(&news, None, &audience, &users, Some(NOW), NOW);
            let gets = |email: &str| told.contains(&(Channel::Mail, email.to_owned()));
            let grave = news.severity >= preferences.minimum_severity;
            let (ann, bob) = match news.topic {
                Topic::Alarm => (preferences.alarms && grave, preferences.alarms && grave),
                Topic::Prediction => (preferences.predictions && grave, preferences.predictions && grave),
                Topic::Ticket => (preferences.ticket_assignments, false),
            };
            prop_assert_eq!((gets("ann@example.com"), gets("bob@example.com")), (ann && audience.mail, bob && audience.mail));
            let everybody = news.topic != Topic::Ticket && news.severity >= audience.minimum_severity;
            prop_assert_eq!(gets("plant@example.com"), everybody && audience.mail);
            prop_assert_eq!(told.contains(&(Channel::Slack, SLACK_RECIPIENT.to_owned())), everybody && audience.slack);
        }

        #[test]
        fn no_mail_without_a_mail_server(
            news in any_news(), preferences in any_preferences(), audience in any_audience(), age_s in 0_i64..1000,
        ) {
            let users = [Subscriber { email: "ann@example.com".to_owned(), preferences }];
            let mailed = |seen| {
                recipients(&news, None, &audience, &users, seen, NOW).into_iter().filter(|(c, _)| *c == Channel::Mail).count()
            };
            prop_assert_eq!(mailed(None), 0);
            let seen = mailed(Some(NOW.plus_seconds(-age_s)));
            prop_assert_eq!(seen, if age_s < MAIL_SERVER_KNOWN_FOR_S { mailed(Some(NOW)) } else { 0 });
        }

        #[test]
        fn a_recipient_gets_one_message_in_each_pause(arrivals in prop::collection::vec(0_i64..2000, 1..60)) {
            let (mut waiting, mut sent): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
            for second in 0..2000 + PAUSE_S + GATHER_S + 1 {
                waiting.extend(arrivals.iter().filter(|at| **at == second));
                let at = |s: i64| NOW.plus_seconds(s);
                if let Some(oldest) = waiting.iter().min()
                    && leaves(at(*oldest), sent.last().map(|s| at(*s)), at(second))
                {
                    prop_assert!(second - oldest <= GATHER_S.max(PAUSE_S));
                    waiting.clear();
                    sent.push(second);
                }
            }
            prop_assert!(waiting.is_empty(), "every notice leaves");
            prop_assert!(sent.windows(2).all(|pair| pair[1] - pair[0] >= PAUSE_S));
        }

        #[test]
        fn a_message_lists_the_gravest_and_newest(
            notices in prop::collection::vec((prop::sample::select(Severity::ALL), -1000_i64..0), 0..120),
        ) {
            let notice = |(severity, at_s): &(Severity, i64)| Notice {
                severity: severity.to_string(),
                at: NOW.plus_seconds(*at_s),
                ..Notice::default()
            };
            let digest = digest(notices.iter().map(notice).collect());
            prop_assert_eq!(digest.total, notices.len() as u64);
            prop_assert_eq!(digest.items.len(), notices.len().min(MAX_LISTED));
            let key = |n: &Notice| (n.severity.parse::<Severity>().ok(), n.at);
            prop_assert!(digest.items.is_sorted_by(|a, b| key(a) >= key(b)));
            if let Some(last) = digest.items.last() {
                let left_out = notices.iter().filter(|n| key(&notice(n)) > key(last)).count();
                prop_assert!(left_out < MAX_LISTED);
            }
        }
    }
}
