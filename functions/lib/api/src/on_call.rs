//! On-call schedules: who answers for alarms at a time.

use crate::{
    OnCallScheduleId, Timestamp, UserId,
    input::{Day, Faults, FieldFault, Many, Text, Whole, input},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

/// Most people of a rotation.
pub const MAX_PEOPLE: usize = 50;
/// Most holidays of a schedule.
pub const MAX_HOLIDAYS: usize = 200;
/// The longest turn, days.
pub const MAX_TURN_DAYS: i64 = 28;
/// The last minute of a day.
pub const LAST_MINUTE: i64 = 24 * 60 - 1;
/// Shifts are told for at most so long at once, days.
pub const MAX_SHIFTS_DAYS: i64 = 92;
/// The longest override, days.
pub const MAX_OVERRIDE_DAYS: i64 = 92;

/// A day on which the rotation does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, deserr::Deserr)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[deserr(error = Faults)]
pub struct Holiday {
    /// The day in the schedule's zone, from midnight to midnight.
    pub day: Day,
    /// Who is on call then; absent: nobody.
    #[deserr(default)]
    #[serde(default)]
    pub user_id: Option<UserId>,
}

/// A span of time in which somebody stands in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OnCallOverride {
    /// Identifier.
    pub id: Uuid,
    /// Who is on call then.
    pub user_id: UserId,
    /// Begin.
    pub starts_at: Timestamp,
    /// End.
    pub ends_at: Timestamp,
}

/// What decides who is on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OnCallPlan {
    /// Time zone whose clocks count, e.g. Europe/Berlin.
    pub zone: String,
    /// Who takes turns, in this order.
    pub people: Vec<UserId>,
    /// How long a turn lasts, days: 1 is daily, 7 weekly.
    pub turn_days: i64,
    /// A day on which the first person takes over.
    pub starts_on: Day,
    /// When turns are handed over, minutes after midnight by the clocks of the zone.
    pub hand_over_minute: i64,
    /// Days on which the rotation does not count.
    pub holidays: Vec<Holiday>,
    /// Who stands in when; of several at a time the newest counts. They count on holidays too.
    pub overrides: Vec<OnCallOverride>,
}

/// Why somebody is on call, or nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShiftReason {
    /// It is their turn.
    Rotation,
    /// The holiday says so.
    Holiday,
    /// An override says so.
    Override,
}

/// A span of time with the same person on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Shift {
    /// Begin.
    pub from: Timestamp,
    /// End.
    pub to: Timestamp,
    /// Who is on call; absent: nobody.
    pub user_id: Option<UserId>,
    /// Why.
    pub reason: ShiftReason,
}

/// A person who can be on call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Person {
    /// The account.
    pub id: UserId,
    /// Name, else mail address.
    pub name: String,
    /// May the account be used? Others are not told.
    pub is_active: bool,
}

/// An on-call schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OnCallSchedule {
    /// Identifier.
    pub id: OnCallScheduleId,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// For people.
    pub name: String,
    /// What decides who is on call.
    #[serde(flatten)]
    pub plan: OnCallPlan,
    /// Everybody whom the schedule names.
    pub names: Vec<Person>,
    /// Who is on call now; absent: nobody.
    pub on_call: Option<UserId>,
}

impl OnCallSchedule {
    /// The name of somebody of this schedule.
    #[must_use]
    pub fn name_of(&self, user_id: UserId) -> &str {
        self.names.iter().find(|p| p.id == user_id).map_or("a deleted account", |p| p.name.as_str())
    }
}

input! {
    /// Body of `POST /on-call/schedules`.
    NewOnCallSchedule {
        required {
            /// For people.
            name: Text<1, 120>,
            /// Who takes turns, in this order.
            people: Many<UserId, 1, MAX_PEOPLE>,
            /// A day on which the first person takes over.
            starts_on: Day,
        }
        optional {
            /// Time zone whose clocks count, e.g. Europe/Berlin; UTC unless given.
            zone: Text<1, 64>,
            /// How long a turn lasts, days; 7 unless given.
            turn_days: Whole<1, MAX_TURN_DAYS>,
            /// When turns are handed over, minutes after midnight; 480 (08:00) unless given.
            hand_over_minute: Whole<0, LAST_MINUTE>,
            /// Days on which the rotation does not count.
            holidays: Many<Holiday, 0, MAX_HOLIDAYS>,
        }
    }
    /// Body of `PATCH /on-call/schedules/{schedule_id}`: what is left out stays as it is.
    OnCallScheduleChange {
        optional {
            /// For people.
            name: Text<1, 120>,
            /// Who takes turns, in this order.
            people: Many<UserId, 1, MAX_PEOPLE>,
            /// A day on which the first person takes over.
            starts_on: Day,
            /// Time zone whose clocks count.
            zone: Text<1, 64>,
            /// How long a turn lasts, days.
            turn_days: Whole<1, MAX_TURN_DAYS>,
            /// When turns are handed over, minutes after midnight.
            hand_over_minute: Whole<0, LAST_MINUTE>,
            /// Days on which the rotation does not count; replaces those before.
            holidays: Many<Holiday, 0, MAX_HOLIDAYS>,
        }
    }
    /// Body of `POST /on-call/schedules/{schedule_id}/overrides`.
    NewOnCallOverride check a_span {
        required {
            /// Who stands in.
            user_id: UserId,
            /// Begin.
            starts_at: Timestamp,
            /// End; at most 92 days later.
            ends_at: Timestamp,
        }
    }
    /// Filters of `GET /on-call/schedules/{schedule_id}/shifts`.
    ShiftsQuery {
        optional {
            /// From then on; now unless given.
            from: Timestamp,
            /// Until then, at most 92 days later; 14 days later unless given.
            to: Timestamp,
        }
    }
}

fn a_span(new: &NewOnCallOverride) -> Result<(), FieldFault> {
    let fault = |message: &str| Err(FieldFault::new("ends_at", message, json!(new.ends_at)));
    match new.ends_at {
        end if end <= new.starts_at => fault("Input should be later than starts_at"),
        end if end > new.starts_at.plus_seconds(MAX_OVERRIDE_DAYS * 24 * 3600) => {
            fault("Input should be at most 92 days after starts_at")
        }
        _ => Ok(()),
    }
}
