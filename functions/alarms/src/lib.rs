//! Component `alarms`: alarms in people's hands, the rules by which readings become alarms, and planned maintenance, which
//! suppresses them.
//!
//! Invariants: an alarm only changes by the rule of pm-domain (`alarm::workflow`), in the state the rule was asked about; a
//! bulk change is made to all alarms or to none; resolving the last open alarm of a case resolves its automatic ticket in the same statement. Deliberately
//! absent: raising alarms from conditions (component `alarm-engine`), comments and attachments (components of their
//! own), deleting (an alarm goes with its machine or sensor only).

mod act;
mod bulk;
mod change;
mod create;
mod maintenance;
mod rules;
mod shelve;

use pm_api::{
    AlarmId, AlarmStatus, PredictionId,
    alarm::{Alarm, AlarmFilter, AlarmTransition},
    list::Page,
    route::op,
};
use pm_store::alarm;
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        ListMaintenanceWindows => maintenance::list,
        CreateMaintenanceWindow => maintenance::create,
        UpdateMaintenanceWindow => maintenance::update,
        DeleteMaintenanceWindow => maintenance::delete,
        ListSuppressedConditions => maintenance::suppressed,
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
        ListAlarmRules => rules::list,
        CreateAlarmRule => rules::create,
        GetAlarmRule => rules::get,
        UpdateAlarmRule => rules::update,
        DeleteAlarmRule => rules::delete,
        SensorAlarmRule => rules::of_sensor,
    };
    serve("alarms", request, handlers).await
}

async fn list(input: Input<op::ListAlarms>) -> Result<Page<Alarm>, Refusal> {
    Ok(alarm::list(&input.db().await?, &input.query, &input.page).await?)
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
    let filter = AlarmFilter {
        status: Some(AlarmStatus::Resolved.into()),
        machine_id: Some(alarm.machine_id),
        sensor_id: alarm.sensor_id,
        kind: alarm.kind.parse().ok(),
        end_date: Some(alarm.triggered_at),
        ..AlarmFilter::default()
    };
    Ok(alarm::list(&db, &filter, &input.page).await?)
}

async fn of_prediction(input: Input<op::AlarmsOfPrediction>) -> Result<Page<Alarm>, Refusal> {
    let id: PredictionId = input.id("prediction_id")?;
    Ok(alarm::of_prediction(&input.db().await?, id, &input.page).await?)
}
