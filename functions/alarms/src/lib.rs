//! Component `alarms`: alarms in people's hands.
//!
//! Invariants: an alarm only changes by the rule of pm-domain (`alarm::workflow`), in the state the rule was asked about; a
//! bulk change is made to all alarms or to none; resolving an alarm resolves its automatic ticket in the same statement. Deliberately
//! absent: raising alarms from conditions (component `alarm-engine`), comments and attachments (components of their
//! own), deleting (an alarm goes with its machine or sensor only).

mod act;
mod bulk;
mod change;
mod create;
mod shelve;

use http::StatusCode;
use pm_api::{
    AlarmId, AlarmStatus,
    sort::{AlarmSort, HistorySort},
};
use pm_auth::Op;
use pm_store::alarm;
use pm_web::{Answer, Call, Outcome, Refusal, Request, json, json_page, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    serve("alarms", request, |op, call| async move {
        match op {
            Op::ListAlarms => list(&call).await,
            Op::CreateAlarm => create::create(&call).await,
            Op::GetAlarm => get(&call).await,
            Op::UpdateAlarm => change::update(&call).await,
            Op::AcknowledgeAlarm => change::acknowledge(&call).await,
            Op::ResolveAlarm => change::resolve(&call).await,
            Op::ChangeAlarms => bulk::change(&call).await,
            Op::ShelveAlarm => shelve::shelve(&call).await,
            Op::UnshelveAlarm => shelve::unshelve(&call).await,
            Op::AlarmHistory => history(&call).await,
            Op::AlarmsOfPrediction => of_prediction(&call).await,
            _ => Err(Refusal::NotFound),
        }
    })
    .await
}

async fn list(call: &Call) -> Outcome {
    let query = &call.query;
    let statuses = match query.text("status") {
        None => AlarmStatus::ALL.to_vec(),
        Some("active") => vec![AlarmStatus::Open, AlarmStatus::Acknowledged],
        Some(_) => query.word("status")?.into_iter().collect(),
    };
    let filter = alarm::Filter {
        statuses,
        machine_id: query.id("machine_id")?,
        sensor_id: query.id("sensor_id")?,
        severity: query.word("severity")?,
        kind: query.word("kind")?,
        condition_active: query.boolean("condition_active")?,
        acknowledged: query.boolean("acknowledged")?,
        shelved: query.boolean("shelved")?,
        from: query.time("start_date")?,
        to: query.time("end_date")?,
        search: query.search()?,
        verdict: query.word("verdict")?,
        prediction_id: None,
    };
    let query = query.list::<AlarmSort>(200)?;
    Ok(json_page(&alarm::list(&call.db().await?, &filter, &query).await?))
}

async fn get(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let alarm = alarm::get(&call.db().await?, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json(StatusCode::OK, &alarm))
}

async fn history(call: &Call) -> Outcome {
    let id: AlarmId = call.id("alarm_id")?;
    let query = call.query.list::<HistorySort>(1000)?;
    let db = call.db().await?;
    alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(json_page(&alarm::history(&db, id, &query).await?))
}

async fn of_prediction(call: &Call) -> Outcome {
    let filter = alarm::Filter {
        statuses: AlarmStatus::ALL.to_vec(),
        prediction_id: Some(call.id("prediction_id")?),
        ..alarm::Filter::default()
    };
    let query = call.query.list::<AlarmSort>(200)?;
    Ok(json_page(&alarm::list(&call.db().await?, &filter, &query).await?))
}
