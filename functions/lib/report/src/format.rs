//! Numbers, times and durations as text.

use pm_api::{Timestamp, score::Limits};
use time::{OffsetDateTime, UtcOffset, macros::format_description};

/// A value with about four significant digits: `0.0123`, `4.57`, `93.5`, `1,234`, `1.2e9`.
pub(crate) fn value(v: f64) -> String {
    let size = v.abs();
    if !v.is_finite() {
        return "–".to_owned();
    }
    if size != 0.0 && !(1e-4..1e7).contains(&size) {
        return format!("{v:.2e}");
    }
    let decimals = match size {
        s if s >= 1000.0 => 0,
        s if s >= 100.0 => 1,
        s if s >= 1.0 || s == 0.0 => 2,
        s if s >= 0.1 => 3,
        _ => 4,
    };
    signed(&grouped(&format!("{v:.decimals$}")))
}

/// A whole number with separators: `1,234,567`.
pub(crate) fn count(n: i64) -> String {
    signed(&grouped(&n.to_string()))
}

/// A percentage: `99.2 %`; `–` if there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", s * 100.0))
}

/// With a real minus sign.
fn signed(text: &str) -> String {
    text.replace('-', "−")
}

fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(w, f)| (w, f));
    let mut out = String::from(sign);
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A duration in its two greatest units: `3 d 4 h`, `2 h 5 min`, `4 min`, `32 s`.
pub(crate) fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as i64;
    let two = |big: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 { format!("{big} {unit}") } else { format!("{big} {unit} {small} {small_unit}") }
    };
    match s {
        86_400.. => two(s / 86_400, "d", s % 86_400 / 3600, "h"),
        3600.. => two(s / 3600, "h", s % 3600 / 60, "min"),
        60.. => two(s / 60, "min", if s < 600 { s % 60 } else { 0 }, "s"),
        _ => format!("{s} s"),
    }
}

/// A duration; `–` if there is none.
pub(crate) fn maybe_duration(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".to_owned(), duration)
}

/// A zone of a fixed offset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Zone(pub(crate) i64);

impl Zone {
    pub(crate) fn local(self, at: Timestamp) -> OffsetDateTime {
        let seconds = i32::try_from(self.0 * 60).unwrap_or(0);
        let offset = UtcOffset::from_whole_seconds(seconds).unwrap_or(UtcOffset::UTC);
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1000)
            .ok()
            .and_then(|t| t.checked_to_offset(offset))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// `2026-11-23 10:23`.
    pub(crate) fn minute(self, at: Timestamp) -> String {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
        self.local(at).format(format).unwrap_or_default()
    }

    /// `11-23 10:23`.
    pub(crate) fn short(self, at: Timestamp) -> String {
        self.local(at).format(format_description!("[month]-[day] [hour]:[minute]")).unwrap_or_default()
    }

    /// `2026-11-23`.
    pub(crate) fn date(self, at: Timestamp) -> String {
        self.local(at).format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
    }

    /// `11-23`.
    pub(crate) fn day(self, at: Timestamp) -> String {
        self.local(at).format(format_description!("[month]-[day]")).unwrap_or_default()
    }

    /// `UTC`, `UTC+02:00`.
    pub(crate) fn name(self) -> String {
        if self.0 == 0 {
            return "UTC".to_owned();
        }
        let sign = if self.0 < 0 { '−' } else { '+' };
        format!("UTC{sign}{:02}:{:02}", self.0.abs() / 60, self.0.abs() % 60)
    }
}

/// Limits in a line: `warning ≥…` without signs that the font lacks: `warning from 150, critical from 180`.
pub(crate) fn limits(limits: &Limits) -> String {
    let parts = [
        ("warning from", limits.warning_high),
        ("critical from", limits.critical_high),
        ("warning down to", limits.warning_low),
        ("critical down to", limits.critical_low),
    ];
    let parts: Vec<_> =
        parts.iter().filter_map(|(word, limit)| limit.map(|l| format!("{word} {}", value(l)))).collect();
    if parts.is_empty() { "no limits".to_owned() } else { parts.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_counts_and_durations_are_short() {
        for (v, text) in [
            (0.0, "0.00"),
            (0.01234, "0.0123"),
            (0.5, "0.500"),
            (-4.567, "−4.57"),
            (93.55, "93.55"),
            (141.36, "141.4"),
            (12_345.6, "12,346"),
            (1.25e9, "1.25e9"),
            (f64::NAN, "–"),
        ] {
            assert_eq!(value(v), text, "{v}");
        }
        assert_eq!(
            (count(1_234_567), count(-12), count(999)),
            ("1,234,567".into(), "−12".into(), "999".into())
        );
        for (s, text) in [
            (0.4, "0 s"),
            (90.0, "1 min 30 s"),
            (754.0, "12 min"),
            (3600.0, "1 h"),
            (7500.0, "2 h 5 min"),
            (273_600.0, "3 d 4 h"),
        ] {
            assert_eq!(duration(s), text, "{s}");
        }
        assert_eq!((percent(Some(0.9916)), percent(None)), ("99.2 %".into(), "–".into()));
    }

    #[test]
    fn times_are_written_in_their_zone() {
        let at: Timestamp = "2026-11-23T22:30:00Z".parse().unwrap_or_default();
        assert_eq!(Zone(0).minute(at), "2026-11-23 22:30");
        assert_eq!(Zone(120).minute(at), "2026-11-24 00:30");
        assert_eq!(Zone(-210).short(at), "11-23 19:00");
        assert_eq!(
            (Zone(0).name(), Zone(330).name(), Zone(-210).name()),
            ("UTC".into(), "UTC+05:30".into(), "UTC−03:30".into())
        );
    }
}
