//! Which time a group of charts shows: one of the usual intervals up to now, or from one time to another.

use super::{Group, Span, between};
use crate::components::{form::segment, icon::Icon, picker::Picker};
use leptos::prelude::*;

/// Intervals of the trend route and their lengths, milliseconds.
const INTERVALS: &[(&str, f64)] = &[
    ("1h", 3_600_000.0),
    ("6h", 21_600_000.0),
    ("24h", 86_400_000.0),
    ("7d", 604_800_000.0),
    ("30d", 2_592_000_000.0),
];

/// The initial range of charts: the query of the trend route, and the charts.
#[must_use]
pub fn start() -> (RwSignal<String>, Group) {
    (RwSignal::new(interval_query(INTERVALS[0].0)), Group::new(Span::Last(INTERVALS[0].1)))
}

fn interval_query(word: &str) -> String {
    format!("interval={word}")
}

/// The choice of the time that a group of charts shows.
#[component]
pub fn RangePicker(
    /// The query of the trend route.
    range: RwSignal<String>,
    /// The charts.
    group: Group,
) -> impl IntoView {
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let custom = move || range.with(|range| range.starts_with("start"));
    let (open, wrong) = (RwSignal::new(false), RwSignal::new(false));
    let show = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        // The browser reads such a time in its own zone.
        let read = |text: RwSignal<String>| js_sys::Date::parse(&text.get_untracked());
        let (begin, end) = (read(from), read(to));
        wrong.set(end <= begin || begin.is_nan() || end.is_nan());
        if !wrong.get_untracked() {
            group.show(Span::Fixed(begin, end));
            range.set(between(begin, end));
            open.set(false);
        }
    };
    let field = |label: &'static str, value: RwSignal<String>| {
        view! {
            <label class="field">
                <span>{label}</span>
                <input class="input" type="datetime-local" required bind:value=value />
            </label>
        }
    };
    view! {
        <div class="segmented" role="group" aria-label="Time shown">
            {INTERVALS
                .iter()
                .map(|(word, length)| {
                    let press = move || {
                        group.show(Span::Last(*length));
                        range.set(interval_query(word));
                    };
                    segment(*word, move || range.get() == interval_query(word), press)
                })
                .collect_view()}
        </div>
        <Picker label="From, to" icon=Icon::Clock chosen=Signal::derive(custom) open>
            <form class="form" on:submit=show>
                {field("From", from)}
                {field("To", to)}
                <p class="muted small" role="alert">
                    {move || if wrong.get() { "The end must be later than the begin." } else { "In the time zone of this browser." }}
                </p>
                <button class="button primary" type="submit">
                    "Show"
                </button>
            </form>
        </Picker>
        <ZoomedOut label="Whole range" group />
    }
    .into_any()
}

/// A button that leads back to the whole range; shown while the charts are zoomed.
#[component]
pub fn ZoomedOut(
    /// Its label.
    label: &'static str,
    /// The charts.
    group: Group,
) -> impl IntoView {
    move || {
        group.zoom.get().map(|_| {
            view! {
                <button class="button small" on:click=move |_| group.reset()>
                    {Icon::Zoom.view()}
                    {label}
                </button>
            }
        })
    }
}
