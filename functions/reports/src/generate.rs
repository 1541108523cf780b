//! `POST /reports/generate`.

use crate::make::{Order, make};
use http::StatusCode;
use pm_api::{
    Timestamp,
    report::{GeneratedReport, ReportFormat},
};
use pm_domain::{reliability::Span, report::USUAL_DAYS};
use pm_store::{machine, report_content::Scope, sensor, user};
use pm_web::{Call, Fields, Outcome, Refusal, json, now};

const TITLE: usize = 120;

pub(crate) async fn generate(call: &Call) -> Outcome {
    let now = now();
    let mut order = order(call.fields()?, now)?;
    let db = call.db().await?;
    let actor = call.actor(&db).await?;
    if let Some(id) = order.scope.machine_id {
        machine::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    }
    if let Some(id) = order.scope.sensor_id {
        sensor::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    }
    let author = user::get(&db, actor.user_id).await?.ok_or(Refusal::BadToken)?;
    order.created_by = Some(author.id);
    order.author = author.full_name.unwrap_or(author.email);
    let report = make(&db, Some(&actor), &order).await?;
    let made_at = report.created_at.to_string();
    let answer = GeneratedReport {
        report_name: report.report_name,
        url: report.url,
        generated_at: made_at.trim_end_matches('Z').to_owned(),
        id: report.id,
        file_size: report.file_size,
        readings: report.readings,
        truncated: report.truncated,
        expires_at: report.expires_at,
    };
    Ok(json(StatusCode::OK, &answer))
}

fn order(mut fields: Fields, now: Timestamp) -> Result<Order, Refusal> {
    let format = fields.word("format").unwrap_or(ReportFormat::Csv);
    let asked_from = fields.time("date_from").flatten();
    let asked_to = fields.time("date_to").flatten();
    if let (Some(from), Some(to)) = (asked_from, asked_to)
        && from > to
    {
        fields.refuse("date_order", "date_from", "date_from should not be later than date_to");
    }
    let title = fields.text("title", TITLE).flatten().filter(|t| !t.trim().is_empty());
    let machine_id = fields.id("machine_id");
    let sensor_id = fields.id("sensor_id");
    let utc_offset_minutes = fields.integer("utc_offset_minutes", -720, 840).unwrap_or(0);
    fields.end()?;
    let last = asked_to.unwrap_or_else(|| asked_from.unwrap_or(now).max(now));
    let first = asked_from.unwrap_or_else(|| match format {
        ReportFormat::Csv => Timestamp(0),
        ReportFormat::Pdf | ReportFormat::Xlsx => last.plus_seconds(-USUAL_DAYS * 86_400),
    });
    Ok(Order {
        format,
        title: title.unwrap_or_else(|| "Maintenance report".to_owned()),
        // a reading of the last instant belongs to it
        scope: Scope {
            period: Span { from: first, to: Timestamp(last.0.saturating_add(1)) },
            machine_id,
            sensor_id,
        },
        asked_from,
        asked_to: last,
        utc_offset_minutes: i64::from(utc_offset_minutes),
        author: String::new(),
        created_by: None,
        schedule_id: None,
        recipients: Vec::new(),
        now,
    })
}
