//! How good estimates are.

use pm_model::rul::model::Cycles;
use serde::Serialize;

/// Figures over machines.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Measures {
    /// Root mean square error, true values capped as the network's are.
    pub rmse_capped: f64,
    /// The same with true values as they are.
    pub rmse_uncapped: f64,
    /// Sum of the NASA score (late counts more than early), true values capped.
    pub nasa_capped: f64,
    /// The same with true values as they are.
    pub nasa_uncapped: f64,
    /// Share of the true values within their interval; an upper limit at the cap is none, so capping does not matter.
    pub coverage: f64,
    /// Mean width of the intervals, cycles, up to the cap.
    pub width: f64,
}

/// Measures estimates against the cycles that were left, each with its weight; the weights sum to 1. NASA scores are for
/// `count` machines.
#[must_use]
pub fn measure(estimates: &[(Cycles, f64, f64)], cap: f64, count: f64) -> Measures {
    let sum =
        |f: &dyn Fn(&Cycles, f64) -> f64| estimates.iter().map(|(c, left, w)| w * f(c, *left)).sum::<f64>();
    Measures {
        rmse_capped: sum(&|c, left| (c.expected - left.min(cap)).powi(2)).sqrt(),
        rmse_uncapped: sum(&|c, left| (c.expected - left).powi(2)).sqrt(),
        nasa_capped: count * sum(&|c, left| nasa(c.expected - left.min(cap))),
        nasa_uncapped: count * sum(&|c, left| nasa(c.expected - left)),
        coverage: sum(&|c, left| f64::from(u8::from(is_inside(c, left, cap)))),
        width: sum(&|c, _| c.upper - c.lower),
    }
}

/// Does the interval hold the true value?
#[must_use]
pub fn is_inside(cycles: &Cycles, left: f64, cap: f64) -> bool {
    cycles.lower <= left && (left <= cycles.upper || cycles.upper >= cap)
}

/// The score of the PHM 2008 challenge for one estimate that is `late` cycles too high.
fn nasa(late: f64) -> f64 {
    if late < 0.0 { (-late / 13.0).exp_m1() } else { (late / 10.0).exp_m1() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        let estimates = |expected, lower, upper, left| (Cycles { expected, lower, upper }, left, 0.5);
        let m =
            measure(&[estimates(50.0, 40.0, 60.0, 60.0), estimates(120.0, 110.0, 125.0, 130.0)], 125.0, 2.0);
        assert!((m.rmse_capped - (62.5f64).sqrt()).abs() < 1e-12, "{m:?}");
        assert!((m.rmse_uncapped - 10.0).abs() < 1e-12, "{m:?}");
        assert!((m.nasa_uncapped - 2.0 * (10.0f64 / 13.0).exp_m1()).abs() < 1e-12, "{m:?}");
        assert!((m.coverage - 1.0).abs() < 1e-12 && (m.width - 17.5).abs() < 1e-12, "{m:?}");
        let late = measure(&[(Cycles { expected: 20.0, lower: 15.0, upper: 25.0 }, 10.0, 1.0)], 125.0, 1.0);
        assert!((late.nasa_capped - 1f64.exp_m1()).abs() < 1e-12 && late.coverage == 0.0, "{late:?}");
    }
}
