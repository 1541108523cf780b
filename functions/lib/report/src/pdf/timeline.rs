//! The alarms of the period as bars, a row for each machine.

use super::{
    chart::time_axis,
    sheet::{ACCENT, CRITICAL, FAINT, INK, INNER, MARGIN, RULE, SHADE, Sheet, WARNING, bold, plain},
};
use crate::format::Zone;
use pm_api::Severity;
use pm_domain::{reliability::Span, report_content::AlarmRow};

const ROW: f32 = 15.0;
const LABEL: f32 = 92.0;
const RIGHT: f32 = 8.0;
/// Machines that are drawn.
const MAX_TIMELINE_ROWS: usize = 25;

/// Draws the alarms, those of higher severity on top.
pub(super) fn timeline(sheet: &mut Sheet, alarms: &[AlarmRow], period: Span, zone: Zone) {
    let mut machines: Vec<_> = alarms.iter().map(|a| (a.machine_id, a.machine.as_str())).collect();
    machines.sort_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(&b.0)));
    machines.dedup();
    let left_out = machines.len().saturating_sub(MAX_TIMELINE_ROWS);
    machines.truncate(MAX_TIMELINE_ROWS);
    let height = machines.len() as f32 * ROW;
    sheet.reserve(height + 44.0);
    let (left, right, top) = (MARGIN + LABEL, MARGIN + INNER - RIGHT, sheet.y + 6.0);
    for (row, (machine, name)) in machines.iter().enumerate() {
        let y = top + row as f32 * ROW;
        sheet.fill((left, y + 2.0), right - left, ROW - 4.0, SHADE);
        let name = sheet.fitted(name, plain(7.6, INK), LABEL - 8.0);
        sheet.text(MARGIN, y + 10.2, plain(7.6, INK), &name);
        let mut bars: Vec<_> = alarms.iter().filter(|a| a.machine_id == *machine).collect();
        bars.sort_by_key(|a| a.severity);
        for alarm in bars {
            let whole = Span { from: alarm.triggered_at, to: alarm.ended_at.unwrap_or(period.to) };
            let from = whole.from.max(period.from).min(period.to);
            let x = |share: f64| left + share.clamp(0.0, 1.0) as f32 * (right - left);
            let begin = x(from.seconds_since(period.from) / period.seconds().max(1e-6));
            let end = x(whole.to.seconds_since(period.from) / period.seconds().max(1e-6));
            let color = match alarm.severity {
                Severity::Critical => CRITICAL,
                Severity::Warning => WARNING,
                Severity::Info => ACCENT,
            };
            let width = (end - begin).max(1.3);
            sheet.fill((begin.min(right - 1.3), y + 3.0), width, ROW - 6.0, color);
        }
    }
    let bottom = top + height;
    sheet.line((left, bottom), (right, bottom), 0.6, RULE, &[]);
    time_axis(sheet, period, zone, (left, right), bottom);
    sheet.y = bottom + 24.0;
    let mut x = left;
    for (word, color) in [("info", ACCENT), ("warning", WARNING), ("critical", CRITICAL)] {
        let y = sheet.y;
        sheet.fill((x, y - 6.0), 10.0, 6.0, color);
        sheet.text(x + 14.0, y, plain(7.2, FAINT), word);
        x += 62.0;
    }
    if left_out > 0 {
        let y = sheet.y;
        sheet.text(
            x + 10.0,
            y,
            bold(7.2, FAINT),
            &format!("{left_out} more machines with alarms are not drawn"),
        );
    }
    sheet.y += 10.0;
}
