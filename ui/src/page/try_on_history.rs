//! A rule tried on what the sensor has shown: as limit, on-delay and dead band are moved, the alarms that the last 30 days would
//! have had, beside those that were raised; a suggestion of limit and delay; and the button that applies them.

use super::{
    trial_acts::{Apply, Suggest},
    trial_moved::{MOVABLE, Moved},
    trial_result::result,
};
use crate::{
    api::{Phase, Query},
    components::{form::Only, icon::Icon, loaded::Loaded},
};
use leptos::prelude::*;
use pm_api::{
    Role, SensorId,
    backtest::{SensorBacktestQuery, SensorTrial},
    route::{op, request},
};
use pm_ui_core::text::{duration, number};
use std::time::Duration;

/// So long nothing must move before it is asked.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest delay of the slider, s; a longer one that counts already fits as well.
const MAX_DELAY_S: f64 = 900.0;
/// How long a moved slider reaches over the values, as a share of their spread.
const REACH: f64 = 0.15;

/// The section on the page of a sensor, for those who may change its rule.
#[component]
pub fn TryOnHistory(
    /// Which sensor.
    id: SensorId,
    /// Unit of its values.
    #[prop(into)]
    unit: Signal<String>,
) -> impl IntoView {
    view! {
        <Only least=Role::Engineer>
            <section class="panel trial">
                <header class="panel-head">
                    <h2>"Try on history"</h2>
                </header>
                <Trial id unit />
            </section>
        </Only>
    }
    .into_any()
}

#[component]
fn Trial(id: SensorId, unit: Signal<String>) -> impl IntoView {
    // by the rule that counts; what can be moved begins there
    let present = Query::new(
        move || Some(request(op::TrySensorRule, [&id]).query(&SensorBacktestQuery::default())),
        &[],
    );
    let known =
        Memo::new(move |_| present.data.with(|trial| trial.as_ref().map(|t| (Moved::of(&t.rule), t.values))));
    view! {
        <Loaded phase=present.phase() retry=present.retry() lines=5>
            {move || {
                known
                    .get()
                    .map(|(rule, values)| match values {
                        Some(values) => view! { <Sliders id unit rule values present /> }.into_any(),
                        None => {
                            view! { <p class="muted">"No readings of the last 30 days are stored."</p> }
                                .into_any()
                        }
                    })
            }}
        </Loaded>
    }
    .into_any()
}

