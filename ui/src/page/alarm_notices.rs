//! Who was told of alarms, and what became of each notice.

use crate::{
    api::{Query, Refresh},
    components::{
        icon::Icon,
        loaded::{Empty, Entries},
        time::{Ago, Clock},
    },
    live::Topic,
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    AlarmId, NoticeFate, NoticeSubject,
    escalation::AlarmNotice,
    route::{op, request},
};
use pm_ui_core::route::Route;

/// The notices of an alarm and its case, where there are any.
#[component]
pub fn NoticesOfAlarm(
    /// Which alarm.
    id: AlarmId,
) -> impl IntoView {
    let notices = Query::new(
        move || Some(request(op::NoticesOfAlarm, [&id]).limit(50)),
        &[Refresh::Pulse, Refresh::On(Topic::Alarms)],
    );
    let any = Memo::new(move |_| notices.data.with(|list| list.iter().flatten().next().is_some()));
    move || {
        any.get().then(|| {
            view! {
                <section>
                    <h3>"Notices"</h3>
                    <ul class="pairs">
                        <For each=move || notices.items() key=key children=move |notice| row(notice, false) />
                    </ul>
                </section>
            }
        })
    }
}

/// The newest notices of all alarms.
#[component]
pub fn AllNotices() -> impl IntoView {
    let notices = Query::new(|| Some(request(op::ListAlarmNotices, []).limit(50)), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Notices of alarms"</h2>
            </header>
            <Entries list=notices key row=|notice, _| row(notice, true) lines=4 none />
        </section>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Send title="No notices yet">
            "Every notice of an escalation appears here with what became of it."
        </Empty>
    }
    .into_any()
}

fn key(notice: &AlarmNotice) -> (uuid::Uuid, NoticeFate, i32) {
    (notice.id, notice.fate, notice.attempts)
}

fn row(notice: AlarmNotice, with_alarm: bool) -> AnyView {
    let app = app();
    let (class, fate) = match notice.fate {
        NoticeFate::Pending if notice.attempts > 1 => ("badge warning", "trying again"),
        NoticeFate::Pending => ("badge", "on its way"),
        NoticeFate::Delivered => ("badge calm", "delivered"),
        NoticeFate::Failed => ("badge warning", "failed"),
        NoticeFate::Cancelled => ("badge off", "cancelled"),
    };
    let what = match notice.subject {
        NoticeSubject::Alarm if notice.repetition == 0 => format!("{}, step {}", notice.chain, notice.step),
        NoticeSubject::Alarm => {
            format!("{}, step {}, repetition {}", notice.chain, notice.step, notice.repetition)
        }
        NoticeSubject::Answered => "Acknowledged".to_owned(),
        NoticeSubject::Resolved => "Resolved".to_owned(),
    };
    let by = notice.channel.map(|channel| format!(" by {channel}"));
    let error = notice.error.map(|error| format!(": {error}"));
    let alarm = notice.alarm_id;
    view! {
        <li>
            <div>
                <strong>{notice.recipient}</strong>
                {by}
                " "
                <span class=class>{fate}{error}</span>
                <p class="muted small">
                    {what} ", " {notice.reason}
                    {with_alarm
                        .then(|| {
                            view! {
                                " – "
                                <a href=move || app.nav.to(Route::Alarm(alarm))>"open the alarm"</a>
                            }
                        })}
                </p>
            </div>
            <small class="muted"><Clock at=notice.created_at /> ", " <Ago at=notice.created_at /></small>
        </li>
    }
    .into_any()
}
