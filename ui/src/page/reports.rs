//! Reports: the list, a form for a new one, and schedules.

use super::schedules::Schedules;
use crate::{
    api::{ApiError, Query, Refresh},
    browser::{release, save, shows_pdf},
    components::{
        confirm::Dialog,
        form::{self, Only, choice, text_field},
        icon::Icon,
        loaded::{Empty, Loaded, failure, skeleton},
        pager::{self, Pager},
        time::{Ago, Clock},
    },
    state::{App, app},
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    ReportId, Role, Timestamp,
    report::{Report, ReportFormat, ReportRequest},
    route::{op, request},
};
use pm_ui_core::{change::given, text};

const ROWS_PER_PAGE: usize = 20;

/// The page.
#[component]
pub fn Reports() -> impl IntoView {
    let reports =
        Query::new(|| Some(pager::paged(request(op::ListReports, []), ROWS_PER_PAGE)), &[Refresh::Pulse]);
    let open = RwSignal::new(false);
    let shown = RwSignal::new(None::<Shown>);
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
                            <For each=move || reports.items() key=|r| r.id children=move |r| row(r, reports, shown) />
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
                                    "Create a PDF document, a workbook, or a table of readings."
                                </Empty>
                            }
                        })
                }}
                <Pager
                    total=Signal::derive(move || reports.total.get().unwrap_or_default().unsigned_abs() as usize)
                    size=ROWS_PER_PAGE
                />
            </Loaded>
        </section>
        <Only least=Role::Engineer>
            <Schedules />
        </Only>
        <Dialog open title="New report">
            <Form open reports shown />
        </Dialog>
        <Dialog open=shown title="Report" class="broad">
            {move || shown.get().map(|report| view! { <Preview report /> })}
        </Dialog>
    }
    .into_any()
}

/// The document that is open.
#[derive(Clone)]
struct Shown {
    id: ReportId,
    /// Name of its file.
    name: String,
}

/// Fetches the file of a report and saves it.
fn download(app: App, report: Shown) {
    spawn_local(async move {
        match app.api.file(request(op::DownloadReportById, [&report.id])).await {
            Ok(address) => {
                save(&address, &report.name);
                release(&address);
            }
            Err(error) => app.toasts.failed(format!("Not downloaded: {error}")),
        }
    });
}

/// A document inside the page.
#[component]
fn Preview(report: Shown) -> impl IntoView {
    let app = app();
    let file = RwSignal::new(None::<Result<String, ApiError>>);
    let id = report.id;
    let fetch = move || {
        file.set(None);
        spawn_local(async move {
            file.try_set(Some(app.api.file(request(op::DownloadReportById, [&id])).await));
        });
    };
    fetch();
    on_cleanup(move || {
        if let Some(Some(Ok(address))) = file.try_get_untracked() {
            release(&address);
        }
    });
    let name = report.name.clone();
    view! {
        {move || match file.get() {
            None => skeleton(12),
            Some(Err(error)) => failure(error.to_string(), Callback::new(move |()| fetch())),
            Some(Ok(address)) if shows_pdf() => {
                view! { <iframe class="document" src=address title=name.clone()></iframe> }.into_any()
            }
            Some(Ok(_)) => {
                view! { <p class="muted">"This browser shows no PDF documents in a page. Download it."</p> }.into_any()
            }
        }}
        <footer class="form-foot">
            <button class="button primary" on:click=move |_| download(app, report.clone())>
                {Icon::Download.view()}
                "Download"
            </button>
        </footer>
    }
    .into_any()
}

fn row(report: Report, reports: Query<Vec<Report>>, shown: RwSignal<Option<Shown>>) -> AnyView {
    let app = app();
    let id = report.id;
    let this = StoredValue::new(Shown { id, name: report.report_name.clone() });
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteReport, [&id])).await {
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
            <td class="wide num">{text::size(report.file_size)}</td>
            <td class="wide when muted"><Ago at=report.created_at /></td>
            <td>
                <div class="acts">
                    {(report.format == ReportFormat::Pdf)
                        .then(|| {
                            view! {
                                <button class="button small" on:click=move |_| shown.set(Some(this.get_value()))>
                                    "Open"
                                </button>
                            }
                        })}
                    <button class="button small" on:click=move |_| download(app, this.get_value())>
                        {Icon::Download.view()}
                        "Download"
                    </button>
                    {form::sure_button("Delete", "Really delete", remove)}
                </div>
            </td>
        </tr>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>, reports: Query<Vec<Report>>, shown: RwSignal<Option<Shown>>) -> impl IntoView {
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
        if busy.get_untracked() {
            return;
        }
        if body.date_from.zip(body.date_to).is_some_and(|(from, to)| to <= from) {
            return problem.set(Some("The first day is after the last.".to_owned()));
        }
        busy.set(true);
        problem.set(None);
        spawn_local(async move {
            let made = app.api.send(request(op::GenerateReport, []), &body).await;
            busy.try_set(false);
            match made {
                Ok(made) => {
                    app.toasts.done("The report is made.");
                    reports.refetch();
                    open.set(false);
                    if body.format == Some(ReportFormat::Pdf) {
                        shown.set(Some(Shown { id: made.id, name: made.report_name }));
                    }
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
            {move || {
                busy.get()
                    .then(|| {
                        view! {
                            <div role="status">
                                <p class="muted">"Making the report …"</p>
                                <progress aria-label="Making the report"></progress>
                            </div>
                        }
                    })
            }}
            {form::problem(problem)} {form::foot(open, "Make it", None)}
        </form>
    }
    .into_any()
}
