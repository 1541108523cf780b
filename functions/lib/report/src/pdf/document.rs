//! The document from its title to its last table.

use super::{
    chart::chart,
    sheet::{ACCENT, Color, FAINT, INK, INNER, MARGIN, RULE, SHADE, Sheet, WIDTH, bold, plain},
    table::{Cell, left, right, table},
    timeline::timeline,
};
use crate::{
    RenderError,
    format::{Zone, count, duration, limits, maybe_duration, percent, value},
};
use pm_api::{Severity, TicketStatus};
use pm_domain::report_content::{Content, Excerpt};

/// Rows of each table; the workbook has all.
const MAX_TABLE_ROWS: usize = 300;

/// Renders a report as a PDF document.
///
/// # Errors
/// An embedded font cannot be used.
pub fn pdf(content: &Content) -> Result<Vec<u8>, RenderError> {
    let mut sheet = Sheet::new()?;
    let zone = Zone(content.cover.utc_offset_minutes);
    title(&mut sheet, content, zone);
    let empty = content.reading_count() == 0
        && content.alarms.total == 0
        && content.predictions.total == 0
        && content.tickets.total == 0;
    if empty {
        notice(
            &mut sheet,
            "No readings, alarms, predictions or tickets were stored for this period and selection.",
        );
    }
    if !content.machines.rows.is_empty() {
        machines(&mut sheet, content);
    }
    if !empty {
        sensors(&mut sheet, content, zone);
        alarms(&mut sheet, content, zone);
        predictions(&mut sheet, content);
        tickets(&mut sheet, content, zone);
    }
    method(&mut sheet, content);
    let cover = &content.cover;
    let running = format!("{} · {}", cover.title, period(content, zone));
    sheet.finish(&cover.title, &cover.generated_by, &running, cover.generated_at)
}

fn period(content: &Content, zone: Zone) -> String {
    let period = content.cover.period;
    format!("{} to {} ({})", zone.minute(period.from), zone.minute(period.to), zone.name())
}

fn title(sheet: &mut Sheet, content: &Content, zone: Zone) {
    let cover = &content.cover;
    sheet.fill((0.0, 0.0), WIDTH, 5.0, ACCENT);
    sheet.text(MARGIN, 50.0, bold(8.5, ACCENT), "PREDICTIVE MAINTENANCE REPORT");
    let style = bold(21.0, INK);
    sheet.y = 55.0;
    for line in sheet.wrapped(&cover.title, style, INNER, 3) {
        sheet.y += 24.0;
        let y = sheet.y;
        sheet.text(MARGIN, y, style, &line);
    }
    sheet.y += 14.0;
    let facts = [
        ("Period", period(content, zone)),
        ("Selection", cover.scope.clone()),
        (
            "Generated",
            format!("{} ({}) by {}", zone.minute(cover.generated_at), zone.name(), cover.generated_by),
        ),
    ];
    for (name, fact) in facts {
        for (i, line) in sheet.wrapped(&fact, plain(9.0, INK), INNER - 70.0, 2).iter().enumerate() {
            sheet.y += 13.0;
            let y = sheet.y;
            if i == 0 {
                sheet.text(MARGIN, y, plain(9.0, FAINT), name);
            }
            sheet.text(MARGIN + 70.0, y, plain(9.0, INK), line);
        }
    }
    sheet.y += 16.0;
    tiles(sheet, content);
}

