//! What was found when the same sensor raised the same kind of alarm before.

use crate::{api::Query, components::time::Ago, state::app};
use leptos::prelude::*;
use pm_api::{
    AlarmId,
    alarm::Alarm,
    route::{op, request},
};
use pm_ui_core::{route::Route, text::title};

/// The newest similar alarms of an alarm, where there are any.
#[component]
pub fn SimilarAlarms(
    /// Which alarm.
    id: AlarmId,
) -> impl IntoView {
    let similar = Query::new(move || Some(request(op::SimilarAlarms, [&id]).limit(5)), &[]);
    let any = Memo::new(move |_| similar.data.with(|list| list.iter().flatten().next().is_some()));
    move || {
        any.get().then(|| {
            view! {
                <section>
                    <h3>"Similar alarms before"</h3>
                    <ul class="pairs">
                        <For each=move || similar.items() key=|alarm| (alarm.id, alarm.updated_at) children=row />
                    </ul>
                </section>
            }
        })
    }
}

fn row(alarm: Alarm) -> AnyView {
    let app = app();
    let cause = alarm.verdict.map_or_else(|| "Cause not specified".to_owned(), |v| title(v.as_str()));
    view! {
        <li>
            <div>
                <a href=move || app.nav.to(Route::Alarm(alarm.id))>{cause}</a>
                <p class="small">{alarm.resolution_notes}</p>
            </div>
            <small class="muted"><Ago at=alarm.triggered_at /></small>
        </li>
    }
    .into_any()
}
