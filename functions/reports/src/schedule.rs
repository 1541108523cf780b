//! Schedules of reports.

use crate::generate::check_scope;
use pm_api::{
    ReportScheduleId, Timestamp,
    input::{FieldFault, MailAddress},
    report::{NewReportSchedule, Recipients, ReportFormat, ReportSchedule, ReportScheduleChange},
    route::op,
};
use pm_domain::{
    schedule::{self, Rule},
    zone::{self, Zone},
};
use pm_store::{
    StoreError,
    report_schedule::{self, Plan, rule},
};
use pm_web::{Given, Input, Refusal, now};
use serde_json::json;

/// Local hour of a schedule that names none.
const DEFAULT_HOUR: i64 = 6;

pub(crate) async fn list(input: Input<op::ListReportSchedules>) -> Given<op::ListReportSchedules> {
    Ok(report_schedule::list(&input.db().await?, &input.page).await?)
}

pub(crate) async fn get(input: Input<op::GetReportSchedule>) -> Result<ReportSchedule, Refusal> {
    let id: ReportScheduleId = input.id("schedule_id")?;
    report_schedule::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

pub(crate) async fn create(input: Input<op::CreateReportSchedule>) -> Result<ReportSchedule, Refusal> {
    check_recipients(&input.body.recipients)?;
    check_zone(input.body.zone.as_deref())?;
    let plan = new_plan(&input.body, now());
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    check_scope(&db, plan.machine_id, plan.sensor_id).await?;
    report_schedule::create(&db, &actor, &plan).await.map_err(deleted_since)
}

pub(crate) async fn update(input: Input<op::UpdateReportSchedule>) -> Result<ReportSchedule, Refusal> {
    let id: ReportScheduleId = input.id("schedule_id")?;
    if let Some(recipients) = &input.body.recipients {
        check_recipients(recipients)?;
    }
    check_zone(input.body.zone.as_deref())?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let before = report_schedule::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let plan = changed_plan(before, &input.body, now());
    check_scope(&db, plan.machine_id, plan.sensor_id).await?;
    let changed = report_schedule::update(&db, &actor, id, &plan).await.map_err(deleted_since)?;
    changed.ok_or(Refusal::NotFound)
}

pub(crate) async fn delete(input: Input<op::DeleteReportSchedule>) -> Result<(), Refusal> {
    let id: ReportScheduleId = input.id("schedule_id")?;
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    let found = report_schedule::delete(&db, &actor, id).await?;
    if found { Ok(()) } else { Err(Refusal::NotFound) }
}

/// The machine or sensor was deleted since the check.
fn deleted_since(error: StoreError) -> Refusal {
    match error {
        StoreError::Constraint(name) if name.ends_with("_exists") => Refusal::NotFound,
        other => other.into(),
    }
}

fn check_recipients(recipients: &Recipients) -> Result<(), Refusal> {
    let wrong = recipients.iter().find_map(|text| Some((text, MailAddress::check(text).err()?)));
    let Some((text, reason)) = wrong else { return Ok(()) };
    let message = format!("{}: {reason}", &**text);
    Err(Refusal::in_body(vec![FieldFault::new("recipients", message, json!(recipients))]))
}

/// The zone has to be one of the IANA database; an empty name means none.
fn check_zone(name: Option<&str>) -> Result<(), Refusal> {
    match name.filter(|name| !name.is_empty()).and_then(zone::fault) {
        Some(fault) => Err(Refusal::in_body(vec![fault])),
        None => Ok(()),
    }
}

fn addresses(recipients: &Recipients) -> Vec<String> {
    recipients.iter().map(|address| address.0.clone()).collect()
}

fn new_plan(new: &NewReportSchedule, now: Timestamp) -> Plan {
    let zone = new.zone.as_ref().map(|zone| zone.0.clone()).filter(|zone| !zone.is_empty());
    let rule = Rule {
        cadence: new.cadence,
        weekday: new.weekday.map_or(0, |day| day.0),
        hour: new.hour.map_or(DEFAULT_HOUR, |hour| hour.0),
        utc_offset_minutes: new.utc_offset_minutes.map_or(0, |minutes| minutes.0),
        zone: zone.as_deref().and_then(Zone::named),
    };
    let next_run_at = rule.next(now);
    Plan {
        name: new.name.0.clone(),
        format: new.format.unwrap_or(ReportFormat::Pdf),
        rule,
        machine_id: new.machine_id,
        sensor_id: new.sensor_id,
        recipients: addresses(&new.recipients),
        is_active: new.is_active.unwrap_or(true),
        zone,
        next_run_at,
    }
}

fn changed_plan(before: ReportSchedule, change: &ReportScheduleChange, now: Timestamp) -> Plan {
    let rule_before = rule(&before);
    let zone = match &change.zone {
        Some(zone) => Some(zone.0.clone()).filter(|zone| !zone.is_empty()),
        None => before.zone.clone(),
    };
    let rule = Rule {
        cadence: change.cadence.unwrap_or(before.cadence),
        weekday: change.weekday.map_or(before.weekday, |day| day.0),
        hour: change.hour.map_or(before.hour, |hour| hour.0),
        utc_offset_minutes: change.utc_offset_minutes.map_or(before.utc_offset_minutes, |minutes| minutes.0),
        zone: zone.as_deref().and_then(Zone::named),
    };
    let slots =
        schedule::Slots { rule: rule_before, is_active: before.is_active, next_run_at: before.next_run_at };
    let next_run_at = schedule::next_after_change(&slots, &rule, now);
    Plan {
        name: change.name.as_ref().map_or(before.name, |name| name.0.clone()),
        format: change.format.unwrap_or(before.format),
        rule,
        machine_id: change.machine_id.or(before.machine_id),
        sensor_id: change.sensor_id.or(before.sensor_id),
        recipients: change.recipients.as_ref().map_or(before.recipients, addresses),
        is_active: change.is_active.unwrap_or(before.is_active),
        zone,
        next_run_at,
    }
}
