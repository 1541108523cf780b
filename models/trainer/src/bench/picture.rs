//! The detections against the label windows, as an SVG that any browser shows.

use super::nab::Series;
use std::fmt::Write as _;

const WIDTH: f64 = 1200.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Top and height of the panel with the temperature, of the band with the detections, of the panel with the score.
const TEMPERATURE: (f64, f64) = (60.0, 220.0);
const BAND: (f64, f64) = (290.0, 16.0);
const SCORE: (f64, f64) = (316.0, 170.0);
const HEIGHT: f64 = 540.0;

/// Draws the series, its windows, the score with its threshold, and the detections.
pub fn draw(series: &Series, scores: &[f64], threshold: f64, detections: &[(usize, usize)]) -> String {
    let count = scores.len();
    let x = |i: usize| LEFT + (WIDTH - LEFT - RIGHT) * i as f64 / count as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"17\">NAB machine temperature: detections against the labelled windows</text>\n\
         <text x=\"{LEFT}\" y=\"44\" fill=\"#555\">grey: probation period · orange: labelled windows · red: detections</text>\n"
    );
    let mut block = |from: usize, to: usize, (top, height): (f64, f64), fill: &str| {
        let _ = writeln!(
            svg,
            "<rect x=\"{:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{height}\" fill=\"{fill}\"/>",
            x(from),
            (x(to) - x(from)).max(1.5)
        );
    };
    let all = (TEMPERATURE.0, SCORE.0 + SCORE.1 - TEMPERATURE.0);
    block(0, super::nab::PROBATION, all, "#e8e8e8");
    series.windows.iter().for_each(|w| block(w.0, w.1, all, "#ffd9a8"));
    detections.iter().for_each(|d| block(d.0, d.1, BAND, "#d42020"));
    curve(&mut svg, &series.values, TEMPERATURE, "°F", "#1f4e79", x);
    let (low, high) = curve(&mut svg, scores, SCORE, "score", "#333", x);
    let y = SCORE.0 + SCORE.1 * (1.0 - (threshold - low) / (high - low));
    let _ = writeln!(
        svg,
        "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#d42020\" stroke-dasharray=\"6 4\"/>",
        WIDTH - RIGHT
    );
    let mut day = "";
    for (i, time) in series.times.iter().enumerate() {
        let today = &time[..10];
        if today != day && matches!(&today[8..], "01" | "08" | "15" | "22") {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{today}</text>",
                x(i),
                SCORE.0 + SCORE.1 + 24.0
            );
        }
        day = today;
    }
    svg + "</svg>\n"
}

/// A curve with its scale; of every few points the lowest and the highest, so that no spike is lost.
fn curve(
    svg: &mut String,
    values: &[f64],
    (top, height): (f64, f64),
    unit: &str,
    colour: &str,
    x: impl Fn(usize) -> f64,
) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let y = |v: f64| top + height * (1.0 - (v - low) / (high - low));
    let mut points = String::new();
    for (k, part) in values.chunks(16).enumerate() {
        let least = part.iter().copied().fold(f64::INFINITY, f64::min);
        let most = part.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let _ = write!(points, "{:.1},{:.1} {:.1},{:.1} ", x(16 * k), y(least), x(16 * k + 8), y(most));
    }
    let _ =
        writeln!(svg, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1\"/>");
    for value in [low, (low + high) / 2.0, high] {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#555\">{value:.0} {unit}</text>",
            LEFT - 6.0,
            y(value) + 4.0
        );
    }
    (low, high)
}
