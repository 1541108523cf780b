//! Results as pictures that any browser shows.

use crate::{api, ingest};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 90.0;
const BAR: f64 = 26.0;
const SCALE: f64 = 420.0;

/// One bar: its label, its length, what stands beside it, its colour.
struct Bar {
    label: String,
    value: f64,
    note: String,
    colour: &'static str,
}

/// Stored rate by rate asked, with the latency beside it.
pub(crate) fn ingest(report: &ingest::Report) -> String {
    let bars = report.stages.iter().map(|s| Bar {
        label: format!("{:.0}/s", s.rate),
        value: s.stored,
        note: format!("{:.0}/s, p99 {:.0} ms", s.stored, s.latency.p99_ms),
        colour: "#1f6f54",
    });
    draw(
        "Readings stored per second, by the rate published, and time until they can be queried",
        bars.collect(),
    )
}

/// Requests per second by endpoint, with the latency beside it.
pub(crate) fn api(report: &api::Report) -> String {
    let bars = report.endpoints.iter().map(|e| Bar {
        label: e.name.clone(),
        value: e.requests_per_s,
        note: format!(
            "{:.0}/s, p50 {:.1} ms, p99 {:.1} ms",
            e.requests_per_s, e.latency.p50_ms, e.latency.p99_ms
        ),
        colour: "#1f4e79",
    });
    draw("Requests answered per second", bars.collect())
}

fn draw(title: &str, bars: Vec<Bar>) -> String {
    let height = 60.0 + BAR * bars.len() as f64;
    let most = bars.iter().map(|b| b.value).fold(1.0, f64::max);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"10\" y=\"24\" font-size=\"15\">{title}</text>\n"
    );
    for (i, bar) in bars.iter().enumerate() {
        let y = 42.0 + BAR * i as f64;
        let length = SCALE * bar.value / most;
        let (middle, note_x) = (y + 14.0, LEFT + length + 8.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{}\" fill=\"{}\"/>\
             <text x=\"{note_x:.1}\" y=\"{middle}\" fill=\"#444\">{}</text>",
            LEFT - 8.0,
            bar.label,
            BAR - 8.0,
            bar.colour,
            bar.note
        );
    }
    svg + "</svg>\n"
}
