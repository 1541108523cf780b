//! What is done with a rule that is tried: limit and delay are suggested for a wanted number of alarms, and what was moved is
//! applied.

use super::trial_moved::{MOVABLE, Moved};
use crate::{
    api::{ApiError, Query},
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    LimitSide, SensorId,
    backtest::{SensorTrial, SuggestionQuery},
    input::Between,
    route::{op, request},
};
use pm_ui_core::text::{count, duration, reading};
use serde_json::{Map, Value, json};

/// Limit and delay for a wanted number of alarms.
#[component]
pub fn Suggest(
    /// Which sensor.
    id: SensorId,
    /// What is moved.
    moved: RwSignal<Moved>,
    /// Which limit is moved.
    place: RwSignal<usize>,
    /// The rule that counts.
    rule: Moved,
) -> impl IntoView {
    let app = app();
    let wanted = RwSignal::new("4".to_owned());
    let (busy, outcome) = (RwSignal::new(false), RwSignal::new(None::<Result<String, String>>));
    let suggest = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let Ok(alarms) = wanted.get_untracked().trim().replace(',', ".").parse::<f64>() else {
            return outcome.set(Some(Err("How many alarms a month?".to_owned())));
        };
        let side = if place.get_untracked().is_multiple_of(2) { LimitSide::High } else { LimitSide::Low };
        let query =
            SuggestionQuery { alarms_per_month: Between(alarms), side: Some(side), from: None, to: None };
        busy.set(true);
        spawn_local(async move {
            let answer = app.api.call(request(op::SuggestLimit, [&id]).query(&query)).await;
            busy.try_set(false);
            let told = match answer {
                Err(error) => Err(error.to_string()),
                Ok(found) => match (found.limit, found.on_delay_s) {
                    (Some(limit), Some(on_delay_s)) => {
                        let at = usize::from(found.side == LimitSide::Low);
                        let mut limits = rule.limits;
                        (MOVABLE[at].set)(&mut limits, limit);
                        moved.try_update(|moved| {
                            *moved = Moved { limits, on_delay_s, dead_band: rule.dead_band }
                        });
                        place.try_set(at);
                        let raised = count(found.trial.figures.would_raise as i64);
                        Ok(format!(
                            "{} {} after {}: {raised} alarms.",
                            MOVABLE[at].label,
                            reading(limit),
                            duration(on_delay_s as f64 * 1000.0)
                        ))
                    }
                    _ => Err(found.reason.unwrap_or_default()),
                },
            };
            outcome.try_set(Some(told));
        });
    };
    view! {
        <form class="suggest" on:submit=suggest>
            <label>
                "At most "
                <input class="input small" inputmode="decimal" size="4" aria-label="Alarms a month" bind:value=wanted />
                " alarms a month"
            </label>
            <button class="button" type="submit" disabled=move || busy.get()>
                {move || if busy.get() { "Looking …" } else { "Suggest" }}
            </button>
            <div role="status" class="small">
                {move || match outcome.get() {
                    None => ().into_any(),
                    Some(Ok(words)) => view! { <p class="muted">{words}</p> }.into_any(),
                    Some(Err(problem)) => view! { <p class="form-problem">{problem}</p> }.into_any(),
                }}
            </div>
        </form>
    }
    .into_any()
}

/// Writes what was moved: limits to the sensor, the rest to its own alarm rule.
#[component]
pub fn Apply(
    /// Which sensor.
    id: SensorId,
    /// What is moved.
    moved: RwSignal<Moved>,
    /// The rule that counts.
    rule: Moved,
    /// Is what is shown the answer to what is moved?
    current: Memo<bool>,
    /// The answer by the rule that counts, which another one then gives.
    present: Query<SensorTrial>,
) -> impl IntoView {
    let app = app();
    let busy = RwSignal::new(false);
    let ready = move || current.get() && !busy.get() && moved.get() != rule;
    let apply = move |_| {
        let new = moved.get_untracked();
        busy.set(true);
        spawn_local(async move {
            let applied = write(app, id, rule, new).await;
            busy.try_set(false);
            match applied {
                Ok(()) => {
                    app.toasts.done("Applied.");
                    present.refetch();
                }
                Err(error) => app.toasts.failed(format!("Not applied: {error}")),
            }
        });
    };
    view! {
        <div class="acts">
            <button class="button" disabled=move || moved.get() == rule on:click=move |_| moved.set(rule)>
                "Reset"
            </button>
            <button class="button primary" disabled=move || !ready() on:click=apply>
                "Apply"
            </button>
        </div>
    }
    .into_any()
}

async fn write(app: App, id: SensorId, before: Moved, after: Moved) -> Result<(), String> {
    let mut rule = Map::new();
    if before.on_delay_s != after.on_delay_s {
        rule.insert("on_delay_s".to_owned(), json!(after.on_delay_s));
    }
    if before.dead_band != after.dead_band {
        rule.insert("dead_band".to_owned(), json!(after.dead_band));
    }
    let wrong = |error: ApiError| error.to_string();
    if before.limits != after.limits {
        // a sensor's own limits count as a whole, in place of its machine's
        let limits = &after.limits;
        let body: Map<String, Value> = [
            ("warning_threshold", json!(limits.warning_high)),
            ("critical_threshold", json!(limits.critical_high)),
            ("warning_low", json!(limits.warning_low)),
            ("critical_low", json!(limits.critical_low)),
            ("min_threshold", Value::Null),
            ("max_threshold", Value::Null),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
        app.api.send_changes(request(op::UpdateSensor, [&id]), &body).await.map_err(wrong)?;
    }
    if rule.is_empty() {
        return Ok(());
    }
    let known = app.api.call(request(op::SensorAlarmRule, [&id])).await.map_err(wrong)?;
    match known.own_rule_id {
        Some(own) => app.api.send_changes(request(op::UpdateAlarmRule, [&own]), &rule).await,
        None => {
            rule.insert("sensor_id".to_owned(), json!(id));
            app.api.send_changes(request(op::CreateAlarmRule, []), &rule).await
        }
    }
    .map(drop)
    .map_err(wrong)
}
