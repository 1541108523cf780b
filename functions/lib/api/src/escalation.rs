//! Escalation: whom the system tells of an alarm until somebody answers, by which channels, and what became of it.

use crate::{
    AlarmId, ChannelKind, EscalationChainId, MachineId, NoticeChannelId, NoticeFate, NoticeSubject,
    OnCallScheduleId, Severity, Timestamp, UserId,
    input::{Faults, FieldFault, Flag, Many, Patch, Secret, Text, Whole, input},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most steps of a chain.
pub const MAX_STEPS: usize = 20;
/// The longest time before a step, and between repetitions, seconds.
pub const MAX_WAIT_S: i64 = 7 * 24 * 3600;
/// The shortest time between repetitions, seconds.
pub const MIN_REPEAT_S: i64 = 2;
/// Most repetitions of a chain.
pub const MAX_REPEATS: i64 = 50;

/// A step: whom to tell how long after the begin. It names one of a person, a schedule, a role, a channel or an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, deserr::Deserr)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[deserr(error = Faults, validate = EscalationStep::one_target -> FieldFault)]
pub struct EscalationStep {
    /// Seconds after the begin of the escalation.
    pub after_s: Whole<0, MAX_WAIT_S>,
    /// This person.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Who is on call by this schedule at that time.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_id: Option<OnCallScheduleId>,
    /// Everybody of this role, built-in or custom.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Text<1, 64>>,
    /// This notice channel.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_id: Option<NoticeChannelId>,
    /// This mail address.
    #[deserr(default)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<Text<3, 320>>,
}

impl EscalationStep {
    fn one_target(self, _: deserr::ValuePointerRef<'_>) -> Result<Self, FieldFault> {
        let targets = [
            self.user_id.is_some(),
            self.schedule_id.is_some(),
            self.role.is_some(),
            self.channel_id.is_some(),
            self.mail.is_some(),
        ];
        if targets.into_iter().filter(|given| *given).count() != 1 {
            let message = "A step names one of user_id, schedule_id, role, channel_id and mail";
            return Err(FieldFault::new("user_id", message, serde_json::Value::Null));
        }
        if let Some(mail) = &self.mail
            && let Err(why) = crate::input::MailAddress::check(mail)
        {
            return Err(FieldFault::new("mail", why, mail.0.as_str()));
        }
        Ok(self)
    }
}

/// An escalation chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EscalationChain {
    /// Identifier.
    pub id: EscalationChainId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// For people.
    pub name: String,
    /// Since when it is in use; absent: it is not. Older alarms begin no escalation by it.
    pub active_since: Option<Timestamp>,
    /// Only for this machine.
    pub machine_id: Option<MachineId>,
    /// Only for machines of this class.
    pub machine_class: Option<String>,
    /// For alarms from this severity on.
    pub minimum_severity: Severity,
    /// What is done when.
    pub steps: Vec<EscalationStep>,
    /// The steps are done again so many seconds after they began.
    pub repeat_every_s: i64,
    /// How often they are done again at most.
    pub repeats: i64,
}

/// A notice channel: a service outside that a step can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NoticeChannel {
    /// Identifier.
    pub id: NoticeChannelId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// For people.
    pub name: String,
    /// Which service.
    pub kind: ChannelKind,
    /// Where notices are posted to.
    pub url: String,
    /// Is there a key or token? It is never shown.
    pub has_secret: bool,
}

/// A notice of an escalation, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AlarmNotice {
    /// Identifier.
    pub id: Uuid,
    /// The alarm that began the case.
    pub alarm_id: AlarmId,
    /// Its machine.
    pub machine_id: MachineId,
    /// Name of the escalation chain.
    pub chain: String,
    /// What is told.
    pub subject: NoticeSubject,
    /// Number of the step, from 1.
    pub step: i64,
    /// Number of the repetition; 0 is the first round.
    pub repetition: i64,
    /// Whom it is for: a person, a channel or an address, for people.
    pub recipient: String,
    /// Why they: the person, schedule, role or channel of the step, for people.
    pub reason: String,
    /// The account, if it is for a person.
    pub user_id: Option<UserId>,
    /// By mail, or by which service; absent: there was nobody to tell.
    pub channel: Option<String>,
    /// When it became due.
    pub created_at: Timestamp,
    /// What became of it.
    pub fate: NoticeFate,
    /// Attempts so far.
    pub attempts: i32,
    /// When it was delivered, given up or cancelled.
    pub finished_at: Option<Timestamp>,
    /// Why it failed or was cancelled.
    pub error: Option<String>,
}

input! {
    /// Body of `POST /escalation-chains`. Without machine and class it is for the whole site.
    NewEscalationChain check one_scope {
        required {
            /// For people.
            name: Text<1, 120>,
            /// What is done when.
            steps: Many<EscalationStep, 1, MAX_STEPS>,
        }
        optional {
            /// Is it in use? True unless given.
            is_active: Flag,
            /// Only for this machine.
            machine_id: MachineId,
            /// Only for machines of this class.
            machine_class: Text<1, 120>,
            /// For alarms from this severity on; critical unless given.
            minimum_severity: Severity,
            /// The steps are done again so many seconds after they began; 1800 unless given.
            repeat_every_s: Whole<MIN_REPEAT_S, MAX_WAIT_S>,
            /// How often they are done again at most; 0 unless given.
            repeats: Whole<0, MAX_REPEATS>,
        }
    }
    /// Body of `PATCH /escalation-chains/{chain_id}`: what is left out stays as it is.
    EscalationChainChange {
        optional {
            /// For people.
            name: Text<1, 120>,
            /// What is done when; replaces the steps before.
            steps: Many<EscalationStep, 1, MAX_STEPS>,
            /// Is it in use?
            is_active: Flag,
            /// For alarms from this severity on.
            minimum_severity: Severity,
            /// The steps are done again so many seconds after they began.
            repeat_every_s: Whole<MIN_REPEAT_S, MAX_WAIT_S>,
            /// How often they are done again at most.
            repeats: Whole<0, MAX_REPEATS>,
        }
    }
    /// Body of `POST /notice-channels`.
    NewNoticeChannel {
        required {
            /// For people.
            name: Text<1, 120>,
            /// Which service.
            kind: ChannelKind,
        }
        optional {
            /// Where notices are posted to; `PagerDuty` and Opsgenie have one of their own, used unless another is given.
            url: Text<1, 2000>,
            /// Routing key (`PagerDuty`), API key (Opsgenie), access token (ntfy), bearer token (generic).
            secret: Secret<0, 500>,
        }
    }
    /// Body of `PATCH /notice-channels/{channel_id}`: what is left out stays as it is.
    NoticeChannelChange {
        optional {
            /// For people.
            name: Text<1, 120>,
            /// Where notices are posted to.
            url: Text<1, 2000>,
        }
        patch {
            /// Key or token; null: none.
            secret: Secret<1, 500>,
        }
    }
    /// Filters of `GET /alarm-notices`.
    AlarmNoticeFilter {
        optional {
            /// Of this alarm's case.
            alarm_id: AlarmId,
            /// With this fate.
            fate: NoticeFate,
            /// For this account.
            user_id: UserId,
        }
    }
}

fn one_scope(new: &NewEscalationChain) -> Result<(), FieldFault> {
    if let (Some(_), Some(class)) = (new.machine_id, &new.machine_class) {
        let message = "A chain is for a machine or for a class, not for both";
        return Err(FieldFault::new("machine_class", message, class.0.as_str()));
    }
    Ok(())
}
