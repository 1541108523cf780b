//! The workbook: typed cells, frozen headers, one sheet per list, charts of the sensors in the worst state.
//!
//! Texts are text cells whatever they begin with, so that no name can be a formula. The texts of a chart stand in cells to
//! which the chart refers, because the library takes a text such as `Sheet!A1` for a reference. Times are numbers in the
//! report's zone, shown as dates.

use crate::{RenderError, format::Zone};
use pm_api::{Severity, Timestamp};
use pm_domain::report_content::{Content, Excerpt, SensorRow};
use rust_xlsxwriter::{
    Chart, ChartFormat, ChartLine, ChartType, Color, DocProperties, ExcelDateTime, Format, FormatAlign,
    FormatBorder, Workbook, Worksheet, XlsxError,
};
use std::collections::HashMap;

/// Characters that a cell holds.
const MAX_CELL_CHARS: usize = 32_767;
/// Characters of a chart's title or of a document property.
const MAX_CHART_TEXT_CHARS: usize = 255;
/// Where the charts of the sheet «Trends» begin.
const CHART_COLUMN: u16 = 7;
const ACCENT: Color = Color::RGB(0x0D_4A_75);

/// Renders a report as an XLSX workbook; without its charts if they cannot be written.
///
/// # Errors
/// The workbook cannot be written: an error of ours.
pub fn xlsx(content: &Content) -> Result<Vec<u8>, RenderError> {
    workbook(content, true).or_else(|_| workbook(content, false))
}

fn workbook(content: &Content, with_charts: bool) -> Result<Vec<u8>, RenderError> {
    let cover = &content.cover;
    let mut book = Workbook::new();
    let created = ExcelDateTime::from_timestamp(cover.generated_at.0.div_euclid(Timestamp::SECOND))?;
    book.set_properties(
        &DocProperties::new()
            .set_title(printable(&cover.title))
            .set_author(printable(&cover.generated_by))
            .set_comment("Predictive maintenance")
            .set_creation_datetime(&created),
    );
    let looks = Looks::new();
    let zone = Zone(cover.utc_offset_minutes);
    summary(book.add_worksheet(), content, &looks, zone)?;
    machines(book.add_worksheet(), content, &looks)?;
    sensors(book.add_worksheet(), content, &looks)?;
    alarms(book.add_worksheet(), content, &looks, zone)?;
    predictions(book.add_worksheet(), content, &looks)?;
    tickets(book.add_worksheet(), content, &looks, zone)?;
    trends(book.add_worksheet(), content, &looks, zone, with_charts)?;
    readings(book.add_worksheet(), content, &looks, zone)?;
    Ok(book.save_to_buffer()?)
}

/// The formats of cells, made once.
struct Looks {
    title: Format,
    label: Format,
    header: Format,
    text: Format,
    whole: Format,
    number: Format,
    percent: Format,
    hours: Format,
    time: Format,
    note: Format,
    warning: Format,
    critical: Format,
}

impl Looks {
    fn new() -> Self {
        let base = || Format::new().set_align(FormatAlign::Top);
        Self {
            title: Format::new().set_bold().set_font_size(16),
            label: base().set_font_color(Color::RGB(0x5F_68_72)),
            header: Format::new()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(ACCENT)
                .set_border_bottom(FormatBorder::Thin)
                .set_align(FormatAlign::VerticalCenter)
                .set_text_wrap(),
            text: base(),
            whole: base().set_num_format("#,##0"),
            number: base().set_num_format("0.000"),
            percent: base().set_num_format("0.0%"),
            hours: base().set_num_format("#,##0.00"),
            time: base().set_num_format("yyyy-mm-dd hh:mm:ss"),
            note: base().set_italic().set_font_color(Color::RGB(0x5F_68_72)),
            warning: base().set_bold().set_font_color(Color::RGB(0xB3_6B_00)),
            critical: base().set_bold().set_font_color(Color::RGB(0xC0_1C_21)),
        }
    }

    fn grade(&self, critical: bool, warning: bool) -> &Format {
        if critical {
            &self.critical
        } else if warning {
            &self.warning
        } else {
            &self.text
        }
    }
}

