//! Verdicts on resolved alarms: the labels that new model versions are validated against.

use crate::{
    api::{Query, Refresh},
    components::loaded::Loaded,
};
use leptos::prelude::*;
use pm_api::{
    Verdict,
    ai::ClassFalseAlarms,
    alarm::AlarmFilter,
    route::{op, request},
};
use pm_ui_core::text::{count, number, title};

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
            <FalseAlarmCount />
            <ul class="pairs">{Verdict::ALL.iter().map(|verdict| row(*verdict)).collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// How many false alarms were promised, and how many were counted.
#[component]
fn FalseAlarmCount() -> impl IntoView {
    let counts = Query::new(|| Some(request(op::FalseAlarms, [])), &[Refresh::Pulse]);
    let words = move || {
        counts.data.get().map(|c| {
            let counted = c.counted.map_or_else(|| "not counted yet".to_owned(), |n| number(n, n));
            let open = (c.without_verdict > 0)
                .then(|| format!(" {} alarms of the models have no verdict yet; they may be false too.", count(c.without_verdict)));
            view! {
                <dl class="facts">
                    <dt>"False alarms promised per machine and month"</dt>
                    <dd>"at most " {c.promised}</dd>
                    <dt>"Counted over the last 30 days"</dt>
                    <dd>{counted}</dd>
                </dl>
                <p class="muted small">
                    {format!("{} of {} alarms of the models were called false.", count(c.false_alarms), count(c.alarms))}
                    {open}
                </p>
                {(c.by_class.len() > 1).then(|| by_class(&c.by_class))}
            }
        })
    };
    view! {
        <Loaded phase=counts.phase() retry=counts.retry() lines=2>
            {words}
        </Loaded>
    }
    .into_any()
}

/// Promised and counted for each machine class.
fn by_class(classes: &[ClassFalseAlarms]) -> AnyView {
    let row = |c: &ClassFalseAlarms| {
        let counted = c.counted.map_or_else(|| "not counted yet".to_owned(), |n| number(n, n));
        view! {
            <tr>
                <td>{c.machine_class.clone().unwrap_or_else(|| "no class".to_owned())}</td>
                <td class="number">"at most " {c.promised}</td>
                <td class="number">{counted}</td>
                <td class="number">{count(c.without_verdict)}</td>
            </tr>
        }
    };
    view! {
        <table class="small">
            <thead>
                <tr>
                    <th>"Machine class"</th>
                    <th class="number">"Promised"</th>
                    <th class="number">"Counted"</th>
                    <th class="number">"No verdict yet"</th>
                </tr>
            </thead>
            <tbody>{classes.iter().map(row).collect_view()}</tbody>
        </table>
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
