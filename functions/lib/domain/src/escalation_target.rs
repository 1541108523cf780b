//! Whom the steps of an escalation chain tell: a person, who is on call, a role, a channel or a mail address.
//!
//! A step that leads to nobody gives a notice that has failed, so that the log says so.

use crate::{escalation::Slot, notice::MAIL_SERVER_KNOWN_FOR_S, on_call::on_call};
use pm_api::{
    ChannelKind, NoticeChannelId, Role, Timestamp, UserId,
    escalation::{EscalationChain, EscalationStep},
    on_call::OnCallSchedule,
};

/// An account that can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub id: UserId,
    /// Mail address.
    pub email: String,
    /// Name, else mail address.
    pub name: String,
    /// The built-in role.
    pub role: Role,
    /// Names of the custom roles.
    pub roles: Vec<String>,
}

/// Everything that a step can name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directory {
    /// The active accounts of people.
    pub people: Vec<Account>,
    /// The on-call schedules.
    pub schedules: Vec<OnCallSchedule>,
    /// The notice channels.
    pub channels: Vec<(NoticeChannelId, String, ChannelKind)>,
    /// Why nobody can be told by mail; `None`: mail works.
    pub mail_problem: Option<&'static str>,
}

/// A notice that a step leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The step.
    pub slot: Slot,
    /// For people: whom it is for.
    pub recipient: String,
    /// For people: why they.
    pub reason: String,
    /// The account.
    pub user_id: Option<UserId>,
    /// [`MAIL`], or the kind of the channel.
    pub channel: Option<String>,
    /// The channel.
    pub channel_id: Option<NoticeChannelId>,
    /// Of a mail.
    pub address: Option<String>,
    /// Why nobody is told.
    pub error: Option<&'static str>,
}

/// The word for notices by mail.
pub const MAIL: &str = "mail";

/// Why nobody can be told by mail. `enabled`: the setting `notifications.mail_enabled`. `server_seen`: when a bridge last
/// reported that it knows a mail server.
#[must_use]
pub fn mail_problem(enabled: bool, server_seen: Option<Timestamp>, now: Timestamp) -> Option<&'static str> {
    let server = server_seen.is_some_and(|at| at > now.plus_seconds(-MAIL_SERVER_KNOWN_FOR_S));
    match (enabled, server) {
        (false, _) => Some("mail is switched off (notifications.mail_enabled)"),
        (true, false) => Some("no mail server is configured"),
        (true, true) => None,
    }
}

/// The notices of steps that are due at `now`.
#[must_use]
pub fn notices(
    chain: &EscalationChain,
    slots: &[Slot],
    directory: &Directory,
    now: Timestamp,
) -> Vec<Planned> {
    let steps =
        slots.iter().filter_map(|slot| Some((slot, chain.steps.get(usize::try_from(slot.step).ok()?)?)));
    steps.flat_map(|(slot, step)| of_step(*slot, step, directory, now)).collect()
}

fn of_step(slot: Slot, step: &EscalationStep, directory: &Directory, now: Timestamp) -> Vec<Planned> {
    let nobody = |recipient: &str, reason: String, error| Planned {
        slot,
        recipient: recipient.to_owned(),
        reason,
        user_id: None,
        channel: None,
        channel_id: None,
        address: None,
        error: Some(error),
    };
    let by_mail = |recipient: String, address: &str, user_id, reason: String| Planned {
        slot,
        recipient,
        reason,
        user_id,
        channel: Some(MAIL.to_owned()),
        channel_id: None,
        address: Some(address.to_owned()),
        error: directory.mail_problem,
    };
    let person = |id: UserId, reason: String| {
        let gone = "the account is deleted or not active";
        match directory.people.iter().find(|p| p.id == id) {
            Some(p) => by_mail(shown(p), &p.email, Some(p.id), reason),
            None => nobody("nobody", reason, gone),
        }
    };
    if let Some(id) = step.user_id {
        return vec![person(id, "person of the step".to_owned())];
    }
    if let Some(id) = step.schedule_id {
        let Some(schedule) = directory.schedules.iter().find(|s| s.id == id) else {
            return vec![nobody("nobody", "on call".to_owned(), "the on-call schedule was deleted")];
        };
        let reason = format!("on call: {}", schedule.name);
        return vec![match on_call(&schedule.plan, now).0 {
            Some(user) => person(user, reason),
            None => nobody("nobody", reason, "nobody is on call"),
        }];
    }
    if let Some(role) = &step.role {
        let of_role =
            |p: &&Account| p.role.as_str() == role.0.as_str() || p.roles.iter().any(|r| r == role.0.as_str());
        let reason = format!("role {}", role.0.as_str());
        let told: Vec<_> = directory
            .people
            .iter()
            .filter(of_role)
            .map(|p| by_mail(shown(p), &p.email, Some(p.id), reason.clone()))
            .collect();
        return if told.is_empty() {
            vec![nobody("nobody", reason, "no active account has the role")]
        } else {
            told
        };
    }
    if let Some(id) = step.channel_id {
        let reason = "channel of the step".to_owned();
        return vec![match directory.channels.iter().find(|(known, ..)| *known == id) {
            Some((_, name, kind)) => Planned {
                channel: Some(kind.as_str().to_owned()),
                channel_id: Some(id),
                error: None,
                ..nobody(name, reason, "")
            },
            None => nobody("nobody", reason, "the notice channel was deleted"),
        }];
    }
    let address = step.mail.as_ref().map(|mail| mail.0.as_str()).unwrap_or_default();
    vec![by_mail(address.to_owned(), address, None, "address of the step".to_owned())]
}

