//! What the charts of a page share: the time shown and the crosshair.

use crate::state::app;
use leptos::prelude::*;

/// The time that a chart shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Span {
    /// The newest readings of this many milliseconds, moving.
    Last(f64),
    /// From, to, milliseconds since 1970.
    Fixed(f64, f64),
}

/// Charts with one time axis and one crosshair.
#[derive(Clone, Copy)]
pub struct Group {
    /// The time shown without zoom.
    pub base: RwSignal<Span>,
    /// The time shown when zoomed in.
    pub zoom: RwSignal<Option<(f64, f64)>>,
    /// Where the crosshair is, milliseconds since 1970.
    pub hover: RwSignal<Option<f64>>,
    /// Right edge of a moving span, milliseconds since 1970.
    pub edge: RwSignal<f64>,
}

impl Group {
    /// A group that shows `base`.
    #[must_use]
    pub fn new(base: Span) -> Self {
        let app = app();
        let group = Self {
            base: RwSignal::new(base),
            zoom: RwSignal::new(None),
            hover: RwSignal::new(None),
            edge: RwSignal::new(app.now.get_untracked()),
        };
        Effect::new(move |_| {
            app.live.readings.track();
            app.now.track();
            group.edge.set(crate::browser::now_ms());
        });
        group
    }

    /// From, to. Reactive.
    #[must_use]
    pub fn domain(self) -> (f64, f64) {
        if let Some(zoom) = self.zoom.get() {
            return zoom;
        }
        match self.base.get() {
            Span::Fixed(from, to) => (from, to),
            Span::Last(length) => {
                let edge = self.edge.get();
                (edge - length, edge)
            }
        }
    }

    /// Zooms by `factor` (below 1: closer) about `center`.
    pub fn zoom_by(self, factor: f64, center: f64) {
        let (from, to) = untrack(|| self.domain());
        let (from, to) = (center - (center - from) * factor, center + (to - center) * factor);
        if to - from >= 2_000.0 {
            self.zoom.set(Some((from, to)));
        }
    }

    /// Moves by a share of what is shown.
    pub fn pan(self, share: f64) {
        let (from, to) = untrack(|| self.domain());
        let by = (to - from) * share;
        self.zoom.set(Some((from + by, to + by)));
    }

    /// Shows another time, whole.
    pub fn show(self, span: Span) {
        self.reset();
        self.base.set(span);
    }

    /// Back to the whole range.
    pub fn reset(self) {
        self.zoom.set(None);
    }
}
