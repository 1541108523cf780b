//! What a rule that is tried would have done, beside what was.

use crate::components::{
    badge,
    time::{Clock, ms},
};
use leptos::prelude::*;
use pm_api::{
    Timestamp,
    backtest::{AlarmSpan, SensorTrial},
};
use pm_ui_core::text::{count, duration};

/// Alarms that are listed.
const LISTED: usize = 6;

/// Figures, both kinds of alarms over the period, and the newest that the rule would have raised.
#[must_use]
pub fn result(trial: &SensorTrial) -> AnyView {
    let of = &trial.figures;
    let n = |count_of: u64| count(count_of as i64);
    let share = of.share * 100.0;
    let share = if share > 0.0 && share < 0.1 { "< 0.1".to_owned() } else { format!("{share:.1}") };
    let lead = of.mean_lead_s.map(|lead| format!(", {} before on average", duration(lead * 1000.0)));
    let faults = (of.faults > 0).then(|| {
        view! {
            <dt>"Confirmed faults"</dt>
            <dd>{n(of.faults_warned)} " of " {n(of.faults)} " announced" {lead}</dd>
        }
    });
    let period = (trial.from, trial.to);
    let cut = trial.readings_from.map(|from| {
        view! { <p class="small">"Single readings are stored from " <Clock at=from /> " on only; before, nothing was evaluated."</p> }
    });
    view! {
        <dl class="facts">
            <dt>"Would have raised"</dt>
            <dd>
                <strong class="would-raise">{n(of.would_raise)}</strong> " alarms: " {n(of.gained)} " more and " {n(of.lost)} " fewer"
            </dd>
            <dt>"Were raised"</dt>
            <dd>{n(of.raised)} " alarms"</dd>
            <dt>"Time in alarm"</dt>
            <dd>{duration(of.alarm_s * 1000.0)} ", " {share} " %"</dd>
            {faults}
        </dl>
        {strip("Would have raised", &trial.alarms, period)}
        {strip("Were raised", &trial.raised_alarms, period)}
        {cut}
        <ul class="pairs small">{trial.alarms.iter().rev().take(LISTED).map(|alarm| row(alarm, trial.to)).collect_view()}</ul>
    }
    .into_any()
}

/// When there were alarms.
fn strip(label: &'static str, alarms: &[AlarmSpan], (from, to): (Timestamp, Timestamp)) -> AnyView {
    let width = (ms(to) - ms(from)).max(1.0);
    let mark = |alarm: &AlarmSpan| {
        let left = (ms(alarm.begin) - ms(from)) / width * 100.0;
        let length = (ms(alarm.end.unwrap_or(to)) - ms(alarm.begin)) / width * 100.0;
        view! { <i class=alarm.severity.as_str() style:left=format!("{left:.3}%") style:width=format!("{length:.3}%")></i> }
    };
    let described = format!("{label}: {} alarms", count(alarms.len() as i64));
    view! {
        <div class="strip-of-alarms">
            <span class="small muted">{label}</span>
            <div role="img" aria-label=described>
                {alarms.iter().map(mark).collect_view()}
            </div>
        </div>
    }
    .into_any()
}

fn row(alarm: &AlarmSpan, to: Timestamp) -> AnyView {
    let lasted = match alarm.end {
        Some(end) => duration(ms(end) - ms(alarm.begin)),
        None => format!("{} so far", duration(ms(to) - ms(alarm.begin))),
    };
    view! {
        <li>
            {badge::severity(alarm.severity)} <Clock at=alarm.begin /> <span class="muted">{lasted}</span>
        </li>
    }
    .into_any()
}
