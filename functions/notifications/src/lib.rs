//! Component `notifications`: which mails a user gets, whether mail and webhooks work, who is on call, whom the system tells
//! of alarms until somebody answers, and who was told.
//!
//! Invariants: a test is answered with what became of it, not with a promise. Deliberately absent: sending (component
//! `notifier` and the bridge), what is told to whom (`pm_store::notice`).

mod chains;
mod channels;
mod on_call;
mod preferences;
mod test;

use pm_api::{
    AlarmId,
    escalation::{AlarmNotice, AlarmNoticeFilter},
    list::Page,
    route::op,
};
use pm_store::{alarm, alarm_notice};
use pm_web::{Answer, Input, Refusal, Request, handlers, serve};

#[spin_sdk::http_service]
async fn handle(request: Request) -> Answer {
    let handlers = handlers! {
        TestEmail => test::email,
        TestAddress => test::webhook,
        GetPreferences => preferences::get,
        UpdatePreferences => preferences::update,
        ListOnCallSchedules => on_call::list,
        CreateOnCallSchedule => on_call::create,
        GetOnCallSchedule => on_call::get,
        UpdateOnCallSchedule => on_call::update,
        DeleteOnCallSchedule => on_call::delete,
        OnCallShifts => on_call::shifts,
        CreateOnCallOverride => on_call::stand_in,
        DeleteOnCallOverride => on_call::remove_override,
        OnCallPeople => on_call::people,
        ListEscalationChains => chains::list,
        CreateEscalationChain => chains::create,
        GetEscalationChain => chains::get,
        UpdateEscalationChain => chains::update,
        DeleteEscalationChain => chains::delete,
        ListNoticeChannels => channels::list,
        CreateNoticeChannel => channels::create,
        UpdateNoticeChannel => channels::update,
        DeleteNoticeChannel => channels::delete,
        TestNoticeChannel => channels::test,
        ListAlarmNotices => notices,
        NoticesOfAlarm => notices_of_alarm,
    };
    serve("notifications", request, handlers).await
}

async fn notices(input: Input<op::ListAlarmNotices>) -> Result<Page<AlarmNotice>, Refusal> {
    Ok(alarm_notice::list(&input.db().await?, &input.query, &input.page).await?)
}

async fn notices_of_alarm(input: Input<op::NoticesOfAlarm>) -> Result<Page<AlarmNotice>, Refusal> {
    let id: AlarmId = input.id("alarm_id")?;
    let db = input.db().await?;
    alarm::get(&db, id).await?.ok_or(Refusal::NotFound)?;
    let filter = AlarmNoticeFilter { alarm_id: Some(id), ..AlarmNoticeFilter::default() };
    Ok(alarm_notice::list(&db, &filter, &input.page).await?)
}
