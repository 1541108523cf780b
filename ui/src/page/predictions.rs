//! Predictions of the models, and the explanation of one.

use crate::{
    api::{Query, Refresh},
    components::{
        badge,
        drawer::Drawer,
        form,
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        rows::Row,
        time::{Ago, Clock},
    },
    shell::Machines,
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    Metadata, PredictionId, PredictionStatus, SensorId,
    input::CommaSeparated,
    prediction::{Explained, FeatureShare, Prediction, PredictionFilter},
    route::{op, request},
    sensor::SensorFilter,
};
use pm_ui_core::{
    route::Route,
    text::{number, reading, title},
};
use std::collections::HashMap;

/// Predictions on one page of the list.
const ROWS_PER_PAGE: usize = 50;

/// The page.
#[component]
pub fn Predictions() -> impl IntoView {
    let app = app();
    let predictions = Query::new(
        move || {
            let filter = PredictionFilter {
                machine_id: pager::word("machine"),
                status: pager::word("status"),
                ..PredictionFilter::default()
            };
            Some(pager::paged(request(op::ListPredictions, []).query(&filter), ROWS_PER_PAGE))
        },
        &[Refresh::Pulse],
    );
    let open = Memo::new(move |_| match app.nav.route.get() {
        Route::Prediction(id) => Some(id),
        _ => None,
    });
    let status = move || app.nav.param("status").unwrap_or_default();
    let choice = |word: &'static str, label: &'static str| {
        form::segment(label, move || status() == word, move || pager::filter("status", word))
    };
    let narrowed = move || app.nav.param("machine").is_some();
    view! {
        <header class="page-head">
            <h1>"Predictions"</h1>
            <div class="filters">
                <div class="segmented" role="group" aria-label="Class">
                    {choice("", "All")} {choice("critical", "Critical")} {choice("warning", "Warning")}
                    {choice("normal", "Normal")} {choice("buffering", "Buffering")}
                </div>
                {move || {
                    narrowed()
                        .then(|| {
                            view! {
                                <button class="button small" on:click=move |_| pager::filter("machine", "")>
                                    {Icon::Close.view()}
                                    "One machine"
                                </button>
                            }
                        })
                }}
            </div>
        </header>
        <section class="panel flush">
            <Loaded phase=predictions.phase() retry=predictions.retry() lines=10>
                <PredictionTable predictions brief=false />
                <Pager total=Signal::derive(move || predictions.count()) size=ROWS_PER_PAGE />
            </Loaded>
        </section>
        {move || open.get().map(|id| view! { <Why id /> })}
    }
    .into_any()
}

