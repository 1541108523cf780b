//! Component `alarms`: alarms in people's hands.
//!
//! Invariants: a status only changes by the rule of pm-domain, in the state the rule was asked about; resolving an
//! alarm resolves its automatic ticket in the same statement. Deliberately absent: raising alarms (component
//! `alarm-engine`).

mod change;

use http::StatusCode;
use pm_api::{AlarmId, AlarmStatus, PredictionId};
use pm_auth::Op;
use pm_store::alarm;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_with_total, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("alarms", request, |op, call| async move {
        match op {
            Op::ListAlarms => list(&call).await,
            Op::GetAlarm => get(&call).await,
            Op::UpdateAlarm => change::update(&call).await,
            Op::ResolveAlarm => change::resolve(&call).await,
            Op::AlarmsOfPrediction => of_prediction(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let statuses = match call.query.text("status") {
        None => AlarmStatus::ALL.to_vec(),
        Some("active") => vec![AlarmStatus::Open, AlarmStatus::Acknowledged],
        Some(_) => call.query.word("status")?.into_iter().collect(),
    };
    let filter = alarm::Filter {
        statuses,
        machine_id: call.query.id("machine_id")?,
        sensor_id: call.query.id("sensor_id")?,
        severity: call.query.word("severity")?,
        limit: call.query.integer("limit", 200, 1, 1000)?,
        offset: call.query.integer("offset", 0, 0, i64::MAX)?,
    };
    let page = alarm::list(&call.db().await?, &filter).await?;
    Ok(json_with_total(&page.items, page.total))
}

async fn get(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let alarm = alarm::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &alarm))
}

async fn of_prediction(call: &Call) -> Outcome {
    let id: PredictionId = call.id("prediction_id")?;
    Ok(json(StatusCode::OK, &alarm::of_prediction(&call.db().await?, id).await?))
}
