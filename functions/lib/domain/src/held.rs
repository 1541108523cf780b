//! Means over a period: a value holds until the next one, as it does for sensors that report changes only.

use pm_api::Timestamp;

/// Readings in a row: their time integral, and what is needed to join it with the next ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Time of the first reading.
    pub from: Timestamp,
    /// Time of the last reading.
    pub to: Timestamp,
    /// The last value.
    pub last: f64,
    /// Sum of each value but the last, times the seconds until the next one.
    pub area: f64,
}

/// Largest value that is summed up, so that no sum overflows, nor one of squares.
const LARGEST: f64 = 1e140;
/// Smallest value other than 0 that is summed up, so that no product comes to nothing.
const SMALLEST: f64 = 1e-100;

/// A value as it is summed up. (The function of the same name in the schema is the same.)
#[must_use]
pub fn summand(value: f64) -> f64 {
    if value.abs() < SMALLEST { 0.0 } else { value.clamp(-LARGEST, LARGEST) }
}

/// The mean over a period that ends at `end`, weighted by time: of the pieces, oldest first, and of the value that was
/// `held` when the period began, if one is known. `None`: no value holds for any time.
#[must_use]
pub fn mean(begin: Timestamp, end: Timestamp, held: Option<f64>, pieces: &[Piece]) -> Option<f64> {
    let first = held.map(|value| Piece { from: begin, to: begin, last: value, area: 0.0 });
    let (mut area, mut seconds) = (0.0, 0.0);
    let mut before: Option<Piece> = None;
    for piece in first.into_iter().chain(pieces.iter().copied()) {
        if let Some(before) = before {
            let gap_s = piece.from.seconds_since(before.to).max(0.0);
            area += summand(before.last) * gap_s;
            seconds += gap_s;
        }
        area += piece.area;
        seconds += piece.to.seconds_since(piece.from);
        before = Some(piece);
    }
    let last = before?;
    let tail_s = end.seconds_since(last.to).max(0.0);
    area += summand(last.last) * tail_s;
    seconds += tail_s;
    (seconds > 0.0).then(|| area / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(s: f64) -> Timestamp {
        Timestamp((s * 1e6) as i64)
    }

    fn single((s, value): (f64, f64)) -> Piece {
        Piece { from: at(s), to: at(s), last: value, area: 0.0 }
    }

    #[test]
    fn a_value_counts_for_as_long_as_it_holds() {
        let report_on_change: Vec<_> =
            [(0.0, 10.0)].into_iter().chain((0..60).map(|n| (220.0 + f64::from(n), 100.0))).collect();
        let pieces: Vec<_> = report_on_change.into_iter().map(single).collect();
        let mean_of = |held| mean(at(0.0), at(280.0), held, &pieces).unwrap_or(f64::NAN);
        assert!((mean_of(None) - 29.285_714).abs() < 1e-6);
        assert_eq!(mean(at(0.0), at(10.0), None, &[]), None);
        assert_eq!(mean(at(0.0), at(10.0), Some(3.0), &[]), Some(3.0));
        assert_eq!(mean(at(0.0), at(10.0), Some(3.0), &[single((5.0, 5.0))]), Some(4.0));
        assert_eq!(mean(at(0.0), at(5.0), None, &[single((5.0, 5.0))]), None);
    }

    proptest! {
        #[test]
        fn pieces_give_what_their_readings_give(
            values in prop::collection::vec((1_i64..100, -1e3..1e3_f64), 2..40), cut in 1_usize..39,
        ) {
            let mut s = 0;
            let readings: Vec<_> = values.into_iter().map(|(step, value)| { s += step; (s as f64, value) }).collect();
            let cut = cut.min(readings.len() - 1);
            let piece = |readings: &[(f64, f64)]| Piece {
                from: at(readings[0].0),
                to: at(readings[readings.len() - 1].0),
                last: readings[readings.len() - 1].1,
                area: readings.windows(2).map(|w| w[0].1 * (w[1].0 - w[0].0)).sum(),
            };
            let end = at(s as f64 + 10.0);
            let apart: Vec<_> = readings.iter().copied().map(single).collect();
            let one = mean(at(0.0), end, Some(1.0), &apart);
            let other = mean(at(0.0), end, Some(1.0), &[piece(&readings[..cut]), piece(&readings[cut..])]);
            let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
            prop_assert!((one - other).abs() < 1e-6, "{one} {other}");
        }
    }
}
