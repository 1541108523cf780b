//! Which time a group of charts shows: one of the usual intervals up to now, or from one time to another.

use super::{Group, Span};
use crate::components::{
    form::{moment_field, segment},
    icon::Icon,
    picker::Picker,
};
use leptos::prelude::*;
use pm_api::{
    Timestamp,
    sensor::{TimelineQuery, TrendQuery},
    word::Interval,
};

/// A time that charts show, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// An interval up to now.
    Last(Interval),
    /// From one time to another.
    Between(Timestamp, Timestamp),
}

impl Range {
    /// A range from, to, milliseconds since 1970.
    #[must_use]
    pub fn between(from_ms: f64, to_ms: f64) -> Self {
        let at = |ms: f64| Timestamp((ms * 1000.0) as i64);
        Self::Between(at(from_ms), at(to_ms))
    }

    /// Interval, begin and end; either the interval is given or the other two.
    fn parts(self) -> (Option<Interval>, Option<Timestamp>, Option<Timestamp>) {
        match self {
            Self::Last(interval) => (Some(interval), None, None),
            Self::Between(start, end) => (None, Some(start), Some(end)),
        }
    }

    /// As the query of a trend.
    #[must_use]
    pub fn trend(self) -> TrendQuery {
        let (interval, start, end) = self.parts();
        TrendQuery { interval, start, end, points: None }
    }

    /// As the query of a status timeline.
    #[must_use]
    pub fn timeline(self) -> TimelineQuery {
        let (interval, start, end) = self.parts();
        TimelineQuery { interval, start, end, gap_seconds: None }
    }
}

/// What a chart with this interval shows.
fn span(interval: Interval) -> Span {
    Span::Last(interval.seconds() as f64 * 1000.0)
}

/// The initial range of charts, and the charts.
#[must_use]
pub fn start() -> (RwSignal<Range>, Group) {
    (RwSignal::new(Range::Last(Interval::Hour)), Group::new(span(Interval::Hour)))
}

/// The choice of the time that a group of charts shows.
#[component]
pub fn RangePicker(
    /// The time shown.
    range: RwSignal<Range>,
    /// The charts.
    group: Group,
) -> impl IntoView {
    let (from, to) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let custom = move || matches!(range.get(), Range::Between(..));
    let (open, wrong) = (RwSignal::new(false), RwSignal::new(false));
    let show = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        // The browser reads such a time in its own zone.
        let read = |text: RwSignal<String>| js_sys::Date::parse(&text.get_untracked());
        let (begin, end) = (read(from), read(to));
        wrong.set(end <= begin || begin.is_nan() || end.is_nan());
        if !wrong.get_untracked() {
            group.show(Span::Fixed(begin, end));
            range.set(Range::between(begin, end));
            open.set(false);
        }
    };
    view! {
        <div class="segmented" role="group" aria-label="Time shown">
            {Interval::ALL
                .iter()
                .map(|interval| {
                    let press = move || {
                        group.show(span(*interval));
                        range.set(Range::Last(*interval));
                    };
                    segment(interval.as_str(), move || range.get() == Range::Last(*interval), press)
                })
                .collect_view()}
        </div>
        <Picker label="From, to" icon=Icon::Clock chosen=Signal::derive(custom) open>
            <form class="form" on:submit=show>
                {moment_field("From", from)}
                {moment_field("To", to)}
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