/// Predictions as a table, the newest first.
#[component]
pub fn PredictionTable(
    /// The predictions.
    predictions: Query<Vec<Prediction>>,
    /// Only class, score and time?
    brief: bool,
) -> impl IntoView {
    let app = app();
    let machines = expect_context::<Machines>();
    // Only the sensors on the page are fetched, for their names.
    let shown = Memo::new(move |_| {
        let mut ids: Vec<SensorId> = predictions.items().into_iter().map(|p| p.sensor_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    });
    let sensors = Query::new(
        move || {
            let ids = Some(shown.get()).filter(|ids| !ids.is_empty())?;
            let filter = SensorFilter { ids: Some(CommaSeparated(ids)), ..SensorFilter::default() };
            Some(request(op::ListSensors, []).query(&filter))
        },
        &[],
    );
    let names = Memo::new(move |_| {
        sensors.items().into_iter().map(|s| (s.id, s.name)).collect::<HashMap<SensorId, String>>()
    });
    let row = move |p: Prediction| {
        let route = Route::Prediction(p.id);
        let machine = p.machine_id;
        let sensor = p.sensor_id;
        // with too few readings nothing was computed
        let computed = p.status != PredictionStatus::Buffering.as_str();
        let score = match (computed, brief) {
            (false, _) => view! { <span class="muted">"–"</span> }.into_any(),
            (true, true) => format!("{:.2}", p.score).into_any(),
            (true, false) => score_bar(p.score),
        };
        let wide = (!brief).then(|| {
            let percent = |share: f64| if computed { format!("{share:.0} %") } else { "–".to_owned() };
            let life = p.remaining_useful_life.map(percent);
            view! {
                <td class="wide">
                    <a class="plain" href=Route::Machine(machine).to_string()>
                        {move || machines.name(machine)}
                    </a>
                </td>
                <td class="wide num">{life}</td>
                <td class="wide num muted">{percent(p.confidence * 100.0)}</td>
                <td class="wide muted">{p.model_version.clone()}</td>
            }
        });
        view! {
            <Row route>
                <td>{badge::status(&p.status)}</td>
                <td class="main-cell">
                    <a href=move || app.nav.to(route)>{move || names.with(|n| n.get(&sensor).cloned())}</a>
                </td>
                <td class="num">{score}</td>
                {wide}
                <td class="when muted">
                    <Ago at=p.timestamp />
                </td>
            </Row>
        }
        .into_any()
    };
    view! {
        <div class="table-box">
            <table class="table">
                <thead>
                    <tr>
                        <th>"Class"</th>
                        <th>"Sensor"</th>
                        <th class="num">"Score"</th>
                        {(!brief)
                            .then(|| {
                                view! {
                                    <th class="wide">"Machine"</th>
                                    <th class="wide num">"Health"</th>
                                    <th class="wide num">"Confidence"</th>
                                    <th class="wide">"Model"</th>
                                }
                            })}
                        <th class="when">"For"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || predictions.items() key=|p| p.id children=row />
                </tbody>
            </table>
        </div>
        {move || {
            predictions
                .items()
                .is_empty()
                .then(|| {
                    view! {
                        <Empty icon=Icon::Prediction title="No predictions here">
                            "A sensor's first prediction is made after a dozen readings."
                        </Empty>
                    }
                })
        }}
    }
    .into_any()
}

/// A score from 0 to 1 as a figure and a bar.
fn score_bar(score: f64) -> AnyView {
    view! {
        <span class="score">
            <span class="bar" aria-hidden="true">
                <span style:width=format!("{:.0}%", score.clamp(0.0, 1.0) * 100.0)></span>
            </span>
            {format!("{score:.2}")}
        </span>
    }
    .into_any()
}

#[component]
fn Why(id: PredictionId) -> impl IntoView {
    let app = app();
    let why = Query::new(move || Some(request(op::ExplainPrediction, [&id])), &[]);
    let whole = Query::new(move || Some(request(op::GetPrediction, [&id])), &[]);
    let close = Callback::new(move |()| app.nav.go(&untrack(|| app.nav.to(Route::Predictions))));
    let content = move || {
        let Explained { explanation: e, .. } = why.data.get()?;
        let at = whole.data.get().map(|p| {
            view! {
                <p class="muted">"For the reading of " <Clock at=p.timestamp /> ", " <Ago at=p.timestamp /></p>
            }
        });
        Some(view! {
            <div class="badges">
                {badge::status(&e.predicted_class)}
                <span class="badge off">{format!("Confidence {:.0} %", e.confidence * 100.0)}</span>
                <span class="badge off">{e.model_version}</span>
            </div>
            {at}
            <p>{e.reasoning}</p>
            {e
                .recommended_action
                .map(|action| {
                    view! {
                        <p class="advice">{Icon::Wrench.view()} {action}</p>
                    }
                })}
            {contributions(&e.feature_importance)}
        })
    };
    view! {
        <Drawer label="Prediction" heading="Explanation" close>
            <Loaded phase=why.phase() retry=why.retry() lines=6>
                {content}
            </Loaded>
        </Drawer>
    }
    .into_any()
}

/// The features that made the score, by the size of their share, then the scorer's own figures.
fn contributions(all: &Metadata) -> AnyView {
    let features: Vec<FeatureShare> =
        all.get("features").and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default();
    let drove = !features.is_empty();
    let most = features.iter().map(|f| f.contribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
    let bars = features
        .into_iter()
        .map(|f| {
            let width = format!("{:.1}%", f.contribution.abs() / most * 100.0);
            let usual = format!(
                "{}, usually {} to {}",
                reading(f.value),
                reading(f.normal_low),
                reading(f.normal_high)
            );
            view! {
                <li>
                    <span>{title(&f.meaning)}</span>
                    <span class="bar" aria-hidden="true">
                        <span style:width=width></span>
                    </span>
                    <b>{number(f.contribution, most)}</b>
                    <small class="muted">{usual}</small>
                </li>
            }
        })
        .collect_view();
    let drivers = drove.then(|| {
        view! {
            <h3>"Contributions to the score"</h3>
            <ul class="contributions">{bars}</ul>
        }
    });
    let figures = all
        .iter()
        .filter(|(name, value)| value.is_number() || (value.is_string() && *name != "reason"))
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            view! {
                <dt>{title(name)}</dt>
                <dd>{text}</dd>
            }
        })
        .collect_view();
    view! {
        {drivers}
        <dl class="facts">{figures}</dl>
    }
    .into_any()
}
