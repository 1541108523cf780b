//! Verdicts on resolved alarms: the labels that new model versions are validated against.

use crate::{
    api::{Query, Refresh},
    components::loaded::Loaded,
};
use leptos::prelude::*;
use pm_api::{
    Verdict,
    alarm::AlarmFilter,
    route::{op, request},
};
use pm_ui_core::text::{count, title};

/// The panel.
#[component]
pub fn Verdicts() -> impl IntoView {
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Verdicts"</h2>
            </header>
            <p class="muted small">
                "What people found when they resolved alarms. A new version must see the true faults and keep quiet where \
                 the alarm was false."
            </p>
            <ul class="pairs">{Verdict::ALL.iter().map(|verdict| row(*verdict)).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn row(verdict: Verdict) -> AnyView {
    let alarms = Query::new(
        move || {
            let filter = AlarmFilter { verdict: Some(verdict), ..AlarmFilter::default() };
            Some(request(op::ListAlarms, []).query(&filter).limit(1))
        },
        &[Refresh::Pulse],
    );
    view! {
        <li>
            <span>{title(verdict.as_str())}</span>
            <Loaded phase=alarms.phase() retry=alarms.retry() lines=1>
                <span>{move || count(alarms.total.get().unwrap_or_default())}</span>
            </Loaded>
        </li>
    }
    .into_any()
}
