//! What the clock asks for: scheduled reports that are due, and the removal of expired ones.

use crate::make::{ReportSpec, make};
use pm_api::{Timestamp, report::ReportsRun, route::op};
use pm_domain::{mail, reliability::Span, settings::Key};
use pm_store::{
    Db,
    mail::{NewMail, enqueue},
    report,
    report_content::Scope,
    report_schedule::{self, Claimed, rule},
    setting,
};
use pm_web::{Input, Refusal, log_error, now};

/// How long a run is its maker's, and after which a failed one is made again, seconds.
const LEASE_S: i64 = 600;
/// Attempts at a run before its slot is given up.
const ATTEMPTS: i16 = 3;

/// Removes some expired reports, makes the one that has been due longest, and says whether there is more to do.
pub(crate) async fn run(input: Input<op::RunReports>) -> Result<ReportsRun, Refusal> {
    let db = input.db().await?;
    report::expire(&db).await?;
    let claimed = report_schedule::claim(&db, LEASE_S).await?;
    if let Some(claimed) = &claimed {
        serve_one(&db, claimed).await?;
    }
    let more = report_schedule::work_to_do(&db).await?;
    Ok(ReportsRun { made: claimed.is_some(), more })
}

async fn serve_one(db: &Db, claimed: &Claimed) -> Result<(), Refusal> {
    let (schedule, now) = (&claimed.schedule, now());
    let rule = rule(schedule);
    // a clock that differs from the database's by a moment: due all the same
    let slot = rule.due(schedule.next_run_at, now).unwrap_or(schedule.next_run_at);
    let next = rule.next(slot);
    match make_and_send(db, claimed, slot, now).await {
        Ok(()) => report_schedule::finish(db, schedule, next, None).await?,
        // the lease ends before it is made again
        Err(refusal) => {
            let (id, attempt) = (schedule.id, claimed.attempt);
            log_error(&format!("scheduled report {id} failed, attempt {attempt}: {refusal:?}"));
            let said = match &refusal {
                Refusal::Conflict(why) => why.as_str(),
                _ => "The report could not be made; the log says why.",
            };
            if claimed.attempt >= ATTEMPTS {
                report_schedule::finish(db, schedule, next, Some(said)).await?;
            } else {
                report_schedule::fail(db, schedule.id, said).await?;
            }
        }
    }
    Ok(())
}

async fn make_and_send(db: &Db, claimed: &Claimed, slot: Timestamp, now: Timestamp) -> Result<(), Refusal> {
    let schedule = &claimed.schedule;
    let rule = rule(schedule);
    let from = rule.before(slot);
    let order = ReportSpec {
        format: schedule.format,
        title: schedule.name.clone(),
        scope: Scope {
            period: Span { from, to: slot },
            machine_id: schedule.machine_id,
            sensor_id: schedule.sensor_id,
        },
        asked_from: Some(from),
        asked_to: slot,
        utc_offset_minutes: rule.offset_minutes(slot),
        author: format!("schedule «{}» of {}", schedule.name, claimed.made_by),
        created_by: schedule.created_by,
        schedule_id: Some(schedule.id),
        recipients: schedule.recipients.clone(),
        now,
    };
    let made = make(db, None, &order).await?;
    let settings = setting::read(db, &[Key::GeneralPublicUrl]).await?;
    let link = format!("{}{}", settings.text(Key::GeneralPublicUrl).trim_end_matches('/'), made.url);
    let words = mail::report(&made.title, &format!("{from} to {slot}"), made.readings, &link);
    for recipient in &schedule.recipients {
        // a run that is made again sends no second mail
        let key = format!("report {} {slot} {recipient}", schedule.id);
        let mail = NewMail { dedupe_key: Some(&key), ..NewMail::new("report", recipient, &words) };
        enqueue(db, &mail).await?;
    }
    Ok(())
}