#[component]
fn Sliders(
    id: SensorId,
    unit: Signal<String>,
    /// The rule that counts.
    rule: Moved,
    /// Smallest and largest value.
    values: (f64, f64),
    present: Query<SensorTrial>,
) -> impl IntoView {
    let moved = RwSignal::new(rule);
    let asked = RwSignal::new(rule);
    let newest = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let now = moved.get();
        newest.update_value(|number| *number += 1);
        let number = newest.get_value();
        let ask = move || {
            if newest.try_get_value() == Some(number) && asked.get_untracked() != now {
                asked.set(now);
            }
        };
        set_timeout(ask, PAUSE);
    });
    let tried = Query::new(
        move || {
            let asked = asked.get();
            (asked != rule).then(|| request(op::TrySensorRule, [&id]).query(&asked.query(&rule)))
        },
        &[],
    );
    let answer = move || if asked.get() == rule { present } else { tried };
    let phases = (present.phase(), tried.phase());
    let phase = move || if asked.get() == rule { phases.0.get() } else { phases.1.get() };
    // the answer to what is shown by the sliders, not to an older question
    let is_current = Memo::new(move |_| {
        let moved = moved.get();
        answer().data.with(|trial| trial.as_ref().is_some_and(|trial| Moved::of(&trial.rule) == moved))
    });
    let place = RwSignal::new(MOVABLE.iter().position(|m| (m.get)(&rule.limits).is_some()).unwrap_or(0));
    let spread = match values.1 - values.0 {
        spread if spread > 0.0 => spread,
        _ => values.1.abs().max(1.0),
    };
    let step = 10_f64.powf((spread / 100.0).log10().floor());
    let known_limits = MOVABLE.iter().filter_map(move |m| (m.get)(&rule.limits));
    let (least, most) = known_limits.fold(values, |(least, most), limit| (least.min(limit), most.max(limit)));
    let range =
        (((least - REACH * spread) / step).floor() * step, ((most + REACH * spread) / step).ceil() * step);
    let limit = move || moved.with(|moved| (MOVABLE[place.get()].get)(&moved.limits));
    let words = move |value: f64| format!("{} {}", number(value, spread), unit.get());
    view! {
        <div class="sliders">
            <label class="field">
                <span>"Limit"</span>
                <select
                    class="input"
                    on:change=move |event| {
                        place.set(event_target_value(&event).parse().ok().filter(|at| *at < MOVABLE.len()).unwrap_or(0));
                    }
                >
                    {MOVABLE
                        .iter()
                        .enumerate()
                        .map(|(at, m)| view! { <option value=at.to_string() prop:selected=move || place.get() == at>{m.label}</option> })
                        .collect_view()}
                </select>
            </label>
            {slider(
                move || MOVABLE[place.get()].label,
                range,
                step,
                move || limit().unwrap_or(range.1),
                move || limit().map_or_else(|| "none".to_owned(), words),
                move |value| moved.update(|moved| (MOVABLE[place.get_untracked()].set)(&mut moved.limits, value)),
            )}
            {slider(
                || "On-delay",
                (0.0, MAX_DELAY_S.max(rule.on_delay_s as f64)),
                5.0,
                move || moved.with(|moved| moved.on_delay_s as f64),
                move || moved.with(|moved| duration(moved.on_delay_s as f64 * 1000.0)),
                move |value| moved.update(|moved| moved.on_delay_s = value as i64),
            )}
            {slider(
                || "Dead band",
                (0.0, (spread / 4.0).max(rule.dead_band)),
                step / 10.0,
                move || moved.with(|moved| moved.dead_band),
                move || moved.with(|moved| words(moved.dead_band)),
                move |value| moved.update(|moved| moved.dead_band = value),
            )}
        </div>
        <div role="status" aria-busy=move || (!is_current.get()).then_some("true")>
            {move || match (phase(), is_current.get()) {
                (Phase::Failed(error), _) => view! { <p class="form-problem">{Icon::Warning.view()} {error.to_string()}</p> }.into_any(),
                (Phase::Loading, _) => view! { <p class="muted">"Evaluating the last 30 days …"</p> }.into_any(),
                (Phase::Ready, current) => {
                    let note = (!current).then(|| view! { <p class="muted small">"Evaluating …"</p> });
                    let shown = answer().data.get().map(|trial| result(&trial));
                    view! { <div class:outdated=!current>{shown}</div> {note} }.into_any()
                }
            }}
        </div>
        <div class="trial-foot">
            <Suggest id moved place rule />
            <Apply id moved rule current=is_current present />
        </div>
    }
    .into_any()
}

fn slider(
    label: impl Fn() -> &'static str + Copy + Send + 'static,
    (least, most): (f64, f64),
    step: f64,
    value: impl Fn() -> f64 + Copy + Send + Sync + 'static,
    words: impl Fn() -> String + Copy + Send + Sync + 'static,
    moved: impl Fn(f64) + 'static,
) -> AnyView {
    view! {
        <label class="field">
            <span>{label} " " <output class="muted">{words}</output></span>
            <input
                type="range"
                aria-label=label
                aria-valuetext=words
                min=least.to_string()
                max=most.to_string()
                step=step.to_string()
                prop:value=move || value().to_string()
                on:input=move |event| {
                    if let Ok(value) = event_target_value(&event).parse() {
                        moved(value);
                    }
                }
            />
        </label>
    }
    .into_any()
}
