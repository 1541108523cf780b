//! The report of a version: its validation against the active version, and day by day in shadow operation.

use crate::{api::Query, components::loaded::Loaded};
use leptos::prelude::*;
use pm_api::{
    ai::{GeneratedSignal, ModelReport, Quality, ShadowDay, ValidationReport},
    route::{op, request},
};
use pm_ui_core::text::{count, number, title};

/// The report of one version.
#[component]
pub fn Report(
    /// The version.
    version: String,
) -> impl IntoView {
    let report = Query::new(move || Some(request(op::ModelReport, [&version])), &[]);
    view! {
        <Loaded phase=report.phase() retry=report.retry() lines=8>
            {move || report.data.get().map(shown)}
        </Loaded>
    }
    .into_any()
}

fn shown(report: ModelReport) -> AnyView {
    let validation = match report.validation {
        Some(validation) => examined(validation),
        None => {
            view! { <p class="muted">"This version was not trained here, so there is no examination."</p> }
                .into_any()
        }
    };
    view! {
        <p>
            <strong>{report.version}</strong> ", " {title(&report.status)}
        </p>
        {validation}
        {(!report.shadow.is_empty()).then(|| shadow(report.shadow))}
    }
    .into_any()
}

fn examined(v: ValidationReport) -> AnyView {
    let share = |seen: u64, of: u64| if of == 0 { "–".to_owned() } else { format!("{seen} of {of}") };
    let rows = |active: &Quality, candidate: &Quality| {
        let mut rows = vec![
            ("False alarms".to_owned(), active.false_alarms.to_string(), candidate.false_alarms.to_string()),
            (
                "Confirmed faults detected".to_owned(),
                share(active.confirmed_seen, active.confirmed),
                share(candidate.confirmed_seen, candidate.confirmed),
            ),
            (
                "Dismissed alarms without anomaly".to_owned(),
                share(active.dismissed_calm, active.dismissed),
                share(candidate.dismissed_calm, candidate.dismissed),
            ),
        ];
        for (a, c) in active.faults.iter().zip(&candidate.faults) {
            rows.push((title(&c.fault), share(a.seen, a.of), share(c.seen, c.of)));
        }
        for c in &candidate.generated {
            let of = |g: &GeneratedSignal| {
                format!("{} false, {} slow faults", g.false_alarms, share(g.slow_faults_seen, g.slow_faults))
            };
            let active = active.generated.iter().find(|a| a.signal == c.signal);
            rows.push((
                format!("Generated sensor, {}: alarms in {} healthy days", c.signal, c.healthy_days),
                active.map_or_else(|| "–".to_owned(), of),
                of(c),
            ));
        }
        rows
    };
    let table = rows(&v.active, &v.candidate).into_iter().map(|(name, active, candidate)| {
        view! {
            <tr>
                <td>{name}</td>
                <td class="num">{active}</td>
                <td class="num">{candidate}</td>
            </tr>
        }
    });
    view! {
        <p class="muted small">
            {count(v.rows_learned as i64)} " windows of " {count(v.sensors as i64)} " sensors learned from, "
            {count(v.rows_held_out as i64)} " held out, seed " {v.seed}
        </p>
        <div class="table-box"><table class="table">
            <thead>
                <tr>
                    <th>"On the same readings"</th>
                    <th class="num">{v.active_version.clone()}</th>
                    <th class="num">"this version"</th>
                </tr>
            </thead>
            <tbody>{table.collect_view()}</tbody>
        </table></div>
        {if v.passed {
            view! { <p>"Passed: it may be promoted."</p> }.into_any()
        } else {
            view! {
                <p>"Not passed:"</p>
                <ul>{v.objections.into_iter().map(|o| view! { <li>{o}</li> }).collect_view()}</ul>
            }
            .into_any()
        }}
    }
    .into_any()
}

fn shadow(days: Vec<ShadowDay>) -> AnyView {
    let rows = days.into_iter().map(|d| {
        view! {
            <tr>
                <td>{d.day}</td>
                <td class="num">{count(d.scored)}</td>
                <td class="num">{count(d.active_anomalous)}</td>
                <td class="num">{count(d.challenger_anomalous)}</td>
                <td class="num">{number(d.mean_difference, 1.0)}</td>
            </tr>
        }
    });
    view! {
        <h3>"Compared with the active version"</h3>
        <div class="table-box"><table class="table">
            <thead>
                <tr>
                    <th>"Day"</th>
                    <th class="num">"Scored"</th>
                    <th class="num">"Unusual to the active"</th>
                    <th class="num">"Unusual to this"</th>
                    <th class="num">"Mean distance"</th>
                </tr>
            </thead>
            <tbody>{rows.collect_view()}</tbody>
        </table></div>
    }
    .into_any()
}
