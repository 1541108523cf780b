//! The chart's view: canvas, tooltip, pointer and keys.

use super::{
    Group, Limit,
    draw::{Plot, Scene, StatusTime, draw},
};
use crate::state::app;
use leptos::{html, prelude::*};
use pm_api::Severity;
use pm_ui_core::{
    scale::clock,
    series::Series,
    text::{number, reading},
};
use wasm_bindgen::{JsCast, closure::Closure};

/// A chart of one sensor.
#[component]
pub fn Chart(
    /// The readings.
    series: RwSignal<Series>,
    /// Time and crosshair, shared with other charts.
    group: Group,
    /// What is measured, for screen readers.
    #[prop(into)]
    name: String,
    /// Unit of the values.
    #[prop(into)]
    unit: String,
    /// Threshold lines.
    #[prop(into, default = Signal::stored(Vec::new()))]
    limits: Signal<Vec<Limit>>,
    /// Times worth a mark.
    #[prop(into, default = Signal::stored(Vec::new()))]
    marks: Signal<Vec<(f64, Severity)>>,
    /// Readings that are not good: time and value.
    #[prop(into, default = Signal::stored(Vec::new()))]
    doubtful: Signal<Vec<(f64, f64)>>,
    /// The sensor's status over time, as a strip on the axis.
    #[prop(into, default = Signal::stored(Vec::new()))]
    spans: Signal<Vec<StatusTime>>,
    /// Height, CSS pixels.
    #[prop(default = 160)]
    height: u32,
) -> impl IntoView {
    let app = app();
    let canvas = NodeRef::<html::Canvas>::new();
    let plot = StoredValue::new(None::<Plot>);
    let drag = RwSignal::new(None::<(f64, f64)>);
    let size = RwSignal::new(0_u32);
    let queued = StoredValue::new(false);

    let paint = move || {
        queued.try_set_value(false);
        let Some(Some(canvas)) = canvas.try_get_untracked() else { return };
        let time = untrack(|| group.domain());
        let drawn = series.try_with_untracked(|series| {
            let scene = Scene {
                series,
                limits: &limits.get_untracked(),
                marks: &marks.get_untracked(),
                doubtful: &doubtful.get_untracked(),
                spans: &spans.get_untracked(),
                time,
                hover: group.hover.get_untracked(),
                drag: drag.get_untracked(),
                offset_min: app.offset_min,
            };
            draw(&canvas, &scene)
        });
        plot.try_set_value(drawn.flatten());
    };
    Effect::new(move |_| {
        canvas.track();
        series.track();
        limits.track();
        marks.track();
        doubtful.track();
        spans.track();
        group.hover.track();
        drag.track();
        size.track();
        app.theme.track();
        let _ = group.domain();
        if !queued.get_value() {
            queued.set_value(true);
            request_animation_frame(paint);
        }
    });
    Effect::new(move |_| {
        let Some(canvas) = canvas.get() else { return };
        watch_size(&canvas, move || size.update(|n| *n = n.wrapping_add(1)));
    });

    let time_at = move |event: &web_sys::PointerEvent| {
        let px = f64::from(event.offset_x());
        plot.get_value().map(|plot: Plot| plot.x.value(px.clamp(plot.x.range.0, plot.x.range.1)))
    };
    let release = move |_| {
        if let Some((a, b)) = drag.get_untracked() {
            drag.set(None);
            let (from, to) = (a.min(b), a.max(b));
            let shown = untrack(|| group.domain());
            if to - from > (shown.1 - shown.0) * 0.015 {
                group.zoom.set(Some((from, to)));
            }
        }
    };
    let keys = move |event: web_sys::KeyboardEvent| {
        let (from, to) = untrack(|| group.domain());
        let at = group.hover.get_untracked().unwrap_or(to);
        let step = (to - from) / 100.0;
        match event.key().as_str() {
            "ArrowLeft" if event.shift_key() => group.pan(-0.25),
            "ArrowRight" if event.shift_key() => group.pan(0.25),
            "ArrowLeft" => group.hover.set(Some((at - step).max(from))),
            "ArrowRight" => group.hover.set(Some((at + step).min(to))),
            "+" | "=" => group.zoom_by(0.5, at),
            "-" => group.zoom_by(2.0, at),
            "Escape" if group.zoom.get_untracked().is_some() => group.reset(),
            "Escape" => group.hover.set(None),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };

    let unit_text = unit.clone();
    let tooltip = move || {
        let at = group.hover.get()?;
        let point = series.with(|series| series.nearest(at))?;
        let plot = plot.get_value()?;
        let x = plot.x.px(at);
        if x < plot.x.range.0 - 1.0 || x > plot.x.range.1 + 1.0 || (plot.x.px(point.at_ms) - x).abs() > 24.0 {
            return None;
        }
        let left = x > (plot.x.range.0 + plot.x.range.1) / 2.0;
        let span = plot.y.domain.1 - plot.y.domain.0;
        let bucket = (point.max > point.min)
            .then(|| format!("{} to {}", number(point.min, span), number(point.max, span)));
        Some(view! {
            <div class="tip" class:left=left style:left=format!("{x:.0}px")>
                <b>{reading(point.value)} " " {unit_text.clone()}</b>
                {bucket.map(|text| view! { <span>{text}</span> })}
                <span class="muted">{clock(point.at_ms, app.now.get_untracked(), app.offset_min)}</span>
            </div>
        })
    };
    let described = move || {
        let (from, to) = group.domain();
        let (lo, hi) = series.with(|series| series.extent(from, to));
        if lo.is_finite() {
            format!("{name}: {} to {} {unit} in the time shown", reading(lo), reading(hi))
        } else {
            format!("{name}: no readings in the time shown")
        }
    };
    let silent = move || {
        let (from, to) = group.domain();
        series.with(|series| series.visible(from, to).is_empty())
    };
    view! {
        <div class="chart" style:height=format!("{height}px")>
            <canvas
                node_ref=canvas
                tabindex="0"
                role="img"
                aria-label=described
                on:pointermove=move |event| {
                    let at = time_at(&event);
                    group.hover.set(at);
                    if let (Some((from, _)), Some(at)) = (drag.get_untracked(), at) {
                        drag.set(Some((from, at)));
                    }
                }
                on:pointerdown=move |event| {
                    if event.pointer_type() == "mouse" && event.button() == 0 {
                        drag.set(time_at(&event).map(|at| (at, at)));
                    }
                }
                on:pointerup=release
                on:pointerleave=move |_| {
                    group.hover.set(None);
                    drag.set(None);
                }
                on:dblclick=move |_| group.reset()
                on:keydown=keys
            ></canvas>
            {tooltip}
            {move || silent().then(|| view! { <p class="chart-empty">"No readings in this time"</p> })}
        </div>
    }
    .into_any()
}

fn watch_size(canvas: &web_sys::HtmlCanvasElement, changed: impl Fn() + 'static) {
    let callback = Closure::<dyn Fn()>::new(changed);
    let Ok(observer) = web_sys::ResizeObserver::new(callback.as_ref().unchecked_ref()) else { return };
    observer.observe(canvas);
    let handles = StoredValue::new_local(Some((observer, callback)));
    on_cleanup(move || {
        if let Some(Some((observer, _))) = handles.try_update_value(Option::take) {
            observer.disconnect();
        }
    });
}
