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

use pm_api::{
    AlarmId, AlarmStatus,
    alarm::{Alarm, AlarmTransition},
    list::Page,
    route::op,
    word::AlarmStatusFilter,
};
use pm_store::alarm;
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListAlarms => list,
        CreateAlarm => create::create,
        GetAlarm => get,
        UpdateAlarm => change::update,
        AcknowledgeAlarm => change::acknowledge,
        ResolveAlarm => change::resolve,
        ChangeAlarms => bulk::change,
        ShelveAlarm => shelve::shelve,
        UnshelveAlarm => shelve::unshelve,
        AlarmHistory => history,
        SimilarAlarms => similar,
        AlarmsOfPrediction => of_prediction,
    };
    serve("alarms", request, handlers).await
}

async fn list(input: Input<op::ListAlarms>) -> Result<Page<Alarm>, Refusal> {
    let query = &input.query;
    let statuses = match query.status {
        None => AlarmStatus::ALL.to_vec(),
        Some(AlarmStatusFilter::Active) => vec![AlarmStatus::Open, AlarmStatus::Acknowledged],
        Some(AlarmStatusFilter::Open) => vec![AlarmStatus::Open],
        Some(AlarmStatusFilter::Acknowledged) => vec![AlarmStatus::Acknowledged],
        Some(AlarmStatusFilter::Resolved) => vec![AlarmStatus::Resolved],
    };
    let filter = alarm::Filter {
        statuses,
        machine_id: query.machine_id,
        sensor_id: query.sensor_id,
        severity: query.severity,
        kind: query.kind,
        condition_active: query.condition_active.map(|flag| flag.0),
        acknowledged: query.acknowledged.map(|flag| flag.0),
        shelved: query.shelved.map(|flag| flag.0),
        from: query.start_date,
        to: query.end_date,
        search: query.q.clone().map(String::from),
        verdict: query.verdict,
        prediction_id: None,
    };
    Ok(alarm::list(&input.db().await?, &filter, &input.page).await?)
}

async fn get(input: Input<op::GetAlarm>) -> Result<Alarm, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    alarm::get(&input.db().await?, id).await?.ok_or(Refusal::NotFound)
}

async fn history(input: Input<op::AlarmHistory>) -> Result<Page<AlarmTransition>, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    let db = input.db().await?;
    alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    Ok(alarm::history(&db, id, &input.page).await?)
}

async fn similar(input: Input<op::SimilarAlarms>) -> Result<Page<Alarm>, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    let db = input.db().await?;
    let alarm = alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let filter = alarm::Filter {
        statuses: vec![AlarmStatus::Resolved],
        machine_id: Some(alarm.machine_id),
        sensor_id: alarm.sensor_id,
        kind: alarm.kind.parse().ok(),
        to: Some(alarm.triggered_at),
        ..alarm::Filter::default()
    };
    Ok(alarm::list(&db, &filter, &input.page).await?)
}

async fn of_prediction(input: Input<op::AlarmsOfPrediction>) -> Result<Page<Alarm>, Refusal> {
    let filter = alarm::Filter {
        statuses: AlarmStatus::ALL.to_vec(),
        prediction_id: Some(input.id("prediction_id")?),
        ..alarm::Filter::default()
    };
    Ok(alarm::list(&input.db().await?, &filter, &input.page).await?)
}