/// A name and the address, because several people can have the same name.
fn shown(person: &Account) -> String {
    if person.name == person.email {
        person.email.clone()
    } else {
        format!("{} ({})", person.name, person.email)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_api::{
        EscalationChainId, OnCallScheduleId, Severity,
        input::{Day, Text, Whole},
        on_call::{Holiday, OnCallPlan},
    };
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000);

    fn account(number: u128, role: Role, roles: &[&str]) -> Account {
        Account {
            id: UserId(Uuid::from_u128(number)),
            email: format!("p{number}@example.com"),
            name: "Sam".to_owned(),
            role,
            roles: roles.iter().map(|r| (*r).to_owned()).collect(),
        }
    }

    fn directory() -> Directory {
        let plan = OnCallPlan {
            zone: "UTC".to_owned(),
            people: vec![UserId(Uuid::from_u128(2))],
            turn_days: 7,
            starts_on: Day("2026-01-05".to_owned()),
            hand_over_minute: 0,
            holidays: Vec::new(),
            overrides: Vec::new(),
        };
        Directory {
            people: vec![
                account(1, Role::Engineer, &[]),
                account(2, Role::Engineer, &["hall 1"]),
                account(3, Role::Viewer, &["hall 1"]),
            ],
            schedules: vec![OnCallSchedule {
                id: OnCallScheduleId(Uuid::from_u128(7)),
                created_at: NOW,
                updated_at: NOW,
                name: "Night".to_owned(),
                plan,
                names: Vec::new(),
                on_call: None,
            }],
            channels: vec![(NoticeChannelId(Uuid::from_u128(8)), "Pager".to_owned(), ChannelKind::PagerDuty)],
            mail_problem: None,
        }
    }

    fn step() -> EscalationStep {
        EscalationStep {
            after_s: Whole(0),
            user_id: None,
            schedule_id: None,
            role: None,
            channel_id: None,
            mail: None,
        }
    }

    fn told(
        step: EscalationStep,
        directory: &Directory,
    ) -> Vec<(String, Option<String>, Option<&'static str>)> {
        let chain = EscalationChain {
            id: EscalationChainId(Uuid::nil()),
            created_at: NOW,
            updated_at: NOW,
            name: String::new(),
            active_since: None,
            machine_id: None,
            machine_class: None,
            minimum_severity: Severity::Info,
            steps: vec![step],
            repeat_every_s: 60,
            repeats: 0,
        };
        let slot = Slot { repetition: 0, step: 0 };
        let planned = notices(&chain, &[slot], directory, NOW);
        planned.into_iter().map(|p| (p.recipient, p.address.or(p.channel), p.error)).collect()
    }

    #[test]
    fn a_step_tells_whom_it_names() {
        let known = directory();
        let one = |number: u128| {
            (format!("Sam (p{number}@example.com)"), Some(format!("p{number}@example.com")), None)
        };
        let user = |number| EscalationStep { user_id: Some(UserId(Uuid::from_u128(number))), ..step() };
        let schedule = EscalationStep { schedule_id: Some(OnCallScheduleId(Uuid::from_u128(7))), ..step() };
        let role = |name: &str| EscalationStep { role: Some(Text(name.to_owned())), ..step() };
        let channel =
            |number| EscalationStep { channel_id: Some(NoticeChannelId(Uuid::from_u128(number))), ..step() };
        let mail = EscalationStep { mail: Some(Text("hall@example.com".to_owned())), ..step() };
        assert_eq!(told(user(1), &known), [one(1)]);
        assert_eq!(told(schedule.clone(), &known), [one(2)]);
        assert_eq!(told(role("engineer"), &known), [one(1), one(2)]);
        assert_eq!(told(role("hall 1"), &known), [one(2), one(3)]);
        assert_eq!(told(channel(8), &known), [("Pager".to_owned(), Some("pagerduty".to_owned()), None)]);
        assert_eq!(
            told(mail.clone(), &known),
            [("hall@example.com".to_owned(), Some("hall@example.com".to_owned()), None)]
        );

        let nobody = |error| vec![("nobody".to_owned(), None, Some(error))];
        assert_eq!(told(user(9), &known), nobody("the account is deleted or not active"));
        assert_eq!(told(role("admin"), &known), nobody("no active account has the role"));
        assert_eq!(told(channel(9), &known), nobody("the notice channel was deleted"));
        let mut on_holiday = directory();
        let today = NOW.to_string().chars().take(10).collect();
        on_holiday.schedules[0].plan.holidays = vec![Holiday { day: Day(today), user_id: None }];
        assert_eq!(told(schedule, &on_holiday), nobody("nobody is on call"));
        let without_server = Directory { mail_problem: mail_problem(true, None, NOW), ..directory() };
        assert_eq!(told(mail, &without_server)[0].2, Some("no mail server is configured"));
        assert_eq!(mail_problem(true, Some(NOW), NOW), None);
        assert!(mail_problem(false, Some(NOW), NOW).is_some());
    }
}
