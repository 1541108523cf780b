//! Drawing one chart. All lengths in CSS pixels.

use super::Limit;
use pm_api::{Severity, SpanStatus};
use pm_ui_core::{
    scale::{Scale, domain, ticks, time_ticks},
    series::{Point, Series, gap_ms, runs},
    text::number,
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, CssStyleDeclaration, HtmlCanvasElement};

/// What is drawn.
pub struct Scene<'a> {
    /// The readings.
    pub series: &'a Series,
    /// Threshold lines.
    pub limits: &'a [Limit],
    /// Times worth a mark, e.g. when alarms were raised.
    pub marks: &'a [(f64, Severity)],
    /// Readings that are not good: time and value; drawn as crosses.
    pub doubtful: &'a [(f64, f64)],
    /// From, to, what the sensor's status was; drawn as a strip below the curve.
    pub spans: &'a [StatusTime],
    /// From, to, milliseconds since 1970.
    pub time: (f64, f64),
    /// Crosshair, milliseconds since 1970.
    pub hover: Option<f64>,
    /// A range being dragged, milliseconds since 1970.
    pub drag: Option<(f64, f64)>,
    /// Local time minus UTC, minutes.
    pub offset_min: i64,
}

/// Begin and end, milliseconds since 1970, and the status between.
pub type StatusTime = (f64, f64, SpanStatus);

/// Where the plot lies inside the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plot {
    /// Milliseconds since 1970 to pixels from the left.
    pub x: Scale,
    /// Values to pixels from the top.
    pub y: Scale,
}

const LEFT: f64 = 46.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;

/// The plot of `scene` in a canvas of this size.
#[must_use]
pub fn plot(scene: &Scene<'_>, width: f64, height: f64) -> Plot {
    let extent = scene.series.extent(scene.time.0, scene.time.1);
    Plot {
        x: Scale { domain: scene.time, range: (LEFT, (width - RIGHT).max(LEFT + 1.0)) },
        y: Scale {
            domain: domain(extent, scene.limits.iter().map(|limit| limit.value)),
            range: ((height - BOTTOM).max(TOP + 1.0), TOP),
        },
    }
}

/// Draws `scene`; `None` when the canvas has no size or no context.
pub fn draw(canvas: &HtmlCanvasElement, scene: &Scene<'_>) -> Option<Plot> {
    let (width, height) = (f64::from(canvas.client_width()), f64::from(canvas.client_height()));
    if width < 60.0 || height < 40.0 {
        return None;
    }
    let window = web_sys::window()?;
    let ratio = window.device_pixel_ratio();
    let (w, h) = ((width * ratio).round() as u32, (height * ratio).round() as u32);
    if canvas.width() != w || canvas.height() != h {
        canvas.set_width(w);
        canvas.set_height(h);
    }
    let ctx = canvas.get_context("2d").ok()??.dyn_into::<CanvasRenderingContext2d>().ok()?;
    let style = window.get_computed_style(canvas).ok()??;
    let pen = Pen { ctx, style, plot: plot(scene, width, height), width };
    pen.ctx.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0).ok()?;
    pen.ctx.clear_rect(0.0, 0.0, width, height);
    pen.axes(scene);
    pen.bands(scene.limits);
    pen.limits(scene.limits);
    pen.series(scene);
    pen.limit_words(scene.limits);
    pen.strip(scene.spans);
    pen.marks(scene.marks);
    pen.doubtful(scene.doubtful);
    pen.cross(scene);
    Some(pen.plot)
}

struct Pen {
    ctx: CanvasRenderingContext2d,
    style: CssStyleDeclaration,
    plot: Plot,
    width: f64,
}

impl Pen {
    fn colour(&self, name: &str) -> String {
        self.style.get_property_value(name).unwrap_or_default().trim().to_owned()
    }

    fn severity(&self, severity: Severity) -> String {
        self.colour(match severity {
            Severity::Critical => "--critical",
            Severity::Warning => "--warning",
            Severity::Info => "--muted",
        })
    }

    fn line(&self, from: (f64, f64), to: (f64, f64)) {
        self.ctx.begin_path();
        self.ctx.move_to(from.0, from.1);
        self.ctx.line_to(to.0, to.1);
        self.ctx.stroke();
    }

    fn dash(&self, lengths: &[f64]) {
        let array: js_sys::Array = lengths.iter().map(|n| JsValue::from_f64(*n)).collect();
        let _ = self.ctx.set_line_dash(&array);
    }

