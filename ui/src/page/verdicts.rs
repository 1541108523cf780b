//! Verdicts on resolved alarms: the labels that new model versions are validated against.

use crate::{
    api::{Query, Refresh},
    components::loaded::Loaded,
};
use leptos::prelude::*;
use pm_api::{Verdict, alarm::Alarm};
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
            <ul class="pairs">{Verdict::WORDS.iter().map(|word| row(word)).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn row(word: &'static str) -> AnyView {
    let alarms =
        Query::<Vec<Alarm>>::new(move || Some(format!("/alarms?verdict={word}&limit=1")), &[Refresh::Pulse]);
    view! {
        <li>
            <span>{title(word)}</span>
            <Loaded phase=alarms.phase() retry=alarms.retry() lines=1>
                <span>{move || count(alarms.total.get().unwrap_or_default())}</span>
            </Loaded>
        </li>
    }
    .into_any()
}
