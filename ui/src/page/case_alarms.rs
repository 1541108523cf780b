//! The alarms of a case: one trouble, one ticket.

use crate::{
    api::{Query, Refresh},
    components::{badge, time::Ago},
    live::Topic,
    page::queue::AlarmActions,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    AlarmId, AlarmStatus, Role,
    alarm::{Alarm, AlarmBulk, AlarmBulkBody, AlarmFilter, AlarmUpdate},
    input::Many,
    route::{op, request},
    sort::AlarmSort,
};
use pm_ui_core::{route::Route, urgency};

/// The alarms of a case, the first one first, and one click that resolves those that are still active.
#[component]
pub fn CaseAlarms(
    /// The alarm that began the case.
    case_id: AlarmId,
    /// What they are here.
    heading: &'static str,
    /// Fewer alarms are not shown, and fewer active ones not resolved together.
    least: usize,
    /// The alarm that is shown beside them.
    #[prop(optional)]
    shown: Option<AlarmId>,
    /// The queue behind it.
    #[prop(optional)]
    queue: Option<AlarmActions>,
) -> impl IntoView {
    let app = app();
    let alarms = Query::new(
        move || {
            let filter = AlarmFilter { case_id: Some(case_id), ..AlarmFilter::default() };
            Some(request(op::ListAlarms, []).query(&filter).ascending(AlarmSort::TriggeredAt).limit(50))
        },
        &[Refresh::On(Topic::Alarms)],
    );
    let enough =
        Memo::new(move |_| alarms.data.with(|list| list.as_ref().is_some_and(|list| list.len() >= least)));
    let active = Memo::new(move |_| {
        alarms.items().into_iter().filter(urgency::is_active).map(|a| a.id).collect::<Vec<_>>()
    });
    let resolve = move |_| {
        let ids = active.get_untracked();
        spawn_local(async move {
            let change = AlarmUpdate { status: Some(AlarmStatus::Resolved.into()), ..AlarmUpdate::default() };
            let body = AlarmBulkBody(AlarmBulk { payload: Many(vec![change]), ids: Some(Many(ids)) });
            match app.api.send(request(op::ChangeAlarms, []), &body).await {
                Ok(()) => {
                    app.toasts.done("The alarms of the case are resolved.");
                    alarms.refetch();
                    queue.iter().for_each(|queue| queue.refetch());
                }
                Err(error) => app.toasts.failed(format!("Not resolved: {error}")),
            }
        });
    };
    let may = move || app.api.session.may(Role::Engineer);
    move || {
        enough.get().then(|| {
            view! {
                <section>
                    <h3>{heading}</h3>
                    <ul class="pairs">
                        <For each=move || alarms.items() key=|a| (a.id, a.updated_at) children=move |a| row(a, shown) />
                    </ul>
                    {move || {
                        (may() && active.with(|ids| ids.len() >= least))
                            .then(|| {
                                view! {
                                    <button class="button wide" on:click=resolve>
                                        {move || match active.with(Vec::len) {
                                            1 => "Resolve the alarm".to_owned(),
                                            several => format!("Resolve all {several}"),
                                        }}
                                    </button>
                                }
                            })
                    }}
                </section>
            }
        })
    }
}

fn row(alarm: Alarm, shown: Option<AlarmId>) -> AnyView {
    let app = app();
    let message = alarm.message;
    let name = if Some(alarm.id) == shown {
        view! { <strong>{message}</strong> }.into_any()
    } else {
        view! { <a href=move || app.nav.to(Route::Alarm(alarm.id))>{message}</a> }.into_any()
    };
    view! {
        <li>
            <div>{badge::severity(alarm.severity)} " " {badge::alarm_status(alarm.status)} " " {name}</div>
            <small class="muted"><Ago at=alarm.triggered_at /></small>
        </li>
    }
    .into_any()
}
