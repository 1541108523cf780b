//! Reports: their names and bounds, and what a PDF or XLSX report holds.

use crate::duration::DAY_S;
use pm_api::{
    Role, Timestamp,
    report::{ReportFormat, ReportRequest},
};

/// Rows of a CSV report; of more, the newest are taken.
pub const CSV_ROWS: i64 = 1_000_000;
/// Period of a PDF or XLSX report when none is asked for, days.
const USUAL_DAYS: i64 = 30;

/// The format of a report that names none.
#[must_use]
pub fn format(request: &ReportRequest) -> ReportFormat {
    request.format.unwrap_or(ReportFormat::Csv)
}

/// First and last instant of the period that a report covers.
#[must_use]
pub fn period(request: &ReportRequest, now: Timestamp) -> (Timestamp, Timestamp) {
    let last = request.date_to.unwrap_or_else(|| request.date_from.unwrap_or(now).max(now));
    let first = request.date_from.unwrap_or_else(|| match format(request) {
        ReportFormat::Csv => Timestamp(0),
        ReportFormat::Pdf | ReportFormat::Xlsx => last.plus_seconds(-USUAL_DAYS * DAY_S),
    });
    (first, last)
}

/// Does this role read, and remove, the reports of all accounts?
#[must_use]
pub fn reads_all(role: Role) -> bool {
    role >= Role::Engineer
}

/// The name of a report: `report_YYYYMMDD_HHMMSS_<32 hexadecimal digits>.<ext>`. The digits are 128 random bits, so that
/// a name cannot be guessed from the time and two reports of one second differ.
#[must_use]
pub fn name(now: Timestamp, random: u128, format: ReportFormat) -> String {
    let text = now.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = digits.split_at(digits.len().min(8));
    format!("report_{day}_{time}_{random:032x}.{}", format.as_str())
}

/// Rows of the readings in an XLSX report; of more, the newest are taken.
pub const XLSX_ROWS: i64 = 50_000;
/// Points of a chart.
const POINTS: i64 = 240;

/// How finely a period is looked at: the interval of observation and the interval of a chart's point, seconds.
#[must_use]
pub fn resolution(period_s: f64) -> (i64, i64) {
    const DAY_S: f64 = 86_400.0;
    let interval_s = match period_s {
        s if s <= 62.0 * DAY_S => 300,
        s if s <= 732.0 * DAY_S => 3600,
        _ => 86_400,
    };
    let intervals = (period_s / interval_s as f64).ceil() as i64;
    (interval_s, interval_s * intervals.div_euclid(POINTS).saturating_add(1))
}

/// A file name that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileName {
    /// One that may exist.
    Plain,
    /// One that tries to leave the folder that there is not.
    Traversal,
}

/// Judges the decoded last segment of a path.
#[must_use]
pub fn classify_file_name(name: &str) -> FileName {
    let outside = name.contains("..") || name.contains(['/', '\\', '%', ':', '\0']) || name.starts_with('.');
    if outside { FileName::Traversal } else { FileName::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_that_is_not_named_ends_now() {
        let now = Timestamp(1_800_000_000 * Timestamp::SECOND);
        let (past, future) = (now.plus_seconds(-100), now.plus_seconds(100));
        for (request, expected) in [
            (ReportRequest::default(), (Timestamp(0), now)),
            (
                ReportRequest { format: Some(ReportFormat::Pdf), ..ReportRequest::default() },
                (now.plus_seconds(-30 * DAY_S), now),
            ),
            (ReportRequest { date_from: Some(past), ..ReportRequest::default() }, (past, now)),
            (ReportRequest { date_from: Some(future), ..ReportRequest::default() }, (future, future)),
            (ReportRequest { date_to: Some(past), ..ReportRequest::default() }, (Timestamp(0), past)),
        ] {
            assert_eq!(period(&request, now), expected, "{request:?}");
        }
    }

    #[test]
    fn resolutions() {
        let day = 86_400.0;
        for (period_s, expected) in [
            (0.0, (300, 300)),
            (3600.0, (300, 300)),
            (7.0 * day, (300, 2700)),
            (30.0 * day, (300, 11_100)),
            (365.0 * day, (3600, 3600 * 37)),
            (3650.0 * day, (86_400, 86_400 * 16)),
        ] {
            assert_eq!(resolution(period_s), expected, "{period_s}");
        }
    }

    #[test]
    fn report_names_hold_time_and_random_digits() {
        let now: Timestamp = "2026-11-23T10:23:12.593607Z".parse().unwrap_or_default();
        let csv = name(now, 0xab, ReportFormat::Csv);
        assert_eq!(csv, format!("report_20261123_102312_{}ab.csv", "0".repeat(30)));
        assert_eq!(classify_file_name(&csv), FileName::Plain);
        for bad in
            ["../../etc/passwd", "..", "a/b", "a\\b", ".hidden", "..%2f..%2fetc", "c:x", "x\0.csv", "a..b"]
        {
            assert_eq!(classify_file_name(bad), FileName::Traversal, "{bad}");
        }
        for missing in ["nothing.pdf", "report", "überblick.csv"] {
            assert_eq!(classify_file_name(missing), FileName::Plain, "{missing}");
        }
    }
}