/// What stands in a cell.
enum Cell<'a> {
    Text(&'a str),
    Graded(&'a str, bool, bool),
    Whole(i64),
    Number(Option<f64>),
    Percent(Option<f64>),
    Hours(Option<f64>),
    Time(Option<Timestamp>),
}

/// Days since the last day of 1899, as spreadsheets count them, in a zone.
fn serial(at: Timestamp, zone: Zone) -> f64 {
    (at.0 + zone.0 * 60 * Timestamp::SECOND) as f64 / (86_400.0 * Timestamp::SECOND as f64) + 25_569.0
}

/// A sheet that is written row by row.
struct Rows<'s> {
    sheet: &'s mut Worksheet,
    looks: &'s Looks,
    zone: Zone,
    next: u32,
}

impl<'s> Rows<'s> {
    /// Names the sheet, writes and freezes its header.
    fn begin(
        sheet: &'s mut Worksheet,
        name: &str,
        looks: &'s Looks,
        zone: Zone,
        columns: &[(&str, f64)],
    ) -> Result<Self, XlsxError> {
        sheet.set_name(name)?;
        for ((title, width), column) in columns.iter().zip(0u16..) {
            sheet.write_string_with_format(0, column, *title, &looks.header)?;
            sheet.set_column_width(column, *width)?;
        }
        sheet.set_row_height(0, 30)?;
        sheet.set_freeze_panes(1, 0)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
        Ok(Self { sheet, looks, zone, next: 1 })
    }

    fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), XlsxError> {
        for (cell, column) in cells.iter().zip(0u16..) {
            self.cell(column, cell)?;
        }
        self.next += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: &Cell<'_>) -> Result<(), XlsxError> {
        let looks = self.looks;
        let (number, format) = match cell {
            Cell::Text(text) => return self.text(column, text, &looks.text),
            Cell::Graded(text, critical, warning) => {
                return self.text(column, text, looks.grade(*critical, *warning));
            }
            Cell::Whole(n) => (Some(*n as f64), &looks.whole),
            Cell::Number(n) => (*n, &looks.number),
            Cell::Percent(n) => (*n, &looks.percent),
            Cell::Hours(seconds) => (seconds.map(|s| s / 3600.0), &looks.hours),
            Cell::Time(at) => (at.map(|at| serial(at, self.zone)), &looks.time),
        };
        if let Some(number) = number.filter(|n| n.is_finite()) {
            self.sheet.write_number_with_format(self.next, column, number, format)?;
        }
        Ok(())
    }

    fn text(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        if text.is_empty() {
            return Ok(());
        }
        let cut: String;
        let text = if text.len() > MAX_CELL_CHARS {
            cut = text.chars().take(MAX_CELL_CHARS / 2).collect();
            &cut
        } else {
            text
        };
        self.sheet.write_string_with_format(self.next, column, text, format)?;
        Ok(())
    }

    /// Notes how many rows are left out, and adds filters to the header.
    fn end<T>(mut self, excerpt: &Excerpt<T>, columns: u16, nothing: &str) -> Result<(), XlsxError> {
        let looks = self.looks;
        if excerpt.rows.is_empty() {
            return self.text(0, nothing, &looks.note);
        }
        self.sheet.autofilter(0, 0, self.next - 1, columns - 1)?;
        let shown = excerpt.rows.len() as i64;
        if excerpt.total > shown {
            let text = format!("{shown} of {} are listed.", excerpt.total);
            self.text(0, &text, &looks.note)?;
        }
        Ok(())
    }
}