/// The key figures in one row.
fn tiles(sheet: &mut Sheet, content: &Content) {
    let period = content.cover.period;
    let (mut up, mut down) = (0.0, 0.0);
    for machine in &content.machines.rows {
        let r = machine.reliability(period);
        up += r.up_s;
        down += r.down_s;
    }
    let available = (up + down > 0.0).then(|| up / (up + down));
    let critical = content.alarms.rows.iter().filter(|a| a.severity == Severity::Critical).count();
    let judged: i64 = content.predictions.rows.iter().map(|p| p.classes[..3].iter().sum::<i64>()).sum();
    let odd: i64 = content.predictions.rows.iter().map(|p| p.classes[1] + p.classes[2]).sum();
    let open = content
        .tickets
        .rows
        .iter()
        .filter(|t| {
            !matches!(t.status, TicketStatus::Resolved | TicketStatus::Closed | TicketStatus::Cancelled)
        })
        .count();
    let (reading_count, sensor_count) = (content.reading_count(), content.sensors.total);
    let tiles = [
        ("Availability", percent(available), format!("{} machines", count(content.machines.total))),
        ("Readings", count(reading_count), format!("{} sensors", count(sensor_count))),
        ("Alarms", count(content.alarms.total), format!("{critical} critical")),
        (
            "Anomalies",
            percent((judged > 0).then(|| odd as f64 / judged as f64)),
            format!("{} of {}", count(odd), count(judged)),
        ),
        ("Tickets", count(content.tickets.total), format!("{open} open")),
    ];
    let gap = 8.0;
    let width = (INNER - gap * (tiles.len() - 1) as f32) / tiles.len() as f32;
    let (mut x, y) = (MARGIN, sheet.y);
    for (name, figure, note) in tiles {
        sheet.fill((x, y), width, 56.0, SHADE);
        sheet.fill((x, y), width, 1.6, ACCENT);
        let name = sheet.fitted(name, plain(7.4, FAINT), width - 14.0);
        sheet.text(x + 8.0, y + 15.0, plain(7.4, FAINT), &name);
        let size =
            [16.0, 13.0, 10.5].into_iter().find(|s| sheet.width(&figure, bold(*s, INK)) <= width - 14.0);
        sheet.text(x + 8.0, y + 34.0, bold(size.unwrap_or(9.0), INK), &figure);
        let note = sheet.fitted(&note, plain(7.4, FAINT), width - 14.0);
        sheet.text(x + 8.0, y + 47.0, plain(7.4, FAINT), &note);
        x += width + gap;
    }
    sheet.y = y + 56.0 + 6.0;
}

fn heading(sheet: &mut Sheet, text: &str) {
    if sheet.room() < 110.0 {
        sheet.reserve(f32::INFINITY);
    } else {
        sheet.y += 20.0;
    }
    sheet.mark(text);
    sheet.y += 8.0;
    let y = sheet.y;
    sheet.text(MARGIN, y, bold(13.0, INK), text);
    sheet.y += 9.0;
}

fn paragraph(sheet: &mut Sheet, text: &str, color: Color) {
    for line in sheet.wrapped(text, plain(8.6, color), INNER, 12) {
        sheet.reserve(13.0);
        sheet.y += 12.0;
        let y = sheet.y;
        sheet.text(MARGIN, y, plain(8.6, color), &line);
    }
    sheet.y += 7.0;
}

fn notice(sheet: &mut Sheet, text: &str) {
    sheet.y += 14.0;
    let y = sheet.y;
    sheet.fill((MARGIN, y), INNER, 34.0, SHADE);
    sheet.fill((MARGIN, y), 2.5, 34.0, ACCENT);
    sheet.text(MARGIN + 14.0, y + 21.0, bold(9.5, INK), text);
    sheet.y += 38.0;
}

/// Notes how many rows a table leaves out.
fn left_out<T>(sheet: &mut Sheet, excerpt: &Excerpt<T>, what: &str) {
    let shown = excerpt.rows.len().min(MAX_TABLE_ROWS) as i64;
    if excerpt.total > shown {
        let text = format!(
            "{} of {} {what} are listed; an XLSX report of the same period lists more.",
            count(shown),
            count(excerpt.total)
        );
        paragraph(sheet, &text, FAINT);
    }
}

fn machines(sheet: &mut Sheet, content: &Content) {
    heading(sheet, "Machine performance");
    let columns = [
        left("Machine", 24.0),
        left("Criticality", 11.0),
        right("Availability", 11.0),
        right("Observed", 10.0),
        right("Up time", 12.0),
        right("Down time", 12.0),
        right("Failures", 8.0),
        right("MTBF", 12.0),
        right("MTTR", 12.0),
    ];
    let period = content.cover.period;
    let rows = content.machines.rows.iter().take(MAX_TABLE_ROWS).map(|m| {
        let r = m.reliability(period);
        let place = m.location.as_deref().map(|l| format!(" ({l})")).unwrap_or_default();
        let observed = 1.0 - r.unknown_s / period.seconds().max(1e-6);
        vec![
            Cell::from(format!("{}{place}", m.name)),
            m.criticality.as_str().into(),
            Cell::graded(percent(r.availability()), r.availability().is_some_and(|a| a < 0.9), false),
            percent(Some(observed)).into(),
            duration(r.up_s).into(),
            Cell::graded(duration(r.down_s), r.down_s > 0.0, false),
            count(i64::from(r.failures)).into(),
            maybe_duration(r.mtbf_s()).into(),
            maybe_duration(r.mttr_s()).into(),
        ]
    });
    table(sheet, &columns, rows, 3);
    left_out(sheet, &content.machines, "machines");
}

