//! Reports: what was made, and a form for a new one. Schedules stand below.

use super::schedules::Schedules;
use crate::{
    api::{Query, Refresh},
    browser::save,
    parts::{
        confirm::Dialog,
        form::{self, choice, text_field},
        icon::Icon,
        loaded::{Empty, Loaded},
        pager::{self, Pager},
        time::{Ago, Clock},
    },
    state::app,
};
use gloo_net::http::Method;
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Role, Timestamp,
    report::{GeneratedReport, Report, ReportFormat, ReportRequest},
};
use pm_ui_core::{change::given, text};

const PAGE: usize = 20;

/// The page.
#[component]
pub fn Reports() -> impl IntoView {
    let app = app();
    let reports =
        Query::<Vec<Report>>::new(|| Some(format!("/reports?{}", pager::window(PAGE))), &[Refresh::Pulse]);
    let open = RwSignal::new(false);
    view! {
        <header class="page-head">
            <h1>"Reports"</h1>
            <button class="button primary" on:click=move |_| open.set(true)>
                {Icon::Plus.view()}
                "New report"
            </button>
        </header>
        <section class="panel flush">
            <Loaded phase=reports.phase() retry=reports.retry() lines=6>
                <div class="table-box">
                    <table class="table">
                        <thead>
                            <tr>
                                <th>"Report"</th>
                                <th class="wide">"Period"</th>
                                <th class="wide num">"Readings"</th>
                                <th class="wide num">"Size"</th>
                                <th class="wide when">"Made"</th>
                                <th></th>
                            </tr>
                        </thead>
                        <tbody>
                            <For each=move || reports.items() key=|r| r.id children=move |r| row(r, reports) />
                        </tbody>
                    </table>
                </div>
                {move || {
                    reports
                        .items()
                        .is_empty()
                        .then(|| {
                            view! {
                                <Empty icon=Icon::Report title="No reports yet">
                                    "Make one: a document to hand on, a workbook, or the readings as a table."
                                </Empty>
                            }
                        })
                }}
                <Pager
                    total=Signal::derive(move || reports.total.get().unwrap_or_default().unsigned_abs() as usize)
                    size=PAGE
                />
            </Loaded>
        </section>
        {move || app.api.session.may(Role::Engineer).then(|| view! { <Schedules /> })}
        <Dialog open title="New report">
            <Form open reports />
        </Dialog>
    }
    .into_any()
}

fn row(report: Report, reports: Query<Vec<Report>>) -> AnyView {
    let app = app();
    let id = report.id;
    let name = StoredValue::new(report.report_name.clone());
    let fetch = move |show: bool| {
        spawn_local(async move {
            match app.api.file(&format!("/reports/{id}/download")).await {
                Ok(address) if show => {
                    let _ = window().open_with_url_and_target(&address, "_blank");
                }
                Ok(address) => save(&address, &name.get_value()),
                Err(error) => app.toasts.failed(format!("Not downloaded: {error}")),
            }
        });
    };
    let remove = move |_| {
        spawn_local(async move {
            match app.api.delete(&format!("/reports/{id}")).await {
                Ok(()) => reports.refetch(),
                Err(error) => app.toasts.failed(format!("Not deleted: {error}")),
            }
        });
    };
    let period = view! {
        {report.date_from.map_or_else(|| "the beginning".into_any(), |at| view! { <Clock at /> }.into_any())} " – "
        {report.date_to.map(|at| view! { <Clock at /> })}
    };
    view! {
        <tr data-row tabindex="-1">
            <td class="main-cell">
                <strong>{report.title}</strong> " "
                <small class="muted">{text::title(report.format.as_str())}</small>
            </td>
            <td class="wide muted">{period}</td>
            <td class="wide num">{text::count(report.readings)}</td>
            <td class="wide num">{text::count(report.file_size.div_euclid(1024) + 1)} " kB"</td>
            <td class="wide when muted"><Ago at=report.created_at /></td>
            <td class="num">
                {(report.format == ReportFormat::Pdf)
                    .then(|| {
                        view! {
                            <button class="button small" on:click=move |_| fetch(true)>
                                "Open"
                            </button>
                        }
                    })}
                " "
                <button class="button small" on:click=move |_| fetch(false)>
                    {Icon::Download.view()}
                    "Download"
                </button>
                <button class="quiet" aria-label="Delete" on:click=remove>
                    {Icon::Close.view()}
                </button>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>, reports: Query<Vec<Report>>) -> impl IntoView {
    let app = app();
    let format = RwSignal::new(ReportFormat::Pdf);
    let (from, to, title) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let machine = RwSignal::new(String::new());
    let (busy, problem) = (RwSignal::new(false), RwSignal::new(None::<String>));
    // A day's local begin, or with `days` the begin of a later day.
    let instant = move |day: &str, days: i64| -> Option<Timestamp> {
        let Timestamp(us) = given(day)?.parse().ok()?;
        Some(Timestamp(us + (days * 1440 - app.offset_min) * 60_000_000))
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = ReportRequest {
            format: Some(format.get_untracked()),
            date_from: instant(&from.get_untracked(), 0),
            date_to: instant(&to.get_untracked(), 1),
            machine_id: machine.get_untracked().parse().ok(),
            title: given(&title.get_untracked()),
            utc_offset_minutes: Some(app.offset_min),
            ..ReportRequest::default()
        };
        busy.set(true);
        spawn_local(async move {
            let made = app.api.send::<_, GeneratedReport>(Method::POST, "/reports/generate", &body).await;
            busy.try_set(false);
            match made {
                Ok(made) => {
                    app.toasts.done(format!("{} is made.", made.report_name));
                    reports.refetch();
                    open.set(false);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {choice("Format", ReportFormat::WORDS, move || format.get().as_str(), move |word| {
                if let Ok(word) = word.parse() {
                    format.set(word);
                }
            })}
            <div class="form-row">
                {text_field("From day", "date", false, from)} {text_field("To day", "date", false, to)}
            </div>
            {form::machine_choice("All machines", false, machine)}
            {text_field("Title", "text", false, title)}
            <p class="muted small">"Without days: the last 30 days; as a table of readings: all of them."</p>
            {move || busy.get().then(|| view! { <p class="muted" role="status">"Making the report …"</p> })}
            {form::problem(problem)} {form::foot(open, "Make it", None)}
        </form>
    }
    .into_any()
}