    fn axes(&self, scene: &Scene<'_>) {
        let Plot { x, y } = self.plot;
        self.ctx.set_line_width(1.0);
        self.ctx.set_stroke_style_str(&self.colour("--grid"));
        self.ctx.set_fill_style_str(&self.colour("--muted"));
        self.ctx
            .set_font(&format!("11px {}", self.style.get_property_value("font-family").unwrap_or_default()));
        let span = y.domain.1 - y.domain.0;
        let wanted = ((y.range.0 - y.range.1) / 34.0).round().clamp(3.0, 8.0) as usize;
        self.ctx.set_text_align("right");
        self.ctx.set_text_baseline("middle");
        // without values there is no scale to draw
        let empty = scene.limits.is_empty() && scene.series.visible(x.domain.0, x.domain.1).is_empty();
        for value in ticks(y.domain.0, y.domain.1, if empty { 0 } else { wanted }) {
            let at = y.px(value).round() + 0.5;
            self.line((x.range.0, at), (x.range.1, at));
            let _ = self.ctx.fill_text(&number(value, span * 10.0), x.range.0 - 7.0, at);
        }
        let wanted = ((x.range.1 - x.range.0) / 90.0).clamp(2.0, 12.0) as usize;
        self.ctx.set_text_align("center");
        self.ctx.set_text_baseline("top");
        for tick in time_ticks(x.domain.0, x.domain.1, wanted, scene.offset_min) {
            let at = x.px(tick.at_ms as f64).round() + 0.5;
            self.line((at, y.range.0), (at, y.range.0 + 4.0));
            if at > x.range.0 + 12.0 && at < self.width - 18.0 {
                let _ = self.ctx.fill_text(&tick.label, at, y.range.0 + 6.0);
            }
        }
        self.ctx.set_stroke_style_str(&self.colour("--axis"));
        self.line((x.range.0, y.range.0 + 0.5), (x.range.1, y.range.0 + 0.5));
    }

    /// A tint on the abnormal side of each limit.
    fn bands(&self, limits: &[Limit]) {
        let Plot { x, y } = self.plot;
        self.ctx.set_global_alpha(0.07);
        for limit in limits {
            let at = y.px(limit.value).clamp(y.range.1, y.range.0);
            let (top, bottom) = if limit.low { (at, y.range.0) } else { (y.range.1, at) };
            self.ctx.set_fill_style_str(&self.severity(limit.severity));
            self.ctx.fill_rect(x.range.0, top, x.range.1 - x.range.0, bottom - top);
        }
        self.ctx.set_global_alpha(1.0);
    }

    /// The status over time, on the axis: the higher the severity, the higher the bar.
    fn strip(&self, spans: &[StatusTime]) {
        let Plot { x, y } = self.plot;
        for (from, to, status) in spans {
            let (colour, height) = match status {
                SpanStatus::Normal => ("--axis", 3.0),
                SpanStatus::Warning => ("--warning", 5.0),
                SpanStatus::Critical => ("--critical", 7.0),
                SpanStatus::NoData => continue,
            };
            let (from, to) = (x.px(*from).max(x.range.0), x.px(*to).min(x.range.1));
            if to > from {
                self.ctx.set_fill_style_str(&self.colour(colour));
                self.ctx.fill_rect(from, y.range.0 - height, (to - from).max(1.0), height);
            }
        }
    }

    fn limits(&self, limits: &[Limit]) {
        let Plot { x, y } = self.plot;
        for limit in limits {
            let at = y.px(limit.value).round() + 0.5;
            if at < y.range.1 || at > y.range.0 {
                continue;
            }
            self.ctx.set_stroke_style_str(&self.severity(limit.severity));
            self.dash(if limit.severity == Severity::Critical { &[7.0, 3.0] } else { &[3.0, 4.0] });
            self.line((x.range.0, at), (x.range.1, at));
            self.dash(&[]);
        }
    }

    /// The limits' labels, over the curve.
    fn limit_words(&self, limits: &[Limit]) {
        let Plot { x, y } = self.plot;
        for limit in limits {
            let at = y.px(limit.value).round() + 0.5;
            if at < y.range.1 || at > y.range.0 {
                continue;
            }
            self.ctx.set_fill_style_str(&self.severity(limit.severity));
            self.ctx.set_text_align("right");
            self.ctx.set_text_baseline(if limit.low { "top" } else { "bottom" });
            let word = if limit.severity == Severity::Critical { "critical" } else { "warning" };
            let text = format!("{word} {} {}", if limit.low { "≤" } else { "≥" }, limit.value);
            let at = at + if limit.low { 3.0 } else { -2.0 };
            // A halo keeps the labels legible over the curve.
            self.ctx.set_stroke_style_str(&self.colour("--panel"));
            self.ctx.set_line_width(3.0);
            let _ = self.ctx.stroke_text(&text, x.range.1 - 4.0, at);
            let _ = self.ctx.fill_text(&text, x.range.1 - 4.0, at);
            self.ctx.set_line_width(1.0);
        }
    }

    fn series(&self, scene: &Scene<'_>) {
        let Plot { x, y } = self.plot;
        let seen = scene.series.visible(scene.time.0, scene.time.1);
        let column = ((scene.time.1 - scene.time.0) / (x.range.1 - x.range.0).max(1.0)).max(1.0);
        let pieces = runs(seen, gap_ms(seen), column);
        self.clipped((x.range.0, y.range.1, x.range.1, y.range.0), || {
            self.envelope(&pieces);
            self.curve(&pieces, &self.colour("--line"));
        });
        // The curve beyond a limit again, in the limit's colour; limits of higher severity on top.
        let mut limits = scene.limits.to_vec();
        limits.sort_by_key(|limit| limit.severity);
        for limit in limits {
            let at = y.px(limit.value).clamp(y.range.1, y.range.0);
            let beyond = if limit.low { (at, y.range.0) } else { (y.range.1, at) };
            if beyond.1 - beyond.0 >= 0.5 {
                self.clipped((x.range.0, beyond.0, x.range.1, beyond.1), || {
                    self.curve(&pieces, &self.severity(limit.severity));
                });
            }
        }
    }