fn sensors(sheet: &mut Sheet, content: &Content, zone: Zone) {
    heading(sheet, "Sensors");
    let columns = [
        left("Machine", 17.0),
        left("Sensor", 19.0),
        left("Unit", 7.0),
        right("Readings", 12.5),
        right("Min", 9.0),
        right("Mean", 9.0),
        right("Max", 9.0),
        right("Std. dev.", 9.0),
        right("Time in warning", 11.0),
        right("Time in critical", 11.0),
        left("Limits", 22.0),
    ];
    let rows = content.sensors.rows.iter().take(MAX_TABLE_ROWS).map(|s| {
        let mut row: Vec<Cell> =
            vec![s.machine.as_str().into(), s.name.as_str().into(), s.unit.as_deref().unwrap_or("").into()];
        match &s.measured {
            Some(m) => row.extend([
                count(m.count).into(),
                value(m.min).into(),
                value(m.mean).into(),
                value(m.max).into(),
                value(m.std).into(),
                Cell::graded(duration(m.warning_s), false, m.warning_s > 0.0),
                Cell::graded(duration(m.critical_s), m.critical_s > 0.0, false),
            ]),
            None => row.extend(["0", "–", "–", "–", "–", "–", "–"].map(Cell::faint)),
        }
        row.push(Cell::faint(limits(&s.limits)));
        row
    });
    table(sheet, &columns, rows, 3);
    left_out(sheet, &content.sensors, "sensors");
    let mut worst: Vec<_> = content.sensors.rows.iter().filter(|s| !s.trend.is_empty()).collect();
    if worst.is_empty() {
        return;
    }
    let gravity = |s: &pm_domain::report_content::SensorRow| {
        s.measured.map_or((0.0, 0.0), |m| (m.critical_s, m.warning_s))
    };
    worst.sort_by(|a, b| gravity(b).partial_cmp(&gravity(a)).unwrap_or(std::cmp::Ordering::Equal));
    heading(sheet, "Trends of the sensors in the worst state");
    paragraph(
        sheet,
        "Line: mean; band: minimum to maximum of each interval; dashed: limits in force now.",
        FAINT,
    );
    for sensor in worst {
        chart(sheet, sensor, content.cover.period, zone);
    }
}

fn alarms(sheet: &mut Sheet, content: &Content, zone: Zone) {
    heading(sheet, "Alarms");
    if content.alarms.rows.is_empty() {
        return paragraph(sheet, "No alarm was raised in the period or reached into it.", INK);
    }
    timeline(sheet, &content.alarms.rows, content.cover.period, zone);
    let columns = [
        left("Raised", 12.0),
        left("Severity", 9.0),
        left("Machine, sensor", 18.0),
        left("Message", 23.0),
        left("Ended", 12.0),
        left("Acknowledged", 16.0),
        left("Resolved", 16.0),
        left("Notes", 18.0),
    ];
    let by = |at: Option<_>, who: &Option<String>| match (at, who) {
        (Some(at), Some(who)) => format!("{} {who}", zone.minute(at)),
        (Some(at), None) => zone.minute(at),
        _ => "–".to_owned(),
    };
    let rows = content.alarms.rows.iter().take(MAX_TABLE_ROWS).map(|a| {
        let source = a.sensor.as_deref().map_or_else(|| a.machine.clone(), |s| format!("{}, {s}", a.machine));
        let times =
            if a.occurrences > 1 { format!(" ({} times)", count(a.occurrences)) } else { String::new() };
        vec![
            Cell::from(zone.minute(a.triggered_at)),
            Cell::graded(
                a.severity.as_str(),
                a.severity == Severity::Critical,
                a.severity == Severity::Warning,
            ),
            source.into(),
            format!("{}{times}", a.message).into(),
            a.ended_at.map_or_else(|| "active".to_owned(), |t| zone.minute(t)).into(),
            by(a.acknowledged_at, &a.acknowledged_by).into(),
            by(a.resolved_at, &a.resolved_by).into(),
            a.resolution_notes.as_deref().unwrap_or("").into(),
        ]
    });
    table(sheet, &columns, rows, 4);
    left_out(sheet, &content.alarms, "alarms");
}

