//! The form of an override: somebody stands in for a span of time.

use super::on_call::{Choices, person_choice, saved};
use crate::{
    components::{confirm::OpenState, form},
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    Timestamp,
    on_call::{NewOnCallOverride, OnCallSchedule},
    route::{op, request},
};

/// The form.
#[component]
pub fn StandInForm<T: Clone + Send + Sync + 'static>(
    /// The schedule.
    of: OnCallSchedule,
    /// What it chooses from.
    choices: Choices,
    /// What the dialog shows.
    shown: RwSignal<Option<T>>,
) -> impl IntoView {
    let app = app();
    let id = of.id;
    let (user, from, to) =
        (RwSignal::new(String::new()), RwSignal::new(String::new()), RwSignal::new(String::new()));
    let problem = RwSignal::new(None::<String>);
    let open = OpenState::from(shown);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        // the browser reads such a time in its own zone
        let read = |text: RwSignal<String>| js_sys::Date::parse(&text.get_untracked());
        let (begin, end) = (read(from), read(to));
        let Ok(user_id) = user.get_untracked().parse() else {
            problem.set(Some("Choose who stands in.".to_owned()));
            return;
        };
        if begin.is_nan() || end.is_nan() || end <= begin {
            problem.set(Some("The end must be later than the begin.".to_owned()));
            return;
        }
        let at = |milliseconds: f64| Timestamp(milliseconds as i64 * 1000);
        let body = NewOnCallOverride { user_id, starts_at: at(begin), ends_at: at(end) };
        spawn_local(async move {
            let answer = app.api.send(request(op::CreateOnCallOverride, [&id]), &body).await;
            form::answered(answer, problem, move || saved(choices, shown));
        });
    };
    view! {
        <form class="form" on:submit=submit>
            <p class="muted">"Somebody stands in on " {of.name}</p>
            {person_choice("Who", "Choose…", choices.people, user)}
            <div class="form-row">{form::moment_field("From", from)} {form::moment_field("To", to)}</div>
            {form::problem(problem)} {form::foot(open, "Save", None)}
        </form>
    }
    .into_any()
}
