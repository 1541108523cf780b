//! `POST /reports/generate`.

use crate::make::{ReportSpec, make};
use pm_api::{
    MachineId, SensorId, Timestamp,
    report::{GeneratedReport, ReportRequest},
    route::op,
    user::User,
};
use pm_domain::{
    reliability::Span,
    report::{format, period},
};
use pm_store::{Db, machine, report_content::Scope, sensor, user};
use pm_web::{Input, Refusal, now};

pub(crate) async fn generate(input: Input<op::GenerateReport>) -> Result<GeneratedReport, Refusal> {
    let now = now();
    let db = input.db().await?;
    let actor = input.actor(&db).await?;
    check_scope(&db, input.body.machine_id, input.body.sensor_id).await?;
    let author = user::get(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    let report = make(&db, Some(&actor), &order(&input.body, author, now)).await?;
    let made_at = report.created_at.to_string();
    Ok(GeneratedReport {
        report_name: report.report_name,
        url: report.url,
        generated_at: made_at.trim_end_matches('Z').to_owned(),
        id: report.id,
        file_size: report.file_size,
        readings: report.readings,
        truncated: report.truncated,
        expires_at: report.expires_at,
    })
}

/// Are the machine and the sensor there?
pub(crate) async fn check_scope(
    db: &Db,
    machine_id: Option<MachineId>,
    sensor_id: Option<SensorId>,
) -> Result<(), Refusal> {
    if let Some(id) = machine_id {
        machine::get(db, id).await?.ok_or(Refusal::NotFound)?;
    }
    if let Some(id) = sensor_id {
        sensor::get(db, id).await?.ok_or(Refusal::NotFound)?;
    }
    Ok(())
}

fn order(request: &ReportRequest, author: User, now: Timestamp) -> ReportSpec {
    let (first, last) = period(request, now);
    let title = request.title.as_deref().filter(|title| !title.trim().is_empty());
    ReportSpec {
        format: format(request),
        title: title.unwrap_or("Maintenance report").to_owned(),
        // a reading of the last instant belongs to it
        scope: Scope {
            period: Span { from: first, to: Timestamp(last.0.saturating_add(1)) },
            machine_id: request.machine_id,
            sensor_id: request.sensor_id,
        },
        asked_from: request.date_from,
        asked_to: last,
        utc_offset_minutes: request.utc_offset_minutes.map_or(0, |minutes| minutes.0),
        created_by: Some(author.id),
        author: author.full_name.unwrap_or(author.email),
        schedule_id: None,
        recipients: Vec::new(),
        now,
    }
}