fn summary(sheet: &mut Worksheet, content: &Content, looks: &Looks, zone: Zone) -> Result<(), XlsxError> {
    let cover = &content.cover;
    sheet.set_name("Summary")?;
    sheet.set_column_width(0, 30)?;
    sheet.set_column_width(1, 48)?;
    sheet.write_string_with_format(0, 0, printable(&cover.title), &looks.title)?;
    let period = cover.period;
    let (mut up, mut down, mut failures) = (0.0, 0.0, 0u32);
    for machine in &content.machines.rows {
        let r = machine.reliability(period);
        up += r.up_s;
        down += r.down_s;
        failures = failures.saturating_add(r.failures);
    }
    let all = pm_domain::reliability::Reliability { up_s: up, down_s: down, unknown_s: 0.0, failures };
    let critical = content.alarms.rows.iter().filter(|a| a.severity == Severity::Critical).count();
    let class = |i: usize| {
        content.predictions.rows.iter().map(|p| p.classes.get(i).copied().unwrap_or(0)).sum::<i64>()
    };
    let zone_name = zone.name();
    let readings = content.reading_count();
    let facts: [(&str, Cell<'_>); 18] = [
        ("Period from", Cell::Time(Some(period.from))),
        ("Period to", Cell::Time(Some(period.to))),
        ("Time zone of this workbook", Cell::Text(&zone_name)),
        ("Selection", Cell::Text(&cover.scope)),
        ("Generated at", Cell::Time(Some(cover.generated_at))),
        ("Generated by", Cell::Text(&cover.generated_by)),
        ("Machines", Cell::Whole(content.machines.total)),
        ("Sensors", Cell::Whole(content.sensors.total)),
        ("Readings", Cell::Whole(readings)),
        ("Availability (up / (up + down))", Cell::Percent(all.availability())),
        ("MTBF [h] (up time / failures)", Cell::Hours(all.mtbf_s())),
        ("MTTR [h] (down time / failures)", Cell::Hours(all.mttr_s())),
        ("Alarms", Cell::Whole(content.alarms.total)),
        ("of these critical", Cell::Whole(critical as i64)),
        ("Predictions: normal", Cell::Whole(class(0))),
        ("Predictions: warning", Cell::Whole(class(1))),
        ("Predictions: critical", Cell::Whole(class(2))),
        ("Tickets", Cell::Whole(content.tickets.total)),
    ];
    let mut rows = Rows { sheet, looks, zone, next: 2 };
    for (label, value) in &facts {
        rows.text(0, label, &looks.label)?;
        rows.cell(1, value)?;
        rows.next += 1;
    }
    if readings == 0
        && content.alarms.total == 0
        && content.predictions.total == 0
        && content.tickets.total == 0
    {
        rows.next += 1;
        rows.text(
            0,
            "No readings, alarms, predictions or tickets were stored for this period and selection.",
            &looks.note,
        )?;
    }
    Ok(())
}

fn machines(sheet: &mut Worksheet, content: &Content, looks: &Looks) -> Result<(), XlsxError> {
    let columns = [
        ("Machine", 26.0),
        ("Location", 26.0),
        ("Criticality", 11.0),
        ("Status now", 12.0),
        ("Availability", 12.0),
        ("Observed", 11.0),
        ("Up time [h]", 12.0),
        ("Down time [h]", 12.0),
        ("Failures", 10.0),
        ("MTBF [h]", 12.0),
        ("MTTR [h]", 12.0),
        ("machine_id", 38.0),
    ];
    let period = content.cover.period;
    let mut rows = Rows::begin(sheet, "Machines", looks, Zone(0), &columns)?;
    for m in &content.machines.rows {
        let r = m.reliability(period);
        rows.row(&[
            Cell::Text(&m.name),
            Cell::Text(m.location.as_deref().unwrap_or_default()),
            Cell::Text(m.criticality.as_str()),
            Cell::Text(m.status.as_str()),
            Cell::Percent(r.availability()),
            Cell::Percent(Some(1.0 - r.unknown_s / period.seconds().max(1e-6))),
            Cell::Hours(Some(r.up_s)),
            Cell::Hours(Some(r.down_s)),
            Cell::Whole(i64::from(r.failures)),
            Cell::Hours(r.mtbf_s()),
            Cell::Hours(r.mttr_s()),
            Cell::Text(&m.id.to_string()),
        ])?;
    }
    rows.end(&content.machines, 12, "No machines.")
}

fn sensors(sheet: &mut Worksheet, content: &Content, looks: &Looks) -> Result<(), XlsxError> {
    let columns = [
        ("Machine", 24.0),
        ("Sensor", 26.0),
        ("Unit", 9.0),
        ("Readings", 12.0),
        ("Min", 12.0),
        ("Mean", 12.0),
        ("Max", 12.0),
        ("Std. dev.", 12.0),
        ("Time in warning [h]", 12.0),
        ("Time in critical [h]", 12.0),
        ("Warning from", 12.0),
        ("Critical from", 12.0),
        ("Warning down to", 12.0),
        ("Critical down to", 12.0),
        ("sensor_id", 38.0),
    ];
    let mut rows = Rows::begin(sheet, "Sensors", looks, Zone(0), &columns)?;
    for s in &content.sensors.rows {
        let m = s.measured.as_ref();
        rows.row(&[
            Cell::Text(&s.machine),
            Cell::Text(&s.name),
            Cell::Text(s.unit.as_deref().unwrap_or_default()),
            Cell::Whole(m.map_or(0, |m| m.count)),
            Cell::Number(m.map(|m| m.min)),
            Cell::Number(m.map(|m| m.mean)),
            Cell::Number(m.map(|m| m.max)),
            Cell::Number(m.map(|m| m.std)),
            Cell::Hours(m.map(|m| m.warning_s)),
            Cell::Hours(m.map(|m| m.critical_s)),
            Cell::Number(s.limits.warning_high),
            Cell::Number(s.limits.critical_high),
            Cell::Number(s.limits.warning_low),
            Cell::Number(s.limits.critical_low),
            Cell::Text(&s.id.to_string()),
        ])?;
    }
    rows.end(&content.sensors, 15, "No sensors.")
}

fn alarms(sheet: &mut Worksheet, content: &Content, looks: &Looks, zone: Zone) -> Result<(), XlsxError> {
    let columns = [
        ("Raised", 19.0),
        ("Severity", 10.0),
        ("Kind", 11.0),
        ("Machine", 24.0),
        ("Sensor", 24.0),
        ("Message", 48.0),
        ("Occurrences", 12.0),
        ("Status", 14.0),
        ("Condition ended", 19.0),
        ("Acknowledged", 19.0),
        ("Acknowledged by", 22.0),
        ("Resolved", 19.0),
        ("Resolved by", 22.0),
        ("Notes", 40.0),
    ];
    let mut rows = Rows::begin(sheet, "Alarms", looks, zone, &columns)?;
    for a in &content.alarms.rows {
        rows.row(&[
            Cell::Time(Some(a.triggered_at)),
            Cell::Graded(
                a.severity.as_str(),
                a.severity == Severity::Critical,
                a.severity == Severity::Warning,
            ),
            Cell::Text(&a.kind),
            Cell::Text(&a.machine),
            Cell::Text(a.sensor.as_deref().unwrap_or_default()),
            Cell::Text(&a.message),
            Cell::Whole(a.occurrences),
            Cell::Text(a.status.as_str()),
            Cell::Time(a.ended_at),
            Cell::Time(a.acknowledged_at),
            Cell::Text(a.acknowledged_by.as_deref().unwrap_or_default()),
            Cell::Time(a.resolved_at),
            Cell::Text(a.resolved_by.as_deref().unwrap_or_default()),
            Cell::Text(a.resolution_notes.as_deref().unwrap_or_default()),
        ])?;
    }
    rows.end(&content.alarms, 14, "No alarm was raised in the period or reached into it.")
}

fn predictions(sheet: &mut Worksheet, content: &Content, looks: &Looks) -> Result<(), XlsxError> {
    let columns = [
        ("Machine", 24.0),
        ("Sensor", 24.0),
        ("Normal", 11.0),
        ("Warning", 11.0),
        ("Critical", 11.0),
        ("Too few readings", 11.0),
        ("Mean score", 11.0),
        ("Max score", 11.0),
        ("Health", 11.0),
        ("Remaining life [h]", 12.0),
        ("Model", 22.0),
    ];
    let mut rows = Rows::begin(sheet, "Predictions", looks, Zone(0), &columns)?;
    for p in &content.predictions.rows {
        let [normal, warning, critical, buffering] = p.classes;
        rows.row(&[
            Cell::Text(&p.machine),
            Cell::Text(&p.sensor),
            Cell::Whole(normal),
            Cell::Whole(warning),
            Cell::Whole(critical),
            Cell::Whole(buffering),
            Cell::Number(p.mean_score),
            Cell::Number(p.max_score),
            Cell::Percent(p.health_percent.map(|h| h / 100.0)),
            Cell::Hours(p.remaining_hours.map(|h| h * 3600.0)),
            Cell::Text(p.model_version.as_deref().unwrap_or_default()),
        ])?;
    }
    rows.end(&content.predictions, 11, "No prediction was made in the period.")
}

fn tickets(sheet: &mut Worksheet, content: &Content, looks: &Looks, zone: Zone) -> Result<(), XlsxError> {
    let columns = [
        ("Opened", 19.0),
        ("Priority", 10.0),
        ("Status", 13.0),
        ("Machine", 24.0),
        ("Title", 48.0),
        ("Assignee", 28.0),
        ("Due", 19.0),
        ("Notes", 40.0),
    ];
    let mut rows = Rows::begin(sheet, "Tickets", looks, zone, &columns)?;
    for t in &content.tickets.rows {
        rows.row(&[
            Cell::Time(Some(t.created_at)),
            Cell::Text(t.priority.as_str()),
            Cell::Text(t.status.as_str()),
            Cell::Text(&t.machine),
            Cell::Text(&t.title),
            Cell::Text(t.assignee.as_deref().unwrap_or_default()),
            Cell::Time(t.due_at),
            Cell::Text(t.resolution_notes.as_deref().unwrap_or_default()),
        ])?;
    }
    rows.end(&content.tickets, 8, "No ticket was opened in the period or open at its begin.")
}

/// The course of the sensors in the worst state: rows, and a chart of each.
fn trends(
    sheet: &mut Worksheet,
    content: &Content,
    looks: &Looks,
    zone: Zone,
    with_charts: bool,
) -> Result<(), XlsxError> {
    let columns =
        [("Time", 19.0), ("Machine", 24.0), ("Sensor", 24.0), ("Min", 12.0), ("Mean", 12.0), ("Max", 12.0)];
    let drawn: Vec<&SensorRow> = content.sensors.rows.iter().filter(|s| !s.trend.is_empty()).collect();
    let mut rows = Rows::begin(sheet, "Trends", looks, zone, &columns)?;
    for (sensor, place) in drawn.iter().zip(0u32..) {
        let first = rows.next;
        for p in &sensor.trend {
            rows.row(&[
                Cell::Time(Some(p.at)),
                Cell::Text(&sensor.machine),
                Cell::Text(&sensor.name),
                Cell::Number(Some(p.min)),
                Cell::Number(Some(p.mean)),
                Cell::Number(Some(p.max)),
            ])?;
        }
        let place = 1 + place * 17;
        let title = format!("{} · {}", sensor.machine, sensor.name);
        rows.sheet.write_string(place, CHART_COLUMN, printable(&title))?;
        let unit = sensor.unit.as_deref().map(printable).filter(|unit| !unit.is_empty());
        if let Some(unit) = &unit {
            rows.sheet.write_string(place, CHART_COLUMN + 1, unit)?;
        }
        let mut chart = trend_chart(place, unit.is_some(), first, rows.next - 1);
        if with_charts && chart.validate().is_ok() {
            rows.sheet.insert_chart(place, CHART_COLUMN, &chart)?;
        }
    }
    if drawn.is_empty() {
        rows.text(0, "No readings in the period.", &looks.note)?;
    }
    Ok(())
}

/// A text without what XML cannot hold; the library escapes that in cells only.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
        .take(MAX_CHART_TEXT_CHARS)
        .collect()
}

