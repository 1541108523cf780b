//! How far a sensor may leave its reference before it is an alarm, from the false alarms that people put up with.
//!
//! Every distance that is ordinary ([`crate::reference`], [`crate::relations`]) is multiplied by one factor. How many false alarms
//! a factor gives was counted on 1,173 generated healthy sensors of 23 kinds (`pm-trainer sensitivity` with the seeds 31000, 1000 and
//! 555000); the factor for a number of false alarms is read off that table, straight lines between the logarithms. Beyond the factor 1
//! it hardly falls any more (0.079 at 1.25, 0.069 at 1.6): what is left comes from the forest, and from contacts and set points that
//! show something new.

/// Factors, and the false alarms that healthy sensors raised with them, per sensor and month of 30 days.
const COUNTED: [(f64, f64); 7] =
    [(0.3, 1.333), (0.4, 0.740), (0.5, 0.457), (0.6, 0.259), (0.7, 0.175), (0.85, 0.113), (1.0, 0.091)];

/// The false alarms of a sensor and month with the factor 1.
pub const BASE_PER_MONTH: f64 = 0.091;

/// The factor that gives so many false alarms of a sensor in a month of 30 days; never beyond the table's ends.
#[must_use]
pub fn widening(per_month: f64) -> f64 {
    let wanted = per_month.max(1e-9).ln();
    let after = COUNTED.partition_point(|(_, counted)| counted.ln() > wanted);
    let Some((before, next)) =
        after.checked_sub(1).and_then(|k| Some((COUNTED.get(k)?, COUNTED.get(after)?)))
    else {
        return COUNTED[after.min(COUNTED.len() - 1)].0;
    };
    let part = (before.1.ln() - wanted) / (before.1.ln() - next.1.ln());
    before.0 + part * (next.0 - before.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_falls_with_the_false_alarms_and_stays_on_the_table() {
        let factors: Vec<f64> = [0.0, 1e-6, 0.02, 0.05, 0.2, 0.5, 1.0, 3.0, 1e9].map(widening).to_vec();
        assert!(factors.windows(2).all(|f| f[0] >= f[1]), "{factors:?}");
        assert_eq!((factors[0], factors[8]), (COUNTED[COUNTED.len() - 1].0, COUNTED[0].0));
        for (factor, counted) in COUNTED {
            assert!((widening(counted) - factor).abs() < 1e-9);
        }
    }
}
