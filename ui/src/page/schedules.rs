//! Scheduled reports, sent by email.

use crate::{
    api::{Query, Refresh},
    components::{
        confirm::Dialog,
        form::{self, choice, text_field},
        icon::Icon,
        loaded::{Empty, Entries},
        time::{Ago, Clock},
    },
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    input::{Many, Whole},
    report::{Cadence, NewReportSchedule, ReportFormat, ReportSchedule, ReportScheduleChange},
    route::{op, request},
};
use pm_ui_core::{change::given, text::title};

/// The days of a week as the API counts them.
const WEEKDAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The panel.
#[component]
pub fn Schedules() -> impl IntoView {
    let schedules = Query::new(|| Some(request(op::ListReportSchedules, [])), &[Refresh::Pulse]);
    let open = RwSignal::new(false);
    view! {
        <section class="panel">
            <header class="panel-head">
                <h2>"Schedules"</h2>
                <button class="button small" on:click=move |_| open.set(true)>
                    {Icon::Plus.view()}
                    "Schedule"
                </button>
            </header>
            <Entries
                list=schedules
                key=|s: &ReportSchedule| (s.id, s.updated_at, s.last_run_at)
                row
                lines=3
                none
            />
        </section>
        <Dialog open title="New schedule">
            <Form open schedules />
        </Dialog>
    }
    .into_any()
}

fn none() -> AnyView {
    view! {
        <Empty icon=Icon::Clock title="No schedules">
            "A schedule sends a report of the past day or week by email."
        </Empty>
    }
    .into_any()
}

fn row(schedule: ReportSchedule, schedules: Query<Vec<ReportSchedule>>) -> AnyView {
    let app = app();
    let id = schedule.id;
    let active = schedule.is_active;
    let toggle = move |_| {
        let body = ReportScheduleChange { is_active: Some(!active), ..ReportScheduleChange::default() };
        spawn_local(async move {
            match app.api.send(request(op::UpdateReportSchedule, [&id]), &body).await {
                Ok(_) => schedules.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    let remove = move || {
        spawn_local(async move {
            match app.api.call(request(op::DeleteReportSchedule, [&id])).await {
                Ok(()) => schedules.refetch(),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <li>
            <div>
                <strong>{schedule.name}</strong> " "
                <span class="muted">
                    {title(schedule.cadence.as_str())} ", " {title(schedule.format.as_str())} ", to "
                    {schedule.recipients.join(", ")}
                </span>
                <p class="muted small">
                    {if active {
                        view! { "Next " <Clock at=schedule.next_run_at /> ", " <Ago at=schedule.next_run_at /> }.into_any()
                    } else {
                        "Paused".into_any()
                    }}
                    {schedule.last_error.map(|error| format!(". The last run failed: {error}"))}
                </p>
            </div>
            <div class="acts">
                <button class="button small" on:click=toggle>
                    {if active { "Pause" } else { "Resume" }}
                </button>
                {form::sure_button("Delete", "Really delete", remove)}
            </div>
        </li>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>, schedules: Query<Vec<ReportSchedule>>) -> impl IntoView {
    let app = app();
    let (name, recipients) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let hour = RwSignal::new("6".to_owned());
    let weekday = RwSignal::new(0_usize);
    let (cadence, format) = (RwSignal::new(Cadence::Daily), RwSignal::new(ReportFormat::Pdf));
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let list = recipients.with_untracked(|text| {
            text.split([',', ' ', ';', '\n']).filter_map(given).map(Into::into).collect()
        });
        let body = NewReportSchedule {
            name: name.get_untracked().trim().into(),
            cadence: cadence.get_untracked(),
            recipients: Many(list),
            format: Some(format.get_untracked()),
            weekday: Some(Whole(weekday.get_untracked() as i64)),
            hour: hour.get_untracked().trim().parse().ok().map(Whole),
            utc_offset_minutes: Some(Whole(app.offset_min)),
            zone: None,
            machine_id: None,
            sensor_id: None,
            is_active: None,
        };
        spawn_local(async move {
            match app.api.send(request(op::CreateReportSchedule, []), &body).await {
                Ok(_) => {
                    schedules.refetch();
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
            {text_field("Name", "text", true, name)}
            <div class="form-row">
                {choice("How often", Cadence::WORDS, move || cadence.get().as_str(), move |word| {
                    if let Ok(word) = word.parse() {
                        cadence.set(word);
                    }
                })}
                {choice("Format", ReportFormat::WORDS, move || format.get().as_str(), move |word| {
                    if let Ok(word) = word.parse() {
                        format.set(word);
                    }
                })}
            </div>
            <div class="form-row">
                {move || {
                    (cadence.get() == Cadence::Weekly)
                        .then(|| {
                            choice("On", WEEKDAYS, move || WEEKDAYS[weekday.get()], move |word| {
                                weekday.set(WEEKDAYS.iter().position(|day| *day == word).unwrap_or_default());
                            })
                        })
                }}
                {text_field("Hour of the day", "number", true, hour)}
            </div>
            {text_field("Mail addresses, separated by commas", "text", true, recipients)} {form::problem(problem)}
            {form::foot(open, "Schedule it", None)}
        </form>
    }
    .into_any()
}