/// A chart of the rows from `first` to `last`; its title and the unit stand in the row `place`, behind it.
fn trend_chart(place: u32, has_unit: bool, first: u32, last: u32) -> Chart {
    let mut chart = Chart::new(ChartType::ScatterStraight);
    chart.title().set_name(("Trends", place, CHART_COLUMN));
    chart.x_axis().set_num_format("mm-dd hh:mm");
    if has_unit {
        chart.y_axis().set_name(("Trends", place, CHART_COLUMN + 1));
    }
    chart.set_width(760).set_height(320);
    for (name, column, color, width) in [
        ("min", 3u16, Color::RGB(0x9F_C2_DB), 0.75),
        ("mean", 4, ACCENT, 1.5),
        ("max", 5, Color::RGB(0x9F_C2_DB), 0.75),
    ] {
        let mut format = ChartFormat::new();
        format.set_line(ChartLine::new().set_color(color).set_width(width));
        chart
            .add_series()
            .set_name(name)
            .set_categories(("Trends", first, 0, last, 0))
            .set_values(("Trends", first, column, last, column))
            .set_format(&mut format);
    }
    chart
}

fn readings(sheet: &mut Worksheet, content: &Content, looks: &Looks, zone: Zone) -> Result<(), XlsxError> {
    let columns = [
        ("Time", 23.0),
        ("Machine", 24.0),
        ("Sensor", 24.0),
        ("Unit", 9.0),
        ("Value", 14.0),
        ("Status", 11.0),
    ];
    let names: HashMap<_, _> = content.sensors.rows.iter().map(|s| (s.id, s)).collect();
    let mut rows = Rows::begin(sheet, "Readings", looks, zone, &columns)?;
    for r in &content.readings.rows {
        let sensor = names.get(&r.sensor_id);
        let id = if sensor.is_some() { String::new() } else { r.sensor_id.to_string() };
        let (critical, warning) =
            (r.status == pm_api::ReadingStatus::Critical, r.status == pm_api::ReadingStatus::Warning);
        rows.row(&[
            Cell::Time(Some(r.at)),
            Cell::Text(sensor.map_or("", |s| &s.machine)),
            Cell::Text(sensor.map_or(&id, |s| &s.name)),
            Cell::Text(sensor.and_then(|s| s.unit.as_deref()).unwrap_or_default()),
            Cell::Number(Some(r.value)),
            Cell::Graded(r.status.as_str(), critical, warning),
        ])?;
    }
    let note = "No readings in the period.";
    if content.readings.total > content.readings.rows.len() as i64 {
        let text = format!(
            "The newest {} of {} readings; a CSV report has up to 1,000,000.",
            content.readings.rows.len(),
            content.readings.total
        );
        rows.sheet.write_string_with_format(0, 7, text, &looks.note)?;
    }
    rows.end(
        &Excerpt { total: content.readings.rows.len() as i64, rows: content.readings.rows.iter().collect() },
        6,
        note,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use pm_domain::report_content::{Cover, Measured, TrendPoint};

    fn content(text: &str) -> Content {
        let at = Timestamp(1_772_000_000 * Timestamp::SECOND);
        let period = pm_domain::reliability::Span { from: at, to: at.plus_seconds(3600) };
        let sensor = SensorRow {
            id: uuid::Uuid::nil().into(),
            machine_id: uuid::Uuid::nil().into(),
            machine: text.to_owned(),
            name: text.to_owned(),
            unit: Some(text.to_owned()),
            limits: Default::default(),
            measured: Some(Measured { count: 1, ..Measured::default() }),
            trend: vec![TrendPoint { at, min: 0.0, mean: 1.0, max: 2.0 }],
        };
        Content {
            cover: Cover {
                title: text.to_owned(),
                period,
                interval_s: 60,
                utc_offset_minutes: 0,
                generated_at: at,
                generated_by: text.to_owned(),
                scope: text.to_owned(),
            },
            machines: Excerpt::default(),
            sensors: Excerpt { rows: vec![sensor], total: 1 },
            alarms: Excerpt::default(),
            predictions: Excerpt::default(),
            tickets: Excerpt::default(),
            readings: Excerpt::default(),
        }
    }

    #[test]
    fn no_text_is_a_reference_to_a_sheet() {
        let long = "=".repeat(40_000);
        for text in [
            "=Nope!$A$1",
            "Nope!$A$1",
            "Nope!A1:B2",
            "!A1",
            "'a b'!A1",
            "=(Nope!A1,Nope!B1)",
            "=Table[x]",
            "[1]Nope!A1",
            "=1+1",
            "+1",
            "-1",
            "@x",
            "a\u{1}b\u{0}\u{ffff}",
            "",
            &long,
        ] {
            let book = workbook(&content(text), true);
            assert!(book.is_ok(), "{:.40}: {:?}", text, book.err());
        }
    }
}
