//! Schedules of reports.

use http::StatusCode;
use pm_api::{
    ReportScheduleId,
    report::{Cadence, ReportFormat, ReportSchedule},
    sort::ReportScheduleSort,
};
use pm_domain::{
    address::{self, MAX_ADDRESS_CHARS},
    schedule::Rule,
};
use pm_store::{
    StoreError, machine,
    report_schedule::{self, Plan, rule},
    sensor,
};
use pm_web::{Call, Fields, Outcome, Refusal, empty, json, json_page, now};

const NAME: usize = 120;
const MOST_RECIPIENTS: usize = 20;

pub(crate) async fn list(call: &Call) -> Outcome {
    let query = call.query.list::<ReportScheduleSort>(100)?;
    Ok(json_page(&report_schedule::list(&call.db().await?, &query).await?))
}

pub(crate) async fn get(call: &Call) -> Outcome {
    let id: ReportScheduleId = call.id("schedule_id")?;
    let found = report_schedule::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &found))
}

pub(crate) async fn create(call: &Call) -> Outcome {
    let plan = plan(call.fields()?, None)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    refer(&db, &plan).await?;
    let made = report_schedule::create(&db, &actor, &plan).await.map_err(gone)?;
    Ok(json(StatusCode::CREATED, &made))
}

pub(crate) async fn update(call: &Call) -> Outcome {
    let id: ReportScheduleId = call.id("schedule_id")?;
    let fields = call.fields()?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let was = report_schedule::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let plan = plan(fields, Some(&was))?;
    refer(&db, &plan).await?;
    let changed = report_schedule::update(&db, &actor, id, &plan).await.map_err(gone)?;
    Ok(json(StatusCode::OK, &changed.ok_or(Refusal::NotFound)?))
}

pub(crate) async fn delete(call: &Call) -> Outcome {
    let id: ReportScheduleId = call.id("schedule_id")?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    let found = report_schedule::delete(&db, &actor, id).await?;
    if found { Ok(empty(StatusCode::NO_CONTENT)) } else { Err(Refusal::NotFound) }
}

/// Are the machine and the sensor there?
async fn refer(db: &pm_store::Db, plan: &Plan) -> Result<(), Refusal> {
    if let Some(id) = plan.machine_id {
        machine::get(db, id).await?.ok_or(Refusal::NotFound)?;
    }
    if let Some(id) = plan.sensor_id {
        sensor::get(db, id).await?.ok_or(Refusal::NotFound)?;
    }
    Ok(())
}

/// Somebody deleted the machine or sensor in between.
fn gone(error: StoreError) -> Refusal {
    match error {
        StoreError::Constraint(name) if name.ends_with("_exists") => Refusal::NotFound,
        other => other.into(),
    }
}

/// What the body decides; on a change, fields that are absent stay as they were. A change of the hour, and switching a
/// schedule on, make the next slot from now on due: what was missed while it was off is not made up for.
fn plan(mut fields: Fields, was: Option<&ReportSchedule>) -> Result<Plan, Refusal> {
    let name = match was {
        None => fields.required_text("name", NAME),
        Some(was) => match fields.text("name", NAME).flatten() {
            Some(name) if name.trim().is_empty() => {
                fields.refuse("string_too_short", "name", "String should have at least 1 character");
                name
            }
            name => name.unwrap_or_else(|| was.name.clone()),
        },
    };
    let cadence: Option<Cadence> = fields.word("cadence");
    if cadence.is_none() && was.is_none() {
        fields.require("cadence");
    }
    let mut whole = |name: &str, min, max, before: Option<i64>, usual| {
        fields.integer(name, min, max).map_or(before.unwrap_or(usual), i64::from)
    };
    let rule_now = Rule {
        weekday: whole("weekday", 0, 6, was.map(|w| w.weekday), 0),
        hour: whole("hour", 0, 23, was.map(|w| w.hour), 6),
        utc_offset_minutes: whole("utc_offset_minutes", -720, 840, was.map(|w| w.utc_offset_minutes), 0),
        cadence: cadence.or(was.map(|w| w.cadence)).unwrap_or(Cadence::Daily),
    };
    let recipients = match (fields.texts("recipients", MAX_ADDRESS_CHARS), was) {
        (Some(list), _) => {
            if let Some((bad, why)) = list.iter().find_map(|a| Some((a, address::mail(a).err()?))) {
                fields.refuse("value_error", "recipients", format!("{bad}: {why}"));
            } else if list.is_empty() || list.len() > MOST_RECIPIENTS {
                let text = format!("Input should have 1 to {MOST_RECIPIENTS} mail addresses");
                fields.refuse("list_length", "recipients", text);
            }
            list
        }
        (None, Some(was)) => was.recipients.clone(),
        (None, None) => {
            fields.require("recipients");
            Vec::new()
        }
    };
    let format = fields.word("format").or(was.map(|w| w.format)).unwrap_or(ReportFormat::Pdf);
    let machine_id = fields.id("machine_id").or(was.and_then(|w| w.machine_id));
    let sensor_id = fields.id("sensor_id").or(was.and_then(|w| w.sensor_id));
    let is_active = fields.boolean("is_active").or(was.map(|w| w.is_active)).unwrap_or(true);
    fields.end()?;
    let same_slots = was.is_some_and(|w| rule(w) == rule_now && w.is_active);
    let next_run_at = was.filter(|_| same_slots).map_or_else(|| rule_now.next(now()), |w| w.next_run_at);
    Ok(Plan { name, format, rule: rule_now, machine_id, sensor_id, recipients, is_active, next_run_at })
}
