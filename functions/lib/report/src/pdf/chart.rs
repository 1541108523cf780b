//! Line charts of a sensor's values: the mean as a line, minimum to maximum as a band, limits as dashed lines.

use super::sheet::{
    ACCENT, BAND, CRITICAL, Color, FAINT, INK, INNER, MARGIN, RULE, Sheet, WARNING, bold, plain,
};
use crate::format::{Zone, duration, limits, value};
use pm_api::Timestamp;
use pm_domain::{
    reliability::Span,
    report_content::{SensorRow, TrendPoint},
};

const HEIGHT: f32 = 104.0;
/// Room for the labels of values.
const LEFT: f32 = 44.0;
/// Room for the labels of limits.
const RIGHT: f32 = 50.0;

/// Values and times of a chart's corners, and where they lie on the page.
struct Frame {
    top: f32,
    low: f64,
    high: f64,
    period: Span,
}

impl Frame {
    fn x(&self, at: Timestamp) -> f32 {
        let share = at.seconds_since(self.period.from) / self.period.seconds().max(1e-6);
        MARGIN + LEFT + (share.clamp(0.0, 1.0) as f32) * (INNER - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f32 {
        let share = (value - self.low) / (self.high - self.low);
        self.top + HEIGHT * (1.0 - share.clamp(0.0, 1.0) as f32)
    }
}

/// Draws the trend of a sensor's values.
pub(super) fn chart(sheet: &mut Sheet, sensor: &SensorRow, period: Span, zone: Zone) {
    sheet.reserve(HEIGHT + 52.0);
    let unit = sensor.unit.as_deref().map(|u| format!(" [{u}]")).unwrap_or_default();
    let heading = format!("{} · {}{unit}", sensor.machine, sensor.name);
    let heading = sheet.fitted(&heading, bold(9.0, INK), INNER);
    sheet.y += 10.0;
    let y = sheet.y;
    sheet.text(MARGIN, y, bold(9.0, INK), &heading);
    let lines = limit_lines(sensor);
    let (low, high) = range(&sensor.trend, &lines);
    let shown = |v: f64| (low..=high).contains(&v);
    let mut caption = limits(&sensor.limits);
    if lines.iter().any(|(_, v, _)| !shown(*v)) {
        caption.push_str(" (not all within the drawn range)");
    }
    if let Some(m) = &sensor.measured {
        caption = format!(
            "{caption}; {} in warning, {} in critical",
            duration(m.warning_s),
            duration(m.critical_s)
        );
    }
    let caption = sheet.fitted(&caption, plain(7.5, FAINT), INNER);
    sheet.text(MARGIN, y + 11.0, plain(7.5, FAINT), &caption);
    let frame = Frame { top: y + 18.0, low, high, period };
    axes(sheet, &frame, zone);
    for run in runs(&sensor.trend) {
        let upper = run.iter().map(|p| (frame.x(p.at), frame.y(p.max)));
        let lower = run.iter().rev().map(|p| (frame.x(p.at), frame.y(p.min)));
        let outline: Vec<_> = upper.chain(lower).collect();
        sheet.area(&outline, BAND);
    }
    for (label, limit, color) in lines.iter().filter(|(_, v, _)| shown(*v)) {
        let y = frame.y(*limit);
        sheet.line((MARGIN + LEFT, y), (MARGIN + INNER - RIGHT, y), 0.7, *color, &[4.0, 2.5]);
        sheet.text(MARGIN + INNER - RIGHT + 4.0, y + 2.4, plain(6.8, *color), label);
    }
    for run in runs(&sensor.trend) {
        let mean: Vec<_> = run.iter().map(|p| (frame.x(p.at), frame.y(p.mean))).collect();
        if let [(x, y)] = mean[..] {
            sheet.fill((x - 0.7, y - 0.7), 1.4, 1.4, ACCENT);
        } else {
            sheet.path(&mean, 0.9, ACCENT, &[]);
        }
    }
    sheet.y = frame.top + HEIGHT + 22.0;
}

fn limit_lines(sensor: &SensorRow) -> Vec<(&'static str, f64, Color)> {
    let l = &sensor.limits;
    [
        ("warning", l.warning_high, WARNING),
        ("critical", l.critical_high, CRITICAL),
        ("warning", l.warning_low, WARNING),
        ("critical", l.critical_low, CRITICAL),
    ]
    .into_iter()
    .filter_map(|(label, limit, color)| Some((label, limit?, color)))
    .collect()
}

/// Lowest and highest drawn value: of the readings, and of limits that are not far from them.
fn range(trend: &[TrendPoint], lines: &[(&str, f64, Color)]) -> (f64, f64) {
    let low = trend.iter().map(|p| p.min).fold(f64::INFINITY, f64::min).max(-1e300);
    let high = trend.iter().map(|p| p.max).fold(f64::NEG_INFINITY, f64::max).min(1e300);
    if low > high {
        return (0.0, 1.0);
    }
    let near = 1.5 * (high - low).max(0.1 * low.abs().max(high.abs()));
    let drawn = lines.iter().map(|l| l.1).filter(|v| *v >= low - near && *v <= high + near);
    let (low, high) = drawn.fold((low, high), |(l, h), v| (l.min(v), h.max(v)));
    let margin = if high > low { 0.06 * (high - low) } else { low.abs().max(1.0) * 0.1 };
    (low - margin, high + margin)
}

/// The points in runs without a gap.
fn runs(trend: &[TrendPoint]) -> Vec<&[TrendPoint]> {
    let step = trend.windows(2).map(|w| w[1].at.0 - w[0].at.0).min().unwrap_or(i64::MAX);
    trend.chunk_by(|a, b| b.at.0 - a.at.0 <= step.saturating_mul(4)).collect()
}

fn axes(sheet: &mut Sheet, frame: &Frame, zone: Zone) {
    let (left, right, bottom) = (MARGIN + LEFT, MARGIN + INNER - RIGHT, frame.top + HEIGHT);
    let label = plain(6.8, FAINT);
    for tick in ticks(frame.low, frame.high, 4.0) {
        let y = frame.y(tick);
        sheet.line((left, y), (right, y), 0.4, RULE, &[]);
        sheet.text_to(left - 5.0, y + 2.4, label, &value(tick));
    }
    sheet.line((left, bottom), (right, bottom), 0.7, FAINT, &[]);
    time_axis(sheet, frame.period, zone, (left, right), bottom);
}

/// Round values, about `wanted` of them.
fn ticks(low: f64, high: f64, wanted: f64) -> Vec<f64> {
    let rough = (high - low) / wanted;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|s| *s >= rough).unwrap_or(rough);
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    let first = (low / step).ceil();
    (0..12)
        .map(|i| (first + f64::from(i)) * step)
        .take_while(|v| *v <= high)
        .map(|v| if v.abs() < step / 1e6 { 0.0 } else { v })
        .collect()
}

/// Labels of times under a line from `left` to `right`, and short strokes.
pub(super) fn time_axis(sheet: &mut Sheet, period: Span, zone: Zone, (left, right): (f32, f32), y: f32) {
    const STEPS_S: [i64; 16] = [
        60, 300, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 604_800, 1_209_600,
        2_592_000, 5_184_000,
    ];
    let length = period.seconds();
    let step =
        STEPS_S.into_iter().find(|s| length / *s as f64 <= 8.0).unwrap_or((length / 8.0) as i64).max(1);
    let offset = zone.0 * 60;
    let second = |t: Timestamp| t.0.div_euclid(Timestamp::SECOND);
    let mut at = (second(period.from) + offset).div_euclid(step) * step + step - offset;
    let style = plain(6.8, FAINT);
    while at <= second(period.to) {
        let time = Timestamp(at * Timestamp::SECOND);
        let x = left + (time.seconds_since(period.from) / length.max(1e-6)) as f32 * (right - left);
        sheet.line((x, y), (x, y + 3.0), 0.5, FAINT, &[]);
        let label = match step {
            2_592_000.. => zone.date(time),
            86_400.. => zone.day(time),
            _ => zone.short(time),
        };
        let width = sheet.width(&label, style);
        sheet.text((x - width / 2.0).min(right + 40.0 - width), y + 10.5, style, &label);
        at += step;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(ticks(0.0, 10.0, 4.0), [0.0, 5.0, 10.0]);
        assert_eq!(ticks(-1.0, 1.0, 4.0), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert_eq!(ticks(93.0, 97.1, 4.0), [94.0, 96.0]);
        assert!(ticks(1.0, 1.0, 4.0).is_empty());
        assert!(ticks(f64::NEG_INFINITY, 1.0, 4.0).is_empty());
    }

    #[test]
    fn far_limits_do_not_flatten_the_curve() {
        let point = |v: f64| TrendPoint { at: Timestamp(0), min: v - 1.0, mean: v, max: v + 1.0 };
        let trend = [point(100.0), point(104.0)];
        let near = range(&trend, &[("", 110.0, INK)]);
        assert!(near.1 > 110.0, "{near:?}");
        let far = range(&trend, &[("", 1000.0, INK)]);
        assert!(far.1 < 110.0, "{far:?}");
        assert_eq!(range(&[], &[]), (0.0, 1.0));
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let at = |s: i64| TrendPoint { at: Timestamp(s), min: 0.0, mean: 0.0, max: 0.0 };
        let points = [at(0), at(10), at(20), at(100), at(110)];
        let lengths: Vec<_> = runs(&points).iter().map(|r| r.len()).collect();
        assert_eq!(lengths, [3, 2]);
    }
}
