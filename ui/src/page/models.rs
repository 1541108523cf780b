//! The models: the active version, trained versions with their reports, and drift of the plant. Engineers read,
//! administrators train and promote.

use super::{model_report::Report, verdicts::Verdicts};
use crate::{
    api::{Query, Refresh},
    components::{
        confirm::Dialog,
        form::{self, Only},
        icon::Icon,
        loaded::{Empty, Loaded},
        time::Ago,
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    JobStatus, JobType, Role,
    ai::{DriftReport, ModelVersion, RetrainRequest},
    job::{Job, JobFilter},
    route::{op, request},
};
use pm_ui_core::text::{number, title};

/// The page.
#[component]
pub fn Models() -> impl IntoView {
    let app = app();
    let status = Query::new(|| Some(request(op::AiStatus, [])), &[Refresh::Pulse]);
    let versions = Query::new(|| Some(request(op::ListModels, [])), &[Refresh::Pulse]);
    let jobs = Query::new(
        || {
            let trainings = JobFilter { job_type: Some(JobType::Retrain), ..JobFilter::default() };
            Some(request(op::ListJobs, []).query(&trainings).limit(1))
        },
        &[Refresh::Pulse],
    );
    let training = Memo::new(move |_| {
        let is_open = |job: &Job| matches!(job.status, JobStatus::Pending | JobStatus::Running);
        jobs.data.with(|list| list.iter().flatten().next().is_some_and(is_open))
    });
    // Refreshed every second while a training runs; at its end there may be a new version.
    Effect::new(move |was: Option<bool>| {
        let now = training.get();
        if now {
            app.now.track();
            jobs.refetch();
        } else if was == Some(true) {
            versions.refetch();
        }
        now
    });
    let report = RwSignal::new(None::<String>);
    let retrain = move || {
        spawn_local(async move {
            let body = Some(RetrainRequest::default());
            match app.api.send(request(op::Retrain, []), &body).await {
                Ok(_) => {
                    app.toasts.done("Training has been queued.");
                    jobs.refetch();
                }
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let active = move || {
        status.data.get().map(|s| {
            view! {
                <dl class="facts">
                    <dt>"Active model"</dt>
                    <dd>{if s.model_loaded { format!("version {}", s.model_version) } else { "none, rules only".to_owned() }}</dd>
                </dl>
            }
        })
    };
    view! {
        <header class="page-head">
            <h1>"Models"</h1>
            <Only least=Role::Admin>
                {form::sure_button("Retrain", "Train on the stored readings", retrain)}
            </Only>
        </header>
        <div class="columns">
            <div class="column-wide">
                <section class="panel">
                    <Loaded phase=status.phase() retry=status.retry() lines=1>
                        {active}
                    </Loaded>
                    {move || jobs.items().into_iter().next().map(progress)}
                </section>
                <section class="panel flush">
                    <Loaded phase=versions.phase() retry=versions.retry() lines=4>
                        <div class="table-box"><table class="table">
                            <thead>
                                <tr>
                                    <th>"Version"</th>
                                    <th>"State"</th>
                                    <th class="wide when">"Registered"</th>
                                    <th></th>
                                </tr>
                            </thead>
                            <tbody>
                                <For
                                    each=move || versions.items()
                                    key=|v| (v.id, v.status.clone(), v.activated_at)
                                    children=move |v| row(v, versions, report)
                                />
                            </tbody>
                        </table></div>
                        {move || {
                            versions
                                .items()
                                .is_empty()
                                .then(|| {
                                    view! {
                                        <Empty icon=Icon::Robot title="No trained versions">
                                            "The built-in model is active. A version that is trained on your readings appears here."
                                        </Empty>
                                    }
                                })
                        }}
                    </Loaded>
                </section>
            </div>
            <div class="column-side">
                <DriftPanel />
                <Verdicts />
                <Log />
            </div>
        </div>
        <Dialog open=report title="Report" class="broad">
            {move || report.get().map(|version| view! { <Report version /> })}
        </Dialog>
    }
    .into_any()
}

fn progress(job: Job) -> AnyView {
    let text = match job.status {
        JobStatus::Pending => "Training is queued.".to_owned(),
        JobStatus::Running => format!("Training: {} %", job.progress),
        JobStatus::Completed => "The last training is complete.".to_owned(),
        JobStatus::Failed => format!("The last training failed: {}", job.error_message.unwrap_or_default()),
    };
    view! {
        <p class="muted" role="status">
            {text} " (" <Ago at=job.updated_at /> ")"
        </p>
        {(job.status == JobStatus::Running)
            .then(|| view! { <progress max="100" value=job.progress aria-label="Training"></progress> })}
    }
    .into_any()
}

fn row(
    version: ModelVersion,
    versions: Query<Vec<ModelVersion>>,
    report: RwSignal<Option<String>>,
) -> AnyView {
    let app = app();
    let active = version.status == "active";
    let name = StoredValue::new(version.version.clone());
    let change = move |promote: bool| {
        move || {
            spawn_local(async move {
                let version = name.get_value();
                let answer = if promote {
                    app.api.call(request(op::ActivateModel, [&version])).await
                } else {
                    app.api.call(request(op::RollbackModel, [&version])).await
                };
                match answer {
                    Ok(done) => {
                        app.toasts.done(done.message);
                        versions.refetch();
                    }
                    Err(error) => app.toasts.failed(error.to_string()),
                }
            });
        }
    };
    let was_active = version.activated_at.is_some();
    let can = version.has_weights && !active;
    let scope = version
        .machine_class
        .map(|class| format!("class {class}"))
        .or(version.machine_id.map(|_| "one machine".to_owned()))
        .unwrap_or_else(|| "all machines".to_owned());
    view! {
        <tr data-row tabindex="-1">
            <td class="main-cell">
                <strong>{version.version.clone()}</strong>
                <p class="muted small">{version.name} ", for " {scope}</p>
            </td>
            <td>
                <span class="badge" class:open=active>
                    {title(&version.status)}
                </span>
                {(version.passed == Some(false)).then(|| view! { " " <span class="badge warning">"not passed"</span> })}
            </td>
            <td class="wide when muted"><Ago at=version.created_at /></td>
            <td>
                <div class="acts">
                    <button class="button small" on:click=move |_| report.set(Some(name.get_value()))>
                        "Report"
                    </button>
                    {move || {
                        (can && app.api.session.may(Role::Admin))
                            .then(|| {
                                if was_active {
                                    form::sure_button("Roll back", "Confirm roll back", change(false))
                                } else {
                                    form::sure_button("Promote", "Make it the active model", change(true))
                                }
                            })
                    }}
                </div>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn DriftPanel() -> impl IntoView {
    let drift = Query::new(|| Some(request(op::Drift, [])), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Drift"</h2>
            </header>
            <Loaded phase=drift.phase() retry=drift.retry() lines=4>
                {move || match drift.items().into_iter().next() {
                    Some(report) => drifted(report),
                    None => view! { <p class="muted">"Not measured yet."</p> }.into_any(),
                }}
            </Loaded>
        </section>
    }
    .into_any()
}

fn drifted(drift: DriftReport) -> AnyView {
    let rows = drift.features.into_iter().take(8).map(|feature| {
        let class = if feature.psi < 0.25 { "muted" } else { "badge warning" };
        view! {
            <li>
                <span>{feature.feature}</span>
                <span class=class>{number(feature.psi, 1.0)}</span>
            </li>
        }
    });
    view! {
        <p class="muted small">
            {title(&drift.verdict)} " (" {drift.model_version} "), " <Ago at=drift.created_at />
            ". Population stability index of the features since training; from 0.25 on it counts as drift."
        </p>
        <ul class="pairs">{rows.collect_view()}</ul>
    }
    .into_any()
}

#[component]
fn Log() -> impl IntoView {
    let lines = Query::new(|| Some(request(op::AiLogs, []).limit(15)), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Activity"</h2>
            </header>
            <Loaded phase=lines.phase() retry=lines.retry() lines=4>
                <ul class="pairs">
                    {move || {
                        lines
                            .items()
                            .into_iter()
                            .map(|line| {
                                view! {
                                    <li>
                                        <span>{line.details.unwrap_or_else(|| title(&line.action))}</span>
                                        <small class="muted"><Ago at=line.timestamp /></small>
                                    </li>
                                }
                            })
                            .collect_view()
                    }}
                </ul>
                {move || {
                    lines
                        .items()
                        .is_empty()
                        .then(|| view! { <p class="muted small">"No entries yet. Trainings and promotions appear here."</p> })
                }}
            </Loaded>
        </section>
    }
    .into_any()
}