fn predictions(sheet: &mut Sheet, content: &Content) {
    heading(sheet, "Predictions");
    let all = &content.predictions.rows;
    if all.is_empty() {
        return paragraph(sheet, "No prediction was made in the period.", INK);
    }
    let sum = |class: usize| all.iter().map(|p| p.classes.get(class).copied().unwrap_or(0)).sum::<i64>();
    let (normal, warning, critical, buffering) = (sum(0), sum(1), sum(2), sum(3));
    let judged = normal + warning + critical;
    let share = |n: i64| percent((judged > 0).then(|| n as f64 / judged as f64));
    let weighted: f64 =
        all.iter().filter_map(|p| Some(p.mean_score? * p.classes[..3].iter().sum::<i64>() as f64)).sum();
    let mean = if judged > 0 { value(weighted / judged as f64) } else { "–".to_owned() };
    let text = format!(
        "{} judgements: {} normal ({}), {} warning ({}), {} critical ({}); mean anomaly score {mean} (0 normal to 1). {} more \
         while there were too few readings to judge. The sensors with the most critical judgements come first.",
        count(judged),
        count(normal),
        share(normal),
        count(warning),
        share(warning),
        count(critical),
        share(critical),
        count(buffering),
    );
    paragraph(sheet, &text, INK);
    let columns = [
        left("Machine", 18.0),
        left("Sensor", 19.0),
        right("Normal", 10.0),
        right("Warning", 10.0),
        right("Critical", 10.0),
        right("Mean score", 10.0),
        right("Max score", 10.0),
        right("Health", 9.0),
        right("Remaining life", 13.0),
        left("Model", 13.0),
    ];
    let rows = all.iter().take(MAX_TABLE_ROWS).map(|p| {
        let [normal, warning, critical, _] = p.classes;
        let score = |s: Option<f64>| s.map_or_else(|| "–".to_owned(), |s| format!("{s:.3}"));
        vec![
            Cell::from(p.machine.as_str()),
            p.sensor.as_str().into(),
            count(normal).into(),
            Cell::graded(count(warning), false, warning > 0),
            Cell::graded(count(critical), critical > 0, false),
            score(p.mean_score).into(),
            score(p.max_score).into(),
            p.health_percent.map_or_else(|| "–".to_owned(), |h| format!("{h:.0} %")).into(),
            p.remaining_hours.map_or_else(|| "–".to_owned(), |h| duration(h * 3600.0)).into(),
            Cell::faint(p.model_version.as_deref().unwrap_or("–")),
        ]
    });
    table(sheet, &columns, rows, 3);
    left_out(sheet, &content.predictions, "sensors");
}

fn tickets(sheet: &mut Sheet, content: &Content, zone: Zone) {
    heading(sheet, "Tickets");
    if content.tickets.rows.is_empty() {
        return paragraph(sheet, "No ticket was opened in the period or open at its start.", INK);
    }
    let columns = [
        left("Opened", 13.0),
        left("Priority", 9.0),
        left("Status", 10.0),
        left("Machine", 16.0),
        left("Title", 26.0),
        left("Assignee", 19.0),
        left("Due", 13.0),
        left("Notes", 18.0),
    ];
    let rows = content.tickets.rows.iter().take(MAX_TABLE_ROWS).map(|t| {
        let status = t.status.as_str().replace('_', " ");
        vec![
            Cell::from(zone.minute(t.created_at)),
            Cell::graded(
                t.priority.as_str(),
                t.priority == pm_api::Priority::Critical,
                t.priority == pm_api::Priority::High,
            ),
            status.into(),
            t.machine.as_str().into(),
            t.title.as_str().into(),
            t.assignee.as_deref().unwrap_or("–").into(),
            t.due_at.map_or_else(|| "–".to_owned(), |d| zone.minute(d)).into(),
            t.resolution_notes.as_deref().unwrap_or("").into(),
        ]
    });
    table(sheet, &columns, rows, 4);
    left_out(sheet, &content.tickets, "tickets");
}

fn method(sheet: &mut Sheet, content: &Content) {
    heading(sheet, "How the figures are made");
    let silence = duration(3.0 * content.cover.interval_s as f64);
    let observed = format!(
        "Observed: time in which the machine sent readings; silence of more than {silence} is unobserved. Up time: observed \
         and not in failure. Time that is neither observed nor in failure counts for nothing."
    );
    for text in [
        "Failure: a critical alarm that a reading or a person raised, from the time it became critical until its condition \
         ended or it was resolved; overlapping ones count as one. Forecasts of the models are no failures.",
        &observed,
        "Availability = up time / (up time + down time); MTBF = up time / failures; MTTR (mean time to restoration) = down \
         time / failures; terms as in EN 15341 and ISO 14224. A failure that lasts counts up to the end of the period; one \
         from before it counts as down time but not as a failure.",
        "Time in warning and critical: in each interval of observation the share of the readings that were in that state. \
         Standard deviation: of the sample.",
    ] {
        paragraph(sheet, text, FAINT);
    }
    let y = sheet.y + 2.0;
    sheet.line((MARGIN, y), (MARGIN + INNER, y), 0.5, RULE, &[]);
    sheet.y += 8.0;
}