    fn clipped(&self, (left, top, right, bottom): (f64, f64, f64, f64), inside: impl FnOnce()) {
        self.ctx.save();
        self.ctx.begin_path();
        self.ctx.rect(left, top, right - left, bottom - top);
        self.ctx.clip();
        inside();
        self.ctx.restore();
    }

    fn envelope(&self, pieces: &[Vec<Point>]) {
        let Plot { x, y } = self.plot;
        self.ctx.set_fill_style_str(&self.colour("--band"));
        for run in pieces.iter().filter(|run| run.iter().any(|p| p.max > p.min)) {
            self.ctx.begin_path();
            for (i, p) in run.iter().enumerate() {
                let to = (x.px(p.at_ms), y.px(p.max));
                if i == 0 { self.ctx.move_to(to.0, to.1) } else { self.ctx.line_to(to.0, to.1) }
            }
            for p in run.iter().rev() {
                self.ctx.line_to(x.px(p.at_ms), y.px(p.min));
            }
            self.ctx.close_path();
            self.ctx.fill();
        }
    }

    fn curve(&self, pieces: &[Vec<Point>], colour: &str) {
        let Plot { x, y } = self.plot;
        self.ctx.set_stroke_style_str(colour);
        self.ctx.set_fill_style_str(colour);
        self.ctx.set_line_width(1.6);
        self.ctx.set_line_join("round");
        for run in pieces {
            if let [only] = run.as_slice() {
                self.dot(x.px(only.at_ms), y.px(only.value), 1.8);
                continue;
            }
            self.ctx.begin_path();
            for (i, p) in run.iter().enumerate() {
                let to = (x.px(p.at_ms), y.px(p.value));
                if i == 0 { self.ctx.move_to(to.0, to.1) } else { self.ctx.line_to(to.0, to.1) }
            }
            self.ctx.stroke();
        }
    }

    fn dot(&self, x: f64, y: f64, radius: f64) {
        self.ctx.begin_path();
        let _ = self.ctx.arc(x, y, radius, 0.0, std::f64::consts::TAU);
        self.ctx.fill();
    }

    fn marks(&self, marks: &[(f64, Severity)]) {
        let Plot { x, y } = self.plot;
        for (at_ms, severity) in marks {
            let at = x.px(*at_ms).round();
            if at < x.range.0 || at > x.range.1 {
                continue;
            }
            let colour = self.severity(*severity);
            self.ctx.set_fill_style_str(&colour);
            self.ctx.begin_path();
            self.ctx.move_to(at, y.range.0 - 7.0);
            self.ctx.line_to(at + 4.5, y.range.0);
            self.ctx.line_to(at - 4.5, y.range.0);
            self.ctx.fill();
        }
    }

    /// A cross for each reading that is not good; at the edge where its value is off the scale.
    fn doubtful(&self, readings: &[(f64, f64)]) {
        let Plot { x, y } = self.plot;
        self.ctx.set_stroke_style_str(&self.colour("--muted"));
        self.ctx.set_line_width(1.4);
        for (at_ms, value) in readings {
            let (px, py) = (x.px(*at_ms), y.px(*value).clamp(y.range.1 + 4.0, y.range.0 - 4.0));
            if px >= x.range.0 && px <= x.range.1 {
                self.line((px - 3.0, py - 3.0), (px + 3.0, py + 3.0));
                self.line((px - 3.0, py + 3.0), (px + 3.0, py - 3.0));
            }
        }
        self.ctx.set_line_width(1.0);
    }

    fn cross(&self, scene: &Scene<'_>) {
        let Plot { x, y } = self.plot;
        if let Some((a, b)) = scene.drag {
            let (a, b) = (x.px(a.min(b)), x.px(a.max(b)));
            self.ctx.set_fill_style_str(&self.colour("--select"));
            self.ctx.fill_rect(a, y.range.1, b - a, y.range.0 - y.range.1);
        }
        let Some(at_ms) = scene.hover else { return };
        let at = x.px(at_ms).round() + 0.5;
        if at < x.range.0 || at > x.range.1 {
            return;
        }
        self.ctx.set_line_width(1.0);
        self.ctx.set_stroke_style_str(&self.colour("--cross"));
        self.line((at, y.range.1), (at, y.range.0));
        if let Some(point) = scene.series.nearest(at_ms) {
            let px = x.px(point.at_ms);
            if (px - at).abs() < 24.0 {
                self.ctx.set_fill_style_str(&self.colour("--panel"));
                self.dot(px, y.px(point.value), 4.6);
                self.ctx.set_fill_style_str(&self.colour("--line"));
                self.dot(px, y.px(point.value), 3.2);
            }
        }
    }
}
