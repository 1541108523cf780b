//! The limits of a sensor.

use crate::{
    api::Query,
    parts::{confirm::Dialog, form, icon::Icon},
    state::app,
};
use gloo_net::http::Method;
use leptos::{prelude::*, task::spawn_local};
use pm_api::{Role, sensor::Sensor};
use pm_ui_core::change::{changes, given, number};

/// A button that opens the form, for those who may use it.
#[component]
pub fn EditLimits(
    /// The sensor as it is.
    sensor: Sensor,
    /// Fetched anew when it has changed.
    query: Query<Sensor>,
) -> impl IntoView {
    let app = app();
    let open = RwSignal::new(false);
    let sensor = StoredValue::new(sensor);
    view! {
        {move || {
            app.api
                .session
                .may(Role::Engineer)
                .then(|| {
                    view! {
                        <button class="button" on:click=move |_| open.set(true)>
                            {Icon::Wrench.view()}
                            "Limits"
                        </button>
                    }
                })
        }}
        <Dialog open title="Limits">
            <Form open sensor=sensor.get_value() query />
        </Dialog>
    }
    .into_any()
}

#[component]
fn Form(open: RwSignal<bool>, sensor: Sensor, query: Query<Sensor>) -> impl IntoView {
    let app = app();
    let text = |value: Option<f64>| RwSignal::new(value.map(|v| v.to_string()).unwrap_or_default());
    let warning = text(sensor.warning_threshold);
    let critical = text(sensor.critical_threshold);
    let low = text(sensor.min_threshold);
    let unit = RwSignal::new(sensor.unit.clone().unwrap_or_default());
    let problem = RwSignal::new(None::<String>);
    let old = StoredValue::new(sensor);
    let read = move || -> Result<Sensor, String> {
        Ok(Sensor {
            warning_threshold: number(&warning.get_untracked())?,
            critical_threshold: number(&critical.get_untracked())?,
            min_threshold: number(&low.get_untracked())?,
            unit: given(&unit.get_untracked()),
            ..old.get_value()
        })
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let new = match read() {
            Ok(new) => new,
            Err(text) => return problem.set(Some(text)),
        };
        let id = new.id;
        let body = changes(&old.get_value(), &new);
        if body.is_empty() {
            return open.set(false);
        }
        spawn_local(async move {
            match app.api.send::<_, Sensor>(Method::PATCH, &format!("/sensors/{id}"), &body).await {
                Ok(_) => {
                    app.toasts.done("Limits saved.");
                    open.set(false);
                    query.refetch();
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let field = |label: &'static str, value: RwSignal<String>| {
        view! {
            <label class="field">
                <span>{label}</span>
                <input class="input" inputmode="decimal" autocomplete="off" bind:value=value />
            </label>
        }
    };
    view! {
        <form class="form" on:submit=submit>
            <div class="form-row">
                {field("Warning at or above", warning)} {field("Critical at or above", critical)}
            </div>
            <div class="form-row">
                {field("Warning at or below", low)}
                <label class="field">
                    <span>"Unit"</span>
                    <input class="input" autocomplete="off" bind:value=unit />
                </label>
            </div>
            <p class="muted small">
                "A critical limit below the warning limit makes both limits for low values, as for an oil level."
            </p>
            {form::problem(problem)} {form::foot(open, "Save", None)}
        </form>
    }
    .into_any()
}
