//! True and estimated remaining cycles of the test machines with their intervals, as SVG.

use super::{bench::Estimates, measure::is_inside};
use std::fmt::Write as _;

const WIDTH: f64 = 900.0;
const PANEL: f64 = 260.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 34.0;
const HIGHEST: f64 = 150.0;

/// One panel per set; machines by their true value, longest first.
#[must_use]
pub fn draw(all: &[Estimates], cap: f64) -> String {
    let height = PANEL * all.len() as f64 + 30.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    for (i, estimates) in all.iter().enumerate() {
        panel(&mut svg, estimates, cap, PANEL * i as f64);
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" fill=\"#444\">Line: true remaining cycles, up to {cap}. Dot: estimate. Bar: 90 % interval, red where it misses.</text>\n</svg>",
        height - 12.0
    );
    svg
}

fn panel(svg: &mut String, estimates: &Estimates, cap: f64, top: f64) {
    let bottom = top + PANEL - 16.0;
    let scale = (bottom - top - TOP) / HIGHEST;
    let y = |cycles: f64| bottom - cycles.min(HIGHEST) * scale;
    let figures = estimates.measures(cap);
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{:.0}\" font-size=\"13\" fill=\"#111\">{}: RMSE {:.2} cycles (capped at {cap}), {:.0} % within the interval</text>",
        top + 20.0,
        estimates.set.name,
        figures.rmse_capped,
        100.0 * figures.coverage
    );
    for tick in [0.0, 25.0, 50.0, 75.0, 100.0, 125.0] {
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {0:.1}H{1}\" stroke=\"#ddd\"/><text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\" fill=\"#444\">{tick}</text>",
            y(tick),
            WIDTH - 10.0,
            LEFT - 6.0,
            y(tick) + 4.0
        );
    }
    let mut order: Vec<usize> = (0..estimates.left.len()).collect();
    order.sort_by(|&a, &b| estimates.left[b].total_cmp(&estimates.left[a]));
    let step = (WIDTH - LEFT - 14.0) / order.len().max(1) as f64;
    let mut line = String::new();
    for (place, &machine) in order.iter().enumerate() {
        let x = LEFT + step * (place as f64 + 0.5);
        let (cycles, left) = (estimates.ensemble[machine], estimates.left[machine]);
        let colour = if is_inside(&cycles, left, cap) { "#7aa7d9" } else { "#d62728" };
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {:.1}V{:.1}\" stroke=\"{colour}\" stroke-width=\"3\" stroke-opacity=\".6\"/><circle cx=\"{x:.1}\" cy=\"{:.1}\" r=\"2\" fill=\"#1f4e8c\"/>",
            y(cycles.lower),
            y(cycles.upper),
            y(cycles.expected)
        );
        let _ = write!(line, "{}{x:.1} {:.1}", if place == 0 { "M" } else { "L" }, y(left.min(cap)));
    }
    let _ = writeln!(svg, "<path d=\"{line}\" fill=\"none\" stroke=\"#111\" stroke-width=\"1.2\"/>");
}
