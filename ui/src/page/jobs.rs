//! Background jobs: their progress, their errors, and a button to retry.

use crate::{
    api::{Query, Refresh},
    components::{
        icon::Icon,
        loaded::{Empty, Entries, again},
        time::Ago,
    },
    state::app,
};
use leptos::prelude::*;
use pm_api::{
    JobStatus, Role,
    job::Job,
    route::{op, request},
};
use pm_ui_core::text::title;

/// The panel.
#[component]
pub fn Jobs() -> impl IntoView {
    let jobs = Query::new(|| Some(request(op::ListJobs, []).limit(10)), &[Refresh::Pulse]);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Jobs"</h2>
            </header>
            <Entries list=jobs key=|job: &Job| (job.id, job.updated_at) row lines=4 none />
        </section>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Clock title="No jobs yet">
            "A model's training appears here with its progress."
        </Empty>
    }
    .into_any()
}

fn row(job: Job, jobs: Query<Vec<Job>>) -> AnyView {
    let app = app();
    let id = job.id;
    let failed = job.status == JobStatus::Failed;
    let class = match job.status {
        JobStatus::Completed => "badge calm",
        JobStatus::Failed => "badge warning",
        JobStatus::Pending | JobStatus::Running => "badge",
    };
    let retry = move |_| {
        again(app, request(op::RetryJob, [&id]), jobs, "Queued again.", "Not queued again");
    };
    view! {
        <li>
            <div>
                <strong>{title(job.job_type.as_str())}</strong> " " <span class=class>{title(job.status.as_str())}</span>
                <p class="muted small">
                    <Ago at=job.updated_at />
                    {(job.attempts > 1).then(|| format!(", {} attempts", job.attempts))}
                    {job.error_message.map(|error| format!(". {error}"))}
                </p>
                {(job.status == JobStatus::Running)
                    .then(|| view! { <progress max="100" value=job.progress aria-label="Progress"></progress> })}
            </div>
            {move || {
                (failed && app.api.session.may(Role::Admin))
                    .then(|| {
                        view! {
                            <button class="button small" on:click=retry>
                                {Icon::Refresh.view()}
                                "Try again"
                            </button>
                        }
                    })
            }}
        </li>
    }
    .into_any()
}
