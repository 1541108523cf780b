//! Mail preferences of a user, and the password.

use crate::{
    api::{Query, Refresh},
    components::{
        form::{self, choice, text_field},
        loaded::Loaded,
    },
    shell::Machines,
    state::app,
};
use leptos::{prelude::*, task::spawn_local};
use pm_api::{
    MachineId, Severity,
    notification::Preferences,
    route::{op, request},
    user::PasswordChange,
};
use pm_ui_core::change::{changes, given};

/// Which emails the user gets.
#[component]
pub fn MailPreferences() -> impl IntoView {
    let preferences = Query::new(|| Some(request(op::GetPreferences, [])), &[Refresh::Pulse]);
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Mails"</h2>
            </header>
            <Loaded phase=preferences.phase() retry=preferences.retry() lines=4>
                {move || preferences.data.get().map(|old| view! { <Mails old preferences /> })}
            </Loaded>
        </section>
    }
    .into_any()
}

#[component]
fn Mails(old: Preferences, preferences: Query<Preferences>) -> impl IntoView {
    let app = app();
    let (alarms, predictions) = (RwSignal::new(old.alarms), RwSignal::new(old.predictions));
    let tickets = RwSignal::new(old.ticket_assignments);
    let least = RwSignal::new(old.minimum_severity);
    let (from, to) = (RwSignal::new(clock(old.hours_from)), RwSignal::new(clock(old.hours_to)));
    let summary = RwSignal::new(clock(old.summary_at));
    let zone = RwSignal::new(
        old.zone.clone().or_else(crate::browser::time_zone).unwrap_or_else(|| "UTC".to_owned()),
    );
    let classes = RwSignal::new(old.machine_classes.join(", "));
    let machines = RwSignal::new(old.machine_ids.clone());
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let hours = (minute(&from.get_untracked()), minute(&to.get_untracked()));
        if hours.0.is_some() != hours.1.is_some() {
            problem.set(Some("The hours need a begin and an end.".to_owned()));
            return;
        }
        let summary_at = minute(&summary.get_untracked());
        // without a time there is nothing that the zone would count for
        let any_time = hours.0.is_some() || summary_at.is_some();
        let new = Preferences {
            alarms: alarms.get_untracked(),
            predictions: predictions.get_untracked(),
            ticket_assignments: tickets.get_untracked(),
            minimum_severity: least.get_untracked(),
            machine_ids: machines.get_untracked(),
            machine_classes: classes.with_untracked(|text| text.split(',').filter_map(given).collect()),
            hours_from: hours.0,
            hours_to: hours.1,
            zone: if any_time { given(&zone.get_untracked()) } else { old.zone.clone() },
            summary_at,
        };
        let body = changes(&old, &new);
        spawn_local(async move {
            match app.api.send_changes(request(op::UpdatePreferences, []), &body).await {
                Ok(saved) => {
                    preferences.data.try_set(Some(saved));
                    app.toasts.done("Saved.");
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let test = move |_| {
        spawn_local(async move {
            match app.api.send(request(op::TestEmail, []), &None).await {
                Ok(_) => app.toasts.done("A mail was sent."),
                Err(error) => app.toasts.failed(error.to_string()),
            }
        });
    };
    view! {
        <form class="form" on:submit=submit>
            {form::check("Alarms from limits", alarms)} {form::check("Anomalies found by the model", predictions)}
            {form::check("Tickets assigned to me", tickets)}
            {choice("Minimum severity", Severity::WORDS, move || least.get().as_str(), move |word| {
                if let Ok(word) = word.parse() {
                    least.set(word);
                }
            })}
            <details class="more">
                <summary>"Which machines, which hours, daily summary"</summary>
                {machine_list(machines)} {text_field("Classes of machines, separated by commas", "text", false, classes)}
                <p class="muted small">
                    "Without machines and classes, mails are about all. When you are on call, you are notified in any case."
                </p>
                <div class="form-row">
                    {text_field("Alarms from", "time", false, from)} {text_field("To", "time", false, to)}
                    {text_field("Daily summary at", "time", false, summary)}
                </div>
                {text_field("Time zone", "text", false, zone)}
            </details>
            {form::problem(problem)}
            <footer class="form-foot">
                {move || {
                    app.api
                        .session
                        .may(pm_api::Role::Admin)
                        .then(|| {
                            view! {
                                <button class="button" type="button" on:click=test>
                                    "Send me a test mail"
                                </button>
                            }
                        })
                }}
                <button class="button primary" type="submit">
                    "Save"
                </button>
            </footer>
        </form>
    }
    .into_any()
}

/// A minute of the day as `08:30`; empty: none.
fn clock(minute: Option<i64>) -> String {
    minute.map(|m| format!("{:02}:{:02}", m / 60, m % 60)).unwrap_or_default()
}

/// The minute of the day of `08:30`.
fn minute(text: &str) -> Option<i64> {
    let (hour, minute) = text.split_once(':')?;
    Some(hour.parse::<i64>().ok()? * 60 + minute.get(..2)?.parse::<i64>().ok()?)
}

/// The chosen machines, and a choice that adds one.
fn machine_list(chosen: RwSignal<Vec<MachineId>>) -> AnyView {
    let machines = expect_context::<Machines>();
    let added = RwSignal::new(String::new());
    Effect::new(move |_| {
        if let Ok(id) = added.get().parse::<MachineId>() {
            chosen.update(|ids| {
                if !ids.contains(&id) {
                    ids.push(id);
                }
            });
        }
    });
    let row = move |id: MachineId| {
        let remove = move |_| chosen.update(|ids| ids.retain(|other| *other != id));
        view! {
            <li>
                <div>{move || machines.name(id)}</div>
                <button class="quiet small" type="button" on:click=remove>
                    "Remove"
                </button>
            </li>
        }
    };
    view! {
        <ul class="pairs">{move || chosen.get().into_iter().map(row).collect_view()}</ul>
        {form::machine_choice("Add a machine…", false, added)}
    }
    .into_any()
}

/// Change of one's own password.
#[component]
pub fn Password() -> impl IntoView {
    let app = app();
    let (current, new) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let problem = RwSignal::new(None::<String>);
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let body = PasswordChange {
            current_password: current.get_untracked().into(),
            new_password: new.get_untracked().into(),
        };
        spawn_local(async move {
            match app.api.send(request(op::ChangePassword, []), &body).await {
                Ok(done) => {
                    app.toasts.done(done.message);
                    // All sessions of the account have ended, this one too.
                    let email =
                        app.api.session.user.with_untracked(|user| user.as_ref().map(|u| u.email.clone()));
                    app.api.session.action_required.set(None);
                    if app.api.login(&email.unwrap_or_default(), &new.get_untracked(), "").await.is_err() {
                        app.api.session.expire();
                    }
                    current.try_set(String::new());
                    new.try_set(String::new());
                    problem.try_set(None);
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    view! {
        <section class="panel narrow">
            <header class="panel-head">
                <h2>"Password"</h2>
            </header>
            <form class="form" on:submit=submit>
                {form::password_field("Current password", "current-password", current)}
                {form::password_field("New password", "new-password", new)} {form::problem(problem)}
                <footer class="form-foot">
                    <button class="button primary" type="submit">
                        "Change password"
                    </button>
                </footer>
            </form>
        </section>
    }
    .into_any()
}
