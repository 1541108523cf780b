//! From values to pixels, and round numbers for axes.

/// A linear map from `domain` to `range`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Smallest and largest value.
    pub domain: (f64, f64),
    /// Where they lie, pixels.
    pub range: (f64, f64),
}

impl Scale {
    /// Pixel of `value`. The middle of the range when the domain is empty.
    #[must_use]
    pub fn px(&self, value: f64) -> f64 {
        let span = self.domain.1 - self.domain.0;
        let share = if span == 0.0 { 0.5 } else { (value - self.domain.0) / span };
        self.range.0 + share * (self.range.1 - self.range.0)
    }

    /// Value at `px`.
    #[must_use]
    pub fn value(&self, px: f64) -> f64 {
        let span = self.range.1 - self.range.0;
        let share = if span == 0.0 { 0.5 } else { (px - self.range.0) / span };
        self.domain.0 + share * (self.domain.1 - self.domain.0)
    }
}

/// Round values inside `lo..=hi`, about `wanted` of them, with steps of 1, 2 or 5 times a power of ten.
#[must_use]
pub fn ticks(lo: f64, hi: f64, wanted: usize) -> Vec<f64> {
    let span = hi - lo;
    if !span.is_finite() || span <= 0.0 || wanted == 0 {
        return Vec::new();
    }
    let rough = span / wanted as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.7).unwrap_or(power);
    let first = (lo / step - 1e-9).ceil() as i64;
    let last = (hi / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// `values` and the `keep` limits that lie near them, with a margin, as a domain. A limit farther away than the
/// values' own spread would flatten the curve; it is left out.
#[must_use]
pub fn domain(values: (f64, f64), keep: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (mut lo, mut hi) = values;
    if !lo.is_finite() || !hi.is_finite() {
        return (0.0, 1.0);
    }
    let spread = (hi - lo).max(hi.abs().max(lo.abs()) * 0.08);
    let (floor, ceiling) = (lo - spread * 1.2, hi + spread * 1.2);
    for limit in keep {
        if limit >= floor && limit <= ceiling {
            lo = lo.min(limit);
            hi = hi.max(limit);
        }
    }
    let margin = ((hi - lo) * 0.08).max(if hi == lo { hi.abs().max(1.0) * 0.05 } else { 0.0 });
    (lo - margin, hi + margin)
}

/// A mark on a time axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTick {
    /// Milliseconds since 1970.
    pub at_ms: i64,
    /// `14:05`, `14:05:30` or `23 Nov`.
    pub label: String,
}

const STEPS_S: &[i64] = &[
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172_800,
    604_800,
];

/// Marks at full local seconds, minutes, hours or days; `offset_min` is local time minus UTC in minutes.
#[must_use]
pub fn time_ticks(lo_ms: f64, hi_ms: f64, wanted: usize, offset_min: i64) -> Vec<TimeTick> {
    let span_s = (hi_ms - lo_ms) / 1000.0;
    if !span_s.is_finite() || span_s <= 0.0 || wanted == 0 {
        return Vec::new();
    }
    let rough = span_s / wanted as f64;
    let step = STEPS_S.iter().copied().find(|s| *s as f64 >= rough).unwrap_or(2_592_000) * 1000;
    let offset = offset_min * 60_000;
    let mut local = (lo_ms as i64 + offset).div_euclid(step) * step;
    let mut marks = Vec::new();
    while local - offset <= hi_ms as i64 {
        if local - offset >= lo_ms as i64 {
            marks.push(TimeTick { at_ms: local - offset, label: label(local, step) });
        }
        local += step;
    }
    marks
}

fn label(local_ms: i64, step_ms: i64) -> String {
    let second = local_ms.div_euclid(1000).rem_euclid(86_400);
    let (h, m, s) = (second / 3600, second % 3600 / 60, second % 60);
    if step_ms >= 86_400_000 || (step_ms >= 3_600_000 && second == 0) {
        let (_, month, day) = civil(local_ms.div_euclid(86_400_000));
        return format!("{day} {}", MONTHS[month as usize - 1]);
    }
    if step_ms < 60_000 { format!("{h:02}:{m:02}:{s:02}") } else { format!("{h:02}:{m:02}") }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Year, month and day of a day number since 1970 (Howard Hinnant, `civil_from_days`).
fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(month <= 2), month, doy - (153 * mp + 2) / 5 + 1)
}

/// A time for people in local time: `14:05:30` on the same day as `now_ms`, `23 Nov 14:05` else.
#[must_use]
pub fn clock(at_ms: f64, now_ms: f64, offset_min: i64) -> String {
    let local = |ms: f64| ms as i64 + offset_min * 60_000;
    let (at, now) = (local(at_ms), local(now_ms));
    let second = at.div_euclid(1000).rem_euclid(86_400);
    let (h, m, s) = (second / 3600, second % 3600 / 60, second % 60);
    if at.div_euclid(86_400_000) == now.div_euclid(86_400_000) {
        return format!("{h:02}:{m:02}:{s:02}");
    }
    let (_, month, day) = civil(at.div_euclid(86_400_000));
    format!("{day} {} {h:02}:{m:02}", MONTHS[month as usize - 1])
}

/// A time to the second with its zone: `2026-11-23 14:05:30 UTC+1`.
#[must_use]
pub fn exact(at_ms: f64, offset_min: i64) -> String {
    let local = at_ms as i64 + offset_min * 60_000;
    let second = local.div_euclid(1000).rem_euclid(86_400);
    let (year, month, day) = civil(local.div_euclid(86_400_000));
    let (h, m, s) = (second / 3600, second % 3600 / 60, second % 60);
    format!("{year}-{month:02}-{day:02} {h:02}:{m:02}:{s:02} {}", zone(offset_min))
}

/// `UTC`, `UTC+1`, `UTC+5:30`.
#[must_use]
pub fn zone(offset_min: i64) -> String {
    let sign = if offset_min < 0 { '−' } else { '+' };
    match (offset_min.abs() / 60, offset_min.abs() % 60) {
        (0, 0) => "UTC".to_owned(),
        (h, 0) => format!("UTC{sign}{h}"),
        (h, m) => format!("UTC{sign}{h}:{m:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_inverts_px() {
        let scale = Scale { domain: (10.0, 30.0), range: (100.0, 0.0) };
        assert_eq!(scale.px(20.0), 50.0);
        assert_eq!(scale.value(scale.px(13.7)), 13.7);
        assert_eq!(Scale { domain: (5.0, 5.0), range: (0.0, 8.0) }.px(5.0), 4.0);
    }

    #[test]
    fn ticks_are_round_and_inside_the_domain() {
        assert_eq!(ticks(0.0, 100.0, 5), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(ticks(3.2, 4.1, 3), [3.5, 4.0]);
        assert!(ticks(1.0, 1.0, 4).is_empty());
        assert!(ticks(f64::NAN, 1.0, 4).is_empty());
        for (lo, hi) in [(-3.3, 7.9), (1e-6, 3e-6), (1e9, 1.2e9)] {
            let marks = ticks(lo, hi, 5);
            assert!((2..=11).contains(&marks.len()), "{marks:?}");
            assert!(marks.iter().all(|t| *t >= lo - 1e-9 * hi && *t <= hi * (1.0 + 1e-9)), "{marks:?}");
        }
    }

    #[test]
    fn the_domain_includes_near_limits_and_omits_far_ones() {
        let (lo, hi) = domain((70.0, 80.0), [85.0, 500.0]);
        assert!(hi > 85.0 && hi < 100.0 && lo < 70.0);
        let (lo, hi) = domain((5.0, 5.0), []);
        assert!(lo < 5.0 && hi > 5.0);
        assert_eq!(domain((f64::INFINITY, f64::NEG_INFINITY), [1.0]), (0.0, 1.0));
    }

    #[test]
    fn time_ticks_are_at_full_local_times() {
        let at = 1_795_429_391_000.0; // 2026-11-23T10:23:11Z
        let marks = time_ticks(at, at + 3_600_000.0, 6, 90);
        assert_eq!(marks[0].label, "12:00");
        assert_eq!(marks.len(), 6);
        assert_eq!(time_ticks(at, at + 20_000.0, 4, 0)[0].label, "10:23:15");
        assert_eq!(time_ticks(at, at + 86_400_000.0 * 6.0, 6, 0)[0].label, "24 Nov");
    }

    #[test]
    fn times_are_written_in_local_time_with_their_zone() {
        let at = 1_795_429_391_000.0;
        assert_eq!(clock(at, at, 60), "11:23:11");
        assert_eq!(clock(at, at + 86_400_000.0, 0), "23 Nov 10:23");
        assert_eq!(exact(at, -210), "2026-11-23 06:53:11 UTC−3:30");
        assert_eq!(zone(0), "UTC");
    }
}
